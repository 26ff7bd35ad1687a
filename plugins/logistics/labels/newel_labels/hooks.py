"""Labels on one screen: two addresses, and links to them on documents."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Box, Manifest, MenuItem

from newel_labels.rules import LabelsSettings


@hookimpl
def register_plugin() -> Manifest:
    """Labels; nothing is stored."""
    return Manifest(
        name="labels", label="Labels", settings=LabelsSettings, locale="newel_labels:locale",
        routes="newel_labels.routes:handlers", templates="newel_labels:templates",
        boxes=(Box(title="Labels", on="document", url="/labels/of/{id}", permission="newel.item.view"),),
        menu=(MenuItem(label="Labels", path="/labels", section="Stock", permission="newel.item.view"),),
    )  # fmt: skip
