"""What the guide has made, so that it can be undone; and how the install began (step "start", kind "demo" or "own")."""

from __future__ import annotations

from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company
from piccolo.columns import Varchar
from piccolo.table import Table


class Made(Table, tablename="setup_made"):
    id = Id()
    company = ref(Company)
    step = Varchar(length=20)
    kind = Varchar(length=60)
    record = Long(default=0)


TABLES = (Made,)
