"""Files on their way in and out: what comes through as text, and what is refused before it can do harm."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from datetime import date
from decimal import Decimal

import pytest
import xlsxwriter
from newel.web.views_list import csv_file
from newel_exchange.reading import BYTES, CELL, COLUMNS, ROWS, Sheet, read
from newel_exchange.writing import MEDIA, xlsx_file

HEAD = ("Number", "Text", "Price", "Day", "Sold")
ROW = ("0012", "=1+1", Decimal("1234.5"), date(2026, 1, 31), True)
TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def workbook(**cells: object) -> bytes:
    """A workbook with a head and a row; cells: A2="text", or a formula that begins with "="."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        sheet.write("A1", "Number")
        sheet.write("B1", "Text")
        for place, value in cells.items():
            sheet.write(place, value)
    return out.getvalue()


def packed(**parts: bytes) -> bytes:
    """An archive; names have "/" for "__" and "." for the last "_"."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [("[Content_Types].xml", TYPES), *((named(n), c) for n, c in parts.items())]:
            archive.writestr(name, content)
    return out.getvalue()


def named(name: str) -> str:
    """The path that a part's name stands for."""
    return "_rels/.rels" if name == "_rels__rels" else ".".join(name.replace("___", "/_").replace("__", "/").rsplit("_", 1))


def sheet_xml(*cells: tuple[str, str], doctype: str = "") -> bytes:
    """A workbook of raw cells: (place, XML inside)."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rows = "".join(f'<row r="{"".join(c for c in place if c.isdigit())}"><c r="{place}" {inside}</c></row>' for place, inside in cells)
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    related = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{}/{}" Target="{}"/></Relationships>'
    )
    book = f'<workbook xmlns="{main}" xmlns:r="{relation}"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>'
    parts = {
        "_rels__rels": related.format(relation, "officeDocument", "xl/workbook.xml"), "xl__workbook_xml": book,
        "xl___rels__workbook.xml_rels": related.format(relation, "worksheet", "worksheets/s.xml"),
        "xl__worksheets__s_xml": f'{doctype}<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
    }  # fmt: skip
    return packed(**{name: text.encode() for name, text in parts.items()})


async def test_what_was_written_is_read_again() -> None:
    """Text that begins like a formula, leading zeros, numbers and days come back as they were, by way of either format."""
    expected = Sheet(head=HEAD, rows=((2, ("0012", "=1+1", "1234.5", "2026-01-31", "true")),))
    content, media_type = xlsx_file("items", HEAD, [ROW])
    assert media_type == MEDIA
    assert await read(content) == expected
    csv, _type = csv_file("items", HEAD, [ROW])
    assert (await read(csv)).rows == ((2, ("0012", "=1+1", "1234.5", "2026-01-31", "yes")),)


async def test_cells_are_typed_and_no_formula_is_made() -> None:
    """A number is a number with all its digits, one with more than a spreadsheet keeps is text, and nothing is a formula or a link."""
    values = ("=1+1", "+1", "-1", "@A1", "https://x.example", Decimal("0.10"), Decimal("12345678901234567.89"), 7)
    content, _media = xlsx_file("a/b:c", ("X",), [(v,) for v in values])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet
    assert sheet.count(' t="') == 7
    assert "<v>0.10</v>" in sheet
    found = await read(content)
    assert [row[0] for _n, row in found.rows] == ["=1+1", "+1", "-1", "@A1", "https://x.example", "0.1", "12345678901234567.89", "7"]


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"Number;Text\r\n1;\"a;b\"\r\n", [("1", "a;b")]),
        ("\ufeffNumber\tText\n1\tžluťoučký".encode(), [("1", "žluťoučký")]),
        ("Number,Text\n1,汉字".encode("utf-16"), [("1", "汉字")]),
        (b'Number,Text\n1,"two\nlines"\n\n,,\n2,x', [("1", "two\nlines"), ("2", "x")]),
        (b"Number,Text\n1,=HYPERLINK(A1)\n2,'-5\n", [("1", "=HYPERLINK(A1)"), ("2", "-5")]),
        (workbook(A2="=1+1", B2="=cmd|' /C calc'!A0"), [("0", "0")]),
        (workbook(A2=12.10, B2="'quoted"), [("12.1", "'quoted")]),
    ],
)  # fmt: skip
async def test_tables_of_many_kinds_are_read(content: bytes, rows: list[tuple[str, ...]]) -> None:
    """Delimiters, encodings, quotes and blank rows; a formula gives the value that was saved with it, and nothing else."""
    found = await read(content)
    assert found.problem is None
    assert [row for _n, row in found.rows] == rows


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "names of the columns"),
        (b"Number,Text\n", "names of the columns"),
        (b"Number,Text\n1,a\x00b\n", "row 2, column B: there are control characters"),
        (b"Number,Text\n1,\xe4\xf6\n", "row 2: this is no text in UTF-8"),
        ("Number,Text\n1,ä\n".encode() + "2,ö\n".encode("latin-1"), "row 3: this is no text in UTF-8"),
        (b'Number,Text\n1,"open', "line 2"),
        (b'Number,Text\n1,"a"b\n', "line 2"),
        (b"Number,Text\n1," + b"x" * (CELL + 1), f"row 2, column B: at most {CELL} characters"),
        (b"Number,Text\n1," + b"x" * (BYTES - 100), "field larger than"),
        (b"Number,Text\n1," + b"x" * BYTES, "at most 10 MB"),
        (b"a," * (COLUMNS + 1) + b"\n1,2", f"at most {COLUMNS} columns"),
        (b"a," * 1_000_000 + b"\n1,2", "at most 200 columns"),
        (b"a\n" + b"1\n" * (ROWS + 2), f"at most {ROWS} rows"),
        (b"PK\x03\x04rubbish", "no Excel workbook"),
        (packed(), "no Excel workbook"),
        (packed(xl__vbaProject_bin=b"x"), "macros"),
        (packed(xl__worksheets__sheet1_xml=b"0" * 200_000_000), "200 MB are packed"),
        (packed(xl__worksheets__sheet1_xml=b"0" * 20_000_000), "20 MB are packed"),
        (workbook(A2="1")[:-200], "no Excel workbook"),
        (sheet_xml(("A1", 't="inlineStr"><is><t>A</t></is>'), ("XFD1048576", "><v>1</v>")), "can't be read"),
        (sheet_xml(("A1", 't="inlineStr"><is><t>A</t></is>'), ("XFD2", "><v>1</v>")), "at most 200 columns"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 100, "no text in UTF-8"),
    ],
)  # fmt: skip
async def test_a_file_that_could_do_harm_is_refused_and_says_why(content: bytes, said: str) -> None:
    """In little time and memory, in a process of its own; the next file is read as ever."""
    found = await read(content)
    assert found.problem is not None, found.head
    assert said in found.problem.message
    assert found.problem.hint
    assert (await read(b"A,B\n1,2")).problem is None


BOMB = '<!ENTITY a "xx">' + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 20}">' for n in range(8))
OUTSIDE = '<!ENTITY i SYSTEM "file:///etc/passwd">'


@pytest.mark.parametrize(("entities", "name"), [(BOMB, "i"), (OUTSIDE, "i")], ids=["bomb", "file"])
async def test_entities_of_xml_are_nothing(entities: str, name: str) -> None:
    """Neither a text that unfolds to gigabytes nor a file of this machine comes out of a workbook."""
    head = ("A1", 't="inlineStr"><is><t>A</t></is>')
    found = await read(sheet_xml(head, ("A2", f't="inlineStr"><is><t>&{name};</t></is>'), doctype=f"<!DOCTYPE worksheet [{entities}]>"))
    assert "root:" not in repr(found)
    assert found.problem is not None or all(len(cell) < 100 for _n, row in found.rows for cell in row)


MEASURED = """
import resource, subprocess, sys
subprocess.run([sys.executable, "-m", "newel_exchange.reading"], stdin=sys.stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.mark.parametrize(
    "content",
    [
        b"a,b,c,d\n" + b"1,2,3,4\n" * 1_200_000,
        b"a," * 4_900_000,
        xlsx_file("x", HEAD, [ROW] * ROWS)[0],
        sheet_xml(("A1", "><v>1</v>"), ("XFD1048576", "><v>1</v>")),
        packed(xl__worksheets__sheet1_xml=b"0" * 140_000_000 + bytes(range(256)) * 20_000),
    ],
    ids=["rows", "columns", "full", "sparse", "bomb"],
)
def test_no_file_takes_more_than_300_mb(content: bytes) -> None:
    """The largest that may come, and those that say little and mean much."""
    done = subprocess.run([sys.executable, "-c", MEASURED], input=content, capture_output=True, check=True, timeout=600)
    assert int(done.stdout) < 300_000
