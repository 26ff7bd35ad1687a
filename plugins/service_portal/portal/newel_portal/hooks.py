"""The portal on one screen: one place for customers and repair points, made of whatever is installed; it names no plugin."""

from __future__ import annotations

from typing import Any

from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem

from newel_portal.rules import ACCEPT, USE, PortalSettings
from newel_portal.send import invite


async def demo(kit: Any) -> None:
    """A login for one customer of the demonstration company. kit: the DemoKit of newel-demo."""
    customer = await kit.app.records.find("newel.party", kit.customers[0], kit.context())
    if customer is not None:
        await invite(kit.app, customer, "customer", "Carla Fink", kit.password, kit.context())


@hookimpl
def register_plugin() -> Manifest:
    """Pages, and where users start who stand for a party."""
    return Manifest(
        name="portal", label="Portal", locale="newel_portal:locale", needs=("attachments",), settings=PortalSettings, routes="newel_portal.routes:handlers",
        templates="newel_portal:templates", demo=demo,
        permissions=((USE, "work in the portal, for a customer or repair point"), (ACCEPT, "accept offers in the portal")),
        menu=(MenuItem(label="Portal", path="/portal", section="Service", permission=USE, home=True),),
    )  # fmt: skip
