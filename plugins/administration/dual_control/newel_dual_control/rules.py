"""What needs a second person: pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, Hold, Line
from newel.domain.kinds import Kinds
from newel.domain.money import ONE, plain, product
from newel.errors import Problem, Severity
from newel.manifest import Entry, Panel, Shown

NAME, PROPOSAL, PRICE = "dual_control", "dual_control.proposal", "dual_control.price"
PEOPLE = ("screen", "api")  # where somebody acts in person; everything else acts for somebody
TRUSTED = ("system", NAME)  # the command line, whose user has the database anyway, and what two people have agreed on
CHECKED = ("sale", "invoice")
HUNDRED = Decimal(100)


class DualControlSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What needs two people.

    Args:
        price_percent: prices and discounts entered by hand wait where they give less than so many percent of the list price; 0: all of them wait; None: none.
        price_reason: no sale goes on with a price entered by hand that has no reason.
        holds: beginnings of the codes of holds that nobody releases who has worked on the document.
        records: kinds of records whose changes wait, each with the fields that count; no field: all of them, making and deleting too.
    """

    price_percent: Decimal | None = None
    price_reason: bool = False
    holds: tuple[str, ...] = ("credit.",)
    records: dict[str, tuple[str, ...]] = {}


class PriceData(msgspec.Struct, frozen=True, kw_only=True):
    """Why the price of a line was entered by hand."""

    reason: str = ""


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A line as it is stored: unit price, the one entered by hand, who entered it when, and the unit price before that."""

    price: Decimal
    price_entered: Decimal | None = None
    who: str = ""
    at: datetime | None = None
    was: Decimal | None = None


class Prices(msgspec.Struct, frozen=True):
    """Stored lines of a document, by id."""

    lines: dict[int, Stored] = {}


class Proposing(msgspec.Struct, frozen=True):
    """What may be proposed: the delicate kinds, and those of them that the user may change."""

    kinds: frozenset[str]
    may: frozenset[str]


# ---- prices ----------------------------------------------------------------------------------------------------------------------------


def low(document: Document, percent: Decimal) -> str:
    """The prices of a document that somebody has entered by hand and that need a second person, in words; empty for none.

    Args:
        percent: of the list price; 0 for every price and discount entered by hand.
    """
    found = [f"{plain(x.quantity)} {x.unit} {x.text} at {plain(by_hand(x))} {document.currency}" for x in document.lines if _low(x, document, percent)]
    return ", ".join(found)


def by_hand(line: Line) -> Decimal:
    """The price of one unit after the discount that was entered, as the user sees it."""
    price = line.price_entered if line.price_entered is not None else line.price
    return price * (HUNDRED - line.discount_entered) / HUNDRED


def _low(line: Line, document: Document, percent: Decimal) -> bool:
    if line.key or (line.price_entered is None and not line.discount_entered):
        return False
    if not percent:
        return True
    listed = _listed(line, document)
    return listed is not None and by_hand(line) * HUNDRED < listed * percent


def _listed(line: Line, document: Document) -> Decimal | None:
    """List price of one unit of the line in the document's currency; None where there is none."""
    item = line.item
    if item is None or (item.price is None and item.price_home is None):
        return None
    if item.price is not None:
        return product(item.price, line.factor)
    return product(item.price_home or Decimal(0), line.factor) / (document.rate or ONE)


def check_prices(document: Document, transition: str, kinds: Kinds, settings: DualControlSettings) -> list[Problem]:
    """A saved document is held; it goes on when somebody has released what it says now, and not what it said before."""
    if settings.price_percent is None or document.role not in CHECKED or document.phase in ("done", "cancelled"):
        return []
    reason = low(document, settings.price_percent)
    if not reason or any(h.code == PRICE and not h.active and h.reason == _held(reason) for h in document.holds):
        return []
    if not transition:
        return [Problem(code=PRICE, message=f"entered by hand: {reason}", where="lines", severity=Severity.HOLD)]
    if kinds.becomes(document.kind, document.state, transition)[1] in ("", "draft", "cancelled"):
        return []
    hint = "save it, then somebody else who may release it does so"
    return [Problem(code="dual_control.unreleased", message=f"nobody else has released {reason}", where="lines", hint=hint)]


def said(line: Line) -> PriceData:
    """What the line keeps of its price."""
    found = line.data.get(NAME)
    return found if isinstance(found, PriceData) else PriceData()


def check_reasons(document: Document, transition: str, kinds: Kinds, settings: DualControlSettings) -> list[Problem]:
    """Prices entered by hand have a reason before the document goes on."""
    ahead = kinds.becomes(document.kind, document.state, transition)[1] if transition else ""
    if not settings.price_reason or document.role not in CHECKED or ahead in ("", "draft", "cancelled"):
        return []
    return [
        Problem(code="dual_control.reason", message=f"why is {line.text} {plain(line.price_entered)} {document.currency}?", where=f"lines[{n}]",
                hint="enter the reason below the line")
        for n, line in enumerate(x for x in document.lines if x.parent is None) if line.price_entered is not None and not said(line).reason.strip()
    ]  # fmt: skip


def panels(document: Document, prices: Prices, settings: DualControlSettings, context: Context) -> list[Panel]:
    """Below each line with a price entered by hand: who, when, why, what it was before, and whose approval it needs."""
    out = []
    for line in (x for x in document.lines if document.role in CHECKED and not x.key and x.price_entered is not None):
        stored = prices.lines.get(line.id)
        if stored is None or stored.price_entered != line.price_entered:  # it has just been typed
            stored = Stored(price=line.price, who=context.user.login, at=context.now, was=stored.price if stored else None)
        was = stored.was if stored.was is not None else _listed(line, document)
        rows: list[tuple[str, str | Shown]] = [("By", stored.who), ("On", Shown(value=stored.at.date()) if stored.at else "")]
        rows += [("Instead of", Shown(value=plain(was), digits=document.amount_digits, unit=document.currency))] if was is not None else []
        waits = settings.price_percent is not None and _low(line, document, settings.price_percent)
        entries, text = (Entry(path=("reason",), label="Reason", value=said(line).reason),), "somebody else has to approve it" if waits else ""
        out.append(Panel(title="Price by hand", rows=tuple(rows), text=text, line=line.id, sequence=20, entries=entries))
    return out


def _held(reason: str) -> str:
    return f"entered by hand: {reason}"


# ---- releases --------------------------------------------------------------------------------------------------------------------------


def check_release(document: Document, hold: Hold, people: Sequence[str], settings: DualControlSettings, context: Context) -> list[Problem]:
    """Whoever has worked on a document does not release it, and nothing releases it that is nobody."""
    if not hold.code.startswith((f"{NAME}.", *settings.holds)):
        return []
    if context.source not in PEOPLE:
        message = f"{hold.reason}: a person was expected to release it, got {context.source}"
        return [Problem(code="dual_control.nobody", message=message, hint="release it on the document's page")]
    if context.user.login in people:
        message = f"{context.user.login} has worked on {document.number or 'it'} and can't release it"
        return [Problem(code="dual_control.own", message=message, hint=f"ask somebody else who has the right {document.kind}.release")]
    return []


# ---- records ---------------------------------------------------------------------------------------------------------------------------


def check_record(
    kind: str, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, settings: DualControlSettings, context: Context
) -> list[Problem]:
    """Delicate records change by an approved proposal and not otherwise; a proposal itself never changes."""
    if kind == PROPOSAL:
        message, hint = "a proposal stays as it was entered", "enter another one"
        return [Problem(code="dual_control.kept", message=message, hint=hint)] if before is not None else []
    fields = settings.records.get(kind)
    if fields is None or context.source in TRUSTED:
        return []
    old, new = before or {}, after or {}
    touched = [f for f in fields if (old.get(f) or None) != (new.get(f) or None)] if after is not None else []
    if fields and not touched:
        return []
    message = f"{', '.join(touched) or kind} needs two people"
    hint = "enter it as a proposed change under Administration; somebody else approves it"
    return [Problem(code="dual_control.proposal", message=message, where=touched[0] if touched else "", hint=hint)]


def read(changes: str) -> dict[str, str]:
    """Values by field from lines such as "limit_amount: 5000".

    Raises:
        ValueError: with the line that has no colon, or whose field stands twice.
    """
    out: dict[str, str] = {}
    for line in filter(None, map(str.strip, changes.splitlines())):
        name, colon, value = line.partition(":")
        if not colon or name.strip() in out:
            raise ValueError(line)
        out[name.strip()] = value.strip()
    return out


def check_proposal(values: Mapping[str, Any], known: Proposing) -> Iterator[Problem]:
    """A proposal says what is to be changed, by somebody who might change it were it not delicate."""
    kind = values["kind"]
    if kind not in known.kinds:
        message, hint = f"a kind of records that needs two people was expected, got {kind}", f"one of {', '.join(sorted(known.kinds)) or 'none'}"
        yield Problem(code="dual_control.kind", message=message, where="kind", hint=hint)
        return
    if kind not in known.may:
        yield Problem(code="dual_control.right", message=f"the permission {kind}.edit is missing", where="kind", hint="ask somebody who has it")
    try:
        wanted = read(values["changes"])
    except ValueError as error:
        message = f"a field, a colon and its value were expected, once for each field; got {error}"
        yield Problem(code="dual_control.line", message=message, where="changes", hint="write it like  limit_amount: 5000")
        return
    if bool(wanted) == bool(values["deletes"]) or (values["deletes"] and not values["record"]):
        message, hint = "either changes or something to take away was expected", "enter changes, or which one is to be taken away"
        yield Problem(code="dual_control.empty", message=message, where="changes", hint=hint)
