"""Business calendars, what is promised, and what happens when it is not kept."""

from __future__ import annotations

from decimal import Decimal

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company
from piccolo.columns import Boolean, Date, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_sla.checks import check_calendar, check_step, check_target


class BusinessCalendar(Table, tablename="sla_calendar"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)
    zone = Varchar(length=60, default="UTC")
    hours = Varchar(length=500)
    country = Varchar(length=2)
    region = Varchar(length=10)


class Day(Table, tablename="sla_day"):
    id = Id()
    calendar = ref(BusinessCalendar, cascade=True)
    day = Date(default=None, null=True)
    name = Varchar(length=120)
    works = Boolean(default=False)
    uq_sla_day = Unique(["calendar", "day"])


class ServiceTarget(Table, tablename="sla_target"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)
    type = Varchar(length=30)
    level_min = Long(default=0)
    calendar = ref(BusinessCalendar)
    response_minutes = Long(default=0)
    resolution_minutes = Long(default=0)


class EscalationStep(Table, tablename="sla_step"):
    id = Id()
    target = ref(ServiceTarget, cascade=True)
    measure = Varchar(length=10, default="resolution")
    percent = Long(default=100)
    team = Varchar(length=30)
    assignee = Varchar(length=60)
    priority = Long(default=None, null=True)


class Escalation(Table, tablename="sla_escalation"):
    """Never changed: which step was taken for which request, and what came of it."""

    id = Id()
    company = ref(Company, index=False)
    document = ref(Document)
    step = ref(EscalationStep)
    entered_at = Timestamptz(default=None, null=True)
    text = Varchar(length=500)
    uq_sla_escalation = Unique(["document", "step"])


TABLES = (BusinessCalendar, Day, ServiceTarget, EscalationStep, Escalation)
NAMED = (Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True))
HOURS_HELP = "Such as Mon-Fri 08:00-12:00, 13:00-17:00; Sat 09:00-12:00."
MINUTES_HELP = "In minutes of business time; 0 where nothing is promised."
ONE, NINE = Decimal(1), Decimal(9)
RECORDS = (
    RecordKind(
        name="sla.calendar", table=BusinessCalendar, label="Business calendar", label_plural="Business calendars", title=("code", "name"),
        search=("code", "name"), facts="sla", menu="Administration", check=check_calendar, help="On which days and hours the time of a promise runs.",
        fields=(
            *NAMED, Field(name="zone", label="Time zone", required=True, help="Such as Europe/Berlin."),
            Field(name="hours", label="Hours", required=True, list=True, help=HOURS_HELP),
            Field(name="country", label="Country", list=True, help="Two letters; its public holidays are free."),
            Field(name="region", label="Region", help="For holidays of a region only, such as BY."),
        ),
    ),
    RecordKind(
        name="sla.day", table=Day, label="Special day", label_plural="Special days", title=("day", "name"), parent="calendar", facts="sla",
        fields=(
            Field(name="day", label="Day", required=True), Field(name="name", label="Name"),
            Field(name="works", label="People work", help="In spite of a public holiday."),
        ),
        help="Days of the company's own: free ones, and those on which people work in spite of a public holiday.",
    ),
    RecordKind(
        name="sla.target", table=ServiceTarget, label="Service promise", label_plural="Service promises", title=("code", "name"), search=("code", "name"),
        facts="sla", menu="Administration", check=check_target, help="Within which business time a request is answered and solved.",
        fields=(
            *NAMED, Field(name="type", label="Type of requests", list=True, code_of="requests.type", help="Empty for all."),
            Field(name="level_min", label="From service level", list=True, minimum=Decimal(0), maximum=NINE),
            Field(name="calendar", label="Calendar", required=True, list=True),
            Field(name="response_minutes", label="First answer within", list=True, minimum=Decimal(0), help=MINUTES_HELP),
            Field(name="resolution_minutes", label="Solved within", list=True, minimum=Decimal(0), help=MINUTES_HELP),
        ),
    ),
    RecordKind(
        name="sla.step", table=EscalationStep, label="Escalation step", label_plural="Escalation steps", title=("measure", "percent"), parent="target",
        facts="sla", check=check_step, help="Who gets the request when so much of the promised time has passed.",
        fields=(
            Field(name="measure", label="Of", required=True, choices=(("response", "First answer"), ("resolution", "Solution"))),
            Field(name="percent", label="Percent passed", required=True, help="100 is when it is late."),
            Field(name="team", label="Goes to team", code_of="requests.team"), Field(name="assignee", label="Goes to user", code_of="newel.user"),
            Field(name="priority", label="Priority", minimum=ONE, maximum=NINE),
        ),
    ),
    RecordKind(
        name="sla.escalation", table=Escalation, label="Escalation", label_plural="Escalations", title=("text",), append_only=True, menu="Service",
        columns=("document", "entered_at", "text", "step"), help="Which requests were escalated, and what came of it.",
        fields=(
            Field(name="document", label="Request", list=True), Field(name="entered_at", label="At", readonly=True, list=True),
            Field(name="text", label="What", list=True),
        ),
    ),
)  # fmt: skip
