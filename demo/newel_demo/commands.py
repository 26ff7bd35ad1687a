"""The command `newel demo`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import rich_click as click
from newel.console import out, run
from newel.errors import NewelError
from rich.progress import Progress


@click.command()
@click.option("--if-missing", is_flag=True, help="do nothing where there is a company already")
@click.option("--documents", default=1000, show_default=True, help="about how many documents to make")
@click.option("--data", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="fill the company that is there with this TOML file instead")
def demo(if_missing: bool, documents: int, data: Path | None) -> None:
    """Make a demonstration company: items, customers, documents in all states."""
    if data:
        content = tomllib.loads(data.read_text("utf-8"))

        async def fill(app: Any) -> None:
            from newel_demo.own import load

            out.print(str(await load(app, content)), highlight=False)

        run(fill, migrations=True)
        return

    async def work(app: Any) -> None:
        from newel_demo.company import demo as make

        async with app.database.read() as session:
            there = await session.value("SELECT COUNT(*) AS n FROM company")
        if there and if_missing:
            out.print("there is a company already")
            return
        if there:
            raise NewelError("there is a company already: choose an empty database for the demonstration")
        with Progress(console=out, transient=True) as progress:
            task = progress.add_task("demo", total=None)
            result = await make(app, documents=documents, progress=lambda text, at, of: progress.update(task, description=text, completed=at, total=of))
        out.print(str(result), highlight=False)

    run(work, migrations=True)
