"""What invoicing decides, without a database."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from newel.domain.document import Document, Line
from newel.errors import Severity
from newel_invoicing.rules import check, share, state_of

D = Decimal
DAY = date(2026, 1, 15)
PRICED = Line(id=1, kind="charge", text="Advice", price_entered=D(10), net=D(10))


def invoice(*lines: Line, **values: Any) -> Document:
    base = {"id": 1, "kind": "invoicing.invoice", "role": "invoice", "state": "draft", "date": DAY, "gross": D(10)}
    return Document(**{**base, "lines": lines or (PRICED,), **values})


@pytest.mark.parametrize(
    ("document", "codes"),
    [
        (invoice(), []),
        (invoice(date_due=DAY), []),
        (invoice(date_due=date(2026, 1, 14)), ["invoicing.due"]),
        (invoice(Line(id=1, kind="text", text="hello"), gross=D(0)), ["invoicing.empty"]),
        (invoice(Line(id=1, kind="item", text="bolt")), ["invoicing.price"]),
        (invoice(Line(id=1, kind="item", price_entered=D(0)), gross=D(0)), ["invoicing.zero"]),
        (invoice(gross=D(-1)), ["invoicing.negative"]),
    ],
)
def test_what_may_be_posted(document: Document, codes: list[str]) -> None:
    assert [p.code for p in check(document, "post")] == codes


def test_a_draft_may_be_incomplete() -> None:
    assert check(invoice(Line(id=1, kind="item"), gross=D(-1)), "") == []
    assert [p.severity for p in check(invoice(Line(id=1, price_entered=D(0)), gross=D(0)), "post")] == [Severity.NOTE]


def test_posted_and_late_is_overdue() -> None:
    assert state_of("posted", date(2026, 1, 14), DAY) == "overdue"
    assert state_of("posted", DAY, DAY) == "posted"
    assert state_of("posted", None, DAY) == "posted"
    assert state_of("paid", date(2026, 1, 14), DAY) == "paid"


def test_a_share_of_a_line() -> None:
    assert share(D(10), D(1), D(3)) == D("3.3333")
    assert share(D(10), D(3), D(3)) == D(10)
