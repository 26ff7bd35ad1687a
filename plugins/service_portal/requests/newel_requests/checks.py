"""What must hold of what is said about requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from newel.errors import Problem

from newel_requests.rules import LONGEST


class Owners(msgspec.Struct, frozen=True):
    """Whose the requests are that messages are about, by id of the document; party: whom the user stands for."""

    parties: dict[int, int] = {}
    party: int | None = None


def check_note(values: Mapping[str, Any], owners: Owners) -> Iterator[Problem]:
    """What is said is about a request that the user may see, and says something."""
    if values.get("document") not in owners.parties:
        yield Problem(code="requests.of", message=f"there is no request {values.get('document')}", where="document", hint="name an existing one")
    if not 1 <= len((values.get("text") or "").strip()) <= LONGEST:
        yield Problem(code="requests.text", message=f"1 to {LONGEST} characters were expected", where="text", hint="write it shorter, or write something")


def check_message(values: Mapping[str, Any], owners: Owners) -> Iterator[Problem]:
    """Besides: it belongs to the request's own partner, and whoever stands for a partner does not speak for us."""
    yield from check_note(values, owners)
    if values.get("document") in owners.parties and values.get("party") != owners.parties[values["document"]]:
        yield Problem(code="requests.party", message="a message belongs to the partner of its request", where="party", hint="name the same one")
    if owners.party is not None and values.get("staff"):
        yield Problem(code="requests.staff", message="this user speaks for a partner, not for us", where="staff", hint="send false")
