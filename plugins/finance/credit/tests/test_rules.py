"""What credit decides, without a database."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from newel.domain.context import Company, Context, User
from newel.domain.credit import DELIVERED, INVOICED, ORDERED, Exposure, Exposures, Figure, added, by_stage, open_parts
from newel.domain.document import Document, Hold, Line, Stage
from newel.domain.kinds import Kinds
from newel.domain.party import Party
from newel.errors import Severity
from newel_credit.rules import CreditSettings, Standing, check, check_limit, panels
from newel_invoicing import hooks as invoicing
from newel_sales import hooks as sales
from newel_shipping import hooks as shipping

D = Decimal
TODAY = date(2026, 1, 15)
KINDS = Kinds({kind.name: kind for module in (sales, shipping, invoicing) for kind in module.register_plugin().documents})
USER = User(id=1, login="u", permissions=frozenset({"credit.limit.edit"}))
CONTEXT = Context(user=USER, company=Company(id=1, code="C", name="C", currency="EUR"), now=datetime(2026, 1, 15, tzinfo=UTC), today=TODAY)
ACME = Party(id=9, number="ACME", name="Acme")
STEPS = {"sales.order": "confirm", "shipping.delivery": "ship", "invoicing.invoice": "post"}


def figure(stage: str, home: str, due: date | None = None) -> Figure:
    return Figure(stage=stage, document=1, number="N", date=TODAY, currency="EUR", amount=D(home), home=D(home), due=due)


def document(kind: str = "sales.order", gross: str = "100", **values: Any) -> Document:
    role = KINDS.documents[kind].role
    return Document(**{"id": 5, "kind": kind, "role": role, "state": "draft", "date": TODAY, "gross": D(gross), "party": ACME, **values})


def found(doc: Document, standing: Standing, transition: str | None = None, **settings: Any) -> list[tuple[str, Severity]]:
    wanted = STEPS[doc.kind] if transition is None else transition
    proposed = Exposures(by_stage(standing.figures))
    return [(p.code, p.severity) for p in check(doc, wanted, KINDS, standing, proposed, CreditSettings(**settings), CONTEXT)]


@pytest.mark.parametrize(
    ("delivered", "invoiced", "is_open", "expected"),
    [
        (0, 0, True, (10, 0)),
        (4, 0, True, (6, 4)),
        (4, 4, True, (6, 0)),
        (0, 7, True, (3, 0)),
        (10, 3, True, (0, 7)),
        (4, 1, False, (0, 3)),
        (12, 0, True, (0, 10)),
    ],
)
def test_nothing_stands_in_two_stages(delivered: int, invoiced: int, is_open: bool, expected: tuple[int, int]) -> None:
    parts = open_parts(D(10), D(delivered), D(invoiced), is_open)
    assert parts == expected
    assert not is_open or sum(parts) == 10 - invoiced


def test_a_sale_that_is_opened_again_adds_what_has_not_been_invoiced() -> None:
    line = Line(id=1, quantity=D(10), net=D(100), stages={"invoiced": Stage(D(4), D(4))})
    assert added(document(lines=(line,)), D(2)) == 120
    assert added(document(), D(2)) == 200


@pytest.mark.parametrize(("used", "expected"), [("900", []), ("900.01", [("credit.limit", "override")])])
def test_up_to_the_limit_and_no_further(used: str, expected: list[tuple[str, str]]) -> None:
    assert found(document(), Standing(limit=D(1000), figures=(figure(ORDERED, used),))) == expected


@pytest.mark.parametrize(
    ("kind", "over"),
    [("sales.order", 3), ("shipping.delivery", 2), ("invoicing.invoice", 1)],
)
def test_each_stage_counts_itself_and_what_comes_after(kind: str, over: int) -> None:
    """Three figures of 100 each, and 100 of its own: the limit is passed one below the sum of those that count."""
    standing = Standing(figures=(figure(ORDERED, "100"), figure(DELIVERED, "100"), figure(INVOICED, "100")), worth=D(100))
    level = {"order": "block", "delivery": "block", "invoice": "block"}
    limit = D(100 * over + 100)
    assert found(document(kind), msgspec.structs.replace(standing, limit=limit), **level) == []
    assert found(document(kind), msgspec.structs.replace(standing, limit=limit - 1), **level) == [("credit.limit", "block")]


@pytest.mark.parametrize("level", ["off", "note", "hold", "override", "block"])
def test_a_stage_is_as_strict_as_its_setting(level: str) -> None:
    full = Standing(limit=D(0), worth=D(1))
    expected = [] if level == "off" else [("credit.limit", level)]
    assert found(document(), full, order=level) == expected
    wanted = [("credit.limit", "block")] if level == "hold" else expected
    assert found(document("shipping.delivery"), full, delivery=level) == wanted
    assert found(document("invoicing.invoice"), full, invoice=level) == wanted


def test_what_can_not_be_held_once_it_is_out_is_held_as_a_draft() -> None:
    full = Standing(limit=D(0), worth=D(1))
    assert found(document("shipping.delivery"), full, "", delivery="hold") == [("credit.limit", "hold")]
    assert found(document(), full, "", order="hold") == [("credit.limit", "note")]
    held = Hold(code="credit.limit", reason="", plugin="credit")
    released = msgspec.structs.replace(held, released_by="boss", released_at=CONTEXT.now)
    assert found(document("shipping.delivery", holds=(held,)), full, delivery="hold") == [("credit.limit", "block")]
    assert found(document("shipping.delivery", holds=(released,)), full, delivery="hold") == []


def test_other_steps_credit_notes_and_the_kernel_s_own_steps_are_free() -> None:
    full = Standing(limit=D(0), worth=D(1))
    assert found(document(), full, "cancel") == []
    assert found(document(state="confirmed", phase="open"), full, "close") == []
    assert found(document(state="done", phase="done"), full, "resume") == []
    assert found(document(state="closed", phase="done"), full, "reopen") == [("credit.limit", "override")]
    assert found(document("sales.quotation", state="sent", phase="offered"), full, "accept") == []
    note = document("invoicing.credit_note")
    assert check(note, "post", KINDS, full, Exposures(), CreditSettings(invoice="block"), CONTEXT) == []


def test_released_up_to_an_amount() -> None:
    full = Standing(limit=D(0), released=D(100))
    assert found(document(gross="100"), full) == []
    assert found(document(gross="100.01"), full) == [("credit.limit", "override")]


def test_late_payers_and_their_credits() -> None:
    late = (figure(INVOICED, "50", date(2025, 12, 31)), figure(INVOICED, "-20", date(2025, 1, 1)), figure(INVOICED, "5", TODAY))
    standing = Standing(days=15, figures=late, today=TODAY)
    assert (standing.late, standing.overdue) == (15, D(50))
    assert found(document(), standing) == []
    assert found(document(), msgspec.structs.replace(standing, days=14)) == [("credit.overdue", "override")]


def test_figures_of_others_count_at_every_stage() -> None:
    proposed = Exposures((Exposure(stage="guarantees", amount=D(950)),))
    problems = check(document("invoicing.invoice"), "post", KINDS, Standing(limit=D(1000)), proposed, CreditSettings(invoice="block"), CONTEXT)
    assert [p.message for p in problems] == ["limit 1000, this document 100, already 950 (guarantees 950) EUR"]
    assert [p.hint for p in problems] == ["take payment, or set another limit"]


def test_a_limit_is_not_below_zero() -> None:
    assert [p.where for p in check_limit({"amount": D(-1), "overdue_days": D(-2)})] == ["amount", "overdue_days"]
    assert check_limit({"amount": D(0), "overdue_days": None}) == []


def test_the_box() -> None:
    standing = Standing(limit=D(120), figures=(figure(ORDERED, "30"), figure(INVOICED, "20", date(2026, 1, 5))), today=TODAY)
    party = msgspec.structs.replace(ACME, service_level=7, blocked="orders")
    reader = msgspec.structs.replace(CONTEXT, user=msgspec.structs.replace(USER, permissions=USER.permissions | {"credit.figures.view"}))
    (panel,) = panels(document(party=party), standing, Exposures(by_stage(standing.figures)), reader)
    amounts = {label: f"{x.value} {x.unit}" for label, x in panel.rows if not isinstance(x, str)}
    assert amounts == {
        "Used": "50 EUR", "Open orders": "30 EUR", "Open items": "20 EUR", "This document": "100.00 EUR", "Limit": "120 EUR", "Left": "-30.00 EUR",
        "Overdue": "20 EUR",
    }  # fmt: skip
    explained = {label for label, x in panel.rows if not isinstance(x, str) and x.url.startswith("/report/credit.figures?party=")}
    assert explained == {"Used", "Open orders", "Open items", "Overdue"}, "each figure leads to what it is made of"
    (closed,) = panels(document(party=party), standing, Exposures(by_stage(standing.figures)), CONTEXT)
    assert not [x.url for _, x in closed.rows if not isinstance(x, str) and x.url], "no link to a report that the reader may not open"
    texts = {label: x for label, x in panel.rows if isinstance(x, str)}
    assert texts == {"Days late": "10", "You may": "set another limit", "Blocked": "new orders", "Service level": "7"}
    assert panels(document(), None, Exposures(), CONTEXT) == []
