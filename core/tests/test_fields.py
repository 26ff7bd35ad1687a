"""Values of records: strict on the way in, exact both ways."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel import defaults
from newel.services.fields import Fields, decode, encode, fields_of, from_form
from newel.services.registry import Registry
from newel.services.schema import entered_type, shown_type

REGISTRY = Registry([defaults.register_plugin()])
MOST = Decimal(2**63 - 1)


def fields(kind: str) -> Fields:
    return fields_of(REGISTRY.record(kind), REGISTRY)


def codes(problems: list[Any]) -> dict[str, str]:
    return {p.where: p.code for p in problems}


@pytest.mark.parametrize(("kind", "name"), [("newel.item_price", "price"), ("newel.currency_rate", "rate"), ("newel.party", "limit_amount")])
@given(data=st.data())
def test_decimals_come_back_as_they_were_entered(kind: str, name: str, data: st.DataObject) -> None:
    of_kind = fields(kind)
    digits = of_kind[name].digits
    value = data.draw(st.decimals(min_value=of_kind[name].minimum or 0, max_value=MOST.scaleb(-digits - 1), places=digits))
    for entered in (value, format(value, "f")):
        stored, problems = decode(of_kind, {name: entered}, {})
        assert problems == []
        assert type(stored[name]) is int
        out = encode(of_kind, stored)[name]
        assert out == value
        assert "E" not in str(out) or out.as_tuple().exponent < 0


@given(st.one_of(st.floats(), st.text(), st.binary(), st.booleans(), st.lists(st.integers()), st.integers(), st.decimals(), st.none()))
def test_nothing_that_is_entered_breaks_the_decoder(value: Any) -> None:
    for kind in REGISTRY.records:
        of_kind = fields(kind)
        stored, problems = decode(of_kind, dict.fromkeys(of_kind.by_name, value), {})
        assert set(stored) | {p.where for p in problems} >= {f.name for f in of_kind if not f.readonly}
        assert not any(isinstance(v, (float, Decimal)) for v in stored.values())


@pytest.mark.parametrize("value", [1.5, float("nan"), "1,5", "1e5", "NaN", "", "12 ", "1_000", "٣", Decimal("Infinity"), Decimal("1E+99999999"), True])
def test_what_is_no_exact_number_is_refused(value: Any) -> None:
    stored, problems = decode(fields("newel.item_price"), {"price": value}, {})
    assert value == "12 " or (problems and "price" not in stored)
    assert all(p.hint for p in problems)


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_a_decimal_is_exact_or_refused(value: Decimal) -> None:
    of_kind = fields("newel.item_price")
    stored, problems = decode(of_kind, {"price": value}, {})
    assert bool(problems) != ("price" in stored)
    if not problems:
        assert encode(of_kind, stored)["price"] == value


def test_every_problem_is_told_at_once_with_its_field() -> None:
    values = {
        "number": "x" * 41, "name": "tab\x00", "kind": "fish", "item_class": 1.5, "active": "perhaps", "colour": "red", "unit": "",
    }  # fmt: skip
    _, problems = decode(fields("newel.item"), values)
    assert codes(problems) == {
        "number": "field.length", "name": "field.text", "kind": "field.choice", "item_class": "field.type", "active": "field.type",
        "colour": "field.unknown", "unit": "field.required",
    }  # fmt: skip
    assert all(p.hint for p in problems)


def test_bounds_digits_and_dates() -> None:
    values = {"price": "-1", "date_from": "2026-02-30", "date_to": "31.1.2026"}
    _, problems = decode(fields("newel.item_price"), values, {})
    assert codes(problems) == {"price": "field.range", "date_from": "field.date", "date_to": "field.date"}
    assert codes(decode(fields("newel.item_price"), {"price": "1.0000001"}, {})[1]) == {"price": "field.digits"}
    assert codes(decode(fields("newel.company"), {"amount_digits": 5}, {})[1]) == {"amount_digits": "field.range"}
    stored, problems = decode(fields("newel.item_price"), {"date_from": "2026-02-28", "date_to": date(2026, 3, 1)}, {})
    assert (stored, problems) == ({"date_from": date(2026, 2, 28), "date_to": date(2026, 3, 1)}, [])


def test_a_new_record_gets_its_defaults_and_needs_what_is_required() -> None:
    stored, problems = decode(fields("newel.unit"), {"code": "CRT", "name": "Crate"})
    assert (stored["digits"], stored["factor"], problems) == (0, 1_000_000, [])
    assert fields("newel.unit")["factor"].default == 1
    assert codes(decode(fields("newel.unit"), {})[1]) == {"code": "field.required", "name": "field.required"}


def test_a_field_that_is_filled_in_can_not_be_entered() -> None:
    of_kind = fields("newel.currency_rate")
    assert codes(decode(of_kind, {"entered_by": "me"}, {"entered_by": "you"})[1]) == {"entered_by": "field.readonly"}
    assert decode(of_kind, {"entered_by": "you"}, {"entered_by": "you"}) == ({}, [])


def test_a_secret_is_never_shown() -> None:
    row = {"id": 1, "login": "ann", "password": "hash"}
    assert encode(fields("newel.user"), row) == {"id": 1, "login": "ann"}


def test_what_a_browser_posts() -> None:
    form = {"number": "A", "item_class": "12", "active": "", "description": "", "other": "x"}
    assert from_form(fields("newel.item"), form) == {"number": "A", "item_class": 12, "active": "false", "description": ""}


def test_the_schema_says_the_same_as_the_decoder() -> None:
    of_kind = fields("newel.item_price")
    entered = entered_type(REGISTRY.record("newel.item_price"), of_kind)
    schema = msgspec.json.schema(entered)
    properties = next(iter(schema["$defs"].values()))["properties"]
    assert properties["price"]["pattern"]
    good = msgspec.json.decode(b'{"item": "BOLT", "currency": "EUR", "price": "1.50"}', type=entered)
    assert good.price == "1.50"
    for bad in (b'{"price": 1.5}', b'{"price": "1.1234567"}', b'{"currency": "EURO"}', b'{"colour": 1}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(bad, type=entered)
    shown = shown_type(REGISTRY.record("newel.item_price"), of_kind)
    row = encode(of_kind, {"id": 1, "item": 2, "currency": "EUR", "price": 1_500_000, "date_from": None, "date_to": None})
    assert msgspec.json.decode(msgspec.json.encode(msgspec.convert(row, shown)))["price"] == "1.5"


def test_every_record_kind_has_fields_and_a_schema() -> None:
    for name, record in REGISTRY.records.items():
        of_kind = fields(name)
        assert any(f.list for f in of_kind), name
        assert all(c in of_kind for c in (*record.title, *record.search)), name
        assert msgspec.json.schema(entered_type(record, of_kind))
        assert msgspec.json.schema(shown_type(record, of_kind))


def test_instants_are_utc() -> None:
    of_kind = Fields([msgspec.structs.replace(fields("newel.currency_rate")["entered_at"], readonly=False)])
    stored, _ = decode(of_kind, {"entered_at": "2026-01-01T01:00:00+01:00"}, {})
    assert stored["entered_at"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert codes(decode(of_kind, {"entered_at": "2026-01-01T01:00:00"}, {})[1]) == {"entered_at": "field.date"}
