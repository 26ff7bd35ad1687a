"""Who sells, and how sales are classed."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id
from piccolo.columns import Boolean, Varchar
from piccolo.table import Table


class Representative(Table, tablename="sales_representative"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    email = Varchar(length=200)
    active = Boolean(default=True)


class SalesClass(Table, tablename="sales_class"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)


TABLES = (Representative, SalesClass)
RECORDS = (
    RecordKind(
        name="sales.representative",
        table=Representative,
        label="Representative",
        label_plural="Representatives",
        title=("code", "name"),
        search=("code", "name", "email"),
        facts="sales",
        menu="Sales",
        fields=(
            Field(name="code", label="Code", required=True, list=True),
            Field(name="name", label="Name", required=True, list=True),
            Field(name="email", label="E-mail"),
            Field(name="active", label="Active", list=True),
        ),
        help="Who takes part in sales; a document may name any number of them with their shares.",
    ),
    RecordKind(
        name="sales.class",
        table=SalesClass,
        label="Sales class",
        label_plural="Sales classes",
        title=("code", "name"),
        search=("code", "name"),
        facts="sales",
        menu="Sales",
        fields=(Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True)),
        help="Codes by which quotations and orders are classed; a document may carry several.",
    ),
)
