"""What service requests decide: what a type asks for and becomes, what comes first, who may say what. Pure functions over frozen values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.document import Document, DocumentInput, Draft, Line, LineInput
from newel.domain.kinds import DocumentKind, Flow, Kinds
from newel.errors import Problem
from newel.manifest import Panel, Shown

KIND = "requests.request"
LINK = "converted"
LONGEST = 20_000
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
STATES = {  # name: (label, phase)
    "draft": ("Draft", "draft"), "open": ("Open", "open"), "working": ("In progress", "open"), "waiting": ("Waits for the requester", "open"),
    "halted": ("Waits for others", "open"), "resolved": ("Resolved", "done"), "closed": ("Closed", "done"), "cancelled": ("Cancelled", "cancelled"),
}  # fmt: skip
INTERNAL = ("team", "assignee", "follow_up", "priority", "target")  # what the requester has no say in


class RequestData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the header of a request holds besides (SRV-01, SRV-04).

    Args:
        type: code of its type: service, charge, account, warranty, help, or one of the company's own.
        category: code of a category.
        about: number of the document that it is about: order, shipment, invoice or payment of the same partner.
        time: hour and minute of the visit, such as 14:30, local time of the place; the day is the header's date_requested.
        requester: e-mail address of the person who asks; the partner's own counts as well.
        team, assignee: code of the team, login of the user who deals with it.
        follow_up: day on which somebody looks at it again.
        priority: 1 (first) to 9; None for what the partner's service level gives.
        target: kind of document that it is turned into; empty for what its type says.
    """

    type: str = ""
    category: str = ""
    about: str = ""
    time: str = ""
    requester: str = ""
    team: str = ""
    assignee: str = ""
    follow_up: date | None = None
    priority: int | None = None
    target: str = ""


class Type(msgspec.Struct, frozen=True, kw_only=True):
    """A type of requests.

    Args:
        target_kind, target_role: kind of document that it becomes, or the role of one; both empty: it is only answered.
        needs: what must be there before it is sent in: any of place, time, about, lines, text.
        urgency: added to the priority; negative is more urgent.
    """

    code: str
    name: str
    target_kind: str = ""
    target_role: str = ""
    needs: tuple[str, ...] = ()
    urgency: int = 0


NEEDS = {
    "place": ("the place of the work", "ship_to", "choose an address"),
    "time": ("day and time of the work", "date_requested", "enter the day wanted, and the time as 14:30"),
    "about": ("the document that it is about", "data.requests.about", "enter the number of the order, shipment, invoice or payment"),
    "lines": ("what it is about, as lines", "lines", "add a line: the product, or the expense with its amount"),
    "text": ("what is wanted, in words", "text", "write it down"),
}


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said about a request. internal: for colleagues only."""

    at: datetime | None
    author: str
    text: str
    internal: bool = False
    staff: bool = True


class RequestFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known around a request.

    Args:
        types, categories, teams: by code. logins: of active users, and parties: whom they stand for, where they stand for one.
        about: id of the document that it is about, None where there is none of that number with the same partner.
        stored: its data before the change of a requester; None for a new one.
    """

    types: dict[str, Type] = {}
    categories: dict[str, str] = {}
    teams: dict[str, str] = {}
    logins: dict[str, int | None] = {}
    about: int | None = None
    said: tuple[Said, ...] = ()
    stored: RequestData | None = None


def header(document: Document) -> RequestData:
    """The request's own data; empty where it has none."""
    found = document.data.get("requests")
    return found if isinstance(found, RequestData) else RequestData()


def priority(data: RequestData, service_level: int, kind: Type | None) -> int:
    """1 is dealt with first, 9 last: as entered, else 9 less the partner's service level (0 to 9), made more or less urgent by the type (DOC-30)."""
    if data.priority is not None:
        return data.priority
    return min(max(9 - service_level + (kind.urgency if kind else 0), 1), 9)


# ---- what it becomes -------------------------------------------------------------------------------------------------------------------


def target(data: RequestData, kind: Type | None, kinds: Kinds) -> DocumentKind | None:
    """The kind of document that a request becomes; None where nothing installed fits.

    What the request or its type names goes first; else a kind with the type's role. Of several kinds with one role, refunds of an expense take
    one that is paid out (a credit note); else the first by name counts. What comes back is authorised first, where something installed does that.
    """
    named = data.target or (kind.target_kind if kind else "")
    if named or kind is None:
        return kinds.documents.get(named)
    found = [k for k in kinds.of_role(kind.target_role) if k.party_role in ("customer", "")] if kind.target_role else []
    if kind.target_role == "return":
        back = {k.name for k in found}
        found = [k for k in kinds.of_role("request") if back & {way.target_kind for way in kinds.ways.get(k.name, ())}] or found
    return min(found, key=lambda k: (k.sign > 0 and kind.target_role == "invoice", k.name), default=None)


def drafts(document: Document, kind: DocumentKind, way: Flow | None = None) -> list[Draft]:
    """The document that a request becomes, with what has not gone on yet; its lines continue those of the request.

    Args:
        way: flow from requests that the owner of the target has declared: its line_kind is what a piece with a lot or serial number becomes.
            Where the target's header has a time of its own, it gets the one that was asked for.
    """
    taken = [line for line in document.lines if line.key == "" and (line.kind == "text" or line.quantity_open(LINK) > 0)]
    lines = tuple(
        LineInput(
            kind=_line_kind(line, kind, way), item=line.item.id if line.item else None, text=line.text, unit=line.unit,
            quantity=line.quantity if line.kind == "text" else line.quantity_open(LINK), price=_price(line.price_entered, line.price, line.item),
            discount=line.discount_entered, tax_category=line.tax_category, lot=line.lot, account_role=line.account_role,
            data=line.data,
        )
        for line in taken
    )  # fmt: skip
    entered = DocumentInput(
        party=document.party.id if document.party else None, currency=document.currency, reference=document.number, text=document.text,
        ship_to=document.ship_to.id if document.ship_to else None, bill_to=document.bill_to.id if document.bill_to else None,
        date_requested=document.date_requested, lines=lines, data=_time(document, kind),
    )  # fmt: skip
    links = tuple(None if line.kind == "text" else (line.id, LINK, line.quantity_open(LINK)) for line in taken)
    return [Draft(kind=kind.name, input=entered, links=links)]


def _line_kind(line: Line, kind: DocumentKind, way: Flow | None) -> str:
    if way is not None and way.line_kind and line.item is not None and line.item.tracking != "none":
        return way.line_kind
    return line.kind if line.kind in kind.line_kinds else ""


def _time(document: Document, kind: DocumentKind) -> dict[str, Any]:
    time = header(document).time
    return {kind.name.partition(".")[0]: {"time": time}} if time and "time" in getattr(kind.data, "__struct_fields__", ()) else {}


def _price(entered: Decimal | None, price: Decimal, item: Any) -> Decimal | None:
    """An expense keeps its amount; goods are priced by the new document, unless somebody entered a price."""
    return entered if entered is not None or item is not None else price


# ---- checks ----------------------------------------------------------------------------------------------------------------------------


def check(document: Document, transition: str, facts: RequestFacts, kinds: Kinds, party: int | None) -> list[Problem]:
    """Everything that is wrong with a request. party: whom the user stands for, None for one of our own."""
    data = header(document)
    kind = facts.types.get(data.type)
    problems: list[Problem] = []
    if not transition:
        problems += [*_references(data, facts), *(_requester(document, data, facts) if party is not None else ())]
    if transition == "submit":
        problems += _lacking(document, data, kind, facts)
    if transition == "convert":
        problems += _convertible(document, data, kind, kinds)
    return problems


def _references(data: RequestData, facts: RequestFacts) -> Iterator[Problem]:
    for name, known in (("type", facts.types), ("category", facts.categories), ("team", facts.teams)):
        code = getattr(data, name)
        if code and code not in known:
            hint = f"one of {', '.join(sorted(known)) or 'none yet'}"
            yield Problem(code=f"requests.{name}", message=f"there is no {name} {code!r:.40}", where=f"data.requests.{name}", hint=hint)
    if data.assignee and (data.assignee not in facts.logins or facts.logins[data.assignee] is not None):
        message = f"no user of ours is called {data.assignee!r:.40}"
        yield Problem(code="requests.assignee", message=message, where="data.requests.assignee", hint="enter the login of an active user")
    if data.time and not TIME.fullmatch(data.time):
        yield Problem(code="requests.time", message=f"{data.time!r:.20} is no time", where="data.requests.time", hint="write it as 14:30")
    if data.priority is not None and not 1 <= data.priority <= 9:
        yield Problem(code="requests.priority", message=f"a priority from 1 to 9 was expected, got {data.priority}", where="data.requests.priority")
    if data.about and facts.about is None:
        message = f"this partner has no document {data.about!r:.40}"
        yield Problem(code="requests.about", message=message, where="data.requests.about", hint="enter the number as it stands on the document")


def _requester(document: Document, data: RequestData, facts: RequestFacts) -> Iterator[Problem]:
    """A requester says what is wanted, until it is sent in; not who deals with it, when, and what becomes of it."""
    if document.phase != "draft":
        message = f"{document.number} is sent in"
        yield Problem(code="requests.sent", message=message, where="text", hint="add to it with a message: whoever deals with it must know what was changed")
        return
    before = facts.stored or RequestData()
    for name in INTERNAL:
        if getattr(data, name) != getattr(before, name):
            message = f"{name} is for those who deal with the request"
            yield Problem(code="requests.internal", message=message, where=f"data.requests.{name}", hint="leave it as it is")


def _lacking(document: Document, data: RequestData, kind: Type | None, facts: RequestFacts) -> Iterator[Problem]:
    if kind is None:
        if not data.type:
            hint = f"choose one of {', '.join(sorted(facts.types))}"
            yield Problem(code="requests.type_missing", message="a request has a type", where="data.requests.type", hint=hint)
        return
    there = {
        "place": document.ship_to is not None, "time": document.date_requested is not None and bool(data.time), "about": bool(data.about),
        "lines": any(line.kind != "text" for line in document.lines), "text": bool(document.text.strip()),
    }  # fmt: skip
    for need in kind.needs:
        if not there.get(need, True):
            what, where, hint = NEEDS[need]
            yield Problem(code="requests.lacking", message=f"a request of the type {kind.name} says {what}", where=where, hint=hint)


def _convertible(document: Document, data: RequestData, kind: Type | None, kinds: Kinds) -> Iterator[Problem]:
    if target(data, kind, kinds) is None:
        wanted = data.target or (kind.target_kind or kind.target_role if kind else "")
        message = f"nothing installed is {wanted!r}" if wanted else "requests of this type are answered, and become nothing else"
        hint = "name the kind of document in the request, or with its type"
        yield Problem(code="requests.target", message=message, where="data.requests.target", hint=hint)
    elif document.lines and not any(line.kind != "text" and line.quantity_open(LINK) > 0 for line in document.lines):
        yield Problem(code="requests.converted", message="all of its lines have gone on already", where="lines", hint="add what is to go on as well")


def check_type(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What must hold of a type."""
    if values.get("target_kind") and values.get("target_role"):
        yield Problem(code="requests.type_target", message="a kind of document or a role, not both", where="target_role", hint="leave one of them empty")


# ---- what people see -------------------------------------------------------------------------------------------------------------------


def panels(document: Document, facts: RequestFacts, guest: bool) -> list[Panel]:
    """How urgent it is and who has it; what was said. A requester sees neither our notes nor who is assigned."""
    data = header(document)
    kind = facts.types.get(data.type)
    level = document.party.service_level if document.party else 0
    rows: list[tuple[str, str | Shown]] = [("Type", kind.name if kind else "")]
    if facts.about is not None:
        rows.append(("About", Shown(value=data.about, url=f"/document/{facts.about}")))
    if not guest:
        rows += [("Priority", str(priority(data, level, kind))), ("Service level", str(level))]
        rows += [("Team", facts.teams.get(data.team, "")), ("Assigned to", data.assignee)]
        rows += [("Follow up", Shown(value=data.follow_up))] if data.follow_up else []
    out = [Panel(title="Request", rows=tuple(r for r in rows if r[1]), sequence=10, form="" if guest else "assign", shared=True)]
    out.append(Panel(title="Conversation", rows=_conversation(facts.said, False), slot="below", sequence=20, form="answer", shared=True))
    if not guest:
        out.append(Panel(title="Notes for colleagues", rows=_conversation(facts.said, True), slot="below", sequence=21, form="note"))
    return out


def _conversation(said: Sequence[Said], internal: bool) -> tuple[tuple[str, str], ...]:
    return tuple((f"{s.author} {s.at:%Y-%m-%d %H:%M}" if s.at else s.author, s.text) for s in said if s.internal == internal)
