"""What people say about documents and records, and who is to know of it."""

from __future__ import annotations

from newel.store.columns import Id, Long, ref
from newel.store.tables_master import AppUser, Company
from piccolo.columns import Text, Timestamptz, Varchar
from piccolo.table import Table


class Comment(Table, tablename="timeline_comment"):
    """about: "document", or name of the record kind."""

    id = Id()
    company = ref(Company, index=False)
    about = Varchar(length=60)
    record = Long(index=True)
    user = Varchar(length=60)
    text = Text()
    at = Timestamptz(default=None, null=True)


class Notice(Table, tablename="timeline_notice"):
    """Somebody is to read a comment. title: what it is about, as it was called then."""

    id = Id()
    company = ref(Company, index=False)
    user = ref(AppUser)
    comment = ref(Comment, cascade=True)
    title = Varchar(length=200)
    at = Timestamptz(default=None, null=True)
    read_at = Timestamptz(default=None, null=True)


TABLES = (Comment, Notice)
