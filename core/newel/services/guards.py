"""What must hold before anything else is looked at: the right, the state, the version."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, Hold
from newel.domain.kinds import DocumentKind, Transition
from newel.errors import Problem, Refused, Severity, missing
from newel.services.engine import Engine


def may(context: Context, permission: str) -> None:
    """Refuse with 403 where the user does not have the permission."""
    if not context.user.may(permission):
        raise Refused(
            Problem(
                code="permission", message=f"{context.user.login} may not: the permission {permission!r} is missing",
                hint="ask an administrator for a role that has it",
            ),
            status=403,
        )  # fmt: skip


async def may_release(engine: Engine, document: Document, hold: Hold) -> None:
    """Refuse with 403 who has no right to release it, and whom a plugin keeps from it."""
    context, plugins = engine.context, engine.plugins
    may(context, f"{document.kind}.release")
    if not plugins.has("check_release"):
        return
    sql = "SELECT DISTINCT \"user\" FROM document_event WHERE document = ANY(?) AND action <> 'release'"
    rows = await engine.session.fetch(sql, [document.id, document.origin or document.id])
    people = tuple(sorted(r["user"] for r in rows))
    found = plugins.propose("check_release", Problem, document=document, hold=hold, people=people, context=context)
    if problems := [msgspec.structs.replace(p, plugin=plugin) for plugin, p in found if p.severity is Severity.BLOCK]:
        raise Refused(*problems, status=403)


def own(context: Context, entered: DocumentInput) -> DocumentInput:
    """What a user enters who stands for a party is that party's, whatever it says; Refused 403 where it names another one."""
    party = context.user.party
    if party is None or entered.party == party:
        return entered
    if entered.party not in (None, ""):
        raise Refused(
            Problem(code="party.own", message="this user may only enter documents of its own party", where="party", hint="leave it empty"), status=403
        )
    return msgspec.structs.replace(entered, party=party)


def transition(kind: DocumentKind, document: Document, name: str) -> Transition:
    """The named transition, where the document's state offers it; Refused 404 or 409."""
    found = kind.transition(name)
    if found is None or found.automatic:
        raise missing("transition", name, "transition")
    if document.state not in found.sources:
        wanted = " or ".join(kind.state(s).label for s in found.sources)
        raise Refused(
            Problem(
                code="state", message=f"{found.label}: the {kind.label} is {kind.state(document.state).label}, and must be {wanted}",
                where="state", hint="look at it again: somebody may have changed it",
            ),
            status=409,
        )  # fmt: skip
    return found


def fresh(document: Document, version: int) -> None:
    """Refused 409 where somebody has changed it since."""
    if document.version != version:
        raise Refused(
            Problem(
                code="version", message=f"it has changed: you have seen version {version}, it is at {document.version}", where="version",
                hint="look at what the other person did, then enter your change again",
            ),
            status=409,
        )  # fmt: skip


def status(problems: Sequence[Problem]) -> int:
    """The HTTP status that fits the problems of a transition."""
    return 409 if any(p.code in ("hold", "stock.short") and p.severity is Severity.BLOCK for p in problems) else 422
