"""Prints on one screen: a page for printing in place of the kernel's, a box with what was printed, layouts, and entries of timelines."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Box, Manifest, MenuItem

from newel_prints.keep import as_file, happenings
from newel_prints.tables import LAYOUT, TABLES


@hookimpl
def register_plugin() -> Manifest:
    """Documents on paper, kept as they were printed."""
    return Manifest(
        name="prints", label="Prints", locale="newel_prints:locale",
        piccolo_app="newel_prints.piccolo_app", tables=TABLES, records=(LAYOUT,),
        routes="newel_prints.routes:handlers", templates="newel_prints:templates", happenings=happenings, prints=as_file,
        boxes=(Box(title="Print", on="document.print", url="/prints/of/{id}"), Box(title="Prints", on="document", url="/prints/on/{id}")),
        menu=(MenuItem(label="Layouts of prints", path="/prints/layouts", section="Administration", permission="prints.layout.view"),),
    )  # fmt: skip
