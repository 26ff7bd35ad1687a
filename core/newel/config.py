"""newel.toml: which plugins, which database, which settings. One file states an install."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from newel.errors import StartupError


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of newel.toml.

    Args:
        database: sqlite:///newel.db (relative to the file) or postgresql://user@host/name.
        plugins: names to run; left out: every installed one.
        disabled: installed plugins that must not run.
        precedes: plugin -> plugins whose answer to a decide_ hook yields to its own.
        host, port: where `newel serve` listens.
        secure_cookies: cookies only over https; switch on behind a proxy with TLS.
        settings: plugin -> its settings; they are defaults that the stored settings of a company override.
        engine: options of the engine, such as synchronous = "NORMAL" or connections = 20.
    """

    database: str = "sqlite:///newel.db"
    plugins: tuple[str, ...] | None = None
    disabled: tuple[str, ...] = ()
    precedes: dict[str, tuple[str, ...]] = {}
    host: str = "127.0.0.1"
    port: int = 8000
    secure_cookies: bool = False
    settings: dict[str, dict[str, Any]] = {}
    engine: dict[str, Any] = {}


def load(path: Path | None = None) -> Config:
    """Read the file named by `path` or NEWEL_CONFIG, or ./newel.toml; without any, the defaults. NEWEL_DATABASE overrides the database."""
    found = path or Path(os.environ.get("NEWEL_CONFIG", "newel.toml"))
    data: dict[str, Any] = {}
    if found.exists():
        try:
            data = tomllib.loads(found.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise StartupError(f"{found}: not valid TOML: {error}") from error
    elif path is not None:
        raise StartupError(f"{found}: there is no such file; `newel init` writes one")
    try:
        config = msgspec.convert(data, Config)
    except msgspec.ValidationError as error:
        raise StartupError(f"{found}: {error}") from error
    database = os.environ.get("NEWEL_DATABASE", config.database)
    if database.startswith("sqlite:///") and not database.startswith("sqlite:////") and ":memory:" not in database:
        base = found.resolve().parent if found.exists() else Path.cwd()
        database = f"sqlite:///{base / database.removeprefix('sqlite:///')}"
    return msgspec.structs.replace(config, database=database)
