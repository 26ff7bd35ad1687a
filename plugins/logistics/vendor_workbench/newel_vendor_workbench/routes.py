"""The workbench on pages (/vendor_workbench) and for programs (/api/vendor_workbench)."""

from __future__ import annotations

import asyncio
import secrets
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import FromPath
from msgspec import Meta
from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Refused
from newel.manifest import Field
from newel.web import api_types as a
from newel.web import printing
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.headers import nonce
from newel.web.operations import Call, Form, Id, operation
from newel.web.render import Web, flash, page, redirect, shown, templates
from newel.web.views_text import _, entry, language

from newel_vendor_workbench import facts, rules, send
from newel_vendor_workbench.rules import STAGES, Delivery, Parcel

HOME = "/vendor_workbench"
PHASES = {"new": "draft", "confirm": "hold", "ship": "open", "done": "done"}
MARKED = (_("To confirm"), _("To ship"))  # of rules.STAGES, for the catalogues
Text = Annotated[str, Meta(max_length=60, pattern=a.ONE_LINE)]


# ---- pages ---------------------------------------------------------------------------------------------------------------------------


@get("/")
async def show_orders(request: Web) -> Response[str]:
    """The vendor's orders, by what they wait for."""
    context = await context_of(request)
    found = await send.orders(newel_of(request), context)
    groups = [{"name": n, "label": _(label), "phase": PHASES[n], "rows": [h for h in found if h.stage == n]} for n, label in STAGES.items()]
    return page(
        request,
        context,
        "vendor_workbench/orders.html",
        _("Orders from %(company)s", company=context.company.name),
        at=HOME,
        groups=groups,
        digits=context.company.amount_digits,
    )


async def _show(request: Web, id: int, context: Context, form: Reader | None = None, refused: Refused | None = None) -> Response[str]:
    """The page of one order; after a refusal with what was typed."""
    newel = newel_of(request)
    order = await facts.view(newel, await send.order(newel, id, context))
    typed = form.form if form else {}
    said = shown([*(form.problems if form else ()), *(refused.problems if refused else ())], lambda where: where)
    more = {
        "order": order, "typed": typed, "rows": {x.id: _rows(x, order, typed) for x in order.lines}, "url": f"{HOME}/{id}",
        "stage": {"label": _(STAGES[order.stage]), "phase": PHASES[order.stage]}, "key": typed.get("key") or secrets.token_urlsafe(12),
    }  # fmt: skip
    more["price_digits"] = max([order.digits, *(-int(x.price.normalize().as_tuple().exponent) for x in order.lines)])
    status = refused.status if refused else 422 if said else 200
    return page(request, context, "vendor_workbench/order.html", _("Order %(number)s", number=order.number), at=HOME, status=status, problems=said, **more)


def _rows(line: facts.LineView, order: facts.OrderView, typed: dict[str, str]) -> list[dict[str, Any]]:
    """The deliveries of a line as rows to fill in, and an empty one, so that a line can come in parts."""
    stored: list[facts.Promise | None] = [*(line.deliveries or [facts.Promise(quantity=line.quantity, wanted=order.wanted)]), None]
    out = []
    for n, d in enumerate(stored):
        name = f"{line.id}-{n}"
        quantity, day = entry(d.quantity) if d else "", d.confirmed.isoformat() if d and d.confirmed else ""
        values = {"quantity": typed.get(f"p-{name}", quantity), "day": typed.get(f"d-{name}", day)}
        out.append({"name": name, "wanted": d.wanted if d else None, "more": d is None, **values})
    return out


@get("/{id:int}")
async def show_order(request: Web, id: FromPath[int]) -> Response[str]:
    """One order: what is wanted where, dates to confirm, goods to ship."""
    return await _show(request, id, await context_of(request))


@post("/{id:int}/confirm", status_code=200)
async def confirm_order(request: Web, id: FromPath[int]) -> Response[Any]:
    """Promise the dates that were entered."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    wanted: dict[int, list[Delivery]] = {}
    for x in (await send.order(newel, id, context)).lines:
        for n in range(len(x.schedules) + 2):
            quantity, day = reader.decimal(f"p-{x.id}-{n}"), reader.day(f"d-{x.id}-{n}")
            if quantity is not None:
                wanted.setdefault(x.id, []).append(Delivery(quantity=quantity, day=day))
            elif day is not None:
                reader.bad(f"p-{x.id}-{n}", _("how much is to come on %(day)s?", day=day.isoformat()))
    if reader.problems:
        return await _show(request, id, context, reader)
    try:
        await send.confirm(newel, id, reader.whole("version") or 0, wanted, context)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _show(request, id, context, reader, refused)
    return redirect(f"{HOME}/{id}", flash(_("Thank you, the dates are confirmed.")))


@post("/{id:int}/ship", status_code=200)
async def ship_order(request: Web, id: FromPath[int]) -> Response[Any]:
    """Ship what was entered."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    wanted: list[Parcel] = []
    for x in (await send.order(newel, id, context)).lines:
        quantity = reader.decimal(f"q-{x.id}")
        if quantity:
            wanted += rules.parcels(x, quantity, reader.text(f"lot-{x.id}"))
    if reader.problems:
        return await _show(request, id, context, reader)
    try:
        key = reader.text("key") or None
        made = await send.ship(newel, id, reader.text("way"), wanted, context, tracking=reader.text("tracking")[:60], key=key)
    except Refused as refused:
        if refused.status == 404:
            raise
        return await _show(request, id, context, reader, refused)
    return redirect(f"{HOME}/{id}", flash(_("Shipped: %(number)s.", number=made.number)))


async def _paper(request: Web, id: int, screen: bool) -> tuple[str, Document]:
    newel, context = newel_of(request), await context_of(request)
    found = await send.order(newel, id, context)
    paper = await printing.print_view(newel, id, send.acting(context, f"{found.kind}.view"))
    title = f"{paper['kind_label']} {paper['number']}"
    template, back = templates(request).get_template("print.html"), f"{HOME}/{id}"
    return template.render(paper=paper, title=title, lang=language.get(), nonce=nonce(request.scope), screen=screen, back=back), found


@get("/{id:int}/print")
async def print_order(request: Web, id: FromPath[int]) -> Response[str]:
    """The order as it is printed."""
    return Response((await _paper(request, id, True))[0], media_type="text/html; charset=utf-8")


@get("/{id:int}/pdf")
async def pdf_order(request: Web, id: FromPath[int]) -> Response[bytes]:
    """The order as a PDF file."""
    body, found = await _paper(request, id, False)
    headers = {"content-disposition": f'inline; filename="{found.number}.pdf"'}
    return Response(await asyncio.to_thread(printing.pdf, body), media_type="application/pdf", headers=headers)


# ---- programs ------------------------------------------------------------------------------------------------------------------------


class PromiseIn(a.Input, frozen=True, kw_only=True):
    """A delivery that is promised for a line; all of the line's are given, and their quantities add up to it."""

    line: Id
    quantity: a.Number
    day: date | None = None


class ConfirmIn(a.Input, frozen=True, kw_only=True):
    """Dates. version: of the order that was seen."""

    version: a.Version
    deliveries: Annotated[tuple[PromiseIn, ...], Meta(min_length=1, max_length=1000)]


class ParcelIn(a.Input, frozen=True, kw_only=True):
    """So much of a line, with its lot or serial number where it goes straight to a customer and is tracked."""

    line: Id
    quantity: a.Number
    lot: Text = ""


class ShipIn(a.Input, frozen=True, kw_only=True):
    """A shipment. way: as in the lines' open."""

    way: Annotated[str, Meta(max_length=60)]
    lines: Annotated[tuple[ParcelIn, ...], Meta(min_length=1, max_length=1000)]
    tracking: Text = ""


class InviteIn(a.Input, frozen=True, kw_only=True):
    """A login for a vendor; somebody sets its password afterwards."""

    login: Annotated[str, Meta(min_length=1, max_length=60, pattern=a.ONE_LINE)]
    name: Annotated[str, Meta(max_length=120, pattern=a.ONE_LINE)] = ""


@operation("GET", "/orders", answer=list[facts.OrderHead])
async def list_orders(call: Call) -> list[facts.OrderHead]:
    """The vendor's orders: all that are open, and the last ones that are done."""
    return await send.orders(call.newel, call.context)


@operation("GET", "/orders/{id}", answer=facts.OrderView, errors=(404,))
async def get_order(call: Call) -> facts.OrderView:
    """One order of the vendor's."""
    return await facts.view(call.newel, await send.order(call.newel, call.path["id"], call.context))


@operation("POST", "/orders/{id}/confirm", body=ConfirmIn, answer=facts.OrderView, errors=(404, 409))
async def confirm(call: Call) -> facts.OrderView:
    """Promise dates for lines of an order."""
    wanted: dict[int, list[Delivery]] = {}
    for p in call.body.deliveries:
        wanted.setdefault(p.line, []).append(Delivery(quantity=Decimal(p.quantity), day=p.day))
    await send.confirm(call.newel, call.path["id"], call.body.version, wanted, call.context)
    return await facts.view(call.newel, await send.order(call.newel, call.path["id"], call.context))


@operation("POST", "/orders/{id}/ship", body=ShipIn, answer=facts.OrderView, key=True, errors=(404, 409))
async def ship(call: Call) -> facts.OrderView:
    """Ship lines of an order."""
    wanted = [Parcel(line=p.line, quantity=Decimal(p.quantity), lot=p.lot) for p in call.body.lines]
    await send.ship(call.newel, call.path["id"], call.body.way, wanted, call.context, tracking=call.body.tracking, key=call.key)
    return await facts.view(call.newel, await send.order(call.newel, call.path["id"], call.context))


FORM = Form(
    label="Give this vendor a login", on="newel.party", button="Make the login", done="The login is made. Set its password on the page of the user.",
    fields=(Field(name="login", label="Login"), Field(name="name", label="Name of the person")),
)  # fmt: skip


@operation("POST", "/vendors/{id}/login", body=InviteIn, answer=int, errors=(404,), form=FORM)
async def invite(call: Call) -> int:
    """Give a vendor a login for the workbench; answers with the id of the user, whose password is then to be set."""
    password = secrets.token_urlsafe(32).replace(call.body.login[0].lower(), "").replace(call.body.login[0].upper(), "")  # a login in it would be weak
    return await send.invite(call.newel, call.path["id"], call.body.login, call.body.name, password, call.context)


handlers = [
    show_orders, show_order, confirm_order, ship_order, print_order, pdf_order, list_orders, get_order, confirm, ship, invite,
]  # fmt: skip
