"""What vendors ask for their goods, and how they number them."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import PRICE, QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_master import Item, Party
from piccolo.columns import Date, Varchar
from piccolo.table import Table

from newel_purchasing.rules import check_price


class VendorPrice(Table, tablename="purchasing_price"):
    id = Id()
    party = ref(Party)
    item = ref(Item)
    part_number = Varchar(length=60)
    currency = Varchar(length=3)
    quantity_min = ScaledInt(scale=QUANTITY)
    price = ScaledInt(scale=PRICE, default=None, null=True)
    lead_days = Long(default=None, null=True)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)


TABLES = (VendorPrice,)
FIELDS = (
    Field(name="party", label="Vendor", required=True, list=True),
    Field(name="item", label="Item", required=True, list=True),
    Field(name="part_number", label="Vendor's part number", list=True, required=False),
    Field(name="currency", label="Currency", required=True, list=True, code_of="newel.currency"),
    Field(name="quantity_min", label="From quantity", list=True, help="In the item's base unit."),
    Field(name="price", label="Price", list=True, right="newel.costs", help="For one base unit; empty where only the part number is known."),
    Field(name="lead_days", label="Days to deliver"),
    Field(name="date_from", label="From", list=True),
    Field(name="date_to", label="To", list=True),
)
RECORDS = (
    RecordKind(
        name="purchasing.price", table=VendorPrice, label="Vendor's price", label_plural="Vendors' prices", title=("part_number", "item"),
        search=("part_number",), scope="", facts="purchasing", menu="Purchasing", check=check_price, fields=FIELDS,
        help="What a vendor asks for an item from a quantity on, and the number by which the vendor knows it.",
    ),
)  # fmt: skip
