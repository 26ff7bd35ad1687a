"""Files through the pages, as people send them: out of every list, and into records and documents."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from typing import Any

import httpx
import pytest
from newel_exchange import hooks
from newel_exchange.reading import read
from newel_exchange.writing import xlsx_file
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("exchange", "shop")
ITEMS = "newel.item"
ORDERS = "shop.order"


async def sent(web: httpx.AsyncClient, kind: str, content: bytes | str, name: str = "rows.csv") -> str:
    """Send a file; returns the address of its import."""
    data = content.encode() if isinstance(content, str) else content
    answer = await web.post(f"/exchange/into/{kind}", files={"file": (name, io.BytesIO(data))})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def looked(web: httpx.AsyncClient, url: str, **choice: str) -> str:
    """Look at what would happen, with the columns as they were guessed unless chosen otherwise; returns the page."""
    page = (await web.get(url)).text
    answer = await web.post(f"{url}/check", data={**_chosen(page), "whole": "true", **choice})
    assert answer.status_code == 303, answer.text
    return (await web.get(url)).text


def _chosen(page: str) -> dict[str, str]:
    selects = re.findall(r'<select class="form-select" name="(column-\d+)"(.*?)</select>', page, re.DOTALL)
    return {name: found[1] for name, inside in selects if (found := re.search(r'value="([a-z_.]+)" selected', inside))}


async def done(kit: Kit, web: httpx.AsyncClient, url: str) -> str:
    """Bring it in, and let the worker work; returns the page."""
    assert (await web.post(f"{url}/run")).status_code == 303
    await kit.deliver()
    return (await web.get(url)).text


def counts(page: str) -> dict[str, int]:
    """How many rows became what."""
    return {what: int(n) for what, n in re.findall(r'data-phase="\w+">([a-z ]+)</span> <strong class="n-code">(\d+)', page)}


async def test_hook_register_plugin_gives_every_list_as_an_excel_file(kit: Kit) -> None:
    """Documents, records and reports: the rows of the filter and the columns that are seen, numbers and days as such, text as text."""
    assert set(hooks.register_plugin().formats) == {"xlsx"}
    await kit.party("ACME", name="=Acme")
    await kit.item("LAMP", price="5.25", name="@lamp")
    await kit.item("BULB", price=1)
    await kit.document(ORDERS, "ACME", ("LAMP", 3), reference="+1")
    await kit.document(ORDERS, "ACME", ("BULB", 1), reference="other")
    web = await kit.browser()
    page = (await web.get(f"/documents/{ORDERS}?q=LAMP")).text
    assert "format=xlsx" in page
    answer = await web.get(f"/documents/{ORDERS}?q=LAMP&format=xlsx")
    assert answer.headers["content-disposition"].endswith('.xlsx"')
    found = await read(answer.content)
    seen = [re.sub(r"<.*?>", "", cell) for cell in re.findall(r'<th scope="col".*?</th>', page)]
    assert [h for h in seen if h not in ("Select", "")] == list(found.head[:-1])
    assert found.head[-1] == "Currency"
    (row,) = (dict(zip(found.head, cells, strict=True)) for _n, cells in found.rows)
    assert (row["Customer"], row["Reference"], row["Total"], row["Currency"]) == ("=Acme", "+1", "15.75", "EUR")
    assert row["Date"] == kit.context.today.isoformat()
    items = await read((await web.get(f"/records/{ITEMS}?q=LAMP&format=xlsx")).content)
    assert [dict(zip(items.head, cells, strict=True))["Name"] for _n, cells in items.rows] == ["@lamp"]
    report = await read((await web.get("/report/newel.trial_balance?format=xlsx")).content)
    assert report.head == () or "Account" in report.head
    csv = await read((await web.get(f"/documents/{ORDERS}?q=LAMP&format=csv")).content)
    assert csv == found


@pytest.mark.capability("TAK-14")
async def test_a_file_becomes_records_and_twice_is_once(kit: Kit) -> None:
    """Columns are recognised by name and label; each row says what would happen; the worker does it; a second time nothing changes."""
    await kit.item("LAMP", name="Lamp")
    web = await kit.browser()
    assert f"/exchange/into/{ITEMS}" in (await web.get(f"/records/{ITEMS}")).text
    file = "Number;Name;weight;nonsense\nLAMP;Lamp, new;;x\nBULB;Bulb;1,5;x\n"
    url = await sent(web, ITEMS, file)
    page = await looked(web, url, point=",")
    assert counts(page) == {"new": 1, "changed": 1, "as it is": 0, "refused": 0}
    assert not await kit.rows("SELECT id FROM item WHERE number = 'BULB'")
    page = await done(kit, web, url)
    assert "What was done" in page
    assert counts(page) == {"new": 1, "changed": 1, "as it is": 0, "refused": 0}
    assert [r["name"] for r in await kit.rows("SELECT name FROM item ORDER BY number")] == ["Bulb", "Lamp, new"]
    again = await sent(web, ITEMS, file)
    page = await looked(web, again, point=",")
    assert counts(page) == {"new": 0, "changed": 0, "as it is": 2, "refused": 0}


@pytest.mark.capability("TAK-14")
async def test_every_error_is_shown_with_row_and_column_and_comes_back_as_a_file(kit: Kit) -> None:
    """All or nothing brings in nothing; without the wrong rows the others are brought in; the refused ones are mended and sent again."""
    web = await kit.browser()
    file = "Number,Name,Active\nA,Good,yes\nB,,yes\nC,Third,perhaps\n,No number,yes\nA,Twice,yes\n"
    url = await sent(web, ITEMS, file)
    page = await looked(web, url)
    assert counts(page)["refused"] == 4
    assert "/run" not in page
    text = re.sub(r"\s+", " ", re.sub(r"<.*?>", " ", page))
    assert "Active: Active must be yes or no" in text
    assert "Name: Name is missing" in text
    assert "the same as row" in text
    await web.post(f"{url}/run")
    page = await looked(web, url, whole="false")
    page = await done(kit, web, url)
    assert counts(page) == {"new": 1, "changed": 0, "as it is": 0, "refused": 4}
    for ending in ("csv", "xlsx"):
        mended = await read((await web.get(f"{url}/refused/{ending}")).content)
        assert mended.head == ("Number", "Name", "Active", "Problem")
        assert len(mended.rows) == 4
    rows = [("B", "Second", "yes", ""), ("C", "Third", "no", "")]
    url = await sent(web, ITEMS, xlsx_file("mended", mended.head, rows)[0], "mended.xlsx")
    await looked(web, url)
    assert counts(await done(kit, web, url))["new"] == 2


@pytest.mark.capability("TAK-14")
async def test_rows_become_documents_with_lines_all_or_none_or_one_by_one(kit: Kit) -> None:
    """Rows of one party and reference are one document, priced by the rules; what is there already stays; an error names its row and column."""
    await kit.party("ACME")
    await kit.party("ZOO")
    await kit.item("LAMP", price=5)
    web = await kit.browser()
    head = "Party,Reference,Item,Quantity,Price\n"
    url = await sent(web, ORDERS, f"{head}ACME,R1,LAMP,2,\nACME,R1,LAMP,3,4.50\nZOO,R1,LAMP,1,\nZOO,R2,GONE,1,\nZOO,R2,LAMP,1,\n")
    page = await looked(web, url)
    assert counts(page) == {"new": 3, "changed": 0, "as it is": 0, "refused": 2}
    assert re.search(r"<strong>Item:</strong>[^<]*GONE", page)
    assert "another row of the same document is wrong" in page
    await looked(web, url, whole="false")
    page = await done(kit, web, url)
    assert counts(page)["new"] == 3
    nets = [Decimal(r["net"]).scaleb(-4) for r in await kit.rows("SELECT net FROM document ORDER BY id")]
    assert nets == [Decimal("23.5"), Decimal(5)]
    url = await sent(web, ORDERS, f"{head}ACME,R1,LAMP,2,\nACME,R1,LAMP,3,4.50\nZOO,R9,LAMP,7,\n")
    assert counts(await looked(web, url)) == {"new": 1, "changed": 0, "as it is": 2, "refused": 0}
    assert counts(await done(kit, web, url))["new"] == 1
    await kit.deliver()
    assert len(await kit.rows("SELECT id FROM document")) == 3
    assert await kit.verify() == []


async def test_what_is_there_goes_out_and_comes_back_unchanged(kit: Kit) -> None:
    """The file to start from holds all columns and all records: sent back as it is, it changes nothing."""
    await kit.party("ACME", name='\'quoted "and" -so on')
    await kit.item("0012", price="5.25", name="=1+1")
    web = await kit.browser()
    for kind in (ITEMS, "newel.party", "newel.unit", "newel.tax_rate", "newel.location"):
        for ending in ("csv", "xlsx"):
            content = (await web.get(f"/exchange/into/{kind}/rows/{ending}")).content
            rows = len((await read(content)).rows)
            if rows:
                page = await looked(web, await sent(web, kind, content, f"rows.{ending}"))
                assert counts(page) == {"new": 0, "changed": 0, "as it is": rows, "refused": 0}, (kind, ending, page)


async def test_rights_are_those_of_whoever_sends_the_file(kit: Kit) -> None:
    """Without the right to import, or to edit, there is no way in; another user's files are not to be seen."""
    web = await kit.browser()
    url = await sent(web, ITEMS, "Number,Name\nA,Good\n")
    for rights, status in (((), 403), (("exchange.import", "newel.item.view"), 403), (("exchange.import", "newel.item.edit", "newel.item.view"), 200)):
        other = await kit.client(*(rights or ("newel.item.edit",)))
        assert (await other.get(f"/exchange/into/{ITEMS}")).status_code == status
        assert (await other.get(url)).status_code == 404
    link = "/exchange/into/"
    assert link not in (await (await kit.client("newel.item.view", "exchange.import")).get(f"/records/{ITEMS}")).text
    assert link in (await (await kit.client("newel.item.view", "newel.item.edit", "exchange.import")).get(f"/records/{ITEMS}")).text


async def test_a_choice_is_remembered_and_a_wrong_one_is_refused(kit: Kit) -> None:
    """A column that has no name of ours is what it was the last time; two columns can't be one field."""
    web = await kit.browser()
    url = await sent(web, ITEMS, "Artikel,Bezeichnung\nA,Good\n")
    answer = await web.post(f"{url}/check", data={"column-0": "number", "column-1": "number"})
    assert answer.status_code == 422
    assert "two columns are to be this" in answer.text
    await looked(web, url, **{"column-0": "number", "column-1": "name"})
    page = await looked(web, await sent(web, ITEMS, "Bezeichnung,Artikel\nBetter,A\n"))
    assert counts(page)["new"] == 1


async def test_many_rows_are_looked_at_by_the_worker_and_old_files_go(kit: Kit) -> None:
    """More rows than somebody waits for; the page says how far it is; after thirty days the file is forgotten."""
    web = await kit.browser()
    url = await sent(web, ITEMS, "Number,Name\n" + "".join(f"N{n},Name {n}\n" for n in range(2_000)))
    answer = await web.post(f"{url}/check", data=_chosen((await web.get(url)).text))
    assert answer.status_code == 303
    waiting = await web.get(url)
    assert waiting.headers["refresh"] == "2"
    assert "Looking at the rows" in waiting.text
    await kit.deliver()
    assert counts((await web.get(url)).text)["new"] == 2_000
    assert counts(await done(kit, web, url))["new"] == 2_000
    clear: Any = next(j.run for j in hooks.register_plugin().jobs if j.name == "exchange.clear")
    kit.clock.advance(days=31)
    async with kit.app.database.write() as session:
        await clear(session, {}, kit.context)
    assert not await kit.rows("SELECT id FROM exchange_import")
