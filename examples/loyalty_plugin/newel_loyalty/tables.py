"""Tiers, and the account of points: every entry stands for ever, and the balance is their sum."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Party
from piccolo.columns import Date, Varchar
from piccolo.table import Table

from newel_loyalty.rules import check_tier


class Tier(Table, tablename="loyalty_tier"):
    """percent: a scaled integer, as all exact numbers are (never a float)."""

    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=80)
    points_min = Long(default=0)
    percent = ScaledInt(scale=QUANTITY)


class Points(Table, tablename="loyalty_points"):
    """Points that a customer got (or gave back, below 0) for a document."""

    id = Id()
    party = ref(Party)
    document = ref(Document, null=True)
    date = Date(default=None, null=True)
    points = Long(default=0)
    reason = Varchar(length=120)


TABLES = (Tier, Points)
RECORDS = (
    RecordKind(
        name="loyalty.tier",
        table=Tier,
        label="Loyalty tier",
        label_plural="Loyalty tiers",
        title=("code", "name"),
        scope="",
        facts="loyalty",
        check=check_tier,
        menu="Sales",
        help="What members get off from a number of points on.",
        fields=(
            Field(name="code", label="Code", required=True, list=True),
            Field(name="name", label="Name", required=True, list=True),
            Field(name="points_min", label="From points", list=True),
            Field(name="percent", label="Percent", required=True, list=True, help="10 is ten percent off."),
        ),
    ),
    RecordKind(
        name="loyalty.points",
        table=Points,
        label="Points",
        label_plural="Points",
        title=("party", "points"),
        search=("reason",),
        scope="",
        append_only=True,
        menu="Sales",
        help="Written when an invoice is posted, taken back when it is undone; an entry of one's own is a gift.",
        fields=(
            Field(name="party", label="Customer", required=True, list=True),
            Field(name="document", label="Document"),
            Field(name="date", label="Date", list=True),
            Field(name="points", label="Points", required=True, list=True, help="Below 0 they are taken back."),
            Field(name="reason", label="Reason", list=True),
        ),
    ),
)
