"""A bundle for whoever helps: what the install is, what is wrong with it, how large it is, and no data and no secret."""

from __future__ import annotations

import platform
import sys
import zipfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import msgspec
from newel.config import Config
from newel.errors import NewelError
from newel.services.administration import waiting
from newel.services.app import Newel
from newel.services.doctor import diagnose as look
from newel.services.verify import verify
from newel.web.logs import redacted

from newel_ops.databases import shown
from newel_ops.state import state as state_of
from newel_ops.tables import tables_of

LOG_BYTES = 2_000_000


async def bundle(config: Config, file: Path, log: Path | None = None, *, checked: bool = False) -> list[str]:
    """Write the bundle into a new file; returns the names of its parts.

    Args:
        log: the end of this file goes in as well, redacted.
        checked: also recompute the books (`newel verify`), which takes a while.

    Raises:
        NewelError: the file is there already.
    """
    parts: dict[str, Any] = {"machine": _machine(), "packages": _packages(), "state": await state_of(config)}
    app = Newel(config)
    await app.start(migrations=False)
    try:
        parts["off"] = {off.name: off.reason for off in app.off}
        parts["doctor"] = [msgspec.to_builtins(found) for found in await look(app)]
        parts |= await _data(app)
        if checked:
            parts["verify"] = [msgspec.to_builtins(found) for found in await verify(app)]
    finally:
        await app.close()
    texts = {f"{name}.json": redacted(msgspec.json.format(msgspec.json.encode(value)).decode()) for name, value in parts.items()}
    texts["newel.toml.json"] = redacted(msgspec.json.format(msgspec.json.encode({**msgspec.to_builtins(config), "database": shown(config.database)})).decode())
    if log is not None:
        texts["log.txt"] = redacted(log.read_bytes()[-LOG_BYTES:].decode(errors="replace"))  # noqa: ASYNC240 - once
    try:
        with zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED) as out:
            for name, text in texts.items():
                out.writestr(name, text)
    except FileExistsError as error:
        raise NewelError(f"{file} is there already") from error
    return sorted(texts)


def _machine() -> dict[str, str]:
    return {"python": sys.version.split()[0], "system": platform.system(), "release": platform.release(), "machine": platform.machine()}


def _packages() -> dict[str, str]:
    return {one.metadata["Name"]: one.version for one in sorted(distributions(), key=lambda d: str(d.metadata["Name"]).lower()) if one.metadata["Name"]}


async def _data(app: Newel) -> dict[str, Any]:
    """How many rows there are, and what waits or has failed: counts and kinds of errors, never what they are about."""
    async with app.database.read() as session:
        rows = {name: int(await session.value(f'SELECT COUNT(*) AS n FROM "{name}"')) for name in sorted(await tables_of(session))}
        version = await session.value("SELECT sqlite_version() AS v" if app.database.sqlite else "SELECT version() AS v")
    work = [{"what": what, "state": state, "n": n} for (what, state), n in sorted((await waiting(app)).items())]
    return {"rows": rows, "work": work, "database": {"version": version}}
