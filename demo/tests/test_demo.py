"""The demonstration company makes itself, the same one each time, and its books verify."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime

import pytest
from newel.config import Config
from newel.domain.context import Company
from newel.errors import NewelError, Refused
from newel.services.app import Newel
from newel.services.setup import set_up_company
from newel.services.verify import verify
from newel.store.master import load_master
from newel_demo.company import PASSWORD, USERS, DemoResult, demo, gtin
from newel_demo.own import load

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
PLUGINS = ("sales", "pricelists", "inventory", "shipping", "invoicing", "receivables")


@asynccontextmanager
async def running(url: str, plugins: tuple[str, ...] = PLUGINS) -> AsyncIterator[Newel]:
    """An install on an empty database."""
    app = Newel(Config(database=url, plugins=plugins), clock=lambda: NOW)
    await app.start()
    try:
        yield app
    finally:
        await app.close()


def states(result: DemoResult, kind: str) -> set[str]:
    """The states in which documents of a kind are."""
    return {state for (k, state), n in result.documents.items() if k == kind and n}


async def test_a_believable_company(sqlite_url: str) -> None:
    """About 200 items, 100 customers, 15 vendors and 1,000 documents in all states, through the use cases: everything adds up."""
    told: list[tuple[str, int, int]] = []
    async with running(sqlite_url) as app:
        result = await demo(app, progress=lambda *step: told.append(step))
        assert await verify(app) == []
        assert 900 <= result.count <= 1300
        assert (len(USERS), result.parties) == (4, 115)
        assert 180 <= result.items <= 220
        assert states(result, "sales.lead") >= {"converted", "lost"}
        assert states(result, "sales.quotation") >= {"draft", "sent", "accepted", "rejected", "expired"}
        assert states(result, "sales.order") >= {"draft", "confirmed", "done", "cancelled"}
        assert states(result, "shipping.delivery") >= {"draft", "shipped"}
        assert states(result, "shipping.return") == {"received"}
        assert states(result, "invoicing.invoice") == {"draft", "posted", "paid"}
        assert "settled" in states(result, "invoicing.credit_note")
        assert states(result, "receivables.payment") == {"posted"}
        assert set(result.refused) <= {"stock.short"}, "what is not there is not delivered; nothing else is refused"
        assert told[-1][1] > 900
        assert PASSWORD in str(result)
        await _check_life(app)


async def _check_life(app: Newel) -> None:
    """Overdue invoices, partial payments and deliveries, several currencies and tax rates, and people who may do what they did."""
    async with app.database.read() as session:

        async def count(sql: str, *args: object) -> int:
            return int(await session.value(sql, *args))

        today = NOW.date()
        assert await count("SELECT COUNT(*) AS n FROM open_item WHERE amount_open > 0 AND date_due < ?", today) > 10
        assert await count("SELECT COUNT(*) AS n FROM open_item WHERE amount_open > 0 AND amount_open < amount") > 2
        assert await count("SELECT COUNT(*) AS n FROM document WHERE kind = 'sales.order' AND state = 'confirmed' AND parts & 8 = 8") > 0
        assert await count("SELECT COUNT(DISTINCT currency) AS n FROM document") == 2
        assert await count("SELECT COUNT(DISTINCT code) AS n FROM tax_line") > 5
        assert await count("SELECT COUNT(*) AS n FROM document WHERE date > ?", today) == 0
        assert await count("SELECT COUNT(*) AS n FROM document WHERE date < ?", date(2025, 1, 15)) == 0
        rows = await session.fetch("SELECT kind, created_by FROM document GROUP BY kind, created_by")
        authors = {r["kind"]: r["created_by"] for r in rows}
        assert (authors["sales.order"], authors["shipping.delivery"], authors["invoicing.invoice"]) == ("sales", "warehouse", "accountant")
        assert await count("SELECT COUNT(*) AS n FROM price_step WHERE plugin = 'pricelists'") > 10
    user = await app.users.authenticate("demo", PASSWORD)
    assert user is not None
    assert user.may("anything.at.all")


async def test_the_same_company_each_time(database_url: str, tmp_path: object) -> None:
    """The same seed on the same day gives the same documents and sums, on both databases."""
    async with running(database_url) as app:
        first = await demo(app, documents=150)
        assert await verify(app) == []
        with pytest.raises(Refused, match="a company already"):
            await demo(app, documents=150)
    async with running(f"sqlite:///{tmp_path}/again.db") as app:
        second = await demo(app, documents=150)
    assert first == second
    assert first.gross["invoicing.invoice"] > 0
    async with running(f"sqlite:///{tmp_path}/other.db") as app:
        assert (await demo(app, documents=150, seed=7)).gross != first.gross


@pytest.mark.parametrize("plugins", [(), ("sales",), ("inventory", "shipping"), ("sales", "inventory", "shipping"), ("sales", "invoicing", "receivables")])
async def test_with_whatever_is_installed(plugins: tuple[str, ...], sqlite_url: str) -> None:
    """The story is told by roles: what is not installed does not happen."""
    async with running(sqlite_url, plugins) as app:
        result = await demo(app, documents=60)
        assert await verify(app) == []
        assert {kind.split(".")[0] for kind, _ in result.documents} <= set(plugins)
        assert ("sales" in plugins) == any(kind == "sales.order" for kind, _ in result.documents)


ALL = (*PLUGINS, "promotions", "kits", "configurator", "purchasing", "consignment", "credit")


async def test_plugins_show_what_they_can(database_url: str) -> None:
    """With everything installed each plugin has something of its own to look at, nothing of it is refused, and the books verify."""
    async with running(database_url, ALL) as app:
        result = await demo(app, documents=60)
        assert await verify(app) == []
        assert set(result.refused) <= {"stock.short"}
        assert states(result, "configurator.draft") == {"kept"}
        assert states(result, "consignment.order") == states(result, "consignment.loan") == {"confirmed"}
        assert states(result, "consignment.settlement") == states(result, "consignment.return") == {"posted"}
        assert states(result, "purchasing.requisition") == {"draft", "ordered"}
        assert states(result, "purchasing.order") == {"sent", "done"}
        assert states(result, "purchasing.bill") == {"draft", "posted"}
        async with app.database.read() as session:
            over = await app.registry.reports["credit.over"].load(session, {"all": True}, app.system(await _company(app)))
            assert "Knapp Treppenbau GmbH" in {r["name"] for r in over}
            for table in ("promotions_promotion", "promotions_coupon", "kits_component", "configurator_rule", "purchasing_price"):
                assert await session.value(f"SELECT COUNT(*) AS n FROM {table}") > 0, table


async def _company(app: Newel) -> Company:
    async with app.database.read() as session:
        return (await load_master(session)).companies[await session.value("SELECT MIN(id) AS n FROM company")]


async def test_a_file_of_ones_own(sqlite_url: str) -> None:
    """Records, users and documents; who does not exist yet, is not installed or is refused ends it, and says what is wrong."""
    good = {
        "newel.item": {"rows": [{"number": "BOLT", "name": "Bolt", "unit": "EA"}]},
        "newel.item_price": {"rows": [{"item": "BOLT", "currency": "EUR", "price": "2"}]},
        "newel.party": {"rows": [{"number": "C1", "name": "Acme"}]},
        "user": [{"login": "acme", "name": "Somebody at Acme", "roles": ["sales"], "party": "C1"}],
        "document": [{"kind": "sales.order", "user": "acme", "days": 500, "lines": [{"item": "BOLT", "quantity": "3"}], "then": ["confirm"]}],
    }
    async with running(sqlite_url, ("sales",)) as app:
        with pytest.raises(NewelError, match="newel init"):
            await load(app, good)
        await set_up_company(app, code="OWN", name="Own", currency="EUR", country="DE", first_year=NOW.year)
        with pytest.raises(NewelError, match=r"document kind 'kits.x', record kind 'newel.itm'"):
            await load(app, {"newel.itm": {"rows": []}, "document": [{"kind": "kits.x"}]})
        result = await load(app, good)
        assert (result.items, result.parties, result.documents, result.logins) == (1, 1, {("sales.order", "confirmed"): 1}, ("acme",))
        async with app.database.read() as session:
            (order,) = await session.fetch("SELECT date, created_by FROM document")
        assert (order["date"], order["created_by"]) == (date(2026, 1, 1), "acme"), "not before the books are open"
        with pytest.raises(Refused):
            await load(app, {"document": [{"kind": "sales.order", "party": "C9"}]})


def test_gtins_have_their_check_digit() -> None:
    """The odd digits count once, the even ones three times; what lacks to a multiple of ten."""
    assert gtin("629104150021") == "6291041500213"
    assert gtin("400000000001") == "4000000000013"
