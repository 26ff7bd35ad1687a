"""What a promotion has given, and what a draft would have given: by the stored price steps, and by the same rules on past orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Company, Context
from newel.domain.document import Document, Line
from newel.domain.master import Master
from newel.domain.money import HUNDRED, ONE, ZERO, plain, product, rounded
from newel.domain.pricing import adjusted
from newel.errors import missing
from newel.manifest import Column, Panel, Parameter, Report, Shown
from newel.services.app import Newel
from newel.services.guards import may
from newel.store.columns import AMOUNT, RATE, unscaled
from newel.store.documents import Shapes, read_documents
from newel.store.master import load_items, load_master
from newel.store.session import Session, day

from newel_promotions.facts import Found, customer, load, scopes_of
from newel_promotions.rules import GIFT, PLUGIN, Deal, Promotion, PromotionData, PromotionFacts, PromotionSettings, within

BATCH = 200
ALWAYS = (date(1900, 1, 1), date(2200, 1, 1))
# Orders: what is a sale, has been confirmed, and was not an offer that went on into another sale.
SOLD = (
    "d.company = ? AND d.role = 'sale' AND d.phase IN ('open', 'done') AND d.date >= ? AND d.date <= ? AND NOT EXISTS (SELECT 1 FROM line_link k "
    "JOIN document t ON t.id = k.to_document WHERE k.from_document = d.id AND t.role = 'sale')"
)
ANALYSIS = f"""
SELECT d.id AS document, d.number, d.date, d.rate, d.prices_include_tax, p.name AS party, l.net, l.cost, l.taxes,
       CAST(SUM(CASE WHEN s.sequence = 0 THEN s.amount_out ELSE 0 END) AS BIGINT) AS gross,
       CAST(SUM(CASE WHEN s.plugin = ? AND s.rule = ? THEN s.amount_in - s.amount_out ELSE 0 END) AS BIGINT) AS discount
  FROM document d JOIN price_step s ON s.document = d.id JOIN document_line l ON l.id = s.line LEFT JOIN party p ON p.id = d.party
 WHERE {SOLD} AND d.id IN (SELECT document FROM price_step WHERE plugin = ? AND rule = ?)
 GROUP BY d.id, p.id, l.id ORDER BY d.date, d.id, l.id
"""
NUMBERS = ("gross", "discount", "net", "cost")


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What a promotion would have done, in the company's currency and without tax.

    Args:
        orders: looked at. touched: of these, those that it would have changed; rows has each of them.
        gross, net: of the touched orders without and with the promotion. margin: net less cost, with it.
        overlaps: code of another promotion -> touched orders in which it was given as well, or would have had to yield.
    """

    orders: int = 0
    touched: int = 0
    gross: Decimal = ZERO
    discount: Decimal = ZERO
    net: Decimal = ZERO
    cost: Decimal = ZERO
    margin: Decimal = ZERO
    overlaps: dict[str, int] = {}
    rows: tuple[dict[str, Any], ...] = ()


async def rehearse(app: Newel, promotion: int, date_from: date | None, date_to: date | None, context: Context) -> Rehearsal:
    """Run a promotion, draft or not, over the orders of past days, with all others that hold on those days; nothing is written.

    Each order is priced from what it came to before any discount of a rule. A coupon that the promotion wants counts as named.

    Raises:
        Refused: 403 without promotions.rehearsal.view, 404 where there is no such promotion.
    """
    may(context, "promotions.rehearsal.view")
    async with app.database.read() as session:
        return await rehearsed(session, promotion, date_from, date_to, context)


async def rehearsed(session: Session, promotion: int, date_from: date | None, date_to: date | None, context: Context) -> Rehearsal:
    """The same inside a transaction."""
    draft, scopes = await scopes_of(session, promotion, context)
    draft = msgspec.structs.replace(draft, coupon=False)
    sql = f"SELECT d.id FROM document d WHERE {SOLD} ORDER BY d.id"
    ids = [r["id"] for r in await session.fetch(sql, context.company.id, date_from or ALWAYS[0], date_to or ALWAYS[1])]
    master, shapes = await load_master(session), Shapes({PLUGIN: PromotionData}, {})
    rows, overlaps = [], Counter[str]()
    for start in range(0, len(ids), BATCH):
        for document in await read_documents(session, ids[start : start + BATCH], master, shapes, steps=True):
            row = await _order(session, draft, scopes, _before(document), master, context)
            if row:
                overlaps.update(row["others"])
                rows.append(row | {"others": " ".join(row["others"])})
    sums = {name: sum((r[name] for r in rows), ZERO) for name in (*NUMBERS, "margin")}
    return Rehearsal(orders=len(ids), touched=len(rows), overlaps=dict(overlaps), rows=tuple(rows), **sums)


def _before(document: Document) -> Document:
    """The order as it was before any discount of a rule, as if it had been entered and not made from an offer."""
    lines = []
    for line in [line for line in document.lines if not line.key.startswith(GIFT)]:
        steps = [s for i, s in enumerate(line.steps) if s.stage in ("base", "manual") or not i]
        lines.append(msgspec.structs.replace(line, net=steps[-1].amount_out if steps else ZERO, steps=(), copied_from=None))
    return msgspec.structs.replace(document, lines=tuple(lines), phase="draft")


async def _order(
    session: Session, draft: Promotion, scopes: list[Found], document: Document, master: Master, context: Context
) -> dict[str, Any] | None:  # fmt: skip
    """What the promotion would have done to one order; None for nothing."""
    whom = customer(document)
    here = {what for what, who, _ in scopes if who in whom}
    if not here or not within(document.date, draft.date_from, draft.date_to):
        return None
    found = await load(session, document, context) or PromotionFacts()
    without = {what: tuple(p for p in promotions if p.id != draft.id) for what, promotions in found.by_what.items()}
    with_it = without | {what: (*without.get(what, ()), draft) for what in here}
    deals = [Deal(document, msgspec.structs.replace(found, by_what=by), master, context.company, PromotionSettings()) for by in (without, with_it)]
    (old, used), (new, given) = (result(deal) for deal in deals)
    extra, cost = await _gifts(session, draft, deals[1], master, context.company)
    net = {line.id: document.rate / deals[0].factor("net", line) for line in document.lines}
    before, after = (_money(sum((values[id] * net[id] for id in net), ZERO), context.company) for values in (old, new))
    if draft.code not in given and not extra:
        return None
    cost += sum((line.cost for line in document.lines), ZERO)
    return {
        "document": document.id, "number": document.number, "date": document.date, "party": document.party.name if document.party else "",
        "gross": before + extra, "discount": before + extra - after, "net": after, "cost": cost, "margin": after - cost,
        "others": sorted(used | given - {draft.code}),
    }  # fmt: skip


def result(deal: Deal) -> tuple[dict[int, Decimal], set[str]]:
    """What each line comes down to by the kernel's arithmetic, and the codes of what is given."""
    at, given = deal.document, set()
    for stage in ("line", "document"):
        left = {line.id: line.net for line in at.lines}
        steps: dict[int, list[Any]] = {line.id: list(line.steps) for line in at.lines}
        for change in Deal(at, deal.facts, deal.master, deal.company, deal.settings).adjustments(stage):
            assert change.line is not None
            left[change.line] = adjusted(left[change.line], change, at.amount_digits, deal.company.rounding)
            steps[change.line].append(msgspec.structs.replace(change, plugin=PLUGIN))
            given.add(change.rule)
        lines = tuple(msgspec.structs.replace(line, net=left[line.id], steps=tuple(steps[line.id])) for line in at.lines)
        at = msgspec.structs.replace(at, lines=lines)
    return {line.id: line.net for line in at.lines}, given


async def _gifts(session: Session, draft: Promotion, deal: Deal, master: Master, company: Company) -> tuple[Decimal, Decimal]:
    """What the gifts of a promotion would have been worth at list price, and what they would have cost."""
    given = [entered.quantity for line in deal.document.lines for code, entered in deal.gifts(line) if code == draft.code]
    if not given or draft.gift is None:
        return ZERO, ZERO
    item = (await load_items(session, [draft.gift]))[draft.gift].on(deal.document.date, company.currency, company, master.item_classes)
    worth, cost = (_money(product(each or ZERO, sum(given, ZERO)), company) for each in (item.price, item.cost))
    return worth, cost


def _money(amount: Decimal, company: Company) -> Decimal:
    return rounded(amount, company.amount_digits, company.rounding)


# ---- what was nearly given -----------------------------------------------------------------------------------------------------------


def nearly(deal: Deal) -> list[Panel]:
    """With each line the promotions that lack nothing but quantity or order value, and how much of it."""
    stages = {per: _deal_before(deal, later) for per, later in (("line", ("line", "document", "tax")), ("document", ("document", "tax")))}
    of: dict[str, list[Line]] = {}
    found = {line.id: list(deal.candidates(line)) for line in deal.lines if line.net > 0}
    for line in deal.lines:
        for p in found.get(line.id, ()):
            of.setdefault(p.code, []).append(line)
    out = []
    for line in deal.lines:
        rows: list[tuple[str, str | Shown]] = []
        for p in found.get(line.id, ()):
            at = stages["document" if p.per == "document" else "line"]
            rows += _lacks(at, p, line, sum((x.quantity_base for x in of[p.code]), ZERO) if p.per == "document" else line.quantity_base)
        if rows:
            out.append(Panel(title="Nearly applied: so much more is needed", rows=tuple(rows), line=line.id, slot="why", sequence=20))
    return out


def _deal_before(deal: Deal, later: tuple[str, ...]) -> Deal:
    """The same with the amounts that the lines had before these stages."""
    before = {line.id: next((s.amount_out for s in reversed(line.steps) if s.stage not in later), line.net) for line in deal.document.lines}
    lines = tuple(msgspec.structs.replace(line, net=before[line.id]) for line in deal.document.lines)
    return Deal(msgspec.structs.replace(deal.document, lines=lines), deal.facts, deal.master, deal.company, deal.settings)


def _lacks(deal: Deal, p: Promotion, line: Line, quantity: Decimal) -> Iterator[tuple[str, Shown]]:
    more = max((p.quantity_min or ZERO) - quantity, ZERO)
    worth = max(deal.converted(p.value_min, p) - deal.worth[p.basis], ZERO) if p.value_min is not None else ZERO
    if not deal.fits(msgspec.structs.replace(p, quantity_min=None, value_min=None), quantity + more) or line.item is None:
        return
    if more:
        yield p.name, Shown(value=plain(more), unit=line.item.unit)
    if worth:
        digits = deal.document.amount_digits
        yield p.name, Shown(value=rounded(worth, digits, "up"), digits=digits, unit=deal.document.currency)


# ---- reports -------------------------------------------------------------------------------------------------------------------------


async def analysis(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Gross sales, discount and margin of the orders that contain a promotion (PRC-09), in the company's currency without tax."""
    code = await session.value("SELECT code FROM promotions_promotion WHERE id = ? AND company = ?", parameters["promotion"], context.company.id)
    if code is None:
        raise missing("promotion", parameters["promotion"], "promotion")
    span = (parameters.get("date_from") or ALWAYS[0], parameters.get("date_to") or ALWAYS[1])
    orders: dict[int, dict[str, Any]] = {}
    for r in await session.fetch(ANALYSIS, PLUGIN, code, context.company.id, *span, PLUGIN, code):
        rate = unscaled(r["rate"], RATE)
        taxes = msgspec.json.decode(r["taxes"]) if r["prices_include_tax"] else []
        taxed = ONE + sum((Decimal(t["rate"]) for t in taxes), ZERO) / HUNDRED
        about = {"document": r["document"], "number": r["number"], "date": day(r["date"]), "party": r["party"], **dict.fromkeys(NUMBERS, ZERO)}
        row = orders.setdefault(r["document"], about)
        for name, each in (("gross", rate / taxed), ("discount", rate / taxed), ("net", rate), ("cost", ONE)):
            row[name] += product(unscaled(r[name], AMOUNT), each)
    for row in orders.values():
        row |= {name: _money(row[name], context.company) for name in NUMBERS}
        row["margin"] = row["net"] - row["cost"]
        row["percent"] = rounded(row["margin"] * HUNDRED / row["net"], 1) if row["net"] else None
    return list(orders.values())


async def rehearsal(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """The orders that a promotion would have changed."""
    return list((await rehearsed(session, parameters["promotion"], parameters.get("date_from"), parameters.get("date_to"), context)).rows)


PARAMETERS = (
    Parameter(name="promotion", label="Promotion", type="promotions.promotion", required=True),
    Parameter(name="date_from", label="From", type="date"),
    Parameter(name="date_to", label="To", type="date"),
)
ORDER = (
    Column(name="document", label="Order", type="document", text="number"), Column(name="date", label="Date", type="date"),
    Column(name="party", label="Customer"), Column(name="gross", label="Gross sales", type="amount", total=True),
    Column(name="discount", label="Discount", type="amount", total=True), Column(name="net", label="Net", type="amount", total=True),
    Column(name="cost", label="Cost", type="amount", total=True, right="newel.costs"),
    Column(name="margin", label="Margin", type="amount", total=True, right="newel.costs"),
)  # fmt: skip
REPORTS = (
    Report(
        name="promotions.analysis", label="Promotion analysis", menu="Sales", load=analysis, parameters=PARAMETERS,
        columns=(*ORDER, Column(name="percent", label="Margin %", type="percent", right="newel.costs")),
        help="The orders that contain a promotion: sales before all discounts, what the promotion took off, and the margin.",
    ),
    Report(
        name="promotions.rehearsal", label="Promotion rehearsal", menu="Sales", load=rehearsal, parameters=PARAMETERS,
        columns=(*ORDER, Column(name="others", label="Other promotions")),
        help="What a promotion, even a draft, would have given on past orders: gross sales are what they would have come to without it.",
    ),
)  # fmt: skip
