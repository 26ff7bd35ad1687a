"""The configurator at work: chosen, priced, ordered, delivered, billed, kept and used again, on both databases."""

import asyncio
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.services.pages import panels
from newel.services.verify import verify
from newel_configurator import hooks
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_pricelists import hooks as pricelists
from newel_sales import hooks as sales
from newel_sdk.testing import ask, item, party, running
from newel_shipping import hooks as shipping

D = Decimal
OTHERS = {"sales": sales, "inventory": inventory, "shipping": shipping, "invoicing": invoicing, "pricelists": pricelists}
MODULES = {"configurator": hooks, **OTHERS}
BIG = {"MOTOR": "M2", "EXTRA": {"LAMP": "2"}}


async def shop(app: Newel, context: Context) -> dict[str, int]:
    """A mixer of 1,000 with two motors, two colours and extras; twenty of each part. Returns ids of options by item number."""
    await party(app, context, "ACME", terms="NET30")
    for code, category, rate in (("FULL", "standard", "20"), ("LOW", "reduced", "5")):
        await app.records.save("newel.tax_rate", None, {"code": code, "name": code, "category": category, "rate": rate}, context)
    await item(app, context, "MIXER", price="1000")
    for number, price, category in (
        ("M1", 300, "standard"),
        ("M2", 500, "standard"),
        ("RED", 10, "reduced"),
        ("BLUE", 10, "reduced"),
        ("LAMP", 20, "standard"),
    ):
        await item(app, context, number, price=price, cost="4", tax_category=category)
    await item(app, context, "HOOK", price="7", cost="4")
    lines = tuple(LineInput(item=n, quantity=D(20), price=D(4)) for n in ("M1", "M2", "RED", "BLUE", "LAMP", "HOOK"))
    await app.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))
    save = app.records.save
    model = await save("configurator.model", None, {"item": "MIXER"}, context)
    out = {}
    for code, values, options in (
        ("MOTOR", {"required": True}, {"M1": {"preset": True}, "M2": {"surcharge": "200"}}),
        ("COLOUR", {}, {"RED": {"surcharge": "49.99"}, "BLUE": {}}),
        ("EXTRA", {"several": True}, {"LAMP": {"surcharge": "15", "quantity_max": "3"}, "HOOK": {"price_mode": "item"}}),
    ):
        feature = await save("configurator.feature", None, {"model": model, "code": code, "name": code.capitalize(), **values}, context)
        for number, more in options.items():
            out[number] = await save("configurator.option", None, {"feature": feature, "item": number, **more}, context)
    for kind, one, other, reason in (("requires", "M2", "LAMP", "it is dark in there"), ("excludes", "RED", "HOOK", "the paint is soft")):
        await save("configurator.rule", None, {"model": model, "kind": kind, "option": out[one], "other": out[other], "reason": reason}, context)
    await save("configurator.rule", None, {"model": model, "kind": "default", "option": out["M2"], "other": out["BLUE"]}, context)
    return out


def mixer(choices: Any = None, configuration: str = "", **values: Any) -> LineInput:
    data = {"choices": choices or {}, "configuration": configuration}
    return LineInput(item="MIXER", data={"configurator": data}, **values)


def order(*lines: LineInput, **header: Any) -> DocumentInput:
    return DocumentInput(party="ACME", lines=lines, **header)


async def sell(app: Newel, context: Context, *lines: LineInput, then: tuple[str, ...] = ("confirm",)) -> Document:
    return (await app.documents.create("sales.order", order(*lines), context, then=then)).document


async def kept(app: Newel, context: Context) -> list[str]:
    return [r["number"] for r in (await app.records.page("configurator.configuration", context)).rows]


def shown(document: Document) -> list[tuple[str, Decimal, Decimal]]:
    return [(x.item.number if x.item else "", x.quantity, x.net) for x in document.lines]


def codes(refused: pytest.ExceptionInfo[Refused]) -> set[str]:
    return {p.code for p in refused.value.problems}


async def boxes(app: Newel, context: Context, document: Document) -> list[Any]:
    async with app.database.read() as session:
        return [panel for plugin, panel in await panels(app, session, document, context) if plugin == "configurator"]


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert [x.name.split(".")[1] for x in manifest.records] == ["model", "feature", "option", "rule", "configuration"]


async def test_hook_load_facts_only_for_documents_with_a_configuration(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        plain, made = await sell(app, context, LineInput(item="LAMP")), await sell(app, context, mixer())
        async with app.database.read() as session:
            assert await ask(hooks.load_facts, plain, session, context) is None
            assert session.statements == 1, "the versions of all facts, which the kernel asks for anyway"
            found = await ask(hooks.load_facts, made, session, context)
            assert session.statements == 2 and found.parts == {made.lines[0].id: (made.lines[1].id,)}


@pytest.mark.capability("CFG-01", "CFG-03")
async def test_hook_propose_lines_and_propose_adjustments(database_url: str) -> None:
    """Features with options that are part numbers, chosen on the line of an order: each option is a step of the price and a part that moves."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        made = await sell(app, context, mixer(BIG, quantity=D(2)), LineInput(item="LAMP"))
        assert [x[:2] for x in shown(made)] == [("MIXER", D(2)), ("M2", D(2)), ("BLUE", D(2)), ("LAMP", D(4)), ("LAMP", D(1))]
        top, *below, lamp = made.lines
        assert [(s.stage, s.plugin, s.rule, s.amount_out) for s in top.steps] == [
            ("base", "newel", "list price", D(2000)), ("line", "configurator", "MOTOR M2", D(2400)), ("line", "configurator", "EXTRA LAMP", D(2460)),
            ("document", "configurator", "share", D(0)),
        ]  # fmt: skip
        assert top.steps[2].reason == "Extra: 2 LAMP at 15"
        assert sum(x.net for x in below) == D(2460) and made.net == D(2480) and lamp.net == D(20)
        assert [x.taxes[0].code for x in below] == ["FULL", "LOW", "FULL"]
        sent = await app.documents.follow(made.id, "deliver", context, then=("ship",))
        assert sorted(m.quantity for m in sent.moves) == [D(1), D(2), D(2), D(4)], "the parts move, the configured line does not"
        bill = (await app.documents.follow(sent.document.id, "invoice_delivery", context, then=("post",))).document
        assert bill.net == made.net and (await app.documents.get(made.id, context)).state == "done" and await verify(app) == []


async def test_hook_propose_adjustments_discounts_and_prices_by_hand(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        cut = await sell(app, context, mixer({"COLOUR": "BLUE", "EXTRA": {"LAMP": "1", "HOOK": "1"}}, discount=D(10)))
        assert cut.net == D("919.80") and cut.lines[-1].steps[-1].reason == "10 % of the configured line"
        by_hand = await sell(app, context, mixer({"COLOUR": "RED", "EXTRA": "LAMP"}, price=D("99.99")))
        assert by_hand.net == D("99.99") and by_hand.lines[0].net == 0


async def test_hook_decide_price_of_the_customer(database_url: str) -> None:
    """The item and options with a price of their own have the customer's price; surcharges are what they are."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        made = await app.records.save("pricelists.list", None, {"code": "OWN", "name": "Own", "currency": "EUR"}, context)
        await app.records.save("pricelists.line", None, {"price_list": made, "percent": "90"}, context)
        await app.records.save("pricelists.assignment", None, {"price_list": made, "party": "ACME"}, context)
        sold = await sell(app, context, mixer({"EXTRA": ["HOOK", "LAMP"]}))
        assert sold.net == D(900) + D(15) + D("6.30")
        sent = await app.documents.create("shipping.delivery", order(mixer({"EXTRA": ["HOOK", "LAMP"]})), context, then=("ship",))
        bill = (await app.documents.follow(sent.document.id, "invoice_delivery", context, then=("post",))).document
        assert bill.net == sold.net, "a delivery by hand is billed at the price of the configuration"


async def test_hook_check_document(database_url: str) -> None:
    """What can't be chosen together is said while choosing, with the reason, and never gets into an order."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        for choices, code, words in (
            ({"MOTOR": "M2"}, "requires", "MOTOR M2 requires EXTRA LAMP: it is dark in there"),
            ({"COLOUR": "RED", "EXTRA": "HOOK"}, "excludes", "COLOUR RED excludes EXTRA HOOK: the paint is soft"),
            ({"MOTOR": []}, "required", "Motor of MIXER must be chosen"),
            ({"COLOUR": "GREEN"}, "option", "COLOUR has no option 'GREEN'"),
        ):
            outcome = await app.documents.preview("sales.order", order(mixer(choices)), context)
            assert [(p.code, p.message) for p in outcome.problems if p.plugin == "configurator"] == [(f"configurator.{code}", words)]
            with pytest.raises(Refused) as refused:
                await sell(app, context, mixer(choices))
            assert codes(refused) == {f"configurator.{code}"}
        with pytest.raises(Refused) as refused:
            await sell(app, context, mixer(configuration="CF-NONE"), msgspec.structs.replace(mixer({"A": "B"}), item="LAMP"))
        assert codes(refused) == {"configurator.configuration", "configurator.item"}


@pytest.mark.capability("CFG-02", "CFG-04")
async def test_hook_propose_documents_and_propose_panels(database_url: str) -> None:
    """Made before any order, kept once under a number that follows from its content, found again, and used again."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        draft = (await app.documents.create("configurator.draft", DocumentInput(lines=(mixer(BIG),)), context)).document
        assert draft.net == D(1230) and await kept(app, context) == []
        assert (await boxes(app, context, draft))[0].rows[0][1].endswith(", new")
        await app.documents.act(draft.id, "keep", context)
        (number,) = await kept(app, context)

        # The same choices in another order and form, on an order: the same number, and no second record.
        turned = await sell(app, context, mixer({"EXTRA": {"LAMP": "2.0"}, "COLOUR": ["BLUE"], "MOTOR": "M2"}), mixer(BIG))
        assert await kept(app, context) == [number]
        (first, *_) = await boxes(app, context, turned)
        assert (first.line, first.rows) == (turned.lines[0].id, (("Number", number),))
        assert [(e.label, e.value) for e in first.entries[:3]] == [("Motor", "M2"), ("Colour", "BLUE"), ("Extra", {"LAMP": D(2)})]

        # By number, and as a start for another one.
        again = await sell(app, context, mixer(configuration=number))
        assert shown(again) == shown(turned)[:4]
        more = await sell(app, context, mixer({"EXTRA": {"LAMP": "3"}}, configuration=number), then=())
        assert more.net == D(1245) and await kept(app, context) == [number]
        await app.documents.act(more.id, "confirm", context)
        assert len(await kept(app, context)) == 2


async def test_the_same_choices_at_once_are_kept_once(database_url: str) -> None:
    """Ten orders with a configuration that nobody had before: one number, one record."""
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        drafts = [(await sell(app, context, mixer(BIG), then=())).id for _ in range(10)]
        await asyncio.gather(*(app.documents.act(id, "confirm", context) for id in drafts))
        assert len(await kept(app, context)) == 1
        assert await verify(app) == []


async def test_hook_propose_panels_says_nothing_elsewhere(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        assert await boxes(app, context, await sell(app, context, LineInput(item="LAMP"))) == []


async def test_the_item_itself_may_be_a_part(database_url: str) -> None:
    async with running(database_url, MODULES) as (app, context):
        await shop(app, context)
        (model,) = (await app.records.page("configurator.model", context)).rows
        await app.records.save("configurator.model", model["id"], {"base": True}, context)
        line = LineInput(item="MIXER", quantity=D(5), price=D(4))
        await app.documents.create("inventory.receipt", order(line), context, then=("receive",))
        made = await sell(app, context, mixer({"COLOUR": "RED"}))
        assert [x[0] for x in shown(made)] == ["MIXER", "MIXER", "M1", "RED"] and made.net == D("1049.99")
        sent = await app.documents.follow(made.id, "deliver", context, lines=[LinkInput(line=made.lines[1].id)], then=("ship",))
        assert [m.quantity for m in sent.moves] == [D(1)]


async def test_a_quotation_becomes_an_order_with_the_same_parts(database_url: str) -> None:
    """Also where the definitions have changed; other choices need a new line, and that is said."""
    async with running(database_url, MODULES) as (app, context):
        options = await shop(app, context)
        quoted = (await app.documents.create("sales.quotation", order(mixer(BIG)), context, then=("send",))).document
        (number,) = await kept(app, context)
        await app.records.save("configurator.option", options["LAMP"], {"surcharge": "999"}, context)
        made = (await app.documents.follow(quoted.id, "order", context, then=("confirm",))).document
        assert shown(made) == shown(quoted) and await kept(app, context) == [number]
        draft = await app.documents.copy(quoted.id, context)
        assert draft.document.net == D(1000 + 200 + 2 * 999)
        other = (await app.documents.create("sales.quotation", order(mixer(BIG)), context, then=("send",))).document
        next_one = (await app.documents.follow(other.id, "order", context)).document
        lines = as_input(next_one).lines
        changed = msgspec.structs.replace(lines[0], data={"configurator": {"choices": {"MOTOR": "M1"}}})
        entered = msgspec.structs.replace(as_input(next_one), lines=(changed, *lines[1:]))
        outcome = await app.documents.update(next_one.id, next_one.version, entered, context)
        assert [p.code for p in outcome.problems if p.plugin == "configurator"] == ["configurator.changed"]


DUMP = (
    "document", "document_line", "line_schedule", "line_link", "price_step", "tax_line", "stock_move", "stock_balance", "stock_reservation",
    "journal_entry", "posting", "open_item", "document_hold", "document_event",
)  # fmt: skip


async def plain_story(url: str, modules: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Everything that is stored of an order in which nothing is configured, delivered and billed."""
    async with running(url, modules) as (app, context):
        await party(app, context, "ACME")
        await item(app, context, "PEN", price="30", cost="4")
        line = LineInput(item="PEN", quantity=D(3), price=D(4))
        await app.documents.create("inventory.receipt", DocumentInput(lines=(line,)), context, then=("receive",))
        made = await sell(app, context, LineInput(item="PEN", quantity=D(5), discount=D(3)), LineInput(kind="charge", text="Care", price=D("0.99")))
        part = [LinkInput(line=made.lines[0].id, quantity=D(2))]
        sent = (await app.documents.follow(made.id, "deliver", context, lines=part, then=("ship",))).document
        await app.documents.follow(sent.id, "invoice_delivery", context, then=("post",))
        async with app.database.read() as session:
            return {table: [dict(r) for r in await session.fetch(f"SELECT * FROM {table} ORDER BY id")] for table in DUMP}


async def test_installed_and_not_used_it_changes_no_row(tmp_path: Any) -> None:
    """Part 4, item 10: with and without the plugin, the same rows to the last column."""
    without = await plain_story(f"sqlite:///{tmp_path}/without.db", OTHERS)
    found = await plain_story(f"sqlite:///{tmp_path}/with.db", MODULES)
    later = found["document"][0]["id"] - without["document"][0]["id"]  # the plugin's own permissions have taken some ids before
    for table, rows in without.items():
        assert len(found[table]) == len(rows)
        for row, other in zip(rows, found[table], strict=True):
            for column in row.keys() - {"hash", "previous"}:  # of a chain with other ids in it
                assert other[column] in (row[column], row[column] + later if isinstance(row[column], int) else None), (table, column)


async def test_a_kit_may_be_chosen_beside_a_configuration(database_url: str) -> None:
    """With everything that is installed, in one order."""
    async with running(database_url) as (app, context):
        await shop(app, context)
        made = await sell(app, context, mixer(BIG), LineInput(item="LAMP"))
        sent = await app.documents.follow(made.id, "deliver", context, then=("ship",))
        await app.documents.follow(sent.document.id, "invoice_delivery", context, then=("post",))
        assert (await app.documents.get(made.id, context)).state == "done" and made.net == D(1250) and await verify(app) == []
