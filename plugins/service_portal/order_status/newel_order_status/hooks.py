"""Order status on one screen: one page and one operation over what the documents say already; nothing is kept twice."""

from __future__ import annotations

from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem


@hookimpl
def register_plugin() -> Manifest:
    """A page for customers and whoever sells to them (REP-06)."""
    return Manifest(
        name="order_status", label="Order status", locale="newel_order_status:locale",
        routes="newel_order_status.routes:handlers", templates="newel_order_status:templates",
        permissions=(("order_status.view", "see how far orders have come"),),
        menu=(MenuItem(label="State of orders", path="/order_status", section="Service", permission="order_status.view"),),
    )  # fmt: skip
