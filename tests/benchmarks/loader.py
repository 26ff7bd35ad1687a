"""Years of business in minutes: what the use cases have made of a few orders is multiplied inside the database until the company has its size.

The copies are as good as the originals: every number, link, hash, balance and open item follows, and `newel verify` finds nothing. Customers
are multiplied as well, so that a larger company has more of them and not busier ones. Only for databases that may be thrown away: foreign keys
are not looked at while rows are written, and indexes are made anew afterwards.
"""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import asyncpg
from newel.domain.ledger import entry_hash
from newel.services.app import Newel
from newel.store.session import Database, day, instant

from tests.benchmarks.flow import Shop

# Tables with what refers to other rows of theirs or of each other; dates move, everything else is copied as it is.
REFERENCES = {
    "party": (), "address": ("party",), "document": ("party", "ship_to", "bill_to", "origin"),
    "document_line": ("document", "parent", "settles", "copied_from"), "line_link": ("from_document", "from_line", "to_document", "to_line"),
    "price_step": ("document", "line"), "tax_line": ("document",), "document_event": ("document",), "stock_move": ("document", "line"),
    "posting": ("entry", "party"), "open_item": ("document", "entry", "party"), "settlement": ("item", "document", "line", "entry"),
}  # fmt: skip
DATES = {"document": ("date", "date_due", "date_requested"), "stock_move": ("date",), "open_item": ("date", "date_due"), "settlement": ("at",)}
PARTIES = ("party", "address")
DAYS = 3650
ORDERS_PER_PARTY = 20
CHUNK = 2000


class Loader:
    """Rows of a range of ids, multiplied.

    Args:
        connection: a bare connection of sqlite3 or asyncpg.
        parties, documents: (id before the first, last id) of the customers and of the documents that are multiplied.
    """

    def __init__(self, connection: Any, parties: tuple[int, int], documents: tuple[int, int]) -> None:
        self.connection, self.parties, self.documents = connection, parties, documents
        self.sqlite = isinstance(connection, sqlite3.Connection)
        self.wide, self.party_wide = documents[1] - documents[0], parties[1] - parties[0]

    async def fetch(self, sql: str) -> list[dict[str, Any]]:
        """Rows as dicts."""
        if self.sqlite:
            cursor = self.connection.execute(sql)
            return [dict(zip([c[0] for c in cursor.description or ()], row, strict=True)) for row in cursor.fetchall()]
        return [dict(r) for r in await self.connection.fetch(sql)]

    async def load(self, copies: int, blocks: int) -> None:
        """So many copies of the documents, over so many blocks of customers."""
        await self._prepare(copies, blocks)
        await self.fetch("BEGIN")
        for table in PARTIES:
            await self._multiply(table, 1, blocks, copies, blocks)
        for start in range(1, copies + 1, CHUNK):
            for table in REFERENCES:
                if table not in PARTIES:
                    await self._multiply(table, start, min(start + CHUNK, copies + 1), copies, blocks)
        await self._entries(copies, blocks)
        await self._sums(copies)
        await self.fetch("COMMIT")
        await self._finish()

    # ---- before and after --------------------------------------------------------------------------------------------------------

    async def _prepare(self, copies: int, blocks: int) -> None:
        """Take the ids, and put indexes and foreign keys aside."""
        wanted = (copies + 1) * self.wide + blocks * self.party_wide
        tables = ", ".join(f"'{t}'" for t in (*REFERENCES, "journal_entry"))
        if self.sqlite:
            self.first = (await self.fetch("SELECT next FROM newel_id"))[0]["next"]
            await self.fetch(f"UPDATE newel_id SET next = next + {wanted + 1000}")
            await self.fetch("PRAGMA foreign_keys = 0")
            found = await self.fetch(f"SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ({tables})")
        else:
            self.first = (await self.fetch("SELECT nextval('newel_id') AS n"))[0]["n"] + 1000
            await self.fetch(f"SELECT setval('newel_id', {self.first + (wanted // 1000 + 1) * 1000})")
            await self.fetch("SET session_replication_role = replica")
            found = await self.fetch(
                "SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE schemaname = 'public' AND tablename IN "
                f"({tables}) AND indexname NOT IN (SELECT conname FROM pg_constraint)"
            )
        for index in found:
            await self.fetch(f'DROP INDEX "{index["name"]}"')
        self.indexes = [index["sql"] for index in found]

    async def _finish(self) -> None:
        for sql in self.indexes:
            await self.fetch(sql)
        await self.fetch("PRAGMA foreign_keys = 1" if self.sqlite else "SET session_replication_role = origin")
        await self.fetch("ANALYZE")

    # ---- rows --------------------------------------------------------------------------------------------------------------------

    def _moved(self, column: str, blocks: int) -> str:
        """The id that a column has in copy g: of a copied document, of a customer of the copy's block, or the same."""
        (low, high), (party_low, party_high) = self.documents, self.parties
        documents = f"{self.first} + (g - 1) * {self.wide} - {low} + {self.party_wide * blocks}"
        parties = f"(CASE WHEN g % {blocks} = 0 THEN 0 ELSE {self.first - party_low} + (g % {blocks} - 1) * {self.party_wide} END)"
        return (
            f'CASE WHEN "{column}" > {low} AND "{column}" <= {high} THEN "{column}" + {documents} '
            f'WHEN "{column}" > {party_low} AND "{column}" <= {party_high} THEN "{column}" + {parties} ELSE "{column}" END'
        )

    def _dated(self, column: str, copies: int) -> str:
        """A date that much earlier: the last copy is of today."""
        days = f"((g - {copies}) * {DAYS} / {copies})"
        return f"date(\"{column}\", {days} || ' days')" if self.sqlite else f'"{column}" + CAST({days} AS INTEGER)'

    def _number(self) -> str:
        """The next numbers of each kind's series, as the kernel writes them."""
        each = " ".join(f"WHEN '{kind}' THEN {n}" for kind, n in self.kinds.items())
        place = "instr(number, '-')" if self.sqlite else "strpos(number, '-')"
        n = f"(CAST(substr(number, {place} + 1) AS BIGINT) + g * CASE kind {each} END)"
        text = f"printf('%05d', {n})" if self.sqlite else f"CASE WHEN {n} > 99999 THEN CAST({n} AS TEXT) ELSE lpad(CAST({n} AS TEXT), 5, '0') END"
        return f"CASE WHEN number = '' THEN '' ELSE substr(number, 1, {place}) || {text} END"

    async def _multiply(self, table: str, start: int, end: int, copies: int, blocks: int) -> None:
        low, high = self.parties if table in PARTIES else self.documents
        if table == "document" and start == 1:
            rows = await self.fetch(f"SELECT kind, COUNT(*) AS n FROM document WHERE id > {low} AND id <= {high} AND number <> '' GROUP BY kind")
            self.kinds = {r["kind"]: r["n"] for r in rows}
        columns = list((await self.fetch(f'SELECT * FROM "{table}" LIMIT 1'))[0])
        own = {c: f'"{c}"' for c in columns}
        own |= {c: self._moved(c, blocks) for c in ("id", *REFERENCES[table])}
        own |= {c: self._dated(c, copies) for c in DATES.get(table, ())}
        if table == "document":
            own["number"] = self._number()
        if table == "party":
            own["number"] = "number || '-' || g"
        names = ", ".join(f'"{c}"' for c in columns)
        series = f"WITH RECURSIVE s(g) AS (SELECT {start} UNION ALL SELECT g + 1 FROM s WHERE g < {end - 1}) "
        if end > start:
            await self.fetch(
                f'{series}INSERT INTO "{table}" ({names}) SELECT {", ".join(own.values())} FROM s CROSS JOIN "{table}" WHERE id > {low} AND id <= {high}'
            )

    async def _entries(self, copies: int, blocks: int) -> None:
        """Entries go on the chain one after the other; their hashes can only be made in order."""
        (low, high), (party_low, _) = self.documents, self.parties
        entries = await self.fetch(f"SELECT * FROM journal_entry WHERE id > {low} AND id <= {high} ORDER BY number")
        postings: dict[int, list[dict[str, Any]]] = {}
        for p in await self.fetch(f"SELECT * FROM posting WHERE id > {low} AND id <= {high} ORDER BY id"):
            postings.setdefault(p["entry"], []).append(p)
        number, previous = entries[-1]["number"], entries[-1]["hash"]
        rows: list[tuple[Any, ...]] = []
        for g in range(1, copies + 1):
            by = self.first + (g - 1) * self.wide - low + self.party_wide * blocks
            party = 0 if g % blocks == 0 else self.first - party_low + (g % blocks - 1) * self.party_wide
            days = timedelta(days=int((g - copies) * DAYS / copies))
            for e in entries:
                number += 1
                when = (day(e["date"]) or date.min) + days
                own = [p | {"party": p["party"] + party if p["party"] else None} for p in postings[e["id"]]]
                changed = e | {"id": e["id"] + by, "number": number, "date": when, "document": e["document"] + by}
                previous = entry_hash(previous, changed | {"created_at": instant(e["created_at"])}, own)
                rows.append(tuple((changed | {"date": when.isoformat() if self.sqlite else when, "hash": previous}).values()))
            if len(rows) > 100_000:
                await self._write("journal_entry", list(entries[0]), rows)
                rows = []
        await self._write("journal_entry", list(entries[0]), rows)
        await self.fetch(f"UPDATE ledger_chain SET number = {number}, hash = '{previous}' WHERE company = {entries[0]['company']}")

    async def _write(self, table: str, columns: Sequence[str], rows: list[tuple[Any, ...]]) -> None:
        if self.sqlite:
            self.connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})", rows)
        else:
            await self.connection.copy_records_to_table(table, columns=columns, records=rows)

    async def _sums(self, copies: int) -> None:
        """What is kept beside the rows: numbers drawn, and what lies where."""
        low, high = self.documents
        for kind, n in self.kinds.items():
            await self.fetch(f"UPDATE number_series SET next = next + {n * copies} WHERE kind = '{kind}'")
        moved: Counter[tuple[int, int]] = Counter()
        worth: Counter[tuple[int, int]] = Counter()
        for m in await self.fetch(f"SELECT item, source, target, quantity, value FROM stock_move WHERE id > {low} AND id <= {high}"):
            for place, sign in ((m["target"], copies), (m["source"], -copies)):
                moved[(m["item"], place)] += sign * m["quantity"]
                worth[(m["item"], place)] += sign * m["value"]
        for (item, place), quantity in moved.items():
            value = worth[(item, place)]
            await self.fetch(f"UPDATE stock_balance SET quantity = quantity + {quantity}, value = value + {value} WHERE item = {item} AND location = {place}")


async def grow(app: Newel, parties: tuple[int, int], documents: tuple[int, int], orders: int, copies: int) -> None:
    """Multiply the orders of a range of ids so many times.

    Args:
        parties, documents: as for Loader; everything with an id in them belongs to the customers or to the documents.
        orders: how many orders there are in the range, which decides how many customers are made.
    """
    connection: Any
    if app.database.sqlite:
        connection = sqlite3.connect(app.database.url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
    else:
        connection = await asyncpg.connect(app.database.url)
    loader = Loader(connection, parties, documents)
    customers = (await loader.fetch(f"SELECT COUNT(*) AS n FROM party WHERE id > {parties[0]} AND id <= {parties[1]}"))[0]["n"]
    await loader.load(copies, max(orders * copies // (ORDERS_PER_PARTY * customers), 1))
    connection.close() if app.database.sqlite else await connection.close()
    app.database.ids.drop()


async def multiplied(one: Shop, orders: int, copies: int) -> float:
    """Sell so many orders, and multiply them and the shop's customers; returns the seconds that the multiplying took."""
    database = one.app.database
    async with database.read() as session:
        low = await session.value("SELECT MIN(id) AS n FROM party WHERE number = 'C0'") - 1
        high = max([await session.value(f"SELECT MAX(id) AS n FROM {table}") for table in PARTIES])
    before = await _mark(database)
    await one.sold(orders)
    after, at = await _mark(database), time.perf_counter()
    await grow(one.app, (low, high), (before, after), orders, copies)
    return time.perf_counter() - at


async def _mark(database: Database) -> int:
    """An id between those of what was made before and after."""
    async with database.write() as session:
        await session.need(1)
        return session.id()
