"""What people see of Loyalty, in a real browser."""

import pytest
from newel_sdk.site import Watched

pytestmark = pytest.mark.plugins("loyalty", "shop")


def test_the_page_shows_tiers_and_members(screen: Watched) -> None:
    site = screen.site
    customer = site.ask(site.kit.party("C1", name="Miller Ltd"))
    site.ask(site.kit.record("loyalty.tier", code="GOLD", name="Gold", points_min=100, percent="12.5"))
    site.ask(site.kit.record("loyalty.points", party=customer, points=150, reason="welcome"))
    page = screen.open("/")
    page.get_by_role("link", name="Loyalty", exact=True).click()
    page.wait_for_url("**/loyalty")
    tier, member = page.locator("tbody tr").all_inner_texts()
    assert "Gold" in tier
    assert "12.5" in tier
    assert "Miller Ltd" in member
    assert "150" in member
    assert "Gold" in member
