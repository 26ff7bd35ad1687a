"""Changes of many rows, and what became of each."""

from __future__ import annotations

from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company
from piccolo.columns import Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class Run(Table, tablename="bulk_run"):
    """A change of many rows. change: "transition:NAME" or "field:NAME"; value: JSON; state: new, checking, checked, running, stopped, done."""

    id = Id()
    company = ref(Company)
    user = Varchar(length=60)
    kind = Varchar(length=60)
    change = Varchar(length=80)
    value = Text()
    state = Varchar(length=10)
    total = Long()
    back = Text()
    created_at = Timestamptz(default=None, null=True)


class Row(Table, tablename="bulk_row"):
    """One document or record of a run. what: empty, ready, refused or done; problems: JSON."""

    id = Id()
    run = ref(Run, cascade=True, index=False)
    record = Long()
    what = Varchar(length=10)
    problems = Text()
    uq_bulk_row = Unique(["run", "record"])


TABLES = (Run, Row)
