"""The timeline on one screen: in place of the history of documents and records, notices in the head of each page, and what open pages watch."""

from __future__ import annotations

from newel.domain.context import Context
from newel.happenings import Watch
from newel.hookspecs import hookimpl
from newel.manifest import Box, Manifest
from newel.services.app import Newel
from newel.store.session import Session

from newel_timeline import facts
from newel_timeline.tables import TABLES

URL = "/timeline/of/{kind}/{id}"


async def marks(session: Session, keys: list[str]) -> dict[str, str]:
    """How many notices these users have not read."""
    found = await facts.unread(session, [int(k) for k in keys])
    return {k: str(found.get(int(k), 0)) for k in keys}


async def allowed(_newel: Newel, keys: list[str], context: Context) -> list[str]:
    """Everybody watches their own notices."""
    return [k for k in keys if k == str(context.user.id)]


@hookimpl
def register_plugin() -> Manifest:
    """Two tables, three boxes."""
    return Manifest(
        name="timeline", label="Timeline", locale="newel_timeline:locale", piccolo_app="newel_timeline.piccolo_app", tables=TABLES,
        routes="newel_timeline.routes:handlers", templates="newel_timeline:templates", scripts=("timeline/timeline.js",),
        boxes=(
            Box(title="Timeline", on="document.history", url=URL),
            Box(title="Timeline", on="record.history", url=URL),
            Box(title="Notices", on="head", url="/timeline/notices"),
        ),
        watches=(Watch(topic="timeline.notices", marks=marks, allowed=allowed),),
    )  # fmt: skip
