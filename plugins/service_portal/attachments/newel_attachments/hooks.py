"""Files on one screen: on every document and every record, checked by their content, kept in the database."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Box, Manifest

from newel_attachments.keep import ADD, MANAGE, happenings
from newel_attachments.rules import AttachmentsSettings
from newel_attachments.tables import TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Two tables, and a box on the page of each document and record."""
    return Manifest(
        name="attachments", label="Attachments", locale="newel_attachments:locale",
        piccolo_app="newel_attachments.piccolo_app", tables=TABLES, settings=AttachmentsSettings,
        routes="newel_attachments.routes:handlers", templates="newel_attachments:templates", happenings=happenings,
        permissions=((ADD, "attach files to what one may see"), (MANAGE, "share files with parties, and remove those of others")),
        boxes=tuple(Box(title="Files", on=on, url="/attachments/of/{kind}/{id}", shared=True) for on in ("document", "record")),
    )  # fmt: skip
