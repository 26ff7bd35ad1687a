"""What a proposal needs to know, and what was entered for prices before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.store.columns import PRICE, unscaled
from newel.store.session import Session, instant

from newel_dual_control.rules import NAME, DualControlSettings, Prices, Proposing, Stored


async def load(_session: Session, _rows: Sequence[Mapping[str, Any]], context: Context) -> Proposing:
    """The delicate kinds as the settings say, and those that the user may change."""
    kinds = context.setting(NAME, DualControlSettings).records
    return Proposing(frozenset(kinds), frozenset(k for k in kinds if context.user.may(f"{k}.edit")))


async def prices(session: Session, document: Document) -> Prices:
    """The stored lines of a document with who entered their prices, from its history: the latest change of each, else whoever made the line."""
    rows = await session.fetch("SELECT id, position, price, price_entered FROM document_line WHERE document = ?", document.id)
    events = await session.fetch('SELECT "user", at, changes FROM document_event WHERE document = ? ORDER BY at DESC, id DESC', document.id)
    told = [(e, msgspec.json.decode(e["changes"]) if isinstance(e["changes"], str) else e["changes"]) for e in events]
    made: Any = (events[-1] if events else {"user": "", "at": None}, {"field": "", "old": None})
    found: dict[int, Stored] = {}
    for r in rows:
        changed, came = f"line {r['position']} price", f"line {r['position']}"
        event, change = next(((e, c) for e, changes in told for c in changes if c["field"] in (changed, came)), made)
        was = Decimal(change["old"]) if change["field"] == changed and change["old"] is not None else None
        entered = None if r["price_entered"] is None else unscaled(r["price_entered"], PRICE)
        found[r["id"]] = Stored(price=unscaled(r["price"], PRICE), price_entered=entered, who=event["user"], at=instant(event["at"]), was=was)
    return Prices(found)
