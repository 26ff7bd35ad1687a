"""Search over documents of all kinds, in steps that an index serves as long as something is found. Reads only, permissions kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from newel.domain.context import Context
from newel.services.access import own_party
from newel.services.lists import HEADS, Head, head, visible
from newel.services.numbers import counted
from newel.services.record_read import containing, starting
from newel.store.session import Session

if TYPE_CHECKING:
    from newel.services.app import Newel

PARTIES = 20  # whose documents a search looks for
LATEST = 50_000  # documents that are looked through for a text in the middle of a number


async def search(newel: Newel, text: str, context: Context, kinds: Sequence[str] | None = None, size: int = 8) -> list[Head]:
    """Documents whose number or reference starts with the text, or whose number ends in it where it is one, then those whose party is called so.

    Only where there are none are the LATEST documents looked through for a number or reference with the text somewhere in it: the lists, which search
    all, are for the others.
    """
    text = text.strip()[:100]
    allowed = [k for k in visible(newel, context) if kinds is None or k in kinds]
    if not text or not allowed:
        return []
    out: dict[int, Head] = {}
    async with newel.database.read() as session:
        start, start_args = starting(session, ["number", "reference"], text)
        (mine, mine_args), of = own_party(context), "+company" if session.sqlite else "company"  # else SQLite without statistics reads all documents

        def last(condition: str, args: list[Any], order: str = "id") -> tuple[str, list[Any]]:
            sql = f"SELECT * FROM (SELECT id FROM document WHERE {of} = ? AND kind = ANY(?) AND {mine} AND {condition} ORDER BY {order} DESC LIMIT ?) x"
            return sql, [context.company.id, allowed, *mine_args, *args, size]

        async def take(sql: str, args: list[Any]) -> None:
            rows = await session.fetch(
                f"SELECT {HEADS} FROM document d LEFT JOIN party p ON p.id = d.party WHERE d.id IN ({sql}) ORDER BY d.id DESC LIMIT ?", *args, size
            )
            for r in rows:
                out.setdefault(r["id"], head(r))

        await take(*last(start, start_args, "+id"))  # found by its own index and then sorted, and not by walking through all
        if text.isdecimal() and len(text) < 12 and (numbers := await counted(session, context.company.id, allowed, int(text))):
            await take(*last("number = ANY(?)", [numbers], "+id"))
        if len(out) < size and (called := await _called(session, text, anywhere=not out)):
            each = [last("party = ?", [id]) for id in called]  # the last ones of each, by an index that has them in this order
            await take(" UNION ALL ".join(sql for sql, _ in each), [a for _, args in each for a in args])
        if not out:
            anywhere, words = containing(["number", "reference"], text)
            latest = "id > COALESCE((SELECT id FROM document WHERE company = ? ORDER BY id DESC LIMIT 1 OFFSET ?), 0)"  # one value: a join may read all
            await take(*last(f"{latest} AND {anywhere}", [context.company.id, LATEST, *words]))
    return list(out.values())[:size]


async def _called(session: Session, text: str, *, anywhere: bool) -> list[int]:
    """Parties whose number or name starts with the text, else (anywhere) those with the text somewhere in them, else with one slip in it."""
    ways = [starting(session, ["number", "name"], text), containing(["number", "name"], text)]
    if anywhere and 3 < len(text) < 40:
        ways.append(_misspelt(session, text))
    for way, words in ways if anywhere else ways[:1]:
        if found := await session.fetch(f"SELECT id FROM party WHERE {way} ORDER BY number LIMIT {PARTIES}", *words):
            return [r["id"] for r in found]
    return []


def _misspelt(session: Session, text: str) -> tuple[str, list[Any]]:
    """Condition: the name starts with the text but for one letter that is missing, wrong, too many or swapped with the next; the first two are right."""
    low, slips = text.lower(), set[str]()
    for i in range(2, len(low)):
        slips |= {low[:i] + "_" + low[i + 1 :], low[:i] + "_" + low[i:], low[:i] + low[i + 1 :], low[:i] + low[i + 1 : i + 2] + low[i] + low[i + 2 :]}
    start, words = starting(session, ["name"], text[:2])
    return f"{start} AND ({' OR '.join(['LOWER(name) LIKE ?'] * len(slips))})", [*words, *(slip + "%" for slip in sorted(slips))]
