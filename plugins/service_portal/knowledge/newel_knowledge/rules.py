"""What the knowledge database decides: who may read what, which step comes next and who may take it. Pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import Any

import msgspec
from newel.domain.context import Context, User
from newel.errors import Problem
from newel.manifest import Panel, Shown

KIND = "knowledge.article"
READ, PUBLISH, EDIT, VIEW = "knowledge.read", "knowledge.publish", f"{KIND}.edit", f"{KIND}.view"
AUDIENCES = {"internal": "Our own people", "partner": "Partners", "public": "Everybody"}
STATES = {"draft": ("Draft", "draft"), "review": ("In review", "open"), "published": ("Published", "done"), "retired": ("Retired", "cancelled")}
LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "it": "Italiano", "sl": "Slovenščina", "tr": "Türkçe", "zh": "中文"}
ANSWERS = {"solved": "Solved it", "useless": "Did not help"}
CONTENT = ("title", "body", "language", "audience", "tags")
LONGEST, OFFERED, ENOUGH = 100_000, 5, 8


class KnowledgeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Args:
        dual_control: an article is published by somebody who has not written a word of it since it was last published.
        review_months: from publication to the next review, where the article does not say.
        open: articles for everybody are read without logging in, under /knowledge/open/<company>.
    """

    dual_control: bool = True
    review_months: int = 12
    open: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A way from one state to the next. permission: what it takes."""

    label: str
    sources: tuple[str, ...]
    target: str
    permission: str
    icon: str = "chevron-right"
    primary: bool = False


STEPS = {
    "submit": Step(label="Submit for review", sources=("draft",), target="review", permission=EDIT, primary=True),
    "publish": Step(label="Publish", sources=("review",), target="published", permission=PUBLISH, icon="check", primary=True),
    "withdraw": Step(label="Back to draft", sources=("review",), target="draft", permission=EDIT, icon="arrow-back-up"),
    "revise": Step(label="Revise", sources=("published", "retired"), target="draft", permission=EDIT, icon="pencil"),
    "confirm": Step(label="Still right", sources=("published",), target="published", permission=PUBLISH, icon="calendar-due"),
    "retire": Step(label="Retire", sources=("draft", "published"), target="retired", permission=PUBLISH, icon="ban"),
}


def audiences(user: User | None, settings: KnowledgeSettings) -> tuple[str, ...]:
    """Whose articles somebody reads: our own people all, users of a party what is for partners, and who is not logged in what is for everybody."""
    if user is None:
        return ("public",) if settings.open else ()
    if not user.may(READ):
        return ()
    return tuple(AUDIENCES) if user.party is None else ("partner", "public")


def months_later(day: date, months: int) -> date:
    """The same day so many months later; the last one of a shorter month."""
    years, month = divmod(day.month - 1 + months, 12)
    for at in (day.day, 30, 29, 28):
        try:
            return date(day.year + years, month + 1, at)
        except ValueError:
            continue
    return day


# ---- checks ----------------------------------------------------------------------------------------------------------------------------


class Stored(msgspec.Struct, frozen=True):
    """Articles as they are stored, by id."""

    rows: dict[int, dict[str, Any]] = {}


def check_article(values: Mapping[str, Any], stored: Stored) -> Iterator[Problem]:
    """What must hold of an article. What others have read or are reading is not changed under their eyes."""
    if len(values.get("body") or "") > LONGEST:
        message = f"at most {LONGEST} characters were expected, got {len(values['body'])}"
        yield Problem(code="knowledge.long", message=message, where="body", hint="make two articles of it")
    before = stored.rows.get(values.get("id") or 0)
    if before is None or before["state"] == "draft":
        return
    for name in CONTENT:
        if (values.get(name) or "") != before[name]:
            message = f"{before['title']} is {STATES[before['state']][0].lower()}"
            hint = "take it back to draft first; what is published stays readable meanwhile"
            yield Problem(code="knowledge.locked", message=message, where=name, hint=hint)


def check_step(name: str, article: Mapping[str, Any], writers: Iterable[str], context: Context) -> Iterator[Problem]:
    """Whether a step can be taken now. writers: logins of those who wrote since it was last published."""
    step, state = STEPS[name], STATES[article["state"]][0].lower()
    if article["state"] not in step.sources:
        message = f"an article that is {state} can't go this way: {step.label.lower()}"
        yield Problem(code="knowledge.step", message=message, where="state", hint=f"it goes from {' or '.join(step.sources)}")
    if name == "submit" and not article["body"].strip():
        yield Problem(code="knowledge.empty", message="there is nothing to review yet", where="body", hint="write the article first")
    if name == "publish" and context.setting("knowledge", KnowledgeSettings).dual_control and context.user.login in set(writers):
        message = "you have written this yourself: somebody else reviews and publishes it"
        yield Problem(code="knowledge.dual_control", message=message, hint="ask a colleague with the right to publish, or change the setting dual_control")


# ---- what people see -------------------------------------------------------------------------------------------------------------------


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """An article beside a request. answer: what came of it, as in ANSWERS; empty where nobody has said."""

    id: int
    title: str
    answer: str = ""


class Articles(msgspec.Struct, frozen=True, kw_only=True):
    """Articles around a request: those that were used, and those that may help."""

    used: tuple[Offer, ...] = ()
    offered: tuple[Offer, ...] = ()


def panels(found: Articles, document: int) -> list[Panel]:
    """One box: what was used, then what may help. A stored request is named in the address, so that the article's page can say what came of it."""
    back = f"?document={document}" if document else ""
    known = {o.id for o in found.used}
    rows = [(ANSWERS.get(o.answer, "Used"), Shown(value=o.title, url=f"/knowledge/{o.id}{back}")) for o in found.used]
    rows += [("May help", Shown(value=o.title, url=f"/knowledge/{o.id}{back}")) for o in found.offered if o.id not in known]
    return [Panel(title="Articles", rows=tuple(rows), slot="below", sequence=15, shared=True)] if rows else []


class Change(msgspec.Struct, frozen=True):
    """Some lines that are the same (""), are gone ("del") or are new ("ins")."""

    kind: str
    lines: tuple[str, ...]


def differences(old: str, new: str, around: int = 2) -> list[Change]:
    """What is different between two texts, line by line, with a few lines around."""
    before, after = old.splitlines(), new.splitlines()
    out: list[Change] = []
    for group in SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(around):
        out += [Change("gap", ())] if out else []
        for tag, a, b, c, d in group:
            if tag == "equal":
                out.append(Change("", tuple(before[a:b])))
            else:
                out += [Change(kind, tuple(lines)) for kind, lines in (("del", before[a:b]), ("ins", after[c:d])) if lines]
    return out


def tags_of(text: str) -> Sequence[str]:
    """Tags as entered, with commas between them."""
    return [t for t in (tag.strip() for tag in text.split(",")) if t]
