"""What people see of Loyalty, in a real browser."""

import re

import pytest
from newel_sdk.site import Watched
from playwright.sync_api import expect

pytestmark = pytest.mark.plugins("loyalty", "shop")


def test_the_page_shows_tiers_and_members(screen: Watched) -> None:
    site = screen.site
    customer = site.ask(site.kit.party("C1", name="Miller Ltd"))
    site.ask(site.kit.record("loyalty.tier", code="GOLD", name="Gold", points_min=100, percent="12.5"))
    site.ask(site.kit.record("loyalty.points", party=customer, points=150, reason="welcome"))
    page = screen.open("/")
    page.get_by_role("link", name="Loyalty", exact=True).click()
    expect(page.locator("tbody tr")).to_have_text([re.compile("Gold.*12.5", re.DOTALL), re.compile("Miller Ltd.*150.*Gold", re.DOTALL)])
