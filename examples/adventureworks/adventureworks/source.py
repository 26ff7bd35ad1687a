"""Reading the data folder: rows of the tables as they are, and orders with their lines as exact values."""

from __future__ import annotations

import csv
import datetime
import gzip
import os
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec

EXAMPLE = Path(__file__).resolve().parent.parent
NO_OFFER = 1


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A published order line. discount: percent. net, tax, freight: published amounts in USD."""

    item: str
    quantity: Decimal
    offer: int
    price: Decimal
    discount: Decimal
    net: Decimal
    tax: Decimal
    freight: Decimal

    @property
    def offered(self) -> bool:
        """Whether a special offer changed its price."""
        return self.offer != NO_OFFER or bool(self.discount)


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A published order with its lines and its published sums."""

    number: str
    channel: str
    date: datetime.date
    due: datetime.date
    shipped: datetime.date
    customer: str
    customer_po: str
    tracking: str
    salesperson: str
    territory: str
    net: Decimal
    tax: Decimal
    freight: Decimal
    total: Decimal
    lines: tuple[OrderLine, ...]

    @property
    def internet(self) -> bool:
        """Sold to a person at list price; offers that its lines name changed nothing."""
        return self.channel == "Internet"

    def by_rules(self, line: OrderLine) -> bool:
        """Whether list prices and the resellers' price list alone give the line's price."""
        return self.internet or not line.offered

    @property
    def offered(self) -> bool:
        """Whether a special offer changed the price of a line."""
        return not all(self.by_rules(line) for line in self.lines)


class Source:
    """The data folder."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "SalesOrderHeader.csv.gz").exists():
            raise FileNotFoundError(f"no Adventure Works data in {folder}: name the folder in NEWEL_ADVENTUREWORKS")
        self.folder = folder

    def rows(self, table: str) -> Iterator[dict[str, str]]:
        """The rows of a table by column name; an empty cell is an empty text."""
        plain = self.folder / f"{table}.csv"
        packed = self.folder / f"{table}.csv.gz"
        with plain.open(encoding="utf-8", newline="") if plain.exists() else gzip.open(packed, "rt", encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)

    def by(self, table: str, key: str) -> dict[str, dict[str, str]]:
        """The rows of a table by a column."""
        return {row[key]: row for row in self.rows(table)}

    def orders(self, channel: str = "") -> list[Order]:
        """All orders of a channel (both unless given) in the order of their dates."""
        items = {row["ProductID"]: row["ProductNumber"] for row in self.rows("Product")}
        lines: dict[str, list[OrderLine]] = {}
        for row in self.rows("SalesOrderDetail"):
            lines.setdefault(row["SalesOrderID"], []).append(_line(row, items))
        found = [_order(row, lines[row["SalesOrderID"]]) for row in self.rows("SalesOrderHeader") if channel in ("", row["Channel"])]
        return sorted(found, key=lambda order: (order.date, order.number))


def _line(row: dict[str, str], items: dict[str, str]) -> OrderLine:
    return OrderLine(
        item=items[row["ProductID"]],
        quantity=Decimal(row["OrderQty"]),
        offer=int(row["SpecialOfferID"]),
        price=Decimal(row["UnitPrice"]),
        discount=Decimal(row["UnitPriceDiscountPct"]) * 100,
        net=Decimal(row["SalesAmount"]),
        tax=Decimal(row["TaxAmt"]),
        freight=Decimal(row["Freight"]),
    )


def _order(row: dict[str, str], lines: Iterable[OrderLine]) -> Order:
    return Order(
        number=row["SalesOrderNumber"],
        channel=row["Channel"],
        date=datetime.date.fromisoformat(row["OrderDate"]),
        due=datetime.date.fromisoformat(row["DueDate"]),
        shipped=datetime.date.fromisoformat(row["ShipDate"]),
        customer=row["AccountNumber"],
        customer_po=row["CustomerPONumber"],
        tracking=row["CarrierTrackingNumber"],
        salesperson=row["SalesPersonID"],
        territory=row["TerritoryID"],
        net=Decimal(row["SubTotal"]),
        tax=Decimal(row["TaxAmt"]),
        freight=Decimal(row["Freight"]),
        total=Decimal(row["TotalDue"]),
        lines=tuple(lines),
    )


def data_folder() -> Path:
    """Where the data is: NEWEL_ADVENTUREWORKS, else a folder shared beside the repository."""
    given = os.environ.get("NEWEL_ADVENTUREWORKS")
    return Path(given) if given else EXAMPLE.parent.parent.parent / "shared" / "data" / "adventureworks"


def sample(orders: list[Order], count: int, first: bool = False) -> list[Order]:
    """So many orders: the first ones, or evenly spread over all."""
    if count >= len(orders):
        return orders
    return orders[:count] if first else [orders[i * len(orders) // count] for i in range(count)]
