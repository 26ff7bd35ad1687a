"""newel.toml: which plugins, which database, which settings. One file states an install."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal

import msgspec

from newel.errors import StartupError

PLUGIN = re.compile(r"\s*([a-z][a-z0-9_]*)\s*([~<>=!].*)?")


class RoleConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role as newel.toml states it: what it is called, and all that it may do."""

    name: str = ""
    permissions: tuple[str, ...] = ()


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The content of newel.toml.

    Args:
        database: sqlite:///newel.db (relative to the file) or postgresql://user@host/name.
        plugins: names to run, each with the versions that will do where that matters ("sales >= 0.2, < 1"); left out: every installed one.
        versions: plugin -> the versions that will do; load() takes them from `plugins`.
        disabled: installed plugins that must not run.
        precedes: plugin -> plugins whose answer to a decide_ hook yields to its own.
        zone: where the company is, as in the IANA list ("Europe/Ljubljana"): its midnight begins the next day of business.
        host, port: where `newel serve` listens.
        secure_cookies: cookies only over https; switch on behind a proxy with TLS.
        settings: plugin -> its settings; they are defaults that the stored settings of a company override.
        roles: code -> role; `newel apply` makes it so.
        field_rights: "<record kind>.<field>" -> the permission without which nobody sees or enters it (docs/guide_integrators.md).
        engine: options of the engine, such as synchronous = "NORMAL" or connections = 20.
        replica: postgresql://... of a streaming replica, for reading; left out: everything is read from `database`.
        replica_lag_seconds: how far it may be behind and still be read.
        jobs: what wakes workers: "database", which they ask every second, or "saq", which brings them ids through `redis` (of newel-ops).
        redis: redis://... of that.
        logs: what the server writes to standard error: "text" or "json", a line for each event.
    """

    database: str = "sqlite:///newel.db"
    plugins: tuple[str, ...] | None = None
    versions: dict[str, str] = {}
    disabled: tuple[str, ...] = ()
    precedes: dict[str, tuple[str, ...]] = {}
    zone: str = "UTC"
    host: str = "127.0.0.1"
    port: int = 8000
    secure_cookies: bool = False
    settings: dict[str, dict[str, Any]] = {}
    roles: dict[str, RoleConfig] = {}
    field_rights: dict[str, str] = {}
    engine: dict[str, Any] = {}
    replica: str = ""
    replica_lag_seconds: float = 10.0
    jobs: str = "database"
    redis: str = ""
    logs: Literal["text", "json"] = "text"


def load(path: Path | None = None) -> Config:
    """Read the file named by `path` or NEWEL_CONFIG, or ./newel.toml; without any, the defaults.

    NEWEL_DATABASE, NEWEL_REPLICA and NEWEL_REDIS override the addresses. Safe mode: NEWEL_ONLY names the only plugins to run, NEWEL_WITHOUT
    plugins that must not, with commas between.
    """
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
    stated = [PLUGIN.fullmatch(text) for text in config.plugins or ()]
    if None in stated:
        wrong = (config.plugins or ())[stated.index(None)]
        raise StartupError(f'{found}: plugins: expected a name, or a name and versions such as "sales >= 0.2", got {wrong!r}')
    versions = config.versions | {m[1]: m[2].strip() for m in stated if m and m[2]}
    plugins = None if config.plugins is None else tuple(m[1] for m in stated if m)
    if "NEWEL_ONLY" in os.environ:
        plugins = _names(os.environ["NEWEL_ONLY"])
    disabled = (*config.disabled, *_names(os.environ.get("NEWEL_WITHOUT", "")))
    replica, redis = os.environ.get("NEWEL_REPLICA", config.replica), os.environ.get("NEWEL_REDIS", config.redis)
    if replica and not (database.startswith("postgres") and replica.startswith("postgres")):
        raise StartupError(f"{found}: replica: expected postgresql://... beside a database of PostgreSQL, got one beside {database.partition(':')[0]}")
    return msgspec.structs.replace(config, database=database, plugins=plugins, versions=versions, disabled=disabled, replica=replica, redis=redis)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
