"""A promise over a holiday weekend: what is due when, what stands still, who gets it when time runs out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from newel.manifest import Panel
from newel.services import reports
from newel.services.pages import detail
from newel_requests.answer import say
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("sla")
KIND = "requests.request"


async def promised(kit: Kit) -> None:
    """Good customers (level 5 and up) are answered within 4 hours and helped within 16, on weekdays from 8 to 5 in Berlin."""
    for code in ("desk", "second", "boss"):
        await kit.record("requests.team", code=code, name=code.capitalize())
    calendar = await kit.record("sla.calendar", code="OFFICE", name="Office", zone="Europe/Berlin", hours="Mon-Fri 08:00-17:00", country="DE")
    target = await kit.record("sla.target", code="GOLD", name="Gold", level_min=5, calendar=calendar, response_minutes=240, resolution_minutes=960)
    for measure, percent, values in (("response", 50, {"priority": 2}), ("response", 100, {"team": "second"}), ("resolution", 100, {"team": "boss"})):
        await kit.record("sla.step", target=target, measure=measure, percent=percent, **values)


async def ask(kit: Kit, who: str = "ACME") -> Any:
    data = {"requests": {"type": "help", "team": "desk"}}
    return (await kit.document(KIND, who, text="It drips", data=data, then=["submit"])).document


def clock_at(kit: Kit, text: str) -> None:
    """Local time in Berlin, in summer."""
    kit.clock.now = datetime.fromisoformat(f"{text}:00+02:00").astimezone(UTC)


async def work(kit: Kit) -> None:
    """The worker looks once more."""
    from newel.jobs.worker import Worker

    await Worker(kit.app).plan_recurring()
    while await kit.deliver():
        pass


async def board(kit: Kit, **given: str) -> list[dict[str, Any]]:
    return await reports.run(kit.app, "sla.board", given, kit.context)


async def rows(kit: Kit, id: int) -> dict[str, Any]:
    found: list[Panel] = [p for name, p in (await detail(kit.app, id, kit.context)).panels if name == "sla"]
    return dict(found[0].rows) if found else {}


@pytest.mark.capability("SRV-05")
async def test_hook_register_plugin_a_breach_over_easter_is_escalated(kit: Kit) -> None:
    """A request before Easter, its promise broken twice, and who got it when.

    On Thursday 2 April at 16:00 the pump drips. Friday to Monday nobody works: on Tuesday at 9:00 half of the four hours are gone, and the
    request becomes urgent; at 11:00 all of them, and it goes to the second line, late. They answer at 11:30 and ask back; the customer answers at
    14:30. Of the sixteen hours for the solution four and a half were gone; they run on until Wednesday 17:00, and then the boss gets it. It is
    solved on Thursday at 9:00, and closed.
    """
    await promised(kit)
    await kit.party("ACME", service_level=7)
    clock_at(kit, "2026-04-02 16:00")
    asked = await ask(kit)
    assert await rows(kit, asked.id) == {"Answer by": "2026-04-07 11:00", "Solve by": "2026-04-08 14:00", "Promise": "GOLD", "Times of": "Europe/Berlin"}
    clock_at(kit, "2026-04-07 08:59")
    await work(kit)
    assert await kit.rows("SELECT id FROM sla_escalation") == [], "over Easter no time has passed"

    async def after(text: str) -> tuple[str, int | None]:
        clock_at(kit, text)
        await work(kit)
        data = (await kit.app.documents.get(asked.id, kit.context)).data["requests"]
        return data.team, data.priority

    assert await after("2026-04-07 09:00") == ("desk", 2)
    assert await after("2026-04-07 11:00") == ("second", 2)
    assert await after("2026-04-07 11:01") == ("second", 2)
    (row,) = await board(kit)
    assert (row["late"], row["passed"], row["document"], row["team"]) == ("response", 100, asked.id, "second")
    clock_at(kit, "2026-04-07 11:30")
    await say(kit.app, asked.id, "Which pump is it?", kit.context)
    await kit.act(asked.id, "wait")
    clock_at(kit, "2026-04-07 14:00")
    (row,) = await board(kit)
    assert (row["state"], row["solution"], row["passed"]) == ("Waits for the requester", "", 28), "4.5 of 16 hours, and no end while it stands still"
    clock_at(kit, "2026-04-07 14:30")
    await say(kit.app, asked.id, "The small one.", kit.context, from_requester=True)
    assert (await rows(kit, asked.id))["Solve by"] == "2026-04-08 17:00"
    assert await after("2026-04-08 16:59") == ("second", 2)
    assert await after("2026-04-09 08:00") == ("boss", 2)
    assert [r["late"] for r in await board(kit, late="true")] == ["response"], "exactly sixteen hours are in time"
    clock_at(kit, "2026-04-09 09:00")
    await kit.act(asked.id, "resolve")
    found = await rows(kit, asked.id)
    assert (found["Late"], found["Solved"]) == ("response, resolution", "2026-04-09 09:00")
    assert [text for name, text in found.items() if name.startswith("Escalated")] == [
        "First answer: 50 % of the promised time have passed; to priority 2",
        "First answer: 100 % of the promised time have passed; to second",
        "Solution: 100 % of the promised time have passed; to boss",
    ]
    assert await board(kit) == []
    assert (await kit.act(asked.id, "close")).document.state == "closed"


async def test_hook_load_facts_nothing_is_promised_to_others(kit: Kit) -> None:
    await promised(kit)
    await kit.party("ACME", service_level=4)
    assert await rows(kit, (await ask(kit)).id) == {}
    assert await board(kit) == []


async def test_hook_propose_panels_a_draft_has_no_clock(kit: Kit) -> None:
    await promised(kit)
    await kit.party("ACME", service_level=5)
    draft = (await kit.document(KIND, "ACME", text="x", data={"requests": {"type": "help"}})).document
    assert await rows(kit, draft.id) == {}
    clock_at(kit, "2026-04-02 16:00")
    await kit.act(draft.id, "submit")
    assert (await rows(kit, draft.id))["Answer by"] == "2026-04-07 11:00", "it runs from when it was sent in"


async def test_a_company_says_which_states_stop_the_clock(kit: Kit) -> None:
    """A vendor's part is waited for, from 9 to 12: by itself that is our own time; where the company says so it is not."""
    await promised(kit)
    await kit.party("ACME", service_level=5)
    clock_at(kit, "2026-04-01 08:00")
    asked = await ask(kit)
    clock_at(kit, "2026-04-01 09:00")
    await kit.act(asked.id, "halt")
    clock_at(kit, "2026-04-01 12:00")
    assert [r["passed"] for r in await board(kit)] == [25]
    await kit.settings("sla", pauses=["waiting", "halted"])
    assert [(r["passed"], r["state"]) for r in await board(kit)] == [(6, "Waits for others")]


async def test_a_step_that_cannot_be_taken_says_why_and_is_not_tried_for_ever(kit: Kit) -> None:
    await promised(kit)
    await kit.party("ACME", service_level=5)
    clock_at(kit, "2026-04-01 08:00")
    asked = await ask(kit)
    user = await kit.app.users.create("erin", "nine-oak-treads", "Erin", [], [kit.context.company.id], kit.context)
    (target,) = await kit.rows("SELECT id FROM sla_target")
    await kit.record("sla.step", target=target["id"], measure="response", percent=110, assignee="erin")
    await kit.app.records.save("newel.user", user, {"active": False}, kit.context)
    clock_at(kit, "2026-04-01 13:00")
    await work(kit)
    await work(kit)
    texts = [r["text"] for r in await kit.rows("SELECT text FROM sla_escalation ORDER BY id")]
    assert len(texts) == 3
    assert "no user of ours is called 'erin'" in texts[2]
    data = (await kit.app.documents.get(asked.id, kit.context)).data["requests"]
    assert (data.team, data.assignee) == ("second", "")


@pytest.mark.capability("SRV-05")
async def test_the_board_costs_the_same_questions_for_many(kit: Kit) -> None:
    """Five questions for the promises and three for the requests, however many there are."""
    await promised(kit)
    await kit.party("ACME", service_level=9)
    for _ in range(12):
        await ask(kit)
    async with kit.app.database.read() as session:
        from newel_sla.facts import standings

        assert len(await standings(session, kit.context)) == 12
        first = session.statements
    async with kit.app.database.read() as session:
        await standings(session, kit.context)
        assert session.statements <= first
        assert session.statements <= 5
