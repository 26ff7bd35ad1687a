"""A year of two customers, read as an analysis and on dashboards: every figure against the ledger and against the rows behind it."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from newel.domain.document import LineInput, LinkInput
from newel.errors import Refused
from newel.services import reports
from newel_dashboards import boards, tiles
from newel_dashboards.boards import TileSpec
from newel_sdk.kit import Kit

D = Decimal
pytestmark = pytest.mark.plugins("dashboards", "sales", "invoicing", "receivables")
YEAR = {"date_from": "2026-01-01", "date_to": "2026-12-31"}
SOLD = ("one", "revenue", "cost", "profit", "margin")


async def year(kit: Kit) -> dict[str, int]:
    """North (trade, Hamburg) buys 10 bolts in January 2025, 20 in January 2026 and sends 5 of these back; South (Graz) buys 7 nuts for dollars in March.

    A bolt is sold at 10.00 and costs 4.00, a nut at 3.33 dollars and 2.00; a dollar is 0.9. Of North's order, Ann sold 60 percent and Bob 40.
    """
    await kit.record("newel.period", code="2025", date_from="2025-01-01", date_to="2025-12-31", state="open")
    trade = await kit.record("newel.party_class", code="TRADE", name="Trade")
    metal = await kit.record("newel.item_class", code="METAL", name="Metal")
    await kit.item("BOLT", price=10, cost=4, item_class=metal)
    await kit.item("NUT", price=3, cost=2)
    north, south = await kit.party("NORTH", party_class=trade, country="DE"), await kit.party("SOUTH", country="AT")
    place = {"party": north, "kind": "shipping", "street": "Quay 1", "city": "Hamburg", "country": "DE", "region": "HH"}
    yard = await kit.app.records.save("newel.address", None, place, kit.context)
    await kit.record("newel.currency_rate", currency="USD", rate="0.9", date_from="2025-01-01")
    for code in ("ANN", "BOB"):
        await kit.record("sales.representative", code=code, name=code.capitalize())
    await kit.document("invoicing.invoice", "NORTH", ("BOLT", 10), date=date(2025, 1, 20), ship_to=yard, then=["post"])
    shares = [{"representative": "ANN", "percent": "60"}, {"representative": "BOB", "percent": "40"}]
    order = await kit.document("sales.order", "NORTH", ("BOLT", 20), ship_to=yard, data={"sales": {"representatives": shares}}, then=["confirm"])
    invoice = (await kit.follow(order.document.id, "invoice", then=["post"])).document
    kit.clock.advance(days=26)
    back = [LinkInput(line=invoice.lines[0].id, quantity=D(5))]
    await kit.app.documents.follow(invoice.id, "credit", kit.context, lines=back, then=["post"])
    lines = (("NUT", 3, "3.33"), ("NUT", 4, "3.33"), LineInput(kind="charge", text="Packing", price=D("0.55"), quantity=D(1)))
    await kit.document("invoicing.invoice", "SOUTH", *lines, currency="USD", date=date(2026, 3, 2), then=["post"])
    kit.clock.advance(days=64)
    return {"north": north, "south": south, "trade": trade, "metal": metal, "invoice": invoice.id}


async def run(kit: Kit, name: str, **given: str) -> list[dict[str, Any]]:
    return await reports.run(kit.app, name, given, kit.context)


async def ledger(kit: Kit, start: str, end: str) -> Decimal:
    """What was posted to income in a time, by the journal."""
    rows = await kit.rows("SELECT e.date, p.credit, p.debit FROM posting p JOIN journal_entry e ON e.id = p.entry WHERE p.role = 'revenue'")
    return sum((D(r["credit"] - r["debit"]) / 10_000 for r in rows if start <= str(r["date"]) <= end), D(0))


@pytest.mark.capability("REP-01")
async def test_hook_register_plugin_revenue_and_gross_profit_by_customer_and_group(kit: Kit) -> None:
    """2026: North 200.00 less 50.00 sent back, cost 60.00; South 23.86 dollars are 21.47, cost 14.00. The year before: North 100.00, cost 40.00."""
    await year(kit)
    north, south = await run(kit, "dashboards.sales", **YEAR, by="customer", compare="year")
    assert [north[n] for n in SOLD] == ["NORTH North", D(150), D(60), D(90), D("60.0")]
    assert (north["revenue_before"], north["profit_before"], north["change"]) == (D(100), D(60), D("50.0"))
    assert [south[n] for n in SOLD] == ["SOUTH South", D("21.47"), D(14), D("7.47"), D("34.8")]
    assert (south["revenue_before"], south["change"]) == (D(0), None)
    groups = await run(kit, "dashboards.sales", **YEAR, by="customer_class")
    assert [(g["one"], g["revenue"], g["profit"]) for g in groups] == [("TRADE Trade", D(150), D(90)), ("", D("21.47"), D("7.47"))]
    assert sum(g["revenue"] for g in groups) == await ledger(kit, "2026-01-01", "2026-12-31") == D("171.47")
    (quarter,) = await run(kit, "dashboards.sales", date_from="2026-02-01", date_to="2026-02-28", compare="before")
    assert (quarter["revenue"], quarter["revenue_before"], quarter["change"]) == (D(-50), D(200), D("-125.0")), "any span, with the one before it"
    assert await kit.verify() == []


@pytest.mark.capability("REP-04")
async def test_sales_and_receivables_by_region_territory_representative_item_and_customer_with_charts(kit: Kit) -> None:
    made = await year(kit)
    expected = {
        "country": {"DE": D(150), "AT": D("21.47")}, "region": {"DE-HH": D(150), "AT-": D("21.47")},
        "representative": {"ANN": D(90), "BOB": D(60), "": D("21.47")}, "item": {"BOLT Bolt": D(150), "NUT Nut": D("20.97"), "": D("0.50")},
        "item_class": {"METAL Metal": D(150), "": D("21.47")}, "month": {"2026-01": D(200), "2026-02": D(-50), "2026-03": D("21.47")},
        "quarter": {"2026-Q1": D("171.47")}, "year": {"2026": D("171.47")},
    }  # fmt: skip
    for by, wanted in expected.items():
        assert {r["one"]: r["revenue"] for r in await run(kit, "dashboards.sales", **YEAR, by=by)} == wanted, by
    two = await run(kit, "dashboards.sales", **YEAR, by="representative", and_by="month")
    assert {(r["one"], r["two"]): r["revenue"] for r in two} == {
        ("ANN", "2026-01"): D(120), ("BOB", "2026-01"): D(80), ("ANN", "2026-02"): D(-30), ("BOB", "2026-02"): D(-20), ("", "2026-03"): D("21.47"),
    }  # fmt: skip
    history = await run(kit, "dashboards.sales", date_from="2025-01-01", date_to="2026-12-31", by="year")
    assert [(r["one"], r["revenue"]) for r in history] == [("2025", D(100)), ("2026", D("171.47"))], "sales history"
    owed = {
        "customer": {"NORTH North": D(250), "SOUTH South": D("21.47")}, "country": {"DE": D(250), "AT": D("21.47")},
        "region": {"DE-HH": D(250), "AT-": D("21.47")}, "representative": {"ANN": D(90), "BOB": D(60), "": D("121.47")},
    }  # fmt: skip
    for by, wanted in owed.items():
        rows = await run(kit, "dashboards.receivables", by=by)
        assert {r["one"]: r["total"] for r in rows} == wanted, by
        assert all(sum(r[n] for n in ("not_due", "days_30", "days_60", "days_90", "older")) == r["total"] for r in rows)
    past = {r["date"].isoformat(): r["total"] for r in await run(kit, "dashboards.receivables_history")}
    assert [past[d] for d in ("2025-05-31", "2026-01-31", "2026-02-28", "2026-03-31", "2026-04-15")] == [D(100), D(300), D(250), D("271.47"), D("271.47")]
    await kit.document(
        "receivables.payment", "NORTH", LineInput(kind="payment", settles=await _item(kit, made["invoice"]), price=D(120), quantity=D(1)), then=["post"]
    )
    assert (await run(kit, "dashboards.receivables_history"))[-1]["total"] == D("151.47") == sum(r["total"] for r in await run(kit, "dashboards.receivables"))
    browser = await kit.browser()
    for path in ("analysis?by=region&compare=year", "analysis?by=month&and_by=item", "receivables?by=representative"):
        text = (await browser.get(f"/dashboards/{path}")).text
        assert "<svg viewBox=" in text, re.sub(r"<[^>]+>", " ", text.split("<main")[-1])
        assert "<figcaption" in text and 'style="' not in text, path
    assert b"HH" in (await browser.get("/dashboards/analysis?by=region&format=csv")).content
    wrong = await browser.get("/dashboards/analysis?by=weather")
    assert wrong.status_code == 422 and "one of month, quarter" in wrong.text


async def _item(kit: Kit, document: int) -> int:
    return int((await kit.rows("SELECT id FROM open_item WHERE document = ?", document))[0]["id"])


@pytest.mark.screen("C54")
async def test_every_row_leads_to_lines_with_the_same_sum(kit: Kit) -> None:
    """Each dimension, also where it has no value; each tile, on the page that its figure leads to."""
    await year(kit)
    for by in ("month", "quarter", "year", "customer", "customer_class", "item", "item_class", "country", "region", "representative"):
        given = {**YEAR, "by": by}
        for row in await run(kit, "dashboards.sales", **given):
            about, behind = _asked(tiles.behind("dashboards.sales", given, row, kit.context))
            rows = await run(kit, about, **behind)
            assert rows and sum(r["revenue"] for r in rows) == row["revenue"] and sum(r["cost"] for r in rows) == row["cost"], (by, row["one"])
    for by in ("customer", "customer_class", "country", "region", "representative"):
        for row in await run(kit, "dashboards.receivables", by=by):
            about, behind = _asked(tiles.behind("dashboards.receivables", {"by": by}, row, kit.context))
            assert sum(r["open"] for r in await run(kit, about, **behind)) == row["total"], (by, row["one"])


def _asked(url: str) -> tuple[str, dict[str, str]]:
    parts = urlsplit(url)
    return parts.path.rsplit("/", 1)[1], dict(parse_qsl(parts.query))


@pytest.mark.plugins(
    "dashboards", "sales", "invoicing", "receivables", "inventory", "shipping", "purchasing", "requests", "returns", "faults", "knowledge", "rework", "sla"
)
@pytest.mark.screen("C54")
async def test_each_tile_of_each_board_leads_to_its_rows(kit: Kit) -> None:
    """The page behind a figure says the same figure: as a total, as its number of rows, or in its last row."""
    await year(kit)
    await kit.document("sales.order", "NORTH", ("BOLT", 3), then=["confirm"])
    await kit.stock("BOLT", 5, 20)
    await kit.document("requests.request", "NORTH", text="It rattles", data={"requests": {"type": "help"}}, then=["submit"])
    browser = await kit.browser()
    found = await tiles.boards(kit.app, kit.context)
    assert [b.code for b in found] == ["sales", "warehouse", "finance", "service"]
    told = 0
    for board in found:
        text = (await browser.get(f"/dashboards/{board.code}")).text
        assert "n-head" in text, re.sub(r"<[^>]+>", " ", text.split("<main")[-1])
        assert text.count('hx-trigger="load, reset"') == len(board.tiles)
        for n, spec in enumerate(board.tiles):
            text = (await browser.get(f"/dashboards/{board.code}/{n}", headers={"hx-request": "true"})).text
            assert "alert" not in text, (spec.title, text)
            shown = re.search(r'class="d-figure" href="([^"]+)".*?<span class="n-code[^"]*">([^<]+)</span>', text, re.DOTALL)
            assert shown is not None, spec.title
            page = (await browser.get(unescape(shown[1]))).text
            figure = shown[2]
            if figure in ("0", "0.00"):
                assert "n-empty" in page or "Nothing" in page or "No " in page, spec.title
            elif spec.figure:
                assert f">{figure}<" in page or f">{figure} <" in page, (spec.title, figure)
            else:
                assert re.search(rf"\b{figure}\b", re.sub(r"<[^>]+>", " ", page.split("<main", 1)[1])), (spec.title, figure)
            told += figure not in ("0", "0.00")
    assert told >= 12, "a test of empty tiles says nothing"


@pytest.mark.screen("C56")
async def test_a_tile_that_fails_says_so_and_the_rest_stays(kit: Kit) -> None:
    """A company's own board: a tile that names no column, one that adds up what can't be, one that is right; the board of that code is theirs."""
    await year(kit)
    board = await kit.record("dashboards.board", code="sales", name="Our sales")
    common = {"board": board, "source": "dashboards.sales", "parameters": "date_from=@year&date_to=@today", "show": "figure"}
    await kit.record("dashboards.tile", position=1, title="Wrong", figure="weather", **common)
    await kit.record("dashboards.tile", position=2, title="Mixed", **{**common, "source": "sales.backlog", "parameters": ""}, figure="net")
    await kit.record("dashboards.tile", position=3, title="Right", figure="revenue", compare="year", **common)
    await kit.record("dashboards.tile", position=4, title="Absent", board=board, source="not.there", show="figure")
    browser = await kit.browser()
    page = (await browser.get("/dashboards/sales")).text
    assert "Our sales" in page and "Absent" not in page, "a tile rests where its report is absent"
    texts = [(await browser.get(f"/dashboards/sales/{n}", headers={"hx-request": "true"})).text for n in range(3)]
    assert "has no column of amounts" in texts[0] and "Try again" in texts[0]
    assert "is not added up" in texts[1]
    assert "171.47" in texts[2] and "100.00" in texts[2] and "Try again" not in texts[2]
    with pytest.raises(Refused):
        await kit.record("dashboards.tile", board=board, title="Chart", source="dashboards.sales", show="bars", figure="", names="")


async def test_whoever_may_not_see_a_report_sees_no_tile_of_it(kit: Kit) -> None:
    import msgspec
    from newel.domain.context import User

    user = User(id=9, login="x", permissions=frozenset({"dashboards.see", "sales.order.view"}), companies=frozenset({kit.context.company.id}))
    context = msgspec.structs.replace(kit.context, user=user)
    assert [[t.title for t in b.tiles] for b in await tiles.boards(kit.app, context)] == [["Open orders"]]
    with pytest.raises(Refused):
        await tiles.tile(kit.app, TileSpec("x", "dashboards.sales", figure="revenue"), context)


def test_the_boards_that_come_along_are_well_formed() -> None:
    for board in boards.BOARDS:
        assert not list(boards.check_board({"code": board.code}))
        for t in board.tiles:
            assert not list(boards.check_tile({"show": t.show, "figure": t.figure, "names": t.names})), t.title
