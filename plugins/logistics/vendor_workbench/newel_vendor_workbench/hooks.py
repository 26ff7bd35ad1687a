"""The vendor workbench on one screen: vendors see their orders, confirm dates and ship, with a login of their own and no paper (DRP-03)."""

from __future__ import annotations

from typing import Any

from newel.domain.kinds import DocumentKind, Flow, State, Transition
from newel.hookspecs import hookimpl
from newel.manifest import Manifest, MenuItem

from newel_vendor_workbench.rules import ADVISED, DESPATCH, PERMISSION
from newel_vendor_workbench.send import invite

NOTE = DocumentKind(
    name=DESPATCH, label="Despatch note", label_plural="Despatch notes", role="transfer", party_role="vendor", series="DN", priced=False, menu="Stock",
    line_kinds=("item", "charge", "text"), fields=("party", "date", "reference", "text"),
    help="What a vendor has sent to us and is on its way. The goods are received from the order.",
    states=(
        State(name="draft", label="Draft", phase="draft", editable=True), State(name="sent", label="On its way", phase="done"),
        State(name="cancelled", label="Cancelled", phase="cancelled"),
    ),
    transitions=(
        Transition(name="send", label="Sent", sources=("draft",), target="sent", primary=True),
        Transition(name="cancel", label="Cancel", sources=("draft", "sent"), target="cancelled"),
    ),
)  # fmt: skip
ADVISE = Flow(name="advise", label="Despatch note", link=ADVISED, target_kind=DESPATCH, source_role="purchase", completes=False, copies_prices=False)


async def demo(kit: Any) -> None:
    """A login for one vendor of the demonstration company; orders come with other plugins. kit: the DemoKit of newel-demo."""
    vendor = await kit.app.records.find("newel.party", kit.vendors[0], kit.context())
    if vendor is not None:
        await invite(kit.app, vendor, "vendor", "Vera Linden", kit.password, kit.context())


@hookimpl
def register_plugin() -> Manifest:
    """Pages and operations for vendors, what they announce, and the permission that lets them in."""
    return Manifest(
        name="vendor_workbench", label="Vendor workbench", locale="newel_vendor_workbench:locale", needs=("purchasing",), documents=(NOTE,), flows=(ADVISE,),
        permissions=((PERMISSION, "Work as a vendor: see the vendor's own orders, confirm dates, ship"),),
        routes="newel_vendor_workbench.routes:handlers", templates="newel_vendor_workbench:templates",
        menu=(MenuItem(label="Vendor workbench", path="/vendor_workbench", section="Vendors", permission=PERMISSION, home=True),), demo=demo,
        demo_data="newel_vendor_workbench:demo.toml",
    )  # fmt: skip
