"""What restock decides: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.document import DocumentInput, LineInput
from newel.domain.money import ZERO, plain
from newel.errors import Problem


class RestockSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Kinds of documents that proposals become; where one is not installed, its proposals wait."""

    transfer: str = "inventory.transfer"
    requisition: str = "purchasing.requisition"


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """An item of which too little lies in a place. Quantities in the item's unit; there: free in the place that it is filled up from."""

    location: int
    item: int
    number: str
    free: Decimal
    coming: Decimal
    minimum: Decimal
    target: Decimal
    source: int | None = None
    there: Decimal = ZERO

    @property
    def quantity(self) -> Decimal:
        """What is proposed: up to the target where less than the minimum lies there or is coming, else nothing."""
        have = self.free + self.coming
        return self.target - have if have < self.minimum else ZERO


def check_level(values: Mapping[str, Any]) -> Iterator[Problem]:
    """It is filled up to no less than the minimum, and from another place."""
    if (values.get("target") or ZERO) < (values.get("minimum") or ZERO):
        message = f"{values['minimum']} or more was expected, got {values['target']}"
        yield Problem(code="restock.target", message=message, where="target", hint="enter at least the minimum")
    if values.get("source") and values["source"] == values.get("location"):
        yield Problem(code="restock.source", message="it can't be filled up from itself", where="source", hint="choose another place, or none")


def proposals(lacks: Iterable[Lack], settings: RestockSettings) -> list[tuple[str, DocumentInput]]:
    """Documents that fill up what lacks: a transfer for each way between two places, and a requisition for each place that buys."""
    ways: dict[tuple[int, int | None], list[Lack]] = {}
    for lack in lacks:
        if lack.quantity > 0:
            ways.setdefault((lack.location, lack.source), []).append(lack)
    out = []
    for (location, source), found in sorted(ways.items(), key=lambda way: (way[0][0], way[0][1] or 0)):
        lines = tuple(LineInput(item=lack.item, quantity=plain(lack.quantity)) for lack in found)
        kind = settings.transfer if source else settings.requisition
        out.append((kind, DocumentInput(location_from=source, location_to=location, text="Minimum stock", lines=lines)))
    return out
