"""Each hook of warranty, as the kernel calls it; the story shows them together."""

from datetime import date
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.item import Item
from newel.domain.kinds import DocumentKind, Kinds, State, Transition
from newel_sdk.testing import TODAY, ask, running
from newel_warranty import hooks
from newel_warranty.rules import Happened, Piece, Rule, Terms, WarrantyFacts

D = Decimal
TERMS = Terms(code="TWO", months=24, parts=D(100), labour=D(50))
LIFE = (Happened(date=date(2026, 1, 1), kind="sold"),)
SEAL, HOUR = Item(id=2, number="SEAL", name="Seal"), Item(id=3, number="HOUR", name="Hour", kind="service")


def facts(*life: Happened, behind: tuple[int, ...] = (5,)) -> Facts:
    return Facts([WarrantyFacts(rules=(Rule(terms=TERMS, item=7),), pieces={5: Piece(item=7, serial="S1", life=life or LIFE)}, behind=behind)])


def document(role: str, *lines: Line, **values: Any) -> Document:
    return Document(id=1, kind=values.pop("kind", f"any.{role}"), role=role, state="draft", date=TODAY, lines=lines, **values)


def test_hook_register_plugin() -> None:
    assert [k.name for k in hooks.register_plugin().documents] == ["warranty.claim"]


async def test_hook_load_facts_asks_only_where_a_line_names_a_piece(sqlite_url: str) -> None:
    async with running(sqlite_url, {"warranty": hooks}) as (app, context), app.database.read() as session:
        for plain in (document("sale", Line(id=1, item=SEAL)), document("invoice", Line(id=1, lot=5)), document("production", Line(id=1))):
            assert await ask(hooks.load_facts, plain, session, context) is None
        assert session.statements == 0
        assert await ask(hooks.load_facts, document("sale", Line(id=1, lot=5)), session, context) == WarrantyFacts()


def test_hook_propose_adjustments_by_parts_and_labour() -> None:
    job = document("production", Line(id=1, kind="work", item=HOUR), Line(id=2, item=SEAL), Line(id=3, kind="text"))
    assert [(a.line, a.percent) for a in ask(hooks.propose_adjustments, job, "line", facts(), None)] == [(1, D(-50)), (2, D(-100))]
    assert ask(hooks.propose_adjustments, job, "document", facts(), None) == []
    assert ask(hooks.propose_adjustments, job, "line", facts(behind=(5, 6)), None) == [], "one of the two pieces is not covered"
    assert ask(hooks.propose_adjustments, job, "line", Facts(), None) is None


def test_hook_check_document_ends_and_claims() -> None:
    ended = (*LIFE, Happened(date=date(2026, 1, 2), kind="recycled", proof="R-1"))
    for role, transition, expected in (
        ("sale", "confirm", ["warranty.ended"]),
        ("delivery", "", ["warranty.ended"]),
        ("sale", "cancel", []),
        ("return", "", []),
    ):
        assert [p.code for p in hooks.check_document(document(role, Line(id=1, lot=5)), transition, facts(*ended), None)] == expected
    claim = document("request", Line(id=1, lot=5), kind="warranty.claim")
    assert hooks.check_document(claim, "accept", facts(), None) == []
    assert [p.code for p in hooks.check_document(claim, "accept", facts(*ended), None)] == ["warranty.uncovered"]


def test_hook_propose_documents_notes_the_service_of_a_piece() -> None:
    """Work on a device at the customer's is an event of its life; material with a number, or a piece that nobody sold, is not."""
    states = (State(name="draft", label="Draft", phase="open"), State(name="done", label="Done", phase="done"))
    ways = (
        Transition(name="finish", label="Done", sources=("draft",), target="done"),
        Transition(name="wait", label="Wait", sources=("draft",), target="draft"),
    )
    kind = DocumentKind(name="any.production", label="", label_plural="", role="production", states=states, transitions=ways)
    context = SimpleNamespace(today=TODAY)

    def found(transition: str, *life: Happened, line: str = "device") -> list[Any]:
        known = Facts([*(facts(*life)[k] for k in (WarrantyFacts,)), Kinds({kind.name: kind})])
        drafts = ask(hooks.propose_documents, document("production", Line(id=1, kind=line, lot=5)), transition, known, context)
        return [(d.record, d.values["kind"], d.values["item"], d.values["lot"], d.values["date"]) for d in drafts]

    assert found("finish") == [("warranty.event", "serviced", 7, 5, TODAY.isoformat())]
    assert found("wait") == found("finish", line="item") == []
    assert found("finish", *LIFE, Happened(date=date(2026, 1, 2), kind="recycled", proof="R-1")) == []


def test_hook_propose_panels() -> None:
    asked = document("request", Line(id=1, lot=5), Line(id=2))
    (panel,) = ask(hooks.propose_panels, asked, facts(), None)
    assert (panel.line, panel.rows[0]) == (1, ("Warranty", "warranty TWO until 2028-01-01"))
    assert ask(hooks.propose_panels, document("sale", Line(id=1, lot=5)), facts(), None) == []
    assert ask(hooks.propose_panels, asked, Facts(), None) is None
