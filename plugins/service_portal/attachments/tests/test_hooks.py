"""Files at work on documents and records: who sees what, what is kept, what a hostile file comes to; through pages and API, on both databases."""

from __future__ import annotations

import base64
import hashlib
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from newel.domain.context import Context, User
from newel.errors import Refused
from newel_attachments import hooks, keep
from newel_attachments.rules import Upload
from newel_sdk.kit import PASSWORD, Kit, kit_on

from plugins.service_portal.attachments.tests.test_rules import PDF, docx, picture

THEIRS = ("attachments.add", "shop.order.view", "newel.item.view", "newel.party.view")
EICAR_LIKE = b"X-HARMLESS-STANDARD-TEST-STRING"
TEXT = Upload("notes.txt", b"what we agreed on")


class Office:
    """A company with an order of customer A and one of customer B, somebody who manages files, a clerk who adds, and somebody of each customer."""

    def __init__(self, kit: Kit, a: int, b: int, order: int, other: int, bolt: int) -> None:
        self.kit, self.app, self.order, self.other, self.bolt = kit, kit.app, order, other, bolt
        self.manager, self.clerk = self.user("manager", "attachments.manage"), self.user("clerk")
        self.a, self.b = self.user("anna", party=a), self.user("bob", "attachments.manage", party=b)

    def user(self, login: str, *more: str, party: int | None = None) -> Context:
        user = User(id=7, login=login, permissions=frozenset({*THEIRS, *more}), companies=frozenset({self.kit.context.company.id}), party=party)
        return msgspec.structs.replace(self.kit.context, user=user)

    async def add(self, who: Context, upload: Upload = TEXT, *, on: int = 0, kind: str = "document", shared: bool = False) -> int:
        (id,) = await keep.add(self.app, kind, on or self.order, [upload], who, shared=shared)
        return id

    async def names(self, who: Context, on: int = 0, kind: str = "document") -> list[str]:
        return [f.name for f in await keep.listed(self.app, kind, on or self.order, who)]


@pytest.fixture
async def office(database_url: str) -> AsyncIterator[Office]:
    async with kit_on(database_url, ["attachments", "shop"]) as kit:
        a, b = await kit.party("A", name="Alpha"), await kit.party("B", name="Beta")
        bolt = await kit.item("BOLT", price=2)
        order = (await kit.document("shop.order", "A", ("BOLT", 1))).document.id
        other = (await kit.document("shop.order", "B", ("BOLT", 1))).document.id
        yield Office(kit, a, b, order, other, bolt)


async def refused(work: object) -> tuple[int, list[str]]:
    with pytest.raises(Refused) as caught:
        await work  # type: ignore[misc]
    return caught.value.status, [p.code for p in caught.value.problems]


def test_hook_register_plugin() -> None:
    manifest = hooks.register_plugin()
    assert [b.on for b in manifest.boxes] == ["document", "record"]
    assert all(b.shared for b in manifest.boxes), "what they see in it is decided file by file"


async def test_who_added_what_and_when(office: Office) -> None:
    """A clerk adds a note, another one reads it, takes it away; whoever manages files still knows of it."""
    note = await office.add(office.clerk)
    (seen,) = await keep.listed(office.app, "document", office.order, office.manager)
    assert (seen.name, seen.entered_by, seen.entered_at, seen.size) == ("notes.txt", "clerk", office.kit.clock.now, len(TEXT.content))
    assert (await keep.content(office.app, note, office.clerk))[1] == TEXT.content
    assert await refused(keep.remove(office.app, note, office.user("colleague"))) == (403, ["attachments.others"])
    office.kit.clock.advance(hours=1)
    await keep.remove(office.app, note, office.user("manager", "attachments.manage"))
    assert await office.names(office.clerk) == []
    assert (await refused(keep.content(office.app, note, office.clerk)))[0] == 404
    (gone,) = await keep.listed(office.app, "document", office.order, office.manager)
    assert (gone.removed_by, gone.removed_at) == ("manager", office.kit.clock.now)
    assert (await keep.content(office.app, note, office.manager))[1] == TEXT.content


async def test_customers_see_what_is_shared_and_what_is_theirs(office: Office) -> None:
    """On A's own order: A sees what is shared and what A added, not who of us added it; B learns of nothing, whatever B tries."""
    internal, shared = await office.add(office.clerk, Upload("margin.txt", b"our margin")), await office.add(office.manager, shared=True)
    photo = await office.add(office.a, Upload("defect.jpg", picture("JPEG")))
    assert await office.names(office.a) == ["notes.txt", "defect.jpg"]
    assert [f.entered_by for f in await keep.listed(office.app, "document", office.order, office.a)] == ["", "anna"]
    assert await office.names(office.clerk) == ["margin.txt", "notes.txt", "defect.jpg"], "our own people see all"
    assert (await refused(keep.content(office.app, internal, office.a)))[0] == 404
    for file in (internal, shared, photo):
        for work in (keep.content(office.app, file, office.b), keep.remove(office.app, file, office.b), keep.share(office.app, file, True, office.b)):
            assert (await refused(work))[0] == 404
    assert (await refused(office.add(office.b)))[0] == 404
    assert (await refused(keep.listed(office.app, "document", office.order, office.b)))[0] == 404
    assert await refused(keep.remove(office.app, shared, office.a)) == (403, ["attachments.others"])
    assert (await refused(keep.share(office.app, photo, True, office.a)))[0] == 403
    await keep.remove(office.app, photo, office.a)
    await keep.share(office.app, shared, False, office.manager)
    assert await office.names(office.a) == []
    assert await office.add(office.a, Upload("mine.txt", b"our margin")) != internal, "that we have the same file is nothing A learns"


async def test_a_customer_never_shares(office: Office) -> None:
    """On an item, which everybody sees: what one customer adds is not for the other one, not even where the right to manage was given."""
    mine = await office.add(office.b, Upload("b.txt", b"from B"), on=office.bolt, kind="newel.item", shared=True)
    assert await office.names(office.b, office.bolt, "newel.item") == ["b.txt"]
    assert await office.names(office.a, office.bolt, "newel.item") == []
    assert (await refused(keep.share(office.app, mine, True, office.b)))[0] == 404
    await keep.share(office.app, mine, True, office.manager)
    assert await office.names(office.a, office.bolt, "newel.item") == ["b.txt"]


async def test_only_on_what_is_there_and_may_be_seen(office: Office) -> None:
    blind = msgspec.structs.replace(office.clerk, user=msgspec.structs.replace(office.clerk.user, permissions=frozenset({"attachments.add"})))
    note = await office.add(office.clerk)
    assert (await refused(office.add(blind)))[0] == 403
    assert (await refused(keep.content(office.app, note, blind)))[0] == 404
    assert (await refused(office.add(office.clerk, on=office.bolt, kind="no.such")))[0] == 404
    assert (await refused(office.add(office.clerk, on=999_999)))[0] == 404
    reader = msgspec.structs.replace(office.clerk, user=msgspec.structs.replace(office.clerk.user, permissions=frozenset(THEIRS[1:])))
    assert await office.names(reader) == ["notes.txt"]
    assert (await refused(office.add(reader)))[0] == 403


async def test_all_or_none(office: Office) -> None:
    """Of three files two are wrong: both are named, and none is kept."""
    some = [TEXT, Upload("empty.pdf", b""), Upload("run.exe", b"MZ")]
    assert await refused(keep.add(office.app, "document", office.order, some, office.clerk)) == (422, ["attachments.empty", "attachments.type"])
    assert await office.names(office.clerk) == []
    assert await refused(keep.add(office.app, "document", office.order, [], office.clerk)) == (422, ["attachments.nothing"])
    await office.kit.settings("attachments", most=2)
    three = [Upload(f"{n}.txt", f"{n}".encode()) for n in range(3)]
    assert await refused(keep.add(office.app, "document", office.order, three, office.user("clerk"))) == (422, ["attachments.many"])


async def test_the_same_is_kept_once(office: Office) -> None:
    """A large file on two documents is stored once, in pieces, and comes back to the last byte; sent twice, it is there once."""
    large = bytes(range(256)) * 4000
    upload = Upload("data.pdf", PDF + large)
    first = await office.add(office.clerk, upload)
    assert await office.add(office.clerk, upload) == first
    second = await office.add(office.clerk, upload, on=office.other)
    rows = await office.kit.rows("SELECT hash, position FROM attachments_chunk ORDER BY position")
    assert [r["position"] for r in rows] == [0, 1, 2, 3]
    assert {r["hash"] for r in rows} == {hashlib.sha256(upload.content).hexdigest()}
    assert (await keep.content(office.app, second, office.clerk))[1] == upload.content


async def test_a_scanner_has_a_say(office: Office, tmp_path: Path) -> None:
    """The command of newel.toml refuses what it finds; a command that can't run lets nothing in; one from the settings page never runs."""
    scanner = tmp_path / "scan.py"
    scanner.write_text(f"import sys; sys.exit({EICAR_LIKE!r} in sys.stdin.buffer.read())")
    bad = Upload("a.txt", b"..." + EICAR_LIKE + b"...")
    await office.kit.settings("attachments", scanner=f"touch {tmp_path / 'ran'}")
    await office.add(office.user("clerk"), bad)
    assert not (tmp_path / "ran").exists(), "what an administrator enters on a page is no command"
    office.app.config = msgspec.structs.replace(office.app.config, settings={"attachments": {"scanner": f"{sys.executable} {scanner}"}})
    assert await refused(office.add(office.clerk, bad, on=office.other)) == (422, ["attachments.harmful"])
    await office.add(office.clerk, on=office.other)
    office.app.config = msgspec.structs.replace(office.app.config, settings={"attachments": {"scanner": "/no/such/scanner"}})
    assert await refused(office.add(office.clerk, Upload("b.txt", b"b"))) == (422, ["attachments.scanner"])


# ---- pages and programs ----------------------------------------------------------------------------------------------------------------


async def test_the_page(office: Office) -> None:
    """A person adds two files to an order and one to an item, shares one, removes one; every form works without scripts."""
    browser = await office.kit.browser()
    page = (await browser.get(f"/document/{office.order}")).text
    at = f"/attachments/of/document/{office.order}"
    assert f'hx-get="{at}"' in page
    form = (await browser.get(at)).text
    assert 'enctype="multipart/form-data"' in form and "No files yet" in form
    sent = [("files", ("a.jpg", picture("JPEG"), "image/jpeg")), ("files", ("b.docx", docx(), "application/x-lies"))]
    assert (await browser.post(at, files=sent)).headers["location"] == f"/document/{office.order}"
    box = (await browser.get(at, headers={"HX-Request": "true"})).text
    assert "<html" not in box and "a.jpg" in box and "b.docx" in box
    ids = sorted({int(i) for i in re.findall(r"/attachments/files/(\d+)", box)})
    assert (await browser.post(f"/attachments/files/{ids[0]}/share", data={"shared": "true"})).status_code == 303
    assert await office.names(office.a) == ["a.jpg"]
    assert (await browser.post(f"/attachments/files/{ids[1]}/remove")).status_code == 303
    assert "removed by admin" in (await browser.get(at)).text
    answer = await browser.post(at, files=[("files", ("x.svg", b"<svg onload='alert(1)'/>", "image/png")), ("files", ("<b>.txt", b"", "text/plain"))])
    assert answer.status_code == 422
    assert "attachments.type" in answer.text and "attachments.empty" in answer.text and "<b>" not in answer.text
    assert (await browser.post(at, files=[("files", ("", b"", ""))])).status_code == 422
    record = f"/attachments/of/newel.item/{office.bolt}"
    assert record in (await browser.get(f"/records/newel.item/{office.bolt}")).text
    assert (await browser.post(record, files=sent[:1])).headers["location"] == f"/records/newel.item/{office.bolt}"


async def test_nothing_is_ever_run_in_the_browser(office: Office) -> None:
    """Pictures are shown as what they are; everything else is only saved; both in a sandbox, and never guessed at."""
    photo, text = (
        await office.add(office.clerk, Upload("a.png", picture())),
        await office.add(office.clerk, Upload('x"; filename=evil.html\u202e.txt', b"1 < 2")),
    )
    program = await office.kit.client()
    for file, kind in ((photo, "inline"), (text, "attachment")):
        answer = await program.get(f"/attachments/files/{file}")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["content-security-policy"].startswith("default-src 'none'"), "beside our own policy, which still holds"
        assert answer.headers["content-disposition"].startswith(f'{kind}; filename="')
        assert answer.headers["content-disposition"].count('"') == 2
        assert answer.headers["cache-control"] == "no-store"
    assert (await program.get(f"/attachments/files/{text}")).headers["content-type"] == "text/plain; charset=utf-8"
    assert len((await program.get(f"/attachments/files/{photo}?preview=1")).content) > 0


async def test_over_http(office: Office) -> None:
    """A program adds, lists, reads, shares and removes; what it sends is checked as everybody's."""
    async with await office.kit.client(*THEIRS, "attachments.manage") as program:
        body = {"of": "document", "id": office.order, "name": "../a.txt", "content": base64.b64encode(b"hello").decode()}
        made = await program.post("/api/attachments/files", json=body)
        assert made.status_code == 201, made.text
        (row,) = (await program.get("/api/attachments/files", params={"of": "document", "id": office.order})).json()
        assert (row["id"], row["name"], row["shared"]) == (made.json(), "a.txt", False)
        at = f"/api/attachments/files/{row['id']}"
        assert base64.b64decode((await program.get(at)).json()["content"]) == b"hello"
        assert (await program.post(f"{at}/share", json={"shared": True})).status_code == 204
        assert (await program.delete(at)).status_code == 204
        bad = [{"content": "***"}, {"content": "PHN2Zz4="}, {"name": "a\nb.txt"}, {"of": "../x"}, {"of": "no.such"}, {"id": 999_999}]
        assert [(await program.post("/api/attachments/files", json=body | b)).status_code for b in bad] == [422, 422, 422, 422, 404, 404]
        large = [("files", ("a.pdf", PDF + b"x" * 11_000_000, "application/pdf"))]
        assert "attachments.large" in (await program.post(f"/attachments/of/document/{office.order}", files=large)).text


async def test_a_customer_over_http(office: Office) -> None:
    """With a login of its own, B gets at its own order's files and at nothing of A's."""
    kit, secret = office.kit, await office.add(office.clerk, Upload("SECRET.txt", b"SECRET"))
    own = await office.add(office.manager, Upload("offer.txt", b"for B"), on=office.other, shared=True)
    role = await kit.record("newel.role", code="customer", name="Customer")
    for permission in THEIRS:
        await kit.record("newel.role_permission", role=role, permission=permission)
    party = await kit.app.records.find("newel.party", "B", kit.context)
    await kit.app.users.create("beta", PASSWORD, "Beta", ["customer"], [kit.context.company.id], kit.context, party=party)
    user = await kit.app.users.authenticate("beta", PASSWORD)
    assert user
    token = await kit.app.users.create_token(user, "test", 10)
    async with httpx.AsyncClient(transport=(await kit.client())._transport, base_url="http://newel.test", headers={"Authorization": f"Bearer {token}"}) as b:
        assert (await b.get(f"/attachments/files/{own}")).text == "for B"
        for path in (f"/attachments/files/{secret}", f"/api/attachments/files/{secret}", f"/attachments/of/document/{office.order}"):
            answer = await b.get(path)
            assert (answer.status_code, "SECRET" in answer.text) == (404, False), path
        assert (await b.post(f"/attachments/files/{secret}/remove")).status_code == 404
        assert (await b.post(f"/attachments/files/{secret}/share")).status_code == 403
