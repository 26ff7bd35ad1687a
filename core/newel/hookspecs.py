"""Every hook, and nothing else. The verb tells the contract; docs/hooks.md has a section with an example for each.

register_ runs once at start; load_ is async and runs before the rules; propose_, decide_ and check_ are rules: synchronous and pure,
they get frozen structs and return values; after_ is async and runs after the commit, at least once, and can't undo anything.
An implementation may leave out any argument that it does not use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import pluggy

if TYPE_CHECKING:
    from newel.domain.context import Context
    from newel.domain.credit import Exposure
    from newel.domain.document import Document, Draft, Hold, Line, LineInput
    from newel.domain.facts import Facts
    from newel.domain.ledger import Entry
    from newel.domain.party import Party
    from newel.domain.pricing import Adjustment, Price
    from newel.domain.tax import Tax
    from newel.errors import Problem
    from newel.manifest import Manifest, Panel
    from newel.store.session import Database, Session

T = TypeVar("T")
hookspec = pluggy.HookspecMarker("newel")
hookimpl = pluggy.HookimplMarker("newel")


def asked(*of: str, facts: type | None = None) -> Callable[[T], T]:
    """Below @hookimpl: called for documents of these kinds, of all kinds of a plugin ("sales.") or of these roles, where there are such facts.

    Anywhere else it is as if it had returned None. Without kinds and roles: for all documents.
    """

    def mark(function: T) -> T:
        function.newel_asked = (frozenset(of), facts)  # type: ignore[attr-defined]
        return function

    return mark


@hookspec
def register_plugin() -> Manifest:  # type: ignore[empty-body]
    """Once at start: return what the plugin is and brings. Everything that is data is declared here and not hooked."""


@hookspec
async def load_facts(document: Document, transition: str, facts: Facts, session: Session, context: Context) -> Any:
    """Before the rules of each document: read what they need and return one frozen struct, or None.

    The only hook that may read the database, once for the whole document and never once for each line. `document` has
    its header and lines, not yet priced; `transition` is "" where it is saved or looked at; `facts` are the kernel's own. What only
    matters for looking need not be read where `session.writable`. Not promised: that the document is stored, or that it is valid.
    """


@hookspec
def propose_lines(document: Document, line: Line, facts: Facts, context: Context) -> Sequence[tuple[str, LineInput]]:  # type: ignore[empty-body]
    """For each line that a user entered: lines that belong to it (parts of a kit, gifts), as (key, line).

    The key is stable within the line, so that the same part keeps its identity from save to save. They become children of
    the line; what has the key "a/b" is a part of what has the key "a".
    Use a child line where it has its own delivery or price; otherwise use propose_adjustments.
    """


@hookspec
def check_document(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Problem]:  # type: ignore[empty-body]
    """On every save (transition "") and transition: what is wrong. All plugins' problems are shown at once.

    Return problems, never raise. Use severity hold to let it go on but keep later steps waiting.
    """


@hookspec
def check_release(document: Document, hold: Hold, people: Sequence[str], context: Context) -> Sequence[Problem]:  # type: ignore[empty-body]
    """Before a hold is released, by whatever way: who may not, beside those without the right. Any problem of severity block refuses.

    `people` are the logins that have made, changed or carried on the document or the one that it was made from, releases apart.
    """


@hookspec
def check_record(  # type: ignore[empty-body]
    kind: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, context: Context
) -> Sequence[Problem]:
    """Before a record of any kind is made (`before` is None), changed or deleted (`after` is None): what is wrong with it.

    Both are whole rows as people enter them: decimals as Decimal, references as ids; of what is stored, without secrets. For a rule of
    one's own record kind use RecordKind.check.
    """


@hookspec
def propose_documents(document: Document, transition: str, facts: Facts, context: Context) -> Sequence[Draft]:  # type: ignore[empty-body]
    """On a transition: further documents, or records of its own, to make in the same transaction (a purchase order for what is dropped shipped)."""


@hookspec
async def after_transition(document: Document, transition: str, database: Database, context: Context) -> None:
    """After the commit, at least once, possibly later and in another process: tell the world outside.

    Make it repeatable. It can't refuse anything any more; use check_document for that. `database` opens transactions for the
    plugin's own tables: keep them short, and none open while you wait for the network.
    """


@hookspec
def decide_price(document: Document, line: Line, facts: Facts, context: Context) -> Price | None:
    """The unit price of one line, or None for "not mine". Not asked where a user entered a price or the line copies one.

    Two answers are a Conflict unless one plugin precedes the other. Use propose_adjustments for a discount on a price of others.
    """


@hookspec
def propose_adjustments(document: Document, stage: str, facts: Facts, context: Context) -> Sequence[Adjustment]:  # type: ignore[empty-body]
    """Discounts and surcharges of the whole document at once; stage is "line" first, "document" after.

    In a stage every plugin sees the same document: prices decided, adjustments of earlier stages in, none of this one.
    """


@hookspec
def decide_tax(document: Document, line: Line, facts: Facts, context: Context) -> Sequence[Tax] | None:
    """The taxes of one line, or None for "not mine". Amounts are the kernel's work, so that rounding is the same for all."""


@hookspec
def propose_exposure(party: Party, facts: Facts, context: Context) -> Sequence[Exposure]:  # type: ignore[empty-body]
    """What the party owes or will owe, by stage, in the company's currency. Asked when a credit limit is to be kept."""


@hookspec
def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Where the goods of a line come from: id of a location, or None for "not mine"."""


@hookspec
def decide_target(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Where the goods of a line go: id of a location, or None for "not mine"."""


@hookspec
def check_entry(entry: Entry, facts: Facts, context: Context) -> Sequence[Problem]:  # type: ignore[empty-body]
    """Before an entry is written: what is wrong with it. Entries themselves come from posting rules in the manifest."""


@hookspec
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:  # type: ignore[empty-body]
    """Boxes on the document's page. Values only; the kernel renders them."""
