"""newel.toml against what is there: every conflict at once, named with both, before anything is changed; apply makes it so, and a second one does nothing."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from newel.config import Config, RoleConfig, load
from newel.domain.kinds import DocumentKind, Flow, State, Transition
from newel.domain.ledger import PostingRule
from newel.domain.pricing import Price
from newel.errors import NewelError, StartupError
from newel.hookspecs import hookimpl
from newel.manifest import Manifest, RecordKind
from newel.plugins import discover
from newel.services.app import Newel
from newel.store.columns import Id
from newel.store.tables_master import Item
from newel_ops.compose import Row, compose
from newel_ops.databases import opened
from newel_ops.plan import apply, plan
from newel_ops.state import differing, state
from newel_sdk.testing import running
from piccolo.table import Table

from tests import shop

STATES = (State(name="draft", label="Draft", phase="draft"), State(name="done", label="Done", phase="done"))
GO = Transition(name="go", label="Go", sources=("draft",), target="done", effects=())


def plugin(name: str, manifest: Manifest | None = None, **hooks: Any) -> Any:
    """A plugin as an object."""
    declared = manifest or Manifest(name=name, label=name)

    @hookimpl
    def register_plugin() -> Manifest:
        return declared

    return SimpleNamespace(register_plugin=register_plugin, **{k: hookimpl(f) for k, f in hooks.items()})


def pair(**claim: Any) -> dict[str, Any]:
    """Two plugins that claim the same."""
    return {n: plugin(n, Manifest(name=n, label=n, **claim)) for n in ("alpha", "beta")}


def conflicts(config: Config, modules: dict[str, Any]) -> list[Row]:
    return [r for r in compose(config, modules).rows if r.level == "conflict"]


class Shared(Table, tablename="alpha_beta_shared"):
    id = Id()


def always(line: Any) -> Price:
    return Price(amount=line.quantity, rule="always")


def sometimes(line: Any, facts: Any) -> Price | None:
    return Price(amount=line.quantity, rule="sometimes") if facts.get(Shared) else None


KIND = DocumentKind(name="alpha.order", label="Order", label_plural="Orders", role="sale", states=STATES, transitions=(GO,))
RULE = PostingRule(source="transit", target="customer", debit="cogs", credit="stock")
CLAIMS: dict[str, dict[str, Any]] = {
    "table 'alpha_beta_shared'": {"tables": (Shared,)},
    "record kind 'alpha.thing'": {"records": (RecordKind(name="alpha.thing", table=Item, label="Thing", label_plural="Things"),)},
    "document kind 'alpha.order'": {"documents": (KIND,)},
    "flow": {"flows": (Flow(name="go", label="Go", link="gone", target_kind="alpha.order", source_role="sale"),)},
    "posting rule": {"posting_rules": (RULE,)},
    "check 'credit'": {"takes_over": ("credit",)},
}


@pytest.mark.parametrize("what", CLAIMS)
def test_two_plugins_that_claim_the_same_are_both_named(what: str, sqlite_url: str) -> None:
    (found, *_) = conflicts(Config(database=sqlite_url), pair(**CLAIMS[what]))
    assert what in found.text
    assert found.about == "plugins alpha and beta" and "under disabled" in found.do
    assert not Path(sqlite_url.removeprefix("sqlite:///")).exists(), "nothing is made"


def test_everything_that_stands_in_the_way_is_told_at_once(sqlite_url: str) -> None:
    """The kernel stops at the first one; the plan goes on."""
    modules = {
        **pair(**CLAIMS["posting rule"]),
        "gamma": plugin("gamma", Manifest(name="gamma", label="g", documents=(KIND,))),
        "friend": plugin("friend", Manifest(name="friend", label="f", needs=("beta",))),
        "lonely": plugin("lonely", Manifest(name="lonely", label="l", needs=("nobody",))),
        "round": plugin("round", Manifest(name="round", label="r", needs=("trip",))),
        "trip": plugin("trip", Manifest(name="trip", label="t", needs=("round",))),
        "old": plugin("old", Manifest(name="old", label="o", api=99)),
        "typo": plugin("typo", decide_prize=always),
    }
    config = Config(database=sqlite_url, settings={"alpha": {"wrong": 1}}, precedes={"old": ("typo",), "typo": ("old",)})
    told = {r.about: r.text for r in conflicts(config, modules)}
    assert "posting rule" in told["plugins alpha and beta"]
    assert "plugin friend" not in told, "it needs beta, which is told already"
    assert "must be named gamma." in told["plugin gamma"]
    assert told["plugin lonely"] == "needs nobody: install or enable it"
    assert "in a circle" in told["plugin round"] or "in a circle" in told["plugin trip"]
    assert "hooks version 99" in told["plugin old"]
    assert "no hook 'decide_prize'" in told["plugin typo"]
    assert "there is no setting 'wrong'" in told["settings alpha"]
    assert "precede each other" in told["plugins old and typo"]


def test_two_answers_to_one_question_are_found_before_a_document_is_made(sqlite_url: str) -> None:
    """Two that always answer are a conflict unless one precedes; two that may answer are told and do not stand in the way."""
    both = {"shop": shop.module(), "first": plugin("first", decide_price=always), "second": plugin("second", decide_price=always)}
    (found,) = conflicts(Config(database=sqlite_url), both)
    assert found.about == "plugins first and second"
    assert "decide_price: both answer for shop.order, shop.receipt, shop.invoice" in found.text and "precedes" in found.do
    assert conflicts(Config(database=sqlite_url, precedes={"second": ("first",)}), both) == []
    (circle,) = conflicts(Config(database=sqlite_url, precedes={"second": ("first",), "first": ("second",)}), both)
    assert "in a circle" in circle.text
    calm = both | {"second": plugin("second", decide_price=sometimes)}
    assert conflicts(Config(database=sqlite_url), calm) == []
    assert any(r.level == "note" and r.about == "plugins first and second" for r in compose(Config(database=sqlite_url), calm).rows)


def test_bundled_plugins_stand_in_nobodys_way(sqlite_url: str) -> None:
    assert [r for r in compose(Config(database=sqlite_url), discover()[0]).rows if r.level != "note"] == []


def test_versions_and_missing_packages(tmp_path: Path, sqlite_url: str) -> None:
    file = tmp_path / "newel.toml"
    file.write_text(f'database = "{sqlite_url}"\nplugins = ["sales >= 0.1, < 1", "mail>=2", "loyalty ~= 1.4"]\n')
    config = load(file)
    assert config.plugins == ("sales", "mail", "loyalty")
    rows = {r.about: r for r in compose(config).rows if r.level == "package"}
    assert rows["plugin mail"].do == "newel-mail>=2" and "0.1.0 is installed, >=2 is stated" in rows["plugin mail"].text
    assert rows["plugin loyalty"].do == "newel-loyalty~=1.4"
    assert "plugin sales" not in rows
    file.write_text('plugins = ["Sales!"]')
    with pytest.raises(StartupError, match=r"expected a name, or a name and versions .* got 'Sales!'"):
        load(file)


@pytest.mark.capability("NEW-20")
@pytest.mark.capability("NEW-05")
async def test_an_install_is_built_from_one_file(database_url: str, tmp_path: Path) -> None:
    """Plan shows it, apply makes it, a second apply does nothing, and the difference between two installs is told."""
    config, every = Config(database=database_url), discover()[0]
    assert any(r.level == "change" for r in (await plan(config, every)).rows)
    done = await apply(config, every)
    assert any(line.startswith("migration newel m0001") for line in done)
    assert await apply(config, every) == []
    async with running(database_url, every):
        pass
    roles = {"packer": RoleConfig(name="Packer", permissions=("shipping.delivery.view", "shipping.delivery.ship"))}
    stated = Config(database=database_url, settings={"sales": {"quotation_days": 21}}, roles=roles)
    first = [(r.about, r.level) for r in (await plan(stated, every)).rows if r.level != "note"]
    assert first == [("role packer", "change")], "a setting that nobody stored holds by itself"
    assert await apply(stated, every) == ["role packer: shipping.delivery.ship, shipping.delivery.view"]

    app = Newel(stated, every)
    await app.start()
    async with app.database.read() as session:
        context = await app.context(session, app.system(None).user)
        events = await session.value("SELECT COUNT(*) AS n FROM record_event WHERE source = 'newel.toml'")
    assert events == 3, "who made the role is in its history"
    from newel.services.administration import save_settings

    await save_settings(app, "sales", {"quotation_days": 5}, context)
    role = await app.records.find("newel.role", "packer", context)
    await app.records.save("newel.role_permission", None, {"role": role, "permission": "newel.item.edit"}, context)
    await app.close()
    told = {r.about: r for r in (await plan(stated, every)).of("change")}
    assert told["settings sales"].text == "quotation_days of company TEST is 5, newel.toml says 21"
    assert told["role packer"].do == "it loses newel.item.edit"
    assert len(await apply(stated, every)) == 2
    assert await apply(stated, every) == [] and (await plan(stated, every)).of("change") == []

    other = tmp_path / "other.json"
    import msgspec

    other.write_bytes(msgspec.json.encode({**await state(stated), "setting TEST sales.quotation_days": "30", "plugin loyalty": "1.0"}))
    file = tmp_path / "newel.toml"
    file.write_text(f'database = "{database_url}"\n[settings.sales]\nquotation_days = 21\n')
    rows = await differing(file, other)
    assert [(r["what"], r[str(file)], r[str(other)]) for r in rows] == [("plugin loyalty", "-", "1.0"), ("setting TEST sales.quotation_days", "21", "30")]


async def test_nothing_is_changed_while_there_is_a_conflict(database_url: str) -> None:
    async with running(database_url, {"shop": shop.module()}):
        pass
    roles = {"packer": RoleConfig(permissions=("shop.order.view",))}
    modules = {"shop": shop.module(), **pair(**CLAIMS["posting rule"])}
    with pytest.raises(NewelError, match=r"plugins alpha and beta: posting rule .* nothing was changed; `newel plan` shows all 1"):
        await apply(Config(database=database_url, roles=roles), modules)
    async with opened(database_url) as database, database.read() as session:
        assert await session.value("SELECT COUNT(*) AS n FROM role WHERE code = 'packer'") == 0


class Card(Table, tablename="loyalty_card"):
    id = Id()


async def test_a_table_that_somebody_else_made_is_a_conflict(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "newel_loyalty"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "migrations" / "m0001.sql").write_text('CREATE TABLE "loyalty_card" ("id" BIGINT PRIMARY KEY NOT NULL);\n')
    (package / "piccolo_app.py").write_text(
        "from pathlib import Path\nfrom piccolo.conf.apps import AppConfig\n"
        "APP_CONFIG = AppConfig(app_name='loyalty', migrations_folder_path=str(Path(__file__).parent / 'migrations'), table_classes=[])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    async with running(database_url, {}) as (app, _context), app.database.write() as session:
        await session.fetch('CREATE TABLE "loyalty_card" ("id" BIGINT PRIMARY KEY NOT NULL)')
    modules = {"loyalty": plugin("loyalty", Manifest(name="loyalty", label="Loyalty", piccolo_app="newel_loyalty.piccolo_app", tables=(Card,)))}
    (found,) = (await plan(Config(database=database_url), modules)).of("conflict")
    assert found.about == "plugin loyalty" and "its table loyalty_card is there already" in found.text
