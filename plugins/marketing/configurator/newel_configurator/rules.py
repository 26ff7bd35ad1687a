"""What may be chosen together, what follows from it, what it costs and by which number it is known: pure functions over frozen values."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Company
from newel.domain.document import Document, Line, LineInput
from newel.domain.money import HUNDRED, ONE, ZERO, plain, product, rounded
from newel.domain.pricing import Adjustment, Price
from newel.domain.quantity import QUANTITY_DIGITS
from newel.errors import Problem
from newel.manifest import Choice, Entry, Panel, Shown

SELLING = ("request", "sale", "invoice", "delivery", "return")
BASE = "*"
Chosen = dict[str, dict[str, Decimal]]  # feature -> number of the option's item -> quantity in one


class ConfigData(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a line holds: choices by feature, from a known configuration; of a part, the feature ("*": the item itself), how many in one, how priced."""

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
    name: str = ""
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
    """What was chosen for a line, with what follows from it. decided: features that somebody has decided on."""

    model: Model
    chosen: Chosen
    content: str
    number: str
    decided: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


class ConfigFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Configured lines by id, their parts, which configurations are kept already, and what is wrong with other lines."""

    lines: Mapping[int, Configured] = {}
    parts: Mapping[int, tuple[int, ...]] = {}
    kept: frozenset[str] = frozenset()
    wrong: Mapping[int, Problem] = {}


def own(line: Line) -> ConfigData:
    found = line.data.get("configurator")
    return found if isinstance(found, ConfigData) else ConfigData()


def configure(model: Model, choices: Mapping[str, Any]) -> Configured:
    """The choices with everything that follows from them, whatever their order, and what is wrong with them."""
    problems: list[Problem] = []
    chosen = _entered(model, choices, problems)
    _complete(model, chosen, set(choices))
    text = content(model.number, chosen)
    every = (*problems, *_broken(model, chosen))
    return Configured(model=model, chosen=chosen, content=text, number=number_of(text), decided=frozenset(choices), problems=every)


def bad(code: str, message: str, hint: str) -> Problem:
    return Problem(code=f"configurator.{code}", message=message, hint=hint)


def _entered(model: Model, choices: Mapping[str, Any], problems: list[Problem]) -> Chosen:
    known = {f.code: f for f in model.features}
    problems += [bad("feature", f"{model.number} has no feature {code!r:.40}", "leave it out") for code in sorted(set(choices) - set(known))]
    out: Chosen = {}
    for feature in model.features:
        value = choices.get(feature.code) or {}
        asked: dict[str, Decimal | None] = dict(value) if isinstance(value, dict) else dict.fromkeys([value] if isinstance(value, str) else value)
        options = {o.number: o for o in feature.options}
        for number in sorted(asked):
            option, quantity = options.get(number), asked[number]
            if option is None:
                problems.append(bad("option", f"{feature.code} has no option {number!r:.40}", f"choose {', '.join(options)}"))
                continue
            quantity = option.quantity if quantity is None else quantity
            most = option.quantity if option.quantity_max is None else option.quantity_max
            if not (quantity.is_finite() and ZERO < quantity <= most and quantity == rounded(quantity, QUANTITY_DIGITS)):
                problems.append(bad("quantity", f"{feature.code}: {number} up to {plain(most)} times, got {quantity!s:.20}", "enter fewer"))
                quantity = option.quantity
            out.setdefault(feature.code, {})[number] = plain(quantity)
    return out


def _ids(model: Model, chosen: Chosen) -> set[int]:
    return {o.id for f in model.features for o in f.options if o.number in chosen.get(f.code, {})}


def _complete(model: Model, chosen: Chosen, decided: set[str]) -> None:
    """Features that nobody has decided on take what follows from others, then what is preset; never what is excluded."""
    while True:
        ids = _ids(model, chosen)
        follows = {r.other for r in model.rules if r.kind == "default" and r.option in ids}
        barred = {x for r in model.rules if r.kind == "excludes" for x, y in ((r.option, r.other), (r.other, r.option)) if y in ids}
        free = [(f, o) for f in model.features if f.code not in decided and f.code not in chosen for o in f.options if o.id not in barred]
        first = [x for x in free if x[1].id in follows] or [x for x in free if x[1].preset]
        if not first:
            return
        chosen[first[0][0].code] = {first[0][1].number: plain(first[0][1].quantity)}


def _broken(model: Model, chosen: Chosen) -> Iterator[Problem]:
    for f in model.features:
        count = len(chosen.get(f.code, {}))
        if f.required and not count:
            yield bad("required", f"{f.name or f.code} of {model.number} must be chosen", f"choose {', '.join(o.number for o in f.options)}")
        if count > 1 and not f.several:
            yield bad("several", f"{f.name or f.code} of {model.number} may be chosen once, got {', '.join(sorted(chosen[f.code]))}", "choose one")
    names = {o.id: f"{f.code} {o.number}" for f in model.features for o in f.options}
    ids = _ids(model, chosen)
    for rule in model.rules:
        one, other = names.get(rule.option, ""), names.get(rule.other, "")
        why = f": {rule.reason}" if rule.reason else ""
        if rule.kind == "requires" and rule.option in ids and rule.other not in ids:
            yield bad("requires", f"{one} requires {other}{why}", f"choose {other} as well")
        if rule.kind == "excludes" and {rule.option, rule.other} <= ids:
            yield bad("excludes", f"{one} excludes {other}{why}", "choose one of them")


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
                price=ZERO if shared and document.role not in ("delivery", "return") else None, location_from=line.location_from, location_to=line.location_to,
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


def surcharges(document: Document, facts: ConfigFacts, company: Company) -> list[Adjustment]:
    """A step for each option with a surcharge; the line's discount is taken off these too, and off parts with a price of their own."""
    out = []
    by_id = {line.id: line for line in document.lines}
    for id, found in facts.lines.items():
        line = by_id[id]
        cut, less = line.discount_entered, f" less {plain(line.discount_entered)} %" if line.discount_entered else ""
        for n, (feature, option, quantity) in enumerate(_options(found) if line.price_entered is None else ()):
            if option.own_price or not option.surcharge:
                continue
            each = option.surcharge if document.currency == company.currency else rounded(option.surcharge / document.rate, QUANTITY_DIGITS)
            whole = product(product(each, quantity), line.quantity_base)
            amount = rounded(product(whole, HUNDRED - cut) / HUNDRED, document.amount_digits, company.rounding)
            reason = f"{feature.name or feature.code}: {plain(quantity)} {option.number} at {plain(each)}{less}"
            out.append(Adjustment(rule=f"{feature.code} {option.number}", reason=reason, line=id, amount=amount, sequence=n - 1000))
        alone = [x for x in facts.parts.get(id, ()) if cut and not own(by_id[x]).shared]
        out += [Adjustment(rule="discount", reason=f"{plain(cut)} % of the configured line", line=x, percent=-cut) for x in alone]
    return out


def bearing(document: Document, facts: ConfigFacts) -> dict[int, tuple[int, ...]]:
    """The parts that share the price of each line: all where each has a price of its own."""
    shared = {line.id for line in document.lines if own(line).shared}
    return {id: tuple(x for x in ids if x in shared) or ids for id, ids in facts.parts.items()}


def panels(facts: ConfigFacts, document: Document, company: Company) -> list[Panel]:
    """For each line what can be chosen, with its price and why it can't be; for lines that were taken over what was chosen."""
    out = []
    for id, found in facts.lines.items():
        rows = [("Number", found.number + ("" if found.number in facts.kept else ", new"))]
        line, entries = document.line(id), tuple[Entry, ...]()
        if line.sources:
            rows += [(f.name or f.code, o.number if q == 1 else f"{plain(q)} {o.number}") for f, o, q in _options(found)]
        else:
            entries = (*(_entry(found, f, company) for f in found.model.features), _known(own(line)))
        out.append(Panel(title=f"Configuration of {found.model.number}", rows=tuple(rows), line=id, entries=entries, sequence=41))
    return out


def _known(data: ConfigData) -> Entry:
    text = "Its choices hold wherever nothing else is chosen above."
    return Entry(path=("configuration",), label="Known configuration", value=data.configuration, code_of="configurator.configuration", help=text)


def _entry(found: Configured, feature: Feature, company: Company) -> Entry:
    """A feature as something to choose from."""
    chosen, ids = found.chosen.get(feature.code, {}), _ids(found.model, found.chosen)
    choices = tuple(
        Choice(
            value=o.number, label=f"{o.number} {o.name}".strip(), refused=_why_not(found.model, o.id, ids), quantity=o.quantity, most=o.quantity_max,
            note="at its own price" if o.own_price else Shown(value=o.surcharge, digits=company.amount_digits, unit=company.currency) if o.surcharge else "",
        )
        for o in feature.options
    )  # fmt: skip
    value = chosen if feature.several or any(o.quantity_max is not None for o in feature.options) else next(iter(chosen), "")
    return Entry(
        path=("choices", feature.code), label=feature.name or feature.code, value=value, choices=choices, several=feature.several,
        required=feature.required, proposed=feature.code not in found.decided,
    )  # fmt: skip


def _why_not(model: Model, option: int, ids: set[int]) -> str:
    """What stands against an option as things are, with the reason."""
    names = {o.id: f"{f.name or f.code} {o.number}" for f in model.features for o in f.options}
    out = []
    for r in model.rules:
        if r.kind == "requires" and r.option == option and r.other not in ids:
            out.append(f"needs {names.get(r.other, '')}" + (f": {r.reason}" if r.reason else ""))
        other = {r.option: r.other, r.other: r.option}.get(option)
        if r.kind == "excludes" and other in ids:
            out.append(f"not with {names.get(other or 0, '')}" + (f": {r.reason}" if r.reason else ""))
    return "; ".join(out)
