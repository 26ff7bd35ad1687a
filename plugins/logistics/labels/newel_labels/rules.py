"""What a label says and which bars it has. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Literal

import msgspec
import segno
from barcode import EAN13, Code128
from barcode.codex import Gs1_128
from barcode.ean import EAN8
from markupsafe import Markup
from newel.errors import Problem, Refused

Layout = Literal["item", "shelf", "qr"]
Paper = Literal["roll", "sheet"]
MOST = 1000  # labels of one request
COPIES = 100
SHEET = 24
LONGEST = 48  # characters in a Code 128 that still fits


class LabelsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of labels. paper: roll (a label a page, for label printers) or sheet (24 on A4), where the address does not say."""

    paper: Paper = "roll"


class Label(msgspec.Struct, frozen=True, kw_only=True):
    """One label. code: what the scanner reads; bars: its picture; lines: small print, such as an address; look: name of how it is set."""

    look: str
    title: str
    text: str = ""
    lines: tuple[str, ...] = ()
    code: str = ""
    bars: Markup = Markup("")


def valid_gtin(text: str) -> bool:
    """Whether it is a GTIN of 8, 12, 13 or 14 digits with the right check digit (GS1 General Specifications, 7.9)."""
    if not (text.isascii() and text.isdecimal()) or len(text) not in (8, 12, 13, 14):
        return False
    return sum(int(c) * (3 if i % 2 else 1) for i, c in enumerate(reversed(text))) % 10 == 0


def bars_of(gtin: str, number: str, lot: str = "") -> tuple[Markup, str]:
    """The bars of an item, and what is read from them: EAN for a GTIN of 8 to 13 digits, GS1-128 with a lot or for one of 14, else Code 128 of the number."""
    if valid_gtin(gtin) and (lot or len(gtin) == 14):
        code = f"01{gtin.zfill(14)}" + (f"10{lot}" if lot else "")
        return linear(Gs1_128(code).build()[0]), f"(01){gtin.zfill(14)}" + (f"(10){lot}" if lot else "")
    if valid_gtin(gtin):
        made = EAN8(gtin) if len(gtin) == 8 else EAN13(gtin.zfill(13))
        return linear(made.build()[0]), gtin
    return code128(number)


def code128(text: str) -> tuple[Markup, str]:
    """Code 128 of a text and the text; a QR code where the text is too long for bars or not of its letters."""
    if len(text) > LONGEST or not (text.isascii() and text.isprintable()):
        return qr(text), text
    return linear(Code128(text).build()[0]), text


def linear(pattern: str) -> Markup:
    """Bars as SVG, a unit for each module, with the quiet zone of ten modules on both sides."""
    path, at = [], 10
    for bit, run in groupby(pattern):
        width = len(list(run))
        if bit == "1":
            path.append(f"M{at} 0h{width}v1h-{width}z")
        at += width
    bars = Markup('<svg class="lb-bars" viewBox="0 0 {} 1" preserveAspectRatio="none" aria-hidden="true"><path d="{}"/></svg>')
    return bars.format(at + 10, "".join(path))


def qr(text: str) -> Markup:
    """A QR code as SVG (never a micro one, which few scanners read)."""
    rows = [bytes(row) for row in segno.make_qr(text, error="m").matrix_iter(border=4)]
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, dark in enumerate(row) if dark)
    return Markup('<svg class="lb-qr" viewBox="0 0 {0} {0}" aria-hidden="true"><path d="{1}"/></svg>').format(len(rows), path)


def item_label(number: str, name: str, unit: str, gtin: str, layout: Layout, lot: str = "") -> Label:
    """The label of an item or of its shelf."""
    bars, code = (qr(number), number) if layout == "qr" else bars_of(gtin, number, lot)
    return Label(look=layout, title=number, text=name, lines=tuple(filter(None, (lot, unit if layout == "shelf" else ""))), code=code, bars=bars)


def place_label(code: str, name: str) -> Label:
    """The label of a place in the store."""
    bars, read = code128(code)
    return Label(look="shelf", title=code, text=name, code=read, bars=bars)


def parcel_label(number: str, sender: str, address: Sequence[str]) -> Label:
    """The label of a parcel: to whom, from whom, and the number of its document."""
    bars, code = code128(number)
    return Label(look="parcel", title=number, text=sender, lines=tuple(address), code=code, bars=bars)


def counted(text: str, copies: int) -> list[tuple[int, int]]:
    """(id, how many) from "17,18*3"; copies: of each that says nothing.

    Raises:
        Refused: 422, it is written differently.
    """
    out = []
    for part in filter(None, (p.strip() for p in text.split(","))):
        id, _star, count = part.partition("*")
        if not (id.isascii() and id.isdecimal() and len(id) < 19) or (_star and not (count.isascii() and count.isdecimal() and 0 < int(count[:4]) <= COPIES)):
            hint = f"ids with commas; 17*3 for three labels of one, at most {COPIES}"
            raise Refused(Problem(code="labels.written", message=f"items and counts were expected, got {part!r:.40}", where="items", hint=hint))
        out.append((int(id), int(count) if _star else copies))
    return out


def all_of(labels: Iterable[tuple[Label, int]]) -> list[Label]:
    """Each as often as it is wanted.

    Raises:
        Refused: 422, there are too many, or none.
    """
    wanted = list(labels)
    total = sum(count for _, count in wanted)
    if not total:
        raise Refused(
            Problem(code="labels.none", message="there is nothing to put a label on", where="items", hint="name items, places or a document with goods")
        )
    if total > MOST:
        message = f"at most {MOST} labels were expected, got {total}"
        raise Refused(Problem(code="labels.many", message=message, where="copies", hint="print them in several steps"))
    return [label for label, count in wanted for _ in range(count)]
