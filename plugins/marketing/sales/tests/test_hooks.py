"""Each hook of sales once, as the kernel calls it."""

from decimal import Decimal

from newel import defaults
from newel.domain.document import DocumentInput, LineInput
from newel.services.registry import Registry
from newel.store.session import Session
from newel_sales import hooks
from newel_sdk.testing import TODAY, item, party, running

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


async def test_hook_propose_panels(sqlite_url: str) -> None:
    async with running(sqlite_url, ALONE) as (app, context):
        bolt = await item(app, context, "BOLT", price=1)
        entered = DocumentInput(party=await party(app, context, "ACME"), lines=(LineInput(item=bolt, quantity=Decimal(3)),))
        quotation = (await app.documents.create("sales.quotation", entered, context, then=("send",))).document
        await app.documents.follow(quotation.id, "order", context)
        async with app.database.read() as session:
            panels = await _panels(session, app, context, quotation.id)
        assert panels["Progress"] == (("Ordered", "0 of 3, 3 planned"),)
        assert panels["Sales"] == (("Valid until", TODAY.replace(month=2, day=14).isoformat()),)


async def _panels(session: Session, app: object, context: object, document: int) -> dict[str, tuple[tuple[str, str], ...]]:
    from newel.domain.facts import Facts

    stored = await app.documents.get(document, context)
    return {panel.title: panel.rows for panel in hooks.propose_panels(stored, Facts(), context)}
