"""Types, categories and teams of requests, what was said about them, and when they are made by themselves."""

from __future__ import annotations

from newel.domain.kinds import ROLES
from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Party
from piccolo.columns import Boolean, Text, Timestamptz, Varchar
from piccolo.table import Table

from newel_requests.checks import check_message, check_note
from newel_requests.facts import load_documents
from newel_requests.rules import check_type


class RequestType(Table, tablename="requests_type"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)
    target_kind = Varchar(length=60)
    target_role = Varchar(length=20)
    needs_place = Boolean(default=False)
    needs_time = Boolean(default=False)
    needs_about = Boolean(default=False)
    needs_lines = Boolean(default=False)
    needs_text = Boolean(default=False)
    urgency = Long(default=0)


class Category(Table, tablename="requests_category"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)


class Team(Table, tablename="requests_team"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)
    party = ref(Party, null=True)


class Message(Table, tablename="requests_message"):
    """Never changed: what requester and staff said to each other."""

    id = Id()
    company = ref(Company, index=False)
    document = ref(Document)
    party = ref(Party)
    staff = Boolean(default=True)
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)
    sender = Varchar(length=200)
    text = Text()


class Note(Table, tablename="requests_note"):
    """Never changed: what is for colleagues only."""

    id = Id()
    company = ref(Company, index=False)
    document = ref(Document)
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)
    text = Text()


TABLES = (RequestType, Category, Team, Message, Note)
CODE = (Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True))
SAID = tuple(Field(name=n, label=label, readonly=True, list=True) for n, label in (("entered_at", "At"), ("entered_by", "By")))
OF = (Field(name="document", label="Request", list=True), *SAID, Field(name="text", label="Text", required=True, list=True))
NEEDS = (("place", "a place"), ("time", "day and time"), ("about", "a document"), ("lines", "lines"), ("text", "words"))
RECORDS = (
    RecordKind(
        name="requests.type", table=RequestType, label="Type of requests", label_plural="Types of requests", title=("code", "name"),
        search=("code", "name"), facts="requests", menu="Administration", check=check_type,
        help="What people ask for, what they must say about it, and the kind of document that comes of it.",
        fields=(
            *CODE, Field(name="target_kind", label="Becomes", choices_of="documents", list=True),
            Field(name="target_role", label="Or what has the role", choices=tuple((r, r.capitalize()) for r in ROLES), list=True, required=False),
            *(Field(name=f"needs_{n}", label=f"Needs {text}") for n, text in NEEDS),
            Field(name="urgency", label="Urgency", help="Added to the priority, of which 1 comes first: -2 is more urgent."),
        ),
    ),
    RecordKind(
        name="requests.category", table=Category, label="Category of requests", label_plural="Categories of requests", title=("code", "name"),
        search=("code", "name"), facts="requests", menu="Administration", fields=CODE,
    ),
    RecordKind(
        name="requests.team", table=Team, label="Team", label_plural="Teams", title=("code", "name"), search=("code", "name"), facts="requests",
        menu="Administration", fields=(*CODE, Field(name="party", label="Repair point", list=True, help="The firm that it is; empty for a team of ours.")),
        help="Who deals with requests: teams of ours, and repair points.",
    ),
    RecordKind(
        name="requests.message", table=Message, label="Message", label_plural="Messages", title=("entered_at",), search=("text",), append_only=True,
        columns=("document", "entered_at", "entered_by", "sender", "staff", "party", "text"),
        check=check_message, check_facts=load_documents,
        fields=(*OF, Field(name="sender", label="Sender"), Field(name="staff", label="From us"), Field(name="party", label="Partner")),
    ),
    RecordKind(
        name="requests.note", table=Note, label="Note", label_plural="Notes", title=("entered_at",), search=("text",), append_only=True, fields=OF,
        columns=("document", "entered_at", "entered_by", "text"), check=check_note, check_facts=load_documents,
    ),
)  # fmt: skip
