"""Templates that users write (mails, layouts of what is printed) see values and nothing else, and cost no more than a text does."""

from __future__ import annotations

import contextlib
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from jinja2 import Template
from newel_mail.rules import CannotSend, rendered
from newel_prints.rules import Wrong, filled

VALUES = {"number": "SO1", "party": {"name": "Ann"}, "lines": [{"text": "one", "net": "1.00"}, {"text": "two", "net": "2.00"}]}
ESCAPES = (
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ''['__class__'] }}",
    "{{ number|attr('__class__') }}",
    "{{ ().__class__.__base__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self }}",
    "{{ config }}",
    "{{ request.application }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ joiner.__init__ }}",
    "{{ namespace() }}",
    "{{ dict(a=1) }}",
    "{{ range(10**9)|list }}",
    "{{ party.__class__ }}",
    "{{ party.items }}",
    "{{ party.items() }}",
    "{{ lines.__len__ }}",
    "{{ lines.append(1) }}",
    "{{ number.format('{0.__class__}') }}",
    "{{ '%s'.__mod__(1) }}",
    "{{ '{0.__class__.__init__.__globals__}'.format(number) }}",
    "{{ number.__class__.__format__ }}",
    "{% include 'login.html' %}",
    "{% import 'macros.html' as m %}",
    "{% extends 'base.html' %}",
    "{% set x = number.__class__ %}{{ x }}",
    "{% macro m() %}{{ caller }}{% endmacro %}{{ m() }}",
    "{% call number() %}{% endcall %}",
    "{% for x in lines recursive %}{{ loop(lines) }}{% endfor %}",
    "{% with a = self %}{{ a }}{% endwith %}",
    "{{ loop.__class__ }}",
    "{% for x in lines %}{{ loop.__init__ }}{% endfor %}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{{ number|map('attr') }}",
    "{{ number is sameas number.__class__ }}",
    "{% block x %}{% endblock %}",
    "{% raw %}{% endraw",
    "{{ [].__class__ }}",
    "{{ lines|tojson }}",
    "{{ (number,)*10 }}",
)
COSTLY = (
    "{{ 'x' * 10**9 }}",
    "{{ 10**10**8 }}",
    "{{ 'x'.ljust(10**9) }}",
    "{{ '%1000000000s'|format(1) }}",
    "{{ 'x'|center(10**9) }}",
    "{% for a in lines %}" * 30 + "x" + "{% endfor %}" * 30,
    "{{ " + "(" * 400 + "1" + ")" * 400 + " }}",
    "{{ " + "-" * 5000 + "1 }}",
    "{% for a in range(10**9) %}x{% endfor %}",
    "{{ number" + "|upper" * 3000 + " }}",
    "{{ number ~ " + " ~ ".join(["number"] * 5000) + " }}",
)


# Who fills templates in, and what it raises for one that is refused: mails, and layouts of what is printed.
FILLED = {"mail": (rendered, CannotSend), "print": (filled, Wrong)}
STEPS = 2_000_000  # calls of functions, ours and those of C
BYTES = 50_000_000


@pytest.mark.parametrize("where", FILLED)
@pytest.mark.parametrize("source", ESCAPES)
def test_no_template_reaches_beyond_its_values(where: str, source: str) -> None:
    """Refused, or no more than a text: nothing of Python is in what comes out."""
    fill, refused = FILLED[where]
    try:
        text = fill(source, VALUES)
    except refused:
        return
    assert not any(word in text for word in ("<class", "built-in", "function", "object at", "__", "bound method")), text
    assert len(text) < 100


def cost(work: Callable[[], Any]) -> tuple[int, int]:
    """(calls, most bytes at a time) of some work: the same on a busy machine as on an idle one."""
    calls = 0

    def count(_frame: Any, event: str, _what: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    tracemalloc.start()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    return calls, most


@pytest.mark.parametrize("where", FILLED)
@pytest.mark.parametrize("source", COSTLY, ids=range(len(COSTLY)))
def test_no_template_costs_more_than_a_text(where: str, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused or short, in few calls and little memory; what one call could take for ever over (a power, a product, padding) is never begun."""
    fill, refused = FILLED[where]
    begun: list[str] = []
    monkeypatch.setattr(Template, "render", lambda _self, _values, render=Template.render: (begun.append(source), render(_self, _values))[1])

    def work() -> None:
        with contextlib.suppress(refused):
            assert len(fill(source, VALUES)) < 100_000

    calls, most = cost(work)
    assert calls < STEPS
    assert most < BYTES
    assert begun == [] or "10**" not in source


@pytest.mark.parametrize("work", [lambda: [len("x") for _ in range(STEPS)], lambda: "x" * BYTES], ids=["calls", "bytes"])
def test_the_cost_is_seen(work: Callable[[], Any]) -> None:
    """Planted: work that takes too many calls, and work that takes too much memory."""
    calls, most = cost(work)
    assert calls >= STEPS or most >= BYTES


def test_what_is_meant_works() -> None:
    assert rendered("{{ party.name|upper }}: {% for l in lines %}{{ l.text }} {% endfor %}", VALUES) == "ANN: one two "
