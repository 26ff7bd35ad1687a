"""Knowledge on one screen: articles are written, reviewed and published, found by full text, and offered beside a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.facts import Facts
from newel.hookspecs import asked, hookimpl
from newel.manifest import Box, Manifest, MenuItem, Panel
from newel.store.session import Session

from newel_knowledge import rules
from newel_knowledge.decide import step
from newel_knowledge.facts import REPORTS, around
from newel_knowledge.rules import KIND, PUBLISH, READ, Articles, KnowledgeSettings
from newel_knowledge.tables import RECORDS, TABLES


async def demo(kit: Any) -> None:
    """The articles of demo.toml are reviewed and published by somebody who has not written them. kit: the DemoKit of newel-demo."""
    for row in (await kit.app.records.page(KIND, kit.context())).rows:
        await step(kit.app, row["id"], "submit", kit.context())
        await step(kit.app, row["id"], "publish", kit.app.system(kit.company))


@hookimpl
def register_plugin() -> Manifest:
    """Articles with versions, and the pages to write, review and read them (SRV-11)."""
    return Manifest(
        name="knowledge", label="Knowledge", locale="newel_knowledge:locale", piccolo_app="newel_knowledge.piccolo_app", tables=TABLES,
        records=RECORDS, reports=REPORTS, settings=KnowledgeSettings, demo_data="newel_knowledge:demo.toml", demo=demo,
        routes="newel_knowledge.routes:handlers",
        templates="newel_knowledge:templates",
        permissions=((READ, "read articles of one's audience"), (PUBLISH, "review, publish and retire articles")),
        menu=(MenuItem(label="Knowledge", path="/knowledge", section="Service", permission=READ),),
        boxes=(Box(title="This may help", on="portal.new", url="/knowledge/suggest", permission=READ, shared=True),),
    )  # fmt: skip


@hookimpl
@asked("request")
async def load_facts(document: Document, session: Session, context: Context) -> Any:
    """Articles around a request, for its page and its form; nothing while it is saved."""
    return await around(document, session, context)


@hookimpl
@asked(facts=Articles)
def propose_panels(document: Document, facts: Facts, context: Context) -> Sequence[Panel]:
    """What was used, and what may help."""
    return rules.panels(facts[Articles], document.id if document.version else 0)
