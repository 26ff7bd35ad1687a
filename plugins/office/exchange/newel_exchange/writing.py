"""A list as an Excel file: text stays text, numbers and dates are typed."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXACT = 15  # digits that a cell of a spreadsheet keeps; a longer number is written as text, which keeps all
LONGEST = 32_767  # characters of a cell, by the format
FIRST = date(1900, 3, 1)  # before it, spreadsheets disagree about what day it is


def xlsx_file(name: str, head: Sequence[str], rows: Iterable[Sequence[Any]]) -> tuple[bytes, str]:
    """A workbook with one sheet, and its media type."""
    out = io.BytesIO()
    safe = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(out, {"in_memory": True, "constant_memory": True, **safe}) as book:
        sheet = book.add_worksheet("".join(c if c.isalnum() or c in " ._-" else " " for c in name)[:31])
        formats = {
            "head": book.add_format({"bold": True, "bottom": 1}), "day": book.add_format({"num_format": "yyyy-mm-dd"}),
            "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}), "amount": book.add_format({"num_format": "#,##0.00##"}),
        }  # fmt: skip
        sheet.set_column(0, max(len(head) - 1, 0), 18)
        sheet.freeze_panes(1, 0)
        for at, label in enumerate(head):
            sheet.write_string(0, at, label, formats["head"])
        for number, row in enumerate(rows, 1):
            for at, value in enumerate(row):
                _cell(sheet, number, at, value, formats)
    return out.getvalue(), MEDIA


def _cell(sheet: Any, row: int, at: int, value: Any, formats: dict[str, Any]) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, at, value)
    elif isinstance(value, (int, Decimal)) and len(Decimal(value).as_tuple().digits) <= EXACT:
        whole = value == int(value)
        sheet.write_number(row, at, value, None if whole else formats["amount"])
    elif isinstance(value, datetime):
        sheet.write_datetime(row, at, value.astimezone(UTC).replace(tzinfo=None), formats["instant"])
    elif isinstance(value, date) and value >= FIRST:
        sheet.write_datetime(row, at, value, formats["day"])
    else:
        sheet.write_string(row, at, str(value)[:LONGEST])
