"""Parts lists with pictures."""

from __future__ import annotations

from decimal import Decimal

from newel.manifest import Field, RecordKind
from newel.store.columns import QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_master import Item
from piccolo.columns import Text, Varchar
from piccolo.table import Table

from newel_parts.rules import check_part


class Part(Table, tablename="parts_part"):
    id = Id()
    product = ref(Item)
    item = ref(Item)
    position = Varchar(length=10)
    quantity = ScaledInt(scale=QUANTITY, default=1_000_000)
    replaced_by = ref(Item, null=True)
    text = Varchar(length=200)


class Picture(Table, tablename="parts_picture"):
    id = Id()
    product = ref(Item)
    position = Long(default=0)
    name = Varchar(length=120)
    image = Text()


TABLES = (Part, Picture)
RECORDS = (
    RecordKind(
        name="parts.part", table=Part, label="Part of a product", label_plural="Parts lists", title=("position", "item"), search=("position", "text"),
        scope="", menu="Service", check=check_part, facts="parts", help="Which parts a product has, and where they stand in its pictures.",
        fields=(
            Field(name="product", label="Product", required=True, list=True), Field(name="position", label="Number in the picture", list=True),
            Field(name="item", label="Part", required=True, list=True), Field(name="quantity", label="How many", minimum=Decimal("0.000001"), list=True),
            Field(name="replaced_by", label="Replaced by", list=True, help="The part that is sold in its place."), Field(name="text", label="Remark"),
        ),
    ),
    RecordKind(
        name="parts.picture", table=Picture, label="Picture of a product", label_plural="Pictures of products", title=("name",), search=("name",),
        scope="", help="Where each part sits. Pictures are added on the page of the parts list.",
        fields=(
            Field(name="product", label="Product", required=True, list=True), Field(name="position", label="Place"), Field(name="name", label="Name"),
            Field(name="image", label="Picture", secret=True, help="A PNG, JPEG or WebP picture of at most 500 kB, as a data: address."),
        ),
    ),
)  # fmt: skip
