"""The model by which teams are rated, and the grades that requesters give."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Party
from piccolo.columns import Text, Timestamptz, Varchar
from piccolo.table import Table

from newel_service_kpis.facts import load_owner
from newel_service_kpis.rules import MEASURES, check_grade, check_measure


class ModelMeasure(Table, tablename="service_kpis_measure"):
    id = Id()
    measure = Varchar(length=30, unique=True)
    weight = Long(default=1)
    best = ScaledInt(scale=QUANTITY)
    worst = ScaledInt(scale=QUANTITY)


class Grade(Table, tablename="service_kpis_grade"):
    id = Id()
    company = ref(Company, index=False)
    document = ref(Document, index=False)
    party = ref(Party)
    grade = Long(default=5)
    remark = Text()
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)


TABLES = (ModelMeasure, Grade)
RECORDS = (
    RecordKind(
        name="service_kpis.measure", table=ModelMeasure, label="Measure of service", label_plural="Measures of service", title=("measure",), scope="",
        facts="service_kpis", menu="Administration", check=check_measure, help="What repair points and teams are rated by, and what it weighs.",
        fields=(
            Field(name="measure", label="Measure", required=True, list=True, choices=tuple(MEASURES.items())),
            Field(name="weight", label="Weight", required=True, list=True, help="Against the other measures."),
            Field(name="best", label="All points at", required=True, list=True), Field(name="worst", label="No points at", required=True, list=True),
        ),
    ),
    RecordKind(
        name="service_kpis.grade", table=Grade, label="Grade", label_plural="Grades", title=("grade", "entered_at"), search=("remark",), append_only=True,
        menu="Service", check=check_grade, check_facts=load_owner, help="How content requesters were.",
        columns=("document", "party", "grade", "remark", "entered_at", "entered_by"),
        fields=(
            Field(name="document", label="Request", list=True), Field(name="party", label="Partner", list=True),
            Field(name="grade", label="Grade", required=True, list=True, help="1 to 5, which is best."), Field(name="remark", label="Remark", list=True),
            Field(name="entered_at", label="At", readonly=True, list=True), Field(name="entered_by", label="By", readonly=True),
        ),
    ),
)  # fmt: skip
