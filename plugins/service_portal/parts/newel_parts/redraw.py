"""Pictures of products are drawn anew: what is kept holds pixels and nothing else; one with too many of them is neither kept nor shown."""

from __future__ import annotations

import base64
import io

from newel.errors import Problem, Refused
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

PIXELS, EDGE, SHOWN = 64_000_000, 20_000, 2_000
FORMATS = {"png": "PNG", "jpeg": "JPEG", "webp": "WEBP"}
UNREADABLE = (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning)


def drawn(image: str) -> str:
    """A picture made anew from its pixels, upright, its longest edge at most 2,000 pixels. It takes its time: not for the event loop.

    Args:
        image: a data: address that rules.check_picture has nothing against.

    Raises:
        Refused: it can't be read, or has more than 64 million pixels, or 20,000 along an edge.
    """
    kind = _kind(image)
    try:
        with _opened(image) as found:
            ImageFile.LOAD_TRUNCATED_IMAGES = False  # whoever makes PDF files in this process switches it on
            whole = ImageOps.exif_transpose(found)
            whole = whole.convert("RGBA" if "A" in whole.getbands() and kind != "jpeg" else "RGB")
    except UNREADABLE as error:
        message = f"a picture was expected that can be read and has at most {PIXELS // 1_000_000} million pixels"
        raise Refused(Problem(code="parts.picture", message=message, where="image", hint="open it, make it smaller, and save it anew")) from error
    whole.thumbnail((SHOWN, SHOWN))
    whole.info = {}  # comments, profiles and places stay behind
    out = io.BytesIO()
    whole.save(out, FORMATS[kind])
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode()}"


def fits(image: str) -> bool:
    """Whether a picture that came in another way, and was not drawn anew, may be shown: by what its first bytes say of its size."""
    try:
        with _opened(image):
            return True
    except UNREADABLE:
        return False


def _kind(image: str) -> str:
    return image.partition(";")[0].removeprefix("data:image/")


def _opened(image: str) -> Image.Image:
    found = Image.open(io.BytesIO(base64.b64decode(image.partition(",")[2])), formats=[FORMATS[_kind(image)]])
    if max(found.size) > EDGE or found.width * found.height > PIXELS:
        raise Image.DecompressionBombError
    return found
