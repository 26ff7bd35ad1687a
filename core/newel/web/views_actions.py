"""What can be done with a document: a button for each transition, each way on, each payment, with what it would meet."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.kinds import DocumentKind, Transition
from newel.domain.ledger import OpenItem
from newel.errors import Problem, Refused, Severity
from newel.services.access import helpers
from newel.web.views_text import _, inside, said, words

if TYPE_CHECKING:
    from newel.services.app import Newel


async def actions(newel: Newel, document: Document, context: Context) -> tuple[list[dict[str, Any]], list[Problem]]:
    """A button for each transition that the state offers, with what it would meet; and what the next one would say."""
    kind = newel.registry.kind_of(document)
    out, said = [], []
    offered = [t for t in kind.transitions if not t.automatic and document.state in t.sources]
    for transition in sorted(offered, key=lambda t: not t.primary):
        problems = await _meets(newel, document, kind, transition, context)
        out.append(_action(newel, document, transition, problems, context))
        if transition.primary:
            said += [p for p in problems if p.severity is not Severity.BLOCK]
    return out, said


async def _meets(newel: Newel, document: Document, kind: DocumentKind, transition: Transition, context: Context) -> Sequence[Problem]:
    permission = f"{kind.name}.{transition.name}"
    if not context.user.may(permission):
        hint = f"{_('ask an administrator for the permission %(name)s', name=permission)} {_helped(newel, permission, context)}"
        return [Problem(code="permission", message=_("you may not do this"), hint=hint)]
    try:
        return (await newel.documents.preview_act(document.id, transition.name, context)).problems
    except Refused as refused:
        return refused.problems


def _helped(newel: Newel, permission: str, context: Context) -> str:
    names = helpers(newel, context.user, context.company.id, permission)
    return _("Who can help: %(names)s", names=names) if names else ""


def _action(newel: Newel, document: Document, transition: Transition, problems: Sequence[Problem], context: Context) -> dict[str, Any]:
    stopping = [said(p) for p in problems if p.severity is Severity.BLOCK]
    risky = [said(p) for p in problems if p.severity is Severity.OVERRIDE]
    backwards = transition.target == "cancelled" or "reverse" in transition.effects
    action: dict[str, Any] = {
        "label": _(transition.label), "method": "post", "url": f"/document/{document.id}/act", "name": "transition", "value": transition.name,
        "primary": transition.primary, "danger": backwards, "icon": "x" if backwards else "check" if transition.primary else "",
        "hidden": {"version": document.version, "idempotency_key": secrets.token_urlsafe(12)},
    }  # fmt: skip
    if backwards:
        action["confirm"] = _("%(step)s %(number)s?", step=_(transition.label), number=document.number)
    if transition.primary:
        action["key"] = "N"
    if stopping or (risky and not context.user.may("newel.override")):
        who = _helped(newel, "newel.override", context) if risky and not stopping else ""
        return action | {"disabled": True, "reasons": [{"message": p.message, "hint": f"{p.hint} {who}"} for p in (*stopping, *risky)]}
    if risky:
        action["label"] = _("%(step)s anyway", step=_(transition.label))
        action["confirm"] = " ".join(f"{p.message}." for p in risky)
        action["hidden"] = {**action["hidden"], "overrides": ",".join(sorted({p.code for p in risky}))}
        action["icon"] = "shield-check"
    return action


def flows(newel: Newel, document: Document, context: Context) -> list[dict[str, Any]]:
    """A button for each way on; disabled with the reason where nothing is open or the phase does not fit."""
    kind = newel.registry.kind_of(document)
    out = []
    for flow in sorted(newel.registry.flows_from(kind), key=lambda f: not f.primary):
        if document.phase not in flow.phases or not context.user.may(f"{flow.target_kind}.edit"):
            continue
        open_ = [x for x in document.lines if flow.open(x) > 0 and newel.registry.takes(flow, x)]
        action = {"label": _(flow.label), "method": "get", "url": f"/document/{document.id}/follow/{flow.target_kind}:{flow.name}",
                  "icon": "arrow-forward-up", "completes": flow.completes,
                  "primary": flow.primary and bool(open_) and not any(t.primary and document.state in t.sources for t in kind.transitions)}  # fmt: skip
        if not open_:
            reason = {"message": _("nothing is open to be %(link)s", link=inside(words(flow.link), noun=False)), "hint": _("all of it has gone on already")}
            action |= {"disabled": True, "reasons": [reason]}
        out.append(action)
    return out


def payments(newel: Newel, items: Sequence[OpenItem], document: Document, context: Context) -> list[dict[str, Any]]:
    """Buttons that pay what is open of a document: one for each kind whose lines settle such items on the right side."""
    out = []
    for item in items:
        for kind in newel.registry.documents.values():
            if not kind.posting or kind.posting.line != item.role or kind.role != "payment" or not context.user.may(f"{kind.name}.edit"):
                continue
            if (1 if kind.posting.side == "debit" else -1) * kind.sign * item.amount > 0:
                url = f"/documents/{kind.name}/new?party={item.party}&settles={item.id}&currency={item.currency}"
                out.append({"label": _(kind.label), "method": "get", "url": url, "icon": "cash", "primary": document.phase == "open"})
    return out[:4]
