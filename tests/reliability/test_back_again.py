"""H5, H7, H10, H11, H12 and H14: the order of lines, the reader's format, a file on the way and another database change nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from newel.config import Config
from newel.domain.document import Document, DocumentInput, Line, LineInput
from newel.domain.pricing import Price
from newel.errors import Refused
from newel.services.app import Newel
from newel.web.app import create_app
from newel.web.forms import Reader, Wrong, decimal
from newel.web.views_text import entry, language, number, separators
from newel_demo.company import PASSWORD, demo
from newel_exchange import work
from newel_exchange.reading import sheet_of
from newel_exchange.rules import Choice, guessed, rows_of
from newel_sdk.kit import modules
from newel_sdk.strategies import samples
from newel_sdk.testing import item, party, running

from core.tests import test_money as money
from core.tests.test_histories import live
from core.tests.toys import plugin
from tests.reliability.conftest import Run
from tests.reliability.sizes import size
from tests.web import Web

LANGUAGES = ("en", "de", "sl", "tr", "zh")
NUMBERS = st.builds(lambda n, places: D(n).scaleb(-places), st.integers(-(10**18), 10**18), st.integers(0, 6))


# ---- H11: what the reader sees can be typed ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", LANGUAGES)
def test_what_is_shown_can_be_typed_again(tag: str) -> None:
    """Every number and amount, with and without groups, and every day; nothing is read in two ways."""
    point, group = separators(tag)

    @settings(max_examples=size("H11 examples"), deadline=None, database=None)
    @given(NUMBERS, st.dates())
    def same(value: D, day: date) -> None:
        assert decimal(number(value)) == decimal(entry(value)) == value
        assert str(decimal(number(value, 2))) == str(value.quantize(D("0.01"), "ROUND_HALF_UP"))
        reader = Reader({"day": day.isoformat(), "amount": number(value)})
        assert (reader.day("day"), reader.decimal("amount"), reader.problems) == (day, value, [])

    before = language.set(tag)
    try:
        same()
        assert decimal(f"1{group}234") == 1234
        assert decimal(f"1{group}234{point}5") == D("1234.5")
        with pytest.raises(Wrong):
            decimal(f"1{point}234{group}5")
    finally:
        language.reset(before)


# ---- H5, H10, H14: the tests of every push in the long size -------------------------------------------------------------------------------


@pytest.mark.parametrize("check", [money.test_parts_sum_to_the_whole, money.test_portions_of_a_line_make_the_line], ids=lambda c: c.__name__)
def test_splitting_loses_nothing(check: Any) -> None:
    settings(max_examples=size("H10 examples"), database=None, deadline=None)(check)()


@pytest.mark.parametrize(
    "check", [money.test_taxes_of_lines_are_the_taxes_of_the_document, money.test_the_document_method_taxes_the_sum_once], ids=lambda c: c.__name__
)
def test_lines_make_the_document(check: Any) -> None:
    settings(max_examples=size("H5 examples"), database=None, deadline=None)(check)()


async def test_random_days_are_the_same_on_both(fresh_database: Callable[[str], str], run: Run) -> None:
    days = [run.chance.randrange(1000, 10**9) for _ in range(size("H14 days"))]
    for seed in days:
        one, other = [await live(fresh_database(engine), seed) for engine in ("sqlite", "postgresql")]
        assert one == other, f"the day {seed}"
    run.note(days=len(days))


# ---- H7: the order of lines ---------------------------------------------------------------------------------------------------------------


LINES = st.lists(st.tuples(st.integers(1, 40), st.sampled_from(["", "0.333", "7.77"]), st.sampled_from([0, 5, 33])), min_size=2, max_size=6)


def _first_is_free(document: Document, line: Line) -> Price | None:
    """A rule that looks at the place of a line."""
    return Price(amount=D(0), rule="planted") if document.lines and document.lines[0].item == line.item else None


async def reordered(url: str, run: Run, examples: int, *, extra: dict[str, Any] | None = None) -> set[str]:
    """Preview every kind of document with prices with the same lines in three orders; returns the kinds that took them. extra: further plugins."""
    async with running(url, {**modules(None), **(extra or {})}, currency="EUR") as (app, context):
        for rate, category in (("19", "standard"), ("7", "reduced")):
            await app.records.save("newel.tax_rate", None, {"code": f"V{rate}", "name": rate, "category": category, "rate": rate}, context)
        await party(app, context, "C1", is_vendor=True)
        for n in range(6):
            await item(app, context, f"I{n}", price=D(n * 3) + D("0.49"), cost="1.11", tax_category=("standard", "reduced")[n % 2])
        compared: set[str] = set()
        for lines in samples(LINES, examples):
            made = [
                LineInput(item=f"I{n}", quantity=D(quantity), price=D(price) if price else None, discount=D(off))
                for n, (quantity, price, off) in enumerate(lines)
            ]
            for kind, taxed in [(k.name, taxed) for k in app.registry.documents.values() if k.priced for taxed in (False, True)]:
                totals = set()
                for _ in range(3):
                    run.chance.shuffle(made)
                    entered = DocumentInput(party="C1", prices_include_tax=taxed, lines=tuple(made))
                    try:
                        shown = (await app.documents.preview(kind, entered, context)).document
                    except Refused:
                        break
                    totals.add((shown.net, shown.tax, shown.gross))
                    compared.add(kind)
                assert len(totals) < 2, f"the order of lines counts: {kind}, {taxed}, {lines}, {totals}"
    return compared


async def test_the_order_of_lines_changes_no_total(sqlite_url: str, run: Run) -> None:
    """Of every kind of document with prices, of every plugin, in amounts before and after tax."""
    compared = await reordered(sqlite_url, run, size("H7 examples"))
    assert {"sales.order", "sales.quotation", "invoicing.invoice", "purchasing.order"} <= compared
    run.note(kinds=len(compared))


async def test_the_order_of_lines_sees_the_planted_fault(sqlite_url: str, run: Run) -> None:
    """A plugin whose first line is free."""
    with pytest.raises(AssertionError, match="the order of lines counts"):
        await reordered(sqlite_url, run, 6, extra={"first": plugin("first", decide_price=_first_is_free)})


# ---- H12: out and in again ------------------------------------------------------------------------------------------------------------------


async def test_every_kind_of_record_goes_out_and_comes_in_unchanged(sqlite_url: str, run: Run) -> None:
    """As the file that people change and send back: every row is found by its key, and none of its values is another one."""
    app = Newel(Config(database=sqlite_url))
    await app.start()
    try:
        await demo(app, documents=20)
        async with app.database.read() as session:
            context = await app.context(session, app.system(None).user)
        http, _csrf = await Web(app, context, create_app(app, manage=False), "").browser("demo", PASSWORD)
        wrong, kinds, rows_seen = [], 0, 0
        for kind in [k for k in app.registry.records if app.records.shape(k).key]:
            answer = await http.get(f"/exchange/into/{kind}/rows/csv")
            sheet = sheet_of(answer.content)
            if answer.status_code == 200 and sheet.rows:
                targets = work.targets(app, kind, context)
                choice = guessed(sheet.head, targets, Choice())
                rows = rows_of(sheet.head, sheet.rows, choice, targets)
                found = await app.records.import_rows(kind, [r.values for r in rows], context, match=choice.match)
                kinds, rows_seen = kinds + 1, rows_seen + len(rows)
                if found.unchanged != len(rows) or any(r.seen.problems for r in rows):
                    wrong.append((kind, found.created, found.changed, found.problems[:2], [r.seen.problems for r in rows if r.seen.problems][:1]))
        assert wrong == []
        assert kinds > 20
        run.note(kinds=kinds, rows=rows_seen)
    finally:
        await app.close()
