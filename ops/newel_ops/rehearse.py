"""Upgrade rehearsal (NEW-04): what the installed plugins would make of the company's data.

Copy the data, migrate the copy, recompute every invariant, replay the last documents by today's rules, name every amount that differs. The company's own
database is only read.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from newel.config import Config
from newel.domain.document import Document
from newel.errors import NewelError, Refused
from newel.services.app import Newel
from newel.services.entered import as_input
from newel.services.verify import verify
from newel.store.master import load_master
from newel.store.session import Session

from newel_ops.databases import Tell, fill, installed_apps, moment, opened

LAST = 200


class Amounts(msgspec.Struct, frozen=True, kw_only=True):
    """What a document came to, in its own currency, and its price steps: line position -> (plugin, rule, amount after it)."""

    net: Decimal
    tax: Decimal
    gross: Decimal
    steps: dict[str, list[tuple[str, str, Decimal]]]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A document that came to something else, or could not be replayed. because: the first price step that differs, or what went wrong."""

    document: str
    what: str
    before: str
    after: str
    because: str


class Rehearsal(msgspec.Struct, frozen=True, kw_only=True):
    """What an upgrade would do.

    Args:
        migrations: that ran on the copy. off: plugins that do not run with it, and why; "disabled" ones are left out.
        findings: invariants that do not hold on the copy afterwards.
        replayed: documents. amounts: what they come to now, by document id; kept with --save, it is what a later rehearsal compares with.
    """

    migrations: list[str]
    off: list[str]
    findings: list[str]
    replayed: int
    differences: list[Difference]
    amounts: dict[str, Amounts]

    @property
    def clean(self) -> bool:
        """Nothing that somebody would have to accept."""
        return not (self.off or self.findings or self.differences)


async def rehearse(
    config: Config, last: int = LAST, *, baseline: Mapping[str, Amounts] | None = None, modules: dict[str, Any] | None = None,
    apps: dict[str, Any] | None = None, tell: Tell | None = None,
) -> Rehearsal:  # fmt: skip
    """Rehearse an upgrade: install the new packages, in another environment or before the server is started again, and call this.

    Args:
        last: how many documents are replayed, latest first; every one that has prices counts.
        baseline: amounts of an earlier rehearsal by document id; without it, what is stored.
        modules, apps: plugins and migration apps instead of the installed ones (tests).
    """
    with tempfile.TemporaryDirectory(prefix="newel-rehearse-") as folder:
        scratch = f"sqlite:///{Path(folder) / 'scratch.db'}"
        options = {k: v for k, v in config.engine.items() if config.database.startswith("sqlite")}
        async with opened(config.database, **options) as old, opened(scratch) as new, moment(old) as now:
            await fill(new, now, apps or installed_apps(), tell)
        app = Newel(msgspec.structs.replace(config, database=scratch, engine={"synchronous": "OFF"}), modules)
        ran = await app.start()
        try:
            findings = [f"{f.check}: {f.where}: {f.message}" for f in await verify(app)]
            await _reopen(app)
            stored, replayed, failed = await _replay(app, last, tell)
        finally:
            await app.close()
    compare = stored if baseline is None else {id: baseline[id] for id in stored if id in baseline}
    names = {id: name for id, (name, _) in replayed.items()}
    differences = [d for id, before in compare.items() if id in replayed for d in _differences(names[id], before, replayed[id][1])]
    return Rehearsal(
        migrations=[f"{plugin} {name}" for plugin, name in ran], off=[f"{o.name}: {o.reason}" for o in app.off if "disabled" not in o.reason],
        findings=findings, replayed=len(stored), differences=[*failed, *differences], amounts={id: amounts for id, (_, amounts) in replayed.items()},
    )  # fmt: skip


async def _reopen(app: Newel) -> None:
    """On the copy every document is a draft again: plugins that stop deciding once it is confirmed decide as they did."""
    async with app.database.write() as session:
        for kind in app.registry.documents.values():
            await session.fetch("UPDATE document SET state = ?, phase = ? WHERE kind = ?", kind.initial.name, kind.initial.phase, kind.name)


async def _replay(app: Newel, last: int, tell: Tell | None) -> tuple[dict[str, Amounts], dict[str, tuple[str, Amounts]], list[Difference]]:
    """(what is stored, what comes out now with the document's name, what could not be replayed), by document id."""
    priced = sorted(k.name for k in app.registry.documents.values() if k.priced)
    stored: dict[str, Amounts] = {}
    replayed: dict[str, tuple[str, Amounts]] = {}
    failed: list[Difference] = []
    async with app.database.read() as session:
        companies = (await load_master(session)).companies
        rows = await session.fetch("SELECT id, company FROM document WHERE kind = ANY(?) ORDER BY id DESC LIMIT ?", priced, last)
        for n, row in enumerate(rows):
            context = app.system(companies[row["company"]])
            document = await app.documents.get(row["id"], context, session)
            name = f"{document.kind} {document.number or document.id}"
            stored[str(document.id)] = _amounts(document)
            try:
                replayed[str(document.id)] = (name, _amounts(await _replayed(app, session, document)))
            except (NewelError, AssertionError) as error:
                failed.append(Difference(document=name, what="replay", before=f"{document.gross}", after="", because=_words(error)))
            if tell:
                tell("replay", n + 1)
    return stored, replayed, failed


async def _replayed(app: Newel, session: Session, document: Document) -> Document:
    """The document as the rules would make it now, from what was entered, on its own day."""
    company = (await load_master(session)).companies[document.company]
    context = app.system(company, today=document.date)
    return (await app.documents.preview(document.kind, as_input(document), context, id=document.id, session=session)).document


def _amounts(document: Document) -> Amounts:
    steps = {str(line.position): [(s.plugin, s.rule, s.amount_out) for s in line.steps] for line in document.lines}
    return Amounts(net=document.net, tax=document.tax, gross=document.gross, steps=steps)


def _differences(name: str, before: Amounts, after: Amounts) -> Sequence[Difference]:
    changed = [(what, getattr(before, what), getattr(after, what)) for what in ("net", "tax", "gross")]
    because = _because(before, after)
    return [Difference(document=name, what=what, before=f"{old}", after=f"{new}", because=because) for what, old, new in changed if old != new]


def _because(before: Amounts, after: Amounts) -> str:
    """The first price step that differs, named by plugin and rule."""
    for position in sorted({*before.steps, *after.steps}, key=int):
        old, new = before.steps.get(position, []), after.steps.get(position, [])
        for i in range(max(len(old), len(new))):
            a, b = (steps[i] if i < len(steps) else None for steps in (old, new))
            if a != b:
                was, now = (f"{s[0]} {s[1]}: {s[2]}" if s else "nothing" for s in (a, b))
                return f"line {position}: {was}, now {now}"
    return "tax"


def _words(error: Exception) -> str:
    return "; ".join(p.message for p in error.problems) if isinstance(error, Refused) else str(error)
