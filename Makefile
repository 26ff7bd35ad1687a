# The one list of commands. `make setup` first; the others call it.

PYTHON ?= python3
BIN := .venv/bin
DISTRIBUTIONS := core sdk ops demo $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/*/pyproject.toml))
PYPROJECTS := $(addsuffix /pyproject.toml,$(DISTRIBUTIONS))

.DEFAULT_GOAL := help
.PHONY: help setup system lock run test soak lint format bench bench-peers fuzz pages audit docs surface capabilities screens screenshots words clean

help:
	@echo "make run           a demonstration company on SQLite, in the browser"
	@echo "make test          every test, on SQLite and on PostgreSQL"
	@echo "make soak          the promises of docs/reliability.md in their long sizes: many hours"
	@echo "make lint          style, types and architecture"
	@echo "make format        rewrite the code in the project's format"
	@echo "make bench         the benchmarks; make bench-peers: beside Tryton, which it installs for that"
	@echo "make pages         an accessibility checker on every page, in every theme and width"
	@echo "make fuzz          the fuzz of the API and of every form, for hours"
	@echo "make audit         known weaknesses of the packages that are locked; asks a service outside"
	@echo "make docs          the documentation, into docs/_build"
	@echo "make capabilities  docs/capabilities.md from the tests' marks; make screens: docs/screens.md"
	@echo "make screenshots   docs/pictures: the main pages of the demonstration company, in Chromium"
	@echo "make words         brings the translations up to date, and says what is missing"
	@echo "make surface       docs/api_surface.txt from the code"
	@echo "make lock          requirements.txt from requirements.in"
	@echo "make setup         only the virtual environment; make clean removes it"

setup: .venv/.installed

# Two stamps: a new plugin must not download everything again.
.venv/.required: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "Newel needs Python 3.11 to 3.13; name one: make PYTHON=python3.13 setup" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	@touch $@

.venv/.installed: .venv/.required $(PYPROJECTS)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation $(addprefix -e ,$(DISTRIBUTIONS))
	@touch $@

system:
	@tools/system_packages.sh

# Resolved for every supported Python at once; names, versions, hashes and markers, and no address.
lock: setup
	$(BIN)/uv pip compile requirements.in --quiet --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --output-file requirements.txt

run: setup
	@$(BIN)/newel demo --if-missing
	@$(BIN)/newel serve

test: setup system
	$(BIN)/pytest -n auto

# NEWEL_SOAK=0.01 make soak: a hundredth of it.
soak: setup system
	NEWEL_SOAK=$${NEWEL_SOAK:-1} NEWEL_RELIABILITY_REPORT=$(CURDIR)/soak.txt $(BIN)/pytest tests/reliability -n 2 -p no:cacheprovider -o timeout=0

pages: setup system
	NEWEL_PAGES=all $(BIN)/pytest tests/browser/test_every_page.py -o timeout=0

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/capabilities.py --check
	$(BIN)/python tools/screens.py --check

format: setup
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

# Benchmarks are files named bench_*.py, so that `make test` leaves them out; they run alone, to measure and not to wait.
BENCH := $(BIN)/pytest -s -o python_files='bench_*.py' -o timeout=1800
bench: setup
	@tools/system_packages.sh wrk
	$(BENCH) tests/benchmarks --ignore tests/benchmarks/bench_peers.py

bench-peers: setup system .venv-peers/.installed
	NEWEL_BENCH_PEERS=$(CURDIR)/.venv-peers/bin/python $(BENCH) tests/benchmarks/bench_peers.py

.venv-peers/.installed: tests/benchmarks/peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet -r $<
	@touch $@

docs: capabilities screens
	$(BIN)/sphinx-build --quiet --fail-on-warning --keep-going -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

# What plugins may use. The tests tell additions from breaks; see docs/plugins.md.
surface: setup
	$(BIN)/python -m newel_sdk.surface docs/api_surface.txt --write

# What is new comes in empty: fill it in, in core/newel/locale and in the plugins' locale folders.
words: setup
	$(BIN)/python -m newel_sdk.words

capabilities: setup
	$(BIN)/python tools/capabilities.py

screens: setup
	$(BIN)/python tools/screens.py

screenshots: setup system
	$(BIN)/python tools/screenshots.py

clean:
	rm -rf .venv .venv-peers docs/_build dist build .pytest_cache .ruff_cache .mypy_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
