"""Item numbers on one screen: one table, and its kind of record."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Field, Manifest, RecordKind

from newel_item_numbers.tables import TABLES, Number

NUMBER = RecordKind(
    name="item_numbers.number",
    table=Number,
    label="Other number",
    label_plural="Other numbers",
    title=("number", "item"),
    search=("number",),
    parent="item",
    alias="item",
    help="What a customer or vendor calls this item, or another code that is printed on it. Whoever types it finds the item.",
    fields=(
        Field(name="item", label="Item", required=True),
        Field(name="number", label="Number", required=True, list=True),
        Field(name="party", label="Whose number", help="Empty for everybody's.", list=True),
    ),
)


@hookimpl
def register_plugin() -> Manifest:
    """Other numbers of items, found wherever an item is looked for."""
    return Manifest(
        name="item_numbers",
        label="Item numbers",
        piccolo_app="newel_item_numbers.piccolo_app",
        tables=TABLES,
        records=(NUMBER,),
        locale="newel_item_numbers:locale",
    )
