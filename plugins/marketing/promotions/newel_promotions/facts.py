"""What a document needs to know of promotions, kept in the process by what they are for: a line costs the same with ten of them or a million."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import missing
from newel.store.columns import AMOUNT, PRICE, QUANTITY, unscaled
from newel.store.master import load_master
from newel.store.session import Session, day

from newel_promotions.checks import WINNER, Reach, Rivals, promotion_of
from newel_promotions.rules import PLUGIN, Coupon, Key, Promotion, PromotionFacts, coupons

KEPT = 50_000
SCALES = {
    "percent": QUANTITY, "amount": PRICE, "quantity_min": QUANTITY, "quantity_max": QUANTITY, "value_min": AMOUNT, "value_max": AMOUNT,
    "gift_quantity": QUANTITY, "gift_each": QUANTITY,
}  # fmt: skip
GROUP = "g.id AS g_id, g.code AS g_code, g.sequence AS g_sequence, g.policy AS g_policy"
# Each scope is found by its narrowest part, so that each question has an index of its own: by item and customer, item, customer, class of
# items, class of customers, or because it is for all.
BY = (
    "s.item = ANY(?) AND s.party = ANY(?)",
    "s.item = ANY(?) AND s.party IS NULL",
    "s.party = ANY(?) AND s.item IS NULL",
    "s.item_class IN (SELECT id FROM item_class WHERE code = ANY(?)) AND COALESCE(s.item, s.party) IS NULL",
    "s.party_class IN (SELECT id FROM party_class WHERE code = ANY(?)) AND COALESCE(s.item, s.party, s.item_class) IS NULL",
    "COALESCE(s.item, s.party, s.item_class, s.party_class) IS NULL",
)
# CROSS JOIN: from the scopes to their promotions, and not the other way round, which SQLite would choose.
SCOPES = f"""SELECT {{}} AS place, s.item, s.party, ic.code AS item_class, pc.code AS party_class, p.*, {GROUP}
  FROM promotions_scope s CROSS JOIN promotions_promotion p CROSS JOIN promotions_group g
  LEFT JOIN item_class ic ON ic.id = s.item_class LEFT JOIN party_class pc ON pc.id = s.party_class
 WHERE p.id = s.promotion AND g.id = p.promotion_group AND p.active = ? AND p.company = ?
   AND (p.date_from IS NULL OR p.date_from <= ?) AND (p.date_to IS NULL OR p.date_to >= ?) AND {{}}"""
Place = tuple[int, tuple[Key, ...]]  # index in BY, and the keys
Found = tuple[Key, Key, Promotion]  # what, who, promotion


class _Kept(msgspec.Struct):
    """What has been read for a company and a day; emptied as a whole when anything of promotions changes, or when it becomes too much."""

    places: dict[tuple[int, date, Place], tuple[Found, ...]] = {}
    anything: bool = False


async def _empty(session: Session) -> _Kept:
    return _Kept({}, bool(await session.fetch("SELECT id FROM promotions_promotion WHERE active = ? LIMIT 1", True)))


def decoded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored promotion with its numbers as Decimal and its dates as dates."""
    out = dict(row)
    out |= {name: unscaled(out[name], scale) for name, scale in SCALES.items() if out[name] is not None}
    return out | {"coupon": bool(out["coupon"]), "date_from": day(out["date_from"]), "date_to": day(out["date_to"])}


def _promotion(row: Mapping[str, Any]) -> Promotion:
    return promotion_of(decoded(row), {name: row[f"g_{name}"] for name in ("id", "code", "sequence", "policy")})


# ---- for a document ------------------------------------------------------------------------------------------------------------------


async def load(session: Session, document: Document, context: Context) -> PromotionFacts | None:
    """Promotions for the items and the customer of a document on its day: one statement at most, none where all is known."""
    kept = await session.cached(PLUGIN, _empty)
    named = coupons(document)
    if not named and (not kept.anything or document.phase not in ("draft", "offered")):
        return None
    if len(kept.places) > KEPT:
        kept.places.clear()
    items = {line.item.id: line.item for line in document.lines if line.item is not None}
    whom = customer(document)
    ship_to = [key for key in whom if isinstance(key, int)]
    asked: list[Place] = [(0, (id, key)) for id in items for key in ship_to]
    asked += [*((1, (id,)) for id in items), *((2, (key,)) for key in ship_to)]
    asked += [(3, (code,)) for code in sorted({code for item in items.values() for code in item.classes})]
    asked += [*((4, (key,)) for key in whom if isinstance(key, str) and key), (5, ())]
    places = [(context.company.id, document.date, place) for place in asked]
    await _read(session, kept, context.company.id, document.date, [p[2] for p in places if p not in kept.places])
    by_what: dict[Key, dict[str, Promotion]] = {}
    for place in places:
        for what, who, promotion in kept.places[place]:
            if who in whom:
                by_what.setdefault(what, {})[promotion.code] = promotion
    found = {key: tuple(promotions.values()) for key, promotions in by_what.items()}
    known, given = await _coupons(session, document, named) if named else ({}, frozenset())
    gifts = any(p.gift is not None for promotions in found.values() for p in promotions)
    return PromotionFacts(by_what=found, gifts=gifts, coupons=known, given=given)


def customer(document: Document) -> tuple[Key, ...]:
    """Who gets the goods, the classes of who buys them, and everybody."""
    party = document.party
    here: list[Key] = [document.ship_to.party] if document.ship_to is not None else [party.id] if party is not None else []
    return (*here, *(party.classes if party is not None else ()), "")


async def _read(session: Session, kept: _Kept, company: int, when: date, lacking: Sequence[Place]) -> None:
    if not lacking:
        return
    found: dict[Place, list[Found]] = {place: [] for place in lacking}
    parts: list[str] = []
    args: list[Any] = []
    for n, condition in enumerate(BY):
        keys = [key for place, key in lacking if place == n]
        if keys:
            parts.append(SCOPES.format(n, condition))
            args += [True, company, when, when, *(sorted(set(column)) for column in zip(*keys, strict=True))]
    for r in await session.fetch(" UNION ALL ".join(parts), *args):
        item, party, item_class, party_class = r["item"], r["party"], r["item_class"], r["party_class"]
        own = ((item, party), (item,), (party,), (item_class,), (party_class,), ())[r["place"]]
        found[(r["place"], own)].append((item or item_class or "", party or party_class or "", _promotion(r)))
    kept.places.update({(company, when, place): tuple(rows) for place, rows in found.items()})


async def _coupons(session: Session, document: Document, named: Iterable[str]) -> tuple[dict[str, Coupon], frozenset[str]]:
    """The coupons that a document names, how often they were used, and which promotions stand in the stored price steps."""
    rows = await session.fetch(
        "SELECT c.*, p.code AS promotion_code FROM promotions_coupon c JOIN promotions_promotion p ON p.id = c.promotion "
        "WHERE c.code = ANY(?) AND c.company = ? AND c.active = ?",
        list(named), document.company, True,
    )  # fmt: skip
    steps = await session.fetch("SELECT rule FROM price_step WHERE document = ? AND plugin = ? GROUP BY rule", document.id, PLUGIN) if rows else []
    party = document.party.id if document.party else None
    used = await _used(session, rows, [party])
    sql = "SELECT coupon, CAST(SUM(uses) AS BIGINT) AS n FROM promotions_use WHERE document = ? GROUP BY coupon"
    counts = {r["coupon"]: r["n"] for r in await session.fetch(sql, document.id)} if rows else {}
    known = {r["code"]: _coupon(r, r["promotion_code"], used[(r["id"], None)], used[(r["id"], party)], counts.get(r["id"], 0)) for r in rows}
    return known, frozenset(r["rule"] for r in steps)


def _coupon(r: Any, promotion: str, used: int, by_party: int, here: int = 0) -> Coupon:
    return Coupon(
        id=r["id"], code=r["code"], promotion=promotion, uses_max=r["uses_max"], uses_party=r["uses_party"], used=used, by_party=by_party, here=here
    )  # fmt: skip


async def _used(session: Session, rows: Iterable[Any], parties: Iterable[int | None]) -> Mapping[tuple[int, int | None], int]:
    """How often coupons were used by these customers, and at all (no customer); only where that is limited."""
    sql = "SELECT coupon, {} AS party, CAST(SUM(uses) AS BIGINT) AS n FROM promotions_use WHERE coupon = ANY(?)"
    limited = list(rows)
    most, each = [[r["id"] for r in limited if r[name] is not None] for name in ("uses_max", "uses_party")]
    found = await session.fetch(sql.format("CAST(NULL AS BIGINT)") + " GROUP BY coupon", most) if most else []
    whose = sorted({p for p in parties if p is not None})
    found += await session.fetch(sql.format("party") + " AND party = ANY(?) GROUP BY coupon, party", each, whose) if each and whose else []
    return Counter({(r["coupon"], r["party"]): r["n"] for r in found})


async def scopes_of(session: Session, promotion: int, context: Context) -> tuple[Promotion, list[Found]]:
    """A promotion, draft or not, with its scopes; Refused 404 where there is none."""
    rows = await session.fetch(
        f"SELECT s.id AS scope, s.item, s.party, ic.code AS item_class, pc.code AS party_class, p.*, {GROUP} FROM promotions_promotion p "
        "JOIN promotions_group g ON g.id = p.promotion_group LEFT JOIN promotions_scope s ON s.promotion = p.id "
        "LEFT JOIN item_class ic ON ic.id = s.item_class LEFT JOIN party_class pc ON pc.id = s.party_class WHERE p.id = ? AND p.company = ?",
        promotion, context.company.id,
    )  # fmt: skip
    if not rows:
        raise missing("promotion", promotion, "promotion")
    found = _promotion(rows[0])
    return found, [(r["item"] or r["item_class"] or "", r["party"] or r["party_class"] or "", found) for r in rows if r["scope"] is not None]


# ---- for the checks of records -------------------------------------------------------------------------------------------------------


async def uses(session: Session, rows: Sequence[Mapping[str, Any]], _context: Context) -> dict[tuple[int, int | None], Coupon]:
    """The coupons of uses that are being written, locked, with these uses counted: what is decided with them holds until the commit."""
    wanted = [(r["coupon"], r["party"]) for r in rows]
    sql = "SELECT * FROM promotions_coupon WHERE id = ANY(?) ORDER BY id FOR UPDATE"
    locked = {r["id"]: r for r in await session.fetch(sql, sorted({coupon for coupon, _ in wanted}))}
    used = await _used(session, locked.values(), [party for _, party in wanted])
    out = {}
    for coupon, party in set(wanted):
        total = used[(coupon, None)] + sum(r["uses"] for r in rows if r["coupon"] == coupon)
        own = used[(coupon, party)] + sum(r["uses"] for r in rows if (r["coupon"], r["party"]) == (coupon, party))
        out[(coupon, party)] = _coupon(locked[coupon], "", total, own if party is not None else 0)
    return out


async def rivals(session: Session, rows: Sequence[Mapping[str, Any]], context: Context) -> Rivals:
    """Promotions that compete with those which rows of groups, promotions or scopes are about, as they would be afterwards."""
    gifts = sorted({r["gift"] for r in rows if r.get("gift") is not None})
    priced = await session.fetch("SELECT item FROM item_price WHERE item = ANY(?)", gifts) if gifts else []
    about = [r for r in rows if r.get("id") is not None or "promotion" in r]
    scoped = [r["promotion"] for r in about if "promotion" in r]
    where = "g.id = ANY(?)" if "policy" in rows[0] else "g.id IN (SELECT promotion_group FROM promotions_promotion WHERE id = ANY(?)) OR g.id = ANY(?)"
    args = [[r["id"] for r in about]] if "policy" in rows[0] else [scoped, [r["promotion_group"] for r in about if "promotion_group" in r]]
    groups = {r["id"]: dict(r) for r in await session.fetch(f"SELECT * FROM promotions_group g WHERE {where}", *args)}
    groups |= {r["id"]: {**groups[r["id"]], **r} for r in about if "policy" in r}
    deciding = [g for g, r in groups.items() if r["policy"] in WINNER]
    stored = await session.fetch("SELECT * FROM promotions_promotion WHERE promotion_group = ANY(?) AND active = ?", deciding, True) if deciding else []
    values = {r["id"]: decoded(r) for r in stored}
    own = {r["id"]: dict(r) for r in about if "promotion_group" in r}
    values = {id: r for id, r in (values | own).items() if (id not in own or r["active"]) and r["promotion_group"] in deciding}
    promotions = {id: promotion_of(r, groups[r["promotion_group"]]) for id, r in values.items()}
    reaches = await _reaches(session, list(promotions), [r for r in about if "promotion" in r])
    exclusive = await session.fetch("SELECT code, sequence FROM promotions_group WHERE policy = 'exclusive' AND company = ?", context.company.id)
    return Rivals(
        members=tuple((p, tuple(reaches.get(id, ()))) for id, p in promotions.items()),
        changed=frozenset(own or scoped or promotions),
        exclusive={s: frozenset(r["code"] for r in exclusive if r["sequence"] == s) for s in {r["sequence"] for r in exclusive}},
        prices=frozenset(r["item"] for r in priced),
    )


async def _reaches(session: Session, promotions: list[int], changed: Sequence[Mapping[str, Any]]) -> dict[int, list[Reach]]:
    """The scopes of promotions, with those that are being changed, and everything that is above them."""
    stored = await session.fetch("SELECT * FROM promotions_scope WHERE promotion = ANY(?)", promotions) if promotions else []
    replaced = {r["id"] for r in changed}
    rows = [*(r for r in stored if r["id"] not in replaced), *(r for r in changed if r["promotion"] in promotions)]
    master = await load_master(session)
    items = await _classes(session, "item", sorted({r["item"] for r in rows if r["item"]}), master.item_classes)
    parties = await _classes(session, "party", sorted({r["party"] for r in rows if r["party"]}), master.party_classes)
    out: dict[int, list[Reach]] = {}
    for r in rows:
        what = (r["item"], *items.get(r["item"], ())) if r["item"] else master.item_classes.get(r["item_class"] or 0, ())
        who = (r["party"], *parties.get(r["party"], ())) if r["party"] else master.party_classes.get(r["party_class"] or 0, ())
        out.setdefault(r["promotion"], []).append(((*what, ""), (*who, "")))
    return out


async def _classes(session: Session, table: str, ids: list[int], paths: Mapping[int, tuple[str, ...]]) -> dict[int, tuple[str, ...]]:
    rows = await session.fetch(f"SELECT id, {table}_class AS class FROM {table} WHERE id = ANY(?)", ids) if ids else []
    return {r["id"]: paths.get(r["class"], ()) for r in rows}
