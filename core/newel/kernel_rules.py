"""Rules of the kernel's own records: pure functions from the values of a whole record to its problems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from newel.errors import Problem

ONE = Decimal(1)
LETTERS3, LETTERS2 = re.compile(r"[A-Z]{3}"), re.compile(r"[A-Z]{2}")
PERMISSION = re.compile(r"\*|[a-z][a-z0-9_]*(\.[a-z0-9_]+)*(\.\*)?")
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]*")
Values = Mapping[str, Any]
Problems = Iterator[Problem]


def _bad(where: str, message: str, hint: str) -> Problem:
    return Problem(code="record.invalid", message=message, where=where, hint=hint)


def country(values: Values) -> Problems:
    """A country is two capital letters."""
    if values["country"] and not LETTERS2.fullmatch(values["country"]):
        yield _bad("country", f"a country has two capital letters, got {values['country']!r}", "look it up in ISO 3166, such as DE or US")


def currency(values: Values) -> Problems:
    """A currency is three capital letters."""
    if not LETTERS3.fullmatch(values["code"]):
        yield _bad("code", f"a currency has three capital letters, got {values['code']!r}", "look it up in ISO 4217, such as EUR")


def dates(values: Values) -> Problems:
    """The last day is not before the first."""
    if values["date_from"] and values["date_to"] and values["date_to"] < values["date_from"]:
        yield _bad("date_to", f"the last day, {values['date_to']}, is before the first, {values['date_from']}", "exchange the two dates")


def period(values: Values, _locked: Any) -> Problems:
    """A period is a range of days; the ledger's chain is locked while it changes."""
    yield from dates(values)


def parent(values: Values) -> Problems:
    """Nothing is a part of itself."""
    if values["parent"] is not None and values["parent"] == values.get("id"):
        yield _bad("parent", "a record can't be part of itself", "choose another one or leave it empty")


def unit(values: Values) -> Problems:
    """A unit is a multiple of another one, or one of its own."""
    if values["base"] and values["base"] == values["code"]:
        yield _bad("base", "a unit can't be a multiple of itself", "leave it empty for a unit of its own")
    if not values["base"] and values["factor"] != ONE:
        yield _bad("factor", f"{values['factor']} of what?", "say which unit it is a multiple of, or enter 1")


def tax_rate(values: Values) -> Problems:
    """Place and time of a tax rate make sense."""
    yield from country(values)
    yield from dates(values)
    if values["region"] and not values["country"]:
        yield _bad("country", "a region needs its country", "enter the country")


def permission(values: Values, beyond: Any) -> Problems:
    """A permission, or a pattern of permissions, that whoever gives it has."""
    if not PERMISSION.fullmatch(values["permission"]):
        yield _bad("permission", f"{values['permission']!r} is no permission", "write one such as newel.item.edit, newel.item.* or *")
    if not beyond.may(values["permission"]):
        yield _more("permission", values["permission"])


def _more(where: str, permission: str) -> Problem:
    message, hint = f"this is about the permission {permission!r}, which you do not have", "ask somebody who has it: nobody gives more than they have"
    return Problem(code="permission.beyond", message=message, where=where, hint=hint)


def user_role(values: Values, beyond: Any) -> Problems:
    """Nobody gives a role that may do more than they."""
    if found := beyond.roles.get(values["role"]):
        yield _more("role", found)


def user(values: Values, beyond: Any) -> Problems:
    """A login can be typed on every keyboard, in one way only; nobody changes a user who may do more than they."""
    if not LOGIN.fullmatch(values["login"]):
        hint = "use small letters, digits and . _ @ + -"
        yield _bad("login", f"{values['login']!r} can't be typed the same way everywhere", hint)
    if found := beyond.users.get(values.get("id")):
        yield _more("login", found)
