"""A passkey in a real browser, with an authenticator that the browser itself plays. In a module of its own: the browser's loop wants no other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from newel_sdk.kit import LOGIN, PASSWORD

pytestmark = [pytest.mark.plugins("two_factor"), pytest.mark.timeout(120)]


@pytest.fixture
def device(chromium: Any, site: Any) -> Iterator[Any]:
    """A page at the site's name (passkeys belong to names, not to numbers) in a browser with an authenticator."""
    window = chromium.new_context()
    page = window.new_page()
    page.set_default_timeout(10_000)
    protocol = window.new_cdp_session(page)
    protocol.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True}
    page.authenticator = protocol.send("WebAuthn.addVirtualAuthenticator", {"options": {**options, "automaticPresenceSimulation": True}})["authenticatorId"]
    page.protocol, page.site = protocol, f"http://localhost:{site.port}"
    yield page
    window.close()


def log_in(page: Any) -> None:
    page.goto(f"{page.site}/login?next=/two_factor")
    page.fill("input[name=login]", LOGIN)
    page.fill("input[name=password]", PASSWORD)
    page.click("form button.btn-primary")


def test_a_passkey_is_made_and_asked_for(device: Any) -> None:
    """Ada adds a passkey, logs out, and gets in with password and passkey; another device, which has none, does not."""
    complaints: list[str] = []
    device.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    log_in(device)
    form = device.locator("form[data-passkey=create]")
    form.locator("input[name=name]").fill("Ada's computer")
    form.locator("input[name=password]").fill(PASSWORD)
    form.get_by_role("button").click()
    device.wait_for_selector("[data-recovery]")
    assert len(device.inner_text("[data-recovery]").split()) == 10
    assert "Ada's computer" in device.inner_text("main")

    device.context.clear_cookies()
    log_in(device)
    device.wait_for_url("**/two_factor/login**")
    device.click("form[data-passkey=get] button")
    device.wait_for_url(f"{device.site}/two_factor")
    assert "last used" in device.inner_text("main")
    assert complaints == []

    device.context.clear_cookies()
    device.protocol.send("WebAuthn.clearCredentials", {"authenticatorId": device.authenticator})
    log_in(device)
    device.wait_for_url("**/two_factor/login**")
    device.evaluate("() => { navigator.credentials.get = async () => { throw new DOMException('none', 'NotAllowedError') } }")
    device.click("form[data-passkey=get] button")
    device.wait_for_selector("[data-passkey-error]:visible")
    device.goto(f"{device.site}/two_factor")
    assert "/login" in device.url
