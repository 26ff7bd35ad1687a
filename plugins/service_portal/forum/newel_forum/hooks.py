"""The forum on one screen: boards for an audience, threads, posts and accepted answers."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem

from newel_forum.rules import MODERATE, READ, WRITE, ForumSettings
from newel_forum.tables import RECORDS, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Boards with their pages (SRV-12)."""
    return Manifest(
        name="forum", label="Forum", piccolo_app="newel_forum.piccolo_app", tables=TABLES, records=RECORDS, settings=ForumSettings,
        demo_data="newel_forum:demo.toml", routes="newel_forum.routes:handlers", templates="newel_forum:templates",
        permissions=((READ, "read the boards of one's audience"), (WRITE, "ask and answer"), (MODERATE, "pin, close and hide what others write")),
        menu=(MenuItem(label="Forum", path="/forum", section="Service", permission=READ),),
    )  # fmt: skip
