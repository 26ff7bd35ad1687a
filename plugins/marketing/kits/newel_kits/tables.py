"""Kits and what they are made of."""

from __future__ import annotations

from decimal import Decimal

from newel.manifest import Field, RecordKind
from newel.store.columns import QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_master import Item
from piccolo.columns import Boolean, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_kits.facts import load_graph
from newel_kits.rules import check_component, check_kit


class Kit(Table, tablename="kits_kit"):
    id = Id()
    item = ref(Item)
    price_mode = Varchar(length=10, default="fixed")
    active = Boolean(default=True)
    uq_kits_kit = Unique(["item"])


class Component(Table, tablename="kits_component"):
    id = Id()
    kit = ref(Kit, cascade=True)
    item = ref(Item)
    quantity = ScaledInt(scale=QUANTITY, default=1_000_000)
    sequence = Long(default=100)
    uq_kits_component = Unique(["kit", "item"])


TABLES = (Kit, Component)
MODES = (("fixed", "Fixed: the price of the kit's own item"), ("parts", "From its parts: what they cost together"))
RECORDS = (
    RecordKind(
        name="kits.kit",
        table=Kit,
        label="Kit",
        label_plural="Kits",
        title=("item",),
        facts="kits",
        menu="Sales",
        check=check_kit,
        check_facts=load_graph,
        help="Loose parts that are sold under one number. They are kept in stock, delivered and returned as parts.",
        fields=(
            Field(name="item", label="Kit item", list=True, help="The item under whose number the parts are sold."),
            Field(name="price_mode", label="Price", choices=MODES, list=True, help="A fixed price is split over the parts for revenue and tax."),
            Field(name="active", label="Active", list=True, help="Switched off, the item is sold as it is. Confirmed orders don't change."),
        ),
    ),
    RecordKind(
        name="kits.component",
        table=Component,
        label="Part of a kit",
        label_plural="Parts of kits",
        title=("item",),
        parent="kit",
        facts="kits",
        check=check_component,
        check_facts=load_graph,
        help="So much of an item in one kit. The item may be a kit itself.",
        fields=(
            Field(name="item", label="Part", list=True),
            Field(name="quantity", label="Quantity", list=True, minimum=Decimal("0.000001"), help="In one kit, in the part's own unit."),
            Field(name="sequence", label="Sequence", list=True, help="The lowest comes first."),
        ),
    ),
)
