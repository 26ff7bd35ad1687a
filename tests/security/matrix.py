"""The table of routes: who gets in where. `python -m tests.security.matrix` adds new routes to routes.toml and takes gone ones out; look at every line of it.

A route's entry: rights, all that one needs there; body, what is sent; path, what stands in the address; and the statuses for somebody without
rights (none), with exactly these rights (exact), and with every right in another company (other). Where somebody who is not known gets in, that status
(anonymous), and why.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import httpx

from tests.security.world import NEEDED, World, world

TABLE = Path(__file__).with_name("routes.toml")
HEAD = "# Who gets in where: see matrix.py. Everybody else (anonymous, disabled, expired) is refused everywhere but on public routes.\n"


def table() -> dict[str, dict[str, Any]]:
    """Entries by "METHOD path"."""
    return tomllib.loads(TABLE.read_text("utf-8")) if TABLE.exists() else {}


def refused(path: str, answer: httpx.Response) -> bool:
    """Whether somebody who is not known is sent away: programs with 401, people to the login."""
    if path.startswith("/api"):
        return answer.status_code == 401
    return answer.status_code == 303 and answer.headers["location"].startswith("/login")


async def looked_at(here: World, method: str, path: str, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with rights and statuses as they are: rights are added as long as one is named as missing."""
    rights: list[str] = []
    body, more = entry.get("body"), entry.get("path")
    stranger = await here.ask(here.clients["anonymous"], method, path, body, more)
    public = {} if refused(path, stranger) else {"anonymous": stranger.status_code}
    other = await here.ask(here.clients["other"], method, path, body, more)
    answer = none = await here.ask(here.clients["none"], method, path, body, more)
    while answer.status_code == 403 and (found := NEEDED.search(answer.text)) and found[1] not in rights:
        rights = sorted([*rights, found[1]])
        answer = await here.ask(await here.exact(tuple(rights)), method, path, body, more)
    kept = {key: entry[key] for key in ("path", "body", "why") if key in entry}
    return {"rights": rights, **kept, **public, "none": none.status_code, "exact": answer.status_code, "other": other.status_code}


def written(entries: dict[str, dict[str, Any]]) -> str:
    """The table as text."""
    out = [HEAD]
    for name, entry in entries.items():
        out.append(f"[{json.dumps(name)}]\n" + "".join(f"{key} = {_value(value)}\n" for key, value in entry.items()))
    return "\n".join(out)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_value(v)}" for k, v in value.items()) + " }"
    return "[" + ", ".join(_value(v) for v in value) + "]" if isinstance(value, list) else json.dumps(value)


async def main() -> None:
    """Write the table anew: what was entered by hand (path, body, why) stays."""
    known = table()
    with tempfile.TemporaryDirectory() as folder:
        async with world(f"sqlite:///{folder}/matrix.db") as here:
            found = {f"{m} {p}": await looked_at(here, m, p, known.get(f"{m} {p}", {})) for m, p in here.routes()}
    TABLE.write_text(written(found), "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
