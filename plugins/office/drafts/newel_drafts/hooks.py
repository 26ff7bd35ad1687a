"""Drafts on one screen: a table, four addresses, a script in the forms, and a job that clears up."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Job, Manifest, MenuItem

from newel_drafts.facts import clear
from newel_drafts.tables import TABLES


@hookimpl
def register_plugin() -> Manifest:
    """What is typed into a form and not saved yet, kept on the server for whoever typed it."""
    return Manifest(
        name="drafts",
        label="Drafts",
        piccolo_app="newel_drafts.piccolo_app",
        tables=TABLES,
        routes="newel_drafts.routes:handlers",
        templates="newel_drafts:templates",
        scripts=("drafts/drafts.js",),
        locale="newel_drafts:locale",
        menu=(MenuItem(label="My drafts", path="/drafts", section=""),),
        jobs=(Job(name="drafts.clear", run=clear, every=86_400),),
    )
