"""What parts read: parts lists, stock and orders of a repair point."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.money import ZERO, plain
from newel.services.access import own_party
from newel.store.columns import QUANTITY, unscaled
from newel.store.session import Session, day

from newel_parts.redraw import fits
from newel_parts.rules import PartsFacts, PartsSettings, check_picture

LISTED = """
SELECT x.position, x.quantity, x.text, i.id AS item, i.number, i.name, i.unit, o.number AS old
  FROM parts_part x JOIN item i ON i.id = COALESCE(x.replaced_by, x.item) LEFT JOIN item o ON o.id = x.item AND x.replaced_by IS NOT NULL
 WHERE x.product = ? AND i.active = ? ORDER BY x.position, i.number
"""
# The last ten first, then their lines: not the sums of every order there ever was.
ORDERS = """
SELECT d.id, d.number, d.date, d.state, d.phase, d.gross, d.currency, CAST(SUM(l.quantity) AS BIGINT) AS ordered,
       CAST(COALESCE(SUM((SELECT SUM(k.quantity) FROM line_link k WHERE k.from_line = l.id AND k.kind = 'delivered' AND k.firm = ?)), 0) AS BIGINT) AS delivered
  FROM (SELECT d.* FROM document d WHERE d.kind = 'parts.order' AND d.company = ? AND {own}
           AND EXISTS (SELECT 1 FROM document_line x WHERE x.document = d.id) ORDER BY d.id DESC LIMIT 10) d CROSS JOIN document_line l
 WHERE l.document = d.id
 GROUP BY d.id, d.number, d.date, d.state, d.phase, d.gross, d.currency ORDER BY d.id DESC
"""


async def _listed(session: Session) -> PartsFacts:
    rows = await session.fetch("SELECT DISTINCT COALESCE(replaced_by, item) AS item FROM parts_part")
    return PartsFacts(frozenset(r["item"] for r in rows))


async def load(session: Session, context: Context) -> PartsFacts | None:
    """What may be ordered, for orders of somebody who stands for a party; nothing for all others."""
    return await session.cached("parts", _listed) if context.user.party is not None else None


async def products(session: Session) -> list[Any]:
    """Items that have a parts list."""
    sql = "SELECT i.id, i.number, i.name, COUNT(*) AS parts FROM parts_part x JOIN item i ON i.id = x.product WHERE i.active = ? "
    return await session.fetch(f"{sql} GROUP BY i.id, i.number, i.name ORDER BY i.number", True)


async def listed(session: Session, item: int) -> list[dict[str, Any]]:
    """The parts of a product, by their number in the picture; replaced ones as what replaces them."""
    rows = await session.fetch(LISTED, item, True)
    return [{**dict(r), "old": r["old"] or "", "quantity": plain(unscaled(r["quantity"], QUANTITY))} for r in rows]


async def pictures(session: Session, item: int) -> list[Any]:
    """Names and images of a product; whatever came in another way and is no picture, or has too many pixels, is left out."""
    rows = await session.fetch("SELECT name, image FROM parts_picture WHERE product = ? ORDER BY position, id", item)
    return [r for r in rows if not list(check_picture(r["image"])) and fits(r["image"])]


async def free(session: Session, items: list[int], context: Context) -> dict[int, tuple[Decimal, Decimal]]:
    """By item: what is free in our own places, and what lies at the premises of the user's party."""
    rows = await session.fetch(
        "SELECT b.item, l.party, CAST(SUM(b.quantity - b.reserved) AS BIGINT) AS free FROM stock_balance b JOIN location l ON l.id = b.location "
        "WHERE b.item = ANY(?) AND l.company = ? AND l.kind = 'storage' AND l.owner IS NULL GROUP BY b.item, l.party", items, context.company.id,
    ) if items else []  # fmt: skip
    out = dict.fromkeys(items, (ZERO, ZERO))
    for r in rows:
        ours, theirs = out[r["item"]]
        quantity = plain(unscaled(r["free"], QUANTITY))
        if r["party"] is None:
            out[r["item"]] = (ours + quantity, theirs)
        elif r["party"] == context.user.party:
            out[r["item"]] = (ours, theirs + quantity)
    return out


async def orders(session: Session, context: Context) -> list[dict[str, Any]]:
    """The last orders of the user's party (of everybody, for our own people), with how far they are delivered."""
    own, args = own_party(context, "d.party")
    rows = await session.fetch(ORDERS.format(own=own), True, context.company.id, *args)
    return [{**dict(r), "date": day(r["date"]), "ordered": plain(unscaled(r["ordered"], QUANTITY)), "delivered": plain(unscaled(r["delivered"], QUANTITY)),
             "gross": unscaled(r["gross"], 4)} for r in rows]  # fmt: skip


def shown(settings: PartsSettings, quantity: Decimal) -> Decimal | str:
    """What a repair point sees of our stock."""
    return {"quantity": quantity, "some": "in stock" if quantity > 0 else "none", "nothing": ""}[settings.stock]
