"""Commands for those who look after an install and for those who check it: diagnose, audit, login-step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click
from newel.console import finished, out, run
from newel.errors import NewelError

from newel_ops.commands import FILE, config_of


@click.command()
@click.argument("file", type=FILE)
@click.option("--log", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="also the end of this log")
@click.option("--verify", "checked", is_flag=True, help="also recompute the books, which takes a while")
def diagnose(file: Path, log: Path | None, checked: bool) -> None:
    """Write into FILE (zip) what helps to find a fault: versions, settings, findings, counts. No data and no secret; look at it before you send it."""
    from newel_ops.diagnose import bundle

    names = finished(bundle(config_of(), file, log, checked=checked))
    out.print(f"{file}: {', '.join(names)}", highlight=False)


@click.command()
@click.argument("file", type=FILE)
@click.option("--company", default="", help="code of the company; all of them unless given")
def audit(file: Path, company: str) -> None:
    """Write every entry of the books with its chain of hashes into FILE, a line of JSON each; tools/verify_audit.py checks it without Newel."""
    from newel_ops.audit import export

    out.print(f"{file}: {finished(export(config_of(), file, company))} entries", highlight=False)


@click.command("login-step")
@click.argument("login")
@click.option("--clear", is_flag=True, help="take it away: the password alone is enough again")
def login_step(login: str, clear: bool) -> None:
    """Show which plugin asks the user LOGIN for more than the password; with --clear for when it is lost or does not run."""

    async def work(app: Any) -> None:
        async with app.database.write() as session:
            row = await session.one("SELECT id, login_step FROM app_user WHERE login = ?", login)
            if row is None:
                raise NewelError(f"there is no user {login!r}")
            if clear and row["login_step"]:
                await app.users.ask_more(session, row["id"], "", "further step cleared", app.system(None))
        step = row["login_step"] or "nothing"
        out.print(f"{login}: {step} after the password" + (" until now; the password alone is enough" if clear else ""), highlight=False)

    run(work)
