"""Read what a document settles; number, chain and write its entries."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.context import Company, Context
from newel.domain.document import Document
from newel.domain.ledger import Clearing, Entry, OpenItem, OpenItems, Posting, entry_hash
from newel.domain.money import product, rounded
from newel.errors import Problem, Refused
from newel.services.ledger import LedgerPlan, Settled
from newel.store import tables_document as t
from newel.store.columns import AMOUNT, QUANTITY, scaled
from newel.store.documents import json_of, money
from newel.store.session import Session, day


async def load_open_items(session: Session, document: Document, lock: bool) -> OpenItems:
    """Read what the lines settle."""
    ids = sorted({line.settles for line in document.lines if line.settles is not None})
    if not ids:
        return OpenItems()
    rows = await session.fetch(f"SELECT * FROM open_item WHERE id = ANY(?) AND company = ? ORDER BY id{' FOR UPDATE' if lock else ''}", ids, document.company)
    return OpenItems({r["id"]: open_item(r) for r in rows})


async def load_clearing(session: Session, document: Document, company: Company) -> Clearing:
    """What the goods were worth that the lines come from: so much of it as the line takes, and the last line all that is left.

    The goods may have moved on the line before (a bill of a receipt), or on lines that continue it (a bill of an order that was received).
    """
    sources = [(line, s) for line in document.lines for s in line.sources if not line.account_role]
    ids = sorted({s.from_line for _, s in sources})
    if not ids:
        return Clearing()
    kinds = sorted({s.kind for _, s in sources})
    found = await session.fetch(_MOVED, ids, ids, ids, ids, True, ids, kinds, True, document.id, ids)
    rows = {r["id"]: r for r in found if r["value"] is not None}
    taken = {id: int(r["before"]) for id, r in rows.items()}
    out: dict[int, tuple[Decimal, Decimal]] = {}
    for line, s in sorted(sources, key=lambda pair: pair[1].from_line in rows and bool(rows[pair[1].from_line]["own"])):  # its own goods have the last word
        if s.from_line not in rows:
            continue
        r, before = rows[s.from_line], taken[s.from_line]
        after = taken[s.from_line] = before + scaled(s.quantity, QUANTITY)
        net = rounded(product(money(r["net"]), Decimal(r["moved"])) / r["quantity"], document.amount_digits, company.rounding)
        ends = (min(before, r["moved"]), min(after, r["moved"]))
        worth, ordered = (
            _share(money(r["value"]), r["moved"], ends, company.amount_digits, company),
            _share(net, r["moved"], ends, document.amount_digits, company),
        )
        more = after - before - (ends[1] - ends[0])
        if more > 0 and not r["own"]:  # billed before it has come: worth what it was ordered for
            early = rounded(product(money(r["net"]), Decimal(more)) / r["quantity"], document.amount_digits, company.rounding)
            worth, ordered = worth + rounded(product(early, document.rate), company.amount_digits, company.rounding), ordered + early
        out[line.id] = (worth, ordered)
    return Clearing(out)


# Of each line: whether it moved goods itself, how much has moved on it or on lines that continue it, what that was worth, and what was taken of it before.
_MOVED = """
SELECT l.id, l.quantity, l.net, CASE WHEN m.value IS NULL THEN 0 ELSE 1 END AS own, COALESCE(m.value, n.value) AS value,
       CASE WHEN m.value IS NULL THEN n.quantity ELSE l.quantity END AS moved, COALESCE(b.quantity, 0) AS before
  FROM document_line l LEFT JOIN (SELECT line, CAST(SUM(value) AS BIGINT) AS value FROM stock_move
              WHERE document IN (SELECT document FROM document_line WHERE id = ANY(?)) AND line = ANY(?) GROUP BY line) m ON m.line = l.id
  LEFT JOIN (SELECT k.from_line, CAST(SUM(k.quantity) AS BIGINT) AS quantity, CAST(SUM(v.value) AS BIGINT) AS value FROM line_link k
               JOIN (SELECT line, SUM(value) AS value FROM stock_move WHERE document IN (SELECT to_document FROM line_link WHERE from_line = ANY(?))
                      GROUP BY line) v ON v.line = k.to_line
              WHERE k.from_line = ANY(?) AND k.firm = ? GROUP BY k.from_line) n ON n.from_line = l.id
  LEFT JOIN (SELECT from_line, CAST(SUM(quantity) AS BIGINT) AS quantity FROM line_link
              WHERE from_line = ANY(?) AND kind = ANY(?) AND firm = ? AND to_document <> ? GROUP BY from_line) b ON b.from_line = l.id
 WHERE l.id = ANY(?)
"""


def _share(total: Decimal, whole: int, ends: tuple[int, int], digits: int, company: Company) -> Decimal:
    """The part of a total between two quantities; parts add up to the total."""
    first, last = (total if at == whole else rounded(product(total, Decimal(at)) / whole, digits, company.rounding) for at in ends)
    return last - first


def open_item(r: Any) -> OpenItem:
    """A stored open item."""
    return OpenItem(
        id=r["id"], document=r["document"], party=r["party"], role=r["role"], currency=r["currency"], date=day(r["date"]),  # type: ignore[arg-type]
        date_due=day(r["date_due"]),  # type: ignore[arg-type]
        amount=money(r["amount"]), amount_open=money(r["amount_open"]), company_amount=money(r["company_amount"]),
        company_open=money(r["company_open"]),
    )  # fmt: skip


async def write_entry(session: Session, entry: Entry, plan: LedgerPlan, document: Document, context: Context) -> Entry:
    """Number, chain and write an entry with its open items and settlements. The chain's row is the last lock of a transaction.

    Raises:
        Refused: the period was closed after the document was checked; whoever closes one locks the chain, so that here is the last word.
    """
    head = await session.one("SELECT number, hash FROM ledger_chain WHERE company = ? FOR UPDATE", entry.company)
    if head is None:
        raise AssertionError(f"company {entry.company} has no ledger chain: set it up with `newel init`")
    row = {
        "company": entry.company, "number": head["number"] + 1, "date": entry.date, "document": entry.document, "text": entry.text[:200],
        "reverses": entry.reverses, "created_at": context.now, "created_by": context.user.login,
    }  # fmt: skip
    postings = [
        {
            "account": p.account, "role": p.role, "debit": scaled(p.debit, AMOUNT), "credit": scaled(p.credit, AMOUNT), "currency": p.currency,
            "amount": scaled(p.amount, AMOUNT), "party": p.party, "text": p.text, "dimensions": json_of(p.dimensions) if p.dimensions else "{}",
        }
        for p in entry.postings
    ]  # fmt: skip
    digest = entry_hash(head["hash"], row, postings)
    if not await session.fetch(
        "UPDATE ledger_chain SET number = ?, hash = ? WHERE company = ? AND COALESCE((SELECT p.state FROM period p WHERE p.company = ledger_chain.company "
        "AND ? BETWEEN p.date_from AND p.date_to ORDER BY p.date_from LIMIT 1), 'open') = 'open' RETURNING number",
        row["number"], digest, entry.company, entry.date,
    ):  # fmt: skip
        raise Refused(Problem(code="period.closed", message=f"the period of {entry.date} was closed a moment ago", where="date", hint="date it in an open one"))
    id = session.add(t.JournalEntry, **row, hash=digest)
    for p in postings:
        session.add(t.Posting, entry=id, **p)
    assert document.party is not None or not plan.opened
    for o in plan.opened:
        assert document.party is not None
        session.add(
            t.OpenItem, company=entry.company, document=document.id, entry=id, party=document.party.id, role=o.role, currency=document.currency,
            date=document.date, date_due=document.date_due or document.date, amount=scaled(o.amount, AMOUNT), amount_open=scaled(o.amount, AMOUNT),
            company_amount=scaled(o.company_amount, AMOUNT), company_open=scaled(o.company_amount, AMOUNT),
        )  # fmt: skip
    await _write_settled(session, id, plan.settled, document)
    return msgspec.structs.replace(entry, id=id, number=row["number"])


async def _write_settled(session: Session, entry: int, settled: Sequence[Settled], document: Document) -> None:
    for s in settled:
        session.add(
            t.Settlement, item=s.item.id, document=document.id, line=s.line or document.lines[0].id, entry=entry, amount=scaled(s.amount, AMOUNT),
            company_amount=scaled(s.company_amount, AMOUNT), at=document.date,
        )  # fmt: skip
    await session.many(
        "UPDATE open_item SET amount_open = amount_open - ?, company_open = company_open - ? WHERE id = ?",
        [(scaled(s.amount, AMOUNT), scaled(s.company_amount, AMOUNT), s.item.id) for s in sorted(settled, key=lambda s: s.item.id)],
    )


async def stored_settled(session: Session, entry: int) -> list[Settled]:
    """What an entry has settled of other documents, turned round."""
    rows = await session.fetch(
        "SELECT o.*, s.line, s.amount AS settled, s.company_amount AS company_settled FROM settlement s JOIN open_item o ON o.id = s.item "
        "WHERE s.entry = ? AND o.entry <> ? ORDER BY o.id FOR UPDATE",
        entry, entry,
    )  # fmt: skip
    return [Settled(item=open_item(r), line=r["line"], amount=-money(r["settled"]), company_amount=-money(r["company_settled"])) for r in rows]


async def stored_entry(session: Session, document: int) -> tuple[Entry | None, list[OpenItem]]:
    """The last entry of a document that has not been reversed, and its open items."""
    rows = await session.fetch(
        "SELECT * FROM journal_entry WHERE document = ? AND reverses IS NULL AND id NOT IN "
        "(SELECT reverses FROM journal_entry WHERE reverses IS NOT NULL AND document = ?) ORDER BY id DESC",
        document, document,
    )  # fmt: skip
    if not rows:
        return None, []
    r = rows[0]
    postings = await session.fetch("SELECT * FROM posting WHERE entry = ? ORDER BY id", r["id"])
    items = await session.fetch("SELECT * FROM open_item WHERE entry = ? ORDER BY id FOR UPDATE", r["id"])
    entry = Entry(
        id=r["id"], number=r["number"], company=r["company"], date=day(r["date"]), document=document, text=r["text"],  # type: ignore[arg-type]
        postings=tuple(
            Posting(
                account=p["account"], role=p["role"], debit=money(p["debit"]), credit=money(p["credit"]), currency=p["currency"],
                amount=money(p["amount"]), party=p["party"], text=p["text"],
            )
            for p in postings
        ),
    )  # fmt: skip
    return entry, [open_item(i) for i in items]
