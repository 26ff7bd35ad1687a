"""A small plugin to test against: orders, deliveries, receipts, invoices and payments, so that a plugin's tests need no other distribution."""

from __future__ import annotations

from typing import Any

from newel.domain.kinds import DocumentKind, Flow, LineKind, State, Transition
from newel.domain.ledger import PostingSpec
from newel.hookspecs import hookimpl
from newel.manifest import Manifest

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)


def _state(name: str, phase: str) -> State:
    return State(name=name, label=name.capitalize(), phase=phase)


def _transition(name: str, source: str, target: str, *effects: str, **more: Any) -> Transition:
    return Transition(name=name, label=name.capitalize(), sources=tuple(source.split()), target=target, effects=effects, **more)


def _kind(name: str, role: str, states: tuple[State, ...], transitions: tuple[Transition, ...], **more: Any) -> DocumentKind:
    label, plural = name.capitalize(), "Deliveries" if name == "delivery" else f"{name.capitalize()}s"
    return DocumentKind(name=f"shop.{name}", label=label, label_plural=plural, role=role, states=(DRAFT, *states), transitions=transitions, **more)


KINDS = (
    _kind(
        "order", "sale", (_state("confirmed", "open"), _state("done", "done"), _state("cancelled", "cancelled")),
        (
            _transition("confirm", "draft", "confirmed", "credit", "reserve", primary=True),
            _transition("cancel", "draft confirmed", "cancelled", "release"),
            _transition("finish", "confirmed", "done", automatic="linked"),
        ),
        party_role="customer", series="SO",
    ),
    _kind(
        "delivery", "delivery", (_state("shipped", "done"), _state("undone", "cancelled")),
        (_transition("ship", "draft", "shipped", "move", primary=True), _transition("undo", "shipped", "undone", "reverse")),
        party_role="customer", series="DN", priced=False,
    ),
    _kind("receipt", "receipt", (_state("received", "done"),), (_transition("receive", "draft", "received", "move", primary=True),), series="RC"),
    _kind(
        "invoice", "invoice", (_state("posted", "open"), _state("paid", "done"), _state("undone", "cancelled")),
        (
            _transition("post", "draft", "posted", "number", "post", primary=True),
            _transition("undo", "posted", "undone", "reverse"),
            _transition("pay", "posted", "paid", automatic="settled"),
        ),
        party_role="customer", series="INV", number_at="transition", posting=PostingSpec(party="receivable", line="revenue", tax="tax_output"),
    ),
    _kind(
        "payment", "payment", (_state("posted", "done"),), (_transition("post", "draft", "posted", "post", primary=True),), party_role="customer",
        series="PAY", line_kinds=("cash",), posting=PostingSpec(party="bank", line="receivable"),
    ),
)  # fmt: skip
FLOWS = (
    Flow(name="deliver", label="Deliver", link="delivered", target_kind="shop.delivery", source_role="sale", copies_prices=False, primary=True),
    Flow(name="invoice", label="Invoice", link="invoiced", target_kind="shop.invoice", source_role="sale"),
)


@hookimpl
def register_plugin() -> Manifest:
    """Just enough of a shop to sell, deliver, bill and be paid."""
    return Manifest(name="shop", label="Shop", documents=KINDS, flows=FLOWS, line_kinds=(LineKind(name="cash", label="Cash"),))
