"""Whom a comment calls, which entries stand on a page, and how a document was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from newel.errors import Refused
from newel.happenings import Asked, Happening
from newel_timeline.rules import Then, as_of, before, called, checked, cursor, merged, pieces

NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def entry(id: int, minutes: int = 0, **more: str) -> Happening:
    return Happening(id=id, at=NOON + timedelta(minutes=minutes), text="", **{"kind": "change", **more})


def test_whom_a_comment_calls() -> None:
    """An address of mail calls nobody, a full stop does not belong to a login, and each is called once."""
    assert called("@Anna, see (@bo.li) and @anna. Mail to a@b.example, @@nobody") == ("anna", "bo.li")
    assert pieces("see @bo now") == [("see ", False), ("@bo", True), (" now", False)]


def test_a_comment_says_something_and_not_too_much() -> None:
    assert checked("  fine ") == "fine"
    for text, code in (("  ", "empty"), ("x" * 5001, "long"), (" ".join(f"@u{i}" for i in range(21)), "many")):
        with pytest.raises(Refused, match=rf"timeline\.{code}"):
            checked(text)


def test_a_page_is_the_latest_of_all_and_the_next_goes_on_where_it_ended() -> None:
    """A thousand entries of one instant are all seen once; who tells what was not asked for is not heard."""
    told = [("a", entry(i)) for i in range(500)] + [("b", entry(i)) for i in range(500, 1000)]
    seen, begin = [], (NOON + timedelta(days=1), 0)
    while page := merged(Asked(about="document", id=1, before=begin, most=30), told):
        seen += [h.id for _plugin, h in page]
        found = before(cursor(page[-1][1]))
        assert found is not None
        begin = found
    assert seen == list(range(999, -1, -1))
    asked = Asked(about="document", id=1, before=(NOON + timedelta(days=1), 0), most=30, kind="mail", who="bo")
    assert merged(asked, [("", entry(1, kind="mail", who="bo")), ("", entry(2, kind="mail", who="al")), ("", entry(3, who="bo"))])[0][1].id == 1
    assert before("nonsense") is None


def test_a_document_as_it_was() -> None:
    """What was changed is as before, what came is gone, what went is back at its place, and the others stand around it in their order."""
    now = [("reference", None, "B"), ("net", None, "30"), ("line 10 text", None, "Lamp"), ("line 10 quantity", None, "3"), ("line 20 text", None, "Bulb")]
    changed = [
        {"field": "reference", "old": "A", "new": "B"}, {"field": "net", "old": "25", "new": "30"},
        {"field": "line 10 quantity", "old": "2", "new": "3"}, {"field": "line 20", "old": None, "new": "1 EA Bulb"},
        {"field": "line 10", "old": "5 EA Frame", "new": None}, {"field": "line 10 net", "old": "15", "new": None},
    ]  # fmt: skip
    then = as_of("confirmed", now, [[{"field": "state", "old": "draft", "new": "confirmed"}], changed])
    assert then == Then(
        state="draft", values={"reference": "A", "net": "25"},
        lines=((10, {"quantity": "5", "unit": "EA", "text": "Frame", "net": "15"}), (20, {"text": "Lamp", "quantity": "2"})),
    )  # fmt: skip
