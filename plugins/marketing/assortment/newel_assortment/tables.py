"""What goes with an item, and in which quantities it is ordered."""

from __future__ import annotations

from decimal import Decimal

from newel.manifest import Field, RecordKind
from newel.store.columns import QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_master import Item
from piccolo.columns import Boolean, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_assortment.rules import check_association, check_ordering


class Association(Table, tablename="assortment_association"):
    id = Id()
    item = ref(Item)
    other = ref(Item)
    kind = Varchar(length=10, default="substitute")
    quantity = ScaledInt(scale=QUANTITY, default=1_000_000)
    shipped = Boolean(default=False)
    sequence = Long(default=100)
    uq_assortment_association = Unique(["item", "other", "kind"])


class Ordering(Table, tablename="assortment_ordering"):
    id = Id()
    item = ref(Item)
    quantity_min = ScaledInt(scale=QUANTITY, default=0)
    quantity_step = ScaledInt(scale=QUANTITY, default=0)
    strict = Boolean(default=True)
    runs_out = Boolean(default=False)
    uq_assortment_ordering = Unique(["item"])


TABLES = (Association, Ordering)
KINDS = (("substitute", "Can stand for it"), ("suggested", "Goes with it"), ("required", "Is needed with it"))
RECORDS = (
    RecordKind(
        name="assortment.association",
        table=Association,
        label="Associated item",
        label_plural="Associated items",
        title=("kind", "other"),
        parent="item",
        facts="assortment",
        check=check_association,
        help="Another item that can stand for this one, goes with it, or has to be ordered with it.",
        fields=(
            Field(name="item", label="Item", required=True),
            Field(name="kind", label="What it is", choices=KINDS, list=True),
            Field(name="other", label="Other item", required=True, list=True),
            Field(name="quantity", label="Quantity", list=True, minimum=Decimal("0.000001"), help="Of the other item for one of this, in their own units."),
            Field(name="shipped", label="May be sent instead", list=True, help="A delivery may take it where the item that was ordered is not there."),
            Field(name="sequence", label="Sequence", help="The lowest is offered first."),
        ),
    ),
    RecordKind(
        name="assortment.ordering",
        table=Ordering,
        label="Order quantity",
        label_plural="Order quantities",
        title=("item",),
        parent="item",
        facts="assortment",
        check=check_ordering,
        help="In which quantities this item is sold.",
        fields=(
            Field(name="item", label="Item", required=True),
            Field(name="quantity_min", label="At least", minimum=Decimal(0), list=True, help="In the item's own unit; 0 for no minimum."),
            Field(name="quantity_step", label="In steps of", minimum=Decimal(0), list=True, help="Its multiples are sold; 0 for any quantity."),
            Field(name="strict", label="Strict", list=True, help="Another quantity can't be confirmed. Otherwise it is only pointed out."),
            Field(name="runs_out", label="Runs out", list=True, help="What can stand for it is offered with every line, also while it is there."),
        ),
    ),
)
