"""Kinds of documents, declared as data by plugins. The kernel reads them and never names one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.ledger import PostingSpec
from newel.domain.money import ZERO

if TYPE_CHECKING:
    from newel.domain.document import Line

PHASES = ("draft", "offered", "open", "done", "cancelled")
ROLES = ("sale", "purchase", "delivery", "receipt", "invoice", "bill", "payment", "return", "request", "transfer", "production")
EFFECTS = ("number", "reserve", "release", "move", "post", "reverse", "credit")
FIRM_PHASES = ("open", "done")


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A state of a document. editable: lines and header may be changed in it."""

    name: str
    label: str
    phase: str
    editable: bool = False


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """A way from states to a state.

    Args:
        effects: what the kernel does: number (draw the number), reserve, release, move, post, reverse (undo moves and entries), credit.
        automatic: the kernel carries it out by itself when true: "linked" (every completing flow has taken every line),
            "settled" (nothing open is left), "unsettled" (something is open again). Not offered to users.
        primary: the button that most users want next.
    """

    name: str
    label: str
    sources: tuple[str, ...]
    target: str
    effects: tuple[str, ...] = ()
    automatic: str = ""
    primary: bool = False


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """How a document continues in another one. Declared by whoever owns the target.

    Args:
        link: name of the link, such as "delivered"; quantities by stage are the sums of links.
        target_kind or target_role: what it leads to; a role stands for every installed kind that has it and can go on by the link gives_back.
        source_kind or source_role: what it starts from; phases that the source must be in.
        completes: the source is complete only when every line has gone this way.
        copies_prices: lines take over the source's stored waterfall (invoices, returns) instead of being priced anew.
        closes: transition of the source that is carried out when the flow is followed (an accepted quotation).
        line_kinds: that it takes; empty for all but text.
        line_source: it takes only lines that come by this link, and flows by the same link without one leave those lines alone.
        passes_on: links that are also made from the line before, of a document for the same side (customer or vendor) as the target:
            an invoice of a delivery counts on the order. Where the source is for the other side, the target takes after that document before.
        exceeds: the target may have more than the source (an order may be larger than its quotation); otherwise it is bounded by what is open.
        after: link that a line must have gone by before: only what is done of that one is open for this one.
        together: links that take from the same quantity, and complete a line together with this one (used up, or brought back).
        line_kind: kind of the lines that it makes; empty for the source's.
        diverts: what goes this way is no longer open to flows by this other link, but for what arrives by the link `arrives` after all:
            what a vendor is to send to the customer is not delivered from stock.
        gives_back: link of the target's lines: what has not gone that way when somebody closes the target is open again.
        less, not_source: worked out by the kernel from other flows: pairs of links that take from what is open, and links whose lines others take.
    """

    name: str
    label: str
    link: str
    target_kind: str = ""
    target_role: str = ""
    source_kind: str = ""
    source_role: str = ""
    phases: tuple[str, ...] = ("open",)
    completes: bool = True
    copies_prices: bool = True
    closes: str = ""
    line_kinds: tuple[str, ...] = ()
    line_source: str = ""
    passes_on: tuple[str, ...] = ()
    exceeds: bool = False
    after: str = ""
    together: tuple[str, ...] = ()
    line_kind: str = ""
    diverts: str = ""
    arrives: str = ""
    gives_back: str = ""
    primary: bool = False
    less: tuple[tuple[str, str], ...] = ()
    not_source: frozenset[str] = frozenset()

    def open(self, line: Line) -> Decimal:
        """So much of a line has not gone this way yet, not even as a plan. In the line's unit."""
        whole = line.quantity if not self.after else line.stages[self.after].done if self.after in line.stages else ZERO
        taken = sum((line.stages[link].planned for link in (self.link, *self.together) if link in line.stages), ZERO)
        for more, again in self.less:
            taken += sum((way * line.stages[link].planned for link, way in ((more, 1), (again, -1)) if link in line.stages), ZERO)
        return whole - taken

    def complete(self, line: Line) -> bool:
        """Whether all of a line has gone this way."""
        return sum((line.stages[link].done for link in (self.link, *self.together) if link in line.stages), ZERO) >= line.quantity


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """A question to a party that makes a document itself.

    Args:
        name: header field, "data.<plugin>.<field>", or "item" for a line with an item and a quantity.
        choices: (value, label) pairs. code_of: record kind whose codes are choices as well.
    """

    name: str
    label: str
    choices: tuple[tuple[str, str], ...] = ()
    code_of: str = ""
    help: str = ""


class DocumentKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of document.

    Args:
        name: "plugin.kind". role: see ROLES; other plugins meet it by its role.
        party_role: what the party is to us, for labels: customer, vendor, or empty where no party is needed.
        series: default prefix of its numbers; gapless series are drawn at the transition with the effect "number".
        number_at: "create", or "transition".
        posting: how it posts, for kinds with a transition that has the effect "post".
        priced: False for documents without amounts (deliveries, transfers).
        links: the only links by which flows from its role may start from it; empty for all. Flows from the kind itself always may.
        sign: -1 for credit notes and the like: amounts are positive on paper, and post the other way.
        new_lots: its lines may bring lots that nobody has seen yet; receipts, productions, returns and transfers always may.
        data: struct for the header data of the owning plugin.
        fields: header fields shown on its form besides party and date; empty for all that make sense for the role.
        asks: what a party is asked that makes one itself, most needed first; empty where no party does.
    """

    name: str
    label: str
    label_plural: str
    role: str
    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    party_role: str = ""
    series: str = ""
    number_at: str = "create"
    posting: PostingSpec | None = None
    priced: bool = True
    links: tuple[str, ...] = ()
    sign: int = 1
    new_lots: bool = False
    line_kinds: tuple[str, ...] = ("item", "charge", "text")
    data: Any = None
    fields: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()
    help: str = ""
    menu: str = ""

    def state(self, name: str) -> State:
        """The state with this name; KeyError where there is none."""
        for state in self.states:
            if state.name == name:
                return state
        raise KeyError(name)

    def transition(self, name: str) -> Transition | None:
        """The transition with this name, or None."""
        return next((t for t in self.transitions if t.name == name), None)

    @property
    def initial(self) -> State:
        """The state that a new document is in: the first one."""
        return self.states[0]


class LineKind(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of line. item: needs an item; once: an item may stand only once in a document (DOC-16); priced: has an amount.

    moves: False where its goods stay where they are: the line says what the work is for.
    """

    name: str
    label: str
    item: bool = False
    once: bool = False
    priced: bool = True
    moves: bool = True


class Extension(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin adds to documents of others, by kind or by role. Rests where the kind is not installed.

    Args:
        effects: transition name -> effects to add.
        transitions, states, line_kinds: to add.
    """

    kind: str = ""
    role: str = ""
    transitions: tuple[Transition, ...] = ()
    states: tuple[State, ...] = ()
    line_kinds: tuple[str, ...] = ()
    effects: dict[str, tuple[str, ...]] = {}


class Kinds(msgspec.Struct, frozen=True):
    """Every kind of document that is installed, and the ways on from each; among the facts of each document, so that rules find those of others by role.

    taken_over: checks of the kernel that a plugin makes instead ("credit").
    """

    documents: dict[str, DocumentKind] = {}
    ways: dict[str, tuple[Flow, ...]] = {}
    taken_over: frozenset[str] = frozenset()

    def of_role(self, role: str) -> tuple[DocumentKind, ...]:
        """Kinds with this role, by name."""
        return tuple(kind for _, kind in sorted(self.documents.items()) if kind.role == role)

    def becomes(self, kind: str, state: str, transition: str) -> tuple[str, str]:
        """The phases that a transition leads from and to; two empty texts where there is none, or the kernel makes it by itself."""
        found = self.documents[kind].transition(transition) if kind in self.documents else None
        if found is None or found.automatic:
            return "", ""
        return self.documents[kind].state(state).phase, self.documents[kind].state(found.target).phase
