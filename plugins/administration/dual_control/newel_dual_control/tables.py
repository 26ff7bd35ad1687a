"""Changes of delicate records that wait for a second person, and what became of them."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, ref
from newel.store.tables_master import Company
from piccolo.columns import Boolean, Text, Timestamptz, Varchar
from piccolo.table import Table

from newel_dual_control.facts import load
from newel_dual_control.rules import PROPOSAL, check_proposal


class Proposal(Table, tablename="dual_control_proposal"):
    id = Id()
    company = ref(Company)
    kind = Varchar(length=60)
    record = Varchar(length=60)
    deletes = Boolean(default=False)
    changes = Text()
    reason = Varchar(length=200)
    state = Varchar(length=10, default="waiting", index=True)
    entered_by = Varchar(length=60)
    entered_at = Timestamptz(default=None, null=True)
    decided_by = Varchar(length=60)
    decided_at = Timestamptz(default=None, null=True)
    comment = Varchar(length=200)


TABLES = (Proposal,)
RECORDS = (
    RecordKind(
        name=PROPOSAL, table=Proposal, label="Proposed change", label_plural="Proposed changes", title=("kind", "record"), search=("kind", "record", "changes"),
        check=check_proposal, check_facts=load, internal=True, menu="Administration", help="What one person wants to change, and another one has to approve.",
        fields=(
            Field(name="kind", label="What", list=True, required=True, help="Kind of record, such as newel.user_role."),
            Field(name="record", label="Which", list=True, required=False, help="Its number, code or id; empty for a new one."),
            Field(name="deletes", label="Take it away", list=True, help="Delete it instead of changing it."),
            Field(name="changes", label="Changes", list=True, required=False, long=True, help="A line for each field: its name, a colon, the new value."),
            Field(name="reason", label="Why", required=False),
            Field(
                name="state", label="State", list=True, readonly=True,
                choices=(("waiting", "Waiting"), ("approved", "Approved"), ("rejected", "Rejected")),
            ),
            Field(name="entered_by", label="Proposed by", list=True, readonly=True), Field(name="entered_at", label="Proposed", list=True, readonly=True),
            Field(name="decided_by", label="Decided by", list=True, readonly=True), Field(name="decided_at", label="Decided", readonly=True),
            Field(name="comment", label="Comment", readonly=True),
        ),
    ),
)  # fmt: skip
