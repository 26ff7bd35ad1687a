"""Tokens: what programs send instead of logging in. The database keeps only hashes."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from newel.domain.context import User
from newel.errors import Problem, Refused, missing
from newel.store.tables_master import ApiToken

if TYPE_CHECKING:
    from newel.services.app import Newel

PREFIX = "newel_"


class Tokens:
    """Use cases of programs that act for a user in one company."""

    def __init__(self, app: Newel) -> None:
        self.app = app

    async def create_token(self, user: User, name: str, days: int, company: int | None = None) -> str:
        """A token for a program that acts as this user in one company; shown now and never again."""
        if not name.strip() or len(name) > 120:
            message = "a token has a name of at most 120 characters"
            raise Refused(Problem(code="field.required", message=message, where="name", hint="say which program it is for"))
        if not 1 <= days <= 3650:
            raise Refused(Problem(code="field.range", message=f"{days} days", where="days", hint="enter 1 to 3650 days"))
        token, now = PREFIX + secrets.token_urlsafe(32), self.app.clock()
        async with self.app.database.write() as session:
            chosen = (await self.app.context(session, user, company)).company.id
            session.add(ApiToken, token=hashed(token), user=user.id, company=chosen, name=name.strip(), created_at=now, expires_at=now + timedelta(days=days))
        return token

    async def by_token(self, token: str) -> tuple[User, int] | None:
        """(user, company) of a program's token; None where it is unknown or too old, or its user is no longer active."""
        async with self.app.database.read() as session:
            sql = 'SELECT "user", company FROM api_token WHERE token = ? AND expires_at >= ?'
            row = await session.one(sql, hashed(token), self.app.clock())
            user = await self.app.users.load(row["user"], session) if row else None
        return (user, row["company"]) if row and user else None

    async def tokens(self, user: User) -> list[dict[str, Any]]:
        """id, name, company, created_at and expires_at of the user's tokens."""
        async with self.app.database.read() as session:
            sql = 'SELECT id, name, company, created_at, expires_at FROM api_token WHERE "user" = ? ORDER BY id'
            return [dict(r) for r in await session.fetch(sql, user.id)]

    async def revoke_token(self, user: User, token_id: int) -> None:
        """End one of the user's tokens."""
        await self._remove("api_token", "token", user, token_id)

    async def _remove(self, table: str, what: str, user: User, key: int) -> None:
        async with self.app.database.write() as session:
            sql = f'DELETE FROM {table} WHERE id = ? AND "user" = ? RETURNING id'
            if await session.one(sql, key, user.id) is None:
                raise missing(what, key, what)


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
