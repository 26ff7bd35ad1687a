"""Recompute every invariant from the rows: what the books say must follow from what happened. Names the offending rows (NEW-12).

Each check is one statement (the hash chain is read in pages), so that a large company can be verified while it works.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.ledger import entry_hash
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel.store.session import Session, day, instant

if TYPE_CHECKING:
    from newel.services.app import Newel

PAGE = 5000
LIMIT = 50


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that does not add up. where names the row: table and id."""

    check: str
    where: str
    message: str


# name -> (what must hold, statement that returns the rows that break it, text made from such a row)
CHECKS: dict[str, tuple[str, str, Callable[[Any], tuple[str, str]]]] = {
    "balanced": (
        "debits equal credits in every entry",
        "SELECT entry, SUM(debit) AS debit, SUM(credit) AS credit FROM posting GROUP BY entry HAVING SUM(debit) <> SUM(credit)",
        lambda r: (f"journal_entry {r['entry']}", f"debits {_amount(r['debit'])}, credits {_amount(r['credit'])}"),
    ),
    "totals": (
        "net, tax and gross of a document are the sums of its lines",
        "SELECT d.id, d.number, d.net, d.tax, d.gross, SUM(l.net) AS lines_net, SUM(l.tax) AS lines_tax FROM document d JOIN document_line l "
        "ON l.document = d.id GROUP BY d.id, d.number, d.net, d.tax, d.gross HAVING d.net <> SUM(l.net) OR d.tax <> SUM(l.tax) OR d.gross <> d.net + d.tax",
        lambda r: (
            f"document {r['id']} {r['number']}",
            f"says {_amount(r['net'])} + {_amount(r['tax'])}, its lines {_amount(r['lines_net'])} + {_amount(r['lines_tax'])}",
        ),
    ),
    "taxes": (
        "the tax lines of a document add up to its tax",
        "SELECT d.id, d.number, d.tax, COALESCE(SUM(x.amount), 0) AS lines FROM document d LEFT JOIN tax_line x ON x.document = d.id "
        "GROUP BY d.id, d.number, d.tax HAVING d.tax <> COALESCE(SUM(x.amount), 0)",
        lambda r: (f"document {r['id']} {r['number']}", f"tax {_amount(r['tax'])}, its tax lines {_amount(r['lines'])}"),
    ),
    "steps": (
        "the last price step of a line ends at its net amount",
        "SELECT l.id, l.document, l.net, s.amount_out FROM document_line l JOIN price_step s ON s.line = l.id AND s.document = l.document WHERE s.sequence = "
        "(SELECT MAX(z.sequence) FROM price_step z WHERE z.line = l.id AND z.document = l.document) AND s.amount_out <> l.net",
        lambda r: (f"document_line {r['id']}", f"net {_amount(r['net'])}, its price steps end at {_amount(r['amount_out'])}"),
    ),
    "steps connected": (
        "every price step starts where the one before ended, the first at zero",
        "SELECT b.id, b.line, a.amount_out, b.amount_in FROM price_step b LEFT JOIN price_step a ON a.document = b.document AND a.line = b.line "
        "AND a.sequence = b.sequence - 1 WHERE b.amount_in <> COALESCE(a.amount_out, 0)",
        lambda r: (f"price_step {r['id']}", f"starts at {_amount(r['amount_in'])}, the one before ended at {_amount(r['amount_out'] or 0)}"),
    ),
    "links": (
        "no more of a line has gone on than it has",
        "SELECT l.id, k.kind, l.quantity, SUM(k.quantity) AS linked FROM line_link k JOIN document_line l ON l.id = k.from_line "
        "GROUP BY l.id, k.kind, l.quantity HAVING SUM(k.quantity) > l.quantity",
        lambda r: (f"document_line {r['id']}", f"{_quantity(r['linked'])} {r['kind']} of {_quantity(r['quantity'])}"),
    ),
    "links firm": (
        "a link is firm when its target is open or done",
        "SELECT k.id, d.number, d.phase, k.firm FROM line_link k JOIN document d ON d.id = k.to_document WHERE k.firm <> (d.phase IN ('open', 'done'))",
        lambda r: (f"line_link {r['id']}", f"firm is {bool(r['firm'])}, {r['number']} is {r['phase']}"),
    ),
    "stock": (
        "what lies in a place is what came in less what went out, in quantity and value",
        "SELECT m.location, m.item, m.lot, m.quantity, m.value, b.id, b.quantity AS kept, b.value AS kept_value FROM (SELECT item, COALESCE(lot, 0) AS lot, "
        "location, SUM(quantity) AS quantity, SUM(value) AS value FROM (SELECT item, lot, target AS location, quantity, value FROM stock_move UNION ALL "
        "SELECT item, lot, source, -quantity, -value FROM stock_move) x GROUP BY item, COALESCE(lot, 0), location) m JOIN stock_balance b "
        "ON b.item = m.item AND b.location = m.location AND COALESCE(b.lot, 0) = m.lot JOIN location a ON a.id = b.location "
        "WHERE b.quantity <> m.quantity OR b.value <> (CASE WHEN a.owner IS NULL THEN m.value ELSE 0 END)",
        lambda r: (
            f"stock_balance {r['id']}",
            f"keeps {_quantity(r['kept'])} worth {_amount(r['kept_value'])}, its moves say {_quantity(r['quantity'])} worth {_amount(r['value'])}",
        ),
    ),
    "stock without moves": (
        "nothing lies anywhere that never came",
        "SELECT b.id, b.quantity FROM stock_balance b WHERE b.quantity <> 0 AND NOT EXISTS (SELECT 1 FROM stock_move m WHERE m.item = b.item "
        "AND m.target = b.location AND COALESCE(m.lot, 0) = COALESCE(b.lot, 0))",
        lambda r: (f"stock_balance {r['id']}", f"keeps {_quantity(r['quantity'])} without a move"),
    ),
    "reservations": (
        "what is reserved in a place is what is promised to lines",
        "SELECT b.id, b.reserved, COALESCE(SUM(r.quantity), 0) AS promised FROM stock_balance b LEFT JOIN stock_reservation r ON r.balance = b.id "
        "GROUP BY b.id, b.reserved HAVING b.reserved <> COALESCE(SUM(r.quantity), 0)",
        lambda r: (f"stock_balance {r['id']}", f"reserved {_quantity(r['reserved'])}, promised {_quantity(r['promised'])}"),
    ),
    "open items": (
        "what is open of an item is its amount less what was settled",
        "SELECT o.id, o.amount, o.amount_open, COALESCE(SUM(s.amount), 0) AS settled FROM open_item o LEFT JOIN settlement s ON s.item = o.id GROUP BY o.id, "
        "o.amount, o.amount_open, o.company_amount, o.company_open HAVING o.amount_open <> o.amount - COALESCE(SUM(s.amount), 0) "
        "OR o.company_open <> o.company_amount - COALESCE(SUM(s.company_amount), 0)",
        lambda r: (f"open_item {r['id']}", f"{_amount(r['amount_open'])} open of {_amount(r['amount'])}, settled {_amount(r['settled'])}"),
    ),
    "number series": (
        "every number of a series is there once",
        "SELECT s.id, s.kind, s.next, COUNT(DISTINCT d.number) AS n, COUNT(d.id) AS documents FROM number_series s LEFT JOIN document d ON d.company = "
        "s.company AND d.kind = s.kind AND d.number LIKE s.prefix || CAST(s.year AS VARCHAR(4)) || '-%' GROUP BY s.id, s.kind, s.next "
        "HAVING COUNT(d.id) <> s.next - 1 OR COUNT(DISTINCT d.number) <> s.next - 1",
        lambda r: (f"number_series {r['id']}", f"{r['kind']}: next is {r['next']}, there are {r['documents']} documents with {r['n']} numbers"),
    ),
    "parts": (
        "documents know which parts they have, and sales that are over whether something delivered is still to be invoiced",
        "SELECT d.id, d.parts FROM document d WHERE (d.parts & 4 = 0 AND EXISTS (SELECT 1 FROM tax_line x WHERE x.document = d.id)) "
        "OR (d.parts & 1 = 0 AND EXISTS (SELECT 1 FROM line_schedule x WHERE x.document = d.id)) "
        "OR (d.parts & 2 = 0 AND EXISTS (SELECT 1 FROM document_hold x WHERE x.document = d.id)) "
        "OR (d.parts & 8 = 0 AND EXISTS (SELECT 1 FROM line_link x WHERE x.from_document = d.id OR x.to_document = d.id)) "
        "OR (d.parts & 16 = 0 AND d.role = 'sale' AND d.phase = 'done' AND d.id IN (SELECT y.from_document FROM (SELECT DISTINCT x.from_document, x.from_line, "
        "x.to_line, x.quantity, t.role FROM line_link x JOIN document t ON t.id = x.to_document WHERE x.firm AND t.role IN ('delivery', 'invoice')) y "
        "GROUP BY y.from_document, y.from_line HAVING SUM(CASE WHEN y.role = 'delivery' THEN y.quantity ELSE -y.quantity END) > 0))",
        lambda r: (f"document {r['id']}", f"its parts {r['parts']} leave out a table that has rows of it"),
    ),
    "settled by the ledger": (
        "open items of a role add up to the balance of its postings",
        "SELECT p.company, p.role, p.balance, COALESCE(o.open, 0) AS open FROM (SELECT e.company, g.role, SUM(g.debit - g.credit) AS balance FROM posting g "
        "JOIN journal_entry e ON e.id = g.entry WHERE g.role IN (SELECT DISTINCT role FROM open_item) GROUP BY e.company, g.role) p LEFT JOIN "
        "(SELECT company, role, SUM(company_open) AS open FROM open_item GROUP BY company, role) o ON o.company = p.company AND o.role = p.role "
        "WHERE p.balance <> COALESCE(o.open, 0)",
        lambda r: (f"account role {r['role']}", f"the ledger says {_amount(r['balance'])}, open items {_amount(r['open'])}"),
    ),
}


def _amount(n: Any) -> str:
    return f"{unscaled(int(n), AMOUNT)}"


def _quantity(n: Any) -> str:
    return f"{unscaled(int(n), QUANTITY).normalize():f}"


async def verify(app: Newel, progress: Callable[[str], Any] | None = None) -> list[Finding]:
    """All findings over all companies; empty where everything adds up.

    Args:
        progress: called with the sentence of each check before it runs.
    """
    findings: list[Finding] = []
    async with app.database.read() as session:
        for name, (sentence, statement, text) in CHECKS.items():
            if progress:
                progress(sentence)
            for row in (await session.fetch(statement))[:LIMIT]:
                where, message = text(row)
                findings.append(Finding(check=name, where=where, message=message))
        if progress:
            progress("moves are posted at their value")
        findings += await _moves(app, session)
        if progress:
            progress("the hash chain of every ledger is whole")
        async for finding in _chain(session):
            findings.append(finding)
    return findings


async def _moves(app: Newel, session: Session) -> list[Finding]:
    """The stock postings of a document are those that the posting rules make of its moves."""
    rows = await session.fetch(
        "SELECT a.kind AS source, b.kind AS target, b.company, SUM(m.value) AS value FROM stock_move m JOIN location a ON a.id = m.source "
        "JOIN location b ON b.id = m.target GROUP BY a.kind, b.kind, b.company"
    )
    wanted: dict[tuple[int, str], int] = {}
    away: set[int] = set()  # a plugin that brought posting rules does not run: what they posted can't be told
    for r in rows:
        rule = app.registry.rules.get((r["source"], r["target"]))
        if rule is None and r["value"]:
            away.add(r["company"])
        if rule is None or rule.debit == rule.credit:
            continue
        for role, sign in ((rule.debit, 1), (rule.credit, -1)):
            wanted[(r["company"], role)] = wanted.get((r["company"], role), 0) + sign * int(r["value"])
    posted = {
        (r["company"], r["role"]): int(r["balance"])
        for r in await session.fetch(
            "SELECT e.company, p.role, SUM(p.debit - p.credit) AS balance FROM posting p JOIN journal_entry e ON e.id = p.entry "
            "WHERE p.text = 'goods' GROUP BY e.company, p.role"
        )
    }
    return [
        Finding(
            check="moves", where=f"account role {key[1]}",
            message=f"moves are worth {_amount(wanted.get(key, 0))}, postings of goods {_amount(posted.get(key, 0))}",
        )
        for key in sorted(wanted.keys() | posted.keys())
        if wanted.get(key, 0) != posted.get(key, 0) and key[0] not in away
    ]  # fmt: skip


async def _chain(session: Session) -> AsyncIterator[Finding]:
    """Recompute the hashes of each company's entries; the first broken link is named, and every one after it would follow from it."""
    for head in await session.fetch("SELECT company, number, hash FROM ledger_chain ORDER BY company"):
        previous, number, broken = "", 0, False
        while not broken:
            entries = await session.fetch("SELECT * FROM journal_entry WHERE company = ? AND number > ? ORDER BY number LIMIT ?", head["company"], number, PAGE)
            if not entries:
                break
            postings: dict[int, list[Any]] = {}
            for p in await session.fetch(
                "SELECT p.* FROM posting p JOIN journal_entry e ON e.id = p.entry WHERE e.company = ? AND e.number BETWEEN ? AND ? ORDER BY p.id",
                head["company"], entries[0]["number"], entries[-1]["number"],
            ):  # fmt: skip
                postings.setdefault(p["entry"], []).append(p)
            for e in entries:
                stored = {**e, "date": day(e["date"]), "created_at": instant(e["created_at"])}
                digest = entry_hash(previous, stored, postings.get(e["id"], []))
                if e["number"] != number + 1 or digest != e["hash"]:
                    what = "is missing" if e["number"] != number + 1 else "has been changed, or one of its postings has"
                    yield Finding(check="chain", where=f"journal_entry {e['id']} number {number + 1}", message=f"the entry {what}")
                    broken = True
                    break
                previous, number = e["hash"], e["number"]
        if not broken and (number, previous) != (head["number"], head["hash"]):
            yield Finding(check="chain", where=f"ledger_chain of company {head['company']}", message=f"ends at {head['number']}, the entries at {number}")
