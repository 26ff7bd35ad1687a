"""A passkey in a real browser, with an authenticator that the browser itself plays. In a module of its own: the browser's loop wants no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from newel_sdk.kit import LOGIN, PASSWORD
from newel_two_factor.rules import code_at

pytestmark = pytest.mark.plugins("two_factor")


@pytest.fixture
def device(chromium: Any, site: Any) -> Iterator[Any]:
    """A page at the site's name (passkeys belong to names, not to numbers) in a browser with an authenticator."""
    window = chromium.new_context()
    page = window.new_page()
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


def leave_and_save(page: Any, reference: str) -> Any:
    """The session ends while an order is entered; the dialog to log in again, with the password given."""
    page.locator("newel-combobox input[role=combobox]").first.press_sequentially("C1")
    page.locator("[role=option]").first.click()
    page.fill("#reference", reference)
    page.evaluate("() => new Promise((done) => setTimeout(done, 700))")  # milliseconds: what was typed is asked about
    page.wait_for_function("!document.querySelector('[aria-busy]')")  # and has its answer
    page.context.clear_cookies()
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.locator("dialog")
    dialog.locator("[name=login]").fill(LOGIN)
    dialog.locator("[name=password]").fill(PASSWORD)
    dialog.get_by_role("button", name="Log in").click()
    return dialog


@pytest.mark.screen("C38")
@pytest.mark.plugins("two_factor", "sales")
def test_c38_both_steps_are_taken_beside_the_page(device: Any, site: Any) -> None:
    """The session ends in the middle of an order: password, then a code or a passkey, in one dialog. A wrong code says so there; nothing is lost."""
    clock = site.kit.clock
    site.ask(site.kit.party("C1"))
    log_in(device)
    app = device.locator("form", has=device.locator("[name=do][value=app]"))
    app.locator("[name=password]").fill(PASSWORD)
    app.get_by_role("button").click()
    secret = device.locator(".n-code").inner_text()
    device.fill("[name=code]", code_at(secret, int(clock().timestamp()) // 30))
    device.get_by_role("button", name="Switch on").click()
    form = device.locator("form[data-passkey=create]")
    form.locator("input[name=password]").fill(PASSWORD)
    form.get_by_role("button").click()
    device.locator("summary", has_text="passkey").wait_for()
    clock.advance(minutes=1)
    for reference in ("code", "passkey"):
        device.goto(f"{device.site}/documents/sales.order/new")
        dialog = leave_and_save(device, reference)
        code = dialog.locator("[name=code]")
        code.wait_for()
        if reference == "code":
            code.fill("000000")
            dialog.get_by_role("button", name="Log in").click()
            dialog.locator("[role=alert]", has_text="does not fit").wait_for()
            code.fill(code_at(secret, int(clock().timestamp()) // 30))
            dialog.get_by_role("button", name="Log in").click()
        else:
            dialog.get_by_role("button", name="Use a passkey").click()
        device.wait_for_url(re.compile(r"/document/\d+$"))
    assert sorted(r["reference"] for r in site.ask(site.kit.rows("SELECT reference FROM document"))) == ["code", "passkey"]
