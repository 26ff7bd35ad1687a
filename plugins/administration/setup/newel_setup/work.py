"""Use cases: how an install begins, what the guide makes and undoes, and beginning anew as long as nothing was posted."""

from __future__ import annotations

import asyncio
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import msgspec
from babel.numbers import get_territory_currencies
from newel.domain.context import Company, Context
from newel.errors import Problem, Refused, missing
from newel.jobs.worker import Worker
from newel.services.access import require
from newel.services.app import Newel
from newel.services.passwords import weak
from newel.services.setup import set_up_company
from newel.store import migrate
from newel.store.session import Database, Session
from newel.web.forms import Reader

from newel_setup.steps import DONE, STEPS, Step
from newel_setup.tables import Made

ADMIN, DEMO, OWN = "newel.admin", "demo", "own"
DOCUMENTS = 250
_turn = asyncio.Lock()


def has_demo() -> bool:
    """Whether the demonstration company is installed."""
    return find_spec("newel_demo") is not None


# ---- the first start -------------------------------------------------------------------------------------------------------------------


class Beginner(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody enters who begins. what: demo or own; country: two letters; currency: empty for that of the country."""

    what: str
    name: str
    login: str
    password: str
    language: str = "en"
    company: str = ""
    country: str = ""
    currency: str = ""


async def begin(newel: Newel, given: Beginner) -> None:
    """Make the company and the administrator.

    Raises:
        Refused: 404 where there are users already; 422 with everything that is missing or wrong.
    """
    async with _turn:
        async with newel.database.read() as session:
            if await session.value("SELECT id FROM app_user LIMIT 1"):
                raise missing("install without users", "first start", "path")
            there = await session.value("SELECT COUNT(*) AS n FROM company")
        if problems := list(_wrong(given, bool(there))):
            raise Refused(*problems)
        try:
            await _made(newel, given)
        except BaseException:
            if not there:  # half a beginning would stand in the way of the next try
                await _fresh(newel)
            raise


async def _made(newel: Newel, given: Beginner) -> None:
    company = await (_demo(newel, given) if given.what == DEMO else _own(newel, given))
    context = newel.system(company, source="setup")
    await newel.users.create(given.login, given.password, given.name, ["admin"], [company.id], context, language=given.language or "en")
    async with newel.database.write() as session:
        session.add(Made, company=company.id, step="start", kind=given.what)


def _wrong(given: Beginner, there: bool) -> list[Problem]:
    """Everything that stands against it, before anything is made."""
    wanted = {"name": given.name, "login": given.login} | ({"company": given.company, "country": given.country} if given.what == OWN else {})
    hint = "fill it in"
    out = [Problem(code="setup.empty", message=f"an entry was expected in {n!r}", where=n, hint=hint, plugin="setup") for n, v in wanted.items() if not v]
    if (problem := weak(given.login, given.password)) is not None:
        out.append(problem)
    if given.what == DEMO and there:
        hint = "begin with your own company"
        out.append(Problem(code="setup.company", message="there is a company already, the demonstration needs an empty database", hint=hint, plugin="setup"))
    return out


async def _own(newel: Newel, given: Beginner) -> Company:
    currency = given.currency or next(iter(get_territory_currencies(given.country)), "EUR")
    return await set_up_company(newel, code="MAIN", name=given.company, currency=currency, country=given.country)


async def _demo(newel: Newel, given: Beginner) -> Company:
    """The demonstration's people have the password of whoever makes it: the one in the manual is known to everybody."""
    await import_module("newel_demo.company").demo(newel, documents=DOCUMENTS, password=given.password)
    return (await newel.every_company("setup"))[0].company


# ---- the guide -------------------------------------------------------------------------------------------------------------------------


class State(msgspec.Struct, frozen=True, kw_only=True):
    """How far a company is. done: names of steps; made: names of those with something to undo; began: demo, own or empty; posted: there are entries."""

    done: frozenset[str]
    made: frozenset[str]
    began: str
    posted: bool


async def state(session: Session, context: Context) -> State:
    """How far the company is."""
    names = ", ".join(f'({sql}) AS "{name}"' for name, sql in DONE.items())
    row = await session.one(f"SELECT {names}", *[context.company.id] * len(DONE)) or {}
    rows = await session.fetch("SELECT DISTINCT step, kind FROM setup_made WHERE company = ?", context.company.id)
    posted = await session.value("SELECT id FROM journal_entry LIMIT 1")
    began = next((r["kind"] for r in rows if r["step"] == "start"), "")
    made = frozenset(r["step"] for r in rows) - {"start"}
    return State(done=frozenset(s.name for s in STEPS if row[s.name]), made=made, began=began, posted=posted is not None)


async def carry_out(newel: Newel, step: Step, reader: Reader, context: Context) -> None:
    """Make what was entered for a step, all or none.

    Raises:
        Refused: everything that is wrong, each with its field.
    """
    require(context, ADMIN)
    async with newel.database.write() as session:
        made = await step.save(newel, reader, session, context)
        if reader.problems:
            raise Refused(*reader.problems)
        for kind, record in made:
            session.add(Made, company=context.company.id, step=step.name, kind=kind, record=record)


async def undo(newel: Newel, step: Step, context: Context) -> None:
    """Take away what the guide has made in a step, the last first.

    Raises:
        Refused: 409 where something was posted; what keeps a record from being deleted.
    """
    require(context, ADMIN)
    async with newel.database.write() as session:
        _refuse_posted(await state(session, context))
        rows = await session.fetch("SELECT id, kind, record FROM setup_made WHERE company = ? AND step = ? ORDER BY id DESC", context.company.id, step.name)
        for row in rows:
            await newel.records.delete(row["kind"], row["record"], context, session=session)
        await session.fetch("DELETE FROM setup_made WHERE company = ? AND step = ?", context.company.id, step.name)


def _refuse_posted(now: State) -> None:
    if now.posted:
        message, hint = "something was posted already: nothing is taken away any more", "cancel or undo documents one by one, on their pages"
        raise Refused(Problem(code="setup.posted", message=message, hint=hint, plugin="setup"), status=409)


# ---- beginning anew --------------------------------------------------------------------------------------------------------------------


async def begin_anew(newel: Newel, confirmed: str, context: Context) -> None:
    """Empty the database: the demonstration, or a company that has posted nothing. Everybody is logged out.

    Args:
        confirmed: the company's code, typed.

    Raises:
        Refused: 403 without every right; 409 where the install did not begin here, has another company, or has posted something of its own.
    """
    require(context, "*")
    async with newel.database.read() as session:
        now, others = await state(session, context), await session.value("SELECT id FROM company WHERE id <> ?", context.company.id)
    if not now.began or others is not None:
        hint = "newel backup, then an empty database"
        raise Refused(Problem(code="setup.elsewhere", message="this install was not begun here", hint=hint, plugin="setup"), status=409)
    if now.began != DEMO:
        _refuse_posted(now)
    if confirmed.strip() != context.company.code:
        message = f"the company's code, {context.company.code}, was expected, got {confirmed.strip()[:20]!r}"
        raise Refused(Problem(code="setup.confirm", message=message, where="code", hint="type it", plugin="setup"))
    async with _turn:
        await _fresh(newel)


async def _fresh(newel: Newel) -> None:
    """The database as on its first day."""
    await _emptied(newel.database)
    await migrate.migrate(newel.database, newel.migration_apps())
    await Worker(newel).plan_recurring()


async def _emptied(database: Database) -> None:
    """Drop all that migrations have made, and forget what this process knows of it."""
    if database.sqlite:  # only outside a transaction
        await database.engine.run_sql("PRAGMA foreign_keys=0")
    async with database.engine.transaction():
        session = Session(database.engine, database.ids, database.cache, True)
        await (_drop_sqlite if database.sqlite else _drop_postgresql)(session)
    if database.sqlite:
        await database.engine.run_sql("PRAGMA foreign_keys=1")
    database.ids.drop()
    database.cache.values.clear()
    await database.close()  # statements that connections have prepared go with them
    await database.open()


async def _drop_sqlite(session: Session) -> None:
    """Virtual tables first: tables behind them go with them."""
    for condition in ("type = 'trigger'", "type = 'view'", "type = 'table' AND sql LIKE 'CREATE VIRTUAL%'", "type = 'table'"):
        for row in await session.fetch(f"SELECT type, name FROM sqlite_master WHERE {condition} AND name NOT LIKE 'sqlite!_%' ESCAPE '!'"):
            await session.fetch(f'DROP {row["type"]} IF EXISTS "{row["name"]}"')


async def _drop_postgresql(session: Session) -> None:
    found: dict[str, Any] = {
        "TABLE": "SELECT quote_ident(tablename) AS name FROM pg_tables WHERE schemaname = current_schema()",
        "SEQUENCE": "SELECT quote_ident(sequencename) AS name FROM pg_sequences WHERE schemaname = current_schema()",
        "FUNCTION": "SELECT p.oid::regprocedure::text AS name FROM pg_proc p LEFT JOIN pg_depend d ON d.objid = p.oid AND d.deptype = 'e' "
        "WHERE p.pronamespace = current_schema()::regnamespace AND d.objid IS NULL",
    }
    for what, sql in found.items():
        if names := [r["name"] for r in await session.fetch(sql)]:
            await session.fetch(f"DROP {what} IF EXISTS {', '.join(names)} CASCADE")
