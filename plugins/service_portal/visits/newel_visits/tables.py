"""Technicians, checklists, signed reports, and what is looked after regularly."""

from __future__ import annotations

from decimal import Decimal

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Address, Company, Item, Location, Lot, Party
from piccolo.columns import Boolean, Date, Text, Timestamptz, Varchar
from piccolo.table import Table

from newel_visits.checks import check_report
from newel_visits.facts import load_parties


class Technician(Table, tablename="visits_technician"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)
    login = Varchar(length=60)
    location = ref(Location, null=True)


class Checklist(Table, tablename="visits_checklist"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)
    tasks = Text()


class Report(Table, tablename="visits_report"):
    """Never changed: what a customer signed for."""

    id = Id()
    company = ref(Company, index=False)
    document = ref(Document)
    party = ref(Party)
    name = Varchar(length=120)
    text = Text()
    work = Varchar(length=64)
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)


class Maintenance(Table, tablename="visits_maintenance"):
    id = Id()
    company = ref(Company)
    party = ref(Party)
    item = ref(Item)
    lot = ref(Lot, null=True)
    ship_to = ref(Address, null=True)
    months = Long(default=12)
    next = Date(default=None, null=True)
    technician = ref(Technician, null=True)
    time = Varchar(length=5)
    minutes = Long(default=60)
    checklist = ref(Checklist, null=True)
    text = Text()
    active = Boolean(default=True)


TABLES = (Technician, Checklist, Report, Maintenance)
NAMED = (Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True))
RECORDS = (
    RecordKind(
        name="visits.technician", table=Technician, label="Technician", label_plural="Technicians", title=("code", "name"), search=("code", "name"),
        facts="visits", menu="Administration", scope="", help="Who visits customers, and with which van.",
        fields=(*NAMED, Field(name="login", label="User", code_of="newel.user", list=True, required=False,
                      help="Empty: the code in small letters is the login."),
                Field(name="location", label="Van", list=True, help="Material that is used on a visit leaves its stock.")),
    ),
    RecordKind(
        name="visits.checklist", table=Checklist, label="Checklist", label_plural="Checklists", title=("code", "name"), search=("code", "name"),
        facts="visits", menu="Administration", scope="", help="What is checked on site.",
        fields=(*NAMED, Field(name="tasks", label="Tasks", required=True, long=True, help="One in each line.")),
    ),
    RecordKind(
        name="visits.report", table=Report, label="Signed report", label_plural="Signed reports", title=("name", "entered_at"), search=("name", "text"),
        append_only=True, columns=("document", "entered_at", "name", "text", "entered_by", "party", "work"), check=check_report, check_facts=load_parties,
        fields=(Field(name="document", label="Visit", list=True), Field(name="entered_at", label="At", readonly=True, list=True),
                Field(name="name", label="Signed by", list=True), Field(name="text", label="Report", list=True, required=False),
                Field(name="entered_by", label="Taken by", readonly=True), Field(name="party", label="Partner"),
                Field(name="work", label="Signed for", help="Fingerprint of time and material.")),
    ),
    RecordKind(
        name="visits.maintenance", table=Maintenance, label="Regular maintenance", label_plural="Regular maintenance", title=("party", "item"),
        search=("text",), menu="Service", help="What is looked after every so many months. Its visits are planned by themselves.",
        fields=(
            Field(name="party", label="Customer", required=True, list=True), Field(name="item", label="Item", required=True, list=True),
            Field(name="lot", label="Serial number", list=True), Field(name="ship_to", label="Place"),
            Field(name="months", label="Every ... months", minimum=Decimal(1), maximum=Decimal(120), list=True),
            Field(name="next", label="Next on", required=True, list=True),
            Field(name="technician", label="Technician", list=True), Field(name="time", label="Time", help="14:30", required=False),
            Field(name="minutes", label="Minutes", minimum=Decimal(5), maximum=Decimal(1440)), Field(name="checklist", label="Checklist"),
            Field(name="text", label="What to do", required=False),
        ),
    ),
)  # fmt: skip
