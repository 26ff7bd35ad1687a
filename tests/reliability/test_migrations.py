"""N10 and M2: migrations that start twice or fail in the middle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from newel.config import Config
from newel.services.app import Newel
from newel.store.migrate import MigrationFailed, migrate
from newel_sdk.conformance.looking import all_tables

from tests.reliability.books import MODULES
from tests.reliability.conftest import Run
from tests.reliability.failing import CUT_OFF, Planned, failing
from tests.reliability.processes import ROOT, Install
from tests.reliability.sizes import size


async def test_two_processes_migrate_at_once(database_url: str, tmp_path: Path, run: Run) -> None:
    """One migrates, the other waits and finds nothing to do; both end well."""
    for n in range(size("N10 rounds")):
        folder = tmp_path / str(n)
        folder.mkdir()
        url = database_url if not database_url.startswith("sqlite") else f"sqlite:///{folder / 'newel.db'}"
        install = Install(folder, url)
        command = [sys.executable, "-m", "tests.reliability.child", "migrate"]
        both = [subprocess.Popen(command, env=install.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(2)]  # noqa: ASYNC220 (nothing else runs)
        said = [p.communicate(timeout=600)[0] for p in both]
        assert [p.returncode for p in both] == [0, 0], said
        done = [s for s in said if " migrations" in s]
        assert len(done) == (1 if n == 0 or url.startswith("sqlite") else 0), said
        assert len([s for s in said if "nothing to do" in s]) == 2 - len(done), said
    run.note(rounds=size("N10 rounds"))


@pytest.mark.filterwarnings(*CUT_OFF)
async def test_a_migration_that_fails_leaves_nothing_behind(database_url: str, tmp_path: Path, run: Run) -> None:
    """At calls chosen at random, and at the first and the last: all of it was carried out or nothing, and the next start carries it out."""
    scratch = Newel(Config(database=f"sqlite:///{tmp_path / 'scratch.db'}"), MODULES)
    await scratch.database.open()
    with failing() as counter:
        await migrate(scratch.database, scratch.migration_apps())
    whole = await all_tables(scratch)
    await scratch.close()
    calls = sorted({6, counter.calls - 1, counter.calls, *run.chance.sample(range(6, counter.calls), size("M2 calls"))})
    stopped = 0
    for at in calls:
        app = Newel(Config(database=database_url), MODULES)
        await app.database.open()
        try:
            with failing(at):
                await migrate(app.database, app.migration_apps())
        except (Planned, MigrationFailed):
            stopped += 1
        found = await all_tables(app)
        await app.close()
        if found:
            break
    assert stopped > size("M2 calls") / 2, "hardly any call failed: this proves nothing"
    app = Newel(Config(database=database_url), MODULES)
    await app.start()
    assert set(await all_tables(app)) == set(whole) - (set() if app.database.sqlite else {"newel_id"})  # a sequence there
    await app.close()
    run.note(calls=counter.calls, stopped=stopped)
