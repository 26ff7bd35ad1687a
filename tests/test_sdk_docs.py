"""What the pages for authors of plugins say is true: the tutorial's commands, the levels, the steps of a story, the kit's example."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from newel_sdk.conformance import CHECKS
from newel_sdk.scaffolding import scaffold
from newel_sdk.servers import PATIENCE, free_port
from newel_sdk.stories import PLUGINS, STEPS
from playwright.sync_api import Browser

from tests.test_sdk import installed, passes

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "plugins.md").read_text("utf-8")
TUTORIAL = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
WHEELS = ("core", "sdk", "plugins/marketing/sales")


def test_the_levels_are_those_of_the_suite() -> None:
    rows = re.findall(r"^\| (bronze|silver|gold|platinum) \| `(\w+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert [(name, (level, promise)) for level, name, promise in rows] == list(CHECKS.items())


def test_the_steps_of_a_story_are_those_that_can_be_told() -> None:
    """Each row is understood, and each form of a step has a row."""
    table = PAGE[PAGE.index("| step | table |") : PAGE.index("## Levels")]
    found = [text for row in re.findall(r"^\| ((?:Given|When|Then).+?) \|", table, re.MULTILINE) for text in row.split("; ")]
    forms = [re.sub(r"^\w+\s+", "", re.sub(r" \(.*\)", "", text)) for text in found]
    assert [f for f in forms if not PLUGINS.fullmatch(f) and not any(re.fullmatch(p, f) for p, _ in STEPS)] == []
    assert [p for p, _ in STEPS if not any(re.fullmatch(p, f) for f in forms)] == []


def test_the_example_of_the_kit_works(tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert code
    scaffold("loyalty", tmp_path)
    root = tmp_path / "newel-loyalty"
    (root / "tests" / "test_page.py").write_text(code[1], "utf-8")
    passes(root, installed(root, tmp_path / "site"), "tests/test_page.py")


# ---- the tutorial ------------------------------------------------------------------------------------------------------------------


def libraries(folder: Path) -> Path:
    """What Newel needs from others, and nothing of Newel: as if it had been downloaded."""
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not re.match(r"(__editable__|_editable_impl|newel|pip|setuptools|_distutils|distutils-prec|__pycache__)", path.name, re.IGNORECASE):
            (folder / path.name).symlink_to(path)
    return folder


def answers(url: str, until: float) -> bool:
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


@pytest.fixture
def tutorial(tmp_path: Path) -> Any:
    """Give the address at which the tutorial's last command serves, after all of them were run in an empty folder with wheels alone."""
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(tmp_path / "wheels"), *(str(ROOT / w) for w in WHEELS)], check=True, capture_output=True, text=True)
    port = free_port()
    commands = "\n".join(re.findall(r"```sh\n(.*?)```", TUTORIAL, re.DOTALL))
    assert commands.count("newel serve\n") == 1
    script = commands.replace("newel serve\n", f"exec newel serve --port {port}\n").replace("python3 -m venv", f"{sys.executable} -m venv")
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("VIRTUAL", "PYTEST", "NEWEL_TEST"))},
        "PYTHONPATH": str(libraries(tmp_path / "libraries")),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "wheels"),
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads it the other way round: no isolation
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    (tmp_path / "empty").mkdir()
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen(["bash", "-e", "-c", script], cwd=tmp_path / "empty", env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + 800
            while not answers(f"{url}/health/ready", time.monotonic() + 1):
                assert running.poll() is None, (tmp_path / "log").read_text()[-6000:]
                assert time.monotonic() < until, (tmp_path / "log").read_text()[-6000:]
            yield url
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGTERM)
            running.wait(300)


def test_the_tutorial_ends_with_the_new_plugin_in_the_browser(tutorial: str, tmp_path: Path, chromium: Browser) -> None:
    """Its commands, pasted one after another into an empty folder: a passing suite, a level, and the plugin's page."""
    log = (tmp_path / "log").read_text("utf-8")
    assert re.search(r"\d+ passed", log)
    assert re.search(r"loyalty: (gold|platinum)", log)
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{tutorial}/login")
    page.fill("[name=login]", "admin")
    page.fill("[name=password]", "nine-oak-treads")
    page.click("button[type=submit]")
    page.wait_for_url(f"{tutorial}/")
    page.goto(f"{tutorial}/loyalty")
    assert page.inner_text("h1") == "Loyalty"
    page.click("text=Add")
    page.wait_for_url("**/records/loyalty.rate/new")
    page.close()
