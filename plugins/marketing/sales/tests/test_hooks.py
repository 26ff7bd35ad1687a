"""Each hook of sales once, as the kernel calls it."""

from decimal import Decimal

import pytest
from newel import defaults
from newel.domain.document import DocumentInput, LineInput
from newel.services.registry import Registry
from newel.store.session import Session
from newel_sales import hooks
from newel_sdk.testing import TODAY, ask, item, party, running

ALONE = {"sales": hooks}


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    registry = Registry([defaults.register_plugin(), manifest])
    assert list(registry.documents) == ["sales.lead", "sales.quotation", "sales.order"]
    quotation = registry.kind("sales.quotation")
    assert all(state.phase != "open" for state in quotation.states), "an offer can't be delivered (DOC-09)"
    assert [flow.target_kind for flow in registry.flows_from(registry.kind("sales.lead"))] == ["sales.quotation", "sales.order"]


async def test_hook_load_facts_reads_nothing_where_nobody_is_named(sqlite_url: str) -> None:
    async with running(sqlite_url, ALONE) as (app, context):
        await app.records.save("sales.representative", None, {"code": "ANNA", "name": "Anna"}, context)
        customer = await party(app, context, "ACME")
        plain = (await app.documents.create("sales.order", DocumentInput(party=customer), context)).document
        async with app.database.read() as session:
            assert await hooks.load_facts(plain, session, context) is None
            assert session.statements == 0
        data = {"sales": {"representatives": [{"representative": "ANNA", "percent": "100"}]}}
        named = (await app.documents.create("sales.order", DocumentInput(party=customer, data=data), context)).document
        async with app.database.read() as session:
            assert (await hooks.load_facts(named, session, context)).representatives == {"ANNA": "Anna"}


async def test_hook_check_document_blocks_wrong_shares(sqlite_url: str) -> None:
    async with running(sqlite_url, ALONE) as (app, context):
        data = {"sales": {"representatives": [{"representative": "ANNA", "percent": "90"}]}}
        outcome = await app.documents.preview("sales.order", DocumentInput(data=data), context)
        assert {p.code for p in outcome.problems} == {"sales.representative", "sales.shares"}


@pytest.mark.capability("DOC-11", "DOC-12")
async def test_a_header_holds_representatives_classes_and_remarks(database_url: str) -> None:
    """Any number of representatives with their shares, several class codes, terms, a currency, remarks of any length."""
    async with running(database_url, ALONE) as (app, context):
        for code in ("A", "B", "C"):
            await app.records.save("sales.representative", None, {"code": code, "name": code}, context)
            await app.records.save("sales.class", None, {"code": code, "name": code}, context)
        await app.records.save("newel.currency_rate", None, {"currency": "USD", "rate": "0.9", "date_from": TODAY}, context)
        shares = [{"representative": code, "percent": percent} for code, percent in (("A", "33.34"), ("B", "33.33"), ("C", "33.33"))]
        data = {"sales": {"representatives": shares, "classes": ["A", "C"]}}
        customer, remarks = await party(app, context, "ACME"), "Please ring twice. " * 1000
        entered = DocumentInput(party=customer, currency="USD", terms="NET30", text=remarks, data=data)
        made = (await app.documents.create("sales.order", entered, context)).document
        stored = await app.documents.get(made.id, context)
        assert [(s.representative, s.percent) for s in stored.data["sales"].representatives] == [
            ("A", Decimal("33.34")),
            ("B", Decimal("33.33")),
            ("C", Decimal("33.33")),
        ]
        assert (stored.data["sales"].classes, stored.currency, stored.terms, stored.text) == (("A", "C"), "USD", "NET30", remarks)


async def test_hook_propose_panels(sqlite_url: str) -> None:
    async with running(sqlite_url, ALONE) as (app, context):
        bolt = await item(app, context, "BOLT", price=1)
        entered = DocumentInput(party=await party(app, context, "ACME"), lines=(LineInput(item=bolt, quantity=Decimal(3)),))
        quotation = (await app.documents.create("sales.quotation", entered, context, then=("send",))).document
        await app.documents.follow(quotation.id, "order", context)
        async with app.database.read() as session:
            panels = await _panels(session, app, context, quotation.id)
        assert panels["Progress"] == (("Ordered", "0/3 (+3)"),)
        assert panels["Sales"] == (("Valid until", TODAY.replace(month=2, day=14).isoformat()),)


async def _panels(session: Session, app: object, context: object, document: int) -> dict[str, tuple[tuple[str, str], ...]]:
    from newel.domain.facts import Facts

    stored = await app.documents.get(document, context)
    return {panel.title: panel.rows for panel in ask(hooks.propose_panels, stored, Facts(), context)}
