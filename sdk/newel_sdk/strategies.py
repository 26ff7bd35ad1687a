"""Hypothesis strategies for random documents: as entered, for the use cases, and as values, for rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from newel.domain.document import Document, DocumentInput, Line, LineInput
from newel.domain.item import Item
from newel.domain.money import product, rounded
from newel.domain.party import Party

from newel_sdk.testing import TODAY

T = TypeVar("T")


def samples(strategy: st.SearchStrategy[T], count: int) -> list[T]:
    """Up to `count` values, the same ones every time, where a test needs them at once (inside an event loop, for instance)."""
    found: list[T] = []

    @settings(max_examples=count, database=None, derandomize=True, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategy)
    def keep(value: T) -> None:
        found.append(value)

    keep()
    return found


def amounts(most: str = "100000", digits: int = 2) -> st.SearchStrategy[Decimal]:
    """Amounts and prices from 0 to `most` with so many digits after the point, ugly ones included."""
    return st.decimals(min_value=0, max_value=Decimal(most), places=digits, allow_nan=False, allow_infinity=False)


def quantities(most: int = 1000, digits: int = 0) -> st.SearchStrategy[Decimal]:
    """Quantities above 0."""
    least = Decimal(1).scaleb(-digits)
    return st.decimals(min_value=least, max_value=most, places=digits, allow_nan=False, allow_infinity=False)


def discounts() -> st.SearchStrategy[Decimal]:
    """Percentages as people enter them: mostly none."""
    return st.one_of(st.just(Decimal(0)), st.decimals(min_value=0, max_value=100, places=2, allow_nan=False, allow_infinity=False))


def line_inputs(items: Sequence[int | str], kind: str = "") -> st.SearchStrategy[LineInput]:
    """Lines as entered: with the rules' price, or one that somebody typed."""
    price = st.one_of(st.none(), amounts("1000"))
    return st.builds(LineInput, kind=st.just(kind), item=st.sampled_from(list(items)), quantity=quantities(50), price=price, discount=discounts())


def document_inputs(
    parties: Sequence[int | str], items: Sequence[int | str], lines: int = 8, currencies: Sequence[str] = ("",)
) -> st.SearchStrategy[DocumentInput]:
    """Documents as entered, for services.documents.create.

    Args:
        parties, items: that there are. lines: 1 to so many. currencies: empty for the party's or company's own; others need a rate.
    """
    made = st.lists(line_inputs(items), min_size=1, max_size=lines).map(tuple)
    return st.builds(DocumentInput, party=st.sampled_from(list(parties)), currency=st.sampled_from(list(currencies)), lines=made)


def parties(classes: Sequence[str] = ()) -> st.SearchStrategy[Party]:
    """Parties as rules see them."""
    own = st.lists(st.sampled_from(list(classes)), unique=True, max_size=3).map(tuple) if classes else st.just(())
    return st.builds(Party, id=st.integers(1, 9), number=st.just("C1"), name=st.just("Customer"), classes=own)


@st.composite
def documents(draw: st.DrawFn, *, role: str = "sale", kind: str = "shop.order", classes: Sequence[str] = (), day: date = TODAY) -> Document:
    """Documents as rules see them: priced lines that add up; no database is needed. classes: that the party may have."""
    lines = []
    for n in range(draw(st.integers(1, 6))):
        quantity, price = draw(quantities(50)), draw(amounts("1000"))
        item = Item(id=100 + n, number=f"ITEM-{n}", name=f"Item {n}", price=price)
        lines.append(
            Line(id=n + 1, position=10 * (n + 1), item=item, quantity=quantity, unit="EA", price=price, net=rounded(product(price, quantity), 2))
        )  # fmt: skip
    net = sum((line.net for line in lines), Decimal(0))
    return Document(
        id=1, kind=kind, role=role, state="draft", party=draw(parties(classes)), currency="EUR", date=day, lines=tuple(lines), net=net, gross=net
    )  # fmt: skip


__all__ = ["amounts", "discounts", "document_inputs", "documents", "line_inputs", "parties", "quantities", "samples"]
