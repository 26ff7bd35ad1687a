"""Roles, and users with what they have: a few statements, however many there are."""

from __future__ import annotations

from typing import Any

from newel.services.record_read import escaped
from newel.store.session import Session, rows_by

from newel_access.rules import Role

SIZE = 50


async def roles(session: Session) -> list[Role]:
    """All roles by their names."""
    given = rows_by(await session.fetch("SELECT role, permission FROM role_permission ORDER BY id"), "role")
    rows = await session.fetch("SELECT id, code, name FROM role ORDER BY name, code")
    return [Role(id=r["id"], code=r["code"], name=r["name"], permissions=frozenset(g["permission"] for g in given.get(r["id"], ()))) for r in rows]


async def users(session: Session, text: str, role: str, number: int) -> tuple[list[dict[str, Any]], int]:
    """A page of users with their roles and when they were last seen, and how many there are.

    Args:
        text: in login or name. role: code; only who has it. number: of the page.
    """
    like = f"%{escaped(text[:60].lower())}%"
    where, args = "(LOWER(u.login) LIKE ? ESCAPE '!' OR LOWER(u.name) LIKE ? ESCAPE '!')", [like, like]
    if role:
        where += ' AND u.id IN (SELECT x."user" FROM user_role x JOIN role r ON r.id = x.role WHERE r.code = ?)'
        args.append(role)
    total = await session.value(f"SELECT COUNT(*) AS n FROM app_user u WHERE {where}", *args)
    found = await session.fetch(
        f"SELECT u.id, u.login, u.name, u.active, u.party, p.name AS party_name FROM app_user u LEFT JOIN party p ON p.id = u.party WHERE {where} "
        "ORDER BY u.login LIMIT ? OFFSET ?", *args, SIZE, (number - 1) * SIZE,
    )  # fmt: skip
    ids = [u["id"] for u in found]
    sql = 'SELECT x."user" AS u, r.code, r.name FROM user_role x JOIN role r ON r.id = x.role WHERE x."user" = ANY(?) ORDER BY r.name'
    theirs = rows_by(await session.fetch(sql, ids), "u")
    seen = {s["u"]: s["at"] for s in await session.fetch('SELECT "user" AS u, MAX(seen_at) AS at FROM user_session WHERE "user" = ANY(?) GROUP BY "user"', ids)}
    return [{**u, "roles": theirs.get(u["id"], []), "seen": seen.get(u["id"])} for u in found], int(total)


async def user(session: Session, login: str) -> dict[str, Any] | None:
    """A user by login with the codes of their roles; None where there is none."""
    row = await session.one("SELECT id, login, name, active, party FROM app_user WHERE login = ?", login)
    if row is None:
        return None
    codes = await session.fetch('SELECT r.code FROM user_role x JOIN role r ON r.id = x.role WHERE x."user" = ?', row["id"])
    return {**row, "roles": frozenset(r["code"] for r in codes)}


async def grants(session: Session, pairs: list[tuple[int, str]]) -> list[int]:
    """The ids of what gives these permissions to these roles."""
    found = await session.fetch("SELECT id, role, permission FROM role_permission WHERE role = ANY(?)", sorted({role for role, _ in pairs}))
    wanted = set(pairs)
    return [g["id"] for g in found if (g["role"], g["permission"]) in wanted]
