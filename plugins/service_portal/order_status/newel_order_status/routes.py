"""The page /order_status and the operation GET /api/order_status/orders: customers see their own orders, whoever sells sees all."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from newel.services.access import require
from newel.web.auth import context_of, newel_of
from newel.web.operations import Call, operation
from newel.web.render import Web, page
from newel.web.views_text import _

from newel_order_status import facts

VIEW = "order_status.view"


class OrdersIn(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders. number: of the order, or the customer's own reference; all of them unless given."""

    number: str = ""


@operation("GET", "/orders", query=OrdersIn, answer=tuple[facts.OrderStatus, ...])
async def orders(call: Call) -> tuple[facts.OrderStatus, ...]:
    """How far orders have come in production, shipping and invoicing, those that are open first."""
    require(call.context, VIEW)
    async with call.newel.database.read() as session:
        return tuple(await facts.orders(session, call.context, call.query.number.strip()))


@get("/", opt={"permission": VIEW})
async def overview(request: Web) -> Response[Any]:
    """All orders on one page."""
    newel, context = newel_of(request), await context_of(request)
    number = request.query_params.get("number", "").strip()[:80]
    async with newel.database.read() as session:
        found = await facts.orders(session, context, number)
    words = {"production": _("Production"), "shipping": _("Shipping"), "invoicing": _("Invoicing")}
    said = {
        "production": {"none": "", "started": _("planned"), "partly": _("partly made"), "done": _("made")},
        "shipping": {"none": _("not shipped yet"), "started": _("being packed"), "partly": _("partly shipped"), "done": _("shipped")},
        "invoicing": {"none": _("not invoiced yet"), "started": _("being invoiced"), "partly": _("partly invoiced"), "done": _("invoiced")},
    }  # fmt: skip
    digits, guest = context.company.amount_digits, context.user.party is not None
    return page(request, context, "order_status/orders.html", _("My orders") if guest else _("State of orders"),
                orders=found, number=number, words=words, said=said, digits=digits, guest=guest)  # fmt: skip


handlers = [orders, overview]
