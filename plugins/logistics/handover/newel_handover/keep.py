"""The use cases: a delivery is loaded, and somebody takes it; signature and photo are kept as files of the delivery."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Problem, Refused
from newel.manifest import Panel, Shown
from newel.services.access import denied, require
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.store.columns import scaled, unscaled
from newel.store.session import Session, day, instant
from newel_attachments import keep as files
from newel_attachments.rules import Upload

from newel_handover.tables import DEGREES, Proof

WORK = "handover.work"
PACKED = "shipping"  # the plugin whose data of a delivery says how it is packed, where it is there
NAME, DAYS, MOST = 120, 14, 200


class Hand(msgspec.Struct, frozen=True, kw_only=True):
    """What is said when goods are handed over. latitude, longitude: degrees; at: when, by the device's clock."""

    name: str
    signature: bytes = b""
    photo: Upload | None = None
    latitude: Decimal | None = None
    longitude: Decimal | None = None
    at: datetime | None = None


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """Who took a delivery, when and where, and who gave it. signature, photo: ids of files; place: latitude and longitude."""

    name: str
    signature: int | None
    photo: int | None
    place: str
    at: datetime | None
    by: str


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that waits."""

    id: int
    number: str
    party: str
    day: date | None


def allowed(context: Context) -> None:
    """Go on only for our own people with the right to hand over; Refused 403 otherwise."""
    if context.user.party is not None:
        raise denied("a user of no party")
    require(context, WORK)


async def waiting(newel: Newel, context: Context, proved: bool) -> list[Waiting]:
    """Deliveries that are picked and wait to be loaded; or (proved) those of the last two weeks that nobody has taken yet. The oldest first."""
    kinds = [k for k in newel.registry.kinds.of_role("delivery") if context.user.may(f"{k.name}.view")]
    states = {k.name: [s.name for s in k.states if s.phase == "done" or (s.phase == "draft" and s is not k.initial)] for k in kinds}
    sql = """SELECT d.id, d.kind, d.state, d.number, COALESCE(p.name, '') AS party, COALESCE(d.date_requested, d.date) AS day
               FROM document d LEFT JOIN party p ON p.id = d.party WHERE d.company = ? AND d.role = 'delivery' AND d.kind = ANY(?) AND """
    open_, args = ("d.phase = 'draft'", []) if not proved else (
        "d.phase = 'done' AND d.date >= ? AND NOT EXISTS (SELECT 1 FROM handover_proof h WHERE h.document = d.id)", [context.today - timedelta(days=DAYS)]
    )  # fmt: skip
    async with newel.database.read() as session:
        rows = await session.fetch(f"{sql}{open_} ORDER BY COALESCE(d.date_requested, d.date), d.id LIMIT ?", context.company.id, list(states), *args, MOST)
    return [Waiting(id=r["id"], number=r["number"], party=r["party"], day=day(r["day"])) for r in rows if r["state"] in states[r["kind"]]]


async def handed(session: Session, document: int) -> Handed | None:
    """Who took a delivery; None where nobody has."""
    proof = await session.one("SELECT * FROM handover_proof WHERE document = ?", document)
    if proof is None:
        return None
    at = [f"{unscaled(proof[n], DEGREES):f}" for n in ("latitude", "longitude") if proof[n] is not None]
    names = {n: proof[n] for n in ("name", "signature", "photo")}
    return Handed(**names, place=", ".join(at), at=instant(proof["given_at"]), by=proof["entered_by"])


def panel(found: Handed) -> Sequence[Panel]:
    """The box on the page of a delivery."""
    when = found.at.strftime("%Y-%m-%d %H:%M UTC") if found.at else ""
    rows: list[tuple[str, str | Shown]] = [
        ("Taken by", found.name), ("At", when), ("Place", found.place), ("Handed over by", found.by),
    ]  # fmt: skip
    rows += [(label, Shown(value="open", url=f"/attachments/files/{id}")) for label, id in (("Signature", found.signature), ("Photo", found.photo)) if id]
    return (Panel(title="Handing over", rows=tuple(r for r in rows if r[1])),)


async def load(newel: Newel, context: Context, id: int, values: dict[str, Any], key: str) -> Document:
    """Send a delivery that is picked, with what is known of its packages. values: of the way of shipping, where shipping is there.

    Raises:
        Refused: as the document says it; then nothing has changed.
    """
    allowed(context)
    async with newel.database.write() as session:
        document = await newel.documents.get(id, context, session)
        kind = newel.registry.kind(document.kind)
        steps = [t for t in kind.transitions if document.state in t.sources and t.primary]
        if document.phase == "draft" and values and PACKED in newel.registry.document_data:
            own = document.data.get(PACKED)
            data = {**document.data, PACKED: {**(msgspec.to_builtins(own) if own is not None else {}), **values}}
            entered = msgspec.structs.replace(as_input(document), data=data)
            document = (await newel.documents.update(id, document.version, entered, context, key=f"{key}-data", session=session)).document
            await session.flush()
        if document.role != "delivery" or not steps:
            raise Refused(Problem(code="handover.state", message=f"{document.number} is {document.state}", hint="choose another one from the list"), status=409)
        return (await newel.documents.act(id, steps[0].name, context, key=key, session=session)).document


async def prove(newel: Newel, context: Context, id: int, hand: Hand) -> int:
    """Keep who took a delivery, with signature and photo as files of it; returns the id of the proof. A second one is refused.

    Raises:
        Refused: everything that is wrong; 403 without the right to attach files.
    """
    allowed(context)
    document = await newel.documents.get(id, context)
    problems = list(_wrong(document, hand))
    if problems:
        raise Refused(*problems)
    require(context, files.ADD)
    given = [*([Upload("signature.png", hand.signature)] if hand.signature else []), *([hand.photo] if hand.photo else [])]
    ready = await files.prepare(newel, given, context) if given else []
    async with newel.database.write() as session:
        await session.fetch("SELECT id FROM document WHERE id = ? FOR UPDATE", id)
        if await session.value("SELECT id FROM handover_proof WHERE document = ?", id):
            raise Refused(Problem(code="handover.proved", message=f"{document.number} is handed over already", hint="look at the delivery"), status=409)
        kept = await files.store(session, files.DOCUMENT, id, ready, context)
        ids = dict(zip([*(["signature"] if hand.signature else []), *(["photo"] if hand.photo else [])], kept, strict=True))
        place = {n: scaled(v, DEGREES, ROUND_HALF_UP) for n in ("latitude", "longitude") if (v := getattr(hand, n)) is not None}
        when = {"given_at": hand.at or context.now, "entered_at": context.now, "entered_by": context.user.login}
        return session.add(Proof, document=id, name=hand.name[:NAME], **ids, **place, **when)


def _wrong(document: Document, hand: Hand) -> Sequence[Problem]:
    out = []
    if document.role != "delivery" or document.phase != "done":
        out.append(Problem(code="handover.state", message=f"{document.number} is {document.state}", hint="choose another one from the list"))
    if not hand.name:
        out.append(Problem(code="handover.name", message="the name of whoever takes it is missing", where="name", hint="ask for it"))
    for name, most in (("latitude", 90), ("longitude", 180)):
        value = getattr(hand, name)
        if value is not None and not (value.is_finite() and abs(value) <= most):
            out.append(Problem(code="handover.position", message=f"a {name} within {most} degrees was expected", where=name, hint="leave the place out"))
    return out


__all__ = ["Hand", "Handed", "Waiting", "handed", "load", "panel", "prove", "waiting"]
