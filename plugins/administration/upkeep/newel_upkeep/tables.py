"""Examinations of the books: who asked for them, when, and what was found."""

from __future__ import annotations

from newel.store.columns import Id
from piccolo.columns import Text, Timestamptz, Varchar
from piccolo.table import Table


class Examination(Table, tablename="upkeep_examination"):
    id = Id()
    asked_by = Varchar(length=60)
    asked_at = Timestamptz(default=None, null=True)
    done_at = Timestamptz(default=None, null=True)
    findings = Text(default="{}")


TABLES = (Examination,)
