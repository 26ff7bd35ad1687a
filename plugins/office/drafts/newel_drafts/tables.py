"""Drafts: what stood in a form when somebody last typed."""

from __future__ import annotations

from newel.store.columns import Id, ref
from newel.store.tables_master import Company
from piccolo.columns import Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class Draft(Table, tablename="drafts_draft"):
    id = Id()
    company = ref(Company)
    user = Varchar(length=60)
    key = Varchar(length=64)
    place = Varchar(length=200)
    title = Varchar(length=200)
    body = Text()
    changed_at = Timestamptz(default=None, null=True)
    uq_drafts_draft = Unique(["company", "user", "key"])


TABLES = (Draft,)
