"""One running install: configuration, plugins, database, use cases. Everything else is reached from here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from newel import defaults
from newel.config import Config
from newel.domain.context import Context, User
from newel.errors import StartupError, missing
from newel.impls import Unfit
from newel.plugins import Off, Plugins, discover
from newel.services.carrying import queue_of
from newel.services.registry import Registry
from newel.store import migrate
from newel.store.master import load_master
from newel.store.replica import Replica
from newel.store.session import Database, Session


class Newel:
    """An install.

    Args:
        config: as read from newel.toml.
        modules: plugins instead of the installed ones (tests); name -> module or object with hooks.
        clock: gives the present instant; tests hand in a fixed one.

    Use:
        app = Newel(config); await app.start(); ...; await app.close()
    """

    def __init__(self, config: Config, modules: dict[str, Any] | None = None, clock: Callable[[], datetime] | None = None) -> None:
        self.config = config
        off: list[Off] = []
        if modules is None:
            modules, off = discover(config.plugins)
        off += [Off(name, "disabled in newel.toml") for name in config.disabled if name in modules]
        self._compose({name: module for name, module in modules.items() if name not in config.disabled}, off)
        self.database = Database(config.database, **config.engine)
        if config.replica:
            self.database.replica = Replica(self.database, Database(config.replica, **config.engine), config.replica_lag_seconds)
        self.queue = queue_of(config)
        self.database.carry = self.queue.carry if self.queue else None
        self.clock = clock or (lambda: datetime.now(UTC))
        try:
            self._zone = ZoneInfo(config.zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise StartupError(f"newel.toml: zone: expected a time zone such as Europe/Ljubljana, got {config.zone!r}") from error

    def _compose(self, modules: dict[str, Any], off: list[Off]) -> None:
        """Plugins, what they declare together, and the use cases over it."""
        from newel.services.documents import Documents
        from newel.services.records import Records
        from newel.services.users import Users

        while True:
            try:
                self.plugins = Plugins(modules, defaults, off, self.config.precedes)
                break
            except Unfit as unfit:  # the others run without it
                modules = {name: module for name, module in modules.items() if name != unfit.plugin}
                off = [*off, Off(unfit.plugin, unfit.reason)]
        self._modules = modules
        self.registry = Registry([defaults.register_plugin(), *self.plugins.manifests.values()], self.config.field_rights)
        self.documents = Documents(self)
        self.records = Records(self)
        self.users = Users(self)

    @property
    def off(self) -> list[Off]:
        """Plugins that are installed and not running, and why."""
        return self.plugins.off

    def migration_apps(self) -> dict[str, Any]:
        """Piccolo app configurations of kernel and plugins, by name."""
        configs = {"newel": import_module("newel.store.piccolo_app").APP_CONFIG}
        for name, manifest in self.plugins.manifests.items():
            if manifest.piccolo_app:
                try:
                    configs[name] = import_module(manifest.piccolo_app).APP_CONFIG
                except Exception as error:  # a plugin may fail in any way
                    raise Unfit(name, f"{manifest.piccolo_app} can't be imported: {type(error).__name__}: {error}") from error
        return configs

    async def start(self, migrations: bool = True) -> list[tuple[str, str]]:
        """Open the database and bring it up to date. Returns the migrations that were run.

        A plugin whose migration fails is switched off with the reason, and the others run: its documents can still be read.
        """
        await self.database.open()
        while migrations:
            try:
                return await migrate.migrate(self.database, self.migration_apps())
            except Unfit as unfit:
                self._without(unfit.plugin, unfit.reason)
            except migrate.MigrationFailed as failed:
                if failed.app not in self._modules:
                    await self.database.close()
                    raise
                self._without(failed.app, f"can't be migrated: {failed}")
        return []

    def _without(self, plugin: str, reason: str) -> None:
        left = {name: module for name, module in self._modules.items() if name != plugin}
        self._compose(left, [*(o for o in self.off if o.name not in left), Off(plugin, reason)])

    async def close(self) -> None:
        """Close the database."""
        if self.queue:
            await self.queue.close()
        await self.database.close()

    async def context(self, session: Session, user: User, company: int | None = None, **more: Any) -> Context:
        """The context of an action of this user: company (their first one unless given), time, settings.

        Raises:
            Refused: 404 where the user may not work for the company (or it does not exist).
        """
        master = await load_master(session)
        allowed = [c for c in sorted(master.companies) if "*" in user.permissions or c in user.companies]
        if company is None and allowed:
            company = allowed[0]
        if company not in allowed:
            raise missing("company", company, "company")
        now = self.clock()
        values: dict[str, Any] = {"now": now, "today": self._day(now), "settings": await self._settings(session, company or 0), **more}
        return Context(user=user, company=master.companies[company or 0], **values)

    async def every_company(self, source: str) -> list[Context]:
        """For recurring jobs: a context with every right for each company, in the order of their ids. source: what stands in histories."""
        async with self.database.read() as session:
            ids = sorted((await load_master(session)).companies)
            return [await self.context(session, self.system(None).user, id, source=source) for id in ids]

    async def _settings(self, session: Session, company: int) -> dict[str, Any]:
        stored = await session.cached("newel.setting", _stored_settings)
        out = {}
        for name, manifest in self.registry.manifests.items():
            if manifest.settings is None:
                continue
            values = {**self.config.settings.get(name, {}), **stored.values.get((None, name), {}), **stored.values.get((company, name), {})}
            out[name] = msgspec.convert(values, manifest.settings, strict=False)
        return out

    def _day(self, now: datetime) -> date:
        return now.astimezone(self._zone).date()

    def system(self, company: Any, today: date | None = None, source: str = "system") -> Context:
        """A context with every right, for jobs, imports and the command line."""
        now = self.clock()
        user = User(id=0, login="newel", name="Newel", permissions=frozenset({"*"}))
        return Context(user=user, company=company, now=now, today=today or self._day(now), source=source)


class _Settings(msgspec.Struct, frozen=True):
    values: dict[Any, dict[str, Any]]


async def _stored_settings(session: Session) -> _Settings:
    rows = await session.fetch("SELECT company, plugin, value FROM setting")
    return _Settings({(r["company"], r["plugin"]): msgspec.json.decode(r["value"]) for r in rows})
