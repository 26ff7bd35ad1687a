"""The use case: a second person approves or rejects a proposed change, and an approved one is carried out in the same transaction."""

from __future__ import annotations

from typing import Any

import msgspec
from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.services.access import require
from newel.services.app import Newel
from newel.store.session import Session

from newel_dual_control.rules import NAME, PEOPLE, read
from newel_dual_control.tables import Proposal

APPROVE = "dual_control.approve"


def _refused(code: str, message: str, hint: str, status: int) -> Refused:
    return Refused(Problem(code=f"dual_control.{code}", message=message, hint=hint, plugin=NAME), status=status)


async def decide(app: Newel, id: int, approve: bool, comment: str, context: Context) -> None:
    """Approve or reject a proposal. Whoever approves needs the right to make the change, and is not who proposed it.

    Raises:
        Refused: 403 without the right dual_control.approve, for one's own and where nobody acts in person; 404; 409 where it is decided already; what the
            change itself meets.
    """
    require(context, APPROVE)
    async with app.database.write() as session:
        sql = "SELECT * FROM dual_control_proposal WHERE id = ? AND company = ? FOR UPDATE"
        row = await session.one(sql, id, context.company.id)
        if row is None or context.user.party is not None:
            raise missing("proposed change", id, "id")
        if row["state"] != "waiting":
            raise _refused("decided", f"{row['decided_by']} has {row['state']} it already", "enter another one", 409)
        if context.source not in PEOPLE:
            raise _refused("nobody", f"a person was expected to decide, got {context.source}", "decide on the proposal's page", 403)
        if approve and row["entered_by"] == context.user.login:
            raise _refused("own", f"{context.user.login} has proposed it and can't approve it", f"ask somebody else who has the right {APPROVE}", 403)
        if approve:
            await _carry_out(app, session, row, msgspec.structs.replace(context, source=NAME))
        state = "approved" if approve else "rejected"
        await session.update(Proposal, id, state=state, decided_by=context.user.login, decided_at=context.now, comment=comment[:200])


async def _carry_out(app: Newel, session: Session, row: Any, context: Context) -> None:
    """Make the change with the rights of whoever approves it."""
    kind, record = row["kind"], await _record(app, session, row, context)
    require(context, f"{kind}.edit")
    if row["deletes"] and record is not None:
        await app.records.delete(kind, record, context, session=session)
    else:
        fields = app.records.fields(kind).by_name
        ids = {f.name for f in fields.values() if f.type == "reference"}
        values = {n: int(v) if n in ids and v.isascii() and v.isdecimal() else v for n, v in read(row["changes"]).items()}
        await app.records.save(kind, record, values, context, session=session)


async def _record(app: Newel, session: Session, row: Any, context: Context) -> int | None:
    """The id of the record that a proposal is about; None for a new one."""
    said: str = row["record"]
    if not said:
        return None
    found = await app.records.find(row["kind"], said, context, session=session)
    if found is None and said.isascii() and said.isdecimal() and len(said) < 16:
        return int(said)
    if found is None:
        raise missing("record", said, "record")
    return found
