"""@asked: a plugin is called where it has something to say, and anywhere else it is as if it had answered None."""

from __future__ import annotations

import itertools
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from newel import defaults
from newel.domain.credit import Exposure
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.pricing import Price
from newel.errors import Problem
from newel.hookspecs import asked, hookimpl
from newel.jobs.worker import Worker
from newel.plugins import Plugins, Unfit
from newel_sdk.testing import TODAY, ask

from core.tests.test_engine import company
from core.tests.test_hooks import work_off
from core.tests.test_hookspecs import example
from core.tests.toys import TOY, order, plugin


class Member(msgspec.Struct, frozen=True):
    """What a plugin knows of a member."""


class Guest(msgspec.Struct, frozen=True):
    """What another plugin knows of somebody else."""


def document(kind: str, role: str) -> Document:
    return Document(id=1, kind=kind, role=role, state="draft", date=TODAY)


DOCUMENTS = [document(*names) for names in (("sales.order", "sale"), ("sales.offer", "sale"), ("salesmen.order", "sale"), ("shipping.delivery", "delivery"))]
MEMBER, GUEST, NOBODY = Facts([Member()]), Facts([Guest()]), Facts()


def checking(*of: str, facts: type | None = None) -> Any:
    """A check that says which document it was asked about."""

    @asked(*of, facts=facts)
    def check_document(document: Any) -> list[Problem]:
        return [Problem(code=document.kind, message="asked")]

    return check_document


@pytest.mark.parametrize(
    ("of", "facts", "expected"),
    [
        ((), MEMBER, ["sales.order", "sales.offer", "salesmen.order", "shipping.delivery"]),
        (("sales.order",), NOBODY, ["sales.order"]),
        (("sales.",), NOBODY, ["sales.order", "sales.offer"]),
        (("sale",), NOBODY, ["sales.order", "sales.offer", "salesmen.order"]),
        (("sales.offer", "delivery"), NOBODY, ["sales.offer", "shipping.delivery"]),
        (("ghost.order",), NOBODY, []),
    ],
)
def test_by_kind_by_plugin_and_by_role(of: tuple[str, ...], facts: Facts, expected: list[str]) -> None:
    found = Plugins({"one": plugin("one", check_document=checking(*of))})
    for _ in range(2):
        answers = [found.propose("check_document", Problem, document=d, transition="", facts=facts, context=None) for d in DOCUMENTS]
        assert [p.code for answer in answers for _, p in answer] == expected


@pytest.mark.parametrize(("of", "expected"), [((), ["sales.order", "shipping.delivery"]), (("delivery",), ["shipping.delivery"])])
def test_by_facts_alone_and_together_with_kinds(of: tuple[str, ...], expected: list[str]) -> None:
    """The facts of each document count, not those of the one before of the same kind."""
    found = Plugins({"one": plugin("one", check_document=checking(*of, facts=Member))})

    def codes(facts: Facts) -> list[str]:
        answers = [found.propose("check_document", Problem, document=d, transition="", facts=facts, context=None) for d in (DOCUMENTS[0], DOCUMENTS[3])]
        return [p.code for answer in answers for _, p in answer]

    assert [codes(facts) for facts in (MEMBER, NOBODY, GUEST, MEMBER)] == [expected, [], [], expected]


def test_by_facts_where_there_is_no_document() -> None:
    exposed = asked(facts=Member)(lambda party: [Exposure(stage="points", amount=Decimal(1))])
    found = Plugins({"one": plugin("one", propose_exposure=exposed)})
    answers = [found.propose("propose_exposure", Exposure, party=None, facts=facts, context=None) for facts in (MEMBER, NOBODY)]
    assert [len(answer) for answer in answers] == [1, 0]


def test_who_is_not_asked_about_a_price_leaves_it_to_others() -> None:
    """No conflict between two that are asked about different documents, and the kernel's own answer where neither is, in any order of registration."""

    def price(of: str, rule: str) -> Any:
        return plugin(rule, decide_price=asked(of)(lambda line: Price(amount=1, rule=rule)))

    modules = {"retail": price("sales.order", "retail"), "offers": price("sales.offer", "offers")}
    own = SimpleNamespace(decide_price=lambda line: Price(amount=1, rule="list price"))
    for names in itertools.permutations(modules):
        found = Plugins({name: modules[name] for name in names}, own)
        answers = [found.decide("decide_price", Price, document=d, line=Line(id=1), facts=NOBODY, context=None) for d in DOCUMENTS]
        assert [plugin for plugin, _ in answers if plugin] == ["retail", "offers", "newel", "newel"]


def test_those_that_are_asked_keep_their_order() -> None:
    """By name, whoever was registered first, and whoever is asked about everything."""
    modules = {
        "c": plugin("c", check_document=checking("sales.")),
        "a": plugin("a", check_document=checking()),
        "b": plugin("b", check_document=checking("sale")),
    }
    for names in itertools.permutations(modules):
        found = Plugins({name: modules[name] for name in names})
        assert [found.implementers("check_document", document=d, facts=NOBODY) for d in DOCUMENTS[1:]] == [("a", "b", "c"), ("a", "b"), ("a",)]
        assert found.implementers("check_document") == ("a", "b", "c")


async def test_loading_and_telling_honour_it(database_url: str) -> None:
    """What isn't asked about orders reads nothing for them, and leaves no note for the worker."""
    loaded: list[str] = []
    told: list[str] = []
    seen: list[bool] = []

    @asked("invoice")
    async def load_facts(document: Any) -> Member:
        loaded.append(document.kind)
        return Member()

    @asked("toy.invoice")
    async def after_transition(document: Any) -> None:
        told.append(document.kind)

    @asked(facts=Member)
    def check_document(document: Any, facts: Any) -> None:
        seen.append(facts[Member] == Member() and document.role == "invoice")

    club = plugin("club", load_facts=load_facts, after_transition=after_transition, check_document=check_document)
    async with company(database_url, {"club": club}) as (app, context):
        sold = (await app.documents.create("toy.order", order(("BOLT", 1)), context, then=["confirm"])).document
        async with app.database.read() as session:
            notes = "SELECT COUNT(*) AS n FROM outbox WHERE plugin = 'club'"
            assert (loaded, seen, await session.value(notes)) == ([], [], 0)
        await app.documents.follow(sold.id, "invoice", context, then=["post"])
        await work_off(Worker(app))
        assert set(loaded) == {"toy.invoice"} and told == ["toy.invoice"] and seen and all(seen)


@pytest.mark.parametrize(
    ("hook", "function", "says"),
    [
        ("check_document", asked("sails")(lambda document: None), "'sails': a kind, all of a plugin ('sales.') or a role was expected"),
        ("check_document", asked("sale", "deliveries")(lambda document: None), "'deliveries'"),
        ("propose_exposure", asked("sale")(lambda party: None), "it knows none"),
        ("check_record", asked(facts=Member)(lambda kind: None), "it knows none, or no facts"),
        ("check_release", asked(facts=Member)(lambda document: None), "or no facts"),
    ],
)
def test_what_can_never_be_asked_is_refused_at_start(hook: str, function: Any, says: str) -> None:
    with pytest.raises(Unfit) as refused:
        Plugins({"toy": TOY, "club": plugin("club", **{hook: function})}, defaults)
    assert refused.value.plugin == "club" and all(text in str(refused.value) for text in ("'club'", hook, says))


def test_the_example_of_the_page_is_for_sales_to_members() -> None:
    page = example("register_plugin")
    member = Facts([page["Member"](Decimal(5))])
    answers = [ask(page["propose_adjustments"], d, "document", facts, None) for d, facts in itertools.product((DOCUMENTS[0], DOCUMENTS[3]), (member, NOBODY))]
    assert [answer and answer[0].percent for answer in answers] == [-5, None, None, None]


async def test_a_test_asks_as_the_kernel_does() -> None:
    """`ask` finds the document and the facts among the arguments, wherever they stand, or by name; it awaits nothing that isn't called."""

    @hookimpl
    @asked("sale", facts=Member)
    def decide_source(line: Any, facts: Any, document: Any) -> int:
        return 7

    @hookimpl
    @asked("sales.order")
    async def load_facts() -> Member:
        return Member()

    line = Line(id=1)
    assert [ask(decide_source, line, facts, d) for facts in (MEMBER, NOBODY) for d in DOCUMENTS] == [7, 7, 7, None, None, None, None, None]
    assert [await ask(load_facts, document=d) for d in DOCUMENTS[:2]] == [Member(), None]
    with pytest.raises(Unfit, match="sails"):
        ask(hookimpl(checking("sails")), DOCUMENTS[0])
