"""Load the master facts, and single items and parties, as domain structs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.context import Company
from newel.domain.item import Item
from newel.domain.master import AccountingPeriod, Master, Rate, Terms
from newel.domain.party import Address, Party
from newel.domain.quantity import Unit
from newel.domain.stock import Location
from newel.store.columns import AMOUNT, PRICE, QUANTITY, RATE, unscaled
from newel.store.session import Session, day, rows_by

MASTER = "newel.master"
KEPT = 20_000
DATES = 8  # on which an item is kept


async def load_master(session: Session) -> Master:
    """The company's set-up, from the cache where it is still true."""
    return await session.cached(MASTER, _load_master)


async def _load_master(session: Session) -> Master:
    async def rows(table: str, order: str = "id") -> list[Any]:
        return await session.fetch(f'SELECT * FROM "{table}" ORDER BY {order}')

    locations = {r["id"]: msgspec.convert({k: v for k, v in r.items() if k in Location.__struct_fields__}, Location) for r in await rows("location")}
    defaults: dict[tuple[int, str], int] = {}
    for location in locations.values():
        if location.parent is None and location.party is None:
            defaults.setdefault((location.company, location.kind), location.id)
    exchange: dict[tuple[int, str], dict[date, Decimal]] = {}
    for r in await rows("currency_rate", "company, currency, date_from, entered_at, id"):
        exchange.setdefault((r["company"], r["currency"]), {})[day(r["date_from"]) or date.min] = unscaled(r["rate"], RATE)
    taxes: dict[str, list[Rate]] = {}
    for r in await rows("tax_rate"):
        taxes.setdefault(r["category"], []).append(
            Rate(
                code=r["code"], name=r["name"], category=r["category"], rate=unscaled(r["rate"], QUANTITY).normalize(), country=r["country"],
                region=r["region"], role=r["account_role"], date_from=day(r["date_from"]), date_to=day(r["date_to"]),
            )
        )  # fmt: skip
    periods: dict[int, list[AccountingPeriod]] = {}
    for r in await rows("period", "date_from"):
        periods.setdefault(r["company"], []).append(
            AccountingPeriod(
                company=r["company"], code=r["code"], date_from=day(r["date_from"]) or date.min, date_to=day(r["date_to"]) or date.max,
                open=r["state"] == "open",
            )
        )  # fmt: skip
    companies = [msgspec.convert({k: v for k, v in r.items() if k in Company.__struct_fields__}, Company) for r in await rows("company")]
    return Master(
        companies={c.id: c for c in companies},
        units={r["code"]: Unit(r["code"], r["name"], r["digits"], r["base"], unscaled(r["factor"], QUANTITY)) for r in await rows("unit")},
        currencies={r["code"]: r["digits"] for r in await rows("currency")},
        exchange={key: tuple(sorted(history.items())) for key, history in exchange.items()},
        taxes={category: tuple(rates) for category, rates in taxes.items()},
        terms={r["code"]: Terms(code=r["code"], name=r["name"], days=r["days"], end_of_month=bool(r["end_of_month"])) for r in await rows("payment_terms")},
        locations=locations,
        defaults=defaults,
        children=_below(locations),
        accounts={(r["company"], r["role"]): r["account"] for r in await rows("account_mapping")},
        account_names={r["id"]: (r["number"], r["name"]) for r in await rows("account")},
        periods={company: tuple(found) for company, found in periods.items()},
        item_classes=_paths(await rows("item_class")),
        party_classes=_paths(await rows("party_class")),
    )


def _below(locations: dict[int, Location]) -> dict[int, tuple[int, ...]]:
    out: dict[int, list[int]] = {}
    for location in locations.values():
        parent, seen = location.parent, {location.id}
        while parent is not None and parent not in seen and parent in locations:
            out.setdefault(parent, []).append(location.id)
            seen.add(parent)
            parent = locations[parent].parent
    return {id: tuple(sorted(below)) for id, below in out.items()}


def _paths(rows: list[Any]) -> dict[int, tuple[str, ...]]:
    """Class id -> its code and those of its parents, most specific first."""
    by_id = {r["id"]: r for r in rows}
    out = {}
    for id in by_id:
        path, at = [], id
        while at is not None and by_id[at]["code"] not in path:
            path.append(by_id[at]["code"])
            at = by_id[at]["parent"]
        out[id] = tuple(path)
    return out


class ItemHistory(msgspec.Struct, frozen=True):
    """An item with all its list prices and costs, so that one cached row serves every date."""

    row: Any
    prices: tuple[tuple[str, date, date, Decimal], ...]
    costs: tuple[tuple[int, date, date, Decimal], ...]
    factors: dict[str, Decimal]
    dated: dict[Any, Item] = {}

    def on(self, when: date, currency: str, company: Company, classes: dict[int, tuple[str, ...]]) -> Item:
        """The item as it is on a date."""
        r = self.row
        key = (when, currency, company.id, company.currency, of := classes.get(r["item_class"], ()))
        if (kept := self.dated.get(key)) is not None:
            return kept
        price = next((p for c, a, z, p in self.prices if c == currency and a <= when <= z), None)
        home = price
        if currency != company.currency:
            home = next((p for c, a, z, p in self.prices if c == company.currency and a <= when <= z), None)
        cost = next((c for owner, a, z, c in self.costs if owner == company.id and a <= when <= z), Decimal(0))
        if len(self.dated) > DATES:
            self.dated.clear()
        found = self.dated[key] = Item(
            id=r["id"], number=r["number"], name=r["name"], kind=r["kind"], unit=r["unit"], classes=of, tax_category=r["tax_category"],
            tracking=r["tracking"], price=price, price_home=home, cost=cost, role=r["account_role"], active=bool(r["active"]), factors=self.factors,
        )  # fmt: skip
        return found


class _Kept(msgspec.Struct):
    """Single rows kept between documents; emptied as a whole when their version moves or they become too many."""

    rows: dict[Any, Any] = {}


async def _empty(_session: Session) -> _Kept:
    return _Kept({})


async def load_items(session: Session, keys: Iterable[int | str]) -> dict[int | str, ItemHistory]:
    """Items by id (int) or number or barcode (text); what is not found is left out."""
    wanted = set(keys)
    kept = await session.cached("newel.item", _empty)
    found = {k: kept.rows[k] for k in wanted if k in kept.rows}
    ids, numbers = [k for k in wanted - found.keys() if isinstance(k, int)], [k for k in wanted - found.keys() if isinstance(k, str)]
    if not ids and not numbers:
        return found
    rows = await session.fetch("SELECT * FROM item WHERE id = ANY(?)", ids) if ids else []
    if numbers:
        rows += await session.fetch("SELECT * FROM item WHERE number = ANY(?)", numbers)
        lacking = sorted(set(numbers) - {r["number"] for r in rows})
        if lacking:
            rows += await session.fetch("SELECT * FROM item WHERE gtin = ANY(?)", lacking)
    if len(kept.rows) > KEPT:
        kept.rows.clear()
    for item in await _histories(session, rows):
        names = {k: item for k in (item.row["id"], item.row["number"], item.row["gtin"]) if k}
        kept.rows |= names
        found |= {k: i for k, i in names.items() if k in wanted}
    return found


async def _histories(session: Session, rows: list[Any]) -> list[ItemHistory]:
    """Items with all prices, costs and units, the latest first: a price without a date is the oldest, on either database."""
    ids = [r["id"] for r in rows]
    latest = "WHERE item = ANY(?) ORDER BY COALESCE(date_from, '0001-01-01') DESC"
    prices = rows_by(await session.fetch(f"SELECT * FROM item_price {latest}", ids), "item")
    costs = rows_by(await session.fetch(f"SELECT * FROM item_cost {latest}", ids), "item")
    units = rows_by(await session.fetch("SELECT * FROM item_unit WHERE item = ANY(?)", ids), "item")
    return [
        ItemHistory(
            dict(r),
            tuple((p["currency"], *_span(p), unscaled(p["price"], PRICE)) for p in prices.get(r["id"], ())),
            tuple((c["company"], *_span(c), unscaled(c["cost"], PRICE)) for c in costs.get(r["id"], ())),
            {u["unit"]: unscaled(u["factor"], QUANTITY) for u in units.get(r["id"], ())},
        )
        for r in rows
    ]


def _span(r: Any) -> tuple[date, date]:
    return day(r["date_from"]) or date.min, day(r["date_to"]) or date.max


async def load_party(session: Session, key: int | str, master: Master) -> Party | None:
    """A party with its addresses, by id or number."""
    kept = await session.cached("newel.party", _empty)
    if key in kept.rows:
        return kept.rows[key]  # type: ignore[no-any-return]
    r = await session.one(f'SELECT * FROM party WHERE "{"id" if isinstance(key, int) else "number"}" = ?', key)
    if r is None:
        return None
    addresses = await session.fetch("SELECT * FROM address WHERE party = ? ORDER BY CASE kind WHEN 'main' THEN 0 ELSE 1 END, id", r["id"])
    party = Party(
        id=r["id"], number=r["number"], name=r["name"], classes=master.party_classes.get(r["party_class"], ()), currency=r["currency"],
        language=r["language"], terms=r["terms"], tax_id=r["tax_id"], tax_treatment=r["tax_treatment"], tax_reason=r["tax_reason"],
        limit_amount=None if r["limit_amount"] is None else unscaled(r["limit_amount"], AMOUNT), service_level=r["service_level"],
        blocked=r["blocked"], email=r["email"],
        addresses=tuple(_address(a) for a in addresses),
    )  # fmt: skip
    if len(kept.rows) > KEPT:
        kept.rows.clear()
    kept.rows[party.id] = kept.rows[party.number] = party
    return party


def _address(a: Any) -> Address:
    return Address(
        id=a["id"], party=a["party"], kind=a["kind"], name=a["name"], street=a["street"], postcode=a["postcode"], city=a["city"],
        region=a["region"], country=a["country"],
    )  # fmt: skip


async def load_addresses(session: Session, ids: Iterable[int]) -> dict[int, Address]:
    """Addresses by id: a delivery may go to the address of another party than the one that pays (DOC-10)."""
    wanted = sorted(set(ids))
    return {r["id"]: _address(r) for r in await session.fetch("SELECT * FROM address WHERE id = ANY(?)", wanted)} if wanted else {}
