"""The four boards that come along, and what may stand in a tile. A tile rests where its report or document kind is absent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from newel.errors import Problem

from newel_dashboards import rules

TAKEN = ("analysis", "receivables")
CODE = re.compile(r"[a-z][a-z0-9_]*")
SHOWS = (("figure", "Figure"), ("bars", "Bars"), ("columns", "Columns"), ("line", "Line"))
COMPARED = (("before", "The month before"), ("year", "A year before"))


class TileSpec(msgspec.Struct, frozen=True):
    """One tile.

    Args:
        source: name of a report or a document kind. parameters: as in its address.
        show: figure, bars (by size), columns or line (by time). figure: column of the report that is added up, empty to count the rows.
        names: column with the names of a chart's rows. compare: before, year, or empty.
    """

    title: str
    source: str
    parameters: str = ""
    show: str = "figure"
    figure: str = ""
    names: str = "one"
    compare: str = ""

    def given(self, today: date) -> dict[str, str]:
        """The parameters as of a day."""
        return {k: rules.moved(v, today) for k, v in parse_qsl(self.parameters)}


class BoardSpec(msgspec.Struct, frozen=True):
    """A page of tiles."""

    code: str
    label: str
    tiles: tuple[TileSpec, ...]


SALES, ITEMS, OWED = "dashboards.sales", "newel.open_items", "dashboards.receivables_history"
MONTH, YEAR = "date_from=@month&date_to=@today&top=0", "date_from=@year&date_to=@today"
OVERDUE = TileSpec(title="Overdue receivables", source=ITEMS, parameters="role=receivable&overdue=true", figure="company_open")
BOARDS = (
    BoardSpec(code="sales", label="Sales dashboard", tiles=(
        TileSpec(title="Revenue this month", source=SALES, parameters=MONTH, figure="revenue", compare="before"),
        TileSpec(title="Gross profit this month", source=SALES, parameters=MONTH, figure="profit", compare="before"),
        TileSpec(title="Open orders", source="sales.order", parameters="phase=open"),
        TileSpec(title="Offers waiting for an answer", source="sales.quotation", parameters="phase=offered"),
        TileSpec(title="Revenue by month", source=SALES, parameters=f"{YEAR}&by=month&compare=year", show="columns", figure="revenue"),
        TileSpec(title="Largest customers this year", source=SALES, parameters=f"{YEAR}&by=customer&top=6", show="bars", figure="revenue"),
        TileSpec(title="Items that earn most this year", source=SALES, parameters=f"{YEAR}&by=item&top=6", show="bars", figure="profit"),
        TileSpec(title="Revenue by territory this year", source=SALES, parameters=f"{YEAR}&by=country&top=6", show="bars", figure="revenue"),
    )),
    BoardSpec(code="warehouse", label="Warehouse dashboard", tiles=(
        TileSpec(title="Deliveries being prepared", source="shipping.delivery", parameters="phase=draft"),
        TileSpec(title="Due until today", source="shipping.due", parameters="until=@today"),
        TileSpec(title="Back-orders", source="shipping.back_orders"), TileSpec(title="Waiting for goods from vendors", source="purchasing.to_receive"),
        TileSpec(title="Value of stock", source="newel.stock_value", figure="value"),
        TileSpec(title="Value of stock by item", source="newel.stock_value", show="bars", figure="value", names="number"),
    )),
    BoardSpec(code="finance", label="Finance dashboard", tiles=(
        OVERDUE, TileSpec(title="Owed by customers", source=ITEMS, parameters="role=receivable", figure="company_open"),
        TileSpec(title="Owed to vendors", source=ITEMS, parameters="role=payable", figure="company_open"),
        TileSpec(title="Unbilled deliveries", source="invoicing.unbilled"),
        TileSpec(title="Owed at the end of each month", source=OWED, show="columns", figure="total", names="date"),
        TileSpec(title="Who owes most", source="dashboards.receivables", parameters="by=customer", show="bars", figure="total"),
        TileSpec(title="Gross profit by month", source=SALES, parameters=f"{YEAR}&by=month&compare=year", show="line", figure="profit"),
    )),
    BoardSpec(code="service", label="Service dashboard", tiles=(
        TileSpec(title="Requests to deal with", source="requests.board"), TileSpec(title="Promised deadlines", source="sla.board"),
        TileSpec(title="Returns to come and to go", source="returns.schedule"), TileSpec(title="Reclamations", source="reclamations.board"),
        TileSpec(title="Cost of returns", source="rework.cost", figure="result"), TileSpec(title="Articles due for review", source="knowledge.due"),
        TileSpec(title="Faults by cause", source="faults.frequency", parameters="by=cause", show="bars", figure="quantity", names="name"),
    )),
)  # fmt: skip


def check_board(values: Mapping[str, Any]) -> Iterator[Problem]:
    """A code fits into an address, and is none that is taken."""
    if not CODE.fullmatch(values["code"]) or values["code"] in TAKEN:
        yield Problem(
            code="dashboards.code",
            message=f"a code has small letters and digits, got {values['code']!r:.40}",
            where="code",
            hint="write one such as sales_north; analysis and receivables are taken",
        )


def check_tile(values: Mapping[str, Any]) -> Iterator[Problem]:
    """A chart says what its rows are called, and which column it shows."""
    if values["show"] == "figure":
        return
    for name in ("figure", "names"):
        if not values[name]:
            yield Problem(code="dashboards.chart", message="a chart needs a column of amounts and one of names", where=name, hint="enter the column's name")
