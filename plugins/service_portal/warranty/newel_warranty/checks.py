"""What must hold of terms and of the life of a piece before they are kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from newel.domain.context import Context
from newel.errors import Problem
from newel.store.session import Session

from newel_warranty.rules import ENDED, Piece, state

AFTER = {"sold": ("in stock", "returned", "sold", "serviced"), "serviced": ("sold", "serviced", "in service"), "recycled": ("decommissioned",)}


def check_rule(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Terms are for an item or a class, and a span does not end before it starts."""
    if values.get("item") and values.get("item_class"):
        yield Problem(code="warranty.rule", message="an item or a class was expected, got both", where="item_class", hint="leave one of them empty")
    if values.get("date_from") and values.get("date_to") and values["date_to"] < values["date_from"]:
        yield Problem(code="warranty.dates", message="it ends before it starts", where="date_to", hint="enter a later day")


async def event_facts(session: Session, rows: Sequence[Mapping[str, Any]], context: Context) -> dict[int, Piece]:
    """The lives of the pieces that events are entered for."""
    from newel_warranty.facts import pieces  # facts.py imports tables, and tables.py this

    return await pieces(session, [r["lot"] for r in rows if r.get("lot")], context.company.id)


def check_event(values: Mapping[str, Any], known: Mapping[int, Piece]) -> Iterator[Problem]:
    """What may follow upon what in the life of a piece; its end is proved by a certificate (RMA-08, RMA-09)."""
    piece, kind = known.get(values.get("lot") or 0), values.get("kind", "")
    if piece is None:
        return
    if piece.item != values.get("item"):
        hint = "choose the item that the number belongs to"
        yield Problem(code="warranty.item", message=f"{piece.serial} is no number of this item", where="item", hint=hint)
    now = state(piece.life)
    allowed = AFTER.get(kind, tuple({"in stock", "returned", "sold", "serviced", "in service"}))
    if now not in allowed:
        hint = f"it must be {' or '.join(sorted(allowed))} before"
        yield Problem(code="warranty.order", message=f"{piece.serial} is {now} and can't be {kind}", where="kind", hint=hint)
    if piece.life and values.get("date") and values["date"] < piece.life[-1].date:
        message = f"{piece.serial} was {now} on {piece.life[-1].date}, after {values['date']}"
        yield Problem(code="warranty.date", message=message, where="date", hint="enter that day or a later one")
    if kind in ENDED and not values.get("proof"):
        message = f"a piece that is {kind} needs the number of its certificate"
        yield Problem(code="warranty.proof", message=message, where="proof", hint="enter the number on the proof of disposal")
