"""What a kit is made of, who bears its price, and how many can be made up: pure functions over frozen values.

A kit of fixed price: its line has the price, and hands it on to the parts by what these would cost alone, so that every part is taxed, posted,
delivered and returned with its own share. A kit priced from its parts: its line costs nothing, and the parts have their own prices.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import Any

import msgspec
from newel.domain.document import Document, Line, LineInput, ScheduleInput
from newel.domain.money import ZERO, allocate, plain, product, rounded
from newel.domain.pricing import Adjustment, Price
from newel.domain.quantity import QUANTITY_DIGITS
from newel.errors import Problem, Severity
from newel.manifest import Panel, Shown

# Where a kit stands for its parts. What is bought or counted is the part itself.
SELLING = ("request", "sale", "invoice", "delivery", "return")
PRICED = ("request", "sale", "invoice")
KEEPING = ("receipt", "transfer", "production")


class Part(msgspec.Struct, frozen=True):
    """So much of an item, in its own unit, in one of a kit."""

    item: int
    quantity: Decimal


class Kit(msgspec.Struct, frozen=True):
    """A kit. fixed: it has a price of its own; otherwise it costs what its parts cost."""

    fixed: bool
    parts: tuple[Part, ...] = ()


class KitPart(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a line of a part holds besides. shared: its price is a share of the kit's."""

    shared: bool = True


class Tree(msgspec.Struct, frozen=True, kw_only=True):
    """The kits of a document by line.

    Args:
        bears: line with the price of a kit -> lines of parts that share it.
        sums: line of a kit priced from its parts -> lines right below it.
        shared: lines whose price is in the one of a kit above.
        tops: line that was entered -> all lines below it that have no parts themselves.
    """

    bears: Mapping[int, tuple[int, ...]] = {}
    sums: Mapping[int, tuple[int, ...]] = {}
    shared: frozenset[int] = frozenset()
    tops: Mapping[int, tuple[int, ...]] = {}


class KitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Kits by item, those in the document, and what is free of their parts (None where nobody asks)."""

    kits: Mapping[int, Kit] = {}
    tree: Tree = Tree()
    free: Mapping[int, Decimal] | None = None


def own(line: Line) -> KitPart | None:
    """What the line is as a part of a kit, None where it is none."""
    found = line.data.get("kits")
    return found if isinstance(found, KitPart) and line.parent is not None else None


def parts(document: Document, line: Line, kits: Mapping[int, Kit]) -> list[tuple[str, LineInput]]:
    """The parts of a line, and the parts of kits among them below their own line."""
    kit = kits.get(line.item.id) if line.item else None
    if kit is None or line.item is None or document.role not in SELLING:
        return []
    shared = kit.fixed or line.price_entered is not None
    return list(_below(document.role in PRICED, line, kits, kit, line.quantity_base, shared, "", (line.item.id,)))


def _below(
    priced: bool, line: Line, kits: Mapping[int, Kit], kit: Kit, quantity: Decimal, shared: bool, key: str, path: tuple[int, ...]
) -> Iterator[tuple[str, LineInput]]:
    for n, part in enumerate(kit.parts, 1):
        inner = kits.get(part.item) if part.item not in path else None
        needed = plain(rounded(product(quantity, part.quantity), QUANTITY_DIGITS))
        nothing = shared or (inner is not None and not inner.fixed)
        own_key = f"{key}{n:03d}.{part.item}"
        yield own_key, LineInput(
            item=part.item, quantity=needed, price=ZERO if nothing and priced else None, schedules=scheduled(line, needed),
            location_from=line.location_from, location_to=line.location_to, account_role=line.account_role,
            data={"kits": KitPart(shared=shared)},
        )  # fmt: skip
        if inner is not None:
            yield from _below(priced, line, kits, inner, needed, shared or inner.fixed, own_key + "/", (*path, part.item))


def scheduled(line: Line, quantity: Decimal) -> tuple[ScheduleInput, ...]:
    """The scheduled deliveries of the kit as those of a part."""
    takes = allocate(quantity, [s.quantity for s in line.schedules], QUANTITY_DIGITS) if line.schedules else []
    return tuple(
        ScheduleInput(quantity=plain(take), date_requested=s.date_requested, date_confirmed=s.date_confirmed, release_code=s.release_code)
        for s, take in zip(line.schedules, takes, strict=True)
        if take
    )


def tree(lines: Sequence[Line]) -> Tree:
    """Who has which parts, and who bears whose price."""
    below: dict[int, list[Line]] = {}
    for line in lines:
        if own(line) is not None:
            below.setdefault(line.parent or 0, []).append(line)
    shared = frozenset(line.id for found in below.values() for line in found if (part := own(line)) and part.shared)

    def leaves(id: int) -> tuple[int, ...]:
        return tuple(leaf for x in below[id] for leaf in (leaves(x.id) if x.id in below else (x.id,)))

    heads = {id: shared.issuperset(x.id for x in found) for id, found in below.items() if id not in shared}
    parted = {line.id for found in below.values() for line in found}
    return Tree(
        bears={id: leaves(id) for id, fixed in heads.items() if fixed},
        sums={id: tuple(x.id for x in below[id]) for id, fixed in heads.items() if not fixed},
        shared=shared,
        tops={id: leaves(id) for id in below if id not in parted},
    )


def price(line: Line, found: Tree) -> Price | None:
    """Nothing, where the price is elsewhere: in the parts, or in the kit above."""
    if line.id in found.sums:
        return Price(amount=ZERO, rule="parts", reason="this kit costs what its parts cost")
    if line.id in found.shared:
        return Price(amount=ZERO, rule="share", reason="its price is a share of the kit's")
    return None


def discounts(document: Document, found: Tree) -> list[Adjustment]:
    """The discount that was entered for a kit priced from its parts, on each of them."""
    by_id = {line.id: line for line in document.lines}
    out = []
    for id, below in found.sums.items():
        top = by_id[id]
        while (above := by_id.get(top.parent or 0)) is not None and above.id in found.sums:
            top = above
        cut = top.discount_entered
        if cut and top.item is not None:
            reason = f"{plain(cut)} % of the kit {top.item.number}"
            out += [Adjustment(rule="discount", reason=reason, line=x, percent=-cut) for x in below if x not in found.sums]
    return out


def complete(quantity: Decimal) -> Decimal:
    """Only complete ones count."""
    return quantity.to_integral_value(ROUND_FLOOR)


def made_up(kit: Line, leaves: Iterable[Line], free: Mapping[int, Decimal] | None) -> Decimal | None:
    """How many of the kit can be made up of what is free; None where nobody asks or nothing of it is kept in stock."""
    needs: dict[int, Decimal] = {}
    for line in leaves if free is not None else ():
        if line.item is not None and line.item.stocked:
            needs[line.item.id] = needs.get(line.item.id, ZERO) + line.quantity_base
    found = [max((free or {}).get(item, ZERO), ZERO) * kit.quantity_base / quantity for item, quantity in needs.items()]
    return min(map(complete, found), default=None)


def check(document: Document, transition: str, facts: KitFacts) -> list[Problem]:
    """Kits without parts, kits handled as one piece, and kits that can't be made up now."""
    out: list[Problem] = []
    by_id = {line.id: line for line in document.lines}
    for i, line in enumerate(document.lines):
        if transition or line.item is None or line.key or (line.item.id not in facts.kits and line.id not in facts.tree.tops):
            continue
        number, where = line.item.number, f"lines[{i}].item"
        leaves = [by_id[x] for x in facts.tree.tops.get(line.id, ())]
        if document.role in KEEPING:
            message, hint = f"{number} is a kit, and is handled here as one piece", "enter its parts, which are what is sold"
            out.append(Problem(code="kits.piece", message=message, where=where, hint=hint, severity=Severity.NOTE))
        elif document.role in SELLING and not leaves and not line.sources:
            out.append(Problem(code="kits.empty", message=f"{number} is a kit without parts", where=where, hint="add parts, or switch the kit off"))
        elif document.role == "sale" and document.phase == "draft":
            out += _short(line, leaves, facts, f"lines[{i}].quantity")
    return out


def _short(line: Line, leaves: Sequence[Line], facts: KitFacts, where: str) -> Iterator[Problem]:
    there = made_up(line, leaves, facts.free)
    if there is not None and there < line.quantity_base and line.item is not None:
        message = f"{plain(line.quantity_base)} of the kit {line.item.number} wanted, {plain(there)} can be made up now"
        yield Problem(code="kits.short", message=message, where=where, hint="the other parts go on back-order", severity=Severity.NOTE)


def panels(document: Document, facts: KitFacts) -> list[Panel]:
    """With each kit how many can be made up and what is free of its parts, and how many are complete on their way."""
    by_id = {line.id: line for line in document.lines}
    out = []
    for id, leaf_ids in facts.tree.tops.items():
        kit, leaves = by_id[id], [by_id[x] for x in leaf_ids]
        rows: list[tuple[str, str | Shown]] = []
        if (there := made_up(kit, leaves, facts.free)) is not None:
            rows.append(("Can be made up now", Shown(value=there, unit=kit.item.unit if kit.item else "")))
        for x in leaves:
            if x.item is not None and facts.free is not None:
                free = f", {plain(facts.free.get(x.item.id, ZERO))} free" if x.item.stocked else ""
                rows.append((f"{x.item.number} {x.item.name}", f"{plain(x.quantity_base)} {x.item.unit}{free}"))
        for kind in sorted({kind for leaf in leaves for kind in leaf.stages}):
            done = min(x.stages[kind].done * kit.quantity / x.quantity if kind in x.stages else ZERO for x in leaves)
            rows.append((f"{kind.capitalize()} complete", Shown(value=complete(done), unit=kit.unit)))
        out.append(Panel(title="Parts of the kit", rows=tuple(rows), line=id, sequence=40))
    return out


# ---- records -----------------------------------------------------------------------------------------------------------------------


class Graph(msgspec.Struct, frozen=True, kw_only=True):
    """What contains what, by item, with what is about to be written; items by kit; numbers for people."""

    parts: Mapping[int, frozenset[int]] = {}
    items: Mapping[int, int] = {}
    numbers: Mapping[int, str] = {}


def contents(graph: Graph, item: int) -> set[int]:
    """The item and everything in it, over any number of steps."""
    seen: set[int] = set()
    ahead = [item]
    while ahead:
        if (at := ahead.pop()) not in seen:
            seen.add(at)
            ahead += graph.parts.get(at, ())
    return seen


def _circles(graph: Graph, item: int, found: Iterable[int]) -> Iterator[Problem]:
    for part in sorted(found):
        if item in contents(graph, part):
            above, below = (graph.numbers.get(x, str(x)) for x in (item, part))
            message = f"{below} can't be a part of {above}: " + ("it is the same item" if item == part else f"{above} is a part of {below}")
            yield Problem(code="kits.circle", message=message, where="item", hint="choose another item, or change the other kit first")


def check_component(values: Mapping[str, Any], graph: Graph) -> Iterator[Problem]:
    """A kit must not contain itself, not even over other kits."""
    item = graph.items.get(values["kit"])
    if item is not None:
        yield from _circles(graph, item, [values["item"]])


def check_kit(values: Mapping[str, Any], graph: Graph) -> Iterator[Problem]:
    """The same where the kit gets another item."""
    yield from _circles(graph, values["item"], graph.parts.get(values["item"], frozenset()))
