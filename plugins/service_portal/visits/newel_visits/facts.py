"""What visits read: technicians and checklists from the cache, other visits around a day, what was signed, and the plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.services.access import own_party
from newel.store.session import Session, day, instant

from newel_visits.rules import VISIT, Known, Planned, Signed, Technician, VisitData, Visited, VisitFacts, header

REQUEST = "requests.request"
PLAN = (
    "SELECT d.id, d.number, d.state, d.data, d.date_requested AS day, p.name, a.city FROM document d "
    "LEFT JOIN party p ON p.id = d.party LEFT JOIN address a ON a.id = d.ship_to "
    "WHERE d.kind = ? AND d.company = ? AND d.date_requested BETWEEN ? AND ? AND {condition} ORDER BY d.date_requested, d.id"
)
OF = (
    "SELECT DISTINCT d.id, d.number, d.state, d.date_requested AS day FROM document d LEFT JOIN line_link k ON k.to_document = d.id "
    "WHERE d.kind = ? AND d.company = ? AND {own} AND (k.from_document = ? OR (d.reference = ? AND d.reference <> '')) ORDER BY d.id"
)
SIGNED = "SELECT name, text, work, entered_at FROM visits_report WHERE document = ? ORDER BY id DESC LIMIT 1"
EVENTS = "SELECT at, changes FROM document_event WHERE document = ? ORDER BY at, id"


async def known(session: Session) -> Known:
    """Technicians and checklists; read again only when one has changed."""
    return await session.cached("visits", _known)


async def _known(session: Session) -> Known:
    rows = await session.fetch("SELECT id, code, name, login, location FROM visits_technician ORDER BY code")
    lists = await session.fetch("SELECT code, tasks FROM visits_checklist")
    return Known(
        {r["code"]: Technician(**{n: r[n] for n in Technician.__struct_fields__}) for r in rows},
        {r["code"]: tuple(t.strip() for t in r["tasks"].splitlines() if t.strip()) for r in lists},
    )


def data_of(stored: Any) -> VisitData:
    """The visit's own part of a stored document's data."""
    values = msgspec.json.decode(stored) if isinstance(stored, str) else stored
    return msgspec.convert((values or {}).get("visits", {}), VisitData, strict=False)


async def load(document: Document, session: Session, context: Context) -> VisitFacts | Visited | None:
    """Nothing for documents of others; of a request its visits."""
    if document.kind == REQUEST and document.version and not session.writable:
        return await _of(document, session, context)
    if document.kind != VISIT:
        return None
    found, data = await known(session), header(document)
    crew = sorted(t.id for code, t in found.technicians.items() if code in data.crew)
    others: tuple[Planned, ...] = ()
    if crew and document.date_requested and document.phase in ("draft", "open"):
        if session.writable:  # two people who send one technician to two places at once wait for each other
            await session.fetch("SELECT id FROM visits_technician WHERE id = ANY(?) ORDER BY id FOR UPDATE", crew)
        around = (document.date_requested - timedelta(days=1), document.date_requested + timedelta(days=1))
        others = tuple(v for v in await plan(session, context, *around, crew=data.crew) if v.id != document.id)
    facts = VisitFacts(known=found, others=others)
    if not document.version:
        return facts
    stored = await session.one("SELECT date_requested, data FROM document WHERE id = ?", document.id)
    signed = await session.one(SIGNED, document.id)
    return msgspec.structs.replace(
        facts, stored=(day(stored["date_requested"]), data_of(stored["data"])) if stored else None,
        signed=Signed(name=signed["name"], at=instant(signed["entered_at"]), text=signed["text"], work=signed["work"]) if signed else None,
        arrived=await arrived(session, document),
    )  # fmt: skip


async def arrived(session: Session, document: Document) -> datetime | None:
    """When somebody came on site."""
    if document.state not in ("onsite", "done"):
        return None
    found = None
    for r in await session.fetch(EVENTS, document.id):
        changes = msgspec.json.decode(r["changes"]) if isinstance(r["changes"], str) else r["changes"]
        if any(c["field"] == "state" and c["new"] == "onsite" for c in changes):
            found = instant(r["at"])
    return found


async def serials(session: Session, document: Document) -> dict[int, str]:
    """Numbers of the lots that the lines name, by id."""
    lots = sorted({line.lot for line in document.lines if line.lot})
    return {r["id"]: r["number"] for r in (await session.fetch("SELECT id, number FROM lot WHERE id = ANY(?)", lots) if lots else [])}


async def phone(session: Session, document: Document) -> str:
    """The customer's telephone number; empty for none."""
    return (await session.value("SELECT phone FROM party WHERE id = ?", document.party.id) if document.party else "") or ""


async def load_parties(session: Session, rows: Sequence[Mapping[str, Any]], context: Context) -> dict[int, int]:
    """Whose the open visits are that reports are about, by id."""
    ids = sorted({r["document"] for r in rows if r.get("document")})
    sql = "SELECT id, party FROM document WHERE id = ANY(?) AND kind = ? AND company = ? AND phase = 'open'"
    return {r["id"]: r["party"] for r in (await session.fetch(sql, ids, VISIT, context.company.id) if ids else [])}


async def _of(document: Document, session: Session, context: Context) -> Visited:
    own, args = own_party(context, "d.party")
    rows = await session.fetch(OF.format(own=own), VISIT, context.company.id, *args, document.id, document.number)
    return Visited(tuple((r["id"], r["number"], r["state"], day(r["day"])) for r in rows))


async def plan(session: Session, context: Context, first: date, last: date, *, crew: Iterable[str] = (), ended: bool = False) -> list[Planned]:
    """Visits between two days, both included, by day and time. crew: codes of technicians, none for all; ended: also what is done or was missed."""
    wanted = frozenset(crew)
    condition = "d.state <> 'cancelled'" if ended else "d.phase IN ('draft', 'open')"
    rows: Sequence[Any] = await session.fetch(PLAN.format(condition=condition), VISIT, context.company.id, first, last)
    found = [
        Planned(
            id=r["id"], number=r["number"], state=r["state"], party=r["name"] or "", city=r["city"] or "", day=day(r["day"]) or first, data=data_of(r["data"])
        )
        for r in rows
    ]
    return sorted((v for v in found if not wanted or wanted & v.data.crew), key=lambda v: (v.day, v.data.time or "99", v.id))
