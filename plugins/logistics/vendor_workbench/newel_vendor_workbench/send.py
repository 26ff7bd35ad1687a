"""The use cases of the workbench: look at orders, confirm dates, ship.

A vendor has one permission, and no right to any document: each step here is taken with exactly the rights that it needs, and with the vendor's own
party, to which the kernel narrows whatever is read and done. So a vendor gets at nothing but through this workbench.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LinkInput
from newel.errors import Problem, Refused, missing
from newel.services.access import require
from newel.services.app import Newel

from newel_vendor_workbench import facts, rules
from newel_vendor_workbench.rules import PERMISSION, Delivery, Parcel

ROLE = "vendor"
log = logging.getLogger("newel.vendor_workbench")


def party(context: Context) -> int:
    """The vendor that the user stands for.

    Raises:
        Refused: 403 for users without the permission, or who stand for nobody.
    """
    require(context, PERMISSION)
    if context.user.party is None:
        hint = "give a vendor a login on the vendor's page"
        raise Refused(Problem(code="vendor_workbench.party", message="this is where vendors work, and you stand for none", hint=hint), status=403)
    return context.user.party


def acting(context: Context, *permissions: str) -> Context:
    """The vendor's context with the rights of one step."""
    user = msgspec.structs.replace(context.user, party=party(context), permissions=frozenset(permissions))
    return msgspec.structs.replace(context, user=user, source="portal", overrides=frozenset())


async def orders(newel: Newel, context: Context) -> list[facts.OrderHead]:
    """The vendor's orders: those that are open, the earliest wanted first, and the last ones that are done."""
    return await facts.orders(newel, context, party(context))


async def order(newel: Newel, id: int, context: Context) -> Document:
    """One order of the vendor's; Refused 404 where it is none, another vendor's, or not sent."""
    own = acting(context, *(f"{kind}.view" for kind in facts.kinds(newel)))
    try:
        return facts.sent(await newel.documents.get(id, own))
    except Refused as refused:
        if refused.status == 403:
            raise missing("order", id) from refused
        raise


async def confirm(newel: Newel, id: int, version: int, wanted: Mapping[int, Sequence[Delivery]], context: Context) -> Document:
    """Promise dates: by line, all of its deliveries.

    Args:
        version: of the order that the vendor has seen.

    Raises:
        Refused: deliveries that do not add up to the line, dates that are over, 409 where the order has changed; all at once.
    """
    found = await order(newel, id, context)
    changed, problems = rules.promised(found, wanted, context.today)
    if problems:
        raise Refused(*problems)
    if not changed:
        return found
    try:
        return await newel.documents.schedule(id, version, changed, acting(context, f"{found.kind}.schedule"))
    except Refused as refused:
        raise _told(refused, context) from refused


async def ship(newel: Newel, id: int, name: str, wanted: Sequence[Parcel], context: Context, *, tracking: str = "", key: str | None = None) -> Document:
    """Ship so much of the order: straight to the customer, which delivers the sale, or to us, which announces it.

    Args:
        name: of the way, as opens() gives it. tracking: the carrier's number. key: idempotency key.

    Raises:
        Refused: quantities beyond what is open, numbers that are missing; all at once. Whatever concerns the customer is not told.
    """
    found = await order(newel, id, context)
    way, lines = next(((w, lines) for w, lines in facts.opens(newel, found) if w.flow.name == name), (None, {}))
    replayed = key is not None and await _known(newel, context, key)
    if way is None and not replayed:
        raise Refused(Problem(code="vendor_workbench.nothing", message="nothing of this order is open to be shipped", hint="look at it again"), status=409)
    way = way or next((w for w in facts.ways(newel, found.kind) if w.flow.name == name), None)
    if way is None:
        raise missing("way of shipping", name)
    problems = [] if replayed else list(rules.check_parcels(found, wanted, lines, way.direct))
    if problems:
        raise Refused(*problems)
    data = {"shipping": {"tracking": tracking}} if tracking and "shipping" in newel.registry.document_data else {}
    header = DocumentInput(data=data, text=f"Tracking number {tracking}" if tracking and not data else "")
    links = [LinkInput(line=p.line, quantity=p.quantity, lot=p.lot or None) for p in wanted]
    target = way.flow.target_kind
    own = acting(context, f"{found.kind}.view", f"{target}.edit", f"{target}.{way.then}")
    try:
        return (await newel.documents.follow(id, f"{target}:{name}", own, lines=links, input=header, then=(way.then,), key=key)).document
    except Refused as refused:
        raise _told(refused, context) from refused


def _told(refused: Refused, context: Context) -> Refused:
    log.info("refused to %s: %s", context.user.login, refused)
    return Refused(*rules.for_vendors(refused.problems, context.company.name), status=refused.status)


async def _known(newel: Newel, context: Context, key: str) -> bool:
    """Whether this request was carried out before: then what is open says nothing about it."""
    async with newel.database.read() as session:
        return bool(await session.value('SELECT id FROM idempotency_key WHERE "user" = ? AND key = ?', context.user.login, key))


async def invite(newel: Newel, vendor: int, login: str, name: str, password: str, context: Context) -> int:
    """A login for a vendor, in the context's company; makes the role "vendor" where there is none. Returns the user's id.

    Raises:
        Refused: whatever keeps one from making users and roles; 422 for a party that is no vendor.
    """
    save, find = newel.records.save, newel.records.find
    row = await newel.records.get("newel.party", vendor, context)
    if not row["is_vendor"]:
        hint = "choose a vendor, or make this party one"
        raise Refused(Problem(code="vendor_workbench.vendor", message=f"{row['name']} is no vendor", where="id", hint=hint))
    async with newel.database.write() as session:
        if await find("newel.role", ROLE, context, session=session) is None:
            role = await save("newel.role", None, {"code": ROLE, "name": "Vendor"}, context, session=session)
            await save("newel.role_permission", None, {"role": role, "permission": PERMISSION}, context, session=session)
        return await newel.users.create(login, password, name or row["name"], [ROLE], [context.company.id], context, session=session, party=vendor)
