"""Pictures of the main pages of the demonstration company, on a desk and on a phone, light and dark: docs/pictures/PAGE-WINDOW-THEME.webp.

Pages are asked for as a user finds them: by address, or the newest document of a kind. Needs Chromium.
"""

import io
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from newel_sdk.servers import CHROMIUM_FLAGS, chromium_program
from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "docs" / "pictures"
LOGIN, PASSWORD = "demo", "nine-oak-treads"
WINDOWS: dict[str, ViewportSize] = {"desk": {"width": 1280, "height": 800}, "phone": {"width": 390, "height": 844}}
# A path ending in "*" is a list, whose first row is opened.
PAGES = {
    "home": "/", "orders": "/documents/sales.order", "order": "/documents/sales.order?phase=open*", "new-order": "/documents/sales.order/new",
    "customer": "/records/newel.party*", "dashboard": "/dashboards/sales", "analysis": "/dashboards/analysis", "deliveries": "/scan",
    "requests": "/documents/requests.request", "trial-balance": "/report/newel.trial_balance",
}  # fmt: skip


def opened(page: Page, url: str, path: str) -> None:
    """Go to the page, or to what the list's first row leads to."""
    page.goto(url + path.rstrip("*"))
    if path.endswith("*"):
        page.locator("main table tbody a").first.click()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)  # charts draw themselves


def enter(page: Page, url: str) -> None:
    """As the user of the demonstration company."""
    page.goto(f"{url}/login")
    page.fill("[name=login]", LOGIN)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{url}/")


def pictures(url: str) -> None:
    """Take and pack all of them."""
    PLACE.mkdir(exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_program(), args=CHROMIUM_FLAGS)
        for window, viewport in WINDOWS.items():
            for theme in ("light", "dark"):
                page = browser.new_context(viewport=viewport, color_scheme=theme, reduced_motion="reduce").new_page()
                enter(page, url)
                for name, path in PAGES.items():
                    opened(page, url, path)
                    image = Image.open(io.BytesIO(page.screenshot()))
                    image.convert("RGB").save(PLACE / f"{name}-{window}-{theme}.webp", quality=80, method=6)
                page.context.close()
        browser.close()


def wait(url: str) -> None:
    """Until the server answers."""
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=5)  # noqa: S310 - its own server
            return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit(f"{url} did not answer within a minute")


def main() -> int:
    """Make the company, serve it, take the pictures."""
    newel = str(Path(sys.executable).with_name("newel"))
    with tempfile.TemporaryDirectory() as folder, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        subprocess.run([newel, "demo"], cwd=folder, check=True)
        server = subprocess.Popen([newel, "serve", "--port", str(port)], cwd=folder, env={**os.environ, "NO_COLOR": "1"})
        try:
            wait(f"http://127.0.0.1:{port}/health/ready")
            pictures(f"http://127.0.0.1:{port}")
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)
    shown = set(re.findall(r"docs/pictures/([\w-]+)\.webp", (ROOT / "README.md").read_text(encoding="utf-8")))
    missing = sorted(name for name in shown if not (PLACE / f"{name}.webp").exists())
    if missing:
        print(f"README.md shows pictures that are not made: {', '.join(missing)}")
    return bool(missing)


if __name__ == "__main__":
    raise SystemExit(main())
