"""Access at work: the matrix changes roles by the one way in, with history and a second person; and says who may do what, and why."""

from __future__ import annotations

import html
import re
import tomllib

import pytest
from newel.errors import Refused
from newel_access import facts, work
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("access", "sales", "dual_control")


async def roles(kit: Kit) -> dict[str, facts.Role]:
    """Roles by code."""
    async with kit.app.database.read() as session:
        return {r.code: r for r in await facts.roles(session)}


async def test_hook_register_plugin_rights_are_given_and_taken_in_the_matrix(kit: Kit) -> None:
    """What was ticked and unticked on the page, and nothing else; it stands in the audit; twice is once."""
    browser = await kit.browser()
    role = (await roles(kit))["sales"]
    page = html.unescape((await browser.get("/access?plugin=sales&role=sales")).text)
    shown = re.findall(r'name="shown" value="([^"]+)"', page)
    assert f"{role.id}:sales.order.confirm" in shown
    assert 'aria-label="Sales: create and change Sales orders"' in page
    assert f'value="{role.id}:newel.item.view"' not in page, "only the plugin that was asked for"
    ticked = [s for s in shown if not s.endswith(":sales.order.confirm")] + [f"{role.id}:sales.order.release"]
    answer = await browser.post("/access?plugin=sales&role=sales", data={"tick": ticked, "shown": shown})
    assert (answer.status_code, answer.headers["location"]) == (303, "/access?plugin=sales&role=sales")
    now = (await roles(kit))["sales"].permissions
    assert now == role.permissions - {"sales.order.confirm"} | {"sales.order.release"}
    audit = html.unescape((await browser.get("/audit?field=permission&user=admin")).text)
    assert "sales.order.confirm" in audit
    assert "sales.order.release" in audit
    await browser.post("/access", data={"tick": ticked, "shown": shown})
    assert (await roles(kit))["sales"].permissions == now


async def test_nobody_gives_more_than_they_have_and_some_need_a_second_person(kit: Kit) -> None:
    """All or none; whoever may only look is refused; with dual control the page says how it is done."""
    client = await kit.client("newel.role_permission.view", "newel.role_permission.edit", "newel.user.view", "sales.order.view")
    there = await roles(kit)
    assert (await client.get("/access/users")).status_code == 200
    narrow = next(
        r for r in there.values() if r.permissions == {"newel.role_permission.view", "newel.role_permission.edit", "newel.user.view", "sales.order.view"}
    )
    async with kit.app.database.read() as session:
        user = await kit.app.users.load(await session.value('SELECT "user" AS n FROM user_role WHERE role = ?', narrow.id), session)
        assert user is not None
        context = await kit.app.context(session, user)
    with pytest.raises(Refused) as refused:
        await work.change(kit.app, [(there["viewer"].id, "sales.order.view"), (there["viewer"].id, "newel.admin")], [], context)
    assert {p.code for p in refused.value.problems} == {"permission.beyond"}
    with pytest.raises(Refused):
        await work.copy(kit.app, there["admin"].id, "mine", "Mine", context)
    assert await roles(kit) == there
    await kit.settings("dual_control", records={"newel.role_permission": []})
    page = await (await kit.browser()).post("/access", data={"tick": [f"{there['viewer'].id}:sales.order.edit"]})
    assert page.status_code == 422
    assert "proposed change under Administration" in page.text
    assert await roles(kit) == there


async def test_roles_are_copied_compared_and_written_as_files(kit: Kit) -> None:
    """A copy differs in nothing; what was added afterwards is what the comparison shows, patterns resolved."""
    browser, there = await kit.browser(), await roles(kit)
    assert (await browser.post(f"/access/copy/{there['sales'].id}", data={"code": "", "name": "X"})).status_code == 422
    made = await browser.post(f"/access/copy/{there['sales'].id}", data={"code": "field", "name": "Field sales"})
    assert made.headers["location"] == "/access?role=field"
    assert "They give the same" in (await browser.get("/access/compare?a=sales&b=field")).text
    role = (await roles(kit))["field"]
    await work.change(kit.app, [(role.id, "newel.period.*")], [], kit.context)
    page = (await browser.get("/access/compare?a=sales&b=field")).text
    assert "newel.period.edit" in page
    assert "sales.order.edit" not in page
    file = tomllib.loads((await browser.get(f"/access/file/{role.id}")).text)
    assert set(file["roles"]["field"]["permissions"]) == role.permissions | {"newel.period.*"}
    assert "Field sales" in (await browser.get("/access/roles")).text


async def test_who_may_and_why_and_who_would_let_them(kit: Kit) -> None:
    """By role and pattern; where nobody lets them, the roles that would; what is unknown is said so."""
    await kit.app.users.create("sal", "nine brass lamp shades", "Sal Esche", ["sales"], [kit.context.company.id], kit.context)
    browser = await kit.browser()

    async def ask(query: str) -> str:
        return " ".join(re.sub(r"<[^>]+>", " ", html.unescape((await browser.get(f"/access/why?{query}")).text).partition("<main")[2]).split())

    assert "sal may: create and change Sales orders" in await ask("user=sal&permission=sales.order.edit")
    refused = await ask("user=sal&permission=sales.order.release")
    assert "sal may not: release holds of Sales orders" in refused
    assert "These roles would let them: Accounting by sales.order.release" in refused
    assert "Administration by *" in refused
    assert "These roles give it: Accounting" in await ask("permission=sales.order.release")
    assert "see Sales orders sales.order.view Sales" in await ask("user=sal")
    assert "there is no user 'nobody'" in await ask("user=nobody")
    assert "no running plugin declares 'sales.order.fly'" in await ask("user=sal&permission=sales.order.fly")
    rows = (await browser.get("/access/users?role=sales&q=esche")).text
    assert "/access/why?user=sal" in rows
    assert "user=admin" not in rows


async def test_a_role_comes_back_from_its_file(kit: Kit) -> None:
    """What the list gives as a file is sent to another page: what would change, then it is so; what somebody else did meanwhile is not overwritten."""
    browser, there = await kit.browser(), await roles(kit)
    written = (await browser.get(f"/access/file/{there['sales'].id}")).text
    same = (await browser.post("/access/file", files={"file": ("role.toml", written)})).text
    assert "as it is" in same
    text = (
        written.replace('"sales.order.confirm",', '"sales.order.release",\n    "loyalty.give",')
        + '[roles.field]\nname = "Field <sales>"\npermissions = ["sales.*"]\n'
    )
    page = html.unescape((await browser.post("/access/file", files={"file": ("role.toml", text)})).text)
    for said in ("Field <sales>", "No running plugin declares loyalty.give", "sales.order.release", "sales.order.confirm", "Make it so"):
        assert said in page
    assert await roles(kit) == there, "looking changes nothing"
    agreed = re.search(r'name="agreed" value="(\w+)"', page)
    assert agreed
    role = there["sales"].id
    await work.change(kit.app, [(role, "newel.period.*")], [], kit.context)
    moved = await browser.post("/access/file", data={"text": text, "agreed": agreed[1]})
    assert (moved.status_code, "somebody has changed these roles" in moved.text) == (409, True)
    await work.change(kit.app, [], [(role, "newel.period.*")], kit.context)
    done = await browser.post("/access/file", data={"text": text, "agreed": agreed[1]})
    assert (done.status_code, done.headers["location"]) == (303, "/access/roles")
    now = await roles(kit)
    assert now["sales"].permissions == there["sales"].permissions - {"sales.order.confirm"} | {"sales.order.release", "loyalty.give"}
    assert (now["field"].name, now["field"].permissions) == ("Field <sales>", {"sales.*"})
    assert "loyalty.give" in (await browser.get("/audit?field=permission&user=admin")).text


HOSTILE = (
    ("no TOML", "[roles"), ("nothing", " "), ("other things", 'database = "x"\n[roles.a]\npermissions = ["*"]'), ("no list", '[roles.a]\npermissions = "*"'),
    ("an own field", "[roles.a]\nadmin = true"), ("deep", "a = " + "[" * 50_000), ("bytes", b"\xff\xfe\x00"), ("large", "#" * 200_000), ("none", "x = 1"),
    ("no permission", '[roles.a]\npermissions = ["<script>", "a b"]'), ("a code that is none", '[roles."%s"]\npermissions = []' % ("x" * 100)),
)  # fmt: skip


@pytest.mark.parametrize(("text"), [text for _name, text in HOSTILE], ids=[name for name, _text in HOSTILE])
async def test_a_hostile_file_is_refused_with_the_reason(kit: Kit, text: str | bytes) -> None:
    """Nothing is half taken: the page says what was expected, and offers nothing to agree to."""
    browser, there = await kit.browser(), await roles(kit)
    answer = await browser.post("/access/file", files={"file": ("role.toml", text)})
    assert answer.status_code == 422
    assert 'class="n-problem' in answer.text
    assert "Make it so" not in answer.text
    assert await roles(kit) == there


async def test_a_file_gives_no_more_than_whoever_sends_it_has(kit: Kit) -> None:
    """Everything that is beyond is said at once; with dual control the page says how it is done; whoever may not change rights sees no page."""
    text = '[roles.viewer]\npermissions = ["newel.admin", "sales.*", "sales.order.view"]\n'
    client = await kit.client("newel.role_permission.view", "newel.role_permission.edit", "sales.order.view")
    looker, there = await kit.client("newel.role_permission.view"), await roles(kit)
    answer = await client.post("/access/file", files={"file": ("role.toml", text)})
    assert answer.status_code == 422
    for beyond in ("newel.admin", "sales.*"):
        assert f"the permission &#39;{beyond}&#39;, which you do not have" in answer.text
    assert (await looker.get("/access/file")).status_code == 403
    await kit.settings("dual_control", records={"newel.role_permission": []})
    page = await (await kit.browser()).post("/access/file", files={"file": ("role.toml", text)})
    assert (page.status_code, "proposed change under Administration" in page.text, "Make it so" in page.text) == (422, True, False)
    assert await roles(kit) == there
