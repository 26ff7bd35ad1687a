"""A small plugin for tests of the web: orders, deliveries, receipts, invoices and payments, and a report."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from newel.domain.kinds import DocumentKind, Flow, LineKind, State, Transition
from newel.domain.ledger import PostingSpec
from newel.errors import Problem, Severity
from newel.hookspecs import hookimpl
from newel.manifest import Column, Manifest, Parameter, Report

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)


def _state(name: str, phase: str) -> State:
    return State(name=name, label=name.capitalize(), phase=phase)


def _transition(name: str, source: str, target: str, *effects: str, **more: Any) -> Transition:
    return Transition(name=name, label=name.capitalize(), sources=tuple(source.split()), target=target, effects=effects, **more)


def _kind(name: str, role: str, states: tuple[State, ...], transitions: tuple[Transition, ...], **more: Any) -> DocumentKind:
    label = name.partition(".")[2].capitalize()
    return DocumentKind(name=name, label=label, label_plural=label + "s", role=role, states=(DRAFT, *states), transitions=transitions, **more)


KINDS = (
    _kind(
        "shop.order", "sale", (_state("confirmed", "open"), _state("done", "done"), _state("cancelled", "cancelled")),
        (
            _transition("confirm", "draft", "confirmed", "credit", "reserve", primary=True),
            _transition("cancel", "draft confirmed", "cancelled", "release"),
            _transition("finish", "confirmed", "done", automatic="linked"),
        ),
        party_role="customer", series="SO",
    ),
    _kind(
        "shop.delivery", "delivery", (_state("shipped", "done"),), (_transition("ship", "draft", "shipped", "move"),), party_role="customer",
        series="DN", priced=False,
    ),
    _kind("shop.receipt", "receipt", (_state("received", "done"),), (_transition("receive", "draft", "received", "move"),), series="RC"),
    _kind(
        "shop.invoice", "invoice", (_state("posted", "open"), _state("paid", "done")),
        (_transition("post", "draft", "posted", "number", "post"), _transition("pay", "posted", "paid", automatic="settled")),
        party_role="customer", series="INV", number_at="transition", posting=PostingSpec(party="receivable", line="revenue", tax="tax_output"),
    ),
    _kind(
        "shop.payment", "payment", (_state("posted", "done"),), (_transition("post", "draft", "posted", "post"),), party_role="customer",
        series="PAY", line_kinds=("cash",), posting=PostingSpec(party="bank", line="receivable"),
    ),
)  # fmt: skip
FLOWS = (
    Flow(name="deliver", label="Deliver", link="delivered", target_kind="shop.delivery", source_role="sale"),
    Flow(name="invoice", label="Invoice", link="invoiced", target_kind="shop.invoice", source_role="sale"),
)


async def _orders(session: Any, parameters: dict[str, Any], context: Any) -> list[dict[str, Any]]:
    most = parameters["most"] or Decimal(1000)
    rows = await session.fetch("SELECT id, number FROM document WHERE company = ? ORDER BY id LIMIT ?", context.company.id, min(int(most), 1000))
    return [{"document": r["id"], "number": r["number"], "amount": Decimal("1.50")} for r in rows]


REPORT = Report(
    name="shop.orders", label="Orders", load=_orders,
    columns=(Column(name="document", label="Document", type="document", text="number"), Column(name="amount", label="Amount", type="amount")),
    parameters=(Parameter(name="most", label="At most", type="decimal"), Parameter(name="since", label="Since", type="date")),
)  # fmt: skip


def manifest() -> Manifest:
    return Manifest(name="shop", label="Shop", documents=KINDS, flows=FLOWS, reports=(REPORT,), line_kinds=(LineKind(name="cash", label="Cash"),))


def module(**hooks: Any) -> SimpleNamespace:
    """The plugin as an object. The text of an order decides what its checks do: note, hold, override, block."""

    @hookimpl
    def register_plugin() -> Manifest:
        return manifest()

    @hookimpl
    def check_document(document: Any, transition: str) -> list[Problem]:
        wanted = {"override": Severity.OVERRIDE, "hold": Severity.HOLD, "block": Severity.BLOCK}.get(document.text)
        asked = transition == "confirm" if document.text == "override" else not transition
        if wanted is None or not asked:
            return []
        return [Problem(code=f"shop.{document.text}", message=f"the text says {document.text}", where="text", hint="change it", severity=wanted)]

    return SimpleNamespace(register_plugin=register_plugin, check_document=check_document, **hooks)
