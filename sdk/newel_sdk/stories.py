"""Stories: what a business would tell, with its figures, run as a test on both databases.

A story is a file `story_*.md`. Sentences that begin with Given, When, Then or And and have the form of a step are carried out, in order; all
other text is for the reader. A table after a step belongs to it. What stands in `backquotes` is a name. The steps are listed in docs/plugins.md.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal, InvalidOperation
from types import ModuleType
from typing import Any

import msgspec
import pytest
from newel.domain.document import Document, LineInput
from newel.errors import Refused
from newel.store.columns import QUANTITY, unscaled

from newel_sdk.kit import Kit, kit_on

Row = dict[str, str]
START = re.compile(r"^(?:Given|When|Then|And)\b")
PLUGINS = re.compile(r"the plugins? (.+)")


class Step(msgspec.Struct, frozen=True):
    """A sentence with its table, and the line where it stands."""

    text: str
    line: int
    rows: tuple[Row, ...] = ()

    @property
    def form(self) -> str:
        """The sentence without Given, When, Then or And."""
        return re.sub(r"^\w+\s+", "", self.text)

    @property
    def columns(self) -> tuple[str, ...]:
        """Of its table."""
        return tuple(self.rows[0]) if self.rows else ()


class StoryError(AssertionError):
    """A step that can't be understood, or that came out otherwise; names file and line."""


def steps(text: str) -> list[Step]:
    """The steps of a story."""
    found: list[Step] = []
    table: list[list[str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("|") and found:
            cells = [c.strip().strip("`") for c in line.strip().strip("|").split("|")]
            if not all(re.fullmatch(r":?-+:?", c) for c in cells):
                table.append(cells)
            continue
        if table:
            found[-1] = _with(found[-1], table)
            table = []
        if START.match(line):
            found.append(Step(line.strip().rstrip(".:"), number))
    return [*found[:-1], _with(found[-1], table)] if table else found


def _with(step: Step, table: list[list[str]]) -> Step:
    head, *body = table
    return Step(step.text, step.line, tuple(dict(zip(head, row, strict=True)) for row in body))


class Teller:
    """Carries out the steps of one story."""

    def __init__(self, kit: Kit) -> None:
        self.kit = kit
        self.it: Document | None = None
        self.refused: Refused | None = None
        self.named: dict[str, Document] = {}

    async def tell(self, step: Step) -> None:
        """Carry out one step.

        Raises:
            StoryError: no step has this form.
        """
        for pattern, method in STEPS:
            if match := re.fullmatch(pattern, step.form):
                await method(self, step, *match.groups())
                return
        forms = "\n".join(f"  {pattern}" for pattern, _ in STEPS)
        raise StoryError(f"no step has the form of {step.form!r}; the forms are\n{forms}")

    @property
    def document(self) -> Document:
        """The document that is spoken of."""
        if self.refused is not None:
            raise StoryError(f"it was refused: {self.refused}")
        if self.it is None:
            raise StoryError("no document has been made yet")
        return self.it

    async def attempt(self, action: Awaitable[Any]) -> None:
        """Do it; a refusal is kept for the next step."""
        self.refused = None
        try:
            self.it = (await action).document
        except Refused as refused:
            self.refused = refused

    # ---- given -----------------------------------------------------------------------------------------------------------------

    async def items(self, step: Step) -> None:
        for row in step.rows:
            stock = row.pop("stock", "")
            cost = row.get("cost", "0")
            number = row.pop("item")
            await self.kit.item(number, **_entered(row))
            if stock:
                await self.kit.stock(number, _plain(stock), Decimal(_plain(stock)) * Decimal(_plain(cost)))

    async def parties(self, step: Step) -> None:
        for row in step.rows:
            await self.kit.party(row.pop("party"), **_entered(row))

    async def records(self, step: Step, kind: str) -> None:
        for row in step.rows:
            await self.kit.record(kind, **_entered(row))

    async def later(self, _step: Step, days: str) -> None:
        self.kit.clock.advance(days=int(days))

    # ---- when ------------------------------------------------------------------------------------------------------------------

    async def make(self, step: Step, kind: str, who: str | None) -> None:
        lines = [_line(row) for row in step.rows]
        await self.attempt(self.kit.document(kind, who, *lines))

    async def act(self, _step: Step, transition: str) -> None:
        await self.attempt(self.kit.act(self.document.id, transition))

    async def follow(self, _step: Step, flow: str, then: str | None) -> None:
        await self.attempt(self.kit.follow(self.document.id, flow, then=[then] if then else []))

    async def name(self, _step: Step, name: str) -> None:
        self.named[name] = self.document

    async def recall(self, _step: Step, name: str) -> None:
        self.it = await self.kit.app.documents.get(self.named[name].id, self.kit.context)

    async def deliver(self, _step: Step) -> None:
        await self.kit.deliver()

    # ---- then ------------------------------------------------------------------------------------------------------------------

    async def has(self, step: Step) -> None:
        (row,) = step.rows
        document = await self.kit.app.documents.get(self.document.id, self.kit.context)
        _same([row], [{name: getattr(document, name) for name in row}])

    async def lines(self, step: Step) -> None:
        document = await self.kit.app.documents.get(self.document.id, self.kit.context)
        _same(list(step.rows), [{n: _of_line(line, n) for n in step.columns} for line in document.lines])

    async def postings(self, step: Step) -> None:
        found = await self.kit.rows(
            "SELECT p.role, p.debit, p.credit FROM posting p JOIN journal_entry e ON e.id = p.entry WHERE e.document = ? ORDER BY p.role", self.document.id
        )
        got = [{"role": r["role"], "debit": unscaled(r["debit"], 4), "credit": unscaled(r["credit"], 4)} for r in found]
        _same(sorted(step.rows, key=lambda r: r["role"]), got)

    async def on_hand(self, _step: Step, item: str, quantity: str) -> None:
        rows = await self.kit.rows(
            "SELECT b.quantity FROM stock_balance b JOIN item i ON i.id = b.item JOIN location l ON l.id = b.location "
            "WHERE i.number = ? AND l.kind = 'storage'",
            item,
        )
        _same([{"quantity": quantity}], [{"quantity": sum((unscaled(r["quantity"], QUANTITY) for r in rows), Decimal(0))}])

    async def refusal(self, _step: Step, code: str) -> None:
        if self.refused is None:
            raise StoryError(f"expected to be refused with {code}, and it was done")
        _same([{"problem": code}], [{"problem": p.code} for p in self.refused.problems if p.code == code] or [{"problem": str(self.refused)}])
        self.refused = None

    async def count(self, step: Step, kind: str) -> None:
        page = await self.kit.app.records.page(kind, self.kit.context, size=200)
        _same(list(step.rows), [{n: row.get(f"{n}__title", row.get(n)) for n in step.columns} for row in page.rows])


NAME = r"`([^`]+)`"
STEPS: tuple[tuple[str, Callable[..., Awaitable[None]]], ...] = (
    (r"(?:these|the) items?", Teller.items),
    (r"(?:these|the) (?:parties|party|customers?|vendors?)", Teller.parties),
    (rf"(?:these|the) {NAME} records?", Teller.records),
    (r"(\d+) days? (?:go|goes) by", Teller.later),
    (rf"an? {NAME} is made(?: for {NAME})?", Teller.make),
    (rf"it goes through {NAME}", Teller.act),
    (rf"it is followed by {NAME}(?:,? then {NAME})?", Teller.follow),
    (rf"it is called {NAME}", Teller.name),
    (rf"we look at {NAME}", Teller.recall),
    (r"the worker has delivered", Teller.deliver),
    (r"it has", Teller.has),
    (r"its lines are", Teller.lines),
    (r"its postings are", Teller.postings),
    (rf"there are (-?[\d.]+) {NAME} in stock", lambda self, step, quantity, item: Teller.on_hand(self, step, item, quantity)),
    (rf"it is refused with {NAME}", Teller.refusal),
    (rf"the {NAME} records are", Teller.count),
)


def _plain(text: str) -> str:
    return text.replace(",", "")


def _entered(row: Row) -> dict[str, str]:
    """Cells as somebody would enter them; an empty one is left out."""
    return {name: value for name, value in row.items() if value}


def _line(row: Row) -> LineInput:
    values: dict[str, Any] = _entered(row)
    for name in ("quantity", "price", "discount"):
        if name in values:
            values[name] = Decimal(_plain(values[name]))
    return LineInput(**values)


def _of_line(line: Any, name: str) -> Any:
    return (line.item.number if line.item else "") if name == "item" else getattr(line, name)


def _same(expected: list[Row], got: list[dict[str, Any]]) -> None:
    """Compare tables cell by cell; numbers by value."""
    if len(expected) != len(got):
        raise StoryError(f"expected {len(expected)} rows, got {len(got)}: {got}")
    wrong = [
        f"row {n}, {name}: expected {want!r}, got {got[n - 1][name]!s}"
        for n, row in enumerate(expected, 1)
        for name, want in row.items()
        if not _equal(want, got[n - 1][name])
    ]
    if wrong:
        raise StoryError("; ".join(wrong))


def _equal(want: str, value: Any) -> bool:
    if value is None or value == "":
        return want == ""
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        try:
            return Decimal(_plain(want)) == value
        except InvalidOperation:
            return False
    return want == str(value)


async def tell(name: str, text: str, url: str) -> None:
    """Run a story on an empty database; the books must add up at its end.

    Args:
        name: of its file, for messages. url: of the database.

    Raises:
        StoryError: naming file, line and what came out otherwise.
    """
    found = steps(text)
    names = [m[1] for s in found if (m := PLUGINS.fullmatch(s.form))]
    chosen = re.findall(r"`?(\w+)`?", re.sub(r"\band\b", "", ",".join(names))) if names else None
    async with kit_on(url, chosen) as kit:
        teller = Teller(kit)
        for step in [s for s in found if not PLUGINS.fullmatch(s.form)]:
            try:
                await teller.tell(step)
            except (Refused, StoryError, KeyError, ValueError) as error:
                raise StoryError(f"{name}, line {step.line}: {step.text}\n{type(error).__name__}: {error}") from error
        if teller.refused is not None:
            raise StoryError(f"{name}: the last thing was refused: {teller.refused}")
        if findings := await kit.verify():
            raise StoryError(f"{name}: the books do not add up: {findings}")


class StoryFile(pytest.Module):
    """A story as a module with one test, which runs on both databases."""

    def _getobj(self) -> ModuleType:
        path = self.path

        def test_story(database_url: str) -> None:
            asyncio.run(tell(path.name, path.read_text("utf-8"), database_url))

        module = ModuleType(path.stem)
        module.test_story = test_story  # type: ignore[attr-defined]
        return module
