"""What an install can do, who asks, reports, and the tokens of programs."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from newel.domain.kinds import DocumentKind, Flow, State, Transition
from newel.errors import Problem, Refused
from newel.services import reports
from newel.services.values import FieldView
from newel.store.session import instant
from newel.web import api_types as a
from newel.web.auth import principal
from newel.web.operations import Call, Id, operation


class StateOut(msgspec.Struct, frozen=True, kw_only=True):
    """A state of a document."""

    name: str
    label: str
    phase: str
    editable: bool


class TransitionOut(msgspec.Struct, frozen=True, kw_only=True):
    """A way between states; an automatic one is carried out by the kernel."""

    name: str
    label: str
    sources: list[str]
    target: str
    automatic: bool


class FlowOut(msgspec.Struct, frozen=True, kw_only=True):
    """How a document goes on in another one."""

    name: str
    label: str
    target: str
    phases: list[str]


class KindOut(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of document."""

    name: str
    label: str
    label_plural: str
    role: str
    party_role: str
    help: str
    line_kinds: list[str]
    states: list[StateOut]
    transitions: list[TransitionOut]
    flows: list[FlowOut]


class FieldOut(msgspec.Struct, frozen=True, kw_only=True):
    """A field of a record kind: type is text, longtext, integer, decimal, date, instant, flag, choice, reference or json."""

    name: str
    label: str
    type: str
    help: str
    required: bool
    readonly: bool
    length: int
    digits: int
    minimum: str | None
    maximum: str | None
    choices: list[str]
    reference: str


class RecordKindOut(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of record with its fields."""

    name: str
    label: str
    label_plural: str
    help: str
    parent: str
    append_only: bool
    fields: list[FieldOut]


class ReportOut(msgspec.Struct, frozen=True, kw_only=True):
    """A report with its parameters and columns by name."""

    name: str
    label: str
    help: str
    parameters: list[str]
    columns: list[str]


class ReportRows(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a report; amounts and quantities are text."""

    name: str
    rows: list[dict[str, Any]]


class PluginOut(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin; why it is off, where it is."""

    name: str
    label: str
    version: str
    running: bool
    reason: str


class CompanyOut(msgspec.Struct, frozen=True, kw_only=True):
    """The company that the request works for."""

    id: int
    code: str
    name: str
    currency: str
    amount_digits: int
    price_digits: int


class MeOut(msgspec.Struct, frozen=True, kw_only=True):
    """Who you are, what you may do and for which company."""

    login: str
    name: str
    language: str
    permissions: list[str]
    company: CompanyOut
    today: date


class TokenBody(a.Input, frozen=True, kw_only=True):
    """`name`: which program it is for. `days`: how long it lasts."""

    name: Annotated[str, Meta(min_length=1, max_length=120, pattern=a.ONE_LINE)]
    days: Annotated[int, Meta(ge=1, le=3650)] = 90
    company: Id | None = None


class TokenOut(msgspec.Struct, frozen=True, kw_only=True):
    """A token of yours, without its secret."""

    id: int
    name: str
    company: int
    created_at: datetime | None
    expires_at: datetime | None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """The secret is shown now and never again."""

    token: str


@operation("GET", "/kinds", answer=list[KindOut], tag="install")
async def list_kinds(call: Call) -> list[KindOut]:
    """List the kinds of documents that you may see."""
    registry = call.newel.registry
    return [_kind(k, registry.flows_from(k)) for k in registry.documents.values() if call.context.user.may(f"{k.name}.view")]


def _kind(k: DocumentKind, flows: tuple[Flow, ...]) -> KindOut:
    def state(s: State) -> StateOut:
        return StateOut(name=s.name, label=s.label, phase=s.phase, editable=s.editable)

    def transition(t: Transition) -> TransitionOut:
        return TransitionOut(name=t.name, label=t.label, sources=list(t.sources), target=t.target, automatic=bool(t.automatic))

    return KindOut(
        name=k.name, label=k.label, label_plural=k.label_plural, role=k.role, party_role=k.party_role, help=k.help, line_kinds=list(k.line_kinds),
        states=[state(s) for s in k.states], transitions=[transition(t) for t in k.transitions],
        flows=[FlowOut(name=f"{f.target_kind}:{f.name}", label=f.label, target=f.target_kind, phases=list(f.phases)) for f in flows],
    )  # fmt: skip


@operation("GET", "/records", answer=list[RecordKindOut], tag="install")
async def list_record_kinds(call: Call) -> list[RecordKindOut]:
    """List the kinds of records that you may see, with their fields."""
    records = call.newel.registry.records.values()
    return [
        RecordKindOut(
            name=r.name, label=r.label, label_plural=r.label_plural, help=r.help, parent=r.parent, append_only=r.append_only,
            fields=[_field(f) for f in call.newel.records.fields(r.name, call.context)],
        )
        for r in records
        if call.context.user.may(f"{r.name}.view")
    ]  # fmt: skip


def _field(f: FieldView) -> FieldOut:
    same = ("name", "label", "type", "help", "required", "readonly", "length", "digits")
    values: dict[str, Any] = {n: None if (v := getattr(f, n)) is None else f"{v:f}" for n in ("minimum", "maximum")}
    values |= {n: getattr(f, n) for n in same}
    return FieldOut(**values, choices=[v for v, _ in f.choices], reference=f.reference or f.code_of)


@operation("GET", "/reports", answer=list[ReportOut], tag="reports")
async def list_reports(call: Call) -> list[ReportOut]:
    """List the reports that you may see."""
    return [
        ReportOut(
            name=r.name, label=r.label, help=r.help, parameters=[p.name for p in r.parameters], columns=[c.name for c in reports.seen(r, call.context).columns]
        )
        for r in call.newel.registry.reports.values()
        if call.context.user.may(f"{r.name}.view")
    ]  # fmt: skip


@operation("GET", "/reports/{name}", answer=ReportRows, free_query=True, errors=(404, 424), tag="reports")
async def run_report(call: Call) -> ReportRows:
    """Run a report."""
    given, report = call.given(), call.newel.registry.reports.get(call.path["name"])
    for p in report.parameters if report else ():
        if given.get(p.name) == "" and p.type != "text":
            raise Refused(Problem(code="field.required", message=f"{p.label} is empty", where=p.name, hint="leave it out or give it"), status=400)
    return ReportRows(name=call.path["name"], rows=await reports.run(call.newel, call.path["name"], given, call.context))


@operation("GET", "/plugins", answer=list[PluginOut], tag="install")
async def list_plugins(call: Call) -> list[PluginOut]:
    """List the plugins: those that run, and those that do not with the reason."""
    admin = call.context.user.may("newel.admin")
    running = [PluginOut(name=m.name, label=m.label, version=m.version, running=True, reason="") for m in call.newel.plugins.manifests.values()]
    off = [PluginOut(name=o.name, label=o.name, version="", running=False, reason=o.reason if admin else "off") for o in call.newel.off]
    return [*running, *off]


@operation("GET", "/me", answer=MeOut, tag="install")
async def get_me(call: Call) -> MeOut:
    """Say who you are, what you may do and for which company."""
    context = call.context
    company = CompanyOut(**{n: getattr(context.company, n) for n in CompanyOut.__struct_fields__})
    user = context.user
    return MeOut(
        login=user.login, name=user.name, language=user.language, permissions=sorted(user.permissions), company=company, today=context.today
    )  # fmt: skip


@operation("GET", "/tokens", answer=list[TokenOut], tag="tokens")
async def list_tokens(call: Call) -> list[TokenOut]:
    """List your tokens."""
    return [
        TokenOut(id=t["id"], name=t["name"], company=t["company"], created_at=instant(t["created_at"]), expires_at=instant(t["expires_at"]))
        for t in await call.newel.users.tokens(call.context.user)
    ]


@operation("POST", "/tokens", body=TokenBody, answer=NewToken, status=201, errors=(404,), tag="tokens")
async def create_token(call: Call) -> NewToken:
    """Make a token for a program that acts as you. Only people who are logged in can: a token makes no tokens."""
    if principal(call.request).session is None:
        problem = Problem(code="token.token", message="a token can't make a token", hint="log in with a browser")
        raise Refused(problem, status=403)
    body: TokenBody = call.body
    company = body.company if body.company is not None else call.context.company.id
    return NewToken(token=await call.newel.users.create_token(call.context.user, body.name, body.days, company))


@operation("DELETE", "/tokens/{token}", errors=(404,), tag="tokens")
async def revoke_token(call: Call) -> None:
    """End a token of yours."""
    await call.newel.users.revoke_token(call.context.user, call.path["token"])


operations = [
    get_me, list_kinds, list_record_kinds, list_plugins, list_reports, run_report, list_tokens, create_token, revoke_token,
]  # fmt: skip
