"""What the portal decides: what is shown where, what a party may make, and what it is asked. Pure functions over what is declared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from newel.domain.kinds import Ask, DocumentKind, Flow, Kinds, Transition

USE, ACCEPT = "portal.use", "portal.accept"
ROLE = "customer"
SHOWN = ("request", "sale", "return")
OFFERED, PHASES = "offered", ("offered", "open")
LONG = ("text",)
# Rights of other plugins that customers usually have; those of plugins that are not installed rest.
USUAL = (
    "attachments.add", "forum.post", "forum.read", "knowledge.read", "order_status.view", "parts.catalogue", "parts.order.cancel", "parts.order.confirm",
    "parts.order.edit", "requests.message.edit",
)  # fmt: skip


class PortalSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of the portal. rows: of one kind on the first page. welcome: what stands on top of it."""

    rows: int = 5
    welcome: str = ""


def asked(kinds: Kinds, may: Callable[[str], bool]) -> list[DocumentKind]:
    """The kinds of documents that the user may make here: those that ask a party something. By name."""
    return [k for _, k in sorted(kinds.documents.items()) if k.asks and may(f"{k.name}.edit") and sends(k, may)]


def sends(kind: DocumentKind, may: Callable[[str], bool]) -> Transition | None:
    """How the user sends in a new document: the transition from the first state, and not to nowhere; the primary one first."""
    found = [t for t in kind.transitions if not t.automatic and kind.initial.name in t.sources and may(f"{kind.name}.{t.name}")]
    onwards = [t for t in found if kind.state(t.target).phase not in ("draft", "cancelled")]
    return next(iter(sorted(onwards, key=lambda t: not t.primary)), None)


def ways(kinds: Kinds, target: str, may: Callable[[str], bool]) -> dict[str, Flow]:
    """Kind -> flow from its documents to one of the target kind, for kinds that the user may see: what was sold rather than what was delivered."""
    found = {
        name: (kinds.documents[name].role, flow)
        for name, flows in sorted(kinds.ways.items())
        for flow in flows
        if flow.target_kind == target and may(f"{name}.view")
    }  # fmt: skip
    sold = {name: flow for name, (role, flow) in found.items() if role == "sale"}
    return sold or {name: flow for name, (_, flow) in found.items()}


def accepts(kinds: Kinds, kind: str) -> Flow | None:
    """The flow by which a party accepts an offer of this kind: the one to an order that closes it."""
    flows = (f for f in kinds.ways.get(kind, ()) if f.closes and OFFERED in f.phases and kinds.documents[f.target_kind].role == "sale")
    return next(flows, None) if kind in kinds.documents and kinds.documents[kind].role == "sale" else None


def rights(kinds: Kinds, known: Iterable[str]) -> list[str]:
    """What a customer's role begins with: look at what concerns it, make what it is asked for, and what is usual with the plugins that are there."""
    wanted = {USE, ACCEPT, *USUAL}
    for kind in kinds.documents.values():
        if kind.party_role != "customer":
            continue
        if kind.asks or kind.role in ("sale", "invoice"):
            wanted.add(f"{kind.name}.view")
        if kind.asks and (first := _first(kind)):
            wanted |= {f"{kind.name}.edit", f"{kind.name}.{first.name}"}
    return sorted(wanted & set(known))


def _first(kind: DocumentKind) -> Transition | None:
    """The mildest way in: to be looked at by us, where there is such a state, and not agreed to at once."""
    found = [t for t in kind.transitions if not t.automatic and kind.initial.name in t.sources]
    found = [t for t in found if kind.state(t.target).phase in PHASES]
    return min(found, key=lambda t: kind.state(t.target).phase != OFFERED, default=None)


def field_of_data(ask: Ask) -> tuple[str, str] | None:
    """(plugin, field) of a question about the data of a plugin; None for others."""
    parts = ask.name.split(".")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "data" else None


def where(place: str, names: Sequence[str]) -> str:
    """The question that a problem is about; empty for none of them."""
    return "item" if place.startswith("lines") and "item" in names else place if place in names else ""


def grouped(kinds: Mapping[str, DocumentKind], rows: Sequence[Any]) -> list[tuple[DocumentKind, bool, list[Any]]]:
    """(kind, whether it waits for the party's word, rows): offers first, then what the party has asked for, then what was sold."""
    groups: dict[tuple[str, bool], list[Any]] = {}
    for row in rows:
        waits = row.phase == OFFERED and kinds[row.kind].role == "sale"
        groups.setdefault((row.kind, waits), []).append(row)
    order = sorted(groups, key=lambda g: (not g[1], SHOWN.index(kinds[g[0]].role), g[0]))
    return [(kinds[name], waits, groups[name, waits]) for name, waits in order]
