"""Other numbers of items."""

from __future__ import annotations

from newel.store.columns import Id, ref
from newel.store.tables_master import Company, Item, Party
from piccolo.columns import Varchar
from piccolo.table import Table


class Number(Table, tablename="item_numbers_number"):
    id = Id()
    company = ref(Company)
    item = ref(Item)
    party = ref(Party, null=True)
    number = Varchar(length=60, index=True)


TABLES = (Number,)
