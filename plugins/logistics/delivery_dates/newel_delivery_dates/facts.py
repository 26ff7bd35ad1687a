"""What delivery dates read: what is kept, from the cache; and for documents that need it three statements, however many lines they have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.domain.master import Master
from newel.domain.money import ZERO, product
from newel.domain.stock import StockFacts
from newel.store.columns import QUANTITY, unscaled
from newel.store.session import Session, day, rows_by

from newel_delivery_dates.rules import DatesFacts, Kept, asked, free_at, going, place_of
from newel_delivery_dates.way import Calendar, Route, clock, weekdays

BALANCES = "SELECT item, location, CAST(SUM(quantity - reserved) AS BIGINT) AS free FROM stock_balance WHERE item = ANY(?) GROUP BY item, location"
HELD = "SELECT line, CAST(SUM(quantity) AS BIGINT) AS held FROM stock_reservation WHERE line = ANY(?) GROUP BY line"
COMING = """
SELECT d.number, l.item, l.quantity, l.factor, COALESCE((SELECT MIN(COALESCE(s.date_confirmed, s.date_requested)) FROM line_schedule s WHERE s.line = l.id),
       d.date_requested) AS day,
       (SELECT CAST(COALESCE(SUM(k.quantity), 0) AS BIGINT) FROM line_link k WHERE k.from_line = l.id AND k.kind = 'received' AND k.firm = ?) AS gone
  FROM document d CROSS JOIN document_line l
 WHERE d.company = ? AND d.role = 'purchase' AND d.phase = 'open' AND l.document = d.id AND l.item = ANY(?)
"""


async def load(document: Document, facts: Facts, session: Session, context: Context) -> DatesFacts | None:
    """Nothing for what is no sale, is over, or has no goods to go, and where nothing is kept; on saving, nothing where no day is asked for."""
    if document.phase not in ("draft", "offered", "open"):
        return None
    kept = (await session.cached("delivery_dates", _load)).get(context.company.id)
    lines = list(going(document)) if kept is not None else []
    if kept is None or not lines or (session.writable and not any(asked(document, x) for x in lines)):
        return None
    free, held = await _stock(document, facts.get(StockFacts), session, sorted({x.item.id for x in lines}))
    master, wanted = facts[Master], dict[tuple[int, int | None], Decimal]()
    for x in lines:
        key = x.item.id, place_of(document, x.line, master)
        wanted[key] = wanted.get(key, ZERO) + x.wanted - held.get(x.line.id, ZERO)
    short = sorted({item for (item, place), quantity in wanted.items() if quantity > free_at(free.get(item, {}), place, master)})
    return DatesFacts(kept=kept, free=free, held=held, coming=await _coming(session, context, short) if short else {})


async def _stock(
    document: Document, stock: StockFacts | None, session: Session, items: list[int]
) -> tuple[Mapping[int, Mapping[int, Decimal]], Mapping[int, Decimal]]:
    """What is free by item and place, and what is held for the lines: what the kernel has read already, or read here."""
    free: dict[int, dict[int, Decimal]] = {}
    if stock is not None:
        for item, found in stock.balances.items():
            for b in found:
                at = free.setdefault(item, {})
                at[b.location] = at.get(b.location, ZERO) + b.free
        return free, {line: sum((r.quantity for r in found), ZERO) for line, found in stock.reservations.items()}
    for r in await session.fetch(BALANCES, items):
        free.setdefault(r["item"], {})[r["location"]] = unscaled(r["free"], QUANTITY)
    rows = await session.fetch(HELD, [line.id for line in document.lines]) if document.phase == "open" else []
    return free, {r["line"]: unscaled(r["held"], QUANTITY) for r in rows}


async def _coming(session: Session, context: Context, items: list[int]) -> Mapping[int, tuple[tuple[date, Decimal, str], ...]]:
    out: dict[int, list[tuple[date, Decimal, str]]] = {}
    for r in await session.fetch(COMING, True, context.company.id, items):
        rest, expected = max(r["quantity"] - r["gone"], 0), day(r["day"])
        if rest and expected:
            out.setdefault(r["item"], []).append((expected, product(unscaled(rest, QUANTITY), unscaled(r["factor"], QUANTITY)), r["number"]))
    return {item: tuple(sorted(found)) for item, found in out.items()}


async def _load(session: Session) -> dict[int, Kept]:
    """What is kept, by company; a company that keeps nothing is not there."""
    days = rows_by(await session.fetch("SELECT calendar, day, name, works FROM delivery_dates_day"), "calendar")
    calendars = {
        r["id"]: (r["company"], Calendar(
            code=r["code"], location=r["location"], zone=r["zone"], days=weekdays(r["days"]), cut_off=clock(r["cut_off"]), country=r["country"],
            region=r["region"], free={d: x["name"] for x in days.get(r["id"], ()) if not x["works"] and (d := day(x["day"]))},
            extra=frozenset(d for x in days.get(r["id"], ()) if x["works"] and (d := day(x["day"]))),
        ))
        for r in await session.fetch("SELECT * FROM delivery_dates_calendar ORDER BY code")
    }  # fmt: skip
    routes: dict[int, list[Route]] = {}
    names = ("code", "location", "method", "country", "postcode", "days")
    for r in await session.fetch("SELECT * FROM delivery_dates_route ORDER BY code"):
        counted = calendars[r["calendar"]][1] if r["calendar"] else None
        leaves = {"leaves": weekdays(r["leaves"]), "text": r["leaves"], "cut_off": clock(r["cut_off"])}
        routes.setdefault(r["company"], []).append(Route(calendar=counted, **leaves, **{n: r[n] for n in names}))
    leads: dict[int, dict[Any, int]] = {}
    for r in await session.fetch("SELECT company, item, item_class, days FROM delivery_dates_lead_time ORDER BY days"):
        leads.setdefault(r["company"], {})[r["item"] or r["item_class"] or None] = r["days"]
    every = {company for company, _calendar in calendars.values()} | routes.keys() | leads.keys()
    return {
        company: Kept(
            calendars=tuple(c for owner, c in calendars.values() if owner == company), routes=tuple(routes.get(company, ())), leads=leads.get(company, {})
        )
        for company in every
    }
