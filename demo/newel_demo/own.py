"""A company's own file instead of the demonstration company: records, users and documents for the company that is there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from newel.errors import NewelError
from newel.store.master import load_master

from newel_demo.company import SEED, DemoKit, DemoResult, result
from newel_demo.data import put_documents, put_records

if TYPE_CHECKING:
    from newel.services.app import Newel

OTHERS = {"user", "document"}


async def load(app: Newel, data: Mapping[str, Any]) -> DemoResult:
    """Put the content of a TOML file into the first company.

    Args:
        data: records and documents as in data.py; besides, `user` has rows with login, name, roles and party (left out: one of the company's
            people). All have the password of the demonstration.

    Raises:
        NewelError: there is no company, or the file names a kind that is not installed.
        Refused: whatever is wrong with a record or document; what came before it stays.
    """
    known = OTHERS | set(app.registry.records)
    wrong = [f"record kind {name!r}" for name in data if name not in known]
    wrong += [f"document kind {d['kind']!r}" for d in data.get("document", ()) if d["kind"] not in app.registry.documents]
    if wrong:
        raise NewelError(f"not installed: {', '.join(sorted(set(wrong)))}; add the plugin to newel.toml, or take it out of the file")
    async with app.database.read() as session:
        master = await load_master(session)
        if not master.companies:
            raise NewelError("there is no company yet: newel init makes one")
        context = await app.context(session, app.system(None).user)
    kit = DemoKit(app, context.company, SEED, context.today)
    kit.settings = context.settings
    kit.start = min(p.date_from for p in master.periods[context.company.id])  # nothing happens before the books are open
    await put_records(kit, data)
    for row in data.get("user", ()):
        await kit.user(row["login"], row["name"], row["roles"], **({"party": row["party"]} if "party" in row else {}))
    await put_documents(kit, data, None)
    async with app.database.read() as session:
        items, parties = [await session.value(f"SELECT COUNT(*) AS n FROM {table}") for table in ("item", "party")]
    return msgspec.structs.replace(await result(kit, {}), items=items, parties=parties)
