"""Shipping calendars, routes and lead times."""

from __future__ import annotations

from decimal import Decimal

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company, Item, Location
from piccolo.columns import Boolean, Date, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_delivery_dates.checks import check_calendar, check_lead_time, check_route


class ShippingCalendar(Table, tablename="delivery_dates_calendar"):
    id = Id()
    company = ref(Company, index=False)
    code = Varchar(length=30)
    name = Varchar(length=120)
    location = ref(Location, null=True)
    zone = Varchar(length=60, default="UTC")
    days = Varchar(length=60, default="Mon-Fri")
    cut_off = Varchar(length=5)
    country = Varchar(length=2)
    region = Varchar(length=10)
    uq_delivery_dates_calendar = Unique(["company", "code"])


class SpecialDay(Table, tablename="delivery_dates_day"):
    id = Id()
    calendar = ref(ShippingCalendar, cascade=True)
    day = Date(default=None, null=True)
    name = Varchar(length=120)
    works = Boolean(default=False)
    uq_delivery_dates_day = Unique(["calendar", "day"])


class ShippingRoute(Table, tablename="delivery_dates_route"):
    id = Id()
    company = ref(Company, index=False)
    code = Varchar(length=30)
    name = Varchar(length=120)
    location = ref(Location, null=True)
    method = Varchar(length=20)
    country = Varchar(length=2)
    postcode = Varchar(length=20)
    leaves = Varchar(length=60)
    cut_off = Varchar(length=5)
    days = Long(default=1)
    calendar = ref(ShippingCalendar, null=True)
    uq_delivery_dates_route = Unique(["company", "code"])


class LeadTime(Table, tablename="delivery_dates_lead_time"):
    id = Id()
    company = ref(Company)
    item = ref(Item, null=True)
    item_class = Varchar(length=30)
    days = Long(default=0)


TABLES = (ShippingCalendar, SpecialDay, ShippingRoute, LeadTime)
NAMED = (Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True))
CUT_OFF = Field(name="cut_off", label="Cut-off", list=True, help="Such as 15:00: what is ordered later counts as of the next working day.")
MOST = Decimal(365)
RECORDS = (
    RecordKind(
        name="delivery_dates.calendar", table=ShippingCalendar, label="Shipping calendar", label_plural="Shipping calendars", title=("code", "name"),
        search=("code", "name"), facts="delivery_dates", menu="Stock", check=check_calendar, help="On which days goods leave, and until when for an order.",
        fields=(
            *NAMED, Field(name="location", label="Location", list=True, help="With all inside it; empty for every place without a calendar of its own."),
            Field(name="zone", label="Time zone", required=True, help="Such as Europe/Vienna."),
            Field(name="days", label="Working days", required=True, list=True, help="Such as Mon-Fri, or Mon-Thu, Sat."), CUT_OFF,
            Field(name="country", label="Country", list=True, help="Two letters; its public holidays are free."),
            Field(name="region", label="Region", help="For holidays of a region only, such as BY."),
        ),
    ),
    RecordKind(
        name="delivery_dates.day", table=SpecialDay, label="Special day", label_plural="Special days", title=("day", "name"), parent="calendar",
        facts="delivery_dates", help="Days of the company's own: free ones, and those on which people work all the same.",
        fields=(
            Field(name="day", label="Day", required=True), Field(name="name", label="Name"),
            Field(name="works", label="People work", help="In spite of a public holiday or the day of the week."),
        ),
    ),
    RecordKind(
        name="delivery_dates.route", table=ShippingRoute, label="Route", label_plural="Routes", title=("code", "name"), search=("code", "name"),
        facts="delivery_dates", menu="Stock", check=check_route, help="How long goods are under way. Of several that fit, the one that says most counts.",
        fields=(
            *NAMED, Field(name="location", label="From location", list=True, help="Empty for any."),
            Field(name="method", label="Way of shipping", list=True, help="Its code; empty for any."),
            Field(name="country", label="To country", list=True, help="Two letters; empty for any."),
            Field(name="postcode", label="Postal code begins with", list=True, help="Such as 10; empty for all of the country."),
            Field(name="leaves", label="Leaves on", list=True, help="Such as Tue, Thu; empty for every working day."), CUT_OFF,
            Field(name="days", label="Working days under way", required=True, list=True, minimum=Decimal(0), maximum=MOST),
            Field(name="calendar", label="Counted by", help="Whose working days count under way; empty for those of where it leaves."),
        ),
    ),
    RecordKind(
        name="delivery_dates.lead_time", table=LeadTime, label="Lead time", label_plural="Lead times", title=("item", "item_class"),
        facts="delivery_dates", menu="Stock", check=check_lead_time, help="How long it takes to procure what is not in stock.",
        fields=(
            Field(name="item", label="Item", list=True), Field(name="item_class", label="Item class", required=False, list=True, code_of="newel.item_class"),
            Field(
                name="days", label="Working days", required=True, list=True, minimum=Decimal(0), maximum=MOST,
                help="With neither item nor class: of everything else.",
            ),
        ),
    ),
)  # fmt: skip
