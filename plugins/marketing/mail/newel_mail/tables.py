"""Templates of e-mails, and what was sent."""

from __future__ import annotations

from newel.domain.kinds import ROLES
from newel.kernel_records import LANGUAGES
from newel.manifest import Field, RecordKind
from newel.store.columns import Id, Long, ref
from newel.store.tables_master import Company
from piccolo.columns import Boolean, Text, Timestamptz, Varchar
from piccolo.table import Table

from newel_mail.rules import STATES, check_message, check_template


class Template(Table, tablename="mail_template"):
    id = Id()
    code = Varchar(length=40, unique=True)
    role = Varchar(length=20)
    kind = Varchar(length=60)
    transition = Varchar(length=60)
    language = Varchar(length=10, default="en")
    subject = Varchar(length=300)
    body = Text()
    active = Boolean(default=True)


class Message(Table, tablename="mail_message"):
    id = Id()
    company = ref(Company, index=False)
    document = Long(default=0, index=True)
    event = Long(default=0, unique=True)  # the transition's entry in the document's history: one mail for each; else the mail's own id
    transition = Varchar(length=60)
    template = Varchar(length=40)
    recipient = Varchar(length=200)
    subject = Varchar(length=300)
    state = Varchar(length=10, default="queued", index=True)
    error = Text()
    attempts = Long(default=0)
    created_at = Timestamptz(default=None, null=True)
    sent_at = Timestamptz(default=None, null=True)
    next_at = Timestamptz(default=None, null=True)
    leased_until = Timestamptz(default=None, null=True)
    direction = Varchar(length=3, default="out")
    user = Varchar(length=60)  # who wrote it; empty for what comes from a template
    sender = Varchar(length=200)  # of what came in
    text = Text()
    message_id = Varchar(length=200, index=True)  # of what came in


class File(Table, tablename="mail_file"):
    """What goes along with a mail, in base64: text goes through every copy, dump and database the same."""

    id = Id()
    message = ref(Message, cascade=True)
    name = Varchar(length=160)
    media_type = Varchar(length=100)
    content = Text()


TABLES = (Template, Message, File)
KEPT = ("attempts", "template", "transition", "document", "direction", "sender", "user")
SENT = (("created_at", "Wanted"), ("recipient", "To"), ("subject", "Subject"), ("sent_at", "Sent"), ("error", "What is wrong"))
RECORDS = (
    RecordKind(
        name="mail.template", table=Template, label="Template of e-mails", label_plural="Templates of e-mails", title=("code",),
        search=("code", "subject"), facts="mail", menu="Administration", check=check_template,
        help="What is sent when a document goes on. The partner's language is looked for first, then English.",
        fields=(
            Field(name="code", label="Code", required=True, list=True),
            Field(name="role", label="Role of documents", list=True, choices=tuple((r, r.capitalize()) for r in ROLES), help="Or one kind of documents."),
            Field(name="kind", label="Kind of documents", list=True, choices_of="documents"),
            Field(name="transition", label="Transition", required=True, list=True, help="Name of the transition after which it is sent, such as confirm."),
            Field(name="language", label="Language", required=True, list=True, choices=LANGUAGES),
            Field(name="subject", label="Subject", required=True),
            Field(name="body", label="Text", required=True, help="With {{ number }}, {{ party.name }}, {% for line in lines %} and others; see the README."),
            Field(name="active", label="Active", list=True),
        ),
    ),
    RecordKind(
        name="mail.message", table=Message, label="E-mail", label_plural="E-mails", title=("subject",), search=("recipient", "subject"),
        columns=(*(name for name, _ in SENT), "state", *KEPT), menu="Administration", check=check_message,
        help="What was sent, what waits and what failed. Set a failed one to queued to have it made anew and sent.",
        fields=(
            *(Field(name=name, label=label, list=True, readonly=True) for name, label in SENT),
            Field(name="state", label="State", list=True, choices=STATES),
            *(Field(name=name, readonly=True) for name in (*KEPT, "event", "next_at", "leased_until")),
        ),
    ),
)  # fmt: skip
