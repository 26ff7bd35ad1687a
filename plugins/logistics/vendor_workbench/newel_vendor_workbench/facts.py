"""What the workbench reads: a vendor's orders, how far each line is, and what was shipped of it. Only the vendor's own, and only what was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.money import ZERO, plain
from newel.domain.party import Address
from newel.errors import missing
from newel.services.app import Newel
from newel.store.columns import QUANTITY, unscaled
from newel.store.documents import money
from newel.store.session import Session, day
from newel_purchasing.facts import load as load_offers

from newel_vendor_workbench.rules import ADVISED, Part, Way, gone, stage

DONE_SHOWN = 30
LEAVING = ("receipt", "delivery", "transfer")
HEADS = """
SELECT d.id, d.kind, d.number, d.phase, d.date, d.date_requested, d.reference, d.currency, d.net, a.city, a.country
  FROM document d LEFT JOIN address a ON a.id = d.ship_to AND EXISTS (SELECT 1 FROM line_link k WHERE k.to_document = d.id AND k.kind = ANY(?))
 WHERE d.company = ? AND d.party = ? AND d.kind = ANY(?)
"""
PARTS = """
SELECT l.id, l.document, l.quantity,
       (SELECT COUNT(*) FROM line_schedule s WHERE s.line = l.id AND s.date_confirmed IS NULL) AS waiting,
       (SELECT MIN(s.date_confirmed) FROM line_schedule s WHERE s.line = l.id) AS day
  FROM document_line l WHERE l.document = ANY(?) AND l.kind <> 'text'
"""
TAKEN = "SELECT from_line, kind, CAST(SUM(quantity) AS BIGINT) AS quantity FROM line_link WHERE from_document = ANY(?) GROUP BY from_line, kind"


class OrderHead(msgspec.Struct, frozen=True, kw_only=True):
    """An order in the vendor's list. stage: new, confirm, ship or done; due: the earliest date that is confirmed; city: where it goes, for drop shipments."""

    id: int
    number: str
    stage: str
    phase: str
    ordered: date | None
    wanted: date | None
    due: date | None
    reference: str
    city: str
    currency: str
    net: Decimal
    lines: int


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled delivery of a line: the day that was asked for and the one that the vendor has confirmed."""

    quantity: Decimal
    wanted: date | None = None
    confirmed: date | None = None


class Shipment(msgspec.Struct, frozen=True, kw_only=True):
    """So much of a line has left, as the vendor has said. direct: straight to the customer."""

    number: str
    day: date | None
    quantity: Decimal
    tracking: str
    direct: bool


class LineView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of an order, as vendor and programs see it. Quantities in its unit, price and net without tax unless the order's prices include it.

    Args:
        gone: shipped, announced or received. open: what can go now, by name of the way. tracking: none, lot or serial.
    """

    id: int
    position: int
    item: str
    part_number: str
    text: str
    quantity: Decimal
    unit: str
    price: Decimal
    net: Decimal
    tracking: str
    gone: Decimal
    open: dict[str, Decimal]
    deliveries: list[Promise]
    shipments: list[Shipment]


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order, as vendor and programs see it. ways: name of each way that goods may go now, and whether it leads straight to the customer."""

    id: int
    number: str
    version: int
    stage: str
    ordered: date | None
    wanted: date | None
    reference: str
    text: str
    currency: str
    digits: int
    net: Decimal
    gross: Decimal
    ship_to: list[str]
    direct: bool
    ways: dict[str, bool]
    lines: list[LineView]


def kinds(newel: Newel) -> list[str]:
    """The kinds of documents that vendors get: whatever is a purchase."""
    return [k.name for k in newel.registry.documents.values() if k.role == "purchase"]


def links(newel: Newel, kind: str) -> list[str]:
    """Links by which goods of a line leave the vendor: received here, put into the vendor's place, shipped to a customer, announced."""
    registry = newel.registry
    flows = registry.flows_from(registry.documents[kind])
    return sorted({f.link for f in flows if registry.documents[f.target_kind].role in LEAVING and not f.after})


def ways(newel: Newel, kind: str) -> list[Way]:
    """How a vendor may ship: straight to customers where a plugin has a way that does, and by a despatch note to us."""
    registry = newel.registry
    out = []
    for flow in registry.flows_from(registry.documents[kind]):
        target = registry.documents[flow.target_kind]
        direct = target.role == "delivery"
        if direct or flow.link == ADVISED:
            then = next((t.name for t in target.transitions if target.initial.name in t.sources and target.state(t.target).phase == "done"), "")
            out.append(Way(flow=flow, direct=direct, then=then))
    return sorted(out, key=lambda w: not w.direct)


def opens(newel: Newel, document: Document) -> list[tuple[Way, dict[int, Decimal]]]:
    """For each way, the lines that go by it, with what is open; a line that goes straight to a customer is not sent to us."""
    every = newel.registry.flows_from(newel.registry.documents[document.kind])
    leaving = set(links(newel, document.kind))
    out: list[tuple[Way, dict[int, Decimal]]] = []
    taken: set[int] = set()
    for way in ways(newel, document.kind) if document.phase == "open" else ():
        lines = {}
        for line in document.lines:
            if line.id not in taken and newel.registry.takes(way.flow, line):
                rest = min(f.open(line) for f in every if f is way.flow or (f.link in leaving and newel.registry.takes(f, line)))
                lines[line.id] = max(rest, ZERO)
        if way.direct:
            taken |= set(lines)
        if any(lines.values()):
            out.append((way, lines))
    return out


async def orders(newel: Newel, context: Context, party: int) -> list[OrderHead]:
    """The orders of a vendor: all that are open, and the last ones that are done. Four statements, however many there are."""
    async with newel.database.read() as session:
        straight = sorted({w.flow.line_source for kind in kinds(newel) for w in ways(newel, kind) if w.direct})
        args = (straight, context.company.id, party, kinds(newel))
        rows = await session.fetch(f"{HEADS} AND d.phase = 'open' ORDER BY d.date_requested, d.id", *args)
        rows += await session.fetch(f"{HEADS} AND d.phase = 'done' ORDER BY d.id DESC LIMIT {DONE_SHOWN}", *args)
        parts = await _parts(newel, session, {r["id"]: r["kind"] for r in rows})
    return [_head(r, parts.get(r["id"], [])) for r in rows]


def _head(r: Any, parts: list[Part]) -> OrderHead:
    waiting = [p.day for p in parts if p.day and p.gone < p.quantity]
    return OrderHead(
        id=r["id"], number=r["number"], stage=stage(r["phase"], parts), phase=r["phase"], ordered=day(r["date"]), wanted=day(r["date_requested"]),
        due=min(waiting, default=None), reference=r["reference"], city=", ".join(filter(None, (r["city"], r["country"]))), currency=r["currency"],
        net=plain(money(r["net"])), lines=len(parts),
    )  # fmt: skip


async def _parts(newel: Newel, session: Session, documents: Mapping[int, str]) -> dict[int, list[Part]]:
    taken: dict[tuple[int, str], Decimal] = {}
    for r in await session.fetch(TAKEN, sorted(documents)):
        taken[(r["from_line"], r["kind"])] = unscaled(r["quantity"], QUANTITY)
    known = {kind: links(newel, kind) for kind in set(documents.values())}
    out: dict[int, list[Part]] = {}
    for r in await session.fetch(PARTS, sorted(documents)):
        left = max((taken.get((r["id"], link), ZERO) for link in known[documents[r["document"]]]), default=ZERO)
        first = day(r["day"])
        part = Part(quantity=unscaled(r["quantity"], QUANTITY), gone=left, confirmed=first is not None and not r["waiting"], day=first)
        out.setdefault(r["document"], []).append(part)
    return out


def sent(document: Document) -> Document:
    """The document, if it is an order that the vendor has got; Refused 404 else: drafts are nobody's business."""
    if document.role != "purchase" or document.phase not in ("open", "done"):
        raise missing("order", document.id)
    return document


async def view(newel: Newel, document: Document) -> OrderView:
    """The order with what was shipped of it, the vendor's part numbers and where it goes: to a customer, or to the company."""
    async with newel.database.read() as session:
        offers = await load_offers(document, session)
        rows = await session.fetch(
            "SELECT k.from_line, k.quantity, d.number, d.date, d.role, d.data FROM line_link k JOIN document d ON d.id = k.to_document "
            "WHERE k.from_document = ? AND k.kind = ANY(?) AND k.quantity > 0 AND k.firm = ? AND (d.role = 'delivery' OR k.kind = ?) "
            "ORDER BY d.date, d.id, k.id",
            document.id, links(newel, document.kind), True, ADVISED,
        )  # fmt: skip
        company = await session.one("SELECT * FROM company WHERE id = ?", document.company)
    numbers = {item: next((o.part_number for o in found if o.part_number), "") for item, found in offers.offers.items()} if offers else {}
    ways, leaving = opens(newel, document), links(newel, document.kind)
    lines = [
        LineView(
            id=x.id, position=x.position, item=x.item.number if x.item else "", part_number=numbers.get(x.item.id, "") if x.item else "", text=x.text,
            quantity=x.quantity, unit=x.unit, price=x.price, net=x.net, tracking=x.item.tracking if x.item else "none", gone=gone(x, leaving),
            open={w.flow.name: found[x.id] for w, found in ways if found.get(x.id)}, shipments=[_shipment(r) for r in rows if r["from_line"] == x.id],
            deliveries=[Promise(quantity=s.quantity, wanted=s.date_requested, confirmed=s.date_confirmed) for s in x.schedules],
        )
        for x in document.lines if x.kind != "text"
    ]  # fmt: skip
    parts = [Part(quantity=x.quantity, gone=x.gone, confirmed=bool(x.deliveries) and all(d.confirmed for d in x.deliveries)) for x in lines]
    direct = any(w.direct for w, _ in ways) or any(r["role"] == "delivery" for r in rows)
    return OrderView(
        id=document.id, number=document.number, version=document.version, stage=stage(document.phase, parts), ordered=document.date, direct=direct,
        wanted=document.date_requested, reference=document.reference, text=document.text, currency=document.currency, digits=document.amount_digits,
        net=document.net, gross=document.gross, ways={w.flow.name: w.direct for w, _ in ways}, lines=lines,
        ship_to=_address(document.ship_to if direct and document.ship_to else company),
    )  # fmt: skip


def _shipment(r: Any) -> Shipment:
    data = msgspec.json.decode(r["data"]) if isinstance(r["data"], str) else r["data"]
    tracking = str((data.get("shipping") or {}).get("tracking") or "")
    quantity = plain(unscaled(r["quantity"], QUANTITY))
    return Shipment(number=r["number"], day=day(r["date"]), quantity=quantity, tracking=tracking, direct=r["role"] == "delivery")


def _address(found: Any) -> list[str]:
    """A stored company or an address, as lines."""
    name, street, postcode, city, country = (
        getattr(found, n) if isinstance(found, Address) else found[n] for n in ("name", "street", "postcode", "city", "country")
    )
    return [x for x in (name, street, f"{postcode} {city}".strip(), country) if x]
