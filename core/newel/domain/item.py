"""What a company buys, makes and sells."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from newel.domain.money import ZERO


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """One item as the rules see it, with the prices that hold on the document's date.

    Args:
        kind: goods (stocked), service, charge, freight or warranty; the last three may stand once in a document (DOC-16).
        unit: code of the base unit, in which stock, list price and cost are kept.
        classes: codes of the item's class and its parents, most specific first.
        tracking: none, lot or serial.
        price: list price for one base unit on the document's date in the document's currency, None where there is none.
        price_home: the same in the company's currency.
        cost: standard cost for one base unit on that date in the company's currency.
        role: account role that lines of this item post to, empty for the document kind's own.
    """

    id: int
    number: str
    name: str
    kind: str = "goods"
    unit: str = "EA"
    classes: tuple[str, ...] = ()
    tax_category: str = "standard"
    tracking: str = "none"
    price: Decimal | None = None
    price_home: Decimal | None = None
    cost: Decimal = ZERO
    role: str = ""
    active: bool = True
    factors: dict[str, Decimal] = {}

    @property
    def stocked(self) -> bool:
        """True where the item has stock and moves."""
        return self.kind == "goods"
