"""Files, and their content in pieces."""

from __future__ import annotations

from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company, Party
from piccolo.columns import Boolean, Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class File(Table, tablename="attachments_file"):
    """One file on one document or record. kind: "document", or name of the record kind; party: whom its uploader stands for."""

    id = Id()
    company = ref(Company, index=False)
    kind = Varchar(length=60)
    record = Long(index=True)
    name = Varchar(length=160)
    media_type = Varchar(length=100)
    size = Long()
    hash = Varchar(length=64)
    preview = Varchar(length=64)
    party = ref(Party, null=True)
    shared = Boolean(default=False)
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)
    removed_at = Timestamptz(default=None, null=True)
    removed_by = Varchar(length=60)


class Chunk(Table, tablename="attachments_chunk"):
    """A piece of a content, in base64: text goes through every copy, dump and database the same."""

    id = Id()
    hash = Varchar(length=64)
    position = Long()
    content = Text()
    uq_attachments_chunk_hash_position = Unique(["hash", "position"])


TABLES = (File, Chunk)
