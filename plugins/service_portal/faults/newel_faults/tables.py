"""The fault file: what failed, why, and what is done about it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.manifest import Field, RecordKind
from newel.store.columns import QUANTITY, Id, ScaledInt, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Item, Lot, Party
from piccolo.columns import Boolean, Date, Text, Varchar
from piccolo.table import Table

from newel_faults.rules import check_measure


class Cause(Table, tablename="faults_cause"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    active = Boolean(default=True)


class Fault(Table, tablename="faults_fault"):
    id = Id()
    company = ref(Company)
    date = Date(default=None, null=True)
    item = ref(Item)
    lot = ref(Lot, null=True)
    cause = ref(Cause)
    quantity = ScaledInt(scale=QUANTITY, default=1_000_000)
    party = ref(Party, null=True)
    document = ref(Document, null=True)
    text = Text()


class Measure(Table, tablename="faults_measure"):
    id = Id()
    company = ref(Company)
    item = ref(Item)
    cause = ref(Cause)
    text = Text()
    responsible = Varchar(length=60)
    date_due = Date(default=None, null=True)
    date_done = Date(default=None, null=True)


TABLES = (Cause, Fault, Measure)
ITEM = Field(name="item", label="Item", required=True, list=True)
CAUSE = Field(name="cause", label="Cause", required=True, list=True)


def _kind(name: str, table: Any, label: str, plural: str, title: tuple[str, ...], text: str, *fields: Field, **more: Any) -> RecordKind:
    return RecordKind(name=f"faults.{name}", table=table, label=label, label_plural=plural, title=title, help=text, fields=fields, menu="Service", **more)


RECORDS = (
    _kind(
        "cause", Cause, "Cause of faults", "Causes of faults", ("code", "name"), "Why things fail.",
        Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True),
        search=("code", "name"), scope="", facts="faults",
    ),
    _kind(
        "fault", Fault, "Fault", "Fault file", ("item", "cause"), "What failed, and why. Returned deliveries that name a cause are here by themselves.",
        Field(name="date", label="Day", required=True, list=True), ITEM, Field(name="lot", label="Lot or serial number", list=True), CAUSE,
        Field(name="quantity", label="Quantity", minimum=Decimal("0.000001"), list=True), Field(name="party", label="Customer"),
        Field(name="text", label="What is wrong", required=False),
    ),
    _kind(
        "measure", Measure, "Measure of quality", "Measures of quality", ("item", "cause"), "What is done so that a fault does not come again.", ITEM, CAUSE,
        Field(name="text", label="What is done", required=True, list=True), Field(name="responsible", label="Who", list=True),
        Field(name="date_due", label="Due", list=True), Field(name="date_done", label="Done", list=True), check=check_measure,
    ),
)  # fmt: skip
