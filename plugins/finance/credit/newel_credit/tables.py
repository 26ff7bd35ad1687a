"""Limits, and what was decided where one was passed."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import AMOUNT, Id, Long, ScaledInt, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Party
from piccolo.columns import Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_credit.rules import check_decision, check_limit


class Limit(Table, tablename="credit_limit"):
    id = Id()
    company = ref(Company, index=False)
    party = ref(Party)
    currency = Varchar(length=3)
    amount = ScaledInt(scale=AMOUNT)
    overdue_days = Long(default=None, null=True)
    note = Varchar(length=200)
    uq_credit_limit = Unique(["company", "party"])


class Decision(Table, tablename="credit_decision"):
    """Never changed: who decided what about which document, with the limit before and after."""

    id = Id()
    company = ref(Company, index=False)
    document = ref(Document)
    party = ref(Party)
    at = Timestamptz(default=None, null=True)
    user = Varchar(length=60)
    block = Varchar(length=10, default=None, null=True)
    currency = Varchar(length=3)
    limit_before = ScaledInt(scale=AMOUNT, default=None, null=True)
    limit_after = ScaledInt(scale=AMOUNT, default=None, null=True)
    released = ScaledInt(scale=AMOUNT, default=None, null=True)
    reason = Varchar(length=200)


TABLES = (Limit, Decision)
RECORDS = (
    RecordKind(
        name="credit.limit", table=Limit, label="Credit limit", label_plural="Credit limits", title=("party", "amount", "currency"),
        facts="credit", menu="Finance", check=check_limit,
        help="What a customer may owe this company, and how late it may be. Without one, the limit on the customer's own page holds.",
        fields=(
            Field(name="party", label="Customer", required=True, list=True),
            Field(name="amount", label="Limit", required=True, list=True, help="0 for nothing on credit."),
            Field(name="currency", label="Currency", required=True, list=True, code_of="newel.currency"),
            Field(name="overdue_days", label="Days late", list=True, help="More than this many days late stops as well; empty for the setting."),
            Field(name="note", label="Note", help="Why so much."),
        ),
    ),
    RecordKind(
        name="credit.decision", table=Decision, label="Credit decision", label_plural="Credit decisions", title=("id",), append_only=True,
        check=check_decision, menu="Finance", help="Who released, blocked or set another limit where one was passed, and why.",
        columns=("at", "user", "document", "party", "released", "block", "limit_before", "limit_after", "currency", "reason"),
        fields=(Field(name="at", label="When", list=True), Field(name="user", label="Who", list=True), Field(name="party", label="Customer", list=True),
                Field(name="released", label="Released up to", list=True), Field(name="block", label="Blocked", list=True),
                Field(name="limit_after", label="New limit", list=True), Field(name="reason", label="Reason", list=True)),
    ),
)  # fmt: skip
