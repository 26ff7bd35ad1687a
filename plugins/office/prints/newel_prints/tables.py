"""What was printed, as it was printed, and the layouts with all their versions."""

from __future__ import annotations

from newel.kernel_records import LANGUAGES
from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company
from piccolo.columns import Boolean, Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_prints.rules import PARTS, check_layout


class Print(Table, tablename="prints_print"):
    """One print. paper: hash of what it says; copy: 0 for the original; content: the PDF in base64; source: what its pages were made from."""

    id = Id()
    company = ref(Company, index=False)
    document = Long()
    paper = Varchar(length=64)
    languages = Varchar(length=11)
    copy = Long()
    name = Varchar(length=160)
    pages = Long()
    size = Long()
    hash = Varchar(length=64)
    content = Text()
    source = Text()
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)
    uq_prints_print = Unique(["document", "paper", "languages", "copy"])


class Layout(Table, tablename="prints_layout"):
    """A version of a layout; the last one of its kind and language is in use, if it is active. An empty part is the built-in one."""

    id = Id()
    company = ref(Company)
    kind = Varchar(length=60)
    language = Varchar(length=10)
    head = Text()
    intro = Text()
    end = Text()
    foot = Text()
    style = Text()
    logo = Text()
    active = Boolean(default=True)
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)


TABLES = (Print, Layout)
LAYOUT = RecordKind(
    name="prints.layout", table=Layout, label="Layout of prints", label_plural="Layouts of prints", title=("kind", "language", "entered_at"),
    search=("kind",), facts="prints", append_only=True, internal=True, check=check_layout,
    help="How documents look on paper. Each change is a version of its own.",
    fields=(
        Field(name="kind", label="Kind of documents", choices_of="documents", list=True, help="Empty for all that have none of their own."),
        Field(name="language", label="Language", choices=LANGUAGES, list=True, required=False, help="Empty for all."),
        *(Field(name=name, label=label, help=help_, long=True, required=False) for name, label, help_ in PARTS),
        Field(name="logo", label="Picture in the letterhead", required=False, long=True),
        Field(name="active", label="Active", list=True, help="Switched off, the built-in layout is back."),
        Field(name="entered_at", label="Entered", list=True, readonly=True), Field(name="entered_by", label="By", list=True, readonly=True),
    ),
)  # fmt: skip
