"""A backup: one file, a zip with each table as lines of JSON and a manifest with the checksum of each. The same for both databases.

`tables/NAME.jsonl` has a row a line, an array of values in the order of the manifest's columns; `manifest.json` is written last, so a file without it
is no backup. Nothing of it needs Newel to be read.
"""

from __future__ import annotations

import contextlib
import io
import os
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, cast

import msgspec
from newel import __version__
from newel.errors import NewelError

from newel_ops.databases import Source, Tell
from newel_ops.tables import PAGE, Adder, Sum, Table, lines_of, rows_of

FORMAT, MANIFEST = 1, "manifest.json"
BUFFER = 1 << 20  # bytes; a zip gives line by line what it has unpacked much more slowly


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says about itself. next_id: the first id that nobody has had; plugins: installed versions when it was made."""

    format: int
    made_at: datetime
    newel: str
    engine: str
    next_id: int
    plugins: dict[str, str]
    migrations: list[tuple[str, str]]
    tables: dict[str, Table]
    sums: dict[str, Sum]


class Backup(Source):
    """A backup to read from. Use open_backup()."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self.path, self._archive, self.manifest = path, archive, manifest
        self.tables, self.migrations, self.next_id, self.sums = manifest.tables, manifest.migrations, manifest.next_id, manifest.sums

    async def pages(self, table: Table) -> AsyncIterator[list[tuple[Any, ...]]]:
        """All rows of a table in pages.

        Raises:
            NewelError: the file was changed or damaged; names the table.
        """
        adder = Adder()
        try:
            with self._archive.open(f"tables/{table.name}.jsonl") as packed, io.BufferedReader(cast(io.RawIOBase, packed), BUFFER) as file:
                while lines := [line.rstrip(b"\n") for line in islice(file, PAGE)]:
                    adder.add(lines)
                    yield rows_of(table, lines)
        except (zipfile.BadZipFile, KeyError, msgspec.MsgspecError, ValueError, OSError) as error:
            raise NewelError(f"{self.path}, table {table.name}: damaged ({error}); take another backup") from error
        if adder.sum != self.manifest.sums[table.name]:
            raise NewelError(
                f"{self.path}, table {table.name}: expected {self.manifest.sums[table.name].rows} rows with the checksum of the manifest, "
                f"got {adder.rows} that differ: the file was changed; take another backup"
            )


@contextlib.contextmanager
def open_backup(path: Path) -> Iterator[Backup]:
    """Open a backup.

    Raises:
        NewelError: it is not there, no backup, or of a later format.
    """
    with contextlib.ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
            manifest = msgspec.json.decode(archive.read(MANIFEST), type=Manifest)
        except (OSError, zipfile.BadZipFile, KeyError, msgspec.MsgspecError) as error:
            raise NewelError(f"{path} is no whole backup: {error}") from error
        if manifest.format != FORMAT:
            raise NewelError(f"{path} has format {manifest.format}, this release reads {FORMAT}: upgrade newel-ops")
        yield Backup(path, archive, manifest)


async def write_backup(path: Path, source: Source, *, engine: str, plugins: dict[str, str], tell: Tell | None = None) -> Manifest:
    """Write what a source holds into a new file. The file is there only when it is whole: until then it is called NAME.part.

    Raises:
        NewelError: there is such a file already.
    """
    sums: dict[str, Sum] = {}
    part = _part(path)
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # it has the hashes of passwords
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
                for table in source.tables.values():
                    sums[table.name] = await _write_table(archive, source, table, tell)
                manifest = Manifest(
                    format=FORMAT, made_at=datetime.now(UTC), newel=__version__, engine=engine, next_id=source.next_id, plugins=plugins,
                    migrations=source.migrations, tables=source.tables, sums=sums,
                )  # fmt: skip
                archive.writestr(MANIFEST, msgspec.json.format(msgspec.json.encode(manifest)))
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return manifest


async def _write_table(archive: zipfile.ZipFile, source: Source, table: Table, tell: Tell | None) -> Sum:
    adder = Adder()
    with archive.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as file:
        async for rows in source.pages(table):
            lines = lines_of(table, rows)
            adder.add(lines)
            file.write(b"\n".join(lines) + b"\n")
            if tell:
                tell(table.name, adder.rows)
    return adder.sum


def _part(path: Path) -> Path:
    """What the file is called until it is whole."""
    if path.exists():
        raise NewelError(f"{path} is there already: name a new file, nothing was changed")
    if not path.parent.is_dir():
        raise NewelError(f"there is no folder {path.parent}: make it, or name another one")
    part = path.with_name(path.name + ".part")
    part.unlink(missing_ok=True)  # of a backup that was killed
    return part
