"""Plugins that raise, hang, lie or claim what is another's: named, refused, and nothing changed."""

from __future__ import annotations

import asyncio
import time
from decimal import Decimal as D
from typing import Any

import pytest
from newel import defaults, plugins
from newel.domain.document import Draft
from newel.domain.kinds import DocumentKind, Extension, State, Transition
from newel.domain.ledger import PostingRule
from newel.domain.pricing import Price
from newel.domain.stock import LocationKind
from newel.errors import Conflict, PluginFailed, Problem, Refused, StartupError
from newel.manifest import Manifest
from newel.plugins import Plugins
from newel.services.registry import Registry
from newel.watchdog import PATIENCE, RULE_SECONDS, rules_limit

from core.tests.test_engine import codes, company
from core.tests.toys import MANIFEST, TOY, order, plugin


def _raise(document: Any) -> Any:
    raise RuntimeError("boom")


def _hang(document: Any) -> Any:
    while True:
        pass


def _sleep(document: Any) -> Any:
    time.sleep(60)


async def _load_raise(document: Any) -> Any:
    raise RuntimeError("boom")


async def _load_dict(document: Any) -> Any:
    return {"not": "a struct"}


BAD = {
    "raises": {"check_document": _raise},
    "hangs": {"check_document": _hang},
    "sleeps": {"decide_tax": _sleep},
    "no sequence": {"check_document": lambda document: Problem(code="x", message="y")},
    "wrong thing in it": {"propose_adjustments": lambda document: ["-10 %"]},
    "float price": {"decide_price": lambda document: 9.99},
    "raises while loading": {"load_facts": _load_raise},
    "loads a dict": {"load_facts": _load_dict},
    "lines of nothing": {"propose_lines": lambda line: [("a", "BOLT")]},
    "lines of three": {"propose_lines": lambda line: [("a", "b", "c")]},
    "an unknown kind": {"propose_documents": lambda document: [Draft(kind="ghost.kind", input=order())]},
}


@pytest.mark.parametrize("fault", BAD)
async def test_a_faulty_plugin_is_named_and_nothing_changes(sqlite_url: str, fault: str) -> None:
    async with company(sqlite_url) as (app, context):
        app.plugins = Plugins({"toy": TOY, "faulty": plugin("faulty", **BAD[fault])}, defaults)
        started = time.monotonic()
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])
        assert (refused.value.status, codes(refused)) == (424, ["plugin.failed"])
        (problem,) = refused.value.problems
        assert problem.plugin == "faulty" and "faulty" in problem.message and problem.hint
        assert time.monotonic() - started < PATIENCE * RULE_SECONDS + 5
        async with app.database.read() as session:
            assert await session.value("SELECT COUNT(*) AS n FROM document WHERE kind = 'toy.order'") == 0


def test_rules_that_others_keep_waiting_for_the_processor_are_not_stopped() -> None:
    """What hangs uses the processor or outlasts any patience; what was kept waiting for a while does neither."""
    limit = rules_limit()
    limit.seconds = 0.2
    with limit:
        time.sleep(0.3)  # as if another process had it
    with pytest.raises(PluginFailed, match=r"0\.2 s"), limit:
        time.sleep(5)


async def test_a_loader_that_never_answers(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def load_facts(document: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr(plugins, "LOAD_SECONDS", 0.2)
    async with company(sqlite_url) as (app, context):
        app.plugins = Plugins({"toy": TOY, "slow": plugin("slow", load_facts=load_facts)}, defaults)
        with pytest.raises(Refused) as refused:
            await app.documents.create("toy.order", order(("BOLT", 1)), context)
        assert "'slow'" in str(refused.value) and "0.2 s" in str(refused.value)


async def test_a_hanging_plugin_in_a_thread_is_stopped_too(sqlite_url: str) -> None:
    def work() -> list[str]:
        async def main() -> list[str]:
            async with company(sqlite_url) as (app, context):
                app.plugins = Plugins({"toy": TOY, "faulty": plugin("faulty", check_document=_hang)}, defaults)
                with pytest.raises(Refused) as refused:
                    await app.documents.create("toy.order", order(("BOLT", 1)), context)
                return codes(refused)

        return asyncio.run(main())

    assert await asyncio.to_thread(work) == ["plugin.failed"]


# ---- start --------------------------------------------------------------------------------------------------------------------------


def _kind(name: str) -> DocumentKind:
    return DocumentKind(name=name, label="X", label_plural="Xs", role="sale", states=(State(name="draft", label="Draft", phase="draft"),), transitions=())


def _registry(*manifests: Manifest) -> Registry:
    from newel.defaults import register_plugin

    return Registry([register_plugin(), *manifests])


@pytest.mark.parametrize(
    ("what", "claim"),
    [
        ("posting rule", {"posting_rules": (PostingRule(source="transit", target="customer", debit="cogs", credit="stock"),)}),
        ("location kind", {"location_kinds": (LocationKind(name="moon"),)}),
        ("line kind", {"line_kinds": MANIFEST.line_kinds}),
    ],
)
def test_two_plugins_claiming_the_same_are_both_named(what: str, claim: dict[str, Any]) -> None:
    first, second = Manifest(name="first", label="First", **claim), Manifest(name="second", label="Second", **claim)
    for pair in ((first, second), (second, first)):
        with pytest.raises(Conflict, match=rf"{what}.*'first' and 'second'"):
            _registry(*pair)


async def _print(*_args: Any) -> tuple[str, bytes]:
    return "", b""


def test_one_plugin_prints() -> None:
    with pytest.raises(StartupError, match="plugin 'second': it prints documents, and so does 'first'"):
        _registry(*(Manifest(name=name, label=name, prints=_print) for name in ("second", "first")))


def test_a_plugin_keeps_to_its_own_names() -> None:
    from newel.store.tables_master import Item

    with pytest.raises(StartupError, match=r"plugin 'thief': 'toy\.order' must be named thief"):
        _registry(Manifest(name="thief", label="Thief", documents=(_kind("toy.order"),)))
    with pytest.raises(Conflict, match="table 'item' is declared twice"):
        _registry(Manifest(name="newel2", label="x", tables=(Item,)), Manifest(name="other", label="x", tables=(Item,)))
    with pytest.raises(StartupError, match="must be named thief_"):
        _registry(Manifest(name="thief", label="Thief", tables=(Item,)))


def test_declarations_that_can_not_work_name_their_plugin() -> None:
    bad = DocumentKind(
        name="odd.kind", label="X", label_plural="Xs", role="sale", states=(State(name="draft", label="Draft", phase="draft"),),
        transitions=(Transition(name="go", label="Go", sources=("draft",), target="nowhere", effects=("explode",)),),
    )  # fmt: skip
    with pytest.raises(StartupError, match=r"plugin 'odd'.*explode, nowhere"):
        _registry(Manifest(name="odd", label="Odd", documents=(bad,)))


def test_an_extension_of_what_is_not_installed_rests() -> None:
    registry = _registry(MANIFEST, Manifest(name="more", label="More", extends=(Extension(kind="ghost.order", effects={"confirm": ("move",)}),)))
    assert "ghost.order" not in registry.documents
    widened = _registry(MANIFEST, Manifest(name="more", label="More", extends=(Extension(role="sale", effects={"confirm": ("post",)}),)))
    transition = widened.kind("toy.order").transition("confirm")
    assert transition is not None and transition.effects == ("credit", "reserve", "post")


def test_misspelt_hooks_and_arguments_are_found_at_start() -> None:
    with pytest.raises(StartupError, match="no hook 'decide_prize'"):
        Plugins({"typo": plugin("typo", decide_prize=lambda line: None)})
    with pytest.raises(StartupError, match=r"(?s)typo.*lime"):
        Plugins({"typo": plugin("typo", decide_price=lambda lime: None)})

    async def check_document(document: Any) -> Any:
        return ()

    with pytest.raises(StartupError, match="check_document must be synchronous"):
        Plugins({"typo": plugin("typo", check_document=check_document)})


def test_plugins_that_can_not_run_are_off_with_a_reason() -> None:
    def broken() -> Any:
        raise OSError("no such library")

    found = Plugins(
        {
            "old": plugin("old", Manifest(name="old", label="Old", api=99)),
            "lonely": plugin("lonely", Manifest(name="lonely", label="Lonely", needs=("friend",))),
            "liar": plugin("liar", Manifest(name="other", label="Liar")),
            "broken": type("Broken", (), {"register_plugin": staticmethod(broken)})(),
            "good": plugin("good"),
        }
    )
    assert list(found.manifests) == ["good"]
    reasons = {o.name: o.reason for o in found.off}
    assert "hooks version 99" in reasons["old"] and "needs friend" in reasons["lonely"]
    assert "name='other'" in reasons["liar"] and "no such library" in reasons["broken"]


def test_two_answers_are_a_conflict_unless_one_precedes() -> None:
    def answer(amount: int) -> Any:
        return lambda line: Price(amount=D(amount), rule="r")

    def ask(**precedes: tuple[str, ...]) -> Any:
        found = Plugins(
            {
                n: plugin(n, Manifest(name=n, label=n, precedes=precedes.get(n, ())), decide_price=answer(i))
                for i, n in enumerate(("alpha", "beta", "gamma"))
                if n != "gamma" or precedes
            }
        )
        return found.decide("decide_price", Price, document=None, line=None, facts=None, context=None)

    with pytest.raises(Conflict, match="'alpha' and 'beta'"):
        ask()
    assert ask(alpha=("beta", "gamma"), beta=("gamma",))[0] == "alpha"
    assert ask(gamma=("alpha", "beta"))[0] == "gamma"
    with pytest.raises(Conflict):
        ask(gamma=("alpha",), beta=("alpha",))


async def test_a_plugin_that_can_not_be_migrated_is_off_and_the_others_run(database_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its reason is kept, nothing of its migration stays, and what it owned can still be read."""
    from newel_sdk.testing import running

    package = tmp_path / "newel_wobbly"
    (package / "migrations").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "piccolo_app.py").write_text(
        "from pathlib import Path\nfrom piccolo.conf.apps import AppConfig\n"
        "APP_CONFIG = AppConfig(app_name='wobbly', migrations_folder_path=str(Path(__file__).parent / 'migrations'), table_classes=[])\n"
    )
    (package / "migrations" / "m0001.sql").write_text('CREATE TABLE "wobbly_thing" ("id" BIGINT PRIMARY KEY);\n\nCREATE NONSENSE;\n')
    monkeypatch.syspath_prepend(str(tmp_path))
    wobbly = plugin("wobbly", Manifest(name="wobbly", label="Wobbly", piccolo_app="newel_wobbly.piccolo_app"))
    async with running(database_url, {"toy": TOY, "wobbly": wobbly}) as (app, _context):
        assert app.plugins.order == ("toy",)
        assert [o.name for o in app.off] == ["wobbly"] and "m0001" in app.off[0].reason
        with pytest.raises(Exception, match="wobbly_thing"):
            async with app.database.read() as session:
                await session.fetch("SELECT * FROM wobbly_thing")


async def test_documents_of_a_plugin_that_is_gone_can_be_read_and_not_changed(database_url: str) -> None:
    from newel_sdk.testing import running

    async with company(database_url) as (app, context):
        made = (await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])).document
    async with running(database_url, {}) as (app, context):
        assert (await app.documents.get(made.id, context)).number == made.number
        for work in (app.documents.act(made.id, "cancel", context), app.documents.update(made.id, made.version, order(("BOLT", 2)), context)):
            with pytest.raises(Refused) as refused:
                await work
            assert refused.value.status == 404
