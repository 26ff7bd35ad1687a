"""Templates that users write (mails) see values and nothing else, and cost no more than a text does."""

from __future__ import annotations

import time
import tracemalloc

import pytest
from newel_mail.rules import CannotSend, rendered

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


@pytest.mark.parametrize("source", ESCAPES)
def test_no_template_reaches_beyond_its_values(source: str) -> None:
    """Refused, or no more than a text: nothing of Python is in what comes out."""
    try:
        text = rendered(source, VALUES)
    except CannotSend:
        return
    assert not any(word in text for word in ("<class", "built-in", "function", "object at", "__", "bound method")), text
    assert len(text) < 100


@pytest.mark.parametrize("source", COSTLY, ids=range(len(COSTLY)))
def test_no_template_costs_more_than_a_text(source: str) -> None:
    """Within a second, and in 50 MB."""
    tracemalloc.start()
    begun = time.process_time()
    try:
        assert len(rendered(source, VALUES)) < 100_000
    except CannotSend:
        pass
    finally:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert time.process_time() - begun < 5, "a second, and some for a machine that has other things to do"
    assert most < 50_000_000


def test_what_is_meant_works() -> None:
    assert rendered("{{ party.name|upper }}: {% for l in lines %}{{ l.text }} {% endfor %}", VALUES) == "ANN: one two "
