"""What an install is, as plain values that can be kept and compared: plugins, migrations, settings, roles. No data and no secret (NEW-20)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
from newel import __version__
from newel.config import Config, load
from newel.errors import NewelError
from newel.services.app import Newel
from newel.store.session import Session

from newel_ops.copies import versions
from newel_ops.databases import Moment, moment, opened

SECRET = ("password", "secret", "token", "key")


async def state(config: Config) -> dict[str, str]:
    """Name -> value of everything that makes two installs behave differently, such as "setting MAIN sales.valid_days".

    Raises:
        NewelError: the database is empty; Conflict or StartupError: the install can't be composed.
    """
    app, there = Newel(config), versions()
    out = {"newel": __version__}
    for name, manifest in app.plugins.manifests.items():
        out[f"plugin {name}"] = there.get(name) or manifest.version
    out |= {f"plugin {off.name}": f"off: {off.reason}" for off in app.off}
    out |= {f"precedes {name}": ", ".join(sorted(others)) for name, others in config.precedes.items()}
    async with opened(config.database, **config.engine) as database, moment(database) as now:
        out |= _migrations(now)
        out |= await _roles(now.session)
        for company in await now.session.fetch("SELECT id, code, currency FROM company ORDER BY code"):
            out[f"company {company['code']}"] = company["currency"]
            context = await app.context(now.session, app.system(None).user, company["id"])
            for name, settings in context.settings.items():
                for field, value in msgspec.to_builtins(settings).items():
                    said = "***" if any(word in field for word in SECRET) and value else json.dumps(value, default=str, sort_keys=True)
                    out[f"setting {company['code']} {name}.{field}"] = said
    return dict(sorted(out.items()))


def _migrations(now: Moment) -> dict[str, str]:
    out: dict[str, str] = {}
    for app, name in now.migrations:
        out[f"migrations {app}"] = f"{out[f'migrations {app}']}, {name}" if f"migrations {app}" in out else name
    return out


async def _roles(session: Session) -> dict[str, str]:
    rows = await session.fetch("SELECT r.code, p.permission FROM role r LEFT JOIN role_permission p ON p.role = r.id ORDER BY r.code, p.permission")
    out: dict[str, list[str]] = {}
    for r in rows:
        out.setdefault(f"role {r['code']}", []).append(r["permission"] or "")
    return {name: ", ".join(permissions) for name, permissions in out.items()}


async def differing(first: Path, second: Path) -> list[dict[str, Any]]:
    """What differs between two installs, each named by its newel.toml or by a file that `newel state` wrote."""
    a, b = [await _read(path) for path in (first, second)]
    return [{"what": name, str(first): a.get(name, "-"), str(second): b.get(name, "-")} for name in sorted({*a, *b}) if a.get(name) != b.get(name)]


async def _read(path: Path) -> dict[str, str]:
    if path.suffix != ".json":
        return await state(load(path))
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])  # noqa: ASYNC240 - once
    except (OSError, msgspec.MsgspecError) as error:
        raise NewelError(f"{path}: expected what newel state --json wrote: {error}") from error
