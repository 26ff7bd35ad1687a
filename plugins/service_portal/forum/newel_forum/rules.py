"""What the forum decides: who reads and writes where, what somebody is called, how much is too much. Pure functions over frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from newel.domain.context import Context, User
from newel.errors import Problem

BOARD, THREAD, POST, REPORT = "forum.board", "forum.thread", "forum.post", "forum.report"
READ, WRITE, MODERATE = "forum.read", "forum.write", "forum.moderate"
AUDIENCES = {"internal": "Our own people", "partner": "Partners", "public": "Partners and everybody else"}
LONGEST, TITLE, REASON = 20_000, 200, 300
HOUR, FRESH = timedelta(hours=1), timedelta(days=30)


class ForumSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Args:
        posts_per_hour: that one user may write; 0 for any number. Moderators write as much as they like.
    """

    posts_per_hour: int = 20


def audiences(user: User) -> tuple[str, ...]:
    """Whose boards somebody sees: our own people all, users of a party those for partners and everybody."""
    if not user.may(READ):
        return ()
    return tuple(AUDIENCES) if user.party is None else ("partner", "public")


def moderates(user: User) -> bool:
    """Whether somebody keeps order; never a user of a party, whatever their rights."""
    return user.party is None and user.may(MODERATE)


def called(user: User) -> str:
    """What others call somebody: the name, and never the login or an address for mail."""
    name = user.name.strip()
    return name[:120] if name and "@" not in name and name != user.login else f"Member {user.id}"


def check_post(text: str, context: Context, recent: list[datetime], title: str | None = None) -> Iterator[Problem]:
    """Whether something can be posted now.

    Args:
        recent: when the user has posted within the last hour, the oldest first.
        title: of a new thread; None for an answer.
    """
    if title is not None and not 3 <= len(title.strip()) <= TITLE:
        message = f"a title of 3 to {TITLE} characters was expected"
        yield Problem(code="forum.title", message=message, where="title", hint="say in a few words what you want to know")
    if not 1 <= len(text.strip()) <= LONGEST:
        yield Problem(code="forum.text", message=f"1 to {LONGEST} characters were expected, got {len(text.strip())}", where="text", hint="write something")
    most = context.setting("forum", ForumSettings).posts_per_hour
    if most and len(recent) >= most and not moderates(context.user):
        free = recent[len(recent) - most] + HOUR
        message = f"you have written {len(recent)} posts within an hour"
        yield Problem(code="forum.too_many", message=message, where="text", hint=f"you can go on at {free:%H:%M} UTC")


def check_open(thread: Mapping[str, Any], context: Context) -> Iterator[Problem]:
    """Whether a thread takes answers."""
    if thread["locked"] and not moderates(context.user):
        yield Problem(code="forum.locked", message="this thread is closed", where="text", hint="start a new one, and name this one in it")


def check_reason(reason: str) -> Iterator[Problem]:
    """Whoever hides or reports something says why."""
    if not 3 <= len(reason.strip()) <= REASON:
        message = f"a reason of 3 to {REASON} characters was expected"
        yield Problem(code="forum.reason", message=message, where="reason", hint="say what is wrong with it, for others to understand")


def only_here(_values: Mapping[str, Any]) -> Iterator[Problem]:
    """Threads, posts and reports are looked at as records, and written on the forum's own pages."""
    yield Problem(code="forum.only_here", message="this is written in the forum, not as a record", hint="open /forum")
