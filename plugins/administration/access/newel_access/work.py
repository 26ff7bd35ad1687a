"""Use cases: give and take permissions, copy a role. All through the records of roles, so rights, history and dual control are theirs."""

from __future__ import annotations

from newel.domain.context import Context
from newel.errors import missing
from newel.services.access import require
from newel.services.app import Newel

from newel_access import facts

EDIT = "newel.role_permission.edit"


async def change(newel: Newel, more: list[tuple[int, str]], less: list[tuple[int, str]], context: Context) -> None:
    """Give and take permissions, all or none.

    Args:
        more, less: (id of the role, permission). What is there, or gone, already is left alone.

    Raises:
        Refused: 403 without the right; 422 for what somebody may not give or that needs two people.
    """
    require(context, EDIT)
    async with newel.database.write() as session:
        there = {(role.id, p) for role in await facts.roles(session) for p in role.permissions}
        for grant in await facts.grants(session, less):
            await newel.records.delete("newel.role_permission", grant, context, session=session)
        for role, permission in more:
            if (role, permission) not in there:
                await newel.records.save("newel.role_permission", None, {"role": role, "permission": permission}, context, session=session)


async def copy(newel: Newel, role: int, code: str, name: str, context: Context) -> int:
    """A new role that may do what another one may; returns its id.

    Raises:
        Refused: 404 for no such role; what keeps the new one from being saved.
    """
    require(context, EDIT)
    async with newel.database.write() as session:
        found = next((r for r in await facts.roles(session) if r.id == role), None)
        if found is None:
            raise missing("role", role, "role")
        made = await newel.records.save("newel.role", None, {"code": code, "name": name}, context, session=session)
        for permission in sorted(found.permissions):
            await newel.records.save("newel.role_permission", None, {"role": made, "permission": permission}, context, session=session)
        return made
