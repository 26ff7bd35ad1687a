"""Views on one screen: what lists are arranged with, and the pages behind it."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest

from newel_views.rules import SHARE
from newel_views.tables import TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Saved views and columns for every list of documents and records."""
    return Manifest(
        name="views", label="Views", locale="newel_views:locale", piccolo_app="newel_views.piccolo_app", tables=TABLES,
        routes="newel_views.routes:handlers", lists="newel_views.arrange:arrange", templates="newel_views:templates", scripts=("views/views.js",),
        permissions=((SHARE, "share views of lists with roles and with everybody"),),
    )  # fmt: skip
