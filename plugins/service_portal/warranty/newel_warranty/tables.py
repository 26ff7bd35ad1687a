"""Terms of warranty, and what happened to single pieces."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.manifest import Field, RecordKind
from newel.store.columns import QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Item, ItemClass, Lot, Party
from piccolo.columns import Date, Text, Varchar
from piccolo.table import Table

from newel_warranty.checks import check_event, check_rule, event_facts
from newel_warranty.rules import EVENTS


class Terms(Table, tablename="warranty_terms"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    months = Long(default=24)
    parts = ScaledInt(scale=QUANTITY, default=100_000_000)
    labour = ScaledInt(scale=QUANTITY, default=100_000_000)
    service_months = Long(default=0)
    text = Text()


class Rule(Table, tablename="warranty_rule"):
    id = Id()
    terms = ref(Terms)
    item = ref(Item, null=True)
    item_class = ref(ItemClass, null=True)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)


class Event(Table, tablename="warranty_event"):
    id = Id()
    company = ref(Company)
    item = ref(Item)
    lot = ref(Lot)
    kind = Varchar(length=20)
    date = Date(default=None, null=True)
    party = ref(Party, null=True)
    document = ref(Document, null=True)
    proof = Varchar(length=80)
    text = Text()


TABLES = (Terms, Rule, Event)
NAMED = (Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True))


def _kind(name: str, table: Any, label: str, plural: str, title: tuple[str, ...], text: str, *fields: Field, **more: Any) -> RecordKind:
    kept = {"menu": "Service", **more}
    return RecordKind(name=f"warranty.{name}", table=table, label=label, label_plural=plural, title=title, help=text, fields=fields, **kept)


RECORDS = (
    _kind("terms", Terms, "Terms of warranty", "Terms of warranty", ("code", "name"), "For how long, and how much of parts and labour.", *NAMED,
          Field(name="months", minimum=Decimal(0), list=True, help="From the day of delivery."),
          Field(name="parts", label="Parts, percent", minimum=Decimal(0), maximum=Decimal(100), list=True),
          Field(name="labour", label="Labour, percent", minimum=Decimal(0), maximum=Decimal(100), list=True),
          Field(name="service_months", label="Service every ... months", minimum=Decimal(0), help="0: it needs none."), scope="", facts="warranty"),
    _kind("rule", Rule, "Warranty of items", "Warranties of items", ("terms",), "Which terms hold for what is sold between two days. The item's own win.",
          Field(name="terms", label="Terms", required=True, list=True), Field(name="item", label="Item", list=True),
          Field(name="item_class", label="or class", list=True), Field(name="date_from", label="Sold from", list=True),
          Field(name="date_to", label="Sold until", list=True), scope="", facts="warranty", check=check_rule),
    _kind("event", Event, "Event of a piece", "Life of pieces", ("lot", "kind"), "What happened to a single piece besides being delivered and coming back.",
          Field(name="date", label="Day", required=True, list=True), Field(name="item", label="Item", required=True, list=True),
          Field(name="lot", label="Serial number", required=True, list=True), Field(name="kind", label="What", list=True, choices=EVENTS),
          Field(name="party", label="Owner from now on"), Field(name="proof", help="Number of the certificate; needed for decommissioning and recycling."),
          Field(name="text", required=False), append_only=True, check=check_event, check_facts=event_facts),
)  # fmt: skip
