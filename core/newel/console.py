"""What commands share: a started install, errors as text, tables on the terminal. For the kernel's commands and those of other distributions."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click
from importlib_metadata import entry_points
from rich.console import Console
from rich.table import Table

from newel.config import load
from newel.errors import NewelError, Refused

if TYPE_CHECKING:
    from newel.services.app import Newel

T = TypeVar("T")
out = Console()


def run(work: Callable[[Newel], Awaitable[T]], *, migrations: bool = False) -> T:
    """Run `work` with a started install and return its result; errors are printed and end the command with code 2.

    Args:
        migrations: bring the database up to date first.
    """
    from newel.services.app import Newel

    async def main() -> T:
        app = Newel(load(config_path()))
        await app.start(migrations)
        try:
            return await work(app)
        finally:
            await app.close()

    return finished(main())


def finished(work: Coroutine[Any, Any, T]) -> T:
    """The result of `work`, which starts what it needs by itself; errors as in run()."""
    try:
        return asyncio.run(work)
    except Refused as refused:
        for p in refused.problems:
            out.print(f"[red]{p.code}[/] {p.message}" + (f" [dim]({p.hint})[/]" if p.hint else ""), highlight=False)
    except NewelError as error:
        out.print(f"[red]error[/] {error}", highlight=False)
    sys.exit(2)


def config_path() -> Path | None:
    """The file named with --config, or None."""
    context = click.get_current_context(silent=True)
    given = context.find_root().params.get("config") if context else None
    return Path(given) if given else None


class Commands(click.RichGroup):
    """The kernel's own commands, and those that other distributions bring by the entry-point group `newel.commands`; loaded when asked for."""

    def list_commands(self, context: click.Context) -> list[str]:  # noqa: ARG002 (click calls it with it)
        """Names of all commands."""
        return sorted({*self.commands, *_brought()})

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """The command with this name; the kernel's own first."""
        own = super().get_command(context, name)
        if own is not None:
            return own
        found: click.Command | None = brought.load() if (brought := _brought().get(name)) else None
        return found


@cache
def _brought() -> dict[str, Any]:
    """Commands of other distributions, looked up once: reading every distribution's metadata takes longer than all the rest of --help."""
    return {e.name: e for e in entry_points(group="newel.commands")}


def show(rows: list[dict[str, Any]], as_json: bool, title: str) -> None:
    """Print rows as a table; as tab-separated text where the output is no terminal; as JSON where asked for."""
    if as_json:
        click.echo(json.dumps(rows, indent=1, default=str))
        return
    if not rows:
        out.print(f"no {title}")
        return
    if not out.is_terminal:
        for row in rows:
            click.echo("\t".join(str(v) for v in row.values()))
        return
    table = Table(title=title)
    for name in rows[0]:
        table.add_column(name)
    for row in rows:
        table.add_row(*[str(v) for v in row.values()])
    out.print(table)
