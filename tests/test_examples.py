"""The composed installs in examples/: what each README says is typed in an empty folder, and each figure in its tables is compared."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from newel.cli import main
from newel.config import load
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LineInput, LinkInput
from newel.domain.money import plain
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.verify import verify
from newel.store.columns import AMOUNT, QUANTITY, unscaled
from newel.web.app import create_app
from newel_demo.company import PASSWORD
from newel_ops.compose import distribution
from newel_restock.routes import fill_up
from newel_visits.send import for_request as plan_visit
from newel_visits.send import sign as sign_visit
from newel_visits.send import work as take_down

from tests.web import Web

EXAMPLES = Path(__file__).parents[1] / "examples"
D = Decimal
Figures = dict[str, str]


def type_in(name: str, folder: Path) -> Figures:
    """Carry out the README's commands in this folder, and `newel apply` once more; returns the figures that the README promises."""
    for file in ("newel.toml", "demo.toml"):
        shutil.copy(EXAMPLES / name / file, folder)
    text = (EXAMPLES / name / "README.md").read_text("utf-8")
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    installed = set(re.findall(r"newel\S*", *re.findall(r"^    pip install (.+)$", text, re.MULTILINE)))
    assert installed == {"newel", "newel-ops", "newel-demo", *(distribution(p) for p in load(folder / "newel.toml").plugins or ())}
    said = ""
    for command in [*commands.splitlines(), "newel apply"]:
        program, *arguments = shlex.split(command)
        done = CliRunner().invoke(main, arguments, catch_exceptions=False)
        assert (program, done.exit_code) == ("newel", 0), f"{command}\n{done.output}"
        said = done.output
    assert "nothing to do" in said
    return {n: value.strip() for n, value in re.findall(r"^\| ([a-z_]+) \| ([^|]+) \|", text, re.MULTILINE) if n not in ("figure", "file", "login")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, in which everything happens."""
    for name in [n for n in os.environ if n.startswith("NEWEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Install:
    """A running install, its people and what it holds."""

    def __init__(self, app: Newel) -> None:
        self.app, self.do, self.web = app, app.documents, Web(app, app.system(None), create_app(app, manage=False), "")

    async def user(self, login: str) -> Context:
        """What somebody does who signs in with the password that `newel demo` prints."""
        user = await self.app.users.authenticate(login, PASSWORD)
        assert user, login
        async with self.app.database.read() as session:
            return await self.app.context(session, user)

    async def admin(self) -> Context:
        """Somebody with every right."""
        async with self.app.database.read() as session:
            return await self.app.context(session, self.app.system(None).user)

    async def rows(self, sql: str, *args: Any) -> list[Any]:
        async with self.app.database.read() as session:
            return list(await session.fetch(sql, *args))

    async def all(self, kind: str) -> list[Document]:
        """Documents of a kind, the oldest first."""
        ids = await self.rows("SELECT id FROM document WHERE kind = ? ORDER BY id", kind)
        return [await self.do.get(r["id"], await self.admin()) for r in ids]

    async def states(self, kind: str) -> str:
        rows = await self.rows("SELECT state, COUNT(*) AS n FROM document WHERE kind = ? GROUP BY state ORDER BY state", kind)
        return ", ".join(f"{r['n']} {r['state']}" for r in rows)

    async def balance(self, role: str) -> str:
        (row,) = await self.rows("SELECT CAST(COALESCE(SUM(debit - credit), 0) AS BIGINT) AS n FROM posting WHERE role = ?", role)
        return f"{unscaled(int(row['n']), AMOUNT):.2f}"

    async def lying(self, kind: str = "", code: str = "") -> str:
        """Goods in places of a kind, or in the place with this code."""
        sql = (
            "SELECT i.number, CAST(SUM(b.quantity) AS BIGINT) AS n FROM stock_balance b JOIN location l ON l.id = b.location JOIN item i ON i.id = b.item "
            "WHERE l.kind = ? OR l.code = ? GROUP BY i.number HAVING SUM(b.quantity) <> 0 ORDER BY i.number"
        )
        return ", ".join(f"{plain(unscaled(int(r['n']), QUANTITY))} {r['number']}" for r in await self.rows(sql, kind, code)) or "0"

    async def opens(self, login: str, *paths: str) -> None:
        """Somebody signs in with a browser and opens pages."""
        browser, _ = await self.web.browser(login, PASSWORD)
        for path in paths:
            answer = await browser.get(path, follow_redirects=True)
            assert answer.status_code == 200, (login, path, answer.status_code)


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Install]:
    app = Newel(load(folder / "newel.toml"))
    await app.start()
    try:
        yield Install(app)
        assert await verify(app) == []
    finally:
        await app.close()


def items(document: Document) -> str:
    """What is on the lines that move."""
    return ", ".join(f"{plain(x.quantity)} {x.item.number}" for x in document.lines if x.item and not document.children(x.id))


def entered(party: str | None, *lines: tuple[str, int] | LineInput) -> DocumentInput:
    return DocumentInput(party=party, lines=tuple(x if isinstance(x, LineInput) else LineInput(item=x[0], quantity=D(x[1])) for x in lines))


async def test_distributor(database_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Orders of customers make those to vendors by themselves; what a vendor ships is delivered and billed; nothing is ever in stock."""
    monkeypatch.setenv("NEWEL_DATABASE", database_url)
    promised = await asyncio.to_thread(type_in, "distributor", folder)
    async with running(folder) as here:
        (bill,) = await here.all("invoicing.invoice")
        found = {
            "orders": await here.states("sales.order"), "purchase_orders": await here.states("purchasing.order"), "billed": f"{bill.net:.2f}",
            "cost": await here.balance("cogs"), "goods_received": await here.balance("goods_received"), "stock": await here.lying("storage"),
        }  # fmt: skip
        sales = await here.user("sales")
        sold = await here.do.create("sales.order", entered("C1", ("GLOVE-9", 10), ("LAMP", 25)), sales, then=("confirm",))
        made = [await here.do.get(id, await here.admin()) for id in sold.made]
        assert {o.state for o in made} == {"sent"}
        found["try_purchases"] = ", ".join(f"{o.party.number} {o.net:.2f}" for o in made if o.party)

        # The vendor of the lamps, with nothing but its own login: it sees its order, not the one for gloves, and ships it.
        lamps = next(o for o in made if items(o) == "25 LAMP")
        await here.opens("lamps", "/", f"/vendor_workbench/{lamps.id}")
        token = await here.app.users.create_token((await here.user("lamps")).user, "test", 1)
        async with here.web.client(token) as vendor:
            seen = {r["number"] for r in (await vendor.get("/api/vendor_workbench/orders")).json()}
            assert lamps.number in seen and not seen & {o.number for o in made if o is not lamps}
            parcel = {"way": "ship_direct", "lines": [{"line": lamps.lines[0].id, "quantity": "25"}]}
            answer = await vendor.post(f"/api/vendor_workbench/orders/{lamps.id}/ship", json=parcel)
            assert answer.status_code == 200, answer.text
        found["try_billed"] = f"{(await here.all('invoicing.invoice'))[-1].net:.2f}"
        now = await here.do.get(sold.document.id, sales)
        found["try_open"] = ", ".join(f"{plain(x.quantity)} {x.item.number}" for x in now.lines if x.item and "delivered" not in x.stages)
        with pytest.raises(Refused) as refused:
            await here.do.create("sales.order", entered("C2", ("LAMP", 10)), sales, then=("confirm",))
        found["try_limit"] = refused.value.problems[0].code
        await here.opens("sales", "/", f"/document/{sold.document.id}")
        assert found == promised


async def test_manufacturer(folder: Path) -> None:
    """A stair is chosen and priced, a kit is delivered in parts, what lies at a dealer is ours until it is used."""
    promised = await asyncio.to_thread(type_in, "manufacturer", folder)
    async with running(folder) as here:
        (stair, kit), (delivery, *_), (first, used) = [await here.all(k) for k in ("sales.order", "shipping.delivery", "invoicing.invoice")]
        assert first.net == stair.net
        found = {
            "stair_net": f"{stair.net:.2f}", "stair_parts": items(delivery), "kit_net": f"{kit.net:.2f}", "shelf": await here.lying("consigned"),
            "used_billed": f"{used.net:.2f}", "stock_value": await here.balance("stock"),
        }  # fmt: skip
        sales = await here.user("sales")

        def chosen(treads: str) -> LineInput:
            return LineInput(item="STAIR", data={"configurator": {"choices": {"POST": "POST-STEEL", "TREADS": treads}}})

        with pytest.raises(Refused) as refused:
            await here.do.create("sales.order", entered("C1", chosen("TREAD-OAK")), sales, then=("confirm",))
        found["try_refused"] = refused.value.problems[0].code
        made = await here.do.create("sales.order", entered("C1", chosen("TREAD-GRID"), ("RAILING", 1)), sales, then=("confirm",))
        found["try_net"] = f"{made.document.net:.2f}"
        (order,) = await here.all("consignment.order")
        part = [LinkInput(line=order.lines[0].id, quantity=D(20))]
        await here.do.follow(order.id, "settle", await here.admin(), lines=part, then=("post",))
        found["try_shelf"] = await here.lying("consigned")
        await here.opens("sales", "/", f"/document/{made.document.id}")
        await here.opens("workshop", "/")
        assert found == promised


async def test_service_firm(folder: Path) -> None:
    """A customer asks, a pump is repaired under warranty and goes back, a repair point orders by itself, the van is filled up."""
    promised = await asyncio.to_thread(type_in, "service_firm", folder)
    async with running(folder) as here:
        (order,), (*_, bill), (returned,) = [await here.all(k) for k in ("parts.order", "invoicing.invoice", "returns.authorisation")]
        faults = await here.rows(
            "SELECT c.code, CAST(SUM(f.quantity) AS BIGINT) AS n FROM faults_fault f JOIN faults_cause c ON c.id = f.cause GROUP BY c.code"
        )
        found = {
            "requests": await here.states("requests.request"), "repair_billed": f"{bill.net:.2f}", "in_service": await here.lying(code="CUSTOMERS"),
            "visits": await here.states("visits.visit"), "parts_ordered": items(order),
            "faults": ", ".join(f"{plain(unscaled(int(r['n']), QUANTITY))} {r['code']}" for r in faults),
        }  # fmt: skip
        assert bill.state == "draft"
        await here.opens("elbtal", "/")
        await here.opens("desk", "/", f"/document/{returned.id}")
        await here.opens("harz", "/parts")

        (shipment,) = await here.all("returns.shipment")
        sent = await here.do.act(shipment.id, "ship", await here.user("desk"))
        (lot,) = await here.rows("SELECT number FROM lot WHERE id = ?", sent.moves[0].lot)
        found["try_sent_back"] = lot["number"]
        assert await here.lying(code="CUSTOMERS") == "0"
        parts = await here.do.create("parts.order", entered(None, ("SWITCH", 2)), await here.user("harz"), then=("confirm",))
        found["try_parts"] = f"{parts.document.net:.2f}"
        words = {"inventory.transfer": "moved", "purchasing.requisition": "asked for"}
        made = [o.document for o in await fill_up(here.app, await here.admin())]
        found["try_fill_up"] = ", ".join(sorted(f"{items(d)} {words[d.kind]}" for d in made))
        found |= await visited(here)
        assert found == promised


async def visited(here: Install) -> Figures:
    """The desk turns what was asked for into a visit; the technician does it on the telephone, and the customer signs."""
    asked = next(r for r in await here.all("requests.request") if r.data["requests"].type == "service")
    visit = await plan_visit(here.app, asked.id, {"technician": "WANDA"}, await here.user("desk"))
    (lot,) = await here.rows("SELECT number FROM lot WHERE id = ?", visit.lines[0].lot)
    wanda, data = await here.user("wanda"), visit.data["visits"]
    await here.do.act(visit.id, "confirm", await here.user("desk"))
    await here.opens("wanda", "/visits/mine", f"/visits/{visit.id}")
    visit = (await here.do.act(visit.id, "arrive", wanda)).document
    visit = await take_down(here.app, visit, (), (LineInput(item="HOUR"),), wanda)
    await sign_visit(here.app, visit, "Ida Mertens", "Serviced.", wanda)
    (bill,) = (await here.do.act(visit.id, "finish", wanda)).made
    billed = await here.do.get(bill, await here.admin())
    assert billed.state == "draft"
    return {"try_planned": f"{data.technician} {data.time} {lot['number']}", "try_visit_billed": f"{billed.net:.2f}"}
