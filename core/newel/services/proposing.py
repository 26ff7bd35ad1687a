"""Lines that plugins propose: parts of a kit, options of a configuration, gifts; and the parts of parts, when another plugin knows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.document import Document, Line, LineInput
from newel.domain.facts import Facts
from newel.domain.kinds import DocumentKind
from newel.domain.stock import StockFacts
from newel.errors import PluginFailed, Problem, Severity
from newel.services.resolve import Resolver
from newel.watchdog import rules_limit

if TYPE_CHECKING:
    from newel.services.planning import Planner

LEVELS = 3
Children = list[tuple[str, LineInput]]


class Proposing:
    """One save of one document."""

    def __init__(self, planner: Planner, kind: DocumentKind, resolver: Resolver, before: Document | None) -> None:
        self.planner, self.kind, self.resolver = planner, kind, resolver
        self.stored = _stored(before) if before else {}
        self.roots: dict[int, Line] = {}
        self.used: set[tuple[int, str]] = set()

    async def run(self, document: Document, facts: Facts) -> tuple[Document, Facts]:
        """Add the lines, and load facts again where there are any: the new lines need theirs."""
        self.roots = {line.id: line for line in document.lines}
        fresh: Sequence[Line] = [line for line in document.lines if not line.key and not line.sources]
        for _level in range(LEVELS):
            children = self._asked(document, fresh, facts)
            if not children:
                break
            document, fresh = await self._with(document, children)
            facts = await self.planner.facts(document, frozenset(), stock=facts.get(StockFacts) is not None)
        return document, facts

    def unknown(self, document: Document) -> list[Problem]:
        """What was entered for parts that nobody proposes."""
        return [
            Problem(
                code="part.unknown", severity=Severity.NOTE, where=f"lines[{i}].parts.{key}", message=f"{line.text} has no part {key!r:.80}",
                hint="look at the keys of its parts",
            )
            for i, line in enumerate(document.lines)
            for key in line.parts or {}
            if (line.id, key) not in self.used
        ]  # fmt: skip

    def _asked(self, document: Document, lines: Sequence[Line], facts: Facts) -> dict[int, Children]:
        """What plugins propose for these lines; never for a line in what it has proposed itself, so that it ends."""
        planner, out = self.planner, {}
        with rules_limit(len(lines)):
            for line in lines:
                found: Children = []
                for plugin, pair in planner.plugins.propose("propose_lines", tuple, document=document, line=line, facts=facts, context=planner.context):
                    if len(pair) != 2 or not isinstance(pair[0], str) or not isinstance(pair[1], LineInput):
                        raise PluginFailed(plugin, "propose_lines", f"must return pairs of (key, LineInput), got {pair!r:.80}")
                    if plugin not in {part.partition(":")[0] for part in line.key.split("@")}:
                        found.append((f"{plugin}:{pair[0]}" + (f"@{line.key}" if line.key else ""), pair[1]))
                if found:
                    out[line.id] = sorted(found, key=lambda pair: pair[0])
        return out

    async def _with(self, document: Document, children: dict[int, Children]) -> tuple[Document, list[Line]]:
        """The document with these lines below theirs, all of them resolved at once; and the new lines."""
        asked = [(line, key, x) for line in document.lines for key, x in children.get(line.id, ())]
        entered = [self._entered(self.roots[line.id], key, x) for line, key, x in asked]
        made = await self.resolver.lines(self.kind, document, entered, parents=[line for line, _, _ in asked], keys=[key for _, key, _ in asked])
        below: dict[int, list[Line]] = {}
        for (line, key, _), m in zip(asked, made, strict=True):
            root = self.roots[line.id]
            stored = self.stored.get((root.id, key))
            below.setdefault(line.id, []).append(msgspec.structs.replace(m, id=stored.id) if stored else m)
        out: list[Line] = []
        fresh: list[Line] = []
        for line in document.lines:
            by_key = {m.key: m.id for m in below.get(line.id, ())}
            found = [msgspec.structs.replace(m, parent=by_key.get(_above(m.key), line.id)) for m in below.get(line.id, ())]
            self.roots |= {m.id: self.roots[line.id] for m in found}
            out += [line, *found]
            fresh += found
        out = [msgspec.structs.replace(line, position=(i + 1) * 10) for i, line in enumerate(out)]
        return msgspec.structs.replace(document, lines=tuple(out)), fresh

    def _entered(self, root: Line, key: str, proposed: LineInput) -> LineInput:
        """A proposed line with what somebody has entered for it: now, or when it was saved before."""
        owner, was = key.partition(":")[0], self.stored.get((root.id, key))
        data: dict[str, Any] = {}
        if root.parts is not None:
            data = root.parts.get(key, {})
            self.used.add((root.id, key))
        elif was is not None:
            data = {plugin: values for plugin, values in was.data.items() if plugin != owner}
        return msgspec.structs.replace(proposed, data={**proposed.data, **data}) if data else proposed


def _above(key: str) -> str:
    """The key of what a line is a part of: "a/b" is a part of "a"."""
    own, at, rest = key.partition("@")
    return own.rpartition("/")[0] + at + rest


def _stored(before: Document) -> dict[tuple[int, str], Line]:
    """Lines that plugins proposed, by the line that a user entered and by key: they keep their identity."""
    by_id = {line.id: line for line in before.lines}
    out = {}
    for line in before.lines:
        root = line
        while root.key and root.parent in by_id:
            root = by_id[root.parent]
        if line.key:
            out[(root.id, line.key)] = line
    return out
