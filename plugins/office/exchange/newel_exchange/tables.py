"""Files on their way in, and how columns were mapped before."""

from __future__ import annotations

from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company
from piccolo.columns import Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class Import(Table, tablename="exchange_import"):
    """One file. sheet, choice, result: JSON of Sheet, Choice and a list of Seen (rules.py, reading.py)."""

    id = Id()
    company = ref(Company)
    user = Varchar(length=60)
    kind = Varchar(length=60)
    name = Varchar(length=160)
    state = Varchar(length=20)
    sheet = Text()
    choice = Text()
    result = Text()
    total = Long()
    done = Long()
    created_at = Timestamptz(default=None, null=True)


class Mapping(Table, tablename="exchange_mapping"):
    """The last choice of a user for a kind."""

    id = Id()
    company = ref(Company)
    user = Varchar(length=60)
    kind = Varchar(length=60)
    choice = Text()
    uq_exchange_mapping = Unique(["company", "user", "kind"])


TABLES = (Import, Mapping)
