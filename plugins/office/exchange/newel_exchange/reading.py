"""A file as rows of text, read by a process of its own with little memory and time: whatever is in it, the server goes on.

Nothing in a file is carried out: a formula gives the value that was saved with it, and macros are refused.
"""

from __future__ import annotations

import asyncio
import csv
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from numbers import Real
from typing import Any

import msgspec
from newel.errors import Problem, Refused

BYTES, ROWS, COLUMNS, CELL = 10_000_000, 50_000, 200, 20_000
UNPACKED, RATIO, FEW = 150_000_000, 200, 10_000_000
MEMORY, SECONDS = 700_000_000, 20
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
GUARDED = re.compile("'[=+\\-@\t\r]")  # the apostrophe that an exported text has in front of what a spreadsheet would work out
MARKS = (b"\xff\xfe", b"\xfe\xff")


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What a file holds, or why it is refused.

    Args:
        head: names of its columns. rows: (number as a spreadsheet counts, a text for each column); empty rows are left out.
        problem: why it is refused; then there is nothing else.
    """

    head: tuple[str, ...] = ()
    rows: tuple[tuple[int, tuple[str, ...]], ...] = ()
    problem: Problem | None = None


async def read(content: bytes) -> Sheet:
    """The first sheet of an XLSX file, or a CSV file in UTF-8 or UTF-16."""
    if len(content) > BYTES:
        return Sheet(
            problem=Problem(
                code="exchange.file", message=f"at most {BYTES // 1_000_000} MB were expected, got {len(content) // 1_000_000} MB", hint="send it in parts"
            )
        )
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(sys.executable, "-m", "newel_exchange.reading", stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    try:
        async with asyncio.timeout(SECONDS + 5):
            out, _errors = await child.communicate(content)
        return msgspec.json.decode(out, type=Sheet)
    except (TimeoutError, msgspec.DecodeError):
        return Sheet(
            problem=Problem(
                code="exchange.file",
                message="the file can't be read: it is damaged, or holds more than it seems",
                hint="copy what matters into a new file and send that",
            )
        )
    finally:
        if child.returncode is None:
            child.kill()


def sheet_of(content: bytes) -> Sheet:
    """The same in this process."""
    try:
        found = [(n, tuple(_checked(n, row))) for n, row in enumerate(_xlsx(content) if content.startswith(b"PK") else _csv(content), 1) if any(row)]
        if len(found) < 2:
            raise Refused(
                Problem(
                    code="exchange.file",
                    message="a row with the names of the columns and at least one more were expected",
                    hint="put the names into the first row",
                )
            )
        width = max(len(row) for _n, row in found)
        rows = tuple((n, row + ("",) * (width - len(row))) for n, row in found)
    except Refused as why:
        return Sheet(problem=why.problems[0])
    head: list[str] = []
    for at, name in enumerate(rows[0][1]):
        label = " ".join(name.split())[:60] or letters(at)
        head.append(label if label not in head else f"{label} ({letters(at)})")
    return Sheet(head=tuple(head), rows=rows[1:])


def letters(at: int) -> str:
    """What a spreadsheet calls the column with this index."""
    return (letters(at // 26 - 1) if at >= 26 else "") + chr(65 + at % 26)


def _checked(number: int, row: list[str]) -> Iterator[str]:
    if number > ROWS + 1:
        raise Refused(Problem(code="exchange.file", message=f"at most {ROWS} rows were expected", hint="send it in parts"))
    if len(row) > COLUMNS:
        raise Refused(
            Problem(code="exchange.file", message=f"row {number}: at most {COLUMNS} columns were expected, got {len(row)}", hint="leave out what is not needed")
        )
    for at, text in enumerate(row):
        if len(text) > CELL:
            raise Refused(
                Problem(
                    code="exchange.file",
                    message=f"row {number}, column {letters(at)}: at most {CELL} characters were expected, got {len(text)}",
                    hint="shorten it",
                )
            )
        if CONTROL.search(text):
            raise Refused(
                Problem(code="exchange.file", message=f"row {number}, column {letters(at)}: there are control characters in it", hint="type the text anew")
            )
        yield text[1:] if GUARDED.match(text) else text


# ---- CSV -------------------------------------------------------------------------------------------------------------------------------


def _csv(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-16" if content.startswith(MARKS) else "utf-8-sig")
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        raise Refused(
            Problem(code="exchange.file", message=f"row {row}: this is no text in UTF-8", hint="save it as “CSV UTF-8”, or as an Excel workbook (.xlsx)")
        ) from None
    first = text[:CELL].partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    csv.field_size_limit(CELL * 2)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            yield [cell.strip() for cell in cells]
    except csv.Error as error:
        raise Refused(
            Problem(code="exchange.file", message=f"line {reader.line_num}: {error}", hint="close every quotation mark, and double those inside a text")
        ) from None


# ---- XLSX ------------------------------------------------------------------------------------------------------------------------------


def _xlsx(content: bytes) -> Iterator[list[str]]:
    from python_calamine import CalamineError, CalamineWorkbook

    _unpackable(content)
    try:
        for cells in CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).iter_rows():
            yield [_text(value) for value in cells]
    except (CalamineError, ValueError, OSError):
        raise Refused(Problem(code="exchange.file", message="this is no Excel workbook that can be read", hint="save it anew as .xlsx or as CSV")) from None


def _unpackable(content: bytes) -> None:
    """Every part is unpacked once, piece by piece: an archive may lie about what is in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            parts = packed.infolist()
            size = sum(p.file_size for p in parts)
            if size > UNPACKED or (size > FEW and size > RATIO * len(content)):
                raise Refused(
                    Problem(
                        code="exchange.file",
                        message=f"{size // 1_000_000} MB are packed into {len(content) // 1000} kB",
                        hint="copy what matters into a new file and send that",
                    )
                )
            if any(p.filename.lower().endswith("vbaproject.bin") for p in parts):
                raise Refused(Problem(code="exchange.file", message="there are macros in it", hint="save it without macros, as .xlsx"))
            bad = packed.testzip()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError):
        bad = "it"
    if bad:
        raise Refused(Problem(code="exchange.file", message="this is no Excel workbook that can be read", hint="save it anew as .xlsx or as CSV"))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Real):
        number = Decimal(repr(value))  # the shortest text that gives the same cell: what a person sees there
        return f"{number.quantize(1) if number == number.to_integral_value() and abs(number) < 10**15 else number:f}"
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, (date, time)) else str(value).strip()


def main() -> None:
    """Read from the standard input, answer on the standard output."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    sys.stdout.buffer.write(msgspec.json.encode(sheet_of(sys.stdin.buffer.read())))


if __name__ == "__main__":
    main()
