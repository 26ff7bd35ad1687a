"""Means of payment."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id
from piccolo.columns import Boolean, Varchar
from piccolo.table import Table


class Means(Table, tablename="receivables_means"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    account_role = Varchar(length=40, default="bank")
    active = Boolean(default=True)


TABLES = (Means,)
FIELDS = (
    Field(name="code", label="Code", required=True, list=True),
    Field(name="name", label="Name", required=True, list=True),
    Field(name="account_role", label="Account role", list=True, choices_of="account_roles"),
)
RECORDS = (
    RecordKind(
        name="receivables.means", table=Means, label="Means of payment", label_plural="Means of payment", title=("code", "name"),
        search=("code", "name"), facts="receivables", menu="Finance", fields=FIELDS,
        help="How money comes in, and the account role that it is posted to.",
    ),
)  # fmt: skip
