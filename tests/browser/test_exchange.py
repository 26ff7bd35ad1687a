"""Files in and out as people send them, on a desk and on a phone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from newel.jobs.worker import Worker
from newel_exchange.reading import sheet_of
from newel_sdk.site import Watched, fits
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PLUGINS, Site, served

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


class Files(Site):
    """A server whose worker works when it is asked to."""

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        await super()._serve()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Give a running server whose lists have files."""
    yield from served(Files(tmp_path_factory.mktemp("site"), (*PLUGINS, "exchange")))


@pytest.mark.screen("C53")
def test_a_list_goes_out_as_it_is_seen(watched: Watched) -> None:
    """The rows of the filter and the columns of the list, by one click; what could be a formula is text."""
    page = watched.open("/records/newel.item?q=Wheel")
    with page.expect_download() as found:
        page.get_by_role("link", name="XLSX").click()
    sheet = sheet_of(Path(found.value.path()).read_bytes())
    assert [c for c in page.locator("thead th").all_inner_texts() if c.strip()] == list(sheet.head)
    assert len(sheet.rows) == 1
    assert "Wheel" in sheet.rows[0][1]
    assert watched.complaints == []


@pytest.mark.parametrize("watched", [{"viewport": DESKTOP}, PHONE], indirect=True, ids=["desk", "phone"])
def test_a_file_is_sent_looked_at_mended_and_brought_in(watched: Watched, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """From the list to the rows that are there, with an error on the way; nothing is wider than the window."""
    name = f"new-{request.node.callspec.id}"
    file = tmp_path / "items.csv"
    file.write_text(f"Number;Name;Purchased;Remark\n{name}-1;Saddle;yes;\nI-1;Wheel 28;yes;\n{name}-2;;perhaps;x\n", "utf-8")
    page = watched.open("/records/newel.item")
    page.get_by_role("link", name="Import").click()
    page.set_input_files("[name=file]", file)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("heading", name="Which column is what?").wait_for()
    expect(page.get_by_label("Number becomes")).to_have_value("number")
    expect(page.get_by_label("Remark becomes")).to_have_value("")
    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("heading", name="What would happen").wait_for()
    expect(page.locator("tr", has_text=f"{name}-2").first).to_contain_text("Name is missing")
    fits(page)
    assert page.get_by_role("button", name="Import 2 rows").count() == 0
    page.get_by_label("If a row is refused").select_option("false")
    page.get_by_role("button", name="See what would happen").click()
    page.get_by_role("button", name="Import 2 rows").click()
    page.get_by_text("Bringing the rows in").wait_for()
    watched.site.ask(Worker(watched.site.newel).once())
    page.get_by_role("heading", name="What was done").wait_for()
    with page.expect_download() as found:
        page.get_by_role("link", name="Refused rows: XLSX").click()
    assert len(sheet_of(Path(found.value.path()).read_bytes()).rows) == 1
    fits(page)
    page.locator(".n-sheet").get_by_role("link", name="Items").click()
    expect(page.get_by_role("link", name=f"{name}-1")).to_have_count(1)
    assert watched.complaints == []
