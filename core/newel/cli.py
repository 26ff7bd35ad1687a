"""The command `newel`."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import sys
from pathlib import Path
from typing import Any

import msgspec
import rich_click as click
from rich.progress import Progress

from newel import __version__
from newel.config import load
from newel.console import Commands, config_path, out, run, show
from newel.errors import NewelError


def _safe(_context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """In the environment, so that every command and process of this one sees it."""
    if value is not None:
        os.environ[f"NEWEL_{str(parameter.name).upper()}"] = value


only = click.option("--only", callback=_safe, expose_value=False, help="safe mode: run only these plugins, with commas between")
without = click.option("--without", callback=_safe, expose_value=False, help="safe mode: run without these plugins")


@click.group(cls=Commands)
@click.version_option(__version__)
@only
@without
@click.option("--config", type=click.Path(dir_okay=False), help="newel.toml to use (default: $NEWEL_CONFIG or ./newel.toml)")
def main(config: str | None) -> None:
    """Newel: a slim ERP kernel; every feature is a plugin."""


@main.command()
@click.option("--code", default="MAIN", show_default=True, help="short code of the company")
@click.option("--name", default="My company", show_default=True)
@click.option("--currency", default="EUR", show_default=True)
@click.option("--country", default="", help="ISO 3166 code, such as DE")
@click.option("--database", default="", help="written into newel.toml; default sqlite:///newel.db")
@click.option("--login", default="admin", show_default=True)
@click.option("--password", default="", help="of the administrator; a random one is printed when left out")
def init(code: str, name: str, currency: str, country: str, database: str, login: str, password: str) -> None:
    """Write newel.toml, make the database, a company and an administrator. Again: add what is missing."""
    path = config_path() or Path(os.environ.get("NEWEL_CONFIG", "newel.toml"))
    if not path.exists():
        path.write_text(f'database = "{database or "sqlite:///newel.db"}"\n# plugins = ["sales", "pricelists"]   # default: all that are installed\n', "utf-8")
        out.print(f"wrote {path}")

    async def work(app: Any) -> None:
        from newel.services.setup import create_admin, set_up_company

        company = await set_up_company(app, code=code, name=name, currency=currency, country=country)
        out.print(f"company {company.code} {company.name} is set up in {company.currency}")
        async with app.database.read() as session:
            there = await session.value("SELECT id FROM app_user WHERE login = ?", login)
        if there:
            out.print(f"user {login} is there already")
            return
        chosen = password or secrets.token_urlsafe(12)
        await create_admin(app, login, chosen)
        out.print(f"user {login}" + ("" if password else f", password [bold]{chosen}[/]"), highlight=False)

    run(work, migrations=True)


@main.command()
@click.option("--host", default=None, help="default: newel.toml, else 127.0.0.1")
@click.option("--port", default=None, type=int, help="default: newel.toml, else 8000")
@click.option("--worker/--no-worker", default=True, help="also work off outbox and jobs in this process")
@only
@without
def serve(host: str | None, port: int | None, worker: bool) -> None:
    """Serve the web interface and the API."""
    import uvicorn

    from newel.services.app import Newel
    from newel.web import logs
    from newel.web.app import create_app

    try:
        config = load(config_path())
        logs.configure(config.logs == "json")
        app = Newel(config)
    except NewelError as error:
        out.print(f"[red]error[/] {error}", highlight=False)
        sys.exit(2)
    for off in app.off:
        out.print(f"[yellow]plugin {off.name} is off:[/] {off.reason}", highlight=False)
    address, at = host or config.host, port or config.port
    out.print(f"Newel {__version__} on http://{address}:{at}", highlight=False)

    told = f"nobody can log in yet; begin at http://{address}:{at}"
    web = create_app(app, worker=worker, tell=lambda path: out.print(told + path, highlight=False, soft_wrap=True))
    gc.collect()
    gc.freeze()  # what is loaded stays: looking through all of it for rubbish took 50 ms every now and then
    uvicorn.run(web, host=address, port=at, log_level="warning", log_config=None, server_header=False, timeout_graceful_shutdown=10)


@main.command()
def worker() -> None:
    """Work off outbox and jobs until stopped."""
    from newel.jobs.worker import Worker
    from newel.web import logs

    async def work(app: Any) -> None:
        logs.configure(app.config.logs == "json")
        running = Worker(app)
        loop = asyncio.get_running_loop()
        import signal

        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, running.stop)
        out.print(f"worker {running.name}", highlight=False)
        await running.run()

    run(work, migrations=True)


@main.command()
def migrate() -> None:
    """Bring the database up to date, kernel and plugins together: all or nothing."""

    async def work(app: Any) -> None:
        from newel.store import migrate as store

        done = await store.migrate(app.database, app.migration_apps())
        for plugin, name in done:
            out.print(f"{plugin} {name}")
        out.print(f"{len(done)} migrations" if done else "nothing to do")

    run(work)


@main.command("migration")
@click.argument("plugin")
def migration(plugin: str) -> None:
    """Write the next migration of PLUGIN from its tables."""

    async def work(app: Any) -> None:
        from newel.store import migrate as store

        configs = app.migration_apps()
        if plugin not in configs:
            raise NewelError(f"{plugin!r} has no tables; it is one of {', '.join(configs)}")
        out.print(str(await store.write_next(configs[plugin], configs) or "nothing has changed"))

    run(work)


@main.command()
@click.argument("login")
@click.option("--name", default="command line", show_default=True, help="what it is for")
@click.option("--days", default=365, show_default=True, help="how long it is valid")
def token(login: str, name: str, days: int) -> None:
    """Make an API token for the user LOGIN; it is shown once."""

    async def work(app: Any) -> None:
        async with app.database.read() as session:
            found = await session.value("SELECT id FROM app_user WHERE login = ? AND active", login)
        user = await app.users.load(found) if found else None
        if user is None:
            raise NewelError(f"there is no active user {login!r}")
        click.echo(await app.users.create_token(user, name, days))

    run(work)


@main.command()
@click.option("--json", "as_json", is_flag=True)
def plugins(as_json: bool) -> None:
    """List plugins: those that run, and those that do not and why."""

    async def work(app: Any) -> None:
        rows = [{"name": n, "version": m.version, "label": m.label, "state": "running", "reason": ""} for n, m in app.plugins.manifests.items()] + [
            {"name": o.name, "version": "", "label": "", "state": "off", "reason": o.reason} for o in app.off
        ]
        show(rows, as_json, "plugins")

    run(work)


@main.command()
@click.option("--trace", type=int, help="id of a document: which plugin did what to it")
@click.option("--json", "as_json", is_flag=True)
def hooks(trace: int | None, as_json: bool) -> None:
    """Which plugin implements which hook; with --trace, what each one did for one document."""

    async def work(app: Any) -> None:
        if trace is None:
            show([{"hook": h, "plugins": ", ".join(app.plugins.implementers(h)) or "-"} for h in app.plugins.hooks], as_json, "hooks")
            return
        from newel.services.trace import trace_document

        show(await trace_document(app, trace), as_json, f"document {trace}")

    run(work)


@main.command()
@click.option("--json", "as_json", is_flag=True)
def doctor(as_json: bool) -> None:
    """Look for what may be wrong: each finding with cause, effect and fix. Ends with code 1 on an error."""

    async def work(app: Any) -> bool:
        from newel.services.doctor import diagnose

        found = await diagnose(app)
        show([msgspec.to_builtins(d) for d in found], as_json, "doctor")
        return any(d.level == "error" for d in found)

    sys.exit(1 if run(work) else 0)


@main.command()
@click.option("--json", "as_json", is_flag=True)
def verify(as_json: bool) -> None:
    """Recompute every invariant from the rows; names the offending ones. Ends with code 1 where something does not add up."""

    async def work(app: Any) -> int:
        from newel.services.verify import CHECKS
        from newel.services.verify import verify as check

        with Progress(console=out, transient=True, disable=as_json) as progress:
            task = progress.add_task("verify", total=len(CHECKS) + 2)
            found = await check(app, lambda text: progress.update(task, advance=1, description=text))
        if as_json:
            show([msgspec.to_builtins(f) for f in found], True, "")
        elif found:
            show([msgspec.to_builtins(f) for f in found], False, "findings")
        else:
            out.print(f"{len(CHECKS) + 2} checks, everything adds up")
        return len(found)

    sys.exit(1 if run(work) else 0)


if __name__ == "__main__":
    main()
