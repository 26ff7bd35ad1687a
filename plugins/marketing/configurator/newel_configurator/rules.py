"""What may be chosen together, what follows from it, what it costs and by which number it is known: pure functions over frozen values."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.document import Document, Line, LineInput
from newel.domain.money import HUNDRED, ONE, ZERO, plain, product, rounded
from newel.domain.pricing import Adjustment, Price, handed_on
from newel.domain.quantity import QUANTITY_DIGITS
from newel.errors import Problem, Severity
from newel.manifest import Panel

SELLING = ("request", "sale", "invoice", "delivery", "return")
PRICED = ("request", "sale", "invoice")
BASE = "*"
Chosen = dict[str, dict[str, Decimal]]  # feature -> number of the option's item -> quantity in one


class ConfigData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a line holds besides.

    Args:
        choices: feature -> number of an option's item, several of them, or numbers with quantities; empty for none.
        configuration: number of a known configuration; choices then differ from it.
        feature, each, shared: of a part: what it was chosen for ("*": the item itself), how many in one, whether the price of the line is its own.
    """

    choices: dict[str, str | list[str] | dict[str, Decimal]] = {}
    configuration: str = ""
    feature: str = ""
    each: Decimal = ONE
    shared: bool = True


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """An item that may be chosen. own_price: it costs what it costs alone; otherwise the surcharge, in the company's currency."""

    id: int
    item: int
    number: str
    quantity: Decimal = ONE
    quantity_max: Decimal | None = None
    own_price: bool = False
    surcharge: Decimal = ZERO
    preset: bool = False


class Feature(msgspec.Struct, frozen=True, kw_only=True):
    """What is chosen from. several: more than one option may be."""

    code: str
    name: str = ""
    required: bool = False
    several: bool = False
    options: tuple[Option, ...] = ()


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """kind: requires, excludes or default; by ids of options."""

    kind: str
    option: int
    other: int
    reason: str = ""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """An item that is configured. base: it is a part itself, beside the options."""

    item: int
    number: str
    base: bool = False
    features: tuple[Feature, ...] = ()
    rules: tuple[Rule, ...] = ()


class Configured(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen for a line, with what follows from it."""

    model: Model
    chosen: Chosen
    content: str
    number: str
    problems: tuple[Problem, ...] = ()


class ConfigFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Configured lines by id, their parts, and which configurations are kept already; numbers that nobody knows, by line."""

    lines: Mapping[int, Configured] = {}
    parts: Mapping[int, tuple[int, ...]] = {}
    kept: frozenset[str] = frozenset()
    wrong: Mapping[int, str] = {}


def own(line: Line) -> ConfigData:
    """What the line holds."""
    found = line.data.get("configurator")
    return found if isinstance(found, ConfigData) else ConfigData()


# ---- choosing ----------------------------------------------------------------------------------------------------------------------


def configure(model: Model, choices: Mapping[str, Any]) -> Configured:
    """The choices with everything that follows from them, whatever their order, and what is wrong with them."""
    problems: list[Problem] = []
    chosen = _entered(model, choices, problems)
    _complete(model, chosen, set(choices))
    problems += _broken(model, chosen)
    text = content(model.number, chosen)
    return Configured(model=model, chosen=chosen, content=text, number=number_of(text), problems=tuple(problems))


def _bad(code: str, message: str, hint: str) -> Problem:
    return Problem(code=f"configurator.{code}", message=message, hint=hint)


def _entered(model: Model, choices: Mapping[str, Any], problems: list[Problem]) -> Chosen:
    known = {f.code: f for f in model.features}
    problems += [_bad("feature", f"{model.number} has no feature {code!r:.40}", "leave it out") for code in sorted(set(choices) - set(known))]
    out: Chosen = {}
    for feature in model.features:
        value = choices.get(feature.code) or {}
        asked: dict[str, Decimal | None] = dict(value) if isinstance(value, dict) else dict.fromkeys([value] if isinstance(value, str) else value)
        options = {o.number: o for o in feature.options}
        for number in sorted(asked):
            option, quantity = options.get(number), asked[number]
            if option is None:
                problems.append(_bad("option", f"{feature.code} has no option {number!r:.40}", f"choose {', '.join(options)}"))
                continue
            quantity = option.quantity if quantity is None else quantity
            most = option.quantity if option.quantity_max is None else option.quantity_max
            if quantity != option.quantity and not (quantity.is_finite() and ZERO < quantity <= most):
                problems.append(_bad("quantity", f"{feature.code}: {number} up to {plain(most)} times, got {quantity!s:.20}", "enter fewer"))
                quantity = option.quantity
            out.setdefault(feature.code, {})[number] = plain(quantity)
    return out


def _ids(model: Model, chosen: Chosen) -> dict[int, str]:
    return {o.id: f"{f.code} {o.number}" for f in model.features for o in f.options if o.number in chosen.get(f.code, {})}


def _complete(model: Model, chosen: Chosen, decided: set[str]) -> None:
    """Features that nobody has decided on take what follows from others, then what is preset; never what is excluded."""
    found = True
    while found:
        ids = set(_ids(model, chosen))
        follows = {r.other for r in model.rules if r.kind == "default" and r.option in ids}
        barred = {x for r in model.rules if r.kind == "excludes" for x, y in ((r.option, r.other), (r.other, r.option)) if y in ids}
        free = [(f, o) for f in model.features if f.code not in decided and f.code not in chosen for o in f.options if o.id not in barred]
        first = [x for x in free if x[1].id in follows] or [x for x in free if x[1].preset]
        found = bool(first)
        for feature, option in first[:1]:
            chosen[feature.code] = {option.number: plain(option.quantity)}


def _broken(model: Model, chosen: Chosen) -> Iterator[Problem]:
    for f in model.features:
        name, count = f.name or f.code, len(chosen.get(f.code, {}))
        if f.required and not count:
            yield _bad("required", f"{name} of {model.number} must be chosen", f"choose {', '.join(o.number for o in f.options)}")
        if count > 1 and not f.several:
            yield _bad("several", f"{name} of {model.number} may be chosen once, got {', '.join(sorted(chosen[f.code]))}", "choose one")
    names = {o.id: f"{f.code} {o.number}" for f in model.features for o in f.options}
    ids = set(_ids(model, chosen))
    for rule in model.rules:
        one, other = names.get(rule.option, ""), names.get(rule.other, "")
        why = f": {rule.reason}" if rule.reason else ""
        if rule.kind == "requires" and rule.option in ids and rule.other not in ids:
            yield _bad("requires", f"{one} requires {other}{why}", f"choose {other} as well")
        if rule.kind == "excludes" and {rule.option, rule.other} <= ids:
            yield _bad("excludes", f"{one} excludes {other}{why}", "choose one of them")


def content(number: str, chosen: Chosen) -> str:
    """The same text for the same choices, whatever their order."""
    choices = {f: {o: f"{plain(q):f}" for o, q in found.items()} for f, found in chosen.items() if found}
    return json.dumps({"choices": choices, "item": number}, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def number_of(text: str) -> str:
    """The number of a configuration, from its content alone: 60 bits, so that two never meet by chance."""
    return "CF-" + base64.b32encode(hashlib.sha256(text.encode()).digest())[:12].decode()


def choices_of(text: str) -> Chosen:
    """The choices in a stored content."""
    return {f: {o: Decimal(q) for o, q in found.items()} for f, found in json.loads(text)["choices"].items()}


# ---- lines and prices --------------------------------------------------------------------------------------------------------------


def parts(document: Document, line: Line, facts: ConfigFacts) -> list[tuple[str, LineInput]]:
    """The item itself where it is a part, and the chosen options."""
    found = facts.lines.get(line.id)
    if found is None:
        return []
    by_hand = line.price_entered is not None
    wanted = [(BASE, found.model.item, ONE, True)] if found.model.base else []
    wanted += [(f.code, o.item, q, by_hand or not o.own_price) for f, o, q in _options(found)]
    return [
        (
            f"{n:03d}.{feature[:20]}.{item}",
            LineInput(
                item=item, quantity=plain(rounded(product(line.quantity_base, each), QUANTITY_DIGITS)),
                price=ZERO if shared and document.role in PRICED else None, location_from=line.location_from, location_to=line.location_to,
                account_role=line.account_role, data={"configurator": ConfigData(feature=feature, each=each, shared=shared)},
            ),
        )
        for n, (feature, item, each, shared) in enumerate(wanted)
    ]  # fmt: skip


def _options(found: Configured) -> Iterator[tuple[Feature, Option, Decimal]]:
    for f in found.model.features:
        for o in f.options:
            if o.number in found.chosen.get(f.code, {}):
                yield f, o, found.chosen[f.code][o.number]


def price(line: Line) -> Price | None:
    """Nothing for a part whose price is in its line."""
    part = own(line)
    return Price(amount=ZERO, rule="share", reason="its price is in the configured line") if part.feature and part.shared and line.parent else None


def surcharges(document: Document, facts: ConfigFacts, home: str, mode: str = "half_up") -> list[Adjustment]:
    """A step for each option with a surcharge; the line's discount is taken off these too, and off parts with a price of their own."""
    out = []
    by_id = {line.id: line for line in document.lines}
    for id, found in facts.lines.items():
        line = by_id[id]
        left = HUNDRED - line.discount_entered
        for feature, option, quantity in _options(found) if line.price_entered is None else ():
            if option.own_price or not option.surcharge:
                continue
            each = option.surcharge if document.currency == home else rounded(option.surcharge / document.rate, QUANTITY_DIGITS, mode)
            whole = product(product(each, quantity), line.quantity_base)
            amount = rounded(product(whole, left) / HUNDRED, document.amount_digits, mode)
            less = f" less {plain(line.discount_entered)} %" if line.discount_entered else ""
            reason = f"{feature.name or feature.code}: {plain(quantity)} {option.number} at {plain(each)}{less}"
            out.append(Adjustment(rule=f"{feature.code} {option.number}", reason=reason, line=id, amount=amount, sequence=-1000))
        cut = [x for x in facts.parts.get(id, ()) if line.discount_entered and not own(by_id[x]).shared]
        reason = f"{plain(line.discount_entered)} % of the configured line"
        out += [Adjustment(rule="discount", reason=reason, line=x, percent=-line.discount_entered) for x in cut]
    return out


def shares(document: Document, facts: ConfigFacts) -> list[Adjustment]:
    """The price of each configured line, handed on to its parts by what they would cost alone."""
    by_id = {line.id: line for line in document.lines}
    out: list[Adjustment] = []
    for id, ids in facts.parts.items():
        line, below = by_id[id], [by_id[x] for x in ids]
        if not line.steps or _handed(line):
            continue
        taken = [x for x in below if _handed(x)]
        if taken:  # the parts keep the amounts of the document before
            out.append(Adjustment(rule="share", line=id, amount=-sum((x.net for x in taken), ZERO)))
            continue
        bearing = [x for x in below if own(x).shared] or below
        reason = f"share of {line.item.number if line.item else line.text}"
        out += handed_on(id, line.net, {x.id: alone(x) for x in bearing}, document.amount_digits, "share", reason)
    return out


def _handed(line: Line) -> bool:
    return any(s.plugin == "configurator" and s.stage == "document" for s in line.steps)


def alone(line: Line) -> Decimal:
    """What a part would cost alone; where it has no list price, its cost says how much of the whole it is."""
    return product(line.item.price_home or line.item.price or line.item.cost, line.quantity_base) if line.item else ZERO


# ---- documents ---------------------------------------------------------------------------------------------------------------------


def check(document: Document, facts: ConfigFacts) -> list[Problem]:
    """What is wrong with the choices, with its reason; and parts that were taken over and would be others today."""
    out: list[Problem] = []
    by_id = {line.id: line for line in document.lines}
    for i, line in enumerate(document.lines):
        where, found = f"lines[{i}].data.configurator", facts.lines.get(line.id)
        if line.id in facts.wrong:
            message = f"there is no configuration {facts.wrong[line.id]!r:.40} of {line.item.number if line.item else line.text}"
            out.append(msgspec.structs.replace(_bad("configuration", message, "choose a known one of this item"), where=where))
        elif found is not None and not line.sources:
            out += [msgspec.structs.replace(p, where=where) for p in found.problems]
        elif found is not None and document.role == "sale" and document.phase == "draft":
            now = made_of(found, (by_id[x] for x in facts.parts.get(line.id, ())))
            if now != found.content:
                problem = _bad("changed", f"its parts are those of {number_of(now)}, the choices are {found.number}", "enter the line anew to change it")
                out.append(msgspec.structs.replace(problem, where=where, severity=Severity.NOTE))
    return out


def made_of(found: Configured, below: Iterable[Line]) -> str:
    """The content by the parts that are in the document."""
    chosen: Chosen = {}
    for line in below:
        if line.item is not None and own(line).feature != BASE:
            chosen.setdefault(own(line).feature, {})[line.item.number] = own(line).each
    return content(found.model.number, chosen)


def panels(document: Document, facts: ConfigFacts) -> list[Panel]:
    """What was chosen for each line, and its number."""
    out = []
    for found in facts.lines.values():
        rows = [("Number", found.number + ("" if found.number in facts.kept else ", new"))]
        rows += [(f.name or f.code, o.number if q == 1 else f"{plain(q)} {o.number}") for f, o, q in _options(found)]
        out.append(Panel(title=f"Configuration of {found.model.number}", rows=tuple(rows), sequence=41))
    return out
