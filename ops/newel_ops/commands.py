"""Commands for data: backup, restore, move-db, clone, detach, attach, purge. Those for composing are in commands_install.py.

Each imports late what it works with, so that `newel --help` is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import rich_click as click
from newel.config import Config, load
from newel.console import config_path, finished, out
from rich.progress import Progress

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=FILE)
def backup(file: Path) -> None:
    """Write one moment of the database into FILE, while others work on. It is there only when it is whole."""
    from newel_ops import copies

    with progress("backup") as tell:
        made = finished(copies.backup(config_of(), file, tell))
    rows = sum(s.rows for s in made.sums.values())
    out.print(f"{file}: {len(made.sums)} tables, {rows} rows, {file.stat().st_size / 1e6:.1f} MB", highlight=False)


@click.command()
@click.argument("file", type=FILE)
@click.option("--replace", is_flag=True, help="of a database that holds something: back that up, then replace it as a whole or not at all")
@click.option("--kept", type=FILE, help="with --replace: new file for what was there (left out: NAME-replaced-TIME.zip beside FILE)")
@click.option("--yes", is_flag=True, help="with --replace: do not ask for the name of the database")
def restore(file: Path, replace: bool, kept: Path | None, yes: bool) -> None:
    """Fill the empty database of newel.toml from FILE, whichever database it was made from; all or nothing. With --replace it need not be empty."""
    from newel_ops import copies, replacing

    config = config_of()
    if replace:
        kept = kept or file.with_name(f"{_name(config)}-replaced-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip")
        if not yes:
            _ask(config, kept)
    with progress("restore") as tell:
        sums = finished(replacing.replace(config, file, kept, tell) if replace and kept else copies.restore(config, file, tell))
    _same(sums)
    if replace:
        out.print(f"what was there: {kept}", highlight=False)
    out.print("next: newel verify, and newel migrate where plugins are newer than the backup", highlight=False)


def _name(config: Config) -> str:
    """What the database is called: the last part of its address."""
    return Path(urlsplit(config.database).path).stem


def _ask(config: Config, kept: Path) -> None:
    from newel_ops.databases import shown

    out.print(f"{shown(config.database)} is replaced as a whole; what it holds now goes into {kept}. Stop the server and the workers first.", highlight=False)
    if (typed := click.prompt(f"Type {_name(config)} to go on")) != _name(config):
        raise click.ClickException(f"expected {_name(config)}, got {typed}: nothing was changed")


@click.command("move-db")
@click.argument("target")
def move_db(target: str) -> None:
    """Copy everything to TARGET (sqlite:///path or postgresql://user@host/name), an empty database; nobody can write meanwhile."""
    from newel_ops import copies
    from newel_ops.databases import shown

    with progress("move") as tell:
        sums = finished(copies.move(config_of(), target, tell))
    _same(sums)
    out.print(f'next: write database = "{shown(target)}" into newel.toml (with its password, if it has one) and start the server', highlight=False)


@click.command()
@click.argument("target")
@click.option("--neutral", is_flag=True, help="it reaches nobody: no sessions, tokens, waiting messages, addresses; plugins are told to keep quiet")
def clone(target: str, neutral: bool) -> None:
    """Copy a moment of everything to TARGET, an empty database, while others work on."""
    from newel_ops import copies
    from newel_ops.databases import shown

    with progress("clone") as tell:
        done = finished(copies.clone(config_of(), target, neutral=neutral, tell=tell))
    say([f"{shown(target)} is a copy", *done])


@click.command()
@click.argument("name")
def detach(name: str) -> None:
    """Say that the plugin NAME, which runs no more, is gone: its tables stay as they are, and checksums of them are kept."""
    from newel_ops import detach as acts

    say(finished(acts.detach(config_of(), name)))


@click.command()
@click.argument("name")
@click.option("--from", "file", type=FILE, help="what newel purge exported")
def attach(name: str, file: Path | None) -> None:
    """Take the plugin NAME back: compare its tables with what was left; with --from, fill its empty tables again."""
    from newel_ops import detach as acts
    from newel_ops.databases import opened

    config = config_of()
    if file:
        say(finished(acts.bring_back(config, name, file)))
        return

    async def main() -> list[str]:
        async with opened(config.database) as database:
            return await acts.attach(database, name)

    say(finished(main()))


@click.command()
@click.argument("name")
@click.option("--export", "file", type=FILE, required=True, help="new file for its rows")
@click.confirmation_option(prompt="Its tables will be dropped. Go on?")
def purge(name: str, file: Path) -> None:
    """Export the tables of the detached plugin NAME into a file, then drop them; documents stay."""
    from newel_ops import detach as acts

    say(finished(acts.purge(config_of(), name, file)))


def say(words: list[str]) -> None:
    for line in words:
        out.print(line, highlight=False)


def _same(sums: dict[str, Any]) -> None:
    out.print(f"{len(sums)} tables, {sum(s.rows for s in sums.values())} rows; the checksum of every table is the same", highlight=False)


def config_of() -> Config:
    """What newel.toml says; errors as text."""

    async def read() -> Config:
        return load(config_path())

    return finished(read())


@contextmanager
def progress(what: str) -> Iterator[Callable[[str, int], None]]:
    """Say how far it is, where somebody looks on."""
    with Progress(console=out, transient=True, disable=not out.is_terminal) as shown_at:
        task = shown_at.add_task(what, total=None)
        yield lambda table, rows: shown_at.update(task, description=f"{what}: {table} {rows}")
