"""An upgrade is rehearsed on a copy: what it would change is named with the rule that does it, and the company's own data stays as it is."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from newel.config import Config
from newel.domain.document import DocumentInput, LineInput
from newel.domain.pricing import Adjustment, Price
from newel.manifest import Manifest
from newel.plugins import discover
from newel_ops.databases import installed_apps, moment, opened
from newel_ops.rehearse import rehearse
from newel_ops.tables import Sum, sums_of
from newel_sdk.testing import item, party, running

from ops.tests.test_plan import plugin
from tests import shop


def discount(percent: str) -> Any:
    """A discount of so much on every line."""

    def propose_adjustments(document: Any, stage: str) -> list[Adjustment]:
        return [Adjustment(rule="spring", line=x.id, percent=-Decimal(percent)) for x in document.lines] if stage == "line" else []

    return propose_adjustments


def modules(percent: str, **more: Any) -> dict[str, Any]:
    return {"shop": shop.module(), "deals": plugin("deals", propose_adjustments=discount(percent)), **more}


async def company(url: str) -> None:
    """Five orders of 1 to 5 bolts, three of them confirmed."""
    async with running(url, modules("10")) as (app, context):
        await item(app, context, "BOLT", price="10")
        customer = await party(app, context, "ACME")
        for n in range(1, 6):
            entered = DocumentInput(party=customer, lines=(LineInput(item="BOLT", quantity=Decimal(n)),))
            await app.documents.create("shop.order", entered, context, then=["confirm"] if n > 2 else ())


async def sums(url: str) -> dict[str, Sum]:
    async with opened(url) as database, moment(database) as now:
        return await sums_of(now.session, now.tables.values())


@pytest.mark.capability("NEW-04")
async def test_amounts_that_an_upgrade_would_change_are_named(database_url: str) -> None:
    await company(database_url)
    before, config = await sums(database_url), Config(database=database_url)
    same = await rehearse(config, modules=modules("10"))
    assert same.clean and same.replayed == 5
    upgraded = await rehearse(config, 3, modules=modules("12"))
    assert not upgraded.clean and upgraded.replayed == 3
    net = [d for d in upgraded.differences if d.what == "net"]
    assert [(d.document, d.before, d.after) for d in net] == [
        ("shop.order SO2026-00005", "45.0000", "44.00"), ("shop.order SO2026-00004", "36.0000", "35.20"), ("shop.order SO2026-00003", "27.0000", "26.40"),
    ]  # fmt: skip
    assert net[0].because == "line 10: deals spring: 45.0000, now deals spring: 44.00"
    again = await rehearse(config, 3, modules=modules("12"), baseline=upgraded.amounts)
    assert again.clean, "what was accepted once is no news"
    assert await sums(database_url) == before, "the company's own data has changed"


async def test_a_rival_that_would_stop_documents_is_found(database_url: str) -> None:
    """Two price rules that nobody could tell apart without the company's items."""
    await company(database_url)

    def bolts(line: Any) -> Price | None:
        return Price(amount=Decimal(9), rule="bolts") if line.item and line.item.number == "BOLT" else None

    rivals = modules("10", one=plugin("one", decide_price=bolts), two=plugin("two", decide_price=bolts))
    result = await rehearse(Config(database=database_url), modules=rivals)
    assert len(result.differences) == 5
    assert "both 'one' and 'two' answer" in result.differences[0].because


def migrating(tmp_path: Path, text: str) -> tuple[Any, Any]:
    """A plugin with one migration, and its app."""
    from importlib import import_module

    package = tmp_path / "newel_steps"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "migrations" / "m0001.sql").write_text(text)
    (package / "piccolo_app.py").write_text(
        "from pathlib import Path\nfrom piccolo.conf.apps import AppConfig\n"
        "APP_CONFIG = AppConfig(app_name='steps', migrations_folder_path=str(Path(__file__).parent / 'migrations'), table_classes=[])\n"
    )
    import sys

    sys.modules.pop("newel_steps", None)
    sys.modules.pop("newel_steps.piccolo_app", None)
    return plugin("steps", Manifest(name="steps", label="Steps", piccolo_app="newel_steps.piccolo_app")), import_module("newel_steps.piccolo_app").APP_CONFIG


async def test_migrations_run_on_the_copy_only(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    await company(database_url)
    monkeypatch.syspath_prepend(str(tmp_path))
    steps, app = migrating(tmp_path, 'CREATE TABLE "steps_thing" ("id" BIGINT PRIMARY KEY NOT NULL);\n')
    result = await rehearse(Config(database=database_url), modules=modules("10", steps=steps), apps=installed_apps() | {"steps": app})
    assert result.clean and result.migrations == ["steps m0001"]
    assert "steps_thing" not in await sums(database_url)


async def test_a_migration_that_breaks_the_books_is_found(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every invariant is recomputed on the copy."""
    await company(database_url)
    monkeypatch.syspath_prepend(str(tmp_path))
    steps, app = migrating(tmp_path, "UPDATE document SET tax = tax + 10000 WHERE id = (SELECT MAX(id) FROM document);\n")
    result = await rehearse(Config(database=database_url), modules=modules("10", steps=steps), apps=installed_apps() | {"steps": app})
    assert any(f.startswith("totals: document") for f in result.findings) and not result.clean
    (package,) = [tmp_path / "newel_steps" / "migrations" / "m0001.sql"]
    package.write_text("CREATE NONSENSE;\n")
    result = await rehearse(Config(database=database_url), modules=modules("10", steps=steps), apps=installed_apps() | {"steps": app})
    assert result.off and "steps: can't be migrated" in result.off[0]


async def test_the_demonstration_company_replays_to_the_cent(demo_url: str) -> None:
    result = await rehearse(Config(database=demo_url), 1000, modules=discover()[0])
    assert result.clean, result.differences[:3]
    assert result.replayed > 80
