"""Use case: make roles what a file says, or see what that would change. Through the records of roles, as everything here."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable
from typing import TypeVar

import msgspec
from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.services.access import require
from newel.services.app import Newel
from newel.store.session import Session

from newel_access import facts, rules
from newel_access.rules import Difference
from newel_access.work import EDIT

T = TypeVar("T")


class _Back(Exception):
    """What was tried is taken back."""


def seen(found: list[Difference]) -> str:
    """What somebody has looked at, to be compared when they say yes."""
    return hashlib.sha256(msgspec.json.encode(found)).hexdigest()


async def take(newel: Newel, text: str, context: Context, agreed: str | None = None) -> tuple[list[Difference], Refused | None]:
    """What a file changes of the roles, and what keeps it from being done.

    Args:
        text: as `rules.as_toml` writes it; several roles may follow each other.
        agreed: `seen` of what somebody has looked at: then it is done, all or none. None: it is tried and taken back.

    Raises:
        Refused: 403 without the right; 422 for what is no such file.
    """
    require(context, EDIT)
    wanted = rules.stated(text)
    found: list[Difference] = []
    try:
        async with newel.database.write() as session:
            there = await facts.roles(session)
            found = rules.differences(wanted, there, newel.registry.permissions())
            if agreed is not None and agreed != seen(found):
                hint = "look at what would change now, then say yes again"
                raise Refused(Problem(code="access.moved", message="somebody has changed these roles since you looked", where="file", hint=hint), status=409)
            await _made(newel, session, found, {role.code: role.id for role in there}, context)
            if agreed is None:
                raise _Back
    except _Back:
        return found, None
    except Refused as refused:
        return found, refused
    return found, None


async def _made(newel: Newel, session: Session, found: list[Difference], ids: dict[str, int], context: Context) -> None:
    """Roles and permissions; Refused with all that is wrong."""
    problems: list[Problem] = []

    async def tried(step: Awaitable[T]) -> T | None:
        try:
            return await step
        except Refused as refused:
            if refused.status == 403:
                raise
            problems.extend(refused.problems)
            return None

    for role in found:
        if role.new and (made := await tried(newel.records.save("newel.role", None, {"code": role.code, "name": role.name}, context, session=session))):
            ids[role.code] = made
    for grant in await facts.grants(session, [(ids[r.code], p) for r in found for p in r.less]):
        await tried(newel.records.delete("newel.role_permission", grant, context, session=session))
    for code, permission in ((r.code, p) for r in found for p in r.more if r.code in ids):
        await tried(newel.records.save("newel.role_permission", None, {"role": ids[code], "permission": permission}, context, session=session))
    if problems:
        raise Refused(*problems)
