"""Cells on one screen: what lists get, and the forms behind it."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest


@hookimpl
def register_plugin() -> Manifest:
    """Fields of records changed in the list where they stand."""
    return Manifest(
        name="cells", label="Cells", locale="newel_cells:locale", routes="newel_cells.routes:handlers", lists="newel_cells.arrange:arrange",
        templates="newel_cells:templates", scripts=("cells/cells.js",),
    )  # fmt: skip
