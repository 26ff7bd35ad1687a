"""What the tests of order entry share: an install with what they need, and fingers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.domain.document import LinkInput
from newel.services.app import Newel
from newel_sdk.kit import PASSWORD
from newel_sdk.testing import DocumentInput, LineInput, item, party
from playwright.sync_api import Page

NEW = "/documents/sales.order/new"
LANGUAGES = ("en", "de", "zh", "tr", "sl")


async def shelf(newel: Newel, context: Context) -> None:
    """Bolts by the piece and by the box of fifty, with a barcode; a clerk for each language; customers who bring something along."""
    save = newel.records.save
    for language in LANGUAGES:
        name = f"clerk-{language}"
        await newel.users.create(name, PASSWORD, name.capitalize(), ["sales"], [context.company.id], context, language=language)
    await party(newel, context, "C-3", name="Dollar Inc", terms="NET30", currency="USD")
    await party(newel, context, "C-9", name="Far & Co", tax_id="DE123")
    await save("newel.currency_rate", None, {"currency": "USD", "date_from": "2020-01-01", "rate": "0.9"}, context)
    bolt = await item(newel, context, "BOLT-M8", price=2, cost=1, name="Hexagon bolt M8 zinc plated", gtin="4006381333931")
    await save("newel.item_unit", None, {"item": bolt, "unit": "BOX", "factor": "50"}, context)
    lines = (LineInput(item="BOLT-M8", quantity=Decimal(5000)),)
    await newel.documents.create("inventory.receipt", DocumentInput(lines=lines), context, then=("receive",))


async def sixty(newel: Newel, context: Context) -> int:
    """An order with 59 deliveries of a piece each. Returns its id."""
    lines = (LineInput(item="BOLT-M8", quantity=Decimal(59)),)
    sale = (await newel.documents.create("sales.order", DocumentInput(party="C-1", lines=lines), context, then=("confirm",))).document
    one = [LinkInput(line=sale.lines[0].id, quantity=Decimal(1))]
    for _ in range(59):
        await newel.documents.follow(sale.id, "deliver", context, lines=one)
    return sale.id


def order(watched: Any, customer: str = "C-1") -> Page:
    """An empty order of a customer, with the cursor in its first line."""
    page: Page = watched.open(NEW)
    choose(page, customer)
    page.focus("#lines-0-item")
    return page


def enter_as(watched: Any, login: str) -> None:
    """Somebody else sits down at this browser."""
    watched.page.context.clear_cookies()
    page = watched.open("/login")
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_url(f"{watched.site.url}/")


def choose(page: Page, text: str) -> None:
    """Type into the picker that has the focus and take the first answer."""
    page.keyboard.type(text, delay=45)
    page.wait_for_selector("[role=option]:not([aria-disabled])")
    page.keyboard.press("Enter")


def scan(page: Page, code: str) -> None:
    """What a scanner does: all keys at once, and Enter."""
    page.evaluate(
        """(code) => {
            let at = performance.now();  // of hardware: five milliseconds for a key, however slow the page is
            for (const key of [...code, "Enter"]) {
                const field = document.activeElement;
                const event = new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true});
                Object.defineProperty(event, "timeStamp", {value: at += 5});
                const goes = field.dispatchEvent(event);
                if (goes && key !== "Enter") document.execCommand("insertText", false, key);
            }
        }""",
        code,
    )


def paste(page: Page, text: str) -> None:
    """Paste a text where the cursor is."""
    page.evaluate(
        """(text) => {
            const clipboardData = new DataTransfer();
            clipboardData.setData("text/plain", text);
            document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
        }""",
        text,
    )


def focus(page: Page) -> str:
    """The id of the field that has the cursor."""
    found: str = page.evaluate("document.activeElement.id")
    return found


def values(page: Page, column: str) -> list[str]:
    """What stands in a column, without what is empty."""
    where = f"newel-lines [data-column={column}] input:not([type=hidden])"
    found: list[str] = page.eval_on_selector_all(where, "fields => fields.map((field) => field.value).filter(Boolean)")
    return found
