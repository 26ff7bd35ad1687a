"""Read and write documents: rows in, frozen structs out, each table asked once for a whole document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import reduce
from typing import Any

import msgspec

from newel.domain.context import Company
from newel.domain.document import Document, Hold, Line, Link, Schedule, Stage
from newel.domain.master import Master
from newel.domain.money import ZERO, plain
from newel.domain.pricing import PriceStep
from newel.domain.tax import Tax, TaxLine
from newel.store import tables_document as t
from newel.store.columns import AMOUNT, PRICE, QUANTITY, RATE, scaled, unscaled
from newel.store.master import load_addresses, load_items, load_party
from newel.store.session import Session, day, instant, rows_by

# Bits of document.parts: which tables have rows of it, so that what a document does not use costs no question. `newel verify` compares.
# OWING: a sale that is over, of which more was delivered than invoiced; with the open ones it counts against the customer's credit.
SCHEDULES, HOLDS, TAXES, LINKS, OWING = 1, 2, 4, 8, 16
ALL = SCHEDULES | HOLDS | TAXES | LINKS
BARE, BARE_COLUMNS = 32, "document, id, position, kind, key, parent, quantity, copied_from, data"  # asked for only, no bit of a document
_TAXES = msgspec.json.Decoder(tuple[Tax, ...])
_NAMES = msgspec.json.Decoder(tuple[str, ...])
_JSON = msgspec.json.Encoder(decimal_format="string")


class Shapes(msgspec.Struct, frozen=True):
    """How plugins' data on documents and lines is read back: plugin name -> its struct. posting: kinds whose transitions need their taxes."""

    document: dict[str, Any]
    line: dict[str, Any]
    posting: frozenset[str] = frozenset()

    def read(self, text: str, shapes: dict[str, Any]) -> dict[str, Any]:
        """Stored JSON as structs; the data of a plugin that is not running stays as it is."""
        if text in ("", "{}"):
            return {}
        return {name: msgspec.convert(value, shapes[name], strict=False) if name in shapes else value for name, value in msgspec.json.decode(text).items()}


def json_of(value: Any) -> str:
    """Stored JSON; decimals as text."""
    return _JSON.encode(value).decode()


def money(n: int) -> Decimal:
    """A stored amount."""
    return unscaled(n, AMOUNT)


async def read_documents(
    session: Session, ids: Sequence[int], master: Master, shapes: Shapes, *, lock: bool = False, steps: bool = False,
    parts: int = ALL, heads: Sequence[Any] | None = None,
) -> list[Document]:  # fmt: skip
    """Documents with lines and all that hangs on them, in id order; locked in that order where asked (so nobody deadlocks).

    Args:
        steps: also the stored price steps (needed for the page and for copying).
        parts: besides header and lines; transitions that the kernel makes by itself need LINKS, or nothing. BARE: of lines what is not entered.
        heads: their rows, where they have just been read.
    """
    ids, bare = sorted(set(ids)), parts & BARE
    if heads is None:
        heads = await session.fetch(f"SELECT * FROM document WHERE id = ANY(?) ORDER BY id{' FOR UPDATE' if lock else ''}", ids)
    if not heads:
        return []
    line_rows = await session.fetch(f"SELECT {BARE_COLUMNS if bare else '*'} FROM document_line WHERE document = ANY(?) ORDER BY document, position, id", ids)
    lines_of = rows_by(line_rows, "document")
    has = parts & reduce(int.__or__, [head["parts"] for head in heads])
    if not steps and not any(head["kind"] in shapes.posting for head in heads):
        has &= ~TAXES

    async def part(bit: int, sql: str, key: str) -> dict[Any, list[Any]]:
        return rows_by(await session.fetch(sql, ids), key) if has & bit else {}

    stages, sources = await _links(session, ids) if has & LINKS else ({}, {})
    schedules = await part(SCHEDULES, "SELECT * FROM line_schedule WHERE document = ANY(?) ORDER BY id", "line")
    taxes = await part(TAXES, "SELECT * FROM tax_line WHERE document = ANY(?) ORDER BY id", "document")
    holds = await part(HOLDS, "SELECT * FROM document_hold WHERE document = ANY(?) ORDER BY id", "document")
    step_rows = await read_steps(session, ids) if steps else {}
    items = await load_items(session, [r["item"] for r in line_rows if r.get("item") is not None])
    out = []
    for head in heads:
        company = master.companies[head["company"]]
        when = day(head["date"])
        assert when is not None
        lines = tuple(
            _bare(r, shapes, stages, sources)
            if bare
            else _line(r, items, when, head["currency"], company, master, shapes, stages, sources, schedules, step_rows)
            for r in lines_of.get(head["id"], [])
        )
        out.append(await _head(session, head, lines, master, shapes, taxes.get(head["id"], []), holds.get(head["id"], [])))
    return out


async def read_steps(session: Session, ids: Sequence[int]) -> dict[int, tuple[PriceStep, ...]]:
    """The stored price steps of documents, by line."""
    rows = await session.fetch("SELECT * FROM price_step WHERE document = ANY(?) ORDER BY line, sequence", list(ids))
    return {
        line: tuple(
            PriceStep(
                stage=s["stage"], plugin=s["plugin"], rule=s["rule"], amount_in=money(s["amount_in"]), amount_out=money(s["amount_out"]),
                reason=s["reason"],
            )
            for s in found
        )
        for line, found in rows_by(rows, "line").items()
    }  # fmt: skip


async def _links(session: Session, ids: list[int]) -> tuple[dict[int, dict[str, Stage]], dict[int, list[Link]]]:
    """What went on from each line, by kind of link, and where each line comes from."""
    stages: dict[int, dict[str, Stage]] = {}
    sources: dict[int, list[Link]] = {}
    for r in await session.fetch(
        "SELECT id, kind, from_document, from_line, to_document, to_line, quantity, firm, schedule FROM line_link "
        "WHERE from_document = ANY(?) OR to_document = ANY(?) ORDER BY id",
        ids, ids,
    ):  # fmt: skip
        link = Link(
            id=r["id"], kind=r["kind"], from_line=r["from_line"], to_line=r["to_line"], from_document=r["from_document"],
            to_document=r["to_document"], quantity=plain(unscaled(r["quantity"], QUANTITY)), firm=bool(r["firm"]), schedule=r["schedule"],
        )  # fmt: skip
        if link.to_document in ids:
            sources.setdefault(link.to_line, []).append(link)
        if link.from_document in ids:
            of_line = stages.setdefault(link.from_line, {})
            before = of_line.get(link.kind, Stage())
            of_line[link.kind] = Stage(before.planned + link.quantity, before.done + (link.quantity if link.firm else ZERO))
    return stages, sources


def _bare(r: Any, shapes: Shapes, stages: Any, sources: Any) -> Line:
    return Line(
        id=r["id"], position=r["position"], kind=r["kind"], key=r["key"], parent=r["parent"], quantity=plain(unscaled(r["quantity"], QUANTITY)),
        copied_from=r["copied_from"], stages=stages.get(r["id"], {}), sources=tuple(sources.get(r["id"], ())), data=shapes.read(r["data"], shapes.line),
    )  # fmt: skip


def _line(
    r: Any, items: Any, when: Any, currency: str, company: Company, master: Master, shapes: Shapes, stages: Any, sources: Any, schedules: Any,
    steps: Any,
) -> Line:  # fmt: skip
    id = r["id"]
    return Line(
        id=id, position=r["position"], kind=r["kind"], key=r["key"], parent=r["parent"],
        item=items[r["item"]].on(when, currency, company, master.item_classes) if r["item"] is not None else None,
        text=r["text"], quantity=plain(unscaled(r["quantity"], QUANTITY)), unit=r["unit"], factor=plain(unscaled(r["factor"], QUANTITY)),
        price_entered=None if r["price_entered"] is None else plain(unscaled(r["price_entered"], PRICE)),
        discount_entered=plain(unscaled(r["discount_entered"], QUANTITY)), price=plain(unscaled(r["price"], PRICE)),
        net=money(r["net"]), tax=money(r["tax"]), cost=money(r["cost"]), tax_category=r["tax_category"],
        taxes=() if r["taxes"] == "[]" else _TAXES.decode(r["taxes"]), steps=steps.get(id, ()),
        schedules=tuple(
            Schedule(
                id=s["id"], quantity=plain(unscaled(s["quantity"], QUANTITY)), date_requested=day(s["date_requested"]),
                date_confirmed=day(s["date_confirmed"]), release_code=s["release_code"],
            )
            for s in schedules.get(id, ())
        ),
        sources=tuple(sources.get(id, ())), stages=stages.get(id, {}), location_from=r["location_from"], location_to=r["location_to"],
        lot=r["lot"], account_role=r["account_role"], settles=r["settles"], copied_from=r["copied_from"],
        data=shapes.read(r["data"], shapes.line),
    )  # fmt: skip


async def _head(session: Session, r: Any, lines: tuple[Line, ...], master: Master, shapes: Shapes, taxes: list[Any], holds: list[Any]) -> Document:
    party = await load_party(session, r["party"], master) if r["party"] is not None else None
    addresses = {a.id: a for a in party.addresses} if party else {}
    foreign = [id for id in (r["ship_to"], r["bill_to"]) if id is not None and id not in addresses]
    if foreign:
        addresses |= await load_addresses(session, foreign)
    return Document(
        id=r["id"], kind=r["kind"], role=r["role"], state=r["state"], phase=r["phase"], number=r["number"], company=r["company"], party=party,
        ship_to=addresses.get(r["ship_to"]), bill_to=addresses.get(r["bill_to"]), currency=r["currency"],
        rate=plain(unscaled(r["rate"], RATE)), amount_digits=amount_digits(master, master.companies[r["company"]], r["currency"]),
        date=day(r["date"]), date_due=day(r["date_due"]),  # type: ignore[arg-type]
        date_requested=day(r["date_requested"]), terms=r["terms"], reference=r["reference"], text=r["text"],
        prices_include_tax=bool(r["prices_include_tax"]), location_from=r["location_from"], location_to=r["location_to"],
        account_role=r["account_role"], origin=r["origin"], lines=lines,
        taxes=tuple(
            TaxLine(
                code=x["code"], category=x["category"], rate=plain(unscaled(x["rate"], QUANTITY)), base=money(x["base"]),
                amount=money(x["amount"]), role=x["account_role"], reason=x["reason"],
            )
            for x in taxes
        ),
        holds=tuple(
            Hold(
                id=h["id"], code=h["code"], reason=h["reason"], plugin=h["plugin"], transitions=_NAMES.decode(h["transitions"]),
                released_by=h["released_by"], released_at=instant(h["released_at"]),
            )
            for h in holds
        ),
        net=money(r["net"]), tax=money(r["tax"]), gross=money(r["gross"]), version=r["version"], created_by=r["created_by"],
        created_at=instant(r["created_at"]), data=shapes.read(r["data"], shapes.document),
    )  # fmt: skip


def amount_digits(master: Master, company: Company, currency: str) -> int:
    """Digits of amounts: the company's for its own currency, else the currency's."""
    return company.amount_digits if currency == company.currency else min(master.currencies.get(currency, 2), AMOUNT)


# ---- writing -----------------------------------------------------------------------------------------------------------------------


def _head_values(d: Document) -> dict[str, Any]:
    return {
        "kind": d.kind, "role": d.role, "number": d.number, "state": d.state, "phase": d.phase, "company": d.company,
        "party": d.party.id if d.party else None, "ship_to": d.ship_to.id if d.ship_to else None,
        "bill_to": d.bill_to.id if d.bill_to else None, "currency": d.currency, "rate": scaled(d.rate, RATE), "date": d.date,
        "date_due": d.date_due, "date_requested": d.date_requested, "terms": d.terms, "reference": d.reference, "text": d.text,
        "prices_include_tax": d.prices_include_tax, "location_from": d.location_from, "location_to": d.location_to,
        "account_role": d.account_role, "origin": d.origin, "net": scaled(d.net, AMOUNT), "tax": scaled(d.tax, AMOUNT),
        "gross": scaled(d.gross, AMOUNT), "version": d.version,
        "parts": (SCHEDULES if any(x.schedules for x in d.lines) else 0) | (TAXES if d.taxes else 0)
        | (LINKS if any(x.sources or x.stages for x in d.lines) else 0) | (HOLDS if d.holds else 0),
        "data": json_of(d.data) if d.data else "{}",
    }  # fmt: skip


def _line_values(document: int, x: Line) -> dict[str, Any]:
    return {
        "document": document, "position": x.position, "kind": x.kind, "key": x.key, "parent": x.parent, "item": x.item.id if x.item else None,
        "text": x.text, "quantity": scaled(x.quantity, QUANTITY), "unit": x.unit, "factor": scaled(x.factor, QUANTITY),
        "price_entered": None if x.price_entered is None else scaled(x.price_entered, PRICE),
        "discount_entered": scaled(x.discount_entered, QUANTITY), "price": scaled(x.price, PRICE), "net": scaled(x.net, AMOUNT),
        "tax": scaled(x.tax, AMOUNT), "cost": scaled(x.cost, AMOUNT), "tax_category": x.tax_category,
        "taxes": json_of(x.taxes) if x.taxes else "[]", "location_from": x.location_from, "location_to": x.location_to, "lot": x.lot,
        "account_role": x.account_role, "settles": x.settles, "copied_from": x.copied_from, "data": json_of(x.data) if x.data else "{}",
    }  # fmt: skip


def insert_document(session: Session, d: Document) -> None:
    """Keep a new document with all its parts for the next flush."""
    session.add(t.Document, id=d.id, created_by=d.created_by, created_at=d.created_at, **_head_values(d))
    for line in d.lines:
        session.add(t.DocumentLine, id=line.id, **_line_values(d.id, line))
    _insert_parts(session, d)


def _insert_parts(session: Session, d: Document) -> None:
    for line in d.lines:
        for s in line.schedules:
            session.add(
                t.LineSchedule, id=s.id, document=d.id, line=line.id, quantity=scaled(s.quantity, QUANTITY), date_requested=s.date_requested,
                date_confirmed=s.date_confirmed, release_code=s.release_code,
            )  # fmt: skip
        for i, step in enumerate(line.steps):
            session.add(
                t.PriceStep, document=d.id, line=line.id, sequence=i, stage=step.stage, plugin=step.plugin, rule=step.rule,
                amount_in=scaled(step.amount_in, AMOUNT), amount_out=scaled(step.amount_out, AMOUNT), reason=step.reason,
            )  # fmt: skip
    for x in d.taxes:
        session.add(
            t.TaxLine, document=d.id, code=x.code, category=x.category, rate=scaled(x.rate, QUANTITY), base=scaled(x.base, AMOUNT),
            amount=scaled(x.amount, AMOUNT), account_role=x.role, reason=x.reason,
        )  # fmt: skip


async def update_document(session: Session, before: Document, d: Document) -> None:
    """Write a changed document: changed lines in place (others may refer to them), computed parts anew."""
    await session.update(t.Document, d.id, **_head_values(d))
    have = {line.id for line in before.lines}
    taxed = any(x.taxes for x in before.lines)  # its own tax lines may not have been read
    used = {"price_step": True, "tax_line": taxed, "line_schedule": any(x.schedules for x in before.lines)}
    for table in [name for name, rows in used.items() if rows]:
        await session.fetch(f'DELETE FROM "{table}" WHERE document = ?', d.id)
    gone = [(id,) for id in sorted(have - {line.id for line in d.lines})]
    await session.many("DELETE FROM line_link WHERE to_line = ?", gone)
    await session.many("DELETE FROM document_line WHERE id = ?", gone)
    changed = [_line_values(d.id, line) | {"id": line.id} for line in d.lines if line.id in have]
    if changed:
        columns = [c for c in changed[0] if c not in ("id", "document")]
        sets = ", ".join(f'"{c}" = ?' for c in columns)
        await session.many(f'UPDATE "document_line" SET {sets} WHERE "id" = ?', [[*(row[c] for c in columns), row["id"]] for row in changed])
    for line in [line for line in d.lines if line.id not in have]:
        session.add(t.DocumentLine, id=line.id, **_line_values(d.id, line))
    _insert_parts(session, d)


async def write_state(session: Session, d: Document, parts: int = 0) -> None:
    """Write what a transition changes on the header. parts: which tables have rows of it from now on."""
    await session.fetch(
        "UPDATE document SET state = ?, phase = ?, number = ?, version = ?, date_due = ?, parts = parts | ? WHERE id = ?",
        d.state, d.phase, d.number, d.version, d.date_due, parts, d.id,
    )  # fmt: skip


def add_event(session: Session, document: int, at: Any, user: str, source: str, action: str, changes: Iterable[tuple[str, Any, Any]] = ()) -> None:
    """Keep an event: who did what, with old and new values (APR-04)."""
    changed = [{"field": f, "old": old, "new": new} for f, old, new in changes]
    session.add(t.DocumentEvent, document=document, at=at, user=user, source=source, action=action, changes=json_of(changed) if changed else "[]")
