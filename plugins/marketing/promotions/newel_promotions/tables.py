"""Promotions with their groups and scopes, coupons and how often they were used."""

from __future__ import annotations

from newel.domain.money import HUNDRED, ZERO
from newel.manifest import Field, RecordKind
from newel.store.columns import AMOUNT, PRICE, QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Item, ItemClass, Party, PartyClass
from piccolo.columns import Boolean, Date, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_promotions.checks import check_coupon, check_group, check_promotion, check_scope, check_use
from newel_promotions.facts import rivals, uses


class Group(Table, tablename="promotions_group"):
    id = Id()
    company = ref(Company, index=False)
    code = Varchar(length=20)
    name = Varchar(length=120)
    policy = Varchar(length=10, default="stack")
    sequence = Long(default=100)
    uq_promotions_group = Unique(["company", "code"])


class Promotion(Table, tablename="promotions_promotion"):
    id = Id()
    company = ref(Company, index=False)
    code = Varchar(length=30)
    name = Varchar(length=120)
    promotion_group = ref(Group)
    sequence = Long(default=100)
    active = Boolean(default=False)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)
    percent = ScaledInt(scale=QUANTITY, default=None, null=True)
    amount = ScaledInt(scale=PRICE, default=None, null=True)
    per = Varchar(length=10, default="line")
    currency = Varchar(length=3)
    basis = Varchar(length=5, default="net")
    quantity_min = ScaledInt(scale=QUANTITY, default=None, null=True)
    quantity_max = ScaledInt(scale=QUANTITY, default=None, null=True)
    value_min = ScaledInt(scale=AMOUNT, default=None, null=True)
    value_max = ScaledInt(scale=AMOUNT, default=None, null=True)
    gift = ref(Item, null=True, index=False)
    gift_quantity = ScaledInt(scale=QUANTITY, default=10**QUANTITY)
    gift_each = ScaledInt(scale=QUANTITY, default=None, null=True)
    coupon = Boolean(default=False)
    uq_promotions_promotion = Unique(["company", "code"])


class Scope(Table, tablename="promotions_scope"):
    id = Id()
    promotion = ref(Promotion, cascade=True)
    item = ref(Item, null=True, index=False)  # m0002 has the indexes of item and party
    item_class = ref(ItemClass, null=True)
    party = ref(Party, null=True, index=False)
    party_class = ref(PartyClass, null=True)


class Coupon(Table, tablename="promotions_coupon"):
    id = Id()
    company = ref(Company, index=False)
    code = Varchar(length=40)
    promotion = ref(Promotion)
    uses_max = Long(default=None, null=True)
    uses_party = Long(default=None, null=True)
    active = Boolean(default=True)
    uq_promotions_coupon = Unique(["company", "code"])


class Use(Table, tablename="promotions_use"):
    id = Id()
    company = ref(Company, index=False)
    coupon = ref(Coupon)
    document = ref(Document, null=True)
    party = ref(Party, null=True, index=False)
    uses = Long(default=1)


TABLES = (Group, Promotion, Scope, Coupon, Use)
POLICIES = (("stack", "All that fit"), ("best", "The best for the customer"), ("first", "The first"), ("exclusive", "The first, and nothing else"))
PER = (("line", "Line"), ("unit", "Base unit"), ("document", "Document"))
FACTS, MENU = "promotions", "Sales"
RECORDS = (
    RecordKind(
        name="promotions.group", table=Group, label="Group of promotions", label_plural="Groups of promotions", title=("code", "name"),
        search=("code", "name"), facts=FACTS, menu=MENU, check=check_group, check_facts=rivals,
        help="What happens where several promotions fit one line. Groups, and promotions in them, go in the order of sequence and code.",
        fields=(
            Field(name="name", required=True),
            Field(name="policy", choices=POLICIES, help="The first, and nothing else: promotions of other groups are not given on the same line."),
            Field(name="sequence", help="The lowest goes first."),
        ),
    ),
    RecordKind(
        name="promotions.promotion", table=Promotion, label="Promotion", label_plural="Promotions", title=("code", "name"),
        search=("code", "name"), facts=FACTS, menu=MENU, check=check_promotion, check_facts=rivals,
        help="A discount or a gift for what its scopes say, on the dates of documents. Without a scope it is for nothing.",
        fields=(
            Field(name="name", required=True),
            Field(name="promotion_group", label="Group"),
            Field(name="sequence", help="The lowest of its group goes first; equal ones go by code.", list=False),
            Field(name="active", label="Active", help="A draft can be rehearsed on past orders, and is given to nobody.", list=True),
            Field(name="date_from", label="From", list=True),
            Field(name="date_to", label="To", list=True),
            Field(name="percent", label="Percent off", minimum=ZERO, maximum=HUNDRED, list=True, help="Percent or amount or gift."),
            Field(name="amount", label="Amount off", minimum=ZERO, list=True),
            Field(name="per", label="Per", choices=PER, help="Per document: off the sum of all lines that fit, allocated to them before tax."),
            Field(name="currency", code_of="newel.currency", help="Of amounts and order values; other documents convert them by the rates of their day."),
            Field(name="basis", label="Amounts mean", choices=(("net", "Without tax"), ("gross", "With tax"))),
            Field(name="quantity_min", label="From quantity", minimum=ZERO, help="In the base unit; of the line, or of all lines that fit where per document."),
            Field(name="quantity_max", label="Up to quantity", minimum=ZERO),
            Field(name="value_min", label="From order value", minimum=ZERO, help="Of all lines with goods and services."),
            Field(name="value_max", label="Up to order value", minimum=ZERO),
            Field(name="gift", label="Gift"),
            Field(name="gift_quantity", minimum=ZERO, help="In the gift's base unit."),
            Field(name="gift_each", label="Gift for each", minimum=ZERO, help="So much of the line gives the gift once more; empty: once."),
            Field(name="coupon", label="With coupon only", list=True),
        ),
    ),
    RecordKind(
        name="promotions.scope", table=Scope, label="Scope", label_plural="Scopes", title=("id",), parent="promotion", facts=FACTS,
        check=check_scope, check_facts=rivals, help="What the promotion is for, and who gets it. An empty row is for everything and everybody.",
        fields=(
            Field(name="item_class", label="Class of items", help="With the classes below it."),
            Field(name="party", label="Ship-to customer"),
            Field(name="party_class", label="Class of customers", help="With the classes below it."),
        ),
    ),
    RecordKind(
        name="promotions.coupon", table=Coupon, label="Coupon", label_plural="Coupons", title=("code",), search=("code",), facts=FACTS,
        menu=MENU, check=check_coupon, help="A code that customers name, in capital letters. Each confirmed order that it gave something counts as a use.",
        fields=(
            Field(name="uses_max", label="Uses", minimum=ZERO, help="Empty for any number."),
            Field(name="uses_party", label="Uses for each customer", minimum=ZERO, help="Empty for any number."),
            Field(name="active", label="Active"),
        ),
    ),
    RecordKind(
        name="promotions.use", table=Use, label="Use of a coupon", label_plural="Uses of coupons", title=("id",), parent="coupon",
        append_only=True, check=check_use, check_facts=uses, help="Written when an order is confirmed; taken back with -1 when it is revised or cancelled.",
        fields=(Field(name="document", label="Order"), Field(name="party", label="Customer"), Field(name="uses", label="Uses")),
    ),
)  # fmt: skip
