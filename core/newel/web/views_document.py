"""The page of a document as a view model: what it is, what can be done with it, and everything around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context
from newel.domain.document import Document, Line
from newel.domain.kinds import DocumentKind
from newel.domain.money import HUNDRED, ZERO, product, rounded
from newel.domain.pricing import PriceStep
from newel.kernel_records import LANGUAGES
from newel.manifest import Panel
from newel.services.access import sees_costs
from newel.services.pages import CreditView, Detail, EntryView, EventView, Node
from newel.web.views_form import address_line, net_of
from newel.web.views_lines import panel_view
from newel.web.views_text import _, instant, number, plain, words

if TYPE_CHECKING:
    from newel.services.app import Newel

PHASES = {"draft": "draft", "offered": "open", "open": "open", "done": "done", "cancelled": "cancelled"}
STAGES = {"base": "Price", "manual": "Entered", "line": "Line", "document": "Document", "copied": "Taken over", "tax": "Tax taken out"}


def state_of(newel: Newel, kind: str, state: str, phase: str) -> dict[str, str]:
    """A state with its label, also of a kind whose plugin is not running."""
    found = newel.registry.documents.get(kind)
    label = next((s.label for s in found.states if s.name == state), state) if found else state
    return {"label": _(label), "phase": PHASES.get(phase, phase)}


def kind_label(newel: Newel, kind: str, plural: bool = False) -> str:
    """What a kind is called."""
    found = newel.registry.documents.get(kind)
    return _((found.label_plural if plural else found.label) if found else kind)


# ---- the document ------------------------------------------------------------------------------------------------------------------


def document_view(newel: Newel, detail: Detail, context: Context, look: str = "") -> dict[str, Any]:
    """What stands on the page; actions come from elsewhere. look: what the lines are about, prices or progress; empty for both (DOC-24)."""
    d, master = detail.document, detail.master
    kind = newel.registry.kind_of(d)
    lines = [_line(newel, d, line, detail, kind) for line in d.lines]
    digits = max((-int(plain(x.price).as_tuple().exponent) for x in d.lines), default=0)
    return {
        "kind_label": _(kind.label), "number": d.number, "state": state_of(newel, d.kind, d.state, d.phase), "url": f"/document/{d.id}",
        "back": {"label": _(kind.label_plural), "url": f"/documents/{d.kind}"},
        "party": {"label": d.party.name if d.party else "", "url": f"/records/newel.party/{d.party.id}" if d.party else "",
                  "detail": d.party.number if d.party else ""},
        "date": d.date, "currency": d.currency if kind.priced else "", "digits": d.amount_digits, "total": d.gross if kind.priced else None,
        "price_digits": max(d.amount_digits, min(digits, context.company.price_digits, 6)), "priced": kind.priced,
        "facts": [*_facts(newel, d, master, kind), *heading(detail.panels, d)],
        **_looks(d, kind, lines, context, look),
        "lines": lines, "totals": totals(d, kind), "taxes": taxes(d),
        "credit": credit(detail.credit, context), "panels": panels(detail.panels),
        "flow": {"before": _nodes(newel, detail.before), "after": _nodes(newel, detail.after)},
        "holds": [_hold(newel, d, h, context) for h in d.holds], "entries": [entry_view(e) for e in detail.entries],
        "history": [event(e, kind) for e in detail.events], "ledger_digits": context.company.amount_digits, "text": d.text,
    }  # fmt: skip


def _looks(d: Document, kind: DocumentKind, lines: list[dict[str, Any]], context: Context, look: str) -> dict[str, Any]:
    """Which columns the lines have, and the ways to look at them; costs and profit are in the company's currency."""
    both = kind.priced and any(x["progress"] for x in lines)
    money, cost = kind.priced and not (both and look == "progress"), both and look == "prices" and sees_costs(context)
    for row, line in zip(lines, d.lines, strict=True) if cost else ():
        if row["net"] is not None:
            row |= {"cost": line.cost, "profit": rounded(product(line.net, d.rate), context.company.amount_digits) - line.cost}
    ways = (("", _("Overview")), ("prices", _("Cost and price")), ("progress", _("Progress")))
    return {
        "columns": {
            "discount": money and any(x["discount"] for x in lines), "tax": money and any(x.taxes for x in d.lines), "price": money, "cost": cost,
            "progress": any(x["progress"] for x in lines) and not (both and look == "prices"), "open": both and look == "progress",
        },
        "looks": [{"label": label, "url": f"/document/{d.id}?lines={name}#lines", "active": look == name} for name, label in ways] if both else [],
    }  # fmt: skip


def _facts(newel: Newel, d: Document, master: Any, kind: DocumentKind) -> list[dict[str, Any]]:
    def place(id_: int | None) -> str:
        return f"{master.locations[id_].code} {master.locations[id_].name}" if id_ in master.locations else ""

    terms = master.terms.get(d.terms)
    rows: list[dict[str, Any]] = [
        {"label": _("Date"), "value": d.date, "kind": "date"},
        {"label": _("Requested"), "value": d.date_requested, "kind": "date"},
        {"label": _("Due"), "value": d.date_due if kind.priced else None, "kind": "date"},
        {"label": _("Reference"), "value": d.reference},
        {"label": _("Terms of payment"), "value": (terms.name or terms.code) if terms and kind.priced else ""},
        {"label": _("Ship to"), "value": address_line(d.ship_to) if d.ship_to else ""},
        {"label": _("Bill to"), "value": address_line(d.bill_to) if d.bill_to and d.bill_to != d.ship_to else ""},
        {"label": _("From location"), "value": place(d.location_from)},
        {"label": _("To location"), "value": place(d.location_to)},
        {"label": _("Exchange rate"), "value": number(d.rate) if d.rate != 1 else ""},
        {"label": _("Account role"), "value": _(newel.registry.account_roles[d.account_role].label) if d.account_role in newel.registry.account_roles else ""},
        {"label": _("Prices"), "value": _("include tax") if d.prices_include_tax else ""},
    ]
    for data in d.data.values():
        rows += [{"label": words(k), "value": shown_value(v)} for k, v in _items(data)]
    return [*rows, {"label": _("Text"), "value": d.text}]


def _items(data: Any) -> list[tuple[str, Any]]:
    values = data if isinstance(data, dict) else msgspec.structs.asdict(data) if isinstance(data, msgspec.Struct) else {}
    return [(k, v) for k, v in values.items() if v not in (None, "", (), [], {}, False)]


def shown_value(value: Any) -> str:
    """A value of a plugin's data, for people."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, Decimal):
        return number(plain(value))
    if isinstance(value, (tuple, list)):
        return "; ".join(shown_value(v) for v in value)
    if isinstance(value, (dict, msgspec.Struct)):
        return ", ".join(shown_value(v) for _k, v in _items(value))
    return str(value)


def _line(newel: Newel, d: Document, x: Line, detail: Detail, kind: DocumentKind) -> dict[str, Any]:
    moves = [m for m in detail.moves if m.line == x.id]
    priced = kind.priced and newel.registry.line_kinds[x.kind].priced if x.kind in newel.registry.line_kinds else kind.priced
    said = [(plugin, panel) for plugin, panel in detail.panels if panel.line == x.id]
    told = {plugin for plugin, _panel in said}  # these have said themselves what they keep; what is kept with parts of a line is for nobody
    notes = [f"{words(k)}: {shown_value(v)}" for p, data in x.data.items() if not x.key and p not in told for k, v in _items(data)]
    if x.settles is not None:
        notes.append(_("settles %(number)s", number=detail.settled.get(x.settles, str(x.settles))))
    if x.kind not in ("item", "charge", "text") and x.kind in newel.registry.line_kinds:
        notes.append(_(newel.registry.line_kinds[x.kind].label))
    parents = {line.parent for line in d.lines}
    money = priced and x.kind != "text"
    return {
        "id": x.id, "position": x.position, "kind": x.kind, "indent": x.parent is not None,
        "item": {"label": x.item.number, "url": f"/records/newel.item/{x.item.id}"} if x.item else None,
        "text": x.text, "note": " · ".join(notes), "panels": [panel_view(p, True) for _name, p in said if p.slot != "why" and (p.rows or p.text or p.entries)],
        "quantity": x.quantity if x.kind != "text" else None, "unit": x.unit,
        "price": x.price if money else None, "discount": (x.discount_entered if x.id in parents else x.discount) or None,
        "net": net_of(d, x) if money else None,
        "tax": ", ".join(f"{t.code} {number(plain(t.rate))} %" if t.rate else t.code for t in x.taxes), "taxed": x.tax if money else None,
        "progress": progress(newel, d, x, kind) if x.id not in parents else [],
        "steps": [price_step(s) for s in x.steps] if money else [],
        "schedules": [
            {"quantity": s.quantity, "unit": x.unit, "requested": s.date_requested, "confirmed": s.date_confirmed, "release": s.release_code}
            for s in x.schedules
        ],
        "moves": [{"from": m.source, "to": m.target, "quantity": m.quantity, "unit": x.item.unit if x.item else "", "lot": m.lot} for m in moves],
    }  # fmt: skip


def progress(newel: Newel, d: Document, x: Line, kind: DocumentKind) -> list[dict[str, Any]]:
    """How far a line has come on each way on; ways that complete a document are shown as soon as it is open."""
    links = dict.fromkeys(x.stages)
    if d.phase == "open":
        ways = sorted(newel.registry.flows_from(kind), key=lambda f: not f.primary)
        links = {f.link: None for f in ways if f.completes and newel.registry.takes(f, x)} | links
    if not x.quantity or x.kind == "text":
        return []
    out = []
    for link in links:
        stage = x.stages.get(link)
        done = stage.done if stage else ZERO
        planned = stage.planned - done if stage else ZERO
        label = words(link) + (f" (+{number(plain(planned))} {_('planned')})" if planned else "")
        out.append({"label": label, "done": done, "of": x.quantity, "percent": int(min(done * HUNDRED / x.quantity, HUNDRED))})
    return out


def price_step(s: PriceStep) -> dict[str, Any]:
    """One step of a price, for people."""
    return {"stage": _(STAGES.get(s.stage, s.stage)), "reason": s.reason, "plugin": s.plugin, "rule": s.rule, "change": s.amount_out - s.amount_in,
            "output": s.amount_out}  # fmt: skip


def totals(d: Document, kind: DocumentKind) -> list[dict[str, Any]]:
    """Net, taxes by rate, gross."""
    if not kind.priced:
        return []
    rows: list[dict[str, Any]] = [{"label": _("Net"), "value": d.net}]
    rows += [{"label": tax_label(t), "value": t.amount} for t in d.taxes]
    if rest := d.gross - d.net - d.tax:
        rows.append({"label": _("Rounding"), "value": rest})
    return [*rows, {"label": _("Total"), "value": d.gross, "strong": True}]


def tax_label(tax: Any) -> str:
    """A tax with its rate, or why there is none."""
    return f"{tax.code} {number(plain(tax.rate))} %" if tax.rate else " · ".join(x for x in (tax.code, tax.reason) if x)


def taxes(d: Document) -> list[dict[str, Any]]:
    """Base and amount of each tax."""
    return [{"label": tax_label(t), "base": t.base, "amount": t.amount} for t in d.taxes]


# ---- around it ---------------------------------------------------------------------------------------------------------------------


def credit(view: CreditView | None, context: Context) -> dict[str, Any] | None:
    """The credit bar: what is used, what this document adds, what is left."""
    if view is None:
        return None
    left = view.limit - view.used - view.this
    used = min(view.used * HUNDRED / view.limit, HUNDRED) if view.limit else HUNDRED
    this = min(view.this * HUNDRED / view.limit, HUNDRED - used) if view.limit else ZERO
    digits, currency = context.company.amount_digits, context.company.currency
    facts = [(_("Limit"), view.limit), *((words(e.stage), e.amount) for e in view.parts if e.amount), (_("This document"), view.this), (_("Left"), left)]
    return {
        "text": _("within the limit") if left >= 0 else _("over the limit"), "phase": "done" if left >= 0 else "error",
        "used_percent": int(max(used, ZERO)), "this_percent": int(max(this, ZERO)),
        "facts": [{"label": label, "value": value, "kind": "money", "digits": digits, "unit": currency} for label, value in facts],
    }  # fmt: skip


def panels(found: Sequence[tuple[str, Panel]]) -> list[dict[str, Any]]:
    """Boxes that plugins propose beside a document; those of its lines stand with the lines."""
    return [panel_view(p) for _plugin, p in found if p.line is None and p.slot != "head"]


def heading(found: Sequence[tuple[str, Panel]], document: Document | None) -> list[dict[str, Any]]:
    """What the head says beside its fields: the language of the party's documents, and what plugins know of the party."""
    party = document.party if document else None
    own = [{"label": _("Language"), "value": dict(LANGUAGES).get(party.language, party.language)}] if party else []
    return own + [fact for _plugin, p in found if p.slot == "head" for fact in panel_view(p)["facts"]]


def _nodes(newel: Newel, found: Sequence[Node]) -> list[dict[str, Any]]:
    return [node(newel, n) for n in sorted(found, key=lambda n: n.id)]  # in the order in which they were made


def node(newel: Newel, n: Node) -> dict[str, Any]:
    """A document before or after."""
    found = newel.registry.documents.get(n.kind)
    return {
        "kind_label": kind_label(newel, n.kind), "number": n.number or _("draft"), "url": f"/document/{n.id}",
        "state": state_of(newel, n.kind, n.state, n.phase),
        "date": n.date, "link_label": words(n.link), "quantity": n.quantity, "unit": n.unit, "open": n.open or None, "currency": n.currency,
        "amount": n.gross if found is None or found.priced else None,
    }  # fmt: skip


def _hold(newel: Newel, d: Document, hold: Any, context: Context) -> dict[str, Any]:
    kind = newel.registry.kind_of(d)
    waits = [_(t.label) for name in hold.transitions if (t := kind.transition(name))]
    out = {"reason": hold.reason, "waits_for": ", ".join(waits), "placed": f"{hold.code} · {hold.plugin}",
           "released": _("released by %(user)s, %(at)s", user=hold.released_by, at=instant(hold.released_at)) if hold.released_at else ""}  # fmt: skip
    if not hold.released_at:
        release: dict[str, Any] = {"label": _("Release"), "method": "post", "url": f"/document/{d.id}/release", "icon": "lock-open"}
        release["hidden"] = {"hold": hold.id}
        if not context.user.may(f"{d.kind}.release"):
            release |= {"disabled": True, "reasons": [{"message": _("this needs the permission %(name)s", name=f"{d.kind}.release")}]}
        out["release"] = release
    return out


def entry_view(e: EntryView) -> dict[str, Any]:
    """A journal entry with its totals, which are equal."""
    return {
        "number": e.number, "date": e.date, "text": e.text, "reverses": e.reverses,
        "rows": [{"account": r.account, "name": r.name, "party": r.party, "debit": r.debit or None, "credit": r.credit or None} for r in e.rows],
        "debit": sum((r.debit for r in e.rows), ZERO), "credit": sum((r.credit for r in e.rows), ZERO),
    }  # fmt: skip


def event(e: EventView, kind: DocumentKind) -> dict[str, Any]:
    """An entry of the timeline."""
    transition = kind.transition(e.action)
    labels = {s.name: _(s.label) for s in kind.states}
    what = {"create": _("made it"), "change": _("changed it"), "release": _("released a hold")}.get(e.action, _(transition.label) if transition else e.action)
    changes = [
        {"label": words(c["field"]), "old": labels.get(c["old"], _text(c["old"])), "new": labels.get(c["new"], _text(c["new"]))}
        if c["field"] == "state" else {"label": words(c["field"]), "old": _text(c["old"]), "new": _text(c["new"])}
        for c in e.changes
    ]  # fmt: skip
    return {"at": e.at, "who": e.user, "plugin": "" if e.source in ("screen", "api", "system", "import", "job") else e.source, "what": what, "changes": changes}


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return ", ".join(f"{k}: {_text(v)}" for k, v in value.items() if v not in (None, "", [], {}))
    return "; ".join(_text(v) for v in value) if isinstance(value, list) else str(value)
