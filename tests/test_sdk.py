"""The workshop for authors of plugins: scaffold, test kit, stories, public surface, bisection."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from decimal import Decimal
from email.message import EmailMessage
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from newel.domain.document import Document
from newel.errors import NewelError
from newel.plugins import discover
from newel_sdk.bisecting import Bisection
from newel_sdk.kit import Clock, modules
from newel_sdk.scaffolding import scaffold
from newel_sdk.stories import StoryError, tell
from newel_sdk.strategies import document_inputs, documents, samples
from newel_sdk.surface import compare, read, surface

ROOT = Path(__file__).parents[1]


# ---- scaffold ----------------------------------------------------------------------------------------------------------------------


def installed(root: Path, site: Path) -> dict[str, str]:
    """Build the distribution's wheel and unpack it into `site`; the environment of a process that finds it there."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--target", str(site), str(root)], check=True, capture_output=True, text=True)
    return {**os.environ, "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}


def passes(root: Path, environment: dict[str, str], *arguments: str) -> None:
    """Run the distribution's own tests."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=root, env=environment, check=False, capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_a_new_plugin_is_built_installed_and_passes_its_own_tests(tmp_path: Path) -> None:
    """Hook, table, page in the browser, API, translation, story and conformance, on both databases, from the wheel alone."""
    scaffold("loyalty", tmp_path)
    root = tmp_path / "newel-loyalty"
    environment = installed(root, tmp_path / "site")
    (root / "newel_loyalty").rename(tmp_path / "not_this_one")  # what runs is what the wheel brought
    passes(root, environment)
    checked = subprocess.run([sys.executable, "-m", "newel.cli", "plugin", "check", "loyalty"], env=environment, check=False, capture_output=True, text=True)
    assert "loyalty: " in checked.stdout and checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("without", [["table"], ["screen"], ["api", "translation", "story"]], ids="+".join)
def test_parts_that_are_left_out_leave_nothing_behind(tmp_path: Path, without: list[str]) -> None:
    scaffold("spring_sale", tmp_path, without)
    root = tmp_path / "newel-spring-sale"
    names = {p.name for p in root.rglob("*") if p.is_file()}
    for part, file in (("table", "tables.py"), ("screen", "overview.html"), ("translation", "de.po"), ("story", "story_discount.md")):
        assert (file in names) == (part not in without and not (part in ("screen", "story") and "table" in without))
    clean = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E,F,I,UP,B", "--line-length", "160", "."],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )
    assert clean.returncode == 0, clean.stdout
    passes(root, installed(root, tmp_path / "site"), "-k", "not postgresql and not screen and not conformance")


def test_a_name_that_can_not_be_one_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    for name in ("Loyalty", "2nd", "a-b", "newel", "api", "x" * 31):
        with pytest.raises(NewelError, match=name):
            scaffold(name, tmp_path)
    with pytest.raises(NewelError, match="there is no part tabel"):
        scaffold("loyalty", tmp_path, ["tabel"])
    assert list(tmp_path.iterdir()) == []
    scaffold("loyalty", tmp_path)
    with pytest.raises(NewelError, match="not empty"):
        scaffold("loyalty", tmp_path)


# ---- test kit ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.plugins("shop", "sales")
async def test_the_kit_is_an_install_with_the_chosen_plugins(kit: Any, clock: Clock) -> None:
    """Builders, the clock, rights over HTTP, and a person at the pages."""
    assert kit.app.plugins.order == ("sales", "shop")
    await kit.party("C1")
    await kit.item("BOLT", price="2.50", cost="1")
    await kit.stock("BOLT", 10, 10)
    clock.advance(days=30)
    order = (await kit.document("shop.order", "C1", ("BOLT", 4), then=["confirm"])).document
    assert (order.net, order.date.isoformat()) == (Decimal("10.00"), "2026-02-14")
    await kit.follow(order.id, "shop.delivery:deliver", then=["ship"])
    admin, looker, browser = await kit.client(), await kit.client("shop.order.view"), await kit.browser()
    assert (await admin.get("/api/documents/shop.order")).status_code == 200
    assert (await looker.get("/api/documents/shop.invoice")).status_code == 403
    assert order.number in (await browser.get("/documents/shop.order")).text
    assert await kit.verify() == []


async def test_mail_stays_in_memory(mailbox: list[EmailMessage]) -> None:
    import smtplib

    import aiosmtplib

    message = EmailMessage()
    message["Subject"] = "Your order"
    await aiosmtplib.send(message, hostname="smtp.example")
    smtplib.SMTP("smtp.example").send_message(message)
    assert [m["Subject"] for m in mailbox] == ["Your order", "Your order"]


def test_a_plugin_that_is_not_installed_is_named() -> None:
    with pytest.raises(LookupError, match=r"'ghost' is not installed"):
        modules(["ghost"])


@given(documents(classes=("GOLD",)))
@settings(max_examples=30)
def test_random_documents_add_up(document: Document) -> None:
    assert document.net == sum(line.net for line in document.lines)


@pytest.mark.plugins("shop")
async def test_random_documents_can_be_entered(kit: Any) -> None:
    await kit.party("C1")
    await kit.item("BOLT", price="0.12")
    for entered in samples(document_inputs(["C1"], ["BOLT"]), 10):
        await kit.app.documents.create("shop.order", entered, kit.context)
    assert await kit.verify() == []


# ---- stories -----------------------------------------------------------------------------------------------------------------------

STORY = dedent("""
    # A story

    Given the plugins `shop`.
    Given the customer:

    | party |
    | --- |
    | C1 |

    And the item:

    | item | price |
    | --- | --- |
    | BOLT | 2.00 |

    When a `shop.order` is made for `C1`:

    | item | quantity |
    | --- | --- |
    | BOLT | 3 |

    Then it has:

    | net |
    | --- |
    | 6.00 |
    """)


def test_a_story_is_a_test(sqlite_url: str) -> None:
    asyncio.run(tell("story.md", STORY, sqlite_url))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("| 6.00 |", "| 7.00 |", ["line 23", "net: expected '7.00', got 6.0000"]),
        ("made for `C1`", "sold to `C1`", ["no step has the form"]),
        ("| BOLT | 3 |", "| NUT | 3 |", ["it was refused", "NUT"]),
        ("Then it has:", "Then it is refused with `stock.short`.\nAnd it has:", ["expected to be refused with stock.short"]),
    ],
)
def test_a_story_that_comes_out_otherwise_says_where(sqlite_url: str, old: str, new: str, words: list[str]) -> None:
    assert old in STORY
    with pytest.raises(StoryError) as error:
        asyncio.run(tell("story.md", STORY.replace(old, new), sqlite_url))
    assert [w for w in words if w not in str(error.value)] == [], str(error.value)


# ---- the public surface ------------------------------------------------------------------------------------------------------------


def test_nothing_public_is_broken_without_a_new_version() -> None:
    """A break needs the next API_VERSION, or the old name kept in newel/deprecated.py; then `make surface`."""
    from newel import API_VERSION

    version, recorded = read(ROOT / "docs" / "api_surface.txt")
    additions, breaks = compare(recorded, surface())
    if version == API_VERSION:
        assert breaks == [], "plugins may use this; keep it, or raise API_VERSION"
    assert additions == [], "an addition: run `make surface` and say it in CHANGELOG.md"


def test_additions_are_told_from_breaks() -> None:
    hook = "newel.hookspecs.decide_price"
    old = {"m.f()": "-> int", "m.f(a)": "str", "m.S": "class", "m.S.x": "int", f"{hook}()": "-> Price | None", f"{hook}(line)": "Line"}
    for change in (
        {"m.f(b)": "int = ..."},
        {"m.g()": "-> int", "m.g(a)": "str"},
        {"m.S.y": "int = ..."},
        {"m.T": "class", "m.T.x": "int"},
        {f"{hook}(more)": "int"},
        {"m.f(a)": "str = ..."},
    ):
        assert compare(old, old | change)[1] == [], change
        assert compare(old, old | change)[0], change
    for change in ({"m.f(b)": "int"}, {"m.f()": "-> str"}, {"m.S.y": "int"}, {"m.S.x": "str"}, {f"{hook}(line)": "Row"}):
        assert compare(old, old | change)[1], change
    assert compare(old, {n: w for n, w in old.items() if n != "m.S.x"})[1] == ["m.S.x: int is gone"]


# ---- finding the one at fault ------------------------------------------------------------------------------------------------------


def test_bisection_finds_one_plugin_and_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command stands for anything that goes wrong with some plugins; what runs with a plugin is what it needs, too."""
    (tmp_path / "newel.toml").write_text('database = "sqlite:///newel.db"\n')
    needs = {n: m.register_plugin().needs for n, m in discover()[0].items()}
    names = sorted(n for n in needs if not needs[n] and not any(n in more for more in needs.values()))

    def command(*guilty: str) -> list[str]:
        test = f"import os, sys; sys.exit({set(guilty)!r} <= set(os.environ['NEWEL_ONLY'].split(',')))"
        return [sys.executable, "-S", "-c", test]

    tried: list[Any] = []
    assert Bisection(tmp_path / "newel.toml", command(names[3])).run(lambda some, failed: tried.append(some)) == [names[3]]
    assert len(tried) < len(names) + 4
    assert Bisection(tmp_path / "newel.toml", command(names[0], names[-1])).run() == [names[0], names[-1]]
    assert Bisection(tmp_path / "newel.toml", command(names[0], names[-1]), keep=[names[0]]).run() == [names[-1]]
    with pytest.raises(NewelError, match="works with all plugins"):
        Bisection(tmp_path / "newel.toml", command("ghost")).run()
    with pytest.raises(NewelError, match="fails without any plugin"):
        Bisection(tmp_path / "newel.toml", command()).run()


def test_safe_mode_runs_some_plugins_only(tmp_path: Path) -> None:
    """--only and --without hold for one command and leave newel.toml as it is."""
    (tmp_path / "newel.toml").write_text('database = "sqlite:///newel.db"\ndisabled = ["mail"]\n')

    def states(*arguments: str) -> dict[str, str]:
        command = [sys.executable, "-m", "newel.cli", *arguments, "plugins"]
        done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
        return {line.split("\t")[0]: line.split("\t")[3] for line in done.stdout.splitlines()}

    assert {n for n, s in states("--only", "sales,shipping").items() if s == "running"} == {"sales", "shipping"}
    without = states("--without", "sales")
    assert (without["sales"], without["mail"], without["shipping"]) == ("off", "off", "running")
