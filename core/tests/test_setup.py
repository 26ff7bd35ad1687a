"""Setting up a company: complete, balanced, and safe to repeat."""

from datetime import date
from types import SimpleNamespace

import pytest
from newel.domain.context import User
from newel.domain.kinds import DocumentKind, State, Transition
from newel.domain.ledger import AccountRole
from newel.domain.stock import LocationKind
from newel.errors import Refused
from newel.hookspecs import hookimpl
from newel.manifest import Manifest
from newel.services.setup import create_admin, set_up_company
from newel.store.master import load_master
from newel_sdk.testing import running

ORDER = DocumentKind(
    name="lease.order", label="Lease", label_plural="Leases", role="sale", states=(State(name="draft", label="Draft", phase="draft"),),
    transitions=(Transition(name="confirm", label="Confirm", sources=("draft",), target="draft"),),
)  # fmt: skip


@hookimpl
def register_plugin() -> Manifest:
    return Manifest(
        name="lease",
        label="Lease",
        documents=(ORDER,),
        account_roles=(AccountRole(name="leased", label="Leased goods", kind="asset"),),
        location_kinds=(LocationKind(name="leased", label="Leased", tracked=True),),
    )


LEASE = {"lease": SimpleNamespace(register_plugin=register_plugin)}


async def test_a_company_has_everything_before_its_first_document(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        async with app.database.read() as session:
            master = await load_master(session)
            kinds = {r["role"]: (r["number"], r["kind"]) for r in await session.fetch(
                "SELECT m.role, a.number, a.kind FROM account_mapping m JOIN account a ON a.id = m.account"
            )}  # fmt: skip
            assert await session.value("SELECT COUNT(*) AS n FROM ledger_chain") == 1
        company = context.company
        assert set(kinds) == set(app.registry.account_roles)
        first = {"asset": "1", "liability": "2", "equity": "3", "income": "4", "expense": "5"}
        assert all(number[0] == first[kind] for number, kind in kinds.values())
        assert len({number for number, _ in kinds.values()}) == len(kinds)
        assert {kind for _, kind in master.defaults} == set(app.registry.location_kinds)
        assert (master.currencies["JPY"], master.currencies["KWD"], master.currencies["EUR"]) == (0, 3, 2)
        assert {"NET0", "NET14", "NET30"} <= set(master.terms)
        for day in (date(2026, 1, 1), date(2026, 1, 31), date(2027, 12, 31), date(2028, 2, 29)):
            period = master.period(company.id, day)
            assert period is not None
            assert period.date_from <= day <= period.date_to
        assert master.period(company.id, date(2029, 1, 1)) is None


async def test_again_changes_nothing_and_a_new_plugin_adds_what_is_missing(database_url: str) -> None:
    async def counts(app: object) -> dict[str, int]:
        tables = (
            "company",
            "currency",
            "unit",
            "account",
            "account_mapping",
            "location",
            "period",
            "role",
            "role_permission",
            "payment_terms",
        )
        async with app.database.read() as session:  # type: ignore[attr-defined]
            return {t: await session.value(f"SELECT COUNT(*) AS n FROM {t}") for t in tables}

    async with running(database_url, {}) as (app, context):
        before = await counts(app)
        again = await set_up_company(app, code="TEST", name="Another name", currency="USD", first_year=2026)
        assert again == context.company
        assert await counts(app) == before
        page = await app.records.page("newel.role_permission", context, filters={"permission": "newel.item.view"})
        await app.records.delete("newel.role_permission", page.rows[0]["id"], context)
    async with running(database_url, LEASE) as (app, context):
        after = await counts(app)
        added = {k: after[k] - before[k] for k in after if after[k] != before[k]}
        assert added["account"] == added["account_mapping"] == added["location"] == 1
        assert added["role_permission"] > 0
        left = await app.records.page("newel.role_permission", context, filters={"permission": "newel.item.view"})
        assert left.total == page.total - 1, "a permission that was taken away stays away"


async def test_roles_follow_the_roles_of_document_kinds(database_url: str) -> None:
    async with running(database_url, LEASE) as (app, _):
        async with app.database.read() as session:
            rows = await session.fetch("SELECT r.code, p.permission FROM role_permission p JOIN role r ON r.id = p.role")
        roles = {code: User(id=0, login="", permissions=frozenset(r["permission"] for r in rows if r["code"] == code)) for code in
                 ("admin", "sales", "warehouse", "purchasing", "accountant", "viewer")}  # fmt: skip
        assert roles["admin"].may("anything.at.all")
        assert roles["sales"].may("lease.order.confirm")
        assert roles["sales"].may("newel.party.edit")
        assert not roles["sales"].may("lease.order.release"), "whoever sells does not release their own holds"
        assert roles["accountant"].may("lease.order.release")
        assert not roles["accountant"].may("lease.order.confirm")
        assert roles["viewer"].may("newel.item.view")
        assert not any(r.may("newel.user.edit") or r.may("newel.user.view") for code, r in roles.items() if code != "admin")
        assert not any(p.endswith((".edit", ".confirm")) for p in roles["viewer"].permissions)


async def test_the_first_administrator(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        first = await create_admin(app, "Root", "staple battery horse")
        assert await create_admin(app, "root", "something else entirely") == first
        user = await app.users.load(first)
        assert user is not None
        assert user.may("newel.admin")
        assert user.companies == {context.company.id}
        with pytest.raises(Refused, match="no currency"):
            await set_up_company(app, code="X", name="X", currency="XXX")
