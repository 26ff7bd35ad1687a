"""Who calls, and what is known of them: a few questions for each call, none for each partner."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.store.session import Session, instant

from newel_call_centre.rules import SAME, digits, state

DIGITS = "phone"
for _sign in " -/().+":
    DIGITS = f"replace({DIGITS}, '{_sign}', '')"
CALLERS = (
    f"SELECT id, number, name, service_level, blocked FROM party WHERE active = ? AND phone <> '' AND substr({DIGITS}, CASE WHEN length({DIGITS}) > {SAME} "
    f"THEN length({DIGITS}) - {SAME - 1} ELSE 1 END) = ? ORDER BY number LIMIT 10"
)
OPEN = (
    "SELECT id, kind, number, state, phase, party FROM document WHERE company = ? AND party = ANY(?) AND phase IN ('draft', 'offered', 'open') "
    "AND role IN ('request', 'sale', 'return', 'invoice') ORDER BY id DESC LIMIT 30"
)
CALLS = "SELECT * FROM call_centre_call WHERE company = ? AND {where} ORDER BY started_at DESC, id DESC LIMIT ?"


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A partner who may be calling."""

    id: int
    number: str
    name: str
    service_level: int = 0
    blocked: str = ""


class Open(msgspec.Struct, frozen=True, kw_only=True):
    """A document of a caller that is not done."""

    id: int
    kind: str
    number: str
    state: str
    phase: str
    party: int


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """A call as people see it. state: ringing, talking, ended or missed."""

    id: int
    call: str
    number: str
    direction: str
    agent: str
    state: str
    party: int | None = None
    document: int | None = None
    started_at: datetime | None = None
    recording: str = ""


class Pop(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent sees while it rings: the call, who it may be, what is open of them."""

    call: CallView
    callers: tuple[Caller, ...] = ()
    open: tuple[Open, ...] = ()


class Calls(msgspec.Struct, frozen=True):
    """The calls from which a document was made."""

    found: tuple[CallView, ...] = ()


async def callers(session: Session, number: str) -> tuple[Caller, ...]:
    """Active partners with this telephone number, however it is written."""
    wanted = digits(number)
    return tuple(Caller(**r) for r in await session.fetch(CALLERS, True, wanted)) if wanted else ()


async def calls(session: Session, context: Context, where: str, *args: Any, limit: int = 10) -> tuple[CallView, ...]:
    """Calls of the company, the latest first."""
    rows = await session.fetch(CALLS.format(where=where), context.company.id, *args, limit)
    return tuple(_view(r) for r in rows)


def _view(row: Any) -> CallView:
    plain = {n: row[n] for n in ("id", "call", "number", "direction", "agent", "party", "document", "recording")}
    return CallView(**plain, started_at=instant(row["started_at"]), state=state(row))


async def pop(session: Session, context: Context, agent: str, kinds: list[str]) -> Pop | None:
    """The call that an agent has now, or has just had; None while the telephone is silent.

    Args:
        kinds: of documents that the user may see.
    """
    found = await calls(session, context, "agent = ? AND ended_at IS NULL", agent, limit=1)
    if not found:
        return None
    call = found[0]
    known = await callers(session, call.number)
    if call.party is not None:
        known = tuple(c for c in known if c.id == call.party) or tuple(
            Caller(**r) for r in await session.fetch("SELECT id, number, name, service_level, blocked FROM party WHERE id = ?", call.party)
        )
    ids = [c.id for c in known]
    rows = await session.fetch(OPEN, context.company.id, ids) if ids else []
    return Pop(call=call, callers=known, open=tuple(Open(**r) for r in rows if r["kind"] in kinds))
