"""What may be attached: names, types told by the content, sizes, and what hides in archives. Pure functions over frozen values."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator

import msgspec
from newel.errors import Problem

NAME_LENGTH = 120
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
FORBIDDEN = re.compile(r'[<>:"|?*]')
MARKUP = re.compile(r"\s*<(\?xml|!doctype|!--|html|svg|script|body|iframe)", re.IGNORECASE)
ENTRIES, UNPACKED, RATIO = 5_000, 500_000_000, 200  # of an archive: files, bytes as it says itself, and times its own size
OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA = {
    "png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "pdf": "application/pdf", "txt": "text/plain",
    "csv": "text/csv", "zip": "application/zip", "docx": f"{OFFICE}wordprocessingml.document", "xlsx": f"{OFFICE}spreadsheetml.sheet",
    "odt": "application/vnd.oasis.opendocument.text", "ods": "application/vnd.oasis.opendocument.spreadsheet",
}  # fmt: skip
IMAGES = ("png", "jpeg", "webp")
ENDINGS = {"jpg": "jpeg", "csv": "txt"}  # endings whose content is that of another type
INSIDE = {"word/": "docx", "xl/": "xlsx"}
OPEN_DOCUMENT = {MEDIA[n].encode(): n for n in ("odt", "ods")}


class AttachmentsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of attachments.

    Args:
        size: of the largest file, in MB. most: files on one document or record.
        types: endings that are allowed, with blanks between them; nothing beyond jpg jpeg png webp pdf txt csv docx xlsx odt ods zip.
        edge: longest edge of a picture in pixels; larger ones are scaled down.
        scanner: command that reads a file from its standard input and ends with 0 if it is clean, 1 if it is not; only as it stands in
            newel.toml, never from the settings page.
    """

    size: int = 10
    most: int = 100
    types: str = "jpg jpeg png webp pdf txt csv docx xlsx odt ods"
    edge: int = 2048
    scanner: str = ""


class Upload(msgspec.Struct, frozen=True):
    """A file as it came: its name as the sender says it, and its content."""

    name: str
    content: bytes


def clean_name(given: str) -> str:
    """A name that is safe to show and to save: no folders, no characters that can't be seen or that turn the text round, none that a system reserves."""
    text = unicodedata.normalize("NFC", given).replace("\\", "/").rsplit("/", 1)[-1]
    text = "".join(c for c in text if unicodedata.category(c)[0] != "C" and c not in "\u2028\u2029")
    text = FORBIDDEN.sub("_", " ".join(text.split())).strip(". ")
    if RESERVED.fullmatch(text):
        text = f"_{text}"
    stem, dot, ending = text.rpartition(".")
    return f"{stem[: NAME_LENGTH - len(ending) - 1]}{dot}{ending}" if stem and len(ending) < 10 else text[:NAME_LENGTH] or "file"


def ending_of(name: str) -> str:
    """The last part of a name after a dot, in small letters."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def type_of(content: bytes) -> str:
    """What a content is, by itself; empty for anything that is not known. Markup is known and never allowed."""
    for name, start in (("png", b"\x89PNG\r\n\x1a\n"), ("jpeg", b"\xff\xd8\xff"), ("pdf", b"%PDF-"), ("zip", b"PK\x03\x04")):
        if content.startswith(start):
            return _packed(content) if name == "zip" else name
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "webp"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    if any(c < " " and c not in "\t\r\n\f" for c in text):
        return ""
    return "markup" if MARKUP.match(text) else "txt"


def _packed(content: bytes) -> str:
    """What an archive is; empty for one that can't be read."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            names = packed.namelist()
            first = content[38 : 38 + len("application/vnd.oasis.opendocument.spreadsheet")] if names[:1] == ["mimetype"] else b""
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return ""
    for media, name in OPEN_DOCUMENT.items():
        if first.startswith(media):
            return name
    if "[Content_Types].xml" in names:
        return next((kind for folder, kind in INSIDE.items() if any(n.startswith(folder) for n in names)), "zip")
    return "zip"


def check(name: str, content: bytes, settings: AttachmentsSettings) -> Iterator[Problem]:
    """Everything that is wrong with a file. name: as cleaned."""
    allowed, ending = settings.types.lower().split(), ending_of(name)
    if not content:
        yield Problem(code="attachments.empty", message=f"{name}: there is nothing in it", where=name, hint="choose the file again")
        return
    if len(content) > settings.size * 1_000_000:
        message = f"{name}: at most {settings.size} MB were expected, got {-(-len(content) // 1_000_000)} MB"
        yield Problem(code="attachments.large", message=message, where=name, hint="make it smaller, or ask whoever looks after settings")
    found = type_of(content)
    if ending not in allowed or ENDINGS.get(ending, ending) not in MEDIA:
        message = f"{name}: one of {', '.join(allowed)} was expected, got {ending or 'a name without an ending'}"
        yield Problem(code="attachments.type", message=message, where=name, hint="save it as one of these, or ask whoever looks after settings")
    elif found != ENDINGS.get(ending, ending):
        message = f"{name}: its content is {f'that of a {found} file' if found else 'of no type that is known'}, and its name ends with .{ending}"
        yield Problem(code="attachments.content", message=message, where=name, hint="give it the name that its content has, or save it anew")
    if found in ("pdf", "txt", "markup") and zipfile.is_zipfile(io.BytesIO(content)):
        message = f"{name}: it is a {found} file and an archive at the same time"
        yield Problem(code="attachments.twofold", message=message, where=name, hint="save it anew with the program that it was made with")
    if content.startswith(b"PK\x03\x04") and found:
        yield from _check_packed(name, content)


def _check_packed(name: str, content: bytes) -> Iterator[Problem]:
    """An archive that would burst, or that brings programs along. Nothing is unpacked: what it says of itself is enough to refuse it."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        inside = packed.infolist()
    unpacked = sum(i.file_size for i in inside)
    if len(inside) > ENTRIES or unpacked > min(UNPACKED, RATIO * len(content)):
        message = f"{name}: {len(inside)} files with {unpacked // 1_000_000} MB are packed into {len(content) // 1000} kB"
        yield Problem(code="attachments.bomb", message=message, where=name, hint="send the files themselves")
    if any(i.filename.lower().endswith("vbaproject.bin") for i in inside):
        yield Problem(code="attachments.macros", message=f"{name}: it has macros in it", where=name, hint="save it without macros")
