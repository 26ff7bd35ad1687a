"""All manifests merged: kinds, flows, roles, rules. Merged in sorted order, so that the order of installation can't matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import msgspec

from newel.domain.document import Document, Line
from newel.domain.kinds import EFFECTS, PHASES, ROLES, DocumentKind, Flow, Kinds, LineKind, State
from newel.domain.ledger import AccountRole, PostingRule
from newel.domain.stock import LocationKind
from newel.errors import Conflict, StartupError, missing
from newel.manifest import Job, Manifest, RecordKind, Report
from newel.services.access import COSTS
from newel.store.describe import columns, table_name, uniques
from newel.store.documents import Shapes

T = TypeVar("T")
CHECKS = ("credit",)


class Registry:
    """What the running plugins declare together, by name.

    Raises:
        Conflict: two plugins declare the same thing; names both.
        StartupError: a declaration that can't work; names the plugin.
    """

    def __init__(self, manifests: Iterable[Manifest], field_rights: Mapping[str, str] | None = None) -> None:
        self.manifests = {m.name: m for m in sorted(manifests, key=lambda m: m.name)}
        every = list(self.manifests.values())
        self.owner: dict[str, str] = {}
        self.field_rights = field_rights or {}
        self.location_kinds: dict[str, LocationKind] = self._merge("location kind", every, lambda m: m.location_kinds, lambda k: k.name)
        self.account_roles: dict[str, AccountRole] = self._merge("account role", every, lambda m: m.account_roles, lambda r: r.name)
        self.line_kinds: dict[str, LineKind] = self._merge("line kind", every, lambda m: m.line_kinds, lambda k: k.name)
        self.still = frozenset(name for name, kind in self.line_kinds.items() if not kind.moves)
        self.rules: dict[tuple[str, str], PostingRule] = self._merge("posting rule", every, lambda m: m.posting_rules, lambda r: (r.source, r.target))
        self.records: dict[str, RecordKind] = self._merge("record kind", every, lambda m: m.records, lambda r: r.name)
        self.reports: dict[str, Report] = self._merge("report", every, lambda m: m.reports, lambda r: r.name)
        self.jobs: dict[str, Job] = self._merge("job", every, lambda m: m.jobs, lambda j: j.name)
        self.taken_over: dict[str, str] = self._merge("check", every, lambda m: m.takes_over, lambda name: name)
        self._merge("file format", every, lambda m: m.formats, lambda ending: ending)
        self._merge("table", every, lambda m: [table_name(t) for t in m.tables], lambda t: t)
        kinds: dict[str, DocumentKind] = self._merge("document kind", every, lambda m: m.documents, lambda k: k.name)
        self.documents = {name: self._extended(kind, every) for name, kind in kinds.items()}
        self.flows: dict[Any, Flow] = self._merge("flow", every, self._flows, lambda f: (f.target_kind, f.name, f.source_role, f.source_kind))
        self.unbounded = frozenset(f.link for f in self.flows.values() if f.exceeds)
        self.link_roles = {f.link: self.documents[f.target_kind].role for f in self.flows.values() if f.target_kind in self.documents}
        self.given_back = {f.link: f.gives_back for f in self.flows.values() if f.gives_back}
        self.reserving = frozenset(name for name, kind in self.documents.items() if any("reserve" in x.effects for x in kind.transitions))
        self.kinds = Kinds(self.documents, {kind.name: self._from(kind) for kind in self.documents.values()}, frozenset(self.taken_over))
        self.diverting = frozenset(link for ways in self.kinds.ways.values() for f in ways for pair in f.less for link in pair)
        self.line_data = {m.name: m.line_data for m in every if m.line_data}
        self.document_data = {m.name: m.document_data for m in every if m.document_data}
        self.shapes = Shapes(self.document_data, self.line_data, frozenset(k.name for k in self.documents.values() if k.posting))
        self._check(every)

    def _merge(self, what: str, manifests: list[Manifest], items: Callable[[Manifest], Iterable[T]], key: Callable[[T], Any]) -> dict[Any, T]:
        out: dict[Any, T] = {}
        owners: dict[Any, str] = {}
        for manifest in manifests:
            for item in items(manifest):
                name = key(item)
                if name in out:
                    raise Conflict(f"{what} {name!r} is declared twice", owners[name], manifest.name)
                out[name], owners[name] = item, manifest.name
                if isinstance(name, str):
                    self.owner[f"{what}:{name}"] = manifest.name
        return out

    def _extended(self, kind: DocumentKind, manifests: list[Manifest]) -> DocumentKind:
        """A kind with what other plugins add to it."""
        states, transitions, line_kinds = list(kind.states), list(kind.transitions), list(kind.line_kinds)
        owners: dict[str, str] = {}
        for manifest in manifests:
            for extension in manifest.extends:
                if (extension.kind and extension.kind != kind.name) or (extension.role and extension.role != kind.role):
                    continue
                line_kinds += [k for k in extension.line_kinds if k not in line_kinds]
                for state in extension.states:
                    if any(s.name == state.name for s in states):
                        raise Conflict(f"state {state.name!r} of {kind.name}", owners.get(state.name, kind.name), manifest.name)
                    states.append(state)
                    owners[state.name] = manifest.name
                for added in extension.transitions:
                    if any(t.name == added.name for t in transitions):
                        raise Conflict(f"transition {added.name!r} of {kind.name}", owners.get(added.name, kind.name), manifest.name)
                    transitions.append(added)
                    owners[added.name] = manifest.name
                for i, transition in enumerate(transitions):
                    more = [e for e in extension.effects.get(transition.name, ()) if e not in transition.effects]
                    if more:
                        transitions[i] = msgspec.structs.replace(transition, effects=(*transition.effects, *more))
        return msgspec.structs.replace(kind, states=tuple(states), transitions=tuple(transitions), line_kinds=tuple(line_kinds))

    def _check(self, manifests: list[Manifest]) -> None:
        for name, kind in self.documents.items():
            self._check_kind(self.owner[f"document kind:{name}"], kind)
        for rule in self.rules.values():
            for role in (rule.debit, rule.credit):
                if role not in self.account_roles:
                    _refuse("?", f"the posting rule {rule.source} -> {rule.target} names the role {role!r}, which nobody declares")
        for manifest in [m for m in manifests if m.name != "newel"]:
            own = manifest.name
            for name in [n for n in manifest.takes_over if n not in CHECKS]:
                _refuse(own, f"it takes over {name!r}; there is only {', '.join(CHECKS)}")
            for name in [table_name(t) for t in manifest.tables if not table_name(t).startswith(f"{own}_")]:
                _refuse(own, f"its table {name!r} must be named {own}_...")
            names = [d.name for d in manifest.documents] + [r.name for r in manifest.records]
            for name in [n for n in names if not n.startswith(f"{own}.")]:
                _refuse(own, f"{name!r} must be named {own}.<something>")
        self._check_rights()
        printing = [m.name for m in self.manifests.values() if m.prints]
        if len(printing) > 1:
            _refuse(printing[1], f"it prints documents, and so does {printing[0]!r}: switch one of them off")

    def _check_rights(self) -> None:
        """A right of a field exists, and the field is nothing that a record is called or found by, which everybody sees."""
        known = {**self.permissions(), **dict.fromkeys(self.field_rights.values())}
        for name in [n for n in self.field_rights if n.rpartition(".")[0] not in self.records and n.partition(".")[0] in self.manifests]:
            _refuse(name.partition(".")[0], f"newel.toml, field_rights: there is no record kind for {name!r}")
        for record in [r for r in self.records.values() if self.rights(r)]:
            naming = {*record.title, record.parent, record.alias, *(c for u in uniques(record.table) for c in u)}
            own = {c.name for c in columns(record.table)} - naming
            for name, right in self.rights(record).items():
                if name not in own or right not in known:
                    expected = "a permission that is declared" if name in own else f"one of {', '.join(sorted(own))}"
                    _refuse(self.owner[f"record kind:{record.name}"], f"the right {right!r} of {record.name}.{name}: expected {expected}")

    def _check_kind(self, owner: str, kind: DocumentKind) -> None:
        """Roles, phases, states, effects and account roles that a kind names must exist."""
        states = {s.name for s in kind.states}
        if kind.role not in ROLES:
            _refuse(owner, f"document kind {kind.name}: role must be one of {', '.join(ROLES)}, got {kind.role!r}")
        for state in [s for s in kind.states if s.phase not in PHASES]:
            _refuse(owner, f"document kind {kind.name}, state {state.name}: phase must be one of {', '.join(PHASES)}, got {state.phase!r}")
        for t in kind.transitions:
            unknown = ({*t.sources, t.target} - states) | (set(t.effects) - set(EFFECTS))
            if unknown:
                _refuse(owner, f"document kind {kind.name}, transition {t.name}: unknown state or effect {', '.join(sorted(unknown))}")
        for role in (kind.posting.party, kind.posting.line, kind.posting.tax) if kind.posting else ():
            if role and role not in self.account_roles:
                _refuse(owner, f"document kind {kind.name} posts to the role {role!r}, which nobody declares")

    # ---- asking ----------------------------------------------------------------------------------------------------------------

    def kind(self, name: str) -> DocumentKind:
        """The document kind, or Refused 404."""
        kind = self.documents.get(name)
        if kind is None:
            raise missing("document kind", name, "kind")
        return kind

    def kind_of(self, document: Document) -> DocumentKind:
        """The kind of a document; where its plugin does not run, a stand-in by which it can be looked at and nothing else."""
        return self.documents.get(document.kind) or stand_in(document.kind, document.role, {document.state: document.phase})

    def rights(self, record: RecordKind) -> dict[str, str]:
        """Permission by field, of fields that have one of their own: as newel.toml says, else as declared."""
        said = {n.rpartition(".")[2]: right for n, right in self.field_rights.items() if n.rpartition(".")[0] == record.name}
        return {f.name: f.right for f in record.fields if f.right} | said

    def record(self, name: str) -> RecordKind:
        """The record kind, or Refused 404."""
        record = self.records.get(name)
        if record is None:
            raise missing("record kind", name, "kind")
        return record

    def flows_from(self, kind: DocumentKind) -> tuple[Flow, ...]:
        """The ways on from documents of this kind; flows to a kind that is not installed rest."""
        return self.kinds.ways.get(kind.name, ())

    def _flows(self, manifest: Manifest) -> list[Flow]:
        """A plugin's flows; one that leads to a role is one to each kind with that role."""
        out = [f for f in manifest.flows if not f.target_role]
        for flow in [f for f in manifest.flows if f.target_role]:
            kinds = [k for k in self.documents.values() if k.role == flow.target_role and (not k.links or flow.gives_back in ("", *k.links))]
            labels = {k.name: flow.label if len(kinds) == 1 else f"{flow.label}: {k.label}" for k in kinds}
            out += [msgspec.structs.replace(flow, target_kind=name, label=label) for name, label in labels.items()]
        return out

    def _from(self, kind: DocumentKind) -> tuple[Flow, ...]:
        """Flows from a kind, each told what others take from the same lines."""
        ways = [
            f
            for f in self.flows.values()
            if f.target_kind in self.documents
            and (f.source_kind == kind.name or (f.source_role == kind.role and not f.source_kind and (not kind.links or {f.link, f.diverts} & {*kind.links})))
        ]  # fmt: skip
        out = []
        for f in ways:
            pairs = [(o.link, o.arrives) for o in ways if o.diverts == f.link] + ([(f.diverts, f.arrives)] if f.diverts else [])
            less = dict.fromkeys(pairs)  # once, also where a way leads to several kinds
            theirs = frozenset(o.line_source for o in ways if o.link == f.link and o.line_source and not f.line_source)
            out.append(msgspec.structs.replace(f, less=tuple(less), not_source=theirs))
        return tuple(out)

    def takes(self, flow: Flow, line: Line) -> bool:
        """Whether a flow takes this line: the kinds that it names, else all that have an amount; and only lines that come the way it wants."""
        if flow.line_source or flow.not_source:
            comes = {s.kind for s in line.sources}
            if comes & flow.not_source or (flow.line_source and flow.line_source not in comes):
                return False
        if flow.line_kinds:
            return line.kind in flow.line_kinds
        kind = self.line_kinds.get(line.kind)
        return kind is None or kind.priced

    def flow(self, kind: DocumentKind, name: str) -> Flow:
        """The named way on from this kind ("deliver", or "shipping.delivery:deliver" where two have one name), or Refused 404."""
        found = [f for f in self.flows_from(kind) if name in (f.name, f"{f.target_kind}:{f.name}")]
        if len(found) > 1:
            first, second = (self.owner[f"document kind:{f.target_kind}"] for f in found[:2])
            raise Conflict(f"flow {name!r} from {kind.name}", first, second)
        if not found:
            raise missing("way on", name, "flow")
        return found[0]

    def permissions(self) -> dict[str, str]:
        """Every permission with what it allows."""
        out = {"newel.admin": "administer users, roles, settings and jobs", "newel.override": "go on in spite of problems that allow it"}
        out["newel.metrics"] = "read the figures for monitoring"
        out |= dict.fromkeys(self.field_rights.values(), "see and enter the fields that newel.toml names")
        out[COSTS] = "see costs, purchase prices, margins and the entries of documents"
        for kind in self.documents.values():
            out |= {f"{kind.name}.view": f"see {kind.label_plural}", f"{kind.name}.edit": f"create and change {kind.label_plural}"}
            out |= {f"{kind.name}.{t.name}": f"{t.label}: {kind.label}" for t in kind.transitions if not t.automatic}
            out |= {f"{kind.name}.release": f"release holds of {kind.label_plural}", f"{kind.name}.schedule": f"promise dates of {kind.label_plural}"}
        for record in self.records.values():
            out |= {f"{record.name}.view": f"see {record.label_plural}", f"{record.name}.edit": f"create and change {record.label_plural}"}
        for report in self.reports.values():
            out |= {f"{report.name}.view": f"see {report.label}"}
        for manifest in self.manifests.values():
            out |= dict(manifest.permissions)
        return out


def stand_in(name: str, role: str, states: dict[str, str]) -> DocumentKind:
    """For a kind whose plugin does not run. states: name -> phase."""
    made = tuple(State(name=state, label=state, phase=phase) for state, phase in states.items())
    return DocumentKind(name=name, label=name, label_plural=name, role=role, states=made, transitions=())


def _refuse(owner: str, text: str) -> None:
    raise StartupError(f"plugin {owner!r}: {text}")
