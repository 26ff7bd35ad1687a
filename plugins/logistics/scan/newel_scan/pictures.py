"""Barcodes in pictures, for browsers that can't read them themselves."""

from __future__ import annotations

import io
from typing import Any

import zxingcpp
from litestar.datastructures import UploadFile
from PIL import Image

PHOTO_BYTES, PIXELS = 20_000_000, 40_000_000


def read_codes(content: bytes) -> list[str]:
    """The barcodes in a picture, as a scanner would send them; none where it is no picture. It takes its time: not for the event loop."""
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG", "PNG", "WEBP"]) as image:
            if image.width * image.height > PIXELS:
                return []
            image.draft("L", (1600, 1600))
            grey = image.convert("L")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return []
    return [found.symbology_identifier + found.bytes.decode("utf-8", "replace") for found in zxingcpp.read_barcodes(grey)]


async def photo(form: Any, name: str) -> bytes:
    """A picture of a form; nothing where the field was left empty."""
    sent = form.get(name)
    return await sent.read(PHOTO_BYTES) if isinstance(sent, UploadFile) and sent.filename else b""
