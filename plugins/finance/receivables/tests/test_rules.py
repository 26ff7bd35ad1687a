"""What receivables decides, without a database."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel.domain.context import Company
from newel.domain.document import Document, Line
from newel.domain.ledger import OpenItem
from newel.domain.party import Party
from newel.errors import Severity
from newel_receivables.rules import Claims, PaymentData, ReceivablesSettings, bucket, check, panels, propose_settlement

D = Decimal
DAY = date(2026, 1, 15)
SETTINGS = ReceivablesSettings()
COMPANY = Company(id=1, code="C", name="C", currency="EUR")
PARTY = Party(id=5, number="ACME", name="Acme")


def open_item(id: int, amount: str, due: int = 0, **values: Any) -> OpenItem:
    """An open item that is due so many days later."""
    base = {"id": id, "document": 100 + id, "party": 5, "role": "receivable", "currency": "EUR", "date": DAY, "date_due": DAY + timedelta(days=due)}
    amounts = dict.fromkeys(("amount", "amount_open", "company_amount", "company_open"), D(amount))
    return OpenItem(**{**base, **amounts, **values})


def proposed(items: list[OpenItem], amount: str, limit: str = "0") -> list[tuple[int | str | None, str]]:
    """Lines as (item or role, amount)."""
    return [(line.settles or line.account_role or None, f"{line.amount:.2f}".removesuffix(".00")) for line in propose_settlement(items, D(amount), D(limit))]


OLD, NEW, CREDIT = open_item(1, "100", 0), open_item(2, "50", 10), open_item(3, "-30", 5)


@pytest.mark.parametrize(
    ("items", "amount", "limit", "lines"),
    [
        ([NEW, OLD], "150", "0", [(1, "100"), (2, "50")]),
        ([NEW, OLD], "120", "0", [(1, "100"), (2, "20")]),
        ([NEW, OLD], "100", "1", [(1, "100")]),
        ([OLD], "99.40", "1", [(1, "100"), ("write_off", "-0.60")]),
        ([OLD], "99.00", "1", [(1, "100"), ("write_off", "-1")]),
        ([OLD], "98.99", "1", [(1, "98.99")]),
        ([OLD], "99.40", "0", [(1, "99.40")]),
        ([OLD, open_item(2, "0.60", 1)], "100", "1", [(1, "100")]),
        ([OLD], "130", "1", [(1, "100"), (None, "30")]),
        ([OLD, CREDIT], "70", "0", [(1, "100"), (3, "-30")]),
        ([OLD, CREDIT], "100", "0", [(1, "100")]),
        ([OLD, NEW, CREDIT], "110", "0", [(1, "100"), (2, "40"), (3, "-30")]),
        ([OLD, CREDIT], "69.50", "1", [(1, "100"), (3, "-30"), ("write_off", "-0.50")]),
        ([], "10", "1", [(None, "10")]),
        ([CREDIT], "10", "1", [(None, "10")]),
    ],
)
def test_oldest_due_first(items: list[OpenItem], amount: str, limit: str, lines: list[Any]) -> None:
    assert proposed(items, amount, limit) == lines


CENTS = st.integers(-50_000, 50_000).filter(bool)


@given(st.lists(st.tuples(CENTS, st.integers(0, 60)), max_size=8), st.integers(1, 200_000), st.integers(0, 200))
def test_a_proposal_adds_up_and_takes_no_more_than_is_open(found: list[tuple[int, int]], amount: int, limit: int) -> None:
    items = [open_item(i + 1, str(D(cents) / 100), due) for i, (cents, due) in enumerate(found)]
    lines = propose_settlement(items, D(amount) / 100, D(limit) / 100)
    assert sum(line.amount for line in lines) == D(amount) / 100
    by_id = {item.id: item for item in items}
    settled = [line for line in lines if line.settles]
    assert len({line.settles for line in settled}) == len(settled)
    assert all(0 < line.amount / by_id[line.settles or 0].amount_open <= 1 for line in settled)
    written = [line for line in lines if line.account_role]
    assert len(written) <= 1
    assert all(-D(limit) / 100 <= line.amount < 0 for line in written)


def payment(*lines: Line, kind: str = "receivables.payment", **values: Any) -> Document:
    base = {"id": 1, "kind": kind, "role": "payment", "state": "draft", "date": DAY, "party": PARTY, "currency": "EUR", "lines": lines}
    return Document(**{**base, "gross": sum((line.net for line in lines), D(0)), **values})


def pays(settles: int | None, amount: str, **values: Any) -> Line:
    return Line(id=settles or 99, kind="payment", net=D(amount), settles=settles, **values)


ITEMS = {1: OLD, 3: CREDIT, 4: open_item(4, "10", party=6), 5: open_item(5, "10", currency="USD")}


@pytest.mark.parametrize(
    ("document", "codes"),
    [
        (payment(pays(1, "100")), []),
        (payment(pays(1, "60"), pays(3, "-30")), []),
        (payment(pays(1, "100"), pays(None, "20")), []),
        (payment(pays(1, "100"), pays(None, "-0.60", account_role="write_off")), []),
        (payment(pays(1, "100"), pays(None, "-1.01", account_role="write_off")), ["receivables.write_off"]),
        (payment(pays(1, "100.01")), ["receivables.more"]),
        (payment(pays(1, "60"), pays(1, "60")), ["receivables.more"]),
        (payment(pays(1, "-1"), pays(None, "5")), ["receivables.more"]),
        (payment(pays(3, "30")), ["receivables.more"]),
        (payment(pays(2, "1")), ["receivables.item"]),
        (payment(pays(4, "10")), ["receivables.party"]),
        (payment(pays(5, "10")), ["receivables.currency"]),
        (payment(pays(None, "0"), pays(1, "1")), ["receivables.amount"]),
        (payment(pays(3, "-30")), ["receivables.negative"]),
        (payment(pays(3, "30"), kind="receivables.refund"), []),
        (payment(pays(3, "31"), kind="receivables.refund"), ["receivables.more"]),
        (payment(pays(1, "10"), kind="receivables.refund"), ["receivables.more"]),
        (payment(pays(1, "1"), data={"receivables": PaymentData(means="CARD")}, account_role="cash"), []),
        (payment(pays(1, "1"), data={"receivables": PaymentData(means="CARD")}), ["receivables.role"]),
        (payment(pays(1, "1"), data={"receivables": PaymentData(means="SHELL")}), ["receivables.means"]),
    ],
)
def test_what_may_be_posted(document: Document, codes: list[str]) -> None:
    assert [p.code for p in check(document, "post", ITEMS, Claims(means={"CARD": "cash"}), SETTINGS)] == codes


def test_a_large_write_off_is_for_those_who_may() -> None:
    found = check(payment(pays(1, "100"), pays(None, "-5", account_role="write_off")), "post", ITEMS, Claims(), SETTINGS)
    assert [p.severity for p in found] == [Severity.OVERRIDE]


def test_undoing_is_not_checked_again() -> None:
    assert check(payment(pays(1, "1000")), "reverse", {}, Claims(), SETTINGS) == []


@pytest.mark.parametrize(
    ("days", "expected"),
    [(-1, "not_due"), (0, "days_30"), (30, "days_30"), (31, "days_60"), (60, "days_60"), (61, "days_90"), (90, "days_90"), (91, "older")],
)
def test_ages(days: int, expected: str) -> None:
    assert bucket(DAY, DAY + timedelta(days=days)) == expected


def test_a_sale_shows_what_is_owed() -> None:
    sale = payment(role="sale")
    (panel,) = panels(sale, Claims(owed=D("10.5000"), overdue=D(3)), COMPANY)
    assert panel.rows == (("Owes", "10.50 EUR"), ("Overdue", "3.00 EUR"))
    assert panels(sale, Claims(), COMPANY) == []
    assert panels(payment(), Claims(owed=D(1)), COMPANY) == []
