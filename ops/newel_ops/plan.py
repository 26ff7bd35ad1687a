"""What newel.toml states against what is there: the difference as rows (plan), and making it so (apply). Nothing is changed while there is a conflict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from newel.config import Config
from newel.domain.context import Context
from newel.errors import NewelError
from newel.services.administration import save_settings
from newel.services.app import Newel
from newel.store import migrate
from newel.store.describe import table_name
from newel.store.master import load_master
from newel.store.session import Session

from newel_ops.compose import Row, compose
from newel_ops.databases import opened, shown
from newel_ops.detach import attach, documents_of, marks
from newel_ops.tables import Table, tables_of


class Plan(msgspec.Struct, kw_only=True):
    """The difference between newel.toml and the running install, and the composed install that it was made with."""

    rows: list[Row]
    app: Newel

    def of(self, *levels: str) -> list[Row]:
        """The rows of these levels."""
        return [r for r in self.rows if r.level in levels]


async def plan(config: Config, modules: dict[str, Any] | None = None) -> Plan:
    """Compare what newel.toml states with the install that it names; changes nothing (NEW-05, NEW-20).

    Settings and roles are compared where newel.toml states them; what it leaves out is the company's own business.

    Args:
        modules: plugins instead of the installed ones (tests).
    """
    made = compose(config, modules)
    rows, app = list(made.rows), made.app
    if config.database.startswith("sqlite:///") and not Path(config.database.removeprefix("sqlite:///")).exists():  # noqa: ASYNC240 - once
        rows.append(Row(level="change", about="database", text=f"{shown(config.database)} is not there", do="it is made"))
        return Plan(rows=rows, app=app)
    async with opened(config.database, **config.engine) as database, database.read() as session:
        tables = await tables_of(session)
        rows += await _migrations(app, session, tables)
        if "company" in tables and not any(r.about == "migrations newel" for r in rows):
            rows += await _resting(app, session)
            rows += await _settings(app, session)
            rows += await _roles(app, session)
    return Plan(rows=rows, app=app)


async def _migrations(app: Newel, session: Session, tables: dict[str, Table]) -> list[Row]:
    todo: dict[str, list[str]] = {}
    for name, step in await migrate.pending(session, app.migration_apps()):
        todo.setdefault(name, []).append(step)
    ran = {r["plugin"] for r in await session.fetch("SELECT DISTINCT plugin FROM newel_migration")} if "newel_migration" in tables else set()
    rows = []
    for name, names in todo.items():
        rows.append(Row(level="change", about=f"migrations {name}", text=f"{', '.join(names)} have not run", do="they are run, all or none"))
        claimed = [table_name(t) for t in app.registry.manifests[name].tables if table_name(t) in tables] if name not in ran and name != "newel" else []
        if claimed:
            text = f"its table {claimed[0]} is there already, and no migration of {name!r} made it"
            rows.append(Row(level="conflict", about=f"plugin {name}", text=text, do="another plugin of that name was here: newel purge it, or rename this one"))
    return rows


async def _resting(app: Newel, session: Session) -> list[Row]:
    """Plugins with data that do not run, and those that run again after they were detached."""
    rows, marked = [], await marks(session)
    plugins = {r["plugin"] for r in await session.fetch("SELECT DISTINCT plugin FROM newel_migration")} - {"newel"}
    for name, n in (await documents_of(session, sorted(plugins - set(app.plugins.manifests)))).items():
        text = f"does not run; its data stays, {n} documents can be read and not changed"
        if name in marked:
            text = f"was detached on {marked[name].at:%Y-%m-%d}; {text}"
        rows.append(Row(level="note", about=f"data of {name}", text=text, do="" if name in marked else f"newel detach {name} says that this is meant"))
    runs = "was detached and runs again"
    do = "its tables are compared with what was left, and attached"
    rows += [Row(level="change", about=f"plugin {name}", text=runs, do=do) for name in sorted(set(marked) & set(app.plugins.manifests))]
    return rows


# ---- settings and roles ---------------------------------------------------------------------------------------------------------------


async def _settings(app: Newel, session: Session) -> list[Row]:
    return [
        Row(level="change", about=f"settings {name}", text=f"{field} of company {code} is {_said(old)}, newel.toml says {_said(new)}", do="it is set")
        for code, name, changes in await _differing(app, session)
        for field, (old, new) in changes.items()
    ]


async def _differing(app: Newel, session: Session) -> list[tuple[str, str, dict[str, tuple[Any, Any]]]]:
    """(company, plugin, field -> (stored, stated)) where a stored setting hides what newel.toml states."""
    stored = {(r["company"], r["plugin"]): msgspec.json.decode(r["value"]) for r in await session.fetch("SELECT company, plugin, value FROM setting")}
    out = []
    for company in await session.fetch("SELECT id, code FROM company ORDER BY code"):
        for name, stated in sorted(app.config.settings.items()):
            if name not in app.registry.manifests:
                continue
            hiding = {**stored.get((None, name), {}), **stored.get((company["id"], name), {})}
            changes = {field: (hiding[field], value) for field, value in stated.items() if field in hiding and hiding[field] != value}
            if changes:
                out.append((company["code"], name, changes))
    return out


def _said(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def _roles(app: Newel, session: Session) -> list[Row]:
    rows, known = [], app.registry.permissions()
    for code, (old, new) in (await _permissions(app, session)).items():
        more, less = sorted(new - (old or set())), sorted((old or set()) - new)
        words = [f"gets {', '.join(more)}"] * bool(more) + [f"loses {', '.join(less)}"] * bool(less)
        if old is None:
            rows.append(Row(level="change", about=f"role {code}", text="is not there", do=f"it is made with {', '.join(more) or 'no permissions'}"))
        elif words:
            rows.append(Row(level="change", about=f"role {code}", text="may do something else", do=f"it {' and '.join(words)}"))
        unknown = [p for p in sorted(new) if p != "*" and not any(k == p or (p.endswith(".*") and k.startswith(p[:-1])) for k in known)]
        rows += [Row(level="note", about=f"role {code}", text=f"no running plugin declares {p!r}") for p in unknown]
    return rows


async def _permissions(app: Newel, session: Session) -> dict[str, tuple[set[str] | None, set[str]]]:
    """Role -> (what it may do, None where it is not there; what newel.toml states)."""
    there: dict[str, set[str]] = {r["code"]: set() for r in await session.fetch("SELECT code FROM role")}
    for r in await session.fetch("SELECT r.code, p.permission FROM role_permission p JOIN role r ON r.id = p.role"):
        there[r["code"]].add(r["permission"])
    return {code: (there.get(code), set(role.permissions)) for code, role in sorted(app.config.roles.items())}


# ---- apply ----------------------------------------------------------------------------------------------------------------------------


async def apply(config: Config, modules: dict[str, Any] | None = None) -> list[str]:
    """Make the install what newel.toml states: migrations, detached plugins, settings, roles. Again: nothing (NEW-20).

    Returns:
        What was done, in words.

    Raises:
        NewelError: there is a conflict, or a package is missing; nothing was changed.
    """
    found = await plan(config, modules)
    if stop := found.of("conflict", "package"):
        raise NewelError(f"{stop[0].about}: {stop[0].text}; nothing was changed; `newel plan` shows all {len(stop)} of them")
    app = found.app
    await app.database.open()
    try:
        done = await _again(app)  # before the migrations of a newer release change its tables
        done += [f"migration {name} {step}" for name, step in await migrate.migrate(app.database, app.migration_apps())]
        async with app.database.read() as session:
            companies = list((await load_master(session)).companies.values())
        for company in companies:
            done += await _set(app, app.system(company, source="newel.toml"))
        if companies:
            done += await _make_roles(app, app.system(companies[0], source="newel.toml"))
        elif config.roles:
            done.append("roles wait for a company: newel init, then again")
    finally:
        await app.close()
    return done


async def _again(app: Newel) -> list[str]:
    """Attach what was detached and runs again."""
    async with app.database.read() as session:
        again = sorted(set(await marks(session)) & set(app.plugins.manifests)) if "setting" in await tables_of(session) else []
    return [words for name in again for words in await attach(app.database, name)]


async def _set(app: Newel, context: Context) -> list[str]:
    done = []
    async with app.database.read() as session:
        differing = [(name, changes) for code, name, changes in await _differing(app, session) if code == context.company.code]
        rows = await session.fetch("SELECT plugin, value FROM setting WHERE company = ?", context.company.id)
    own = {r["plugin"]: msgspec.json.decode(r["value"]) for r in rows}
    for name, changes in differing:
        stated = {field: new for field, (_, new) in changes.items()}
        await save_settings(app, name, own.get(name, {}) | stated, context)
        done += [f"settings {name}: {field} of company {context.company.code} is {_said(new)}" for field, new in stated.items()]
    return done


async def _make_roles(app: Newel, context: Context) -> list[str]:
    """Through records.save: who changed which role is in its history."""
    records, done = app.records, []
    async with app.database.read() as session:
        wanted = await _permissions(app, session)
        ids = {(r["code"], r["permission"]): r["id"] for r in await session.fetch(
            "SELECT p.id, p.permission, r.code FROM role_permission p JOIN role r ON r.id = p.role"
        )}  # fmt: skip
    async with app.database.write() as session:
        for code, (old, new) in wanted.items():
            if old is None:
                name = app.config.roles[code].name or code
                await records.save("newel.role", None, {"code": code, "name": name}, context, session=session)
            for permission in sorted((old or set()) - new):
                await records.delete("newel.role_permission", ids[(code, permission)], context, session=session)
            for permission in sorted(new - (old or set())):
                await records.save("newel.role_permission", None, {"role": code, "permission": permission}, context, session=session)
            if old != new:
                done.append(f"role {code}: {', '.join(sorted(new)) or 'no permissions'}")
    return done


def conflicts_first(rows: list[Row]) -> Iterator[dict[str, str]]:
    """Rows for people and for JSON."""
    order = {"conflict": 0, "package": 1, "change": 2, "note": 3}
    for row in sorted(rows, key=lambda r: order[r.level]):
        yield {"level": row.level, "about": row.about, "difference": row.text, "do": row.do}
