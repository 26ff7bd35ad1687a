"""A plugin with a planted defect: the conformance suite names it. The plugin is the scaffold's own, which has none."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from newel.config import Config
from newel.services.app import Newel
from newel.services.verify import verify
from newel_sdk.conformance import examine
from newel_sdk.conformance.alive import Alive
from newel_sdk.conformance.subject import Subject
from newel_sdk.scaffolding import scaffold

HOOK = "    return rules.adjustments(document, stage, facts[Rates])"
GUARD = 'if stage != "document" or document.party is None:'
MANIFEST_END = '        locale="newel_{name}:locale",\n'

# what -> (file, old, new, check, part of the message); {name} is the plugin's
DEFECTS: dict[str, tuple[str, str, str, str, str]] = {
    "float money": ("rules.py", "percent=-percent,", "percent=Decimal(float(-percent)),", "money", "float"),
    "query in a rule": (
        "hooks.py", HOOK, "    import sqlite3\n\n    sqlite3.connect(':memory:').execute('SELECT 1')\n" + HOOK, "pure", "sqlite3",
    ),
    "foreign table": (
        "facts.py", "    return Rates(", "    await session.fetch(\"UPDATE party SET blocked = 'all' WHERE id = 0\")\n    return Rates(", "tables",
        "party, a table of 'newel'",
    ),
    "undeclared import": ("rules.py", "import msgspec\n", "import msgspec\nimport newel_sales\n", "imports", "newel_sales"),
    "wrong return type": ("rules.py", "return [Adjustment(", "return [str(percent), Adjustment(", "answers", "got str"),
    "order-dependent rule": (
        "rules.py", f"    {GUARD}", "    SEEN.append(document)\n    if len(SEEN) % 2:\n        return [Adjustment(rule=\"odd\", percent=Decimal(-1))]\n"
        f"    {GUARD}", "order", "asked again",
    ),
    "unbalanced posting rule": (
        "hooks.py", MANIFEST_END, MANIFEST_END + "        location_kinds=(LocationKind(name=\"{name}_van\"),),\n        posting_rules=(\n"
        "            PostingRule(source=\"storage\", target=\"{name}_van\", debit=\"cogs\", credit=\"stock\"),\n"
        "            PostingRule(source=\"{name}_van\", target=\"storage\", debit=\"stock\", credit=\"expense\"),\n        ),\n",
        "books", "leave a remainder",
    ),
    "broken back-migration": ("migrations/m0001.sql", ");\n", ");\n\nUPDATE newel_id SET next = next;\n", "migrations", "m0001.back.sql"),
    "missing translation": ("locale/de.po", 'msgid "10 is ten percent off."', 'msgid "10 is ten off."', "translations", "'10 is ten percent off.'"),
    "name collision": (
        "hooks.py", MANIFEST_END, MANIFEST_END + '        permissions=(("sales.order.confirm", "confirm orders"),),\n', "names", "sales.order.confirm",
    ),
    "over budget": ("hooks.py", MANIFEST_END, MANIFEST_END + "        budget_ms=0,\n", "budget", "100 lines"),
    "mutating its arguments": ("rules.py", f"    {GUARD}", f"    document.data[\"{{name}}\"] = stage\n    {GUARD}", "arguments", "changed its document"),
}  # fmt: skip
# What the new code of a defect refers to.
PRELUDE = {
    "order-dependent rule": ("rules.py", "class Rates(", "SEEN: list[Document] = []\n\n\nclass Rates("),
    "unbalanced posting rule": (
        "hooks.py", "from newel.domain.pricing",
        "from newel.domain.ledger import PostingRule\nfrom newel.domain.stock import LocationKind\nfrom newel.domain.pricing",
    ),
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder for a plugin whose package can be imported while the test runs."""
    yield tmp_path
    for name in [n for n in sys.modules if n.startswith("newel_planted")]:
        del sys.modules[name]


def planted(folder: Path, name: str, edits: list[tuple[str, str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """A new plugin with changed files, ready to be imported."""
    scaffold(name, folder)
    root = folder / f"newel-{name.replace('_', '-')}"
    for file, old, new in edits:
        path = root / f"newel_{name}" / file
        text, before = path.read_text("utf-8"), old.replace("{name}", name)
        assert before in text, f"{file} has no {before!r}"
        path.write_text(text.replace(before, new.replace("{name}", name), 1), "utf-8")
    monkeypatch.syspath_prepend(str(root))


async def test_the_scaffold_has_no_fault(made: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What every author starts from reaches the highest level."""
    planted(made, "planted", [], monkeypatch)
    report = await examine("planted", database_url, importlib.import_module("newel_planted.hooks"))
    assert [f for f in report.faults if f.check != "budget"] == []


@pytest.mark.capability("NEW-13")
async def test_random_documents_keep_the_books_in_every_currency(made: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debits equal credits, what is undone leaves nothing, and parts are the whole; with currencies of no, two and three digits.

    That the suite finds a plugin which breaks this is shown by the unbalanced posting rule below.
    """
    planted(made, "planted", [], monkeypatch)
    subject = Subject("planted", importlib.import_module("newel_planted.hooks"))
    assert [f for f in await Alive(subject, database_url).examine() if f.check == "books"] == []
    app = Newel(Config(database=database_url), {})
    await app.start()
    async with app.database.read() as session:
        posted = {r["currency"] for r in await session.fetch("SELECT DISTINCT currency FROM posting")}
        undone = await session.value("SELECT COUNT(*) AS n FROM journal_entry WHERE reverses IS NOT NULL")
        discounted = await session.value("SELECT COUNT(*) AS n FROM price_step WHERE plugin = 'planted'")
    assert await verify(app) == []
    await app.close()
    assert posted <= {"EUR", "JPY", "KWD", "USD"}
    assert len(posted) >= 3, "own and foreign ones, drawn at random"
    assert undone > 10
    assert discounted > 10


@pytest.mark.parametrize("defect", DEFECTS)
async def test_a_planted_defect_is_named(defect: str, made: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file, old, new, check, words = DEFECTS[defect]
    name = f"planted_{list(DEFECTS).index(defect)}"
    before = [PRELUDE[defect]] if defect in PRELUDE else []
    planted(made, name, [*before, (file, old, new)], monkeypatch)
    report = await examine(name, sqlite_url, importlib.import_module(f"newel_{name}.hooks"))
    assert any(f.check == check and words in f.message for f in report.faults), report.faults
    assert report.level != "platinum"
    # And nothing else is blamed, beyond what the defect really brings with it.
    assert {f.check for f in report.faults} - {check, "budget"} <= {"pure", "answers", "books", "arguments", "order", "money", "alone"}
