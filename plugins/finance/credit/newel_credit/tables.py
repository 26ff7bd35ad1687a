"""Limits, and what was decided where one was passed."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import AMOUNT, Id, Long, ScaledInt, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Party
from piccolo.columns import Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_credit.rules import check_limit


class Limit(Table, tablename="credit_limit"):
    id = Id()
    company = ref(Company, index=False)
    party = ref(Party)
    currency = Varchar(length=3)
    amount = ScaledInt(scale=AMOUNT)
    overdue_days = Long(default=None, null=True)
    note = Varchar(length=200)
    uq_credit_limit = Unique(["company", "party"])


class Release(Table, tablename="credit_release"):
    """Never changed: up to which amount somebody let a document go on."""

    id = Id()
    document = ref(Document)
    party = ref(Party)
    amount = ScaledInt(scale=AMOUNT)
    at = Timestamptz(default=None, null=True)
    user = Varchar(length=60)
    reason = Varchar(length=200)


TABLES = (Limit, Release)
FIELDS = (
    Field(name="party", label="Customer", required=True, list=True),
    Field(name="amount", label="Limit", required=True, list=True, help="0 for nothing on credit."),
    Field(name="currency", label="Currency", required=True, list=True, code_of="newel.currency"),
    Field(name="overdue_days", label="Days late", list=True, help="More than this many days late is too much as well; empty for the setting."),
    Field(name="note", label="Note", help="Why so much."),
)
RECORDS = (
    RecordKind(
        name="credit.limit", table=Limit, label="Credit limit", label_plural="Credit limits", title=("party", "amount", "currency"),
        facts="credit", menu="Finance", check=check_limit, fields=FIELDS,
        help="What a customer may owe this company, and how late it may be. Without one, the limit on the customer's own page holds.",
    ),
)  # fmt: skip
