"""Calls, as telephony software tells of them."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Party
from piccolo.columns import Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class Call(Table, tablename="call_centre_call"):
    id = Id()
    company = ref(Company, index=False)
    call = Varchar(length=100)
    direction = Varchar(length=3, default="in")
    number = Varchar(length=40)
    agent = Varchar(length=60, index=True)
    party = ref(Party, null=True)
    document = ref(Document, null=True)
    started_at = Timestamptz(default=None, null=True)
    answered_at = Timestamptz(default=None, null=True)
    ended_at = Timestamptz(default=None, null=True)
    recording = Varchar(length=500)
    uq_call_centre_call = Unique(["company", "call"])


TABLES = (Call,)
RECORDS = (
    RecordKind(
        name="call_centre.call", table=Call, label="Call", label_plural="Calls", title=("number", "started_at"), search=("number", "agent"),
        menu="Service", help="Who called whom and when. Telephony software tells of it.",
        fields=(
            Field(name="started_at", label="Started", list=True, required=False), Field(name="number", label="Number", list=True, required=False),
            Field(name="direction", label="Direction", list=True, choices=(("in", "In"), ("out", "Out"))),
            Field(name="party", label="Partner", list=True), Field(name="agent", label="Agent", list=True, required=False),
            Field(name="document", label="Request", list=True), Field(name="answered_at", label="Answered"), Field(name="ended_at", label="Ended"),
            Field(name="recording", label="Recording", required=False), Field(name="call", label="Id in the telephone system", required=True),
        ),
    ),
)  # fmt: skip
