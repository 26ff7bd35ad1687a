"""The command `newel plugin`: make, check and compare plugins."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from newel.console import config_path, out
from newel.errors import NewelError

from newel_sdk.scaffolding import PARTS, scaffold


@click.group()
def plugin() -> None:
    """For authors of plugins: make one, check it, find the one that is at fault."""


@plugin.command()
@click.argument("name")
@click.option("--in", "folder", type=click.Path(file_okay=False, path_type=Path), default=Path(), help="where its folder goes; default here")
@click.option("--without", default="", help=f"parts to leave out, with commas between: {', '.join(PARTS)}")
def new(name: str, folder: Path, without: str) -> None:
    """Make a working plugin NAME: a hook, a table, a page, an API, a translation, tests and docs."""
    try:
        files = scaffold(name, folder, [p.strip() for p in without.split(",") if p.strip()])
    except NewelError as error:
        out.print(f"[red]error[/] {error}", highlight=False)
        sys.exit(2)
    root = files[0].parent
    where = root if root.is_absolute() else f"./{root}"
    click.echo(f"made {root}: {len(files)} files. Next:\n  pip install -e {where}\n  pytest {root}\n  newel plugin check {name}")


@plugin.command()
@click.argument("name")
@click.option("--database", default="", help="an empty one; default: a temporary SQLite file")
@click.option("--level", type=click.Choice(["bronze", "silver", "gold", "platinum"]), default="gold", show_default=True, help="what it must reach")
@click.option("--json", "as_json", is_flag=True)
@click.option("--against", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="api_surface.txt of another release: what of it is lacking there")
def check(name: str, database: str, level: str, as_json: bool, against: Path | None) -> None:
    """Examine the installed plugin NAME and say which level it has: bronze, silver, gold or platinum. Ends with code 1 below --level."""
    from newel_sdk.conformance import CHECKS, LEVELS, examine

    if against is not None:
        sys.exit(_against(name, against))
    try:
        report = asyncio.run(examine(name, database))
    except AssertionError as error:
        out.print(f"[red]error[/] {error}", highlight=False)
        sys.exit(2)
    rows = []
    for one, (at, promise) in CHECKS.items():
        faults = [f.message for f in report.faults if f.check == one]
        result = "passed" if not faults else "exempt" if one in report.exempt else "failed"
        rows.append({"level": at, "check": one, "result": result, "promise": promise, "faults": faults, "reason": report.exempt.get(one, "")})
    if as_json:
        click.echo(json.dumps({"plugin": name, "level": report.level, "checks": rows}, indent=1))
    else:
        for row in rows:
            mark = {"passed": "[green]✓[/]", "exempt": "[yellow]~[/]", "failed": "[red]✗[/]"}[str(row["result"])]
            out.print(f"{mark} {row['level']:9} {row['promise']}", highlight=False)
            for fault in [row["reason"]] if row["result"] == "exempt" else row["faults"]:
                out.print(f"            [dim]{fault}[/]", highlight=False, soft_wrap=True)
        out.print(f"{name}: [bold]{report.level}[/]", highlight=False)
    order = ("none", *LEVELS)
    sys.exit(0 if order.index(report.level) >= order.index(level) else 1)


def _against(name: str, path: Path) -> int:
    """Name what the plugin uses that another release has not; 1 where there is something."""
    from newel_sdk.conformance.subject import Subject, load
    from newel_sdk.surface import lacking, read

    subject = Subject(name, load(name))
    version, known = read(path)
    found = lacking(subject.sources.values(), subject.hooks, known)
    for line in found:
        click.echo(f"lacking  {line}")
    click.echo(f"{name}: {len(found) or 'nothing'} lacking with hooks version {version}")
    return 1 if found else 0


@plugin.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
@click.option("--keep", default="", help="plugins that always run, with commas between")
def bisect(command: tuple[str, ...], keep: str) -> None:
    """Find the plugin without which COMMAND succeeds: it is run with fewer and fewer of the plugins of newel.toml.

    COMMAND is anything that ends with a code other than 0 while the fault is there: `newel plugin bisect -- newel verify`.
    """
    from newel_sdk.bisecting import Bisection

    def shown(names: Sequence[str], failed: bool) -> None:
        out.print(f"{'[red]fails[/]' if failed else '[green]works[/]'} with {', '.join(names) or 'no plugin'}", highlight=False)

    try:
        bisection = Bisection(config_path(), command, [n.strip() for n in keep.split(",") if n.strip()])
        guilty = bisection.run(shown)
    except NewelError as error:
        out.print(f"[red]error[/] {error}", highlight=False)
        sys.exit(2)
    out.print(f"[bold]{' and '.join(guilty)}[/]: with {'it' if len(guilty) == 1 else 'them together'} it fails, without it works", highlight=False)
