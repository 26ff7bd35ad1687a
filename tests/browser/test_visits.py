"""A technician on a phone: today's visits, on site with a thumb, checked, signed, done; and the week on a desk in the dark."""

from __future__ import annotations

import os
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.services.app import Newel
from newel_sdk.kit import LOGIN
from newel_sdk.site import PHONE, fits
from playwright.sync_api import expect

from tests.browser.conftest import PLUGINS, Site, Watched, served

WINDOWS = [{"viewport": PHONE, "has_touch": True}, {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"}]
PICTURES = os.environ.get("NEWEL_PICTURES")  # a folder to keep pictures in, for people to look at


async def visits(newel: Newel, context: Context) -> None:
    """A visit for each window, today, for the user who is logged in; with a van that has bells in it."""
    save = newel.records.save
    van = await save("newel.location", None, {"code": "VAN-1", "name": "Van", "kind": "storage"}, context)
    load = DocumentInput(location_to=van, lines=(LineInput(item="I-5", quantity=Decimal(10)),))
    await newel.documents.create("inventory.transfer", load, context, then=("move",))
    await save("visits.technician", None, {"code": LOGIN.upper(), "name": "Ada Admin", "location": van}, context)
    await save("visits.checklist", None, {"code": "BIKE", "name": "Bicycles", "tasks": "Brakes\nLights"}, context)
    for time in ("09:00", "14:30")[: len(WINDOWS)]:
        data: dict[str, Any] = {"visits": {"technician": LOGIN.upper(), "time": time, "checklist": "BIKE"}}
        line = LineInput(kind="device", item="I-0")
        entered = DocumentInput(party="C-1", date_requested=context.today, text="The bell is silent", data=data, lines=(line,))
        await newel.documents.create("visits.visit", entered, context, then=("confirm",))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a server with visits to do."""
    yield from served(Site(tmp_path_factory.mktemp("site"), (*PLUGINS, "visits"), visits))


@pytest.mark.parametrize("watched", WINDOWS, ids=["phone", "desk"], indirect=True)
def test_a_technician_does_a_visit(watched: Watched, request: pytest.FixtureRequest) -> None:
    """Nothing is wider than the window, what one presses is high enough for a thumb, and nothing complains."""
    name = request.node.callspec.id
    phone = name == "phone"
    page = watched.open("/visits/mine")

    def look(what: str) -> None:
        fits(page)
        if PICTURES:
            page.screenshot(path=str(Path(PICTURES) / f"visits_{what}_{name}.png"), full_page=True)

    look("mine")
    page.get_by_role("link", name="Miller Ltd").nth(0 if phone else 1).click()
    expect(page.get_by_role("button", name="On the way", exact=True)).to_be_visible()
    look("before")
    for step in ("On the way", "On site"):
        button = page.get_by_role("button", name=step, exact=True)
        expect(button).to_be_visible()
        assert not phone or (button.bounding_box() or {"height": 0})["height"] >= 44
        button.click()
        expect(button).to_be_hidden()
    page.get_by_label("Brakes", exact=True).check()
    page.get_by_label("Remark: Lights").fill("bulb is missing")
    box = page.get_by_role("combobox", name="Material")
    box.fill("I-5")
    page.get_by_role("option", name="I-5").first.click()
    page.get_by_label("Quantity", exact=True).fill("2")
    page.get_by_label("What was done, what is left").fill("Two bells.")
    page.get_by_label("Signed by").fill("Ida Mertens")
    look("onsite")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Signed by Ida Mertens")).to_be_visible()
    look("signed")
    page.get_by_role("button", name="Done", exact=True).click()
    expect(page.locator(".n-badge").get_by_text("Done")).to_be_visible()
    watched.open("/visits")
    expect(page.locator("tbody").get_by_text("Ada Admin")).to_be_visible()
    look("week")
