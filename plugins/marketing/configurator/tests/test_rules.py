"""What may be chosen together, in any order; numbers, defaults and prices."""

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel.domain.context import Company
from newel.domain.document import Document, Line, Link
from newel.domain.item import Item
from newel.domain.money import ZERO, rounded
from newel_configurator.checks import check, check_configuration, check_rule, keep
from newel_configurator.rules import (
    ConfigData,
    ConfigFacts,
    Feature,
    Model,
    Option,
    Rule,
    choices_of,
    configure,
    content,
    number_of,
    panels,
    parts,
    surcharges,
)  # fmt: skip

D = Decimal
EUR = Company(id=1, code="C", name="C", currency="EUR")
MOTOR = Feature(
    code="MOTOR", name="Motor", required=True, options=(Option(id=1, item=11, number="M1", preset=True), Option(id=2, item=12, number="M2", surcharge=D(200)))
)
COLOUR = Feature(code="COLOUR", options=(Option(id=3, item=13, number="RED", surcharge=D("9.99")), Option(id=4, item=14, number="BLUE")))
EXTRA = Feature(
    code="EXTRA", several=True,
    options=(Option(id=5, item=15, number="LAMP", quantity_max=D(4), surcharge=D("0.335")), Option(id=6, item=16, number="HOOK", own_price=True)),
)  # fmt: skip
RULES = (
    Rule(kind="requires", option=2, other=5, reason="it is dark in there"),
    Rule(kind="excludes", option=3, other=6, reason="red paint does not hold hooks"),
    Rule(kind="default", option=2, other=4),
)
MODEL = Model(item=10, number="MIXER", features=(MOTOR, COLOUR, EXTRA), rules=RULES)


def codes(choices: dict[str, Any]) -> list[str]:
    return [p.code.removeprefix("configurator.") for p in configure(MODEL, choices).problems]


@pytest.mark.parametrize(
    ("choices", "expected"),
    [
        ({}, []),
        ({"MOTOR": "M1", "COLOUR": "RED"}, []),
        ({"MOTOR": []}, ["required"]),
        ({"MOTOR": ["M1", "M2"], "EXTRA": "LAMP"}, ["several"]),
        ({"MOTOR": "M2"}, ["requires"]),
        ({"COLOUR": "RED", "EXTRA": ["HOOK", "LAMP"]}, ["excludes"]),
        ({"COLOUR": "GREEN"}, ["option"]),
        ({"WHEELS": "4"}, ["feature"]),
        ({"EXTRA": {"LAMP": D(4)}}, []),
        ({"EXTRA": {"LAMP": D(5)}}, ["quantity"]),
        ({"EXTRA": {"LAMP": D(0)}}, ["quantity"]),
        ({"EXTRA": {"LAMP": D("NaN")}}, ["quantity"]),
        ({"EXTRA": {"LAMP": D("1.0000001")}}, ["quantity"]),
        ({"EXTRA": {"HOOK": D(2)}}, ["quantity"]),
    ],
)
def test_what_may_be_chosen(choices: dict[str, Any], expected: list[str]) -> None:
    assert codes(choices) == expected


def test_the_reason_is_shown() -> None:
    (problem,) = configure(MODEL, {"MOTOR": "M2"}).problems
    assert problem.message == "MOTOR M2 requires EXTRA LAMP: it is dark in there"


def test_what_nobody_decides_follows_from_the_rest() -> None:
    assert configure(MODEL, {}).chosen == {"MOTOR": {"M1": D(1)}}
    assert configure(MODEL, {"MOTOR": "M2"}).chosen == {"MOTOR": {"M2": D(1)}, "COLOUR": {"BLUE": D(1)}}
    assert configure(MODEL, {"MOTOR": "M2", "COLOUR": []}).chosen == {"MOTOR": {"M2": D(1)}}
    barred = (*RULES, Rule(kind="excludes", option=4, other=2))
    model = Model(item=10, number="MIXER", features=(MOTOR, COLOUR), rules=barred)
    assert configure(model, {"MOTOR": "M2"}).chosen == {"MOTOR": {"M2": D(1)}}, "what is excluded is not chosen by itself"


OPTIONS = {f.code: [o.number for o in f.options] for f in MODEL.features}
ANY = st.fixed_dictionaries({}, optional={f: st.lists(st.sampled_from(found), unique=True) for f, found in OPTIONS.items()})


@given(ANY, st.randoms())
def test_the_same_content_has_the_same_number_whatever_the_order(choices: dict[str, list[str]], random: Any) -> None:
    found = configure(MODEL, choices)
    codes = list(choices)
    random.shuffle(codes)
    other: dict[str, Any] = {}
    for code in codes:
        options = list(choices[code])
        random.shuffle(options)
        other[code] = dict.fromkeys(options, D("1.0")) if random.random() < 0.5 else options
    turned = Model(item=10, number="MIXER", features=tuple(reversed(MODEL.features)), rules=tuple(reversed(RULES)))
    assert configure(MODEL, other).number == found.number
    assert configure(turned, other).chosen == found.chosen
    assert choices_of(found.content) == found.chosen and configure(MODEL, {**{code: [] for code in OPTIONS}, **found.chosen}).number == found.number


@given(ANY, ANY)
def test_other_content_has_another_number(one: dict[str, list[str]], other: dict[str, list[str]]) -> None:
    a, b = configure(MODEL, one), configure(MODEL, other)
    assert (a.number == b.number) == (a.chosen == b.chosen)


@given(ANY)
def test_excluded_pairs_never_pass(choices: dict[str, list[str]]) -> None:
    found = configure(MODEL, choices)
    both = "RED" in found.chosen.get("COLOUR", {}) and "HOOK" in found.chosen.get("EXTRA", {})
    assert both == any(p.code == "configurator.excludes" for p in found.problems)
    alone = "M2" in found.chosen.get("MOTOR", {}) and "LAMP" not in found.chosen.get("EXTRA", {})
    assert alone == any(p.code == "configurator.requires" for p in found.problems)


def line(**values: Any) -> Line:
    return Line(id=1, item=Item(id=10, number="MIXER", name="Mixer"), **values)


def document(found: Line, **values: Any) -> Document:
    return Document(id=1, kind="x.order", role="sale", state="draft", date=date(2026, 1, 15), currency="EUR", lines=(found,), **values)


@given(ANY, st.integers(1, 50), st.decimals(0, 100, places=2))
def test_the_price_is_the_base_and_its_options_to_the_cent(choices: dict[str, list[str]], quantity: int, discount: Decimal) -> None:
    found = configure(MODEL, choices)
    entered = line(quantity=D(quantity), discount_entered=discount)
    steps = surcharges(document(entered), ConfigFacts(lines={1: found}), EUR)
    priced = {o.number: o.surcharge for f in MODEL.features for o in f.options if o.number in found.chosen.get(f.code, {}) and o.surcharge}
    assert [s.rule.split()[1] for s in steps] == list(priced), "each option has a step of its own"
    assert [s.amount for s in steps] == [rounded(x * quantity * (100 - discount) / 100, 2) for x in priced.values()]


def test_surcharges_in_another_currency_and_by_hand() -> None:
    found = ConfigFacts(lines={1: configure(MODEL, {"COLOUR": "RED"})})
    (step,) = surcharges(document(line(quantity=D(3)), rate=D("0.5")), found, Company(id=1, code="C", name="C", currency="USD"))
    assert (step.amount, step.reason) == (D("59.94"), "COLOUR: 1 RED at 19.98")
    assert surcharges(document(line(price_entered=D(5))), found, EUR) == [], "a price by hand is the price of all of it"


def test_the_parts_of_a_line() -> None:
    found = configure(MODEL, {"EXTRA": {"LAMP": D(3), "HOOK": D(1)}})
    entered = line(quantity=D(2))
    facts = ConfigFacts(lines={1: found})
    made = parts(document(entered), entered, facts)
    assert [(k, x.item, x.quantity, x.price) for k, x in made] == [
        ("000.MOTOR.11", 11, D(2), ZERO), ("001.EXTRA.15", 15, D(6), ZERO), ("002.EXTRA.16", 16, D(2), None),
    ]  # fmt: skip
    by_hand = line(price_entered=D(5))
    assert {x.price for _, x in parts(document(by_hand), by_hand, facts)} == {ZERO}
    base = ConfigFacts(lines={1: configure(Model(item=10, number="MIXER", base=True), {})})
    assert [(x.item, x.data["configurator"].feature) for _, x in parts(document(entered), entered, base)] == [(10, "*")]
    assert parts(document(entered), entered, ConfigFacts()) == []


def test_what_is_kept_is_what_the_parts_say() -> None:
    found = configure(MODEL, {"COLOUR": "RED"})
    below = [
        Line(id=n, parent=1, item=Item(id=n, number=number, name=""), data={"configurator": ConfigData(feature=feature)})
        for n, (feature, number) in enumerate((("MOTOR", "M1"), ("COLOUR", "RED")), 2)
    ]
    whole = Document(id=1, kind="x", role="sale", state="draft", date=date(2026, 1, 15), lines=(line(), *below))
    facts = ConfigFacts(lines={1: found}, parts={1: (2, 3)})
    assert keep(whole, facts) == {found.number: (10, found.content)}
    assert keep(whole, ConfigFacts(lines=facts.lines, parts=facts.parts, kept=frozenset({found.number}))) == {}
    taken = msgspec.structs.replace(whole, lines=(line(sources=(Link(kind="ordered", from_line=9, from_document=9, quantity=D(1)),)), *below))
    assert panels(facts, taken, EUR)[0].rows == (("Number", f"{found.number}, new"), ("Motor", "M1"), ("COLOUR", "RED")), "nothing is chosen any more"


def test_what_can_be_chosen_says_what_it_costs_and_why_not() -> None:
    """An entry for each feature, with prices and reasons; what nobody has decided is marked as proposed, and a known one can be named."""
    (panel,) = panels(ConfigFacts(lines={1: configure(MODEL, {"MOTOR": "M2", "COLOUR": "RED"})}), document(line()), EUR)
    motor, colour, *_, known = panel.entries
    assert (panel.line, panel.rows[0][0]) == (1, "Number")
    assert (motor.path, motor.value, motor.required, motor.proposed) == (("choices", "MOTOR"), "M2", True, False)
    assert [getattr(c.note, "value", c.note) for c in motor.choices] == ["", D(200)]
    assert colour.value == "RED"
    assert known.path == ("configuration",)
    (fresh,) = panels(ConfigFacts(lines={1: configure(MODEL, {})}), document(line()), EUR)
    assert fresh.entries[0].proposed and fresh.entries[0].value == "M1", "the preset"
    refused = {c.value: c.refused for e in panel.entries for c in e.choices if c.refused}
    assert refused and all(text.startswith(("not with ", "needs ")) for text in refused.values()), refused


def test_problems_say_where() -> None:
    facts = ConfigFacts(lines={1: configure(MODEL, {"MOTOR": "M2"})})
    assert [p.where for p in check(document(line()), facts)] == ["lines[0].data.configurator"]


def test_what_records_must_be() -> None:
    assert [p.code for p in check_rule({"option": 1, "other": 1})] == ["configurator.rule"]
    assert not list(check_rule({"option": 1, "other": 2}))
    text = content("MIXER", {"MOTOR": {"M1": D("1.00")}})
    assert text == '{"choices":{"MOTOR":{"M1":"1"}},"item":"MIXER"}'
    assert not list(check_configuration({"number": number_of(text), "content": text}))
    assert [p.code for p in check_configuration({"number": "CF-1", "content": text})] == ["configurator.number"]
