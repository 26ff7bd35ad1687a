"""Boards, threads, posts, what was reported, and what each reader has seen and follows."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.fulltext import FullText
from newel.store.tables_master import Company
from piccolo.columns import Boolean, Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_forum.rules import AUDIENCES, BOARD, POST, REPORT, THREAD, only_here


class Board(Table, tablename="forum_board"):
    id = Id()
    company = ref(Company, index=False)
    code = Varchar(length=30)
    name = Varchar(length=120)
    about = Varchar(length=300)
    audience = Varchar(length=10, default="internal")
    sequence = Long(default=100)
    closed = Boolean(default=False)
    uq_forum_board = Unique(["company", "code"])


class Thread(Table, tablename="forum_thread"):
    id = Id()
    company = ref(Company, index=False)
    board = ref(Board)
    title = Varchar(length=200)
    author = Varchar(length=60)
    author_name = Varchar(length=120)
    asked_at = Timestamptz(default=None, null=True)
    last_at = Timestamptz(default=None, null=True)
    answers = Long(default=0)
    accepted = Long(default=None, null=True)
    pinned = Boolean(default=False)
    locked = Boolean(default=False)
    hidden = Boolean(default=False)


class Post(Table, tablename="forum_post"):
    """found_title, found_text: its words, for searching."""

    id = Id()
    company = ref(Company, index=False)
    thread = ref(Thread)
    author = Varchar(length=60, index=True)
    author_name = Varchar(length=120)
    staff = Boolean(default=False)
    text = Text()
    language = Varchar(length=10, default="en")
    posted_at = Timestamptz(default=None, null=True)
    hidden = Boolean(default=False)
    hidden_by = Varchar(length=60)
    reason = Varchar(length=300)
    found_title = Text()
    found_text = Text()


class Report(Table, tablename="forum_report"):
    id = Id()
    company = ref(Company, index=False)
    post = ref(Post, cascade=True)
    login = Varchar(length=60)
    reason = Varchar(length=300)
    reported_at = Timestamptz(default=None, null=True)
    done = Boolean(default=False)
    uq_forum_report = Unique(["post", "login"])


class Mark(Table, tablename="forum_mark"):
    """What a user has seen of a thread, and whether they follow it."""

    id = Id()
    thread = ref(Thread, cascade=True)
    login = Varchar(length=60, index=True)
    seen_at = Timestamptz(default=None, null=True)
    follows = Boolean(default=False)
    uq_forum_mark = Unique(["thread", "login"])


TABLES = (Board, Thread, Post, Report, Mark)
INDEX = FullText(table="forum_post", columns=("found_title", "found_text"), language="language")


def _looked_at(*names: str) -> tuple[Field, ...]:
    return tuple(Field(name=name, readonly=True, list=n < 5) for n, name in enumerate(names))


RECORDS = (
    RecordKind(
        name=BOARD, table=Board, label="Board", label_plural="Boards", title=("code", "name"), search=("code", "name"), menu="Administration", internal=True,
        help="A part of the forum, for an audience.",
        fields=(
            Field(name="code", label="Code", required=True, list=True), Field(name="name", label="Name", required=True, list=True),
            Field(name="about", label="What it is about", required=False), Field(name="sequence"),
            Field(name="audience", label="Audience", choices=tuple(AUDIENCES.items()), list=True),
            Field(name="closed", label="Closed", help="No new threads.", list=True),
        ),
    ),
    RecordKind(
        name=THREAD, table=Thread, label="Thread", label_plural="Threads", title=("title",), search=("title",), internal=True, check=only_here,
        fields=_looked_at("title", "board", "author_name", "asked_at", "answers", "last_at", "pinned", "locked", "hidden", "author", "accepted"),
    ),
    RecordKind(
        name=POST, table=Post, label="Forum post", label_plural="Posts", title=("posted_at",), search=("text",), internal=True, check=only_here,
        columns=("thread", "author_name", "posted_at", "text", "hidden", "author", "hidden_by", "reason", "staff", "language"),
        fields=_looked_at("thread", "author_name", "posted_at", "text", "hidden", "author", "hidden_by", "reason", "staff", "language"),
    ),
    RecordKind(
        name=REPORT, table=Report, label="Report of a post", label_plural="Reports of posts", title=("reported_at",), internal=True, check=only_here,
        fields=_looked_at("post", "reason", "login", "reported_at", "done"),
    ),
)  # fmt: skip
