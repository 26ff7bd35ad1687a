"""Each hook of invoicing, and what it brings without any other plugin."""

from decimal import Decimal

import pytest
from newel import defaults
from newel.domain.document import DocumentInput, LineInput
from newel.errors import Refused
from newel.services.registry import Registry
from newel_invoicing import hooks
from newel_sdk.testing import item, party, running

D = Decimal
ALONE = {"invoicing": hooks}


def test_hook_register_plugin_bills_whatever_is_sold_or_delivered() -> None:
    registry = Registry([defaults.register_plugin(), hooks.register_plugin()])
    assert set(registry.documents) == {"invoicing.invoice", "invoicing.credit_note"}
    assert {flow.source_role for flow in hooks.FLOWS} == {"sale", "delivery", ""}
    assert registry.kind("invoicing.credit_note").sign == -1


async def test_hook_check_document_refuses_an_invoice_below_zero(sqlite_url: str) -> None:
    async with running(sqlite_url, ALONE) as (app, context):
        lines = (LineInput(kind="charge", text="Too much", price=D(-5)),)
        entered = DocumentInput(party=await party(app, context, "ACME"), lines=lines)
        with pytest.raises(Refused, match=r"invoicing\.negative"):
            await app.documents.create("invoicing.invoice", entered, context, then=("post",))


async def test_numbers_have_no_gaps_and_posted_invoices_are_locked(database_url: str) -> None:
    """A draft has no number and leaves none behind."""
    async with running(database_url, ALONE) as (app, context):
        bolt = await item(app, context, "BOLT", price=10)
        entered = DocumentInput(party=await party(app, context, "ACME"), lines=(LineInput(item=bolt),))
        drafts = [(await app.documents.create("invoicing.invoice", entered, context)).document for _ in range(3)]
        assert [draft.number for draft in drafts] == ["", "", ""]
        await app.documents.act(drafts[0].id, "cancel", context)
        posted = [(await app.documents.act(draft.id, "post", context)).document for draft in reversed(drafts[1:])]
        assert [document.number for document in posted] == ["INV2026-00001", "INV2026-00002"]
        with pytest.raises(Refused, match=r"document\.locked"):
            await app.documents.update(posted[0].id, posted[0].version, entered, context)


async def test_a_credit_note_takes_back_no_more_than_was_billed(database_url: str) -> None:
    async with running(database_url, ALONE) as (app, context):
        bolt = await item(app, context, "BOLT", price=10)
        entered = DocumentInput(party=await party(app, context, "ACME"), lines=(LineInput(item=bolt, quantity=D(3), discount=D(10)),))
        invoice = (await app.documents.create("invoicing.invoice", entered, context, then=("post",))).document
        note = await app.documents.follow(invoice.id, "credit", context, then=("post",))
        assert (note.document.net, note.document.number) == (D(27), "CN2026-00001")
        assert {p.role: p.debit - p.credit for p in note.entries[0].postings} == {"receivable": D(-27), "revenue": D(27)}
        with pytest.raises(Refused, match=r"flow\.nothing"):
            await app.documents.follow(invoice.id, "credit", context)


async def test_invoices_are_filtered(sqlite_url: str) -> None:
    async with running(sqlite_url, ALONE) as (app, context):
        bolt = await item(app, context, "BOLT", price=10)
        entered = DocumentInput(party=await party(app, context, "ACME"), reference="PO 1", lines=(LineInput(item=bolt),))
        await app.documents.create("invoicing.invoice", entered, context)
        await app.documents.create("invoicing.invoice", entered, context, then=("post",))
        load = app.registry.reports["invoicing.invoices"].load
        async with app.database.read() as session:
            for parameters, count in (
                ({}, 2),
                ({"state": "draft"}, 1),
                ({"state": "posted", "reference": "PO 1", "date_to": context.today}, 1),
                ({"amount_from": D(11)}, 0),
                ({"state": "overdue"}, 0),
            ):
                assert len(await load(session, parameters, context)) == count
            with pytest.raises(Refused, match=r"invoicing\.state"):
                await load(session, {"state": "nonsense"}, context)
