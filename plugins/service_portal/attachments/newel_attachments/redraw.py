"""Pictures are drawn anew: what is kept and shown holds pixels and nothing else, no place where it was taken, no second file behind the first."""

from __future__ import annotations

import io

import msgspec
from newel.errors import Problem, Refused
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

PIXELS, EDGE = 64_000_000, 20_000
PREVIEW = 320
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
MODES = {"PNG": ("1", "L", "LA", "P", "RGB", "RGBA"), "JPEG": ("L", "RGB"), "WEBP": ("RGB", "RGBA")}


class Picture(msgspec.Struct, frozen=True):
    """A picture as it is kept, and a small one for lists, both in the format that it came in."""

    content: bytes
    preview: bytes


def redrawn(name: str, content: bytes, kind: str, edge: int) -> Picture:
    """A picture made anew from its pixels, upright, its longest edge at most `edge` pixels. It takes its time: not for the event loop.

    Raises:
        Refused: what is no picture, or would need too much memory (64 million pixels, 20,000 along an edge).
    """
    try:
        with Image.open(io.BytesIO(content), formats=[FORMATS[kind]]) as image:
            if max(image.size) > EDGE or image.width * image.height > PIXELS:
                raise Image.DecompressionBombError
            ImageFile.LOAD_TRUNCATED_IMAGES = False  # whoever makes PDF files in this process switches it on
            image.draft("RGB", (edge, edge))
            whole = ImageOps.exif_transpose(image)
            if whole.mode not in MODES[FORMATS[kind]]:
                whole = whole.convert("RGBA" if "A" in whole.getbands() and kind != "jpeg" else "RGB")
            whole.thumbnail((edge, edge))
            small = whole.convert("RGBA") if whole.mode == "P" else whole.copy()
            small.thumbnail((PREVIEW, PREVIEW))
            return Picture(_written(whole, kind), _written(small, kind))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        message = f"{name}: at most {PIXELS // 1_000_000} million pixels were expected, and {EDGE} along an edge; there are more"
        raise Refused(Problem(code="attachments.pixels", message=message, where=name, hint="scale the picture down first")) from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        hint = "open it and save it anew; a photo of the screen is as good"
        raise Refused(Problem(code="attachments.picture", message=f"{name}: the picture can't be read", where=name, hint=hint)) from error


def _written(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.info = {}  # comments, profiles and dates stay behind
    image.save(out, FORMATS[kind], **({"quality": 85} if kind != "png" else {"optimize": False}))
    return out.getvalue()
