"""Price lists, their lines, and who has them."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import PRICE, QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_master import Company, Item, ItemClass, Party, PartyClass
from piccolo.columns import Boolean, Date, Varchar
from piccolo.table import Table

from newel_pricelists.rules import check_assignment, check_dates, check_line


class PriceList(Table, tablename="pricelists_list"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    company = ref(Company, null=True, index=False)
    currency = Varchar(length=3)
    includes_tax = Boolean(default=False)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)
    active = Boolean(default=True)


class PriceListLine(Table, tablename="pricelists_line"):
    id = Id()
    price_list = ref(PriceList, cascade=True, index=False)  # m0002 has the index that prices are looked up by
    item = ref(Item, null=True)
    item_class = ref(ItemClass, null=True)
    quantity_min = ScaledInt(scale=QUANTITY)
    price = ScaledInt(scale=PRICE, default=None, null=True)
    percent = ScaledInt(scale=QUANTITY, default=None, null=True)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)


class Assignment(Table, tablename="pricelists_assignment"):
    id = Id()
    price_list = ref(PriceList, cascade=True)
    party = ref(Party, null=True)
    party_class = ref(PartyClass, null=True)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)
    sequence = Long(default=100)


TABLES = (PriceList, PriceListLine, Assignment)
SPAN = (Field(name="date_from", label="From", list=True), Field(name="date_to", label="To", list=True))
RECORDS = (
    RecordKind(
        name="pricelists.list", table=PriceList, label="Price list", scope="", label_plural="Price lists", title=("code", "name"),
        search=("code", "name"), facts="pricelists", menu="Sales", check=check_dates,
        help="Prices for the parties and classes of parties that it is assigned to.",
        fields=(
            Field(name="code", label="Code", required=True, list=True),
            Field(name="name", label="Name", required=True, list=True),
            Field(name="company", label="Company", help="Empty for all companies."),
            Field(name="currency", label="Currency", required=True, list=True),
            Field(name="includes_tax", label="With tax", help="For information: whether its prices are meant with tax."),
            Field(name="active", label="Active", list=True),
            *SPAN,
        ),
    ),
    RecordKind(
        name="pricelists.line", table=PriceListLine, label="Line of a price list", label_plural="Lines of price lists", title=("id",),
        parent="price_list", facts="pricelists", check=check_line,
        help="A price for one base unit, or a percentage of the item's list price.",
        fields=(
            Field(name="item", label="Item", list=True, help="Empty for a class, or for all items."),
            Field(name="item_class", label="Class of items", list=True),
            Field(name="quantity_min", label="From quantity", list=True, help="In the item's base unit."),
            Field(name="price", label="Price", list=True, help="For one base unit, in the list's currency."),
            Field(name="percent", label="Percent of list price", list=True, help="90 is ten percent less."),
            *SPAN,
        ),
    ),
    RecordKind(
        name="pricelists.assignment", table=Assignment, label="Assignment of a price list", label_plural="Assignments of price lists", title=("id",),
        parent="price_list", facts="pricelists", check=check_assignment,
        help="Who has the list: a party, or a class of parties with the classes below it.",
        fields=(
            Field(name="party", label="Party", list=True),
            Field(name="party_class", label="Class of parties", list=True),
            Field(name="sequence", label="Sequence", list=True, help="The lowest goes first among lists that fit equally well."),
            *SPAN,
        ),
    ),
)  # fmt: skip
