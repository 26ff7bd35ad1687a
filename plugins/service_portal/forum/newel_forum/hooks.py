"""The forum on one screen: boards for an audience, threads, posts and accepted answers."""

from __future__ import annotations

from typing import Any

from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem

from newel_forum.answer import accept, ask, reply
from newel_forum.rules import MODERATE, READ, WRITE, ForumSettings
from newel_forum.tables import RECORDS, TABLES


async def demo(kit: Any) -> None:
    """A question of the demonstration company, with its answer. kit: the DemoKit of newel-demo."""
    board = await kit.app.records.find("forum.board", "WORKSHOP", kit.context())
    if board is not None:
        text = "The manual of the press says *lithium*, the tube says calcium. Which one is right?"
        thread = await ask(kit.app, board, "Which grease for the press?", text, kit.context())
        await accept(kit.app, await reply(kit.app, thread, "Lithium, NLGI 2, every 2,000 hours.", kit.app.system(kit.company)), kit.context())


@hookimpl
def register_plugin() -> Manifest:
    """Boards with their pages (SRV-12)."""
    return Manifest(
        name="forum", label="Forum", piccolo_app="newel_forum.piccolo_app", tables=TABLES, records=RECORDS, settings=ForumSettings,
        demo_data="newel_forum:demo.toml", demo=demo, routes="newel_forum.routes:handlers", templates="newel_forum:templates",
        locale="newel_forum:locale",
        permissions=((READ, "read the boards of one's audience"), (WRITE, "ask and answer"), (MODERATE, "pin, close and hide what others write")),
        menu=(MenuItem(label="Forum", path="/forum", section="Service", permission=READ),),
    )  # fmt: skip
