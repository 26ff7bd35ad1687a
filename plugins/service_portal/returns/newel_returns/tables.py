"""Categories of returns: what is to happen with what comes back."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, ref
from newel.store.tables_master import Location
from piccolo.columns import Boolean, Varchar
from piccolo.table import Table

from newel_returns.rules import SETTLEMENTS


class Category(Table, tablename="returns_category"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    settlement = Varchar(length=12, default="repair")
    owned = Boolean(default=False)
    advance = Boolean(default=False)
    location = ref(Location, null=True)
    active = Boolean(default=True)


TABLES = (Category,)
RECORDS = (
    RecordKind(
        name="returns.category", table=Category, label="Category of returns", label_plural="Categories of returns", title=("code", "name"),
        search=("code", "name"), scope="", facts="returns", menu="Service",
        help="Repair, credit and replacement are there already; a category of the same code takes the place of one of them.",
        fields=(
            Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True),
            Field(name="settlement", label="Settled by", list=True, choices=SETTLEMENTS),
            Field(name="owned", label="Stays the customer's", list=True, help="What comes back lies in a place with an owner and is worth nothing to us."),
            Field(name="advance", label="Sent ahead", list=True, help="The replacement goes out before the defect arrives."),
            Field(name="location", label="Put into", help="Where it goes; empty: back into the warehouse, or the place of the customer's goods."),
            Field(name="active", label="In use"),
        ),
    ),
)  # fmt: skip
