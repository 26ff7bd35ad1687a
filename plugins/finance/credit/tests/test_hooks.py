"""Each hook of credit at work with the plugins that sell, ship, invoice and take money; on both databases where it reads or writes."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context, User
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.domain.facts import Facts
from newel.errors import Refused
from newel.services import pages
from newel.services.app import Newel
from newel.services.outcome import Outcome
from newel.services.verify import verify
from newel.store.columns import AMOUNT, unscaled
from newel.store.master import load_master
from newel_credit import hooks
from newel_credit.decide import decide
from newel_credit.routes import DecisionIn, decision
from newel_credit.rules import CreditSettings, Standing
from newel_inventory import hooks as inventory
from newel_invoicing import hooks as invoicing
from newel_receivables import hooks as receivables
from newel_receivables.settle import settle
from newel_sales import hooks as sales
from newel_sdk.testing import ask, item, party, running, stock
from newel_shipping import hooks as shipping

D = Decimal
MODULES = {
    "credit": hooks, "sales": sales, "inventory": inventory, "shipping": shipping, "invoicing": invoicing, "receivables": receivables,
}  # fmt: skip


class Shop:
    """A company with 1000 bolts at 10, a customer, and what the tests ask."""

    def __init__(self, app: Newel, context: Context, customer: int) -> None:
        self.app, self.context, self.customer, self.do = app, context, customer, app.documents

    def under(self, **settings: Any) -> Context:
        """The context with other settings of credit."""
        return msgspec.structs.replace(self.context, settings={**self.context.settings, "credit": CreditSettings(**settings)})

    async def limit(self, amount: Any, currency: str = "EUR", **values: Any) -> int:
        """The customer's own limit."""
        return await self.app.records.save("credit.limit", None, {"party": self.customer, "amount": amount, "currency": currency, **values}, self.context)

    async def order(self, quantity: int, *then: str, context: Context | None = None, **header: Any) -> Outcome:
        """An order of bolts at 10."""
        entered = DocumentInput(party=self.customer, lines=(LineInput(item="BOLT", quantity=D(quantity), price=header.pop("price", D(10))),), **header)
        return await self.do.create("sales.order", entered, context or self.context, then=then or ("confirm",))

    async def refused(self, *codes: str, work: Any) -> Refused:
        """The work is refused for these reasons."""
        with pytest.raises(Refused) as refused:
            await work
        assert [p.code for p in refused.value.problems if p.severity in ("block", "override")] == list(codes), str(refused.value)
        return refused.value

    async def exposure(self) -> dict[str, Decimal]:
        """The kernel's report, summed up by stage."""
        async with self.app.database.read() as session:
            rows = await self.app.registry.reports["newel.exposure"].load(session, {"party": self.customer}, self.context)
        out: dict[str, Decimal] = {}
        for row in rows:
            out[row["stage"]] = out.get(row["stage"], D(0)) + row["home"]
        return out

    async def over(self, **parameters: Any) -> list[dict[str, Any]]:
        """The report of customers over their limit."""
        async with self.app.database.read() as session:
            return await self.app.registry.reports["credit.over"].load(session, parameters, self.context)

    async def panel(self, document: Document) -> dict[str, str]:
        """The box on the document's page."""
        async with self.app.database.read() as session:
            found = await pages.panels(self.app, session, document, self.context)
        rows = next((p.rows for plugin, p in found if plugin == "credit"), ())
        return {label: x if isinstance(x, str) else f"{x.value:.2f} {x.unit}" for label, x in rows}

    async def history(self, document: int) -> list[dict[str, Any]]:
        """What the document's history says of credit."""
        async with self.app.database.read() as session:
            return next((e.changes for e in await pages.events(session, document) if e.action == "credit"), [])


@asynccontextmanager
async def shop(url: str, **values: Any) -> AsyncIterator[Shop]:
    async with running(url, MODULES) as (app, context):
        await item(app, context, "BOLT", price=10, cost=4)
        await stock(app, context, "BOLT", 1000, 4000)
        yield Shop(app, context, await party(app, context, "ACME", terms="NET30", **values))
        assert await verify(app) == []


def test_hook_register_plugin_and_the_kernel_s_check_rests() -> None:
    manifest = hooks.register_plugin()
    assert (manifest.takes_over, [r.name for r in manifest.records]) == (("credit",), ["credit.limit"])
    assert [r.name for r in manifest.reports] == ["credit.over", "credit.figures"]


@pytest.mark.capability("CRD-01")
async def test_hook_check_document_own_limit_for_each_company(database_url: str) -> None:
    """The record counts, in its company only; where there is none, the limit on the customer's page."""
    async with shop(database_url, limit_amount="50") as here:
        await here.refused("credit.limit", work=here.order(6))
        await here.limit(100)
        await here.order(10)
        refused = await here.refused("credit.limit", work=here.order(1))
        assert refused.problems[0].message == "limit 100, this document 10, already 100 (open orders 100) EUR"
        from newel.services.setup import set_up_company

        other = await set_up_company(here.app, code="OTHER", name="Other", currency="EUR", country="DE", first_year=2026)
        async with here.app.database.read() as session:
            there = await here.app.context(session, here.context.user, other.id)
        await here.refused("credit.limit", work=here.order(6, context=there))
        await here.order(5, context=there)


@pytest.mark.capability("CRD-02")
async def test_every_stage_is_checked_before_it_goes_through(database_url: str) -> None:
    """Order, delivery note and invoice: an excess stops each of them, and nothing has changed."""
    async with shop(database_url) as here:
        await here.limit(100)
        strict = here.under(order="block", delivery="block", invoice="block")
        order = (await here.order(10, context=strict)).document
        await here.refused("credit.limit", work=here.order(1, context=strict))
        own = (await here.app.records.page("credit.limit", here.context)).rows[0]["id"]
        await here.app.records.save("credit.limit", own, {"amount": "90"}, here.context)
        await here.refused("credit.limit", work=here.do.follow(order.id, "deliver", strict, then=("ship",)))
        part = [LinkInput(line=order.lines[0].id, quantity=D(9))]
        delivery = (await here.do.follow(order.id, "deliver", strict, lines=part, then=("ship",))).document
        await here.app.records.save("credit.limit", own, {"amount": "80"}, here.context)
        await here.refused("credit.limit", work=here.do.follow(delivery.id, "invoice_delivery", strict, then=("post",)))
        await here.app.records.save("credit.limit", own, {"amount": "90"}, here.context)
        await here.do.follow(delivery.id, "invoice_delivery", strict, then=("post",))
        assert await here.exposure() == {"open orders": D(10), "open items": D(90)}


async def test_hook_propose_exposure_counts_nothing_twice(database_url: str) -> None:
    """From the order to the money each amount is in one stage; the sum only changes when something is sold, paid or given up."""
    async with shop(database_url) as here:
        await here.limit(1000)
        order = (await here.order(10)).document
        assert await here.exposure() == {"open orders": D(100)}
        delivery = (await here.do.follow(order.id, "deliver", here.context, lines=[LinkInput(line=order.lines[0].id, quantity=D(4))], then=("ship",))).document
        assert await here.exposure() == {"open orders": D(60), "delivered, not invoiced": D(40)}
        await here.do.follow(delivery.id, "invoice_delivery", here.context, then=("post",))
        assert await here.exposure() == {"open orders": D(60), "open items": D(40)}
        await here.do.follow(order.id, "deliver", here.context, lines=[LinkInput(line=order.lines[0].id, quantity=D(3))], then=("ship",))
        await settle(here.app, here.customer, D(40), "", here.context)
        assert await here.exposure() == {"open orders": D(30), "delivered, not invoiced": D(30)}
        await here.do.act(order.id, "close", here.context)
        assert await here.exposure() == {"delivered, not invoiced": D(30)}


async def test_closing_and_opening_again_is_no_way_round(database_url: str) -> None:
    """Part 4, item 11: the amount counts once, and opening again passes the same check."""
    async with shop(database_url) as here:
        await here.limit(100)
        first = (await here.order(10)).document
        await here.do.act(first.id, "close", here.context)
        second = (await here.order(10)).document
        await here.refused("credit.limit", work=here.do.act(first.id, "reopen", here.context))
        await here.do.act(second.id, "close", here.context)
        await here.do.act(first.id, "reopen", here.context)
        half = [LinkInput(line=first.lines[0].id, quantity=D(5))]
        await here.do.follow(first.id, "deliver", here.context, lines=half, then=("ship",))
        await here.do.follow(first.id, "invoice", here.context, lines=half, then=("post",))
        await here.do.act(first.id, "close", here.context)
        await here.do.act(first.id, "reopen", here.context)  # 50 open item and 50 again, not 100
        assert sum((await here.exposure()).values()) == 100


async def test_long_running_orders_are_entered_freely_and_checked_at_each_delivery(database_url: str) -> None:
    """Part 4, item 12: a setting for each stage."""
    async with shop(database_url) as here:
        await here.limit(100)
        free = here.under(order="off", delivery="block", invoice="off")
        order = (await here.order(500, context=free)).document
        line = order.lines[0].id
        for n in range(2):
            shipped = await here.do.follow(order.id, "deliver", free, lines=[LinkInput(line=line, quantity=D(10))], then=("ship",))
            await here.refused("credit.limit", work=here.do.follow(order.id, "deliver", free, lines=[LinkInput(line=line, quantity=D(1))], then=("ship",)))
            await here.do.follow(shipped.document.id, "invoice_delivery", free, then=("post",))
            await here.refused("credit.limit", work=here.do.follow(order.id, "deliver", free, lines=[LinkInput(line=line, quantity=D(1))], then=("ship",)))
            await settle(here.app, here.customer, D(100), "", here.context, key=f"transfer {n}")


async def test_limits_and_debts_in_several_currencies(database_url: str) -> None:
    """Part 4, item 13: everything is converted by today's rates; the company's own rate, not another one's."""
    async with shop(database_url) as here:
        for rate, since in (("0.50", "2025-12-01"), ("0.80", "2026-01-10")):
            await here.app.records.save("newel.currency_rate", None, {"currency": "USD", "rate": rate, "date_from": since}, here.context)
        await here.limit(200, "USD")  # 160 EUR today
        await here.order(10, currency="USD", rate=D("0.5"))  # 100 USD: 80 EUR today, whatever rate it was made at
        assert await here.exposure() == {"open orders": D(80)}
        await here.refused("credit.limit", work=here.order(9))
        await here.order(8)
        assert await here.over() == []
        (row,) = await here.over(all=True)
        assert (row["used"], row["limit"], row["over"]) == (D(160), D(160), D(0))


async def test_late_payers_are_stopped(database_url: str) -> None:
    async with shop(database_url) as here:
        await here.do.create(
            "invoicing.invoice", DocumentInput(party=here.customer, terms="NET0", date=here.context.today.replace(day=1), lines=(LineInput(item="BOLT"),)),
            here.context, then=("post",),
        )  # fmt: skip
        await here.order(1)
        await here.refused("credit.overdue", work=here.order(1, context=here.under(overdue_days=13)))
        await here.limit(1000, overdue_days=14)
        order = (await here.order(1, context=here.under(overdue_days=13))).document
        shown = await here.panel(order)
        assert (shown["Overdue"], shown["Days late"], shown["Limit"]) == ("10.00 EUR", "14", "1000.00 EUR")


async def test_a_held_order_waits_until_it_is_released(database_url: str) -> None:
    async with shop(database_url) as here:
        await here.limit(50)
        hold = here.under(order="hold")
        order = (await here.order(10, context=hold)).document
        assert (order.state, [h.code for h in order.holds]) == ("confirmed", ["credit.limit"])
        await here.refused("hold", work=here.do.follow(order.id, "deliver", hold))
        await decide(here.app, order.id, hold, release=True, reason="they have paid by telephone")
        await here.do.follow(order.id, "deliver", hold)
        assert [(c["field"], c["new"]) for c in await here.history(order.id)] == [("reason", "they have paid by telephone"), ("released up to", "100.00")]


async def test_a_held_delivery_stays_a_draft_until_it_is_released(database_url: str) -> None:
    async with shop(database_url) as here:
        await here.limit(50)
        hold = here.under(order="off", delivery="hold")
        order = (await here.order(10, context=hold)).document
        await here.refused("hold", "credit.limit", work=here.do.follow(order.id, "deliver", hold, then=("ship",)))
        draft = (await here.do.follow(order.id, "deliver", hold)).document
        await here.refused("hold", "credit.limit", work=here.do.act(draft.id, "ship", hold))
        await decide(here.app, draft.id, hold, release=True)
        assert (await here.do.act(draft.id, "ship", hold)).document.state == "shipped"


@pytest.mark.capability("CRD-03", "CRD-04", "CRD-05", "CRD-06")
async def test_the_user_is_offered_what_can_be_done(database_url: str) -> None:
    """The refusal proposes block, another limit, release; each works, several together, and only for those with the right."""
    async with shop(database_url) as here:
        await here.limit(100)
        strict = here.under(order="block", delivery="off", invoice="off")
        order = (await here.order(15, "cancel", context=strict)).document
        order = (await here.do.copy(order.id, strict)).document
        refused = await here.refused("credit.limit", work=here.do.act(order.id, "confirm", strict))
        assert refused.problems[0].hint == "take payment, or release this one, or set another limit, or block the customer, for new orders or for everything"
        assert "You may" in await here.panel(order)
        clerk = User(id=1, login="clerk", permissions=frozenset({"sales.order.*", "shipping.*", "invoicing.*"}), companies=frozenset({strict.company.id}))
        limited = msgspec.structs.replace(strict, user=msgspec.structs.replace(clerk, permissions=frozenset({"sales.order.confirm", "sales.order.view"})))
        for choice in ({"release": True}, {"limit": D(200)}, {"block": "all"}):
            await here.refused("permission", work=decide(here.app, order.id, limited, **choice))
        await here.refused("credit.nothing", work=decide(here.app, order.id, strict))

        # Option two, the limit, and option three, only new orders: both at once. The order at hand is let go by the limit; nothing else is ordered.
        await decide(here.app, order.id, strict, limit=D(150), reason="good customer")
        confirmed = (await here.do.act(order.id, "confirm", strict)).document
        await decide(here.app, order.id, strict, limit=D(400), block="orders", reason="but no more for now")
        await here.refused("sales.blocked", work=here.order(1, context=strict))
        delivery = (
            await here.do.follow(confirmed.id, "deliver", strict, lines=[LinkInput(line=confirmed.lines[0].id, quantity=D(5))], then=("ship",))
        ).document
        await here.do.follow(delivery.id, "invoice_delivery", strict, then=("post",))
        assert {c["field"]: c["new"] for c in await here.history(order.id)} == {
            "reason": "but no more for now", "credit limit": "400 EUR", "blocked": "orders",
        }  # fmt: skip

        # Option one: the customer as a whole. Deliveries and invoices stop, money and returns do not.
        await decide(here.app, order.id, strict, block="all")
        await here.refused("party.blocked", work=here.do.follow(confirmed.id, "deliver", strict, then=("ship",)))
        await here.refused("party.blocked", work=here.do.follow(confirmed.id, "invoice", strict, then=("post",)))
        await settle(here.app, here.customer, D(50), "", strict)
        await decide(here.app, order.id, strict, block="")
        await here.do.follow(confirmed.id, "deliver", strict, then=("ship",))


async def test_a_release_covers_the_amount_that_was_looked_at(database_url: str) -> None:
    async with shop(database_url) as here:
        await here.limit(50)
        strict = here.under(order="block")
        order = (await here.order(10, "cancel", context=strict)).document
        order = (await here.do.copy(order.id, strict)).document
        await decide(here.app, order.id, strict, release=True)
        bigger = DocumentInput(party=here.customer, lines=(LineInput(id=order.lines[0].id, item="BOLT", quantity=D(11), price=D(10)),))
        changed = (await here.do.update(order.id, order.version, bigger, strict)).document
        await here.refused("credit.limit", work=here.do.act(order.id, "confirm", strict))
        smaller = msgspec.structs.replace(bigger, lines=(msgspec.structs.replace(bigger.lines[0], quantity=D(10)),))
        await here.do.update(order.id, changed.version, smaller, strict)
        assert (await here.do.act(order.id, "confirm", strict)).document.state == "confirmed"
        await here.refused("credit.limit", work=here.do.act((await here.do.copy(order.id, strict)).document.id, "confirm", strict))


@pytest.mark.parametrize("own", [True, False])
async def test_fifty_orders_at_once_never_exceed_the_limit(database_url: str, own: bool) -> None:
    async with shop(database_url, **({} if own else {"limit_amount": "200"})) as here:
        if own:
            await here.limit(200)
        entered = DocumentInput(party=here.customer, lines=(LineInput(item="BOLT", quantity=D(3)),))
        drafts = [(await here.do.create("sales.order", entered, here.context)).document.id for _ in range(50)]
        results = await asyncio.gather(*(here.do.act(id, "confirm", here.context) for id in drafts), return_exceptions=True)
        problems = {p.code for r in results if isinstance(r, Refused) for p in r.problems}
        assert (sum(isinstance(r, Outcome) for r in results), problems) == (6, {"credit.limit"})
        assert sum((await here.exposure()).values()) == 180


async def test_customers_over_their_limit(database_url: str) -> None:
    async with shop(database_url) as here:
        await here.limit(100)
        await here.order(10)
        assert await here.over() == []
        anyway = msgspec.structs.replace(here.context, overrides=frozenset({"credit.limit"}))
        await here.order(2, context=anyway)
        (row,) = await here.over()
        names = [c.name for c in here.app.registry.reports["credit.over"].columns]
        assert (row["name"], row["ordered"], row["used"], row["over"], set(names) <= set(row)) == ("Acme", D(120), D(120), D(20), True)


@pytest.mark.capability("DOC-30")
async def test_hook_propose_panels_service_level_informs_and_changes_nothing(database_url: str) -> None:
    async with shop(database_url, service_level="7") as here:
        plain = await party(here.app, here.context, "PLAIN", terms="NET30")
        order = (await here.order(3)).document
        other = (
            await here.do.create("sales.order", DocumentInput(party=plain, lines=(LineInput(item="BOLT", quantity=D(3)),)), here.context, then=("confirm",))
        ).document
        assert (order.net, order.state, order.holds) == (other.net, other.state, other.holds)
        delivery = (await here.do.follow(order.id, "deliver", here.context, then=("ship",))).document
        invoice = (await here.do.follow(delivery.id, "invoice_delivery", here.context, then=("post",))).document
        returned = (await here.do.follow(delivery.id, "return", here.context)).document
        payment = (await settle(here.app, here.customer, D(30), "", here.context)).document
        shown: Sequence[Document] = (order, delivery, invoice, returned, payment)
        assert [(await here.panel(d)).get("Service level") for d in shown] == ["7"] * 5
        assert await here.panel(other) == {}


async def test_hook_load_facts_asks_nothing_where_nobody_set_a_limit(database_url: str) -> None:
    async with shop(database_url) as here:
        order = (await here.order(1)).document
        async with here.app.database.read() as session:
            own = Facts([await load_master(session), here.app.registry.kinds])
            assert await ask(hooks.load_facts, order, "", own, session, here.context) is None
            assert session.statements == 1  # the versions of what is cached
        await here.limit(5)
        async with here.app.database.read() as session:
            found = await ask(hooks.load_facts, order, "", own, session, here.context)
        assert isinstance(found, Standing)
        assert (found.limit, found.figures, found.released) == (D(5), (), None)
        assert ask(hooks.check_document, order, "confirm", Facts(), here.context) is None


async def test_the_choice_over_http(database_url: str) -> None:
    """POST /api/credit/documents/{id}/decision, as the manifest's routes say."""
    from litestar import Litestar
    from newel.web.app import create_app

    async with shop(database_url) as here:
        web: Litestar = create_app(here.app, manage=False)
        assert here.app.off == []
        assert "/api/credit/documents/{id:str}/decision" in {route.path for route in web.routes}
        order = (await here.order(1)).document
        call = SimpleNamespace(newel=here.app, context=here.context, path={"id": order.id}, body=DecisionIn(release=True, reason="by hand"))
        await decision.function(call)
        async with here.app.database.read() as session:
            assert unscaled(await session.value("SELECT amount FROM credit_release"), AMOUNT) == 10
