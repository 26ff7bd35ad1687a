"""What shipping decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import msgspec
from newel.domain.document import Document
from newel.domain.money import ZERO
from newel.errors import Problem
from newel.manifest import Panel


class ShippingData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the header of a delivery holds besides.

    Args:
        method: code of a way of shipping. tracking: the carrier's number. weight: in kilograms. packages: how many.
    """

    method: str = ""
    tracking: str = ""
    weight: Decimal | None = None
    packages: int | None = None


class Method(msgspec.Struct, frozen=True, kw_only=True):
    """A way of shipping. tracking_url: address with {number} in it."""

    code: str
    name: str
    carrier: str
    tracking_url: str = ""


class Methods(msgspec.Struct, frozen=True):
    """All ways of shipping by code, and the code of the usual one by party."""

    methods: Mapping[str, Method] = {}
    usual: Mapping[int, str] = {}


def header(document: Document) -> ShippingData | None:
    """The document's shipping data, None where it has none."""
    found = document.data.get("shipping")
    return found if isinstance(found, ShippingData) else None


def check(document: Document, transition: str, facts: Methods | None) -> list[Problem]:
    """What is wrong with a delivery or return."""
    out, data = [], header(document)
    if data is not None:
        known = (facts or Methods()).methods
        if data.method and data.method not in known:
            message = f"there is no way of shipping {data.method!r:.40}"
            out.append(Problem(code="shipping.method", message=message, where="data.shipping.method", hint="choose an existing one"))
        if data.weight is not None and not (data.weight.is_finite() and data.weight >= 0):
            message = f"a weight of 0 or more was expected, got {data.weight!s:.40}"
            out.append(Problem(code="shipping.weight", message=message, where="data.shipping.weight"))
        if data.packages is not None and data.packages < 0:
            message = f"a number of packages of 0 or more was expected, got {data.packages}"
            out.append(Problem(code="shipping.packages", message=message, where="data.shipping.packages"))
    undone = document.kind.startswith("shipping.") and transition == "reverse"
    if undone and (gone := sorted({kind for line in document.lines for kind, stage in line.stages.items() if stage.planned})):
        message = f"it has been {' and '.join(gone)} already and can't be undone"
        out.append(Problem(code="shipping.gone_on", message=message, hint="cancel what was made from it first, or make a return"))
    return out


def panels(document: Document, facts: Methods | None) -> list[Panel]:
    """Carrier, tracking number and weight; the customer's usual carrier in the head, where no other is named."""
    data, found = header(document), facts or Methods()
    usual = found.methods.get(found.usual.get(document.party.id, "")) if document.party else None
    head = [Panel(title="Shipping", rows=(("Carrier", f"{usual.carrier} · {usual.name}"),), slot="head")] if usual else []
    if data is None or not (data.method or data.tracking or data.weight or data.packages):
        return head
    method = found.methods.get(data.method) or usual
    rows = [
        ("Carrier", method.carrier if method else ""),
        ("Way of shipping", method.name if method else data.method),
        ("Tracking number", data.tracking),
        ("Tracking page", method.tracking_url.replace("{number}", data.tracking) if method and data.tracking else ""),
        ("Weight", f"{data.weight.normalize():f} kg" if data.weight else ""),
        ("Packages", str(data.packages or "")),
    ]
    shown = tuple(row for row in rows if row[1])
    return [Panel(title="Shipping", rows=shown, sequence=30)] if shown else []


# ---- what is due -------------------------------------------------------------------------------------------------------------------


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A scheduled delivery of a line, or (schedule None) the whole line. day: confirmed, else requested, else the order's."""

    line: int
    schedule: int | None
    day: date | None
    quantity: Decimal
    release_code: str = ""


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """What is still to be delivered of a part, and what has been."""

    part: Part
    delivered: Decimal
    open: Decimal


def due(parts: Iterable[Part], delivered: Iterable[tuple[int, int | None, Decimal]]) -> Iterator[Due]:
    """Parts that are still open.

    A delivery of a scheduled part counts there; whatever else was delivered of the line fills its earliest parts first.

    Args:
        parts: of any lines.
        delivered: (line, schedule or None, quantity) of each delivery.
    """
    named: dict[tuple[int, int], Decimal] = {}
    loose: dict[int, Decimal] = {}
    for line, schedule, quantity in delivered:
        if schedule is None:
            loose[line] = loose.get(line, ZERO) + quantity
        else:
            named[(line, schedule)] = named.get((line, schedule), ZERO) + quantity
    by_line: dict[int, list[Part]] = {}
    for part in parts:
        by_line.setdefault(part.line, []).append(part)
    for line, found in by_line.items():
        ordered = sorted(found, key=lambda p: (p.day or date.max, p.schedule or 0))
        own: dict[int | None, Decimal] = {p.schedule: named.get((line, p.schedule), ZERO) for p in ordered if p.schedule is not None}
        spare = loose.get(line, ZERO) + sum((max(own[p.schedule] - p.quantity, ZERO) for p in ordered if p.schedule in own), ZERO)
        yield from _filled(ordered, own, spare)


def _filled(parts: Sequence[Part], own: Mapping[int | None, Decimal], spare: Decimal) -> Iterator[Due]:
    for part in parts:
        got = min(own.get(part.schedule, ZERO), part.quantity)
        extra = min(spare, part.quantity - got)
        spare -= extra
        if got + extra < part.quantity:
            yield Due(part=part, delivered=got + extra, open=part.quantity - got - extra)


def late(found: Due, today: date, started: bool) -> bool:
    """Whether it is a back-order: its day is over, or a part of the line went out and the rest is still owed."""
    return started or (found.part.day is not None and found.part.day < today)
