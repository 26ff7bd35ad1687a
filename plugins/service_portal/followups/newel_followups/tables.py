"""When a request is made by itself."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company
from piccolo.columns import Boolean, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_followups.rules import check_rule


class FollowupRule(Table, tablename="followups_rule"):
    id = Id()
    company = ref(Company, index=False)
    code = Varchar(length=30)
    event = Varchar(length=10)
    days = Long(default=90)
    again_days = Long(default=30)
    type = Varchar(length=30)
    category = Varchar(length=30)
    team = Varchar(length=30)
    text = Varchar(length=200)
    active = Boolean(default=True)
    uq_followups_rule = Unique(["company", "code"])


TABLES = (FollowupRule,)
RECORDS = (
    RecordKind(
        name="followups.rule", table=FollowupRule, label="Rule for requests", label_plural="Rules for requests", title=("code",), menu="Administration",
        check=check_rule, help="When a request is made by itself, from how a customer's account stands.",
        fields=(
            Field(name="code", label="Code", required=True, list=True),
            Field(name="event", label="When", required=True, list=True, choices=(("no_sale", "No sale for days"), ("overdue", "Payment late by days"))),
            Field(name="days", label="Days", required=True, list=True),
            Field(name="again_days", label="Not again for days", help="For the same customer."),
            Field(name="type", label="Type", required=True, list=True, code_of="requests.type"),
            Field(name="category", label="Category", code_of="requests.category"), Field(name="team", label="Team", list=True, code_of="requests.team"),
            Field(name="text", label="What it says", help="The figures are put behind it."), Field(name="active", label="Active", list=True),
        ),
    ),
)  # fmt: skip
