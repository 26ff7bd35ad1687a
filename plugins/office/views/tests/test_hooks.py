"""Lists as people arrange them, through the pages."""

from __future__ import annotations

import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from newel_sdk.kit import LOGIN, Kit
from newel_views import hooks
from newel_views.rules import Choice, Layout, View, first, laid_out, layout_of, plain, unknown

pytestmark = pytest.mark.plugins("views", "shop")
ORDERS, ITEMS = "shop.order", "newel.item"
LIST = f"/documents/{ORDERS}"


def heads(page: str) -> list[str]:
    """The headings of a list, from left to right."""
    found = (re.sub(r"<.*?>", "", cell).strip() for cell in re.findall(r"<th\b.*?</th>", page, re.DOTALL))
    return [text for text in found if text != "Select"]


def tabs(page: str) -> dict[str, str]:
    """The tabs above a list, with their addresses; the open one ends with a star."""
    nav = re.search(r'<nav class="n-tablist n-plain".*?</nav>', page, re.DOTALL)
    links = re.findall(r'<a(?: class="n-muted")? href="([^"]+)"( aria-current="page")?>(.*?)</a>', nav[0], re.DOTALL) if nav else []
    return {re.sub(r"<.*?>", "", label).strip() + ("*" if now else ""): unescape(url) for url, now, label in links}


def sentence(page: str) -> str:
    """The filter as one reads it."""
    found = re.search(r'<ul class="n-chips".*?</ul>', page, re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<.*?>", " ", found[0]))).strip() if found else ""


def numbers(page: str) -> list[str]:
    """What is listed, by the first cell."""
    return re.findall(r'<td class="[^"]*n-lead[^"]*"[^>]*><a href="[^"]+">([^<]+)</a>', page)


async def orders(kit: Kit) -> None:
    """Acme has two orders, one of them confirmed; Zoo has one."""
    await kit.party("ACME", name="Acme")
    await kit.party("ZOO", name="Zoo")
    await kit.item("LAMP", price=5)
    await kit.document(ORDERS, "ACME", ("LAMP", 1), then=["confirm"])
    await kit.document(ORDERS, "ACME", ("LAMP", 2))
    await kit.document(ORDERS, "ZOO", ("LAMP", 3), then=["confirm"])


async def saved(web: httpx.AsyncClient, query: str, name: str, **more: str) -> str:
    """Save the list with this query as a view; returns the address that one is led to."""
    answer = await web.post(f"/views/of/{ORDERS}?{query}", data={"name": name, "pinned": "true", **more})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def login(kit: Kit, name: str, *roles: str) -> httpx.AsyncClient:
    """A colleague with these roles, as a program that reads the pages."""
    await kit.app.users.create(name, "correct horse battery", name, roles, [kit.context.company.id], kit.context)
    user = await kit.app.users.authenticate(name, "correct horse battery")
    assert user
    return kit._client({"Authorization": f"Bearer {await kit.app.users.create_token(user, 'test', 10)}"})


def test_hook_register_plugin_arranges_lists() -> None:
    """It declares what lists are arranged with."""
    assert hooks.register_plugin().lists == "newel_views.arrange:arrange"


async def test_a_filter_reads_as_a_sentence_that_lives_in_the_address(kit: Kit) -> None:
    """Each part leads into its field and can be taken away; without a script it is a form and links."""
    await orders(kit)
    web = await kit.browser()
    acme = (await kit.rows("SELECT id FROM party WHERE number = 'ACME'"))[0]["id"]
    page = (await web.get(f"{LIST}?state=confirmed&party={acme}")).text
    assert sentence(page) == "state is Confirmed and for ACME Acme , newest first Clear all"
    assert len(numbers(page)) == 1
    assert 'href="#state" data-filter="state"' in page
    gone = re.search(r'<a href="([^"]+)" aria-label="Remove: state is Confirmed">', page)
    assert gone
    page = (await web.get(unescape(gone[1]))).text
    assert (sentence(page), len(numbers(page))) == ("for ACME Acme , newest first", 2)
    page = (await web.get(f"{LIST}?party={acme}&sort=-gross")).text
    assert sentence(page) == "for ACME Acme , sorted by Total, downwards"


async def test_a_view_is_saved_renamed_pinned_opened_with_and_deleted(kit: Kit) -> None:
    """It keeps filter, order and columns; its tab stands above the list; the list opens with the one that is chosen for that."""
    await orders(kit)
    web = await kit.browser()
    page = (await web.get(f"{LIST}?state=confirmed&sort=-gross")).text
    assert tabs(page)["Save this view"].startswith(f"/views/of/{ORDERS}?")
    url = await saved(web, "state=confirmed&sort=-gross&page=1", "Big ones")
    page = (await web.get(url)).text
    assert list(tabs(page)) == ["All", "Big ones*", "Views and columns"]
    assert len(numbers(page)) == 2
    assert "Big ones" in tabs((await web.get(LIST)).text)
    id = url.split("view=")[1].split("&")[0]
    renamed = await saved(web, f"view={id}&state=draft", "Drafts", id=id, do="take", standard="true")
    assert urlsplit(renamed).query == f"view={id}&state=draft"
    opened = await web.get(LIST)
    assert (opened.status_code, opened.headers["location"]) == (303, renamed)
    page = (await web.get(renamed)).text
    assert len(numbers(page)) == 1
    assert tabs(page)["All"] == f"{LIST}?view=all"
    assert len(numbers((await web.get(f"{LIST}?view=all")).text)) == 3
    assert f'name="view" value="{id}"' in page
    await web.post(f"/views/of/{ORDERS}", data={"id": id, "do": "delete"})
    assert list(tabs((await web.get(LIST)).text)) == ["All*", "Views and columns"]
    assert "not there any more, or not shared with you" in (await web.get(renamed)).text
    answer = await web.post(f"/views/of/{ORDERS}", data={"name": " "})
    assert (answer.status_code, "a view needs a name" in answer.text) == (422, True)
    await saved(web, "state=confirmed", "Once")
    assert "there is a view Once already" in (await web.post(f"/views/of/{ORDERS}", data={"name": "Once"})).text


async def test_a_view_shares_its_filter_and_never_the_rows(kit: Kit) -> None:
    """Mine is mine; a role's is for the role; whoever may not share can't; whoever may not see the list does not see its views."""
    await orders(kit)
    sees = (f"{ORDERS}.view", "newel.party.view")
    for code, rights in {"team": sees, "lead": ("views.share",), "depot": sees, "yard": (f"{ITEMS}.view",)}.items():
        role = await kit.record("newel.role", code=code, name=code.title())
        for right in rights:
            await kit.record("newel.role_permission", role=role, permission=right)
    ann, bob = await login(kit, "ann", "team", "lead"), await login(kit, "bob", "team")
    eve, out = await login(kit, "eve", "depot"), await login(kit, "out", "yard")
    await saved(ann, "state=draft", "My own")
    url = await saved(ann, "state=confirmed", "Team", shared="team", standard="true")
    assert "My own" not in tabs((await bob.get(f"{LIST}?view=all")).text)
    assert (await bob.get(LIST)).headers["location"] == url
    assert len(numbers((await bob.get(url)).text)) == 2
    page = (await eve.get(url)).text
    assert "Team" not in tabs(page)
    assert "not shared with you" in page
    assert (await eve.post(f"/views/of/{ORDERS}", data={"name": "x", "shared": "*"})).status_code == 403
    assert (await bob.post(f"/views/of/{ORDERS}", data={"id": url.split("view=")[1].split("&")[0], "do": "delete"})).status_code == 403
    assert (await ann.post(f"/views/of/{ORDERS}", data={"name": "x", "shared": "depot"})).status_code == 403
    for path in (url, f"/views/of/{ORDERS}"):
        assert (await out.get(path)).status_code == 403
    await saved(ann, "state=confirmed", "All of us", shared="*")
    assert "All of us" in tabs((await eve.get(LIST)).text)
    assert LOGIN not in (await eve.get(f"/views/of/{ORDERS}")).text


async def test_what_a_view_asks_for_and_is_not_there_any_more_is_said(kit: Kit) -> None:
    """A field that has gone with its plugin is named: the list is never silently another one."""
    await orders(kit)
    web = await kit.browser()
    url = await saved(web, "state=gone&colour=red&sort=weight", "Old")
    page = (await web.get(url)).text
    assert "the list does not have any more what this view asks for: colour, weight, gone" in page
    page = (await web.get(f"/records/{ITEMS}?shelf=7&sort=number")).text
    assert "asks for: shelf" in page
    assert "not have any more" not in (await web.get(f"/records/{ITEMS}?active=true&sort=-name&page=1")).text


async def test_columns_are_chosen_ordered_widened_and_kept_and_a_file_has_just_these(kit: Kit) -> None:
    """Also those that a list does not show by itself; for each user, in each view; and back again."""
    await orders(kit)
    web = await kit.browser()
    plainly = heads((await web.get(LIST)).text)
    assert "Net" not in plainly
    chosen = {
        "show-net": "1",
        "place-net": "20",
        "width-net": "l",
        "show-number": "1",
        "place-number": "10",
        "show-party": "1",
        "place-party": "5",
        "freeze": "true",
    }
    answer = await web.post(f"/views/columns/{ORDERS}?state=confirmed", data=chosen)
    assert answer.headers["location"] == f"{LIST}?state=confirmed"
    page = (await web.get(LIST)).text
    assert heads(page) == ["Customer", "Number", "Net"]
    assert re.search(r'<th scope="col" class="n-num" data-w="l"', page)
    assert "data-freeze" in page
    file = (await web.get(f"{LIST}?format=csv&state=confirmed&sort=number")).text.lstrip("\ufeff").splitlines()
    assert file[0] == "Customer,Number,Net,Currency"
    assert [line.split(",")[0] for line in file[1:]] == ["Acme", "Zoo"]
    other = await kit.client(f"{ORDERS}.view", "newel.party.view")
    assert heads((await other.get(LIST)).text) == plainly
    url = await saved(web, "state=confirmed", "With columns", shared="*")
    assert heads((await other.get(url)).text) == ["Customer", "Number", "Net"]
    await web.post(f"/views/columns/{ORDERS}", data={"do": "reset"})
    assert heads((await web.get(LIST)).text) == plainly
    none: dict[str, Any] = {}
    assert (await web.post(f"/views/columns/{ORDERS}", data=none)).status_code == 422
    await web.post(f"/views/columns/{ITEMS}", data={"show-gtin": "1", "place-gtin": "1", "show-number": "1", "place-number": "2"})
    assert heads((await web.get(f"/records/{ITEMS}")).text) == ["GTIN", "Number"]


def test_columns_follow_a_layout() -> None:
    """What is chosen comes first in its order; the rest is kept for choosing; what has gone is named; with nothing left the list is as it was."""
    columns = [{"name": "a"}, {"name": "b", "more": True}, {"name": "c"}]
    found, gone = laid_out(columns, Layout((Choice("b", "s"), Choice("x"), Choice("a"))))
    assert [(c["name"], c["more"]) for c in found] == [("b", False), ("a", False), ("c", True)]
    assert gone == ["x"]
    assert laid_out(columns, Layout((Choice("x"),))) == (columns, ["x"])
    assert layout_of([("a", 2, "s"), ("b", 1, "huge")], True) == Layout((Choice("b"), Choice("a", "s")), True)


def test_addresses_are_compared_by_what_they_ask_for() -> None:
    """Where somebody is in a list says nothing about what they look at."""
    assert plain("view=3&page=2&b=2&a=1&format=csv") == "a=1&b=2"
    assert unknown("a=1&x=2&sort=-y&page=2", {"a"}, {"a"}, {"a": {"1"}}) == ["x", "y"]
    assert unknown("party=7&party_text=C-7&party_was=C-7&x_text=1", {"party"}, set(), {}) == ["x_text"]


def test_a_list_opens_with_ones_own_view_first() -> None:
    """Before that of a role, and that of everybody."""

    def view(id: int, shared: str) -> View:
        return View(id=id, name=str(id), user="ann", shared=shared, query="", layout=Layout(), pinned=True, standard=True)

    assert first([view(1, "*"), view(2, "sales"), view(3, "")], "ann") == view(3, "")
    assert first([view(1, "*"), view(2, "sales")], "ann") == view(2, "sales")
    assert first([], "ann") is None
