"""What requests read: types, categories and teams from the cache, what was said about one, and the board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.manifest import Column, Parameter, Report
from newel.store.session import Session, day, instant, rows_by

from newel_requests.checks import Owners
from newel_requests.rules import KIND, STATES, RequestData, RequestFacts, Said, Type, header, priority

NEEDS = ("place", "time", "about", "lines", "text")
SAID = (
    "SELECT entered_at, entered_by, sender, staff, text FROM requests_message WHERE document = ? ORDER BY id",
    "SELECT entered_at, entered_by, '' AS sender, true AS staff, text FROM requests_note WHERE document = ? ORDER BY id",
)
EVENTS = "SELECT document, at, changes FROM document_event WHERE document = ANY(?) ORDER BY document, at, id"
ANSWERS = "SELECT document, MIN(entered_at) AS at FROM requests_message WHERE document = ANY(?) AND staff = ? GROUP BY document"
BEGUN = ("working", "waiting", "halted", "resolved")  # states that say that somebody of ours has dealt with it


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What has happened to a request: when it came into which state, from when it was sent in; and when somebody of ours first answered or began."""

    states: tuple[tuple[datetime, str], ...]
    answered: datetime | None = None


class Known(msgspec.Struct, frozen=True):
    """Types, categories and teams by code."""

    types: dict[str, Type] = {}
    categories: dict[str, str] = {}
    teams: dict[str, str] = {}


async def known(session: Session) -> Known:
    """Types, categories and teams; read again only when one has changed."""
    return await session.cached("requests", _known)


async def _known(session: Session) -> Known:
    types = {
        r["code"]: Type(
            code=r["code"], name=r["name"], target_kind=r["target_kind"], target_role=r["target_role"], urgency=r["urgency"],
            needs=tuple(n for n in NEEDS if r[f"needs_{n}"]),
        )
        for r in await session.fetch("SELECT * FROM requests_type")
    }  # fmt: skip
    named = [{r["code"]: r["name"] for r in await session.fetch(f"SELECT code, name FROM requests_{t}")} for t in ("category", "team")]
    return Known(types, *named)


async def load(document: Document, session: Session, context: Context) -> RequestFacts | None:
    """Everything that the rules want to know of one request."""
    data, about = await known(session), header(document)
    found: dict[str, Any] = {name: getattr(data, name) for name in ("types", "categories", "teams")}
    if about.about and document.party:
        sql = "SELECT id FROM document WHERE number = ? AND company = ? AND party = ? AND kind <> ? ORDER BY id LIMIT 1"
        found["about"] = await session.value(sql, about.about, context.company.id, document.party.id, KIND)
    if about.assignee:
        rows = await session.fetch("SELECT login, party FROM app_user WHERE login = ? AND active = ?", about.assignee, True)
        found["logins"] = {r["login"]: r["party"] for r in rows}
    if document.version:
        found["said"] = await _said(session, document.id)
        found["stored"] = await _stored(session, document.id) if context.user.party is not None else None
    return RequestFacts(**found)


async def _said(session: Session, document: int) -> tuple[Said, ...]:
    public, internal = [await session.fetch(sql, document) for sql in SAID]
    return tuple(
        Said(at=instant(r["entered_at"]), author=r["sender"] or r["entered_by"], text=r["text"], internal=hidden, staff=bool(r["staff"]))
        for hidden, rows in ((False, public), (True, internal))
        for r in rows
    )


async def _stored(session: Session, document: int) -> RequestData | None:
    return data_of(await session.value("SELECT data FROM document WHERE id = ?", document))


def data_of(stored: Any) -> RequestData:
    """The request's own part of a stored document's data."""
    values = msgspec.json.decode(stored) if isinstance(stored, str) else stored
    return msgspec.convert((values or {}).get("requests", {}), RequestData, strict=False)


async def load_documents(session: Session, rows: Sequence[Mapping[str, Any]], context: Context) -> Owners:
    """Whose the requests are that messages are about, of those that the user may see."""
    ids = sorted({r["document"] for r in rows if r.get("document")})
    own, args = ("1 = 1", []) if context.user.party is None else ("party = ?", [context.user.party])
    sql = f"SELECT id, party FROM document WHERE id = ANY(?) AND kind = ? AND company = ? AND {own}"
    found = await session.fetch(sql, ids, KIND, context.company.id, *args) if ids else []
    return Owners({r["id"]: r["party"] for r in found}, context.user.party)


async def histories(session: Session, ids: Sequence[int]) -> dict[int, History]:
    """What has happened to requests, by id; those that were never sent in are left out. Two questions for all of them."""
    if not ids:
        return {}
    events = rows_by(await session.fetch(EVENTS, list(ids)), "document")
    said = {r["document"]: instant(r["at"]) for r in await session.fetch(ANSWERS, list(ids), True)}
    out = {}
    for id, rows in events.items():
        states = tuple((at, state) for r in rows if (at := instant(r["at"])) and (state := _state(r["changes"])) not in ("", "draft"))
        if states:
            first = [at for at in (said.get(id), *(at for at, state in states if state in BEGUN)) if at]
            out[id] = History(states=states, answered=min(first, default=None))
    return out


def _state(changes: Any) -> str:
    """The state that an event led to; empty for none."""
    found = msgspec.json.decode(changes) if isinstance(changes, str) else changes
    return next((str(c["new"]) for c in found if c["field"] == "state"), "")


# ---- the board -------------------------------------------------------------------------------------------------------------------------


async def _board(session: Session, parameters: dict[str, Any], context: Context) -> list[dict[str, Any]]:
    """Requests that are not done, the most urgent first."""
    types = (await known(session)).types
    sql = (
        "SELECT d.id, d.number, d.state, d.date, d.data, d.party, p.name, p.service_level FROM document d LEFT JOIN party p ON p.id = d.party "
        "WHERE d.kind = ? AND d.company = ? AND d.phase IN ('draft', 'open')"
    )
    out = []
    for r in await session.fetch(sql, KIND, context.company.id):
        data = data_of(r["data"])
        if any(parameters[name] and parameters[name] != getattr(data, name) for name in ("team", "assignee")):
            continue
        kind = types.get(data.type)
        row = {"document": r["id"], "number": r["number"], "party": r["party"], "name": r["name"], "state": STATES[r["state"]][0], "date": day(r["date"])}
        row |= {"priority": priority(data, r["service_level"] or 0, kind), "type": kind.name if kind else data.type}
        out.append(row | {name: getattr(data, name) for name in ("category", "team", "assignee", "follow_up")})
    today = context.today
    return sorted(out, key=lambda r: (r["priority"], not (r["follow_up"] and r["follow_up"] <= today), r["date"], r["document"]))


REPORTS = (
    Report(
        name="requests.board", label="Requests to deal with", load=_board, menu="Service", help="What is not done yet, the most urgent first.",
        parameters=(Parameter(name="team", label="Team"), Parameter(name="assignee", label="Assigned to")),
        columns=(
            Column(name="priority", label="Priority"), Column(name="document", label="Request", type="document", text="number"),
            Column(name="party", label="Partner", type="newel.party", text="name"), Column(name="type", label="Type"),
            Column(name="category", label="Category"),
            Column(name="team", label="Team"), Column(name="assignee", label="Assigned to"), Column(name="follow_up", label="Follow up", type="date"),
            Column(name="state", label="State"), Column(name="date", label="Date", type="date"),
        ),
    ),
)  # fmt: skip
