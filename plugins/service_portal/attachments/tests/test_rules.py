"""Hostile and honest files, looked at without a database: what they are called, what they are, what they hide."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib

import pytest
from newel.errors import Refused
from newel_attachments.redraw import redrawn
from newel_attachments.rules import AttachmentsSettings, check, clean_name, type_of
from PIL import Image, ImageFile, PngImagePlugin

SETTINGS = AttachmentsSettings(types="jpg jpeg png webp pdf txt csv docx xlsx odt ods zip", size=1)
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer<<>>\n%%EOF\n"


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "red").save(out, kind, **more)
    return out.getvalue()


def packed(**files: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return out.getvalue()


def docx(**more: bytes | str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in {"[Content_Types].xml": "<Types/>", "word/document.xml": "<w/>", **more}.items():
            archive.writestr(name, content)
    return out.getvalue()


def odt() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.text")
        archive.writestr("content.xml", "<x/>")
    return out.getvalue()


def huge_png(width: int, height: int) -> bytes:
    """A file of a few bytes that says it has so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("photo.jpg", "photo.jpg"), ("../../etc/passwd", "passwd"), ("C:\\Users\\x\\a.pdf", "a.pdf"), ("a\x00b\r\n.pdf", "ab.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"), ("\u200b\ufeff.txt", "txt"), ("con.txt", "_con.txt"), ("LPT1", "_LPT1"), ("...", "file"), ("", "file"),
        ('a<b>"c|d?.txt', "a_b__c_d_.txt"), ("  two   words .txt ", "two words .txt"), ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("Größe 你好.pdf", "Größe 你好.pdf"),
        ("e\u0301.png", "é.png"), ("/", "file"),
    ],
)  # fmt: skip
def test_names(given: str, name: str) -> None:
    assert clean_name(given) == name
    assert clean_name(clean_name(given)) == name, "cleaning what is clean changes nothing"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", picture()), ("a.JPG", picture("JPEG")), ("a.jpeg", picture("JPEG")), ("a.webp", picture("WEBP")), ("a.pdf", PDF), ("a.csv", b"a\n"),
        ("a.txt", "Größe\n".encode()),
        ("a.csv", b"a;b\r\n1;2\r\n"), ("a.txt", b"\xef\xbb\xbfhello"), ("a.docx", docx()), ("a.odt", odt()), ("a.zip", packed(a="b")),
        ("a.exe.pdf", PDF), ("1 < 2.txt", b"1 < 2, as everybody knows"),
    ],
)  # fmt: skip
def test_honest_files(name: str, content: bytes) -> None:
    assert list(check(name, content, SETTINGS)) == []


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.txt", b"", "attachments.empty"),
        ("a.txt", b"x" * 1_000_001, "attachments.large"),
        ("a.exe", b"MZ\x90\0" + b"\0" * 60, "attachments.type"),
        ("a.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "attachments.type"),
        ("a.html", b"<html><script>alert(1)</script>", "attachments.type"),
        ("noending", b"text", "attachments.type"),
        ("a.png", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "attachments.content"),
        ("a.txt", b"<!DOCTYPE html><script>alert(1)</script>", "attachments.content"),
        ("a.txt", b"\xef\xbb\xbf \n<SCRIPT>alert(1)</SCRIPT>", "attachments.content"),
        ("a.pdf", b"<script>alert(1)</script>%PDF-1.4", "attachments.content"),
        ("a.jpg", picture("PNG"), "attachments.content"),
        ("a.png", b"GIF89a<script>", "attachments.content"),
        ("a.pdf", b"MZ\x90\0" + b"\0" * 60, "attachments.content"),
        ("a.txt", b"MZ\x90\0\x01\x02", "attachments.content"),
        ("a.docx", packed(a="b"), "attachments.content"),
        ("a.zip", b"PK\x03\x04 and then nothing that makes sense", "attachments.content"),
        ("a.pdf", PDF + packed(evil="x"), "attachments.twofold"),
        ("a.zip", packed(zeros=b"\0" * 30_000_000), "attachments.bomb"),
        ("a.docx", docx(**{"word/vbaProject.bin": b"x"}), "attachments.macros"),
    ],
)  # fmt: skip
def test_hostile_files(name: str, content: bytes, code: str) -> None:
    assert [p.code for p in check(name, content, SETTINGS)] == [code]


def test_many_small_files_are_a_bomb_too() -> None:
    many = packed(**{f"f{i}": b"" for i in range(5001)})
    assert [p.code for p in check("a.zip", many, AttachmentsSettings(types="zip"))] == ["attachments.bomb"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    codes = [p.code for p in check("a.exe", b"MZ" * 600_000, SETTINGS)]
    assert codes == ["attachments.large", "attachments.type"]


def test_types_are_told_by_the_content() -> None:
    assert type_of(docx()) == "docx"
    assert type_of(picture("WEBP")) == "webp"
    assert type_of(b"\xff\xfe\x00\x01") == ""


def test_pictures_are_drawn_anew() -> None:
    """No second file behind the first, no comment, no place; upright, and small enough."""
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", "CANARY-1")
    dirty = picture(pnginfo=about) + packed(evil="CANARY-2") + b"<script>CANARY-3</script>"
    clean = redrawn("a.png", dirty, "png", 2048)
    assert b"CANARY" not in clean.content and b"PK\x03\x04" not in clean.content
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "CANARY-4"  # lies on its side, and says where it was taken
    out = redrawn("a.jpg", picture("JPEG", (4000, 1000), exif=exif), "jpeg", 2048)
    drawn = Image.open(io.BytesIO(out.content))
    assert drawn.size == (512, 2048), "upright, and scaled down"
    assert b"CANARY" not in out.content and not drawn.getexif()
    assert max(Image.open(io.BytesIO(out.preview)).size) <= 320


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize(("kind", "name"), [("PNG", "png"), ("JPEG", "jpeg"), ("WEBP", "webp")])
def test_every_kind_of_pixels(mode: str, kind: str, name: str) -> None:
    out = io.BytesIO()
    try:
        Image.new(mode, (30, 30)).save(out, kind)
    except (OSError, ValueError):
        pytest.skip("no such picture")
    assert Image.open(io.BytesIO(redrawn(f"a.{name}", out.getvalue(), name, 16).content)).size == (16, 16)


def cut_short() -> bytes:
    """Half of a picture that no compression makes smaller: whatever packs it, rows are missing."""
    out = io.BytesIO()
    Image.frombytes("RGB", (40, 40), random.Random(7).randbytes(4800)).save(out, "PNG")
    return out.getvalue()[: len(out.getvalue()) // 2]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (huge_png(50_000, 50_000), "attachments.pixels"), (huge_png(50_000, 10), "attachments.pixels"),
        (huge_png(2_000_000_000, 2_000_000_000), "attachments.pi"),
        (cut_short(), "attachments.picture"), (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "attachments.picture"),
    ],
)  # fmt: skip
def test_pictures_that_would_burst_or_are_none(content: bytes, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)  # as WeasyPrint leaves it
    with pytest.raises(Refused) as caught:
        redrawn("a.png", content, "png", 2048)
    assert caught.value.problems[0].code.startswith(code)
