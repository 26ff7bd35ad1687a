"""Each hook of receivables, the settling of money, and the reports."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from newel import defaults
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput
from newel.domain.facts import Facts
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.registry import Registry
from newel_invoicing import hooks as invoicing
from newel_receivables import hooks
from newel_receivables.settle import settle
from newel_sales import hooks as sales
from newel_sdk.testing import TODAY, ask, party, running

D = Decimal
MODULES = {"receivables": hooks, "invoicing": invoicing, "sales": sales}


async def invoice(app: Newel, context: Context, customer: int, amount: str, day: date = TODAY, **header: str) -> Document:
    """A posted invoice by hand."""
    line = LineInput(kind="charge", text="Advice", price=D(amount))
    entered = DocumentInput(party=customer, date=day, date_due=day + timedelta(days=10), lines=(line,), **header)
    return (await app.documents.create("invoicing.invoice", entered, context, then=("post",))).document


def test_hook_register_plugin() -> None:
    registry = Registry([defaults.register_plugin(), hooks.register_plugin()])
    assert {kind.role for kind in registry.documents.values()} == {"payment"}
    assert [kind.posting.side for kind in registry.documents.values() if kind.posting] == ["debit", "credit"]


async def test_hook_load_facts_and_hook_propose_panels_on_a_sale(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        customer = await party(app, context, "ACME")
        await invoice(app, context, customer, "100")
        await invoice(app, context, customer, "40", TODAY.replace(day=1))
        order = (await app.documents.create("sales.order", DocumentInput(party=customer), context)).document
        async with app.database.read() as session:
            found = await ask(hooks.load_facts, order, session, context)
            assert session.statements == 1
        (panel,) = hooks.propose_panels(order, Facts([found]), context)
        assert panel.rows == (("Owes", "140.00 EUR"), ("Overdue", "40.00 EUR"))


def test_hook_propose_panels_is_silent_elsewhere() -> None:
    assert hooks.propose_panels(Document(id=1, kind="x.y", role="delivery", state="draft", date=TODAY), Facts(), _context()) == []


def _context() -> Context:
    from datetime import UTC, datetime

    from newel.domain.context import Company, User

    company = Company(id=1, code="C", name="C", currency="EUR")
    return Context(user=User(id=1, login="u"), company=company, now=datetime(2026, 1, 15, tzinfo=UTC), today=TODAY)


async def test_hook_check_document_refuses_what_is_not_the_customers(sqlite_url: str) -> None:
    async with running(sqlite_url, MODULES) as (app, context):
        customer, other = await party(app, context, "ACME"), await party(app, context, "OTHER")
        await invoice(app, context, customer, "100")
        async with app.database.read() as session:
            item = await session.value("SELECT id FROM open_item")
        line = LineInput(kind="payment", price=D(100), settles=item)
        with pytest.raises(Refused, match=r"receivables\.party"):
            await app.documents.create("receivables.payment", DocumentInput(party=other, lines=(line,)), context)


async def test_money_by_another_means(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        customer = await party(app, context, "ACME")
        await app.records.save("receivables.means", None, {"code": "CASH", "name": "Cash", "account_role": "cash"}, context)
        await invoice(app, context, customer, "100")
        paid = await settle(app, customer, D(100), "CASH", context, key="till-1")
        assert {p.role: p.debit - p.credit for p in paid.entries[0].postings} == {"cash": D(100), "receivable": D(-100)}
        with pytest.raises(Refused, match="means of payment"):
            await settle(app, customer, D(1), "SHELLS", context)
        with pytest.raises(Refused, match=r"receivables\.amount"):
            await settle(app, customer, D(0), "", context)
        with pytest.raises(Refused, match="party"):
            await settle(app, "NOBODY", D(1), "", context)


async def test_an_exchange_difference_goes_to_its_account(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        customer = await party(app, context, "ACME", currency="USD")
        for rate, day in (("0.9", TODAY), ("0.8", TODAY + timedelta(days=5))):
            await app.records.save("newel.currency_rate", None, {"currency": "USD", "rate": rate, "date_from": day}, context)
        bill = await invoice(app, context, customer, "100")
        later = app.system(context.company, TODAY + timedelta(days=6))
        paid = await settle(app, customer, D(100), "", later)
        assert {p.role: p.debit - p.credit for p in paid.entries[0].postings} == {"bank": D(80), "exchange": D(10), "receivable": D(-90)}
        assert (await app.documents.get(bill.id, context)).state == "paid"


async def test_reports_as_of_a_day(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        customer = await party(app, context, "ACME")
        await invoice(app, context, customer, "100", date(2026, 1, 1))
        await invoice(app, context, customer, "50", date(2026, 1, 14))
        await settle(app, customer, D(120), "", context)
        reports = app.registry.reports
        async with app.database.read() as session:
            ask = {name: reports[f"receivables.{name}"].load for name in ("open_items", "ageing", "statement")}
            assert [row["open"] for row in await ask["open_items"](session, {"date": date(2026, 1, 14)}, context)] == [D(100), D(50)]
            assert [(row["open"], row["days"]) for row in await ask["open_items"](session, {}, context)] == [(D(30), 0)]
            (aged,) = await ask["ageing"](session, {"date": date(2026, 1, 14), "party": customer}, context)
            assert (aged["days_30"], aged["not_due"], aged["total"]) == (D(100), D(50), D(150))
            period = {"party": customer, "date_from": date(2026, 1, 10), "date_to": TODAY}
            rows = await ask["statement"](session, period, context)
            assert [(row["amount"], row["balance"]) for row in rows] == [(D(0), D(100)), (D(50), D(150)), (D(-120), D(30))]
