"""What printing decides: where texts and pages are cut, which layout is taken, what a layout may say."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel_prints.rules import BUILT_IN, SAMPLE, Layout, Wrong, check_layout, choose, cut, filled, fingerprint, pieces, rows_of, values_of

VALUES = values_of(SAMPLE)
PIXEL = "data:image/png;base64,AA=="


@given(st.text(alphabet="ab \n", max_size=400))
def test_pieces_lose_no_word(text: str) -> None:
    found = pieces(text, 50)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(len(piece) <= 50 for piece in found)


def line(net: str, text: str = "Bolt") -> dict[str, Any]:
    return {"net": Decimal(net), "text": text, "note": "two parts"}


def test_a_long_text_goes_on_in_rows_of_its_own() -> None:
    """The sum counts each line once, and the note stands at the end."""
    rows = rows_of([line("2"), line("3", "word " * 400), line("-1")])
    assert [r["sum"] for r in rows] == [2, 5, 5, 5, 4]
    assert [r["more"] for r in rows] == [False, False, True, True, False]
    assert [r["note"] for r in rows] == ["two parts", "", "", "two parts", "two parts"]


@pytest.mark.parametrize(
    ("places", "rows", "pages"),
    [
        ([0, 0, 0], 2, [range(3)]),
        ([0, 0, 1, 1, 1], 4, [range(2), range(2, 5)]),
        ([0, 0, 1], 2, [range(1), range(1, 3)]),  # totals take a row along
        ([0, 1], 1, [range(1), range(1, 2)]),  # but not the only one
        ([0], 0, [range(1)]),
    ],
)
def test_where_pages_end(places: list[int], rows: int, pages: list[range]) -> None:
    assert cut(places, rows) == pages


def test_the_closest_layout_in_its_last_version() -> None:
    layouts = [
        Layout(id=1, company=1), Layout(id=2, company=1, language="de"), Layout(id=3, company=1, kind="shop.order"),
        Layout(id=4, company=1, kind="shop.order", active=False), Layout(id=5, company=2),
    ]  # fmt: skip
    assert choose(layouts[:3], 1, "shop.order", "de").id == 3
    assert choose(layouts, 1, "shop.order", "de").id == 2, "its own is out of use"
    assert choose(layouts, 1, "shop.order", "tr").id == 1
    assert choose(layouts, 2, "shop.order", "tr").id == 5
    assert choose([], 1, "shop.order", "tr") == Layout()


def test_a_copy_is_a_copy_whatever_the_layout() -> None:
    paper = {**SAMPLE, "number": "1", "cancelled": False, "lines": [line("2")], "totals": [], "gross": Decimal(2)}
    assert fingerprint(paper) == fingerprint({**paper, "company": {}, "address": ["moved"]})
    assert fingerprint(paper) != fingerprint({**paper, "lines": [line("3")]})


@pytest.mark.parametrize("name", [name for name in BUILT_IN if name != "style"])
def test_built_in_parts_can_be_filled_in(name: str) -> None:
    assert filled(BUILT_IN[name], values_of(SAMPLE, PIXEL)) is not None


ATTACKS = (
    "{{ company.__class__ }}", "{{ number.__class__.__mro__ }}", "{{ ''.format }}", "{{ number() }}", "{{ self }}", "{% include 'x' %}", "{% set x = 1 %}",
    "{{ address['__len__'] }}", "{{ 9 ** 99 }}", "{% for a in address %}{% for b in address %}{% endfor %}{% endfor %}", "{{ cycler }}", "{{ logo.__html__ }}",
    "{{ 'x'|attr('y') }}", "{% macro m() %}{% endmacro %}", "{{ nobody }}", "{% if %}", "{{ address|map('upper') }}",
)  # fmt: skip


@pytest.mark.parametrize("source", ATTACKS)
def test_a_layout_reaches_for_nothing_but_values(source: str) -> None:
    with pytest.raises(Wrong):
        filled(source, VALUES)


@pytest.mark.parametrize(
    "source",
    [
        "<script>x()</script>", '<img src="x" onerror="x()">', '<img src="https://example.org/x.png">', '<a href="javascript:x()">y</a>', "<svg onload=x()>",
        '<div style="background:url(//example.org)">y</div>', '<img src="data:image/svg+xml;base64,AAAA">', "<form action=/x><input name=y></form>",
        '<iframe srcdoc="x"></iframe>', '<meta http-equiv="refresh" content="0;url=/x">', "<style>@import '//example.org'</style>", "<base href=//example.org>",
    ],
)  # fmt: skip
def test_of_html_only_harmless_tags_are_left(source: str) -> None:
    found = str(filled(source, VALUES)).lower()
    assert not any(word in found for word in ("script", "onerror", "example", "onload", "svg", "form", "input", "iframe", "meta", "style", "import", "href"))


def test_values_are_text_and_no_tags() -> None:
    """A partner called <b>: what stands on the paper is that name."""
    assert filled("{{ number }} {{ logo }}", values_of({**SAMPLE, "number": "<b>x</b>"}, PIXEL)) == f'&lt;b&gt;x&lt;/b&gt; <img src="{PIXEL}" alt="">'


@pytest.mark.parametrize("style", ["</style><script>", "@import 'x'", "p { background: url (x) }", "p{background:\\75rl(x)}", "p{background:image-set('x')}"])
def test_styles_fetch_nothing(style: str) -> None:
    assert [(p.code, p.where) for p in check_layout({"style": style})] == [("prints.layout", "style")]
    assert list(check_layout({"style": ".p-company { color: #a00; }"})) == []


def test_every_part_is_checked_at_once() -> None:
    found = list(check_layout({"head": "{{ x }}", "foot": "{{ y }}", "logo": "https://example.org/x.png"}))
    assert [(p.code, p.where) for p in found] == [("prints.layout", "head"), ("prints.layout", "foot"), ("prints.logo", "logo")]
    assert "there is no value" in found[0].message or "'x' is undefined" in found[0].message
