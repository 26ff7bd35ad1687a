"""How much of an item is to lie in a van or depot."""

from __future__ import annotations

from decimal import Decimal

from newel.manifest import Field, RecordKind
from newel.store.columns import QUANTITY, Id, ScaledInt, ref
from newel.store.tables_master import Company, Item, Location
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_restock.rules import check_level


class Level(Table, tablename="restock_level"):
    id = Id()
    company = ref(Company)
    location = ref(Location)
    item = ref(Item)
    minimum = ScaledInt(scale=QUANTITY)
    target = ScaledInt(scale=QUANTITY)
    source = ref(Location, null=True)
    uq_restock_level = Unique(["location", "item"])


TABLES = (Level,)
RECORDS = (
    RecordKind(
        name="restock.level", table=Level, label="Minimum stock", label_plural="Minimum stock of vans and depots", title=("location", "item"),
        menu="Service", check=check_level, help="How much of an item is to lie in a van or depot, and where it is filled up from.",
        fields=(
            Field(name="location", label="Van or depot", required=True, list=True), Field(name="item", label="Item", required=True, list=True),
            Field(name="minimum", label="Minimum", minimum=Decimal(0), list=True), Field(name="target", label="Fill up to", minimum=Decimal(0), list=True),
            Field(name="source", label="From", list=True, help="Empty: it is bought."),
        ),
    ),
)  # fmt: skip
