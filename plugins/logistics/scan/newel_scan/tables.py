"""Tables of scanning: what somebody is at, and each scan of it."""

from __future__ import annotations

from newel.store.columns import QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Item, Location
from piccolo.columns import Date, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class Task(Table, tablename="scan_task"):
    """What somebody is at. source: the document to work through; result: the one that came of it."""

    id = Id()
    company = ref(Company)
    kind = Varchar(length=10)
    source = ref(Document, null=True)
    place = ref(Location, null=True, index=False)
    target = ref(Location, null=True, index=False)
    state = Varchar(length=10, default="open")
    result = ref(Document, null=True)
    reason = Varchar(length=200)
    started_at = Timestamptz(default=None, null=True)
    started_by = Varchar(length=60)
    ended_at = Timestamptz(default=None, null=True)
    ended_by = Varchar(length=60)


class Step(Table, tablename="scan_step"):
    """One scan, taken or refused. key: of the device that sent it, so that it counts once; quantity: in the item's own unit."""

    id = Id()
    task = ref(Task, cascade=True)
    key = Varchar(length=64)
    code = Varchar(length=200)
    state = Varchar(length=10)
    line = Long(default=0)
    item = ref(Item, null=True)
    quantity = ScaledInt(scale=QUANTITY)
    lot = Varchar(length=60)
    expiry = Date(default=None, null=True)
    place = ref(Location, null=True, index=False)
    problem = Varchar(length=40)
    message = Varchar(length=300)
    hint = Varchar(length=200)
    scanned_at = Timestamptz(default=None, null=True)
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)
    uq_scan_step = Unique(["task", "key"])


TABLES = (Task, Step)
