"""Articles, their versions, and where they were used."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.fulltext import FullText
from newel.store.tables_document import Document
from newel.store.tables_master import Company, Item
from piccolo.columns import Date, Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_knowledge.facts import load_stored
from newel_knowledge.rules import ANSWERS, AUDIENCES, KIND, LANGUAGES, STATES, check_article


class Category(Table, tablename="knowledge_category"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)


class Article(Table, tablename="knowledge_article"):
    """What is being written; readers see its latest version."""

    id = Id()
    company = ref(Company)
    title = Varchar(length=200)
    body = Text()
    language = Varchar(length=10, default="en")
    audience = Varchar(length=10, default="internal")
    category = ref(Category, null=True)
    item = ref(Item, null=True)
    tags = Varchar(length=200)
    owner = Varchar(length=60)
    review_on = Date(default=None, null=True, index=True)
    state = Varchar(length=10, default="draft")
    version = Long(default=0)


class Version(Table, tablename="knowledge_version"):
    """What was published, as it was: never changed. found_title, found_text: their words, for searching."""

    id = Id()
    company = ref(Company, index=False)
    article = ref(Article, cascade=True)
    number = Long()
    title = Varchar(length=200)
    body = Text()
    language = Varchar(length=10)
    audience = Varchar(length=10)
    tags = Varchar(length=200)
    found_title = Text()
    found_text = Text()
    writers = Varchar(length=500)
    changes = Long(default=0)
    published_at = Timestamptz(default=None, null=True)
    published_by = Varchar(length=60)
    uq_knowledge_version = Unique(["article", "number"])


class Use(Table, tablename="knowledge_use"):
    """Somebody read an article and said what came of it, for a document or at all."""

    id = Id()
    company = ref(Company, index=False)
    article = ref(Article)
    version = Long(default=0)
    login = Varchar(length=60)
    document = ref(Document, null=True)
    answer = Varchar(length=10)


TABLES = (Category, Article, Version, Use)
INDEX = FullText(table="knowledge_version", columns=("found_title", "found_text"), language="language")
RECORDS = (
    RecordKind(
        name="knowledge.category", table=Category, label="Category of articles", label_plural="Categories of articles", title=("code", "name"),
        search=("code", "name"), menu="Administration",
        fields=(Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True)),
    ),
    RecordKind(
        name=KIND, table=Article, label="Article", label_plural="Articles", title=("title",), search=("title", "tags"), internal=True,
        check=check_article, check_facts=load_stored, help="What is being written. Readers see what was last published.",
        fields=(
            Field(name="title", label="Title", required=True, list=True), Field(name="body", label="Text", long=True),
            Field(name="language", label="Language", choices=tuple(LANGUAGES.items()), list=True),
            Field(name="audience", label="Audience", choices=tuple(AUDIENCES.items()), list=True), Field(name="category", label="Category", list=True),
            Field(name="item", label="Item"), Field(name="tags", label="Tags", help="With commas between them."),
            Field(name="owner", label="Owner", code_of="newel.user", required=False, help="Who sees to it that it stays right.", list=True),
            Field(name="review_on", label="Next review"),
            Field(name="state", label="State", choices=tuple((n, label) for n, (label, _) in STATES.items()), readonly=True, list=True),
            Field(name="version", label="Version", readonly=True),
        ),
    ),
    RecordKind(
        name="knowledge.use", table=Use, label="Use of an article", label_plural="Uses of articles", title=("article", "login"), internal=True,
        fields=(
            Field(name="article", label="Article", list=True), Field(name="version", label="Version"), Field(name="login", label="User", list=True),
            Field(name="document", label="Request", list=True), Field(name="answer", label="What came of it", choices=tuple(ANSWERS.items()), list=True),
        ),
    ),
)  # fmt: skip
