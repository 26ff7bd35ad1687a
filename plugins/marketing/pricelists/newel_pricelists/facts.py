"""What a document needs to know of price lists, kept in the process: a line costs the same with ten price lines or a million."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.item import Item
from newel.domain.money import ONE
from newel.domain.party import Party
from newel.errors import missing
from newel.manifest import Column, Parameter, Report
from newel.store.columns import PRICE, QUANTITY, unscaled
from newel.store.master import load_items, load_master, load_party
from newel.store.session import Session, day

from newel_pricelists.rules import Assigned, ListLine, PriceFacts, answer, list_price, within

KEPT = 50_000
Key = tuple[int, int | None]


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """An assignment with its list and both spans, so that what is kept serves every day and every company."""

    price_list: int
    code: str
    currency: str
    company: int | None
    party: int | None
    party_class: str
    sequence: int
    spans: tuple[tuple[date | None, date | None], ...]


class _Kept(msgspec.Struct):
    """What has been read; emptied as a whole when anything of price lists has changed, or when it becomes too much."""

    granted: dict[tuple[int, tuple[str, ...]], tuple[Granted, ...]] = {}
    lines: dict[Key, tuple[ListLine, ...]] = {}


async def _empty(_session: Session) -> _Kept:
    return _Kept({}, {})


async def load(session: Session, party: Party, items: Iterable[Item], company: int, when: date) -> PriceFacts | None:
    """The lists of a party on a day and their lines for these items: two statements at most, none where all is known."""
    kept = await session.cached("pricelists", _empty)
    if len(kept.lines) > KEPT or len(kept.granted) > KEPT:
        kept.lines.clear()
        kept.granted.clear()
    granted = await _granted(session, kept, party)
    ranks = {code: i + 1 for i, code in enumerate(party.classes)}
    assigned = tuple(
        Assigned(price_list=g.price_list, code=g.code, currency=g.currency, sequence=g.sequence, rank=0 if g.party is not None else ranks[g.party_class])
        for g in granted
        if g.company in (None, company) and all(within(when, *span) for span in g.spans)
    )
    if not assigned:
        return None
    wanted: list[Key] = [(a.price_list, item) for a in assigned for item in (*(i.id for i in items), None)]
    await _lines(session, kept, [key for key in wanted if key not in kept.lines])
    return PriceFacts(assigned, {key: kept.lines[key] for key in wanted if kept.lines[key]})


async def _granted(session: Session, kept: _Kept, party: Party) -> tuple[Granted, ...]:
    key = (party.id, party.classes)
    if key not in kept.granted:
        rows = await session.fetch(
            """SELECT a.price_list, a.party, a.class_code AS party_class, a.sequence, a.date_from, a.date_to,
                      l.code, l.currency, l.company, l.date_from AS list_from, l.date_to AS list_to
                 FROM (SELECT b.*, '' AS class_code FROM pricelists_assignment b WHERE b.party = ?
                       UNION ALL
                       SELECT b.*, c.code FROM party_class c JOIN pricelists_assignment b ON b.party_class = c.id WHERE c.code = ANY(?)) a
                 JOIN pricelists_list l ON l.id = a.price_list
                WHERE l.active = ? ORDER BY a.id""",
            party.id, list(party.classes), True,
        )  # fmt: skip
        kept.granted[key] = tuple(
            Granted(
                price_list=r["price_list"], code=r["code"], currency=r["currency"], company=r["company"], party=r["party"],
                party_class=r["party_class"], sequence=r["sequence"],
                spans=((day(r["date_from"]), day(r["date_to"])), (day(r["list_from"]), day(r["list_to"]))),
            )
            for r in rows
        )  # fmt: skip
    return kept.granted[key]


async def _lines(session: Session, kept: _Kept, lacking: list[Key]) -> None:
    if not lacking:
        return
    found: dict[Key, list[ListLine]] = {key: [] for key in lacking}
    rows = await session.fetch(
        """SELECT l.*, '' AS class_code FROM pricelists_line l WHERE l.price_list = ANY(?) AND l.item = ANY(?)
           UNION ALL
           SELECT l.*, COALESCE(c.code, '') FROM pricelists_line l LEFT JOIN item_class c ON c.id = l.item_class
            WHERE l.price_list = ANY(?) AND l.item IS NULL""",
        sorted({key[0] for key in lacking}), sorted({key[1] for key in lacking if key[1] is not None}),
        sorted({key[0] for key in lacking if key[1] is None}),
    )  # fmt: skip
    for r in rows:
        key = (r["price_list"], r["item"])
        if key in found:
            found[key].append(
                ListLine(
                    id=r["id"], item=r["item"], item_class=r["class_code"], quantity_min=unscaled(r["quantity_min"], QUANTITY),
                    date_from=day(r["date_from"]), date_to=day(r["date_to"]),
                    price=None if r["price"] is None else unscaled(r["price"], PRICE),
                    percent=None if r["percent"] is None else unscaled(r["percent"], QUANTITY),
                )
            )  # fmt: skip
    kept.lines.update({key: tuple(lines) for key, lines in found.items()})


async def partner_prices(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Every active item with the price that this party pays for one base unit on a day (DOC-03)."""
    master = await load_master(session)
    party = await load_party(session, parameters["party"], master)
    if party is None:
        raise missing("party", parameters["party"], "party")
    company, when = context.company, parameters.get("date") or context.today
    currency = parameters.get("currency") or party.currency or company.currency
    rate, quantity = master.rate(company, currency, when) or ONE, parameters.get("quantity") or ONE
    ids = [r["id"] for r in await session.fetch("SELECT id FROM item WHERE active = ? ORDER BY number", True)]
    out = []
    for start in range(0, len(ids), 5000):
        found = await load_items(session, ids[start : start + 5000])
        items = [found[key].on(when, currency, company, master.item_classes) for key in ids[start : start + 5000]]
        facts = await load(session, party, items, company.id, when)
        for item in items:
            price = answer(facts, item, quantity, ONE, currency, rate, when, company) if facts else None
            amount = price.amount if price else list_price(item, rate)
            if amount is not None:
                rule = price.rule if price else "list price"
                row = {"item": item.id, "number": item.number, "name": item.name, "unit": item.unit, "price": amount}
                out.append({**row, "currency": currency, "rule": rule})
    return out


REPORTS = (
    Report(
        name="pricelists.partner", label="Price list of a partner", menu="Sales", load=partner_prices,
        help="What one partner pays for each item on a day: for printing, sending and export.",
        parameters=(
            Parameter(name="party", label="Partner", type="newel.party", required=True),
            Parameter(name="date", label="On", type="date"),
            Parameter(name="currency", label="Currency"),
            Parameter(name="quantity", label="For a quantity of", type="decimal"),
        ),
        columns=(
            Column(name="number", label="Number"), Column(name="name", label="Name"), Column(name="unit", label="Unit"),
            Column(name="price", label="Price", type="amount"), Column(name="currency", label="Currency"), Column(name="rule", label="From"),
        ),
    ),
)  # fmt: skip
