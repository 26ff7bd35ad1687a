"""Imports in the database: each user's own, in the company at hand."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from newel.domain.context import Context
from newel.errors import missing
from newel.services.access import denied, require
from newel.store.session import Session

from newel_exchange.reading import Sheet
from newel_exchange.rules import Choice, Seen
from newel_exchange.tables import Import

RIGHT = "exchange.import"
DAYS = 30
STATES = ("new", "checking", "checked", "waiting", "running", "done", "failed")


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One import. state: see STATES."""

    id: int
    kind: str
    name: str
    state: str
    sheet: Sheet
    choice: Choice
    result: list[Seen]
    total: int
    done: int


def may(context: Context, kind: str) -> None:
    """Go on only for our own people with the right to import and to edit the kind; Refused 403 otherwise."""
    if context.user.party is not None:
        raise denied("a user of no party")
    require(context, RIGHT)
    require(context, f"{kind}.edit")


async def add(session: Session, context: Context, kind: str, name: str, sheet: Sheet, choice: Choice) -> int:
    """Keep a file that was read."""
    await session.need(1)
    return session.add(
        Import, company=context.company.id, user=context.user.login, kind=kind, name=name[:160], state="new", sheet=_json(sheet), choice=_json(choice),
        result="[]", total=len(sheet.rows), done=0, created_at=context.now,
    )  # fmt: skip


async def one(session: Session, context: Context, id: int) -> Kept:
    """An import of this user; Refused 404 where there is none."""
    sql = 'SELECT * FROM exchange_import WHERE id = ? AND company = ? AND "user" = ?'
    row = await session.one(sql, id, context.company.id, context.user.login)
    if row is None:
        raise missing("import", id)
    may(context, row["kind"])
    read = msgspec.json.decode
    return Kept(
        id=row["id"], kind=row["kind"], name=row["name"], state=row["state"], sheet=read(row["sheet"], type=Sheet),
        choice=read(row["choice"], type=Choice), result=read(row["result"], type=list[Seen]), total=row["total"], done=row["done"],
    )  # fmt: skip


async def latest(session: Session, context: Context, kind: str) -> list[Any]:
    """The user's last imports into a kind."""
    sql = 'SELECT id, name, state, total, created_at FROM exchange_import WHERE company = ? AND "user" = ? AND kind = ? ORDER BY id DESC LIMIT 10'
    return list(await session.fetch(sql, context.company.id, context.user.login, kind))


async def before(session: Session, context: Context, kind: str) -> Choice:
    """What the user chose the last time."""
    sql = 'SELECT choice FROM exchange_mapping WHERE company = ? AND "user" = ? AND kind = ?'
    found = await session.value(sql, context.company.id, context.user.login, kind)
    return msgspec.json.decode(found, type=Choice) if found else Choice()


async def choose(session: Session, context: Context, kept: Kept, choice: Choice) -> None:
    """Keep a choice for this import and for the next one."""
    await session.fetch("UPDATE exchange_import SET choice = ? WHERE id = ? RETURNING id", _json(choice), kept.id)
    await session.fetch(
        'INSERT INTO exchange_mapping (id, company, "user", kind, choice) VALUES (?, ?, ?, ?, ?) '
        'ON CONFLICT (company, "user", kind) DO UPDATE SET choice = excluded.choice RETURNING id',
        session.id(), context.company.id, context.user.login, kept.kind, _json(choice),
    )  # fmt: skip


async def became(session: Session, id: int, *, state: str = "", result: list[Seen] | None = None, done: int | None = None, only: tuple[str, ...] = ()) -> bool:
    """Note how far an import is; only: states that it must be in. Whether it was in one."""
    values = {"state": state or None, "result": None if result is None else _json(result), "done": done}
    given = {name: value for name, value in values.items() if value is not None}
    sets = ", ".join(f"{name} = ?" for name in given)
    sql = f"UPDATE exchange_import SET {sets} WHERE id = ? AND state = ANY(?) RETURNING id"
    return bool(await session.fetch(sql, *given.values(), id, list(only or STATES)))


async def clear(session: Session, _payload: dict[str, Any], context: Context) -> None:
    """Forget files of more than thirty days ago; what they brought has its own history."""
    await session.fetch("DELETE FROM exchange_import WHERE created_at < ? RETURNING id", context.now - timedelta(days=DAYS))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
