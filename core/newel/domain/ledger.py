"""Double entry: roles, rules, entries. Entries are made, checked and chained here; they are reversed and never edited."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import Any

import msgspec

from newel.domain.money import ZERO

Day = date  # for structs with a field of that name


class AccountRole(msgspec.Struct, frozen=True, kw_only=True):
    """What an account is for; each company maps roles to accounts.

    Args:
        kind: asset, liability, equity, income or expense.
        open_items: postings of this role are open items that payments settle.
    """

    name: str
    label: str
    kind: str
    open_items: bool = False


class PostingRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a move posts: (kind of source, kind of target) -> debit role, credit role. Equal roles post nothing."""

    source: str
    target: str
    debit: str
    credit: str


class PostingSpec(msgspec.Struct, frozen=True, kw_only=True):
    """How a document kind posts: gross to the party's role on `side`; lines, tax and rounding against it.

    Args:
        other: role of lines without goods, where it is not that of `line`.
        difference: a line that comes from goods which have moved takes what they were worth from `line`, and what it differs in price goes here
            (a bill clears what was received and not billed). A difference of exchange rates goes to the role exchange.
    """

    party: str
    line: str
    tax: str = ""
    side: str = "debit"
    other: str = ""
    difference: str = ""


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """One side of an entry. debit and credit in the company's currency, amount (signed, debit positive) in the document's."""

    account: int
    role: str
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    currency: str = ""
    amount: Decimal = ZERO
    party: int | None = None
    text: str = ""
    dimensions: dict[str, str] = {}


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A journal entry: postings whose debits equal their credits."""

    id: int = 0
    number: int = 0
    company: int
    date: date
    document: int | None = None
    text: str = ""
    reverses: int | None = None
    postings: tuple[Posting, ...] = ()


class OpenItem(msgspec.Struct, frozen=True, kw_only=True):
    """What a party owes (positive) or is owed (negative), until it is settled."""

    id: int
    document: int
    party: int
    role: str
    currency: str
    date: date
    date_due: Day
    amount: Decimal
    amount_open: Decimal
    company_amount: Decimal
    company_open: Decimal


class Clearing(msgspec.Struct, frozen=True):
    """Of lines that come from goods which have moved, by id: what those goods were worth, and their net amount in the document's currency."""

    lines: dict[int, tuple[Decimal, Decimal]] = {}


class OpenItems(msgspec.Struct, frozen=True):
    """The open items that a document's lines settle, by id; locked where the transition posts."""

    items: dict[int, OpenItem] = {}


def unbalanced(postings: Iterable[Posting]) -> Decimal:
    """Debits minus credits in the company's currency; zero for a good entry."""
    return sum((p.debit - p.credit for p in postings), ZERO)


ENTRY_CHAINED = ("number", "company", "date", "document", "text", "reverses", "created_at", "created_by")
POSTING_CHAINED = ("account", "role", "debit", "credit", "currency", "amount", "party", "text", "dimensions")


def entry_hash(previous: str, entry: Mapping[str, Any], postings: Iterable[Mapping[str, Any]]) -> str:
    """SHA-256 over the hash before and everything that an entry says, in one canonical text (JSON). Any changed bit changes every later hash.

    Args:
        entry: a row of journal_entry: date as a date, created_at as an aware instant. postings: its rows in stored order; amounts as scaled integers,
            dimensions as the stored text.
    """
    values = {**entry, "created_at": entry["created_at"].astimezone(UTC)}
    content = [previous, [values[c] for c in ENTRY_CHAINED], [[p[c] for c in POSTING_CHAINED] for p in postings]]
    return hashlib.sha256(msgspec.json.encode(content)).hexdigest()
