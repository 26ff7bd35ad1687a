"""What is handed to auditors and to those who help: books that prove themselves, a bundle that gives nothing away, a way in when a step is lost."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from newel.cli import main
from newel.config import Config
from newel.errors import NewelError
from newel.services.app import Newel
from newel.services.setup import create_admin, set_up_company
from newel_ops.audit import export
from newel_ops.diagnose import bundle

SCRIPT = Path(__file__).resolve().parent.parent.parent / "tools" / "verify_audit.py"
PASSWORD = "quite a long password"


def checked(file: Path, *told: str) -> tuple[int, str]:
    """What the script says that auditors have, in a Python that knows nothing of Newel."""
    done = subprocess.run([sys.executable, "-I", "-S", str(SCRIPT), str(file), *told], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def newel(folder: Path, *words: str) -> Result:
    """A command as it is typed."""
    return CliRunner().invoke(main, ["--config", str(folder / "newel.toml"), *words])


async def test_the_books_can_be_checked_without_newel(demo_url: str, tmp_path: Path) -> None:
    """Everything adds up; any changed figure, missing entry or cut end is found, and so is a chain that was computed anew throughout."""
    file, odd = tmp_path / "books.jsonl", tmp_path / "odd.jsonl"
    assert await export(Config(database=demo_url), file) > 50
    lines = file.read_text().splitlines()
    last = json.loads(lines[-1])["hash"]
    assert checked(file) == checked(file, last) == (0, "everything adds up\n")
    assert checked(file, "0" * 64)[0] == 1
    entries = [n for n, line in enumerate(lines) if line.startswith('{"entry"')]
    chance = random.Random(7)
    for at in chance.sample(entries, 10):
        row = json.loads(lines[at])
        if chance.random() < 0.5:
            row["entry"][4] += " "
        else:
            row["postings"][0][2] += 1
        odd.write_text("\n".join([*lines[:at], json.dumps(row), *lines[at + 1 :]]) + "\n")
        code, said = checked(odd)
        assert code == 1 and f"line {at + 1}" in said, said
    odd.write_text("\n".join([*lines[: entries[3]], *lines[entries[4] :]]) + "\n")
    assert "is missing" in checked(odd)[1]
    odd.write_text("\n".join(lines[:-1]) + "\n")
    assert "too early" in checked(odd)[1]
    with pytest.raises(NewelError, match="there already"):
        await export(Config(database=demo_url), file)
    with pytest.raises(NewelError, match="no company"):
        await export(Config(database=demo_url), tmp_path / "none.jsonl", "NONE")


async def test_a_bundle_gives_nothing_away(demo_url: str, tmp_path: Path) -> None:
    """Versions, settings, findings and counts; no name, no address, no password, and of a log nothing secret."""
    log, file = tmp_path / "newel.log", tmp_path / "bundle.zip"
    log.write_text("login failed: password=Sesame-0815 of ann@mail.example.com\nreference 12ab34cd56ef: POST /api/documents\n")
    names = await bundle(Config(database=demo_url), file, log)
    with zipfile.ZipFile(file) as found:
        texts = {name: found.read(name).decode() for name in names}
    assert {"machine.json", "packages.json", "state.json", "doctor.json", "rows.json", "work.json", "log.txt", "newel.toml.json"} <= texts.keys()
    everything = "\n".join(texts.values())
    assert "12ab34cd56ef" in everything
    assert json.loads(texts["rows.json"])["journal_entry"] > 50
    app = Newel(Config(database=demo_url))
    await app.start()
    secret = ["Sesame-0815", "ann@mail"]
    async with app.database.read() as session:
        for sql in ("SELECT name AS n FROM party", "SELECT number AS n FROM document", "SELECT password AS n FROM app_user", "SELECT email AS n FROM party"):
            secret += [r["n"] for r in await session.fetch(sql) if len(r["n"] or "") > 4]
    await app.close()
    assert [s for s in secret if s in everything] == []


def test_the_commands(tmp_path: Path) -> None:
    """As they are typed."""
    (tmp_path / "newel.toml").write_text('database = "sqlite:///newel.db"\nplugins = []\n')
    assert newel(tmp_path, "init", "--password", PASSWORD).exit_code == 0
    assert "0 entries" in newel(tmp_path, "audit", str(tmp_path / "a.jsonl")).output
    assert checked(tmp_path / "a.jsonl") == (0, "everything adds up\n")
    assert "doctor.json" in newel(tmp_path, "diagnose", str(tmp_path / "b.zip")).output
    assert newel(tmp_path, "diagnose", str(tmp_path / "b.zip")).exit_code == 2
    assert "nothing after the password" in newel(tmp_path, "login-step", "admin").output
    assert newel(tmp_path, "login-step", "nobody").exit_code == 2


async def test_a_lost_step_is_taken_away_by_whoever_runs_the_server(sqlite_url: str, tmp_path: Path) -> None:
    """The plugin that asks for it does not run: nobody gets in with the password alone, until the command takes the step away."""
    app = Newel(Config(database=sqlite_url, plugins=()))
    await app.start()
    company = await set_up_company(app, code="MAIN", name="Main", currency="EUR")
    user = await create_admin(app, "boss", PASSWORD)
    async with app.database.write() as session:
        await app.users.ask_more(session, user, "two_factor", "app added", app.system(company))
    with pytest.raises(NewelError, match="does not run"):
        await app.users.login("boss", PASSWORD)
    (tmp_path / "newel.toml").write_text(f'database = "{sqlite_url}"\nplugins = []\n')
    done = await asyncio.to_thread(newel, tmp_path, "login-step", "boss", "--clear")
    assert "two_factor after the password until now" in done.output, done.output
    assert await app.users.login("boss", PASSWORD)
    await app.close()
