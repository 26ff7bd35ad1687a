"""What administrators and people look after: settings, jobs, the audit trail, sessions, the own password, open items."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from newel.errors import Problem, Refused, missing
from newel.services import administration, lists
from newel.services.access import require
from newel.services.users import LoginSession
from newel.web import api_types as a
from newel.web.api_convert import amount
from newel.web.api_types import Day
from newel.web.auth import principal
from newel.web.operations import Call, Id, operation

Password = Annotated[str, Meta(min_length=1, max_length=200)]
Settings = Annotated[dict[Annotated[str, Meta(max_length=60)], Any], Meta(max_length=200)]


class JobsQuery(a.Input, frozen=True, kw_only=True):
    """`state`: only pieces of work in it."""

    state: Literal["", "waiting", "running", "done", "failed"] = ""


class RetryBody(a.Input, frozen=True, kw_only=True):
    """Which piece of work."""

    what: Literal["outbox", "job"]
    id: Id


class AuditQuery(a.Input, frozen=True, kw_only=True):
    """`text` is looked for in the values."""

    user: Annotated[str, Meta(max_length=60, pattern=a.ONE_LINE)] = ""
    kind: Annotated[str, Meta(max_length=60, pattern=a.ONE_LINE)] = ""
    text: Annotated[str, Meta(max_length=100, pattern=a.ONE_LINE)] = ""
    date_from: Day | msgspec.UnsetType = msgspec.UNSET
    date_to: Day | msgspec.UnsetType = msgspec.UNSET
    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    size: Annotated[int, Meta(ge=1, le=200)] = 50


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of the trail; total counts all pages, and is no longer exact from 10,000 on."""

    rows: list[administration.AuditRow]
    total: int


class SessionOut(msgspec.Struct, frozen=True, kw_only=True):
    """Where you are logged in."""

    id: int
    created_at: datetime
    seen_at: datetime
    address: str
    agent: str
    this: bool


class PasswordBody(a.Input, frozen=True, kw_only=True):
    """The password that you have, and the one that you want."""

    current: Password
    new: Password


class OpenQuery(a.Input, frozen=True, kw_only=True):
    """Whose open items, and in which currency."""

    party: Id
    currency: Annotated[str, Meta(max_length=3, pattern="^([A-Z]{3})?$(?!\\n)")] = ""


class OpenOfParty(msgspec.Struct, frozen=True, kw_only=True):
    """An open item with the document that it came from."""

    id: int
    document: int
    kind: str
    number: str
    reference: str
    role: str
    currency: str
    date: Day
    date_due: Day
    amount: Decimal
    amount_open: Decimal


@operation("GET", "/settings/{plugin}", answer=dict[str, Any], errors=(404,), tag="administration")
async def get_settings(call: Call) -> dict[str, Any]:
    """Read the settings of a plugin in your company."""
    require(call.context, administration.ADMIN)
    found = call.context.settings.get(call.path["plugin"])
    if found is None:
        raise missing("plugin with settings", call.path["plugin"], "plugin")
    values: dict[str, Any] = msgspec.to_builtins(found, str_keys=True)
    return values


@operation("PUT", "/settings/{plugin}", body=Settings, answer=dict[str, Any], errors=(404,), tag="administration")
async def put_settings(call: Call) -> dict[str, Any]:
    """Keep settings of a plugin for your company; what is left out falls back to newel.toml and the plugin's own."""
    await administration.save_settings(call.newel, call.path["plugin"], call.body, call.context)
    async with call.newel.database.read() as session:
        fresh = await call.newel.context(session, call.context.user, call.context.company.id)
    values: dict[str, Any] = msgspec.to_builtins(fresh.settings[call.path["plugin"]], str_keys=True)
    return values


@operation("GET", "/jobs", answer=list[administration.Piece], query=JobsQuery, tag="administration")
async def list_jobs(call: Call) -> list[administration.Piece]:
    """List what the worker has to do and has done last."""
    return await administration.queue(call.newel, call.context, call.query.state)


@operation("POST", "/jobs/retry", body=RetryBody, errors=(404,), tag="administration")
async def retry_job(call: Call) -> None:
    """Let the worker try again now."""
    await administration.retry(call.newel, call.body.what, call.body.id, call.context)


@operation("GET", "/audit", answer=AuditPage, query=AuditQuery, tag="administration")
async def get_audit(call: Call) -> AuditPage:
    """Read who changed what, in records and documents together, latest first."""
    q: AuditQuery = call.query
    rows, total = await administration.audit(
        call.newel, call.context, user=q.user, kind=q.kind, text=q.text, date_from=q.date_from or None, date_to=q.date_to or None,
        number=q.page, size=q.size,
    )  # fmt: skip
    return AuditPage(rows=rows, total=total)


@operation("GET", "/sessions", answer=list[SessionOut], tag="tokens")
async def list_sessions(call: Call) -> list[SessionOut]:
    """List where you are logged in, latest first."""
    own = principal(call.request).session
    return [_session(s, own) for s in await call.newel.users.sessions(call.context.user)]


def _session(s: LoginSession, own: LoginSession | None) -> SessionOut:
    this = own is not None and own.id == s.id
    return SessionOut(id=s.id, created_at=s.created_at, seen_at=s.seen_at, address=s.address, agent=s.agent, this=this)


@operation("DELETE", "/sessions/{session}", errors=(404,), tag="tokens")
async def end_session(call: Call) -> None:
    """End one of your sessions."""
    await call.newel.users.revoke(call.context.user, call.path["session"])


@operation("POST", "/password", body=PasswordBody, errors=(429,), tag="tokens")
async def change_password(call: Call) -> None:
    """Change your password. Your other sessions end. Only people who are logged in can."""
    own, users = principal(call.request).session, call.newel.users
    if own is None:
        raise Refused(Problem(code="token.token", message="a token can't change a password", hint="log in with a browser"), status=403)
    address = call.request.client.host if call.request.client else ""
    if await users.authenticate(own.user.login, call.body.current, address) is None:
        raise Refused(Problem(code="login.failed", message="this is not your password", where="current", hint="check it, also for capital letters"))
    await users.set_password(own.user.id, call.body.new, call.context, keep=own.id)


@operation("GET", "/open-items", answer=list[OpenOfParty], query=OpenQuery, tag="documents")
async def list_open_items(call: Call) -> list[OpenOfParty]:
    """List what a party owes or is owed, the oldest first; only of documents that you may see."""
    registry, may = call.newel.registry, call.context.user.may
    roles = [r.name for r in registry.account_roles.values() if r.open_items]
    found = await lists.open_items(call.newel, call.context, call.query.party, roles, call.query.currency)
    return [
        OpenOfParty(
            id=v.item.id, document=v.item.document, kind=v.kind, number=v.number, reference=v.reference, role=v.item.role,
            currency=v.item.currency, date=v.item.date, date_due=v.item.date_due, amount=amount(v.item.amount, 2),
            amount_open=amount(v.item.amount_open, 2),
        )
        for v in found
        if may(f"{v.kind}.view")
    ]  # fmt: skip


operations = [
    list_open_items, get_settings, put_settings, list_jobs, retry_job, get_audit, list_sessions, end_session, change_password,
]  # fmt: skip
