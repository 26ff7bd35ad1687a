"""The answer to a form while somebody types: only what is new, and not more than anybody reads."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.web import Web, serving

ROW = re.compile(r'id="(lines-\d+-note)" data-seen="(\w+)"')


@pytest.fixture
async def web(database_url: str) -> AsyncIterator[Web]:
    """Give an install with a customer and goods, but nothing in stock."""
    async with serving(database_url) as web:
        yield web


async def _asking(web: Any) -> Any:
    """Give a function that posts a form and returns the answer and the fingerprints of its rows."""
    client, csrf = await web.browser()

    async def ask(fields: dict[str, str]) -> tuple[str, dict[str, str]]:
        answer = await client.post("/documents/shop.order/preview", data={"_csrf_token": csrf, "party_text": "C1"} | fields)
        assert answer.status_code == 200, answer.text
        return answer.text, dict(ROW.findall(answer.text))

    return ask


def _lines(count: int, item: str = "BOLT", quantity: str = "2") -> dict[str, str]:
    return {f"lines-{i}-{name}": value for i in range(count) for name, value in (("item_text", item), ("quantity", quantity))}


async def _chosen(ask: Any, count: int) -> dict[str, str]:
    """The form as the browser has it after the first answer: with the ids of what was found."""
    fields = _lines(count)
    text, _rows = await ask(fields)
    for row, id_, number in re.findall(r'data-resolves="(lines-\d+-item)" value="(\d+)">(\w+)<', text):
        fields |= {row: id_, f"{row}_text": number}
    return fields


async def test_rows_that_are_shown_already_do_not_come_again(web: Any) -> None:
    """The browser says what it shows. Of three lines the changed one comes, and the totals are those of all."""
    ask = await _asking(web)
    fields = await _chosen(ask, 3)
    whole, rows = await ask(fields)
    assert len(rows) == 3
    fields["seen"] = " ".join(f"{note}:{seen}" for note, seen in rows.items())
    text, again = await ask(fields)
    assert again == {}
    assert "lines-0-net" not in text
    totals = re.compile(r'<dl class="[^"]*" id="preview-totals".*?</dl>', re.DOTALL)
    assert totals.findall(text) == totals.findall(whole) != []
    changed, again = await ask(fields | {"lines-1-quantity": "5"})
    assert list(again) == ["lines-1-note"]
    text, again = await ask(fields | dict.fromkeys(("lines-1-item", "lines-1-item_text", "lines-1-quantity"), ""))
    assert again == {}
    assert '<output id="lines-1-net" class="n-stale"></output>' in text, "a row that was emptied shows no amount any more"
    without = {k: v for k, v in fields.items() if k != "seen"} | {"lines-1-quantity": "5"}
    assert totals.findall(changed) == totals.findall((await ask(without))[0]) != totals.findall(whole)


async def test_a_fingerprint_belongs_to_its_row(web: Any) -> None:
    """A new line that is like its neighbour comes although the neighbour is shown; and what was typed instead of chosen comes with its id."""
    ask = await _asking(web)
    fields = await _chosen(ask, 2)
    _text, rows = await ask(fields)
    first, second = sorted(rows)
    assert rows[first] == rows[second], "lines that are alike have the same fingerprint"
    _text, again = await ask(fields | {"seen": f"{first}:{rows[first]}"})
    assert list(again) == [second]
    text, again = await ask(fields | {"lines-0-item": "", "seen": f"{first}:{rows[first]} {second}:{rows[second]}"})
    assert list(again) == [first]
    assert 'data-resolves="lines-0-item"' in text


async def test_notes_are_counted_where_nobody_reads_them(web: Any) -> None:
    """Of what is only told, the first twenty; what stands in the way, all of it."""
    ask = await _asking(web)
    text, _rows = await ask(_lines(25, quantity="100000"))
    notes = text.count('data-severity="note"')
    assert notes == 21, text
    assert re.search(r"and \d+ more", text)
    text, _rows = await ask(_lines(25, item="NOTHING"))
    assert text.count('data-severity="block"') == 25
