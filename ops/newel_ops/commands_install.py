"""Commands for composing: plan, apply, rehearse, state, difference."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import rich_click as click
from newel.console import config_path, finished, out, show
from newel.errors import NewelError

from newel_ops.commands import FILE, config_of, progress, say

if TYPE_CHECKING:
    from newel_ops.compose import Row

JSON = click.option("--json", "as_json", is_flag=True)


@click.command()
@JSON
@click.option("--notes", is_flag=True, help="also what need not change")
def plan(as_json: bool, notes: bool) -> None:
    """Show what newel.toml states and the install is not: packages, migrations, settings, roles, conflicts. Ends with code 1 on a conflict."""
    from newel_ops.plan import conflicts_first
    from newel_ops.plan import plan as make

    made = finished(make(config_of()))
    rows = made.rows if notes or as_json else made.of("conflict", "package", "change")
    if rows or as_json:
        show(list(conflicts_first(rows)), as_json, "plan")
    else:
        out.print("nothing to do: the install is what newel.toml states", highlight=False)
    if not as_json and not notes and (more := len(made.of("note"))):
        out.print(f"{more} notes: newel plan --notes", highlight=False)
    sys.exit(1 if made.of("conflict") else 0)


@click.command()
@click.option("--install", is_flag=True, help="run pip for packages that are missing")
def apply(install: bool) -> None:
    """Make the install what newel.toml states: migrations, detached plugins, settings, roles. Again: nothing."""
    from newel_ops.plan import apply as make
    from newel_ops.plan import plan as look

    config = config_of()
    found = finished(look(config))
    if (missing := found.of("package")) and not found.of("conflict"):
        _packages(missing, install)
        return
    done = finished(make(config))
    say(done or ["nothing to do: the install is what newel.toml states"])


def _packages(rows: list[Row], install: bool) -> None:
    """Run pip and then this command again in a fresh process, which sees the new packages; or say how."""
    command = [sys.executable, "-m", "pip", "install", *(r.do for r in rows)]
    if not install:
        said = " ".join(f"'{r.do}'" for r in rows)
        out.print(f"packages are missing, nothing was changed: pip install {said}, or newel apply --install", highlight=False)
        sys.exit(1)
    if subprocess.run(command, check=False).returncode:  # noqa: S603 - what newel.toml states, without a shell
        out.print("[red]error[/] pip could not install them; nothing was changed", highlight=False)
        sys.exit(2)
    options = ["--config", str(given)] if (given := config_path()) else []
    sys.exit(subprocess.run([sys.executable, "-m", "newel.cli", *options, "apply"], check=False).returncode)  # noqa: S603


@click.command()
@click.option("--last", default=200, show_default=True, help="how many documents are replayed")
@click.option("--accept", is_flag=True, help="end with code 0 although something differs")
@click.option("--save", type=FILE, help="keep what the documents come to, to compare a later rehearsal with")
@click.option("--baseline", type=FILE, help="compare with what --save kept, not with what is stored")
@JSON
def rehearse(last: int, accept: bool, save: Path | None, baseline: Path | None, as_json: bool) -> None:
    """Rehearse an upgrade on a copy: migrate, verify, replay the last documents. Ends with code 1 where an amount differs or anything fails."""
    from newel_ops.rehearse import rehearse as make

    config = config_of()

    async def main() -> Any:
        return await make(config, last, baseline=_kept(baseline), tell=tell)

    with progress("rehearse") as tell:
        result = finished(main())
    if save:
        save.write_bytes(msgspec.json.encode(result.amounts))
    rows = [msgspec.to_builtins(d) for d in result.differences]
    if as_json:
        told = msgspec.to_builtins(msgspec.structs.replace(result, amounts={}))
        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        say([f"migration {m} ran on the copy" for m in result.migrations] + [f"off: {o}" for o in result.off] + [f"broken: {f}" for f in result.findings])
        if rows:
            show(rows, False, "differences")
        out.print(f"{result.replayed} documents replayed, {len(rows)} differences", highlight=False)
    sys.exit(0 if result.clean or accept else 1)


def _kept(path: Path | None) -> Any:
    from newel_ops.rehearse import Amounts

    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Amounts])
    except (OSError, msgspec.MsgspecError) as error:
        raise NewelError(f"{path}: expected what newel rehearse --save wrote: {error}") from error


@click.command()
@JSON
def state(as_json: bool) -> None:
    """What the install is: plugins, migrations, settings, roles; with --json to keep and to compare. No data and no secrets."""
    from newel_ops.state import state as look

    found = finished(look(config_of()))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found)).decode())
    else:
        show([{"what": name, "is": value} for name, value in found.items()], False, "state")


@click.command()
@click.argument("first", type=FILE)
@click.argument("second", type=FILE)
@JSON
def difference(first: Path, second: Path, as_json: bool) -> None:
    """What differs between two installs, each a newel.toml or a file that `newel state --json` wrote. Ends with code 1 where something does."""
    from newel_ops.state import differing

    rows = finished(differing(first, second))
    if rows or as_json:
        show(rows, as_json, "differences")
    else:
        out.print("no difference", highlight=False)
    sys.exit(1 if rows else 0)
