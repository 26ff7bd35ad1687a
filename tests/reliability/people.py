"""Thirty people at work over HTTP: they sell, deliver, invoice, get paid and look around in the pages, each at the pace of a person."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from html import unescape
from typing import Any, NamedTuple

import httpx

LOGINS = {"sales": 10, "warehouse": 6, "accountant": 5, "demo": 5, "customer": 4}
PAUSE_SECONDS = 2.0  # between two things that a person does, on the average
PATIENCE_SECONDS = 300  # no error, however slow the machine is: how slow is a figure
LINK = re.compile(r'<a [^>]*?href="(/[^"#]*)"')
TOKEN = re.compile(r'name="_csrf_token" value="([^"]+)"')
SEARCHES = ("SO2026", "oak", "C001", "delivery", "bolt 8", "Müller", "zzz")
REPORTS = ("newel.trial_balance", "newel.open_items")


class Asked(NamedTuple):
    """One request: when it was sent, within how many seconds it was answered, and what it was."""

    at: float
    seconds: float
    what: str


class Work:
    """What the people share: goods and customers, documents that wait for the next one, and what has been answered.

    Args:
        tokens: of the API, by login.
    """

    def __init__(self, url: str, password: str, tokens: dict[str, str], items: list[str], customers: list[str], chance: random.Random) -> None:
        self.url, self.password, self.tokens, self.items, self.customers, self.chance = url, password, tokens, items, customers, chance
        self.asked: list[Asked] = []
        self.wrong: list[str] = []
        self.refused: Counter[str] = Counter()
        self.acknowledged: list[str] = []
        self.to_deliver: list[int] = []
        self.to_invoice: list[int] = []
        self.to_pay: list[dict[str, Any]] = []

    @asynccontextmanager
    async def going(self) -> AsyncIterator[None]:
        """Everybody works until the block ends, and finishes what is under way."""
        stopped = asyncio.Event()
        people = [Person(self, login, n, stopped) for login, count in LOGINS.items() for n in range(count)]
        tasks = [asyncio.create_task(person.work()) for person in people]
        try:
            yield
        finally:
            stopped.set()
            await asyncio.gather(*tasks)

    def p95(self, start: float, end: float) -> float:
        """Milliseconds within which 95 % of the requests of a stretch of time were answered."""
        found = sorted(a.seconds for a in self.asked if start <= a.at < end)
        return round(found[int(len(found) * 0.95)] * 1000, 1) if found else 0.0


class Person:
    """One person with a browser, and a program that works for them."""

    def __init__(self, work: Work, login: str, number: int, stopped: asyncio.Event) -> None:
        self.shared, self.login, self.name, self.stopped = work, login, f"{login}-{number}", stopped
        self.chance = random.Random(work.chance.random())
        self.links: list[str] = []
        self.page, self.done = "", 0
        doing: dict[str, tuple[Callable[[], Awaitable[Any]], ...]] = {
            "sales": (self.sell, self.type_an_order, self.preview),
            "warehouse": (self.deliver, self.deliver, self.receive),
            "accountant": (self.invoice, self.pay, self.report),
            "demo": (self.report, self.search, self.preview),
            "customer": (self.look,),
        }
        self.doing = doing[login]

    async def work(self) -> None:
        """Log in, then work and look around by turns until it is time to go."""
        await asyncio.sleep(self.chance.random() * PAUSE_SECONDS)
        idle = httpx.Limits(keepalive_expiry=2)  # seconds: the server closes idle connections after five, perhaps just when somebody asks again
        async with httpx.AsyncClient(base_url=self.shared.url, timeout=PATIENCE_SECONDS, limits=idle) as self.http:
            page = await self.ask("GET", "/login")
            token = TOKEN.search(page.text)
            answer = await self.ask("POST", "/login", data={"login": self.login, "password": self.shared.password, "_csrf_token": token[1] if token else ""})
            if answer.status_code != 303:
                self.shared.wrong.append(f"{self.name}: no login, {answer.status_code}")
                return
            await self.look()
            while not self.stopped.is_set():
                step = self.chance.choice((*self.doing, self.look, self.look))
                try:
                    await step()
                except Exception as error:  # an answer that nobody can work with; the others go on
                    self.shared.wrong.append(f"{self.name}: {step.__name__}: {error!r}")
                await asyncio.sleep(self.chance.expovariate(1 / PAUSE_SECONDS))

    async def ask(self, method: str, path: str, *, may_refuse: bool = False, **more: Any) -> httpx.Response:
        """Send a request; whatever a user would call an error is kept. may_refuse: answers of 409 and 422 are the business's own."""
        start = time.monotonic()
        try:
            answer = await self.http.request(method, path, **more)
        except httpx.HTTPError as error:
            self.shared.wrong.append(f"{self.name}: {method} {path}: {error!r}")
            return httpx.Response(599)
        self.shared.asked.append(Asked(start, time.monotonic() - start, f"{method} {path.partition('?')[0]}"))
        if may_refuse and answer.status_code in (409, 422):
            self.shared.refused.update(p["code"] for p in answer.json()["problems"])
        elif answer.status_code == 403 and method == "GET" and self.page.startswith("/report/"):
            self.shared.refused["a document in a report that the reader may not open"] += 1
        elif answer.status_code >= 400:
            told = answer.text[:300] if path.startswith("/api/") else f"by a link of {self.page}"
            self.shared.wrong.append(f"{self.name}: {method} {path}: {answer.status_code} {told}")
        return answer

    async def call(self, path: str, body: Any, login: str = "") -> dict[str, Any] | None:
        """A call of the API that writes, under a key of its own; the document that it made or changed."""
        self.done += 1
        headers = {"Authorization": f"Bearer {self.shared.tokens[login or self.login]}", "Idempotency-Key": f"{self.name}-{self.done}"}
        answer = await self.ask("POST", path, json=body, headers=headers, may_refuse=True)
        if not answer.is_success:
            return None
        made: dict[str, Any] = answer.json()["document"]
        if made["number"]:
            self.shared.acknowledged.append(made["number"])
        return made

    # ---- looking around ---------------------------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Follow a link of the page before, or begin at the start again."""
        path = unescape(self.chance.choice(self.links)) if self.links and self.chance.random() < 0.9 else "/"
        answer = await self.ask("GET", path, follow_redirects=True)
        self.page, self.links = path, LINK.findall(answer.text) if "html" in answer.headers.get("content-type", "") else []

    async def search(self) -> None:
        """Look for something."""
        await self.ask("GET", "/search", params={"q": self.chance.choice(SEARCHES)})

    async def report(self) -> None:
        """Open a report."""
        await self.ask("GET", f"/report/{self.chance.choice(REPORTS)}")

    # ---- selling ----------------------------------------------------------------------------------------------------------------

    def order(self) -> dict[str, Any]:
        """What a customer wants today."""
        lines = [{"item": self.chance.choice(self.shared.items), "quantity": str(self.chance.randint(1, 9))} for _ in range(self.chance.randint(1, 8))]
        return {"party": self.chance.choice(self.shared.customers), "lines": lines}

    async def preview(self) -> None:
        """What would it cost?"""
        headers = {"Authorization": f"Bearer {self.shared.tokens[self.login]}"}
        await self.ask("POST", "/api/documents/sales.order/preview", json=self.order(), headers=headers, may_refuse=True)

    async def sell(self) -> None:
        """An order, confirmed."""
        if (made := await self.call("/api/documents/sales.order?then=confirm", self.order())) and made["state"] == "confirmed":
            self.shared.to_deliver.append(made["id"])

    async def type_an_order(self) -> None:
        """The same in the form, and saved as a draft."""
        page = await self.ask("GET", "/documents/sales.order/new")
        token, entered = TOKEN.search(page.text), self.order()
        fields = {"_csrf_token": token[1] if token else "", "party_text": entered["party"]}
        for n, line in enumerate(entered["lines"]):
            fields |= {f"lines-{n}-item_text": line["item"], f"lines-{n}-quantity": line["quantity"]}
        await self.ask("POST", "/documents/sales.order/preview", data=fields)
        answer = await self.ask("POST", "/documents/sales.order/new", data=fields)
        if answer.status_code == 303:
            await self.ask("GET", answer.headers["location"])

    # ---- after the sale ----------------------------------------------------------------------------------------------------------

    async def receive(self) -> None:
        """Goods come in."""
        lines = [{"item": item, "quantity": "50", "price": "2"} for item in self.chance.sample(self.shared.items, 5)]
        await self.call("/api/documents/inventory.receipt?then=receive", {"lines": lines}, "demo")

    async def deliver(self) -> None:
        """The oldest order that waits."""
        if self.shared.to_deliver:
            order = self.shared.to_deliver.pop(0)
            if await self.call(f"/api/document/{order}/flows/deliver", {"then": ["pick", "ship"]}):
                self.shared.to_invoice.append(order)
            await self.ask("GET", f"/document/{order}")

    async def invoice(self) -> None:
        """The oldest delivered order."""
        if self.shared.to_invoice and (made := await self.call(f"/api/document/{self.shared.to_invoice.pop(0)}/flows/invoice", {"then": ["post"]})):
            self.shared.to_pay.append(made)
            await self.ask("GET", f"/document/{made['id']}")

    async def pay(self) -> None:
        """The oldest invoice is paid as a whole."""
        if self.shared.to_pay:
            invoice = self.shared.to_pay.pop(0)
            headers = {"Authorization": f"Bearer {self.shared.tokens[self.login]}"}
            items = (await self.ask("GET", f"/api/document/{invoice['id']}/open-items", headers=headers)).json()
            lines = [{"kind": "payment", "price": one["amount_open"], "settles": one["id"]} for one in items]
            body = {"party": invoice["party"]["number"], "currency": invoice["currency"], "lines": lines}
            await self.call("/api/documents/receivables.payment?then=post", body)
