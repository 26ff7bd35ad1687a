"""Which goods vendors ship straight to customers."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, ref
from newel.store.tables_master import Company, Item, ItemClass, Party
from piccolo.columns import Boolean
from piccolo.table import Table

from newel_dropship.rules import check_rule


class DropRule(Table, tablename="dropship_rule"):
    id = Id()
    company = ref(Company)
    item = ref(Item, null=True)
    item_class = ref(ItemClass, null=True)
    party = ref(Party, null=True)
    vendor = ref(Party, null=True)
    direct = Boolean(default=True)
    active = Boolean(default=True)


TABLES = (DropRule,)
RECORDS = (
    RecordKind(
        name="dropship.rule", table=DropRule, label="Rule of drop shipment", label_plural="Rules of drop shipment", title=("item", "item_class", "party"),
        search=(), facts="dropship", menu="Purchasing", check=check_rule,
        fields=(
            Field(name="item", label="Item", list=True, help="Leave item and class empty for all goods."),
            Field(name="item_class", label="Item class", list=True, help="With the classes below it."),
            Field(name="party", label="Customer", list=True, help="Empty for all customers."),
            Field(name="vendor", label="Vendor", list=True, help="Who ships; empty where another rule or the line says it."),
            Field(name="direct", label="Always ship direct", list=True, help="Off: only where a line asks for it; the rule then only names the vendor."),
            Field(name="active", label="In use", list=True),
        ),
        help="Goods that a vendor ships straight to the customer. A rule for an item wins over its class, one for a customer over one for all.",
    ),
)  # fmt: skip
