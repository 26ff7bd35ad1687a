"""What a draft is."""

from __future__ import annotations

from datetime import datetime

import msgspec
from newel.errors import Problem, Refused

KEY, PLACE, TITLE, BODY = 64, 200, 200, 2_000_000
DAYS = 30


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One form that was not saved.

    Args:
        key: idempotency key of the form: what is saved under it is no draft any more.
        place: path of the form. title: what it is about, for people.
        fields: (name, value) of everything that is posted, in order. focus: name of the field that had the cursor.
    """

    key: str
    place: str
    title: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    focus: str = ""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A draft in a list."""

    key: str
    place: str
    title: str
    changed_at: datetime | None


def checked(draft: Draft) -> Draft:
    """The draft, if it can be kept; Refused 422 or 413 otherwise."""
    problems = [
        Problem(code="drafts.long", message=f"at most {most} characters were expected, got {len(value)}", where=name, hint="reload the page")
        for name, value, most in (("key", draft.key, KEY), ("place", draft.place, PLACE), ("title", draft.title, TITLE))
        if len(value) > most
    ]
    if not draft.key or not draft.place.startswith("/") or draft.place.startswith("//"):
        problems.append(Problem(code="drafts.place", message="a key and a path of this site were expected", where="place", hint="reload the page"))
    if problems:
        raise Refused(*problems)
    if sum(len(name) + len(value) for name, value in draft.fields) > BODY:
        raise Refused(Problem(code="drafts.large", message=f"a draft has at most {BODY} characters", hint="save the form now and then"), status=413)
    return draft
