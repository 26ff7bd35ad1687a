"""What was sold and earned, from the journal's postings to income; set-based, amounts as scaled integers until the end."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.manifest import Column, Parameter, Report
from newel.store.columns import AMOUNT, unscaled
from newel.store.session import Session, day, narrowed

from newel_dashboards import rules
from newel_dashboards.rules import Span

PLACE = " LEFT JOIN address a ON a.id = COALESCE(d.ship_to, d.bill_to, (SELECT MIN(x.id) FROM address x WHERE x.party = d.party))"
PARTY, ITEM = " LEFT JOIN party p ON p.id = d.party", " LEFT JOIN item i ON i.id = l.item"
PARTY_CLASS = f"{PARTY} LEFT JOIN party_class pc ON pc.id = p.party_class"
ITEM_CLASS = f"{ITEM} LEFT JOIN item_class ic ON ic.id = i.item_class"
REGION = "a.country || '-' || a.region"
MONTH, TITLE = "SUBSTR(CAST(d.date AS TEXT), 1, 7)", "{0}.{1} || ' ' || {0}.name"


class Dimension(msgspec.Struct, frozen=True):
    """By what figures are grouped. given: the parameter by which one of its values is asked for; goods: only of sales, not of receivables."""

    label: str
    key: str
    text: str
    join: str = ""
    given: str = ""
    goods: bool = False
    time: int = 0


DIMENSIONS = {
    "month": Dimension(label="Month", key=MONTH, text=MONTH, goods=True, time=1),
    "quarter": Dimension(label="Quarter", key=MONTH, text=MONTH, goods=True, time=3),
    "year": Dimension(label="Year", key=MONTH, text=MONTH, goods=True, time=12),
    "customer": Dimension(label="Customer", key="p.id", text=TITLE.format("p", "number"), join=PARTY, given="party"),
    "customer_class": Dimension(label="Customer class", key="pc.id", text=TITLE.format("pc", "code"), join=PARTY_CLASS, given="party_class"),
    "item": Dimension(label="Item", key="i.id", text=TITLE.format("i", "number"), join=ITEM, given="item", goods=True),
    "item_class": Dimension(label="Item class", key="ic.id", text=TITLE.format("ic", "code"), join=ITEM_CLASS, given="item_class", goods=True),
    "country": Dimension(label="Territory", key="a.country", text="a.country", join=PLACE, given="country"),
    "region": Dimension(label="Region", key=REGION, text=REGION, join=PLACE, given="region"),
    "representative": Dimension(label="Representative", key="''", text="''", given="representative"),
}
GIVEN = {
    "party": "d.party =", "item": "l.item =", "party_class": "(SELECT y.party_class FROM party y WHERE y.id = d.party) =",
    "item_class": "(SELECT y.item_class FROM item y WHERE y.id = l.item) =", "country": "a.country =", "region": f"{REGION} =",
}  # fmt: skip
# The offers and orders behind a line (or a document); a credit note's are those of its invoice.
SALE = """(SELECT CAST(s.data AS TEXT) FROM document s WHERE s.id = (SELECT MIN(k.from_document) FROM line_link k JOIN document x ON x.id = k.from_document
 AND x.role = 'sale' WHERE k.to_{0} = COALESCE((SELECT MIN(c.from_{0}) FROM line_link c WHERE c.to_{0} = {1} AND c.kind = 'credited'), {1})))"""
# What each document posted to income, and the lines that it comes from. Conversion into the company's currency is rounded for a document, so the
# lines of one that is in another currency share what was posted; all others are what was posted.
INCOME = """l.settles IS NULL AND (l.account_role = '' OR l.account_role IN (SELECT m.role FROM account_mapping m JOIN account t ON t.id = m.account
 WHERE m.company = ? AND t.kind = 'income'))"""
POSTED = f"""
WITH v AS (
  SELECT e.document, CAST(SUM(q.credit - q.debit) AS BIGINT) AS posted
    FROM journal_entry e JOIN posting q ON q.entry = e.id JOIN account t ON t.id = q.account JOIN document o ON o.id = e.document
   WHERE e.company = ? AND e.date >= ? AND e.date <= ? AND o.role = 'invoice' AND t.kind = 'income' AND q.role NOT IN ('rounding', 'exchange')
   GROUP BY e.document),
w AS (
  SELECT v.document, v.posted, CAST(SUM(l.net) AS BIGINT) AS whole FROM v JOIN document_line l ON l.document = v.document WHERE {INCOME}
   GROUP BY v.document, v.posted)
"""
SUMS = """
SELECT {dims}, CAST(SUM(CASE WHEN w.posted = w.whole THEN l.net ELSE -l.net END) AS BIGINT) AS revenue,
       CAST(SUM(CASE WHEN w.posted = w.whole THEN l.cost ELSE -l.cost END) AS BIGINT) AS cost
  FROM w JOIN document d ON d.id = w.document JOIN document_line l ON l.document = d.id {joins}
 WHERE {income} AND (w.posted = w.whole OR w.posted = -w.whole)
"""
LINES = """
, n AS (SELECT l.id, CAST(SUM(l.net) OVER (PARTITION BY l.document ORDER BY l.id) AS BIGINT) AS after
          FROM w JOIN document_line l ON l.document = w.document WHERE {income} {odd})
SELECT {dims}, d.id AS document, d.number, d.date, l.text, l.net, l.cost, w.posted, w.whole, n.after, {sale} AS data
  FROM w JOIN document d ON d.id = w.document JOIN document_line l ON l.document = d.id JOIN n ON n.id = l.id {joins}
 WHERE (1 = 1)
"""
ODD = "AND w.posted <> w.whole AND w.posted <> -w.whole"


def joins(parameters: dict[str, Any], by: Sequence[str]) -> str:
    """What the dimensions and the parameters need beside documents and lines, each once."""
    wanted = [DIMENSIONS[b].join for b in by]
    wanted += [d.join for d in DIMENSIONS.values() if d.join and (d.given in ("country", "region") and parameters.get(d.given))]
    wanted += [DIMENSIONS[w].join for w in [parameters.get("without")] if w in DIMENSIONS]
    parts = dict.fromkeys(f" LEFT JOIN {x.strip()}" for j in wanted for x in j.split(" LEFT JOIN ") if x.strip())
    return "".join(parts)


def narrow(sql: str, args: list[Any], parameters: dict[str, Any]) -> tuple[str, list[Any]]:
    """Only what the parameters ask for; `without` a dimension: what has no value there."""
    without = rules.chosen("without", parameters.get("without") or "", DIMENSIONS)
    if without and without != "representative":
        sql = f"{sql} AND COALESCE(CAST({DIMENSIONS[without].key} AS TEXT), '') IN ('', '-')"
    return narrowed(sql, args, parameters, GIVEN)


def selected(by: Sequence[str]) -> str:
    """Key and name of each dimension as columns."""
    return ", ".join(f"{DIMENSIONS[b].key} AS k{n}, {DIMENSIONS[b].text} AS t{n}" for n, b in enumerate(by)) or "0 AS k0, '' AS t0"


def representatives(data: str | None) -> list[tuple[str, Decimal]]:
    """Who sold it, with their shares in percent; nobody has all of it."""
    found = msgspec.json.decode(data).get("sales", {}).get("representatives") if data else None
    return [(r["representative"], Decimal(str(r["percent"]))) for r in found] if found else [("", Decimal(100))]


def shares(data: str | None, amounts: Sequence[int], unit: int) -> list[tuple[str, list[int]]]:
    """Amounts by representative; the parts add up to the amounts."""
    who = representatives(data)
    columns = [rules.split(a, [p for _, p in who], unit) for a in amounts]
    return [(code, [c[n] for c in columns]) for n, (code, _p) in enumerate(who)]


def sold_by(parameters: dict[str, Any], code: str) -> bool:
    """Whether a representative's part is asked for."""
    return (parameters.get("representative") or code) == code and (parameters.get("without") != "representative" or not code)


def shared(by: Sequence[str], parameters: dict[str, Any]) -> bool:
    """Whether amounts are to be divided among representatives."""
    return "representative" in by or bool(parameters.get("representative")) or parameters.get("without") == "representative"


async def lines(session: Session, parameters: dict[str, Any], context: Context, within: Span, by: Sequence[str], odd: bool) -> list[dict[str, Any]]:
    """Line by line with revenue and cost. odd: only of documents whose lines share what was posted."""
    company, sale = context.company.id, SALE.format("line", "l.id") if shared(by, parameters) else "''"
    sql = POSTED + LINES.format(dims=selected(by), joins=joins(parameters, by), income=INCOME, odd=ODD if odd else "", sale=sale)
    sql, args = narrow(sql, [company, within.start, within.end, company, company], parameters)
    unit, out = 10 ** (AMOUNT - context.company.amount_digits), []
    for r in await session.fetch(f"{sql} ORDER BY d.date, d.id, l.id", *args):
        if abs(r["posted"]) == abs(r["whole"]):
            sign = 1 if r["posted"] == r["whole"] else -1
            amounts = [sign * r["net"], sign * r["cost"]]
        else:
            sign = (r["posted"] > 0) - (r["posted"] < 0)
            amounts = [rules.piece(r["posted"], r["after"] - r["net"], r["after"], r["whole"], unit), sign * r["cost"]]
        parts = shares(r["data"], amounts, unit) if shared(by, parameters) else [("", amounts)]
        out += [{**dict(r), "representative": code, "amounts": part} for code, part in parts if not shared(by, parameters) or sold_by(parameters, code)]
    return out


async def sums(session: Session, parameters: dict[str, Any], context: Context, within: Span, by: Sequence[str]) -> list[Any]:
    """(keys, names, [revenue, cost]) of a span, in company currency; a group may come more than once."""
    company, out = context.company.id, []
    if not shared(by, parameters):
        sql = POSTED + SUMS.format(dims=selected(by), joins=joins(parameters, by), income=INCOME)
        sql, args = narrow(sql, [company, within.start, within.end, company, company], parameters)
        keys = ", ".join(str(n + 1) for n in range(2 * len(by)))
        out = [named(r, by, "", [r["revenue"], r["cost"]]) for r in await session.fetch(f"{sql} GROUP BY {keys}", *args)]
    rows = await lines(session, parameters, context, within, by, odd=not shared(by, parameters))
    return out + [named(r, by, r["representative"], r["amounts"]) for r in rows]


def named(r: Any, by: Sequence[str], code: str, amounts: list[int]) -> Any:
    """A row by its dimensions: times as text of their length, what has no value as nothing."""
    keys: list[Any] = []
    names: list[str] = []
    for n, b in enumerate(by):
        key, text = r[f"k{n}"], r[f"t{n}"]
        if b == "representative":
            key = text = code
        elif DIMENSIONS[b].time:
            key = text = period(key, DIMENSIONS[b].time)
        keys.append("" if text in (None, "", "-") else key)
        names.append(text or "")
    return tuple(keys), tuple(names), amounts


def period(month: str, length: int) -> str:
    """2026-05 as itself, as 2026-Q2 or as 2026."""
    year, _, n = month.partition("-")
    return {1: month, 3: f"{year}-Q{(int(n) + 2) // 3}", 12: year}[length]


def later(key: Any, months: int) -> Any:
    """The period some months later, so that it stands beside the one that it is compared with."""
    year, _, rest = str(key).partition("-")
    if not rest:
        return str(int(year) + months // 12)
    quarter = rest.startswith("Q")
    at = int(year) * (4 if quarter else 12) + int(rest.lstrip("Q")) - 1 + months // (3 if quarter else 1)
    year_, n = divmod(at, 4 if quarter else 12)
    return f"{year_}-Q{n + 1}" if quarter else f"{year_:04}-{n + 1:02}"


def dimensions(parameters: dict[str, Any]) -> list[str]:
    """The one or two dimensions that are asked for."""
    by = [rules.chosen(n, parameters.get(n) or "", DIMENSIONS) for n in ("by", "and_by")]
    return list(dict.fromkeys(b for b in (by[0] or "customer", by[1]) if b))


async def sales(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Revenue, cost, gross profit and margin by one or two dimensions, with those of the compared span (REP-01, REP-04)."""
    by, within = dimensions(parameters), rules.span(parameters, context.today)
    how = rules.chosen("compare", parameters.get("compare") or "", rules.COMPARE)
    before: list[Any] = []
    if how:
        other, months = within.compared(how)
        before = [
            (tuple(later(k, months) if DIMENSIONS[b].time and months else k for k, b in zip(keys, by, strict=True)), names, amounts)
            for keys, names, amounts in await sums(session, parameters, context, other, by)
        ]
        before = [(k, tuple(str(x) if DIMENSIONS[b].time else n for x, n, b in zip(k, names, by, strict=True)), a) for k, names, a in before]
    found = rules.grouped(await sums(session, parameters, context, within, by), before, 2)
    top = parameters.get("top")
    out = []
    for keys, g in rules.sorted_groups(found, rules.TOP if top is None else int(top), [bool(DIMENSIONS[b].time) for b in by]):
        (revenue, cost), (old, old_cost) = ([unscaled(n, AMOUNT) for n in side] for side in (g.amounts, g.before))
        out.append(
            {"one": g.names[0], "two": g.names[1] if len(by) > 1 else "", "keys": list(keys), "revenue": revenue, "cost": cost, "profit": revenue - cost,
             "margin": rules.percent(revenue - cost, revenue), "revenue_before": old if how else None, "profit_before": old - old_cost if how else None,
             "change": rules.percent(revenue - old, old) if how else None}
        )  # fmt: skip
    return out


async def sales_lines(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """The lines of invoices and credit notes behind each figure of the analysis, with the same parameters."""
    out = []
    for r in await lines(session, parameters, context, rules.span(parameters, context.today), ["customer", "item"], odd=False):
        revenue, cost = (unscaled(n, AMOUNT) for n in r["amounts"])
        out.append(
            {"document": r["document"], "number": r["number"], "date": day(r["date"]), "party": r["t0"] or "", "item": r["t1"] or "", "text": r["text"],
             "revenue": revenue, "cost": cost, "profit": revenue - cost}
        )  # fmt: skip
    return out


NARROW = (
    Parameter(name="party", label="Customer", type="newel.party"), Parameter(name="party_class", label="Customer class", type="newel.party_class"),
    Parameter(name="item", label="Item", type="newel.item"), Parameter(name="item_class", label="Item class", type="newel.item_class"),
    Parameter(name="country", label="Territory"), Parameter(name="region", label="Region"), Parameter(name="representative", label="Representative"),
    Parameter(name="without", label="Without"),
)  # fmt: skip
DAYS = (Parameter(name="date_from", label="From", type="date"), Parameter(name="date_to", label="To", type="date"))
BY, AND_BY = Parameter(name="by", label="By"), Parameter(name="and_by", label="And by")
COSTS = "newel.costs"
EARNED = (
    Column(name="revenue", label="Revenue", type="amount", total=True), Column(name="cost", label="Cost", type="amount", total=True, right=COSTS),
    Column(name="profit", label="Gross profit", type="amount", total=True, right=COSTS),
)  # fmt: skip
DOCUMENT = (Column(name="document", label="Document", type="document", text="number"), Column(name="date", label="Date", type="date"))
REPORTS = (
    Report(
        name="dashboards.sales", label="Sales analysis", load=sales, help="What was invoiced and earned, compared with another time.",
        parameters=(*DAYS, BY, AND_BY, Parameter(name="compare", label="Compare with"), Parameter(name="top", label="The largest", type="decimal"), *NARROW),
        columns=(
            Column(name="one", label="Of"), Column(name="two", label="And"), *EARNED, Column(name="margin", label="Margin", type="percent", right=COSTS),
            Column(name="revenue_before", label="Revenue before", type="amount", total=True),
            Column(name="profit_before", label="Gross profit before", type="amount", total=True, right=COSTS),
            Column(name="change", label="Change", type="percent"),
        ),
    ),
    Report(
        name="dashboards.sales_lines", label="Lines of the sales analysis", load=sales_lines, parameters=(*DAYS, *NARROW),
        help="Every line of invoices and credit notes, in the company's currency.",
        columns=(*DOCUMENT, Column(name="party", label="Customer"), Column(name="item", label="Item"), Column(name="text", label="Text"), *EARNED),
    ),
)  # fmt: skip
