"""What mail decides: which template, which words, which headers. Pure functions; a template sees values and nothing else."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial
from typing import Any

import msgspec
from babel import Locale
from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from newel.domain.document import Document, Line
from newel.domain.money import ZERO, plain
from newel.domain.tax import TaxLine
from newel.errors import Problem, Refused

STATES = (("queued", "Queued"), ("sent", "Sent"), ("failed", "Failed"), ("answered", "Answered"), ("received", "Received"))
PHASES = {"queued": "open", "sent": "done", "failed": "error", "answered": "done", "received": "done"}
SEND, TAKE = "mail.send", "mail.take"
OURS = re.compile(r"<newel\.(\d{1,18})\.(\d{1,18})@[^<>\s]+>")
ADDRESS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")
CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
LONGEST = 500_000
ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.For, nodes.If, nodes.Filter,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Keyword,
)  # fmt: skip


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of mail. Nothing is sent until it is enabled, and no password is kept: it is in an environment variable NEWEL_MAIL_..."""

    enabled: bool = False
    host: str = "localhost"
    port: int = 587
    starttls: bool = True
    user: str = ""
    password_variable: str = "NEWEL_MAIL_PASSWORD"  # noqa: S105 - the name of a variable
    sender: str = ""
    reply_to: str = ""
    timeout: int = 10


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """A template: for a kind of documents, or for all of a role."""

    code: str
    role: str = ""
    kind: str = ""
    transition: str
    language: str
    subject: str
    body: str


class Mails(msgspec.Struct, frozen=True):
    """The mails of a document: what became of each and when; to whom, about what, and what is wrong."""

    rows: tuple[tuple[str, str], ...] = ()


class CannotSend(Exception):
    """This mail will never go out as it is; the message says why."""


def choose(templates: Iterable[Words], document: Document, transition: str) -> Words | None:
    """The partner's language first, then English; then the document's own kind before its role; then by code."""
    spoken = [document.party.language if document.party else "en", "en"]
    fitting = [
        t for t in templates if t.transition == transition and t.language in spoken and (t.kind == document.kind or (not t.kind and t.role == document.role))
    ]
    return min(fitting, key=lambda t: (spoken.index(t.language), not t.kind, t.code), default=None)


# ---- words -------------------------------------------------------------------------------------------------------------------------


class _Sandbox(ImmutableSandboxedEnvironment):
    """Values by name: no attribute of an object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        known = obj if isinstance(obj, dict) else {}
        if isinstance(obj, LoopContext) and attribute in ("index", "first", "last", "length"):
            return getattr(obj, attribute)
        if attribute not in known:
            raise SecurityError(f"there is no value {attribute!r}")
        return known[attribute]


_sandbox = _Sandbox(undefined=StrictUndefined, autoescape=False, keep_trailing_newline=True)
_sandbox.globals.clear()
_sandbox.filters = {name: _sandbox.filters[name] for name in ("upper", "lower", "trim", "length", "join", "default", "first", "last", "truncate")}


def rendered(source: str, values: Mapping[str, Any]) -> str:
    """The text that a template makes of values; CannotSend where it is wrong, or asks for more than values."""
    try:
        text = _sandbox.from_string(_allowed(_sandbox.parse(source))).render(values)
    except SecurityError as error:
        raise CannotSend(f"the template reaches for more than values: {error}") from error
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError) as error:
        raise CannotSend(f"the template is wrong: {error}") from error
    if len(text) > LONGEST:
        raise CannotSend(f"the text is longer than {LONGEST} characters")
    return text


def _allowed(node: nodes.Template) -> nodes.Template:
    """Only values, conditions and loops that are not inside of others: a template costs no more than the document is long."""
    wrong = [n for n in node.find_all(nodes.Node) if not isinstance(n, ALLOWED) or getattr(n, "name", "") == "self"]
    wrong += [n for loop in node.find_all(nodes.For) for n in ([loop] if loop.recursive else loop.find_all(nodes.For))]
    if wrong:
        raise TemplateSyntaxError(f"{type(wrong[0]).__name__} has no place here", wrong[0].lineno)
    return node


def values_of(document: Document, company: str, language: str) -> dict[str, Any]:
    """What a template may name: texts, with numbers and dates as they are written in the language."""
    locale = Locale.parse(language)
    pattern = "#,##0" + ("." + "0" * document.amount_digits if document.amount_digits else "")

    amount, number, party = partial(format_decimal, format=pattern, locale=locale), partial(_number, locale), document.party
    days = {name: getattr(document, name) for name in ("date", "date_due", "date_requested")}
    return {
        **{name: format_date(day, "medium", locale) if day else "" for name, day in days.items()},
        "number": document.number, "reference": document.reference, "text": document.text, "terms": document.terms, "currency": document.currency,
        "net": amount(document.net), "tax": amount(document.tax), "gross": amount(document.gross), "company": {"name": company},
        "party": {"number": party.number if party else "", "name": party.name if party else ""},
        "lines": [
            {
                "position": str(line.position), "number": line.item.number if line.item else "", "text": line.text, "quantity": number(line.quantity),
                "unit": line.unit, "price": number(line.price), "net": amount(line.net), "kind": line.kind,
            }
            for line in document.lines
        ],
        "taxes": [{"code": t.code, "rate": number(t.rate), "amount": amount(t.amount)} for t in document.taxes],
    }  # fmt: skip


def filled(words: Words, document: Document, company: str) -> tuple[str, str]:
    """Subject and text that a template makes of a document; CannotSend where it can't be filled in."""
    values = values_of(document, company, words.language)
    return rendered(words.subject, values), rendered(words.body, values)


def _number(locale: Locale, value: Decimal) -> str:
    return format_decimal(plain(value), locale=locale, decimal_quantization=False)


# ---- headers -----------------------------------------------------------------------------------------------------------------------


def address(text: str, name: str = "", whose: str = "") -> Address:
    """One address with a name; nothing in it may begin another header."""
    if not ADDRESS.fullmatch(text):
        raise CannotSend(f"{text!r:.100} is not one e-mail address" if text else f"{whose or 'the partner'} has no e-mail address")
    if CONTROL.search(name):
        raise CannotSend(f"the name {name!r:.100} has a line break or control character in it")
    return Address(display_name=name, addr_spec=text)


def composed(settings: MailSettings, words: Words, document: Document, company: str, event: int, now: datetime) -> EmailMessage:
    """The mail of a document."""
    subject, text = filled(words, document, company)
    party = document.party
    message = _begun(settings, party.email if party else "", party.name if party else "", subject, company, now)
    message["Message-ID"] = message_id(settings, document.id, event)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message["Content-Language"] = words.language
    return message


def by_hand(settings: MailSettings, row: Mapping[str, Any], files: Iterable[Mapping[str, Any]], company: str, now: datetime) -> EmailMessage:
    """A mail that somebody wrote, with its files."""
    message = _begun(settings, row["recipient"], "", row["subject"], company, now)
    message["Message-ID"] = message_id(settings, row["document"], row["event"])
    message.set_content(row["text"])
    for file in files:
        kind, _slash, sub = file["media_type"].partition("/")
        message.add_attachment(base64.b64decode(file["content"]), maintype=kind, subtype=sub, filename=file["name"])
    return message


def message_id(settings: MailSettings, document: int, event: int) -> str:
    """The same for the same mail, however often it is tried; what an answer refers to."""
    return f"<newel.{document}.{event}@{address(settings.sender, whose='the sender').domain}>"


def _begun(settings: MailSettings, to: str, name: str, subject: str, company: str, now: datetime) -> EmailMessage:
    """From whom, to whom, about what."""
    if CONTROL.search(subject) or not subject.strip():
        raise CannotSend(f"a subject of one line was expected, got {subject!r:.100}")
    message = EmailMessage(policy=SMTP)
    message["From"] = address(settings.sender, company, "the sender")
    message["To"] = address(to, name)
    if settings.reply_to:
        message["Reply-To"] = address(settings.reply_to, company)
    message["Subject"] = subject
    message["Date"] = now
    return message


def answered(references: Iterable[str]) -> list[tuple[int, int]]:
    """(document, event) of our mails among these Message-IDs, in their order."""
    return [(int(match[1]), int(match[2])) for reference in references if (match := OURS.fullmatch(reference))]


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that somebody writes. to: one address; printed: the document goes along as a file."""

    to: str
    subject: str
    text: str
    printed: bool = True


def checked(letter: Letter) -> Letter:
    """The letter, if it can be sent; Refused 422 with everything that is wrong with it."""
    problems = []
    if not ADDRESS.fullmatch(letter.to):
        problems.append(Problem(code="mail.to", message=f"one e-mail address was expected, got {letter.to!r:.100}", where="to", hint="such as a@b.example"))
    if CONTROL.search(letter.subject) or not letter.subject.strip() or len(letter.subject) > 300:
        problems.append(Problem(code="mail.subject", message="a subject of one line was expected", where="subject", hint="at most 300 characters"))
    if not letter.text.strip() or len(letter.text) > LONGEST:
        problems.append(Problem(code="mail.text", message=f"a text of at most {LONGEST} characters was expected", where="text", hint="write it"))
    if problems:
        raise Refused(*problems)
    return letter


# ---- records -------------------------------------------------------------------------------------------------------------------------

NO_TAX = TaxLine(code="", category="", rate=ZERO, base=ZERO, amount=ZERO)
EMPTY = Document(id=0, kind="", role="", state="", number="1", date=date(2026, 1, 1), lines=(Line(id=1),), taxes=(NO_TAX,))
SAMPLE = values_of(EMPTY, "", "en")


def check_template(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Before a template is kept: for one kind or role, and it can be filled in."""
    if bool(values.get("role")) == bool(values.get("kind")):
        yield Problem(code="mail.for", message="either a role or a kind of documents was expected", where="kind", hint="leave the other one empty")
    for name in ("subject", "body"):
        try:
            rendered(values.get(name) or "", SAMPLE)
        except CannotSend as error:
            yield Problem(code="mail.template", message=str(error), where=name, hint="the README lists what a template may name")


def check_message(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Mails come from documents."""
    if not values.get("document") and not values.get("user"):
        yield Problem(code="mail.by_hand", message="a mail comes from a document", hint="send it by the document's transition")
