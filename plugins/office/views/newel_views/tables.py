"""Saved views, and columns of a user's own."""

from __future__ import annotations

from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company
from piccolo.columns import Boolean, Text, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class View(Table, tablename="views_view"):
    """A list as somebody has asked for it. shared: empty, the code of a role, or "*"; query: of its address; layout: JSON of rules.Layout."""

    id = Id()
    company = ref(Company, index=False)
    kind = Varchar(length=60)
    user = Varchar(length=60)
    name = Varchar(length=60)
    shared = Varchar(length=40)
    query = Text()
    layout = Text()
    pinned = Boolean(default=False)
    standard = Boolean(default=False)
    uq_views_view = Unique(["company", "kind", "user", "name"])


class Columns(Table, tablename="views_columns"):
    """The columns of a user in a list, for each view. view: 0 where there is none."""

    id = Id()
    company = ref(Company, index=False)
    user = Varchar(length=60)
    kind = Varchar(length=60)
    view = Long()
    layout = Text()
    uq_views_columns = Unique(["company", "user", "kind", "view"])


TABLES = (View, Columns)
