"""A small company's plugin for kernel tests: order, delivery, receipt, invoice, payment; and rivals that answer badly."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from newel.domain.document import DocumentInput, LineInput
from newel.domain.kinds import DocumentKind, Flow, LineKind, State, Transition
from newel.domain.ledger import PostingSpec
from newel.hookspecs import hookimpl
from newel.manifest import Manifest

DRAFT = State(name="draft", label="Draft", phase="draft", editable=True)


def _kind(name: str, label: str, role: str, transitions: tuple[Transition, ...], states: tuple[State, ...], **more: Any) -> DocumentKind:
    return DocumentKind(
        name=f"toy.{name}", label=label, label_plural=f"{label}s", role=role, states=(DRAFT, *states), transitions=transitions, series=label[:2].upper(), **more
    )


def _state(name: str, phase: str) -> State:
    return State(name=name, label=name.capitalize(), phase=phase)


def _go(name: str, source: str, target: str, *effects: str, automatic: str = "") -> Transition:
    return Transition(name=name, label=name.capitalize(), sources=(source,), target=target, effects=effects, automatic=automatic)


MANIFEST = Manifest(
    name="toy",
    label="Toy",
    line_kinds=(LineKind(name="payment", label="Payment"),),
    documents=(
        _kind(
            "order", "Order", "sale",
            (
                _go("confirm", "draft", "confirmed", "credit", "reserve"),
                _go("cancel", "confirmed", "cancelled", "release"),
                _go("complete", "confirmed", "done", automatic="linked"),
            ),
            (_state("confirmed", "open"), _state("done", "done"), _state("cancelled", "cancelled")),
            party_role="customer",
        ),
        _kind(
            "delivery", "Delivery", "delivery", (_go("ship", "draft", "shipped", "move"), _go("undo", "shipped", "cancelled", "reverse")),
            (_state("shipped", "done"), _state("cancelled", "cancelled")), party_role="customer", priced=False,
        ),
        _kind("receipt", "Receipt", "receipt", (_go("receive", "draft", "received", "move"),), (_state("received", "done"),)),
        _kind(
            "invoice", "Invoice", "invoice",
            (
                _go("post", "draft", "posted", "number", "post"), _go("pay", "posted", "paid", automatic="settled"),
                _go("unpay", "paid", "posted", automatic="unsettled"), _go("undo", "posted", "cancelled", "reverse"),
            ),
            (_state("posted", "open"), _state("paid", "done"), _state("cancelled", "cancelled")),
            party_role="customer", number_at="transition", posting=PostingSpec(party="receivable", line="revenue", tax="tax_output"),
        ),
        _kind(
            "payment", "Payment", "payment", (_go("post", "draft", "posted", "post"), _go("undo", "posted", "cancelled", "reverse")),
            (_state("posted", "done"), _state("cancelled", "cancelled")), party_role="customer", line_kinds=("payment",),
            posting=PostingSpec(party="bank", line="receivable"),
        ),
    ),
    flows=(
        Flow(name="deliver", label="Deliver", link="delivered", target_kind="toy.delivery", source_role="sale"),
        Flow(name="invoice", label="Invoice", link="invoiced", target_kind="toy.invoice", source_role="sale", phases=("open", "done")),
        Flow(
            name="bill", label="Bill", link="invoiced", target_kind="toy.invoice", source_role="delivery", phases=("done",), passes_on=("invoiced",),
            completes=False,
        ),
    ),
)  # fmt: skip


def plugin(name: str, manifest: Manifest | None = None, **hooks: Any) -> Any:
    """A plugin made of functions, such as decide_price=lambda line: None."""
    found = manifest or Manifest(name=name, label=name.capitalize())

    def register_plugin() -> Manifest:
        return found

    return SimpleNamespace(register_plugin=hookimpl(register_plugin), **{hook: hookimpl(function) for hook, function in hooks.items()})


TOY = plugin("toy", MANIFEST)


def order(*lines: tuple[Any, ...], **header: Any) -> DocumentInput:
    """An order of (item, quantity) or (item, quantity, price) lines for party C1."""
    return DocumentInput(
        party=header.pop("party", "C1"),
        lines=tuple(LineInput(item=x[0], quantity=Decimal(str(x[1])), price=Decimal(str(x[2])) if len(x) > 2 and x[2] is not None else None) for x in lines),
        **header,
    )


def paying(settles: int, amount: Any, **header: Any) -> DocumentInput:
    """A payment that settles an open item."""
    return DocumentInput(party="C1", lines=(LineInput(kind="payment", price=Decimal(str(amount)), settles=settles),), **header)
