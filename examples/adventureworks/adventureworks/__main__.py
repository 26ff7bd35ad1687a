"""The commands: python -m adventureworks load | replay | compare."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import rich_click as click
from newel import config
from newel.domain.context import Company
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.verify import verify
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from adventureworks.compare import Comparison
from adventureworks.load import find_company, load
from adventureworks.replay import compare_all, price_all, replay_all
from adventureworks.source import EXAMPLE, Source, data_folder, sample

console = Console()
DATABASE = click.option("--database", help="sqlite:///path or postgresql://...; the one in newel.toml unless given.")
CHANNEL = click.option("--channel", type=click.Choice(["Internet", "Reseller"]), default=None, help="Only orders of this channel.")
BAR = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())


@asynccontextmanager
async def running(database: str | None) -> AsyncIterator[Newel]:
    """The install of newel.toml, on another database where one is named."""
    settings = config.load(EXAMPLE / "newel.toml")
    app = Newel(msgspec.structs.replace(settings, database=database) if database else settings)
    await app.start()
    try:
        for off in app.off:
            console.print(f"[yellow]plugin {off.name} is off: {off.reason}")
        yield app
    finally:
        await app.close()


async def company_of(app: Newel) -> Company:
    """The loaded company; ends the program where there is none."""
    company = await find_company(app)
    if company is None:
        raise click.ClickException("nothing is loaded yet: run `python -m adventureworks load` first")
    return company


def table(comparison: Comparison) -> Table:
    """Both sides' sums, and what is between them."""
    out = Table("channel", "", "Newel", "published", "difference", box=SIMPLE)
    for column in out.columns[2:]:
        column.justify = "right"
    for name, channel in sorted(comparison.channels.items()):
        for what in ("net", "tax", "freight", "total"):
            ours, published = getattr(channel.ours, what), getattr(channel.published, what)
            if ours or published:
                out.add_row(name if what == "net" else "", what, f"{ours:,.4f}", f"{published:,.4f}", f"{ours - published:,.4f}")
        out.add_section()
    return out


def conclude(comparison: Comparison, seconds: float) -> None:
    """Print the result; the exit code is 1 where anything differs."""
    console.print(table(comparison))
    console.print(f"{comparison.orders:,} orders, {comparison.lines:,} lines in {seconds:.1f} s, {comparison.orders / max(seconds, 1e-9):.0f} orders/s")
    if comparison.skipped:
        console.print(f"{comparison.skipped:,} lines have a special offer and were left out")
    if comparison.exceptions:
        console.print(f"{comparison.exceptions} published taxes or freights break their own rule by 0.0001 (see README.md) and were set right")
    if comparison.differences:
        console.print(f"[red]{len(comparison.differences):,} differences\n{comparison.report()}")
        sys.exit(1)
    console.print("[green]no difference")


async def measured(title: str, total: int | None, run: Callable[[Callable[[], Any]], Any]) -> None:
    """Run with a progress bar and print the result."""
    start = time.perf_counter()
    with Progress(*BAR, console=console) as progress:
        task = progress.add_task(title, total=total)
        comparison = await run(lambda: progress.advance(task))
    conclude(comparison, time.perf_counter() - start)


@click.group()
def main() -> None:
    """Adventure Works Cycles on Newel."""


@main.command("load")
@DATABASE
def load_command(database: str | None) -> None:
    """Load the company into an empty database."""

    async def work() -> None:
        async with running(database) as app:
            start = time.perf_counter()
            loaded = await load(app, Source(data_folder()), lambda kind, count: console.print(f"{count:>7,} {kind}"))
            console.print(f"[green]{sum(loaded.counts.values()):,} records in {time.perf_counter() - start:.1f} s")

    asyncio.run(work())


@main.command()
@DATABASE
@CHANNEL
@click.option("--orders", default=1000, show_default=True, help="How many, evenly spread over the three years.")
@click.option("--first", is_flag=True, help="The first ones instead.")
@click.option("--all", "every", is_flag=True, help="All orders.")
@click.option("--price-only", is_flag=True, help="Price and compare, write nothing.")
@click.option("--offers", type=click.Choice(["leave-out", "by-hand"]), default="leave-out", show_default=True,
              help="Orders with a special offer: left out, or its price and discount entered by hand.")  # fmt: skip
def replay(database: str | None, channel: str | None, orders: int, first: bool, every: bool, price_only: bool, offers: str) -> None:
    """Replay orders from the entry to the paid invoice, and compare every line and sum with what was published."""

    async def work() -> None:
        async with running(database) as app:
            company, found = await company_of(app), Source(data_folder()).orders(channel or "")
            wanted = found if price_only or offers == "by-hand" else [order for order in found if not order.offered]
            if len(wanted) < len(found):
                console.print(f"{len(found) - len(wanted):,} orders with a special offer are left out (--offers by-hand takes them in)")
            wanted = wanted if every else sample(wanted, orders, first)
            work_on = price_all if price_only else replay_all
            await measured("pricing" if price_only else "replaying", len(wanted), lambda step: work_on(app, company, wanted, step))

    asyncio.run(work())


@main.command()
@DATABASE
@CHANNEL
def compare(database: str | None, channel: str | None) -> None:
    """Compare the invoices of earlier replays, and verify the books."""

    async def work() -> None:
        async with running(database) as app:
            company, orders = await company_of(app), Source(data_folder()).orders(channel or "")
            findings = await verify(app)
            for finding in findings:
                console.print(f"[red]{finding.check}: {finding.where} {finding.message}")
            await measured("comparing", None, lambda step: compare_all(app, company, orders, step))
            if findings:
                sys.exit(1)
            console.print("[green]the books verify")

    asyncio.run(work())


if __name__ == "__main__":
    try:
        main(standalone_mode=True)
    except (Refused, FileNotFoundError) as error:
        console.print(f"[red]{error}")
        sys.exit(2)
