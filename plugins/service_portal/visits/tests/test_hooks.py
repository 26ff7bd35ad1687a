"""Each hook of visits, as the kernel calls it; the story shows them together."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import User
from newel.domain.document import Document, Line, Stage
from newel.domain.facts import Facts
from newel.domain.item import Item
from newel.domain.kinds import Kinds
from newel.domain.master import Master
from newel.domain.party import Address
from newel_invoicing import hooks as invoicing
from newel_sdk.testing import TODAY, ask, running
from newel_visits import hooks
from newel_visits.rules import VISIT, Known, Planned, Signed, Technician, VisitData, Visited, VisitFacts, fingerprint

D = Decimal
SEAL = Item(id=2, number="SEAL", name="Seal")
KNOWN = Known({"WANDA": Technician(id=1, code="WANDA", name="Wanda Kern", location=9)}, {"PUMP": ("Is it tight?",)})
DATA = VisitData(technician="WANDA", time="09:30")
MASTER = Master(defaults={(1, "storage"): 1, (1, "visit"): 2})


def visit(*lines: Line, data: VisitData = DATA, **values: Any) -> Document:
    base = {"kind": VISIT, "role": "production", "state": "onsite", "phase": "open", "company": 1, "date": TODAY, "date_requested": TODAY, "number": "V1"}
    return Document(**{**base, "id": 5, "lines": lines, "data": {"visits": data}, "ship_to": Address(id=3, party=4), **values})


def facts(**values: Any) -> Facts:
    return Facts([VisitFacts(**{"known": KNOWN, "stored": (TODAY, DATA), **values}), MASTER])


def test_hook_register_plugin_a_device_stays_where_it_is() -> None:
    manifest = hooks.register_plugin()
    ((kind,), (line,)) = manifest.documents, manifest.line_kinds
    assert (kind.role, kind.party_role, [s.name for s in kind.states if s.editable]) == (
        "production",
        "customer",
        ["planned", "confirmed", "travelling", "onsite"],
    )
    assert (line.name, line.item, line.priced, line.moves) == ("device", True, False, False)


async def test_hook_load_facts_asks_nothing_for_documents_of_others(sqlite_url: str) -> None:
    async with running(sqlite_url, {"visits": hooks}) as (app, context), app.database.read() as session:
        assert await ask(hooks.load_facts, visit(kind="sales.order"), session, context) is None
        assert session.statements == 0
        assert await ask(hooks.load_facts, visit(data=VisitData()), session, context) == VisitFacts()
        assert session.statements <= 3, "technicians and checklists, once for all visits"


async def test_hook_check_document(sqlite_url: str) -> None:
    async with running(sqlite_url, {"visits": hooks}) as (_, context):
        elsewhere = (Planned(id=6, number="V2", state="confirmed", party="Beta", day=TODAY, data=VisitData(technician="WANDA", time="10:00")),)
        used = (Line(id=1, item=SEAL, quantity=D(2)),)
        signed = Signed(name="Ida", at=None, text="", work=fingerprint(used))
        gone = Line(id=1, stages={"invoiced": Stage(D(1), D(0))})
        for document, transition, known, expected in (
            (visit(), "", {}, []),
            (visit(), "confirm", {"others": elsewhere}, ["visits.overlap"]),
            (visit(), "", {"others": elsewhere}, []),
            (visit(), "", {"others": elsewhere, "stored": (date(2026, 1, 1), DATA)}, ["visits.overlap"]),
            (visit(data=VisitData(), date_requested=None, ship_to=None), "confirm", {}, ["visits.lacking"] * 4),
            (visit(), "finish", {}, ["visits.unsigned"]),
            (visit(*used), "finish", {"signed": signed}, []),
            (visit(*used, *used), "finish", {"signed": signed}, ["visits.changed"]),
            (visit(data=msgspec.structs.replace(DATA, checklist="PUMP")), "finish", {}, ["visits.tasks", "visits.unsigned"]),
            (visit(gone, phase="done"), "reverse", {}, ["visits.gone_on"]),
        ):
            assert [p.code for p in hooks.check_document(document, transition, facts(**known), context)] == expected, (transition, expected)
        assert hooks.check_document(visit(kind="sales.order"), "", Facts(), context) == ()


def test_hook_propose_documents_only_where_something_is_charged() -> None:
    kinds = Facts([Kinds({"invoicing.invoice": invoicing.INVOICE})])
    assert [d.follow for d in ask(hooks.propose_documents, visit(net=D(1)), "finish", kinds, None)] == ["charge"]
    assert ask(hooks.propose_documents, visit(), "finish", kinds, None) == []
    assert ask(hooks.propose_documents, visit(net=D(1)), "finish", Facts([Kinds()]), None) == [], "without invoicing nobody charges"
    assert ask(hooks.propose_documents, visit(net=D(1), kind="sales.order"), "finish", kinds, None) is None


def test_hook_decide_source_is_the_van() -> None:
    line = Line(id=1, item=SEAL)
    assert ask(hooks.decide_source, visit(line), line, facts(), None) == 9
    assert ask(hooks.decide_source, visit(line, data=VisitData()), line, facts(), None) == 1, "the warehouse, where nobody has a van"
    assert ask(hooks.decide_source, visit(line, location_from=7), line, facts(), None) == 7
    assert ask(hooks.decide_source, visit(line, kind="sales.order"), line, facts(), None) is None


def test_hook_decide_target_is_used_up() -> None:
    line = Line(id=1, item=SEAL)
    assert ask(hooks.decide_target, visit(line), line, facts(), None) == 2
    assert ask(hooks.decide_target, visit(line, kind="sales.order"), line, facts(), None) is None


async def test_hook_propose_panels(sqlite_url: str) -> None:
    async with running(sqlite_url, {"visits": hooks}) as (_, context):
        guest = msgspec.structs.replace(context, user=User(id=9, login="acme", party=4))
        (panel,) = hooks.propose_panels(visit(), facts(), context)
        assert (dict(panel.rows)["Technician"], dict(panel.rows)["Time"], panel.form) == ("Wanda Kern", "09:30 to 10:30", "plan")
        (seen,) = hooks.propose_panels(visit(), facts(), guest)
        assert seen.shared and seen.form == "" and "On site" not in dict(seen.rows)
        asked = visit(kind="requests.request", role="request")
        known = Facts([Visited(((5, "V1", "done", TODAY),))])
        assert [p.form for p in hooks.propose_panels(asked, known, context)] == ["visit"]
        (own,) = hooks.propose_panels(asked, known, guest)
        assert (own.form, own.rows[0][1].url) == ("", "/document/5")  # type: ignore[union-attr]
        assert hooks.propose_panels(visit(kind="sales.order"), Facts(), context) == ()
