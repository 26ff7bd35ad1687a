"""A company's own file instead of the demonstration company: records, users and documents for the company that is there."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

from newel.errors import NewelError, missing
from newel.store.master import load_master

from newel_demo.company import PASSWORD, SEED, DemoKit, DemoResult, result
from newel_demo.data import put_documents, put_records

if TYPE_CHECKING:
    from newel.services.app import Newel

OTHERS = {"user", "document"}


async def load(app: Newel, path: Path) -> DemoResult:
    """Put the content of a TOML file (see data.py) into the first company. Besides, [[user]] has login, name, roles and party; all have the password
    of the demonstration.

    Nothing is left out in silence: a kind that is not installed and whatever is refused ends it.
    """
    data = tomllib.loads(path.read_text("utf-8"))
    known = OTHERS | set(app.registry.records)
    wrong = [f"record kind {name!r}" for name in data if name not in known]
    wrong += [f"document kind {d['kind']!r}" for d in data.get("document", ()) if d["kind"] not in app.registry.documents]
    if wrong:
        raise NewelError(f"{path}: not installed: {', '.join(sorted(set(wrong)))}; add the plugin to newel.toml, or take it out of the file")
    async with app.database.read() as session:
        companies = (await load_master(session)).companies
        first = await session.value("SELECT MIN(date_from) AS n FROM period")
    if not companies:
        raise NewelError("there is no company yet: newel init makes one")
    company = companies[min(companies)]
    kit = DemoKit(app, company, SEED, app.clock().date())
    kit.start = first  # nothing happens before the first period of the books
    await put_records(kit, data)
    for row in data.get("user", ()):
        id = await app.users.create(row["login"], PASSWORD, row["name"], row["roles"], [company.id], kit.context(), party=row.get("party"))
        user = await app.users.load(id)
        if user is None:
            raise missing("user", row["login"])
        kit.users[row["login"]] = user
    await put_documents(kit, data, None)
    return await result(kit, {})
