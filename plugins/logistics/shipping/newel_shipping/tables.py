"""Carriers and ways of shipping."""

from __future__ import annotations

from decimal import Decimal

from newel.manifest import Field, RecordKind
from newel.store.columns import PRICE, Id, ScaledInt, ref
from newel.store.tables_master import Party
from piccolo.columns import Boolean, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class Carrier(Table, tablename="shipping_carrier"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    tracking_url = Varchar(length=300)
    active = Boolean(default=True)


class ShippingMethod(Table, tablename="shipping_method"):
    id = Id()
    carrier = ref(Carrier)
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    currency = Varchar(length=3)
    price_base = ScaledInt(scale=PRICE)
    price_per_weight = ScaledInt(scale=PRICE)
    active = Boolean(default=True)


class Usual(Table, tablename="shipping_usual"):
    id = Id()
    party = ref(Party, cascade=True)
    method = ref(ShippingMethod)
    uq_shipping_usual = Unique(["party"])


TABLES = (Carrier, ShippingMethod, Usual)
NAMED = (Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True))
RECORDS = (
    RecordKind(
        name="shipping.carrier",
        table=Carrier,
        label="Carrier",
        label_plural="Carriers",
        title=("code", "name"),
        search=("code", "name"),
        facts="shipping",
        menu="Stock",
        fields=(*NAMED, Field(name="tracking_url", label="Tracking page", help="Address with {number} in place of the tracking number.")),
    ),
    RecordKind(
        name="shipping.method",
        table=ShippingMethod,
        label="Way of shipping",
        label_plural="Ways of shipping",
        title=("code", "name"),
        search=("code", "name"),
        facts="shipping",
        menu="Stock",
        help="Its prices are for information: what is charged stands on a line of the order.",
        fields=(
            *NAMED,
            Field(name="carrier", label="Carrier", required=True, list=True),
            Field(name="currency", label="Currency", code_of="newel.currency"),
            Field(name="price_base", label="Base price", minimum=Decimal(0)),
            Field(name="price_per_weight", label="Price per kilogram", minimum=Decimal(0)),
        ),
    ),
    RecordKind(
        name="shipping.usual", table=Usual, label="Usual way of shipping", label_plural="Usual ways of shipping", title=("method",), parent="party",
        facts="shipping", help="How this customer gets goods, unless a delivery says something else.",
        fields=(Field(name="party", label="Customer", required=True), Field(name="method", label="Way of shipping", required=True, list=True)),
    ),
)  # fmt: skip
