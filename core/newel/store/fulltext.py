"""Full-text search over columns of a plugin's own table: FTS5 on SQLite, tsvector on PostgreSQL, asked and answered alike.

A plugin keeps what tokens() makes of a text in columns of its own and calls create() in a migration. The databases keep the index themselves,
whoever writes: so it is never stale, and a copy of the data to another database has one, too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec

from newel.store.session import Session

_STEMS = {"de": "german", "en": "english", "es": "spanish", "fr": "french", "it": "italian", "nl": "dutch", "pt": "portuguese", "tr": "turkish"}
_SIGNS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # written without spaces between words: each is a token, and a word is a phrase
_TOKEN = re.compile(f"[{_SIGNS}]|[^\\W_{_SIGNS}]+")
_TERM = re.compile(f"[{_SIGNS}]+|[^\\W_{_SIGNS}]+")
_SIGN = re.compile(f"[{_SIGNS}]")
_ACCENTS = re.compile("[\u0300-\u036f]")
_LONGEST, _TERMS, _WORTH = 2000, 12, 4  # where some words are enough, a row is worth a quarter of the best one


class FullText(msgspec.Struct, frozen=True, kw_only=True):
    """What is searched. columns: with tokens, the weightiest first, at most four; language: column with a tag such as "de"."""

    table: str
    columns: tuple[str, ...]
    language: str

    def create(self, sqlite: bool) -> list[str]:
        """The statements that a migration carries out."""
        t, names = self.table, ", ".join(f'"{c}"' for c in self.columns)
        if not sqlite:
            config = self._config(t)
            parts = " || ".join(f"setweight(to_tsvector({config}, \"{c}\"), '{weight}')" for c, weight in zip(self.columns, "ABCD", strict=False))
            column = f'ALTER TABLE "{t}" ADD COLUMN "found" tsvector GENERATED ALWAYS AS ({parts}) STORED'
            return [column, f'CREATE INDEX "{t}_found" ON "{t}" USING gin ("found") WITH (fastupdate = off)']
        new, old = (", ".join(f'{row}."{c}"' for c in ("id", *self.columns)) for row in ("new", "old"))
        put = f'INSERT INTO "{t}_found"(rowid, {names}) VALUES ({new});'
        drop = f'INSERT INTO "{t}_found"("{t}_found", rowid, {names}) VALUES (\'delete\', {old});'
        how = f"content='{t}', content_rowid='id', tokenize='porter unicode61'"
        events = (("insert", "INSERT", put), ("update", "UPDATE", drop + put), ("delete", "DELETE", drop))
        return [f'DROP TABLE IF EXISTS "{t}_found"', f'CREATE VIRTUAL TABLE "{t}_found" USING fts5({names}, {how})'] + [
            f'CREATE TRIGGER "{t}_found_{name}" AFTER {event} ON "{t}" BEGIN {body} END' for name, event, body in events
        ]

    def drop(self, sqlite: bool) -> list[str]:
        """The statements that a migration back carries out before the table goes."""
        return [f'DROP TABLE "{self.table}_found"'] if sqlite else [f'ALTER TABLE "{self.table}" DROP COLUMN "found"']

    def _config(self, table: str) -> str:
        """PostgreSQL's configuration for the language of a row."""
        stems = " ".join(f"WHEN '{tag}' THEN '{name}'::regconfig" for tag, name in _STEMS.items())
        return f"""CASE "{table}"."{self.language}" {stems} ELSE 'simple'::regconfig END"""

    async def search(
        self, session: Session, text: str, *, join: str = "", where: str = "1 = 1", args: Sequence[Any] = (), every: bool = True, limit: int = 50
    ) -> list[int]:
        """Ids of rows, the best first.

        Args:
            text: as somebody typed it: each of its words, or the beginning of one.
            join, where, args: further tables and the condition on them; the table itself is `t`.
            every: all words must be there; else the more the better, and rows far behind the best one are left out.
        """
        if not (asked := terms(text) if every else _loose(terms(text))):
            return []
        if session.sqlite:
            found = (" AND " if every else " OR ").join(f'"{" ".join(_TOKEN.findall(w))}"' + ("*" if _open(w) else "") for w in asked)
            table, given = f'"{self.table}_found" JOIN "{self.table}" t ON t."id" = "{self.table}_found".rowid', [found]
            weights = ", ".join(str(4 ** (3 - n)) for n in range(len(self.columns)))
            condition, order = f'"{self.table}_found" MATCH ?', f'bm25("{self.table}_found", {weights})'
        else:
            found = (" & " if every else " | ").join("(" + " <-> ".join(_TOKEN.findall(w)) + (":*" if _open(w) else "") + ")" for w in asked)
            query = " || ".join(f"to_tsquery('{name}', ?)" for name in ("simple", *_STEMS.values()))
            # The index first, whatever the planner thinks of the other tables: OFFSET 0 keeps it from mixing the two.
            score = f'-ts_rank(x."found", to_tsquery({self._config("x")}, ?))'
            inner = f'SELECT x.*, {score} AS score FROM (SELECT {query} AS q) q, "{self.table}" x WHERE x."found" @@ q.q OFFSET 0'
            table, given = f"({inner}) t", [found] * (len(_STEMS) + 2)
            condition, order = "1 = 1", "t.score"
        sql = f'SELECT t."id", {order} AS score FROM {table} {join} WHERE {condition} AND ({where}) ORDER BY score, t."id" DESC LIMIT ?'
        rows = await session.fetch(sql, *given, *args, limit)
        return [r["id"] for r in rows if every or r["score"] <= rows[0]["score"] / _WORTH]


def _plain(text: str) -> str:
    """Without case, accents and variants of a letter, which databases know more or less about."""
    return unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text).lower()))


def tokens(text: str) -> str:
    """A text as it is kept for searching: words, and signs one by one."""
    return " ".join(_TOKEN.findall(_plain(text)))


def terms(text: str) -> list[str]:
    """The different words that somebody looks for."""
    return list(dict.fromkeys(_TERM.findall(_plain(text[:_LONGEST]))))[:_TERMS]


def _loose(asked: list[str]) -> list[str]:
    """Of a sentence, what says most: no very short words where there are longer ones, and signs two by two, as most words of them are."""
    pairs = [w[n : n + 2] for w in asked if _SIGN.match(w) for n in range(max(1, len(w) - 1))]
    return pairs[:_TERMS] + ([w for w in asked if len(w) > 3 and not _SIGN.match(w)] or [w for w in asked if not _SIGN.match(w)])


def _open(term: str) -> bool:
    """Whether longer words count as well: signs and very short words are meant as they are."""
    return len(term) > 2 and not _SIGN.match(term)


def excerpt(text: str, asked: str, length: int = 180) -> list[tuple[str, bool]]:
    """The place of a text where the words stand, in pieces: (text, whether it is one of them). Nothing is escaped: that is for the page to do."""
    signs, words = ([w for w in terms(asked) if bool(_SIGN.match(w)) is kind] for kind in (True, False))
    stems = tuple(w[: max(3, len(w) - 2)] for w in words)
    found = re.finditer("|".join([*signs, f"[^\\W_{_SIGNS}]+"]), text)
    starts = [m.span() for m in found if m[0] in signs or _plain(m[0]).startswith(stems)]
    begin = max(0, text.rfind(" ", 0, max(0, starts[0][0] - length // 4)) + 1) if starts and starts[0][0] > length // 2 else 0
    end = begin + length if begin + length >= len(text) else max(text.rfind(" ", begin + length // 2, begin + length), begin + length // 2)
    out, at = [("… ", False)] if begin else [], begin
    for first, last in starts:
        if first >= at and last <= end:
            out += [(text[at:first], False), (text[first:last], True)]
            at = last
    return [piece for piece in [*out, (text[at:end] + (" …" if end < len(text) else ""), False)] if piece[0]]


__all__ = ["FullText", "excerpt", "terms", "tokens"]
