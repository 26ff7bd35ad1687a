"""What people do all day costs the same in an old company as in a young one: not by the clock, but by the steps that SQLite takes for it.

Two companies with every plugin, the same customers, items and work at hand; one has eight times the history. A page, a preview or an order may take
twice the steps in it at most. What may grow stands in GROWS, with the reason.
"""

from __future__ import annotations

import html
import random
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from newel.domain.document import Document, LinkInput
from newel.services.app import Newel
from newel.services.setup import create_admin
from newel.store.engine import Inline
from newel.web.app import create_app
from newel_dashboards.boards import BOARDS
from newel_glance import facts as glance

from tests.benchmarks.flow import D, Shop, shop
from tests.benchmarks.loader import multiplied
from tests.web import PASSWORD, Web

TEMPLATE, YOUNG, OLD = 10, 300, 2400  # orders that are made, and how many there are after they have been multiplied; each has five lines
EVERY = 50  # instructions of SQLite's machine between two looks at it
TIMES, MORE = 2, 3000  # so many times the steps, and so many more: an index is one level deeper, a page of fifty rows is full
HELD = 20  # lines of a preview

# Pages that may cost more in an older company, as expressions, and why.
GROWS = {
    r"/audit": "every change there was, the latest first, with how many there are",
    r"/dashboards/analysis": "an analysis of what was invoiced in a period",
    r"/dashboards/sales/[0-24-7]|/dashboards/finance/6": "an analysis of what was invoiced in a period, as a tile",
    r"/dashboards/finance/4|/report/dashboards\.receivables_history": "an analysis of what was owed in the months of a year",
    r"/dashboards/finance/3|/report/invoicing\.unbilled": "what is not billed stands nowhere: each delivered line is held against its invoices",
    r"/report/inventory\.moves": "every move, until somebody enters a period",
    r"/report/invoicing\.invoices": "every invoice, until somebody enters a period or a state",
    r"/report/newel\.(journal|trial_balance)": "the books of a period, which begins with the company until somebody enters it",
    r"/report/upkeep\.numbers": "looks for gaps in the numbers of each series, for an auditor",
}
# Statements that may cost more wherever they are asked, by how they begin.
SUMS = {"SELECT currency, COUNT(*) AS n, SUM(net)": "the totals below a list of documents, up to as many as are added up"}

Work = Callable[[], Awaitable[Any]]
Cost = Counter[str]  # steps by statement


class Steps:
    """Counts what SQLite does on every connection that is opened from now on, by statement."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.counted: Cost = Counter()
        self.statement = ""
        made, fetch, one, many = Inline.__init__, Inline.execute_fetchall, Inline.execute, Inline.executemany

        def init(inline: Inline, connection: sqlite3.Connection) -> None:
            made(inline, connection)
            connection.set_progress_handler(self._step, EVERY)

        def named(ask: Callable[..., Any]) -> Callable[..., Any]:
            def asked(inline: Inline, sql: str, *args: Any) -> Any:
                self.statement = sql  # they run on the loop's own thread, one after the other
                return ask(inline, sql, *args)

            return asked

        monkeypatch.setattr(Inline, "__init__", init)
        for name, ask in (("execute_fetchall", fetch), ("execute", one), ("executemany", many)):
            monkeypatch.setattr(Inline, name, named(ask))

    def _step(self) -> int:
        self.counted[self.statement] += EVERY
        return 0

    @contextmanager
    def counting(self) -> Iterator[Cost]:
        """What is done inside."""
        self.counted = counted = Counter()
        yield counted
        self.counted = Counter()


class Company:
    """A loaded company with work at hand, behind the web application."""

    def __init__(self, one: Shop, steps: Steps, browser: httpx.AsyncClient) -> None:
        self.one, self.steps, self.browser = one, steps, browser
        self.made: dict[str, int] = {}  # an id of each kind of document and record that there is

    async def cost(self, work: Work) -> Cost:
        """The steps of something, as it is when it has been done before."""
        await work()
        self.one.chance = random.Random(5)
        with self.steps.counting() as counted:
            await work()
        return counted

    async def get(self, path: str) -> str:
        """A page as people get it."""
        answer = await self.browser.get(path)
        while answer.status_code in (302, 303, 307):
            answer = await self.browser.get(answer.headers["location"])
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[-300:]}"
        return answer.text

    async def preview(self) -> None:
        """An order of twenty lines while it is entered."""
        outcome = await self.one.app.documents.preview("sales.order", msgspec.structs.replace(self.one.entered(HELD), party="C1"), self.one.context)
        assert len(outcome.document.lines) >= HELD

    async def work(self) -> None:
        """Work that is not finished: the same in every company, so that pages have the same to show."""
        do, context, one = self.one.app.documents, self.one.context, self.one
        one.chance = random.Random(7)

        async def create(kind: str, *then: str, party: str = "C1") -> Document:
            return (await do.create(kind, msgspec.structs.replace(one.entered(), party=party), context, then=then)).document

        async def follow(source: Document, name: str, *then: str, part: bool = False) -> Document:
            lines = [LinkInput(line=x.id, quantity=D(1)) for x in source.lines] if part else None
            return (await do.follow(source.id, name, context, lines=lines, then=then)).document

        for n in range(4):
            await create("sales.quotation", "send")
            order = await create("sales.order", "confirm")
            await create("sales.order", "confirm", party=f"C{n}")
            await create("sales.order")
            purchase = await create("purchasing.order", "send")
        shipped = await follow(order, "deliver", "pick", "ship", part=True)
        await follow(order, "deliver", part=True)
        await follow(shipped, "invoice_delivery", part=True)
        receipt = await follow(purchase, "receive", "receive", part=True)
        await follow(receipt, "bill_receipt", "post")
        await follow(purchase, "receive", part=True)
        await follow(purchase, "bill", part=True)
        await follow(shipped, "return")
        async with one.app.database.read() as session:
            kinds = await session.fetch("SELECT kind, MAX(id) AS id FROM document GROUP BY kind ORDER BY kind")
            party = await session.value("SELECT id FROM party WHERE number = 'C1'")
            item = await session.value("SELECT id FROM item WHERE number = 'I1'")
        self.made = {r["kind"]: r["id"] for r in kinds} | {"newel.party": party, "newel.item": item}

    async def pages(self) -> dict[str, str]:
        """Addresses by a name that is the same in each company: the menu, tiles, documents of each kind with form and boxes, a customer, an item."""
        nav = re.search(r'<nav class="n-nav".*?</nav>', await self.get("/"), re.DOTALL)
        assert nav
        found = ["/", *re.findall(r'<a href="(/[^"]*)"', nav[0]), "/search?q=C1", "/search?q=SO2026-00003"]
        found += [f"/dashboards/{board.code}/{n}" for board in BOARDS for n in range(len(board.tiles))]
        out = dict(zip(found, found, strict=True))
        for kind, id in self.made.items():
            path = f"/records/{kind}/{id}" if kind.startswith("newel.") else f"/document/{id}"
            boxes = re.findall(r'(?:hx-get|data-href)="(/[^"]*)"', await self.get(path))
            for own in (path, *([f"{path}/edit"] if path.startswith("/document/") else []), *boxes):
                out[re.sub(r"/\d{3,}", "/…", own.replace(f"/{id}", f"/<{kind}>"))] = html.unescape(own)
        return out


@asynccontextmanager
async def company(url: str, orders: int, steps: Steps, counted: bool) -> AsyncIterator[Company]:
    """A company with so many orders behind it.

    Args:
        counted: SQLite has counted the rows of its indexes (ANALYZE); where it has not, it chooses other ways.
    """
    async with shop(url) as one:
        await multiplied(one, TEMPLATE, orders // TEMPLATE - 1)
        if not counted:
            async with one.app.database.write() as session:
                await session.fetch("DELETE FROM sqlite_stat1")
    async with AsyncExitStack() as stack:
        app = Newel(one.app.config, clock=one.app.clock)
        await app.start()
        stack.push_async_callback(app.close)
        one = Shop(app, one.context)
        await create_admin(app, "admin", PASSWORD)
        browser, _token = await Web(app, one.context, create_app(app, manage=False), "").browser()
        made = Company(one, steps, browser)
        await made.work()
        yield made


@asynccontextmanager
async def two(place: Path, monkeypatch: pytest.MonkeyPatch, counted: bool = True) -> AsyncIterator[tuple[Company, Company]]:
    """The young company and the old one."""
    steps = Steps(monkeypatch)
    async with AsyncExitStack() as stack:
        young, old = [await stack.enter_async_context(company(f"sqlite:///{place}/{n}.db", n, steps, counted)) for n in (YOUNG, OLD)]
        yield young, old


def grown(name: str, young: Cost, old: Cost) -> str:
    """What to say of something that costs too much in the old company, with the statements that have grown; empty where none has."""
    more = [sql for sql, n in old.items() if n > TIMES * young[sql] + MORE and not sql.startswith(tuple(SUMS))]
    said = [f"\n    {young[sql]:,} became {old[sql]:,}: {' '.join(sql.split())[:400]}" for sql in more]
    return f"{name}: {young.total():,} steps became {old.total():,}{''.join(said)}" if said else ""


@pytest.mark.parametrize("counted", [True, False], ids=["analysed", "as installed"])
async def test_what_people_do_all_day_costs_no_more_in_an_older_company(counted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with two(tmp_path, monkeypatch, counted) as (young, old):
        wrong = [grown("an order to cash", await young.cost(young.one.sell), await old.cost(old.one.sell))]
        wrong += [grown("a preview", await young.cost(young.preview), await old.cost(old.preview))]
        pages, others = await young.pages(), await old.pages()
        assert list(pages) == list(others) and len(pages) > 200
        assert [p for p in GROWS if not any(re.fullmatch(p, name) for name in pages)] == [], "exceptions of pages that are not there"
        for name, path in pages.items():
            if not any(re.fullmatch(pattern, name) for pattern in GROWS):
                wrong += [grown(name, await young.cost(partial(young.get, path)), await old.cost(partial(old.get, others[name])))]
    assert not any(wrong), "\n".join(filter(None, wrong))


async def test_a_question_that_reads_the_history_of_items_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is coming was once asked from the items' lines, of which there are more each year."""
    async with two(tmp_path, monkeypatch) as (young, old):
        assert grown("a preview", await young.cost(young.preview), await old.cost(old.preview)) == ""
        monkeypatch.setattr(glance, "COMING", glance.COMING.replace("FROM document d CROSS JOIN document_line l", "FROM document_line l CROSS JOIN document d"))
        said = grown("a preview", await young.cost(young.preview), await old.cost(old.preview))
        assert said.startswith("a preview: ") and ": SELECT l.item, l.quantity, l.factor" in said
