"""F3: files to be imported, good and evil ones, with random changes: no server error, nothing partly saved, little memory."""

from __future__ import annotations

import contextlib
import io
import random
import resource
import zipfile
import zlib
from typing import Any

from newel_exchange import work
from newel_exchange.reading import Sheet, read, sheet_of
from newel_exchange.rules import Choice, guessed, rows_of
from newel_exchange.writing import xlsx_file

from tests.reliability.conftest import Run
from tests.reliability.sizes import size
from tests.web import Web, serving

GOOD: dict[str, dict[str, tuple[str, ...]]] = {
    "newel.item": {"number": ("BOLT", "N1", "N2", "N3", "N4"), "name": ("One", "汉字"), "unit": ("EA",), "weight": ("1.5", ""), "active": ("true", "yes")},
    "newel.party": {
        "number": ("C1", "P1", "P2", "P3"),
        "name": ("One", "=1+1"),
        "is_customer": ("true", "no"),
        "country": ("DE", ""),
        "email": ("a@b.example",),
    },
    "newel.item_price": {"item": ("BOLT", "NUT"), "currency": ("EUR", "USD"), "price": ("1.5", "0.01"), "date_from": ("2026-03-01", "2026-03-02")},
    "newel.currency_rate": {"currency": ("USD", "JPY"), "rate": ("1.5", "0.0062"), "date_from": ("2026-03-01", "2026-03-02", "2026-03-03")},
}
CELLS = (
    "BOLT",
    "C1",
    "EUR",
    "USD",
    "EA",
    "true",
    "1.5",
    "1,5",
    "2026-02-30",
    "2026-03-01",
    "",
    "-1",
    "1e400",
    "NaN",
    "9" * 40,
    "=1+1",
    "\u202e",
    "x" * 300,
    "汉字",
)
PIECES = (b"\x00", b'"', b"\n", b"\r", b";", b",", b"\xff\xfe", b"\xe4", b"'=", b"&i;", b"<v>", b"</row>", b'r="XFD1048576"', b"-", b"9" * 50, b"\xef\xbb\xbf")
IN_A_PROCESS = 20  # each of so many is read as on the page: a process takes longer than the reading
MOST_KB = 300_000


def written(kind: str, chance: random.Random) -> bytes:
    """A file as somebody might send it: some rows, in CSV or as a workbook."""
    columns, wrong = GOOD[kind], chance.choice((0, 0, 0.05, 0.5))
    rows = [[chance.choice(CELLS if chance.random() < wrong else good) for good in columns.values()] for _ in range(chance.randint(1, 6))]
    if chance.random() < 0.4:
        return xlsx_file("x", list(columns), rows)[0]
    point = chance.choice(",;\t")
    return "\n".join(point.join(row) for row in [list(columns), *rows]).encode()


def mutated(content: bytes, chance: random.Random) -> bytes:
    """The same with some bytes changed; of a workbook the parts inside, so that it can still be unpacked, or the whole."""
    if zipfile.is_zipfile(io.BytesIO(content)) and chance.random() < 0.8:
        out = io.BytesIO()
        with contextlib.suppress(zipfile.BadZipFile, zlib.error, NotImplementedError, ValueError, EOFError):  # it was changed before
            with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
                victim = chance.choice(old.namelist())
                for name in old.namelist():
                    new.writestr(name, _changed(old.read(name), chance) if name == victim else old.read(name))
            return out.getvalue()
    return _changed(content, chance)


def _changed(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at, length = chance.randrange(len(data) + 1), chance.randint(1, 40)
        how = chance.randrange(5)
        if how == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif how == 1:
            del data[at : at + length]
        elif how == 2:
            data[at:at] = data[at : at + length] * chance.randint(1, 30)
        elif how == 3:
            data[at:at] = chance.choice(PIECES)
        else:
            data[at : at + 1] = chance.randbytes(chance.randint(1, 4))
    return bytes(data)


async def looked_at(content: bytes, n: int) -> Sheet:
    """What is in a file. What breaks the reading itself is told on the page as a file that can't be read."""
    if n % IN_A_PROCESS == 0:
        return await read(content)
    try:
        return sheet_of(content)
    except Exception:
        return await read(content)


async def brought_in(web: Web, kind: str, sheet: Sheet, chance: random.Random) -> str:
    """The sheet as the worker brings it in, all or nothing; what became of it."""
    app, context = web.newel, web.context
    targets = work.targets(app, kind, context)
    choice = guessed(sheet.head, targets, Choice(point=chance.choice(".,")))
    rows = rows_of(sheet.head, sheet.rows, choice, targets)
    good = [r.values for r in rows if not r.seen.problems]
    before = await count(web, kind)
    found = await app.records.import_rows(kind, good, context, match=choice.match, dry=len(good) < len(rows))
    made = await count(web, kind) - before
    assert made == (found.created if not found.problems and len(good) == len(rows) else 0), (kind, found, made)
    assert all(p.message for p in found.problems)
    return "refused" if found.problems or len(good) < len(rows) else "brought in"


async def count(web: Web, kind: str) -> int:
    """How many records of the kind there are."""
    async with web.newel.database.read() as session:
        return int(await session.value(f'SELECT COUNT(*) AS n FROM "{web.newel.records.shape(kind).table}"'))


def most_kb(whose: int) -> int:
    """The most memory that this process or one of its children had so far."""
    return resource.getrusage(whose).ru_maxrss


async def test_no_file_does_harm(database_url: str, run: Run) -> None:
    became: dict[str, int] = {}
    before = most_kb(resource.RUSAGE_CHILDREN)  # of whatever ran before in this process
    async with serving(database_url) as web:
        for n in range(size("F3 files")):
            kind = run.chance.choice(sorted(GOOD))
            content = written(kind, run.chance)
            for _ in range(run.chance.randint(0, 2)):
                content = mutated(content, run.chance)
            sheet = await looked_at(content, n)
            what = "unreadable" if sheet.problem else await brought_in(web, kind, sheet, run.chance)
            became[what] = became.get(what, 0) + 1
        assert most_kb(resource.RUSAGE_CHILDREN) <= max(before, MOST_KB, most_kb(resource.RUSAGE_SELF))  # a child begins with what its parent has
        assert min(became.get(what, 0) for what in ("unreadable", "refused", "brought in")) > 0, became
    run.note(**became)


async def test_a_file_that_is_partly_wrong_is_not_partly_saved(database_url: str) -> None:
    """Through the page as people send it: the last of many rows is wrong, and none is there."""
    async with serving(database_url) as web:
        rows: list[tuple[Any, ...]] = [(f"N{n}", "good") for n in range(50)]
        sheet = sheet_of("\n".join(["number,name", *(",".join(r) for r in rows), "N50,"]).encode())
        assert await brought_in(web, "newel.item", sheet, random.Random(1)) == "refused"
