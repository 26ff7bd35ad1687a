"""Loading the company: everything that its orders refer to, through the records service, in batches."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from newel.domain.context import Company, Context
from newel.domain.document import DocumentInput, LineInput
from newel.domain.money import ONE, rounded
from newel.errors import Problem, Refused
from newel.services.app import Newel
from newel.services.setup import set_up_company
from newel.store.master import load_master

from adventureworks import parties
from adventureworks.source import Source

CODE, CURRENCY, OPENING = "AW", "USD", date(2022, 5, 29)
FREIGHT, TERMS = "FREIGHT", "NET12"
RATE_DIGITS = 10
Row = dict[str, Any]
Progress = Callable[[str, int], None]


class Loaded(msgspec.Struct, frozen=True):
    """The company, and how many records of each kind were made."""

    company: Company
    counts: dict[str, int]


async def find_company(app: Newel) -> Company | None:
    """The company if it is there already."""
    async with app.database.read() as session:
        master = await load_master(session)
    return next((c for c in master.companies.values() if c.code == CODE), None)


async def load(app: Newel, source: Source, progress: Progress = lambda _kind, _count: None) -> Loaded:
    """Load everything into an empty install.

    Raises:
        Refused: the company is there already, or a row is wrong; then nothing of that kind was written.
    """
    if await find_company(app) is not None:
        hint = "use another database, or delete this one"
        raise Refused(Problem(code="loaded", message="this database holds Adventure Works already", hint=hint), status=409)
    company = await set_up_company(
        app, code=CODE, name="Adventure Works Cycles", currency=CURRENCY, country="US", region="WA", amount_digits=4, price_digits=4,
        rounding="half_up", tax_rounding="line", first_year=2022, years=4,
    )  # fmt: skip
    context = app.system(company, today=OPENING, source="import")
    counts: Counter[str] = Counter()
    for kind, rows in [*_common(source), *parties.records(source, TERMS), *_items(source), *_selling(source)]:
        result = await app.records.import_rows(kind, rows, context)
        if result.problems:
            raise Refused(*result.problems)
        counts[kind] += len(rows)
        progress(kind, len(rows))
    counts["newel.user"] = await _users(app, source, context)
    progress("newel.user", counts["newel.user"])
    counts["stock lines"] = await _stock(app, source, context)
    progress("stock lines", counts["stock lines"])
    return Loaded(company, dict(counts))


# ---- what everything hangs on --------------------------------------------------------------------------------------------------------


def _common(source: Source) -> Iterator[tuple[str, list[Row]]]:
    """Currencies, rates, units, terms, tax and ways of shipping."""
    yield "newel.currency", [{"code": r["CurrencyCode"], "name": r["Name"]} for r in source.rows("Currency")]
    # The file gives so many units of the other currency for one dollar; kept is what one unit of the other currency costs in dollars.
    yield (
        "newel.currency_rate",
        [
            {"currency": r["ToCurrencyCode"], "date_from": r["CurrencyRateDate"], "rate": rounded(ONE / Decimal(r["AverageRate"]), RATE_DIGITS)}
            for r in source.rows("CurrencyRate")
        ],
    )
    yield "newel.unit", [{"code": r["UnitMeasureCode"].strip(), "name": r["Name"]} for r in source.rows("UnitMeasure")]
    yield "newel.payment_terms", [{"code": TERMS, "name": "12 days", "days": 12}]
    yield "newel.tax_rate", [{"code": "TAX8", "name": "Tax 8 %", "category": "standard", "rate": "8"}]
    methods = [(r, *r["Name"].partition(" - ")[::2]) for r in source.rows("ShipMethod")]
    carriers = [carrier for _, carrier, name in methods if name]
    yield "shipping.carrier", [{"code": code, "name": f"{code.capitalize()} carriers"} for code in (*carriers, "OTHER")]
    yield "shipping.method", [
        {
            "code": r["ShipMethodID"], "name": r["Name"], "carrier": carrier if name else "OTHER", "currency": CURRENCY,
            "price_base": r["ShipBase"], "price_per_weight": r["ShipRate"],
        }
        for r, carrier, name in methods
    ]  # fmt: skip


def _items(source: Source) -> Iterator[tuple[str, list[Row]]]:
    """Classes, items, and the history of their prices and costs."""
    yield "newel.item_class", [{"code": f"C{r['ProductCategoryID']}", "name": r["Name"]} for r in source.rows("ProductCategory")]
    yield (
        "newel.item_class",
        [{"code": f"S{r['ProductSubcategoryID']}", "name": r["Name"], "parent": f"C{r['ProductCategoryID']}"} for r in source.rows("ProductSubcategory")],
    )
    products = source.by("Product", "ProductID")
    freight = {"number": FREIGHT, "name": "Freight", "kind": "freight", "tax_category": "outside", "account_role": "freight_revenue"}
    yield "newel.item", [*(_item(r) for r in products.values()), {**freight, "unit": "EA"}]
    for kind, name, table, column, history in (
        ("newel.item_price", "price", "ProductListPriceHistory", "ListPrice", {"currency": CURRENCY}),
        ("newel.item_cost", "cost", "ProductCostHistory", "StandardCost", {}),
    ):
        dated = list(source.rows(table))
        known = {r["ProductID"] for r in dated}
        dated += [{**r, "StartDate": "", "EndDate": ""} for id, r in products.items() if id not in known and Decimal(r[column])]
        rows = [
            {
                **history, name: r[column], "item": products[r["ProductID"]]["ProductNumber"],
                "date_from": r["StartDate"] or None, "date_to": r["EndDate"] or None,
            }
            for r in dated
        ]  # fmt: skip
        yield kind, rows


def _item(r: Mapping[str, str]) -> Row:
    about = [("colour", r["Color"]), ("size", f"{r['Size']} {r['SizeUnitMeasureCode']}"), ("weight", f"{r['Weight']} {r['WeightUnitMeasureCode']}")]
    return {
        "number": r["ProductNumber"], "name": r["Name"], "unit": "EA",
        "item_class": f"S{r['ProductSubcategoryID']}" if r["ProductSubcategoryID"] else None,
        "description": ", ".join(f"{name} {value.strip()}" for name, value in about if value.strip()),
    }  # fmt: skip


def _selling(source: Source) -> Iterator[tuple[str, list[Row]]]:
    """Sales people, territories, the resellers' price list, and the places where goods lie."""
    people = [{"code": r["BusinessEntityID"], "name": f"Sales person {r['BusinessEntityID']}"} for r in source.rows("SalesPerson")]
    yield "sales.representative", people
    yield "sales.class", [{"code": r["TerritoryID"], "name": f"{r['Name']} ({r['Group']})"} for r in source.rows("SalesTerritory")]
    yield "pricelists.list", [{"code": "RESELLER", "name": "Resellers", "currency": CURRENCY}]
    yield "pricelists.line", [{"price_list": "RESELLER", "percent": "60"}]
    yield "pricelists.assignment", [{"price_list": "RESELLER", "party_class": parties.RESELLER}]
    yield "newel.location", [{"code": _place(r["LocationID"]), "name": r["Name"], "kind": "storage", "parent": "MAIN"} for r in source.rows("Location")]


def _place(id: str) -> str:
    return f"LOC{int(id):02}"


# ---- people and goods ----------------------------------------------------------------------------------------------------------------


async def _users(app: Newel, source: Source, context: Context) -> int:
    """A user for each sales person, with a password that nobody knows: whoever wants to log in gets one from the administrator."""
    people = [r["BusinessEntityID"] for r in source.rows("SalesPerson")]
    for id in people:
        await app.users.create(f"sales{id}", secrets.token_urlsafe(24), f"Sales person {id}", ["sales"], [CODE], context)
    return len(people)


async def _stock(app: Newel, source: Source, context: Context) -> int:
    """Opening receipts: the counted inventory where it lies, and what all published orders take, in the main warehouse.

    So no replay runs short, and once all orders are replayed exactly the counted inventory is left.
    """
    items = {r["ProductID"]: r["ProductNumber"] for r in source.rows("Product")}
    cost: dict[str, str] = {}
    for r in source.rows("ProductCostHistory"):
        cost.setdefault(r["ProductID"], r["StandardCost"])
    sold: Counter[str] = Counter()
    for r in source.rows("SalesOrderDetail"):
        sold[r["ProductID"]] += int(r["OrderQty"])
    async with app.database.read() as session:
        places = {p.code: p.id for p in (await load_master(session)).locations.values()}

    def line(product: str, quantity: str | int, place: str) -> LineInput:
        price = Decimal(cost[product]) if product in cost else None
        return LineInput(item=items[product], quantity=Decimal(quantity), price=price, location_to=places[place])

    counted = [line(r["ProductID"], r["Quantity"], _place(r["LocationID"])) for r in source.rows("ProductInventory") if r["Quantity"] != "0"]
    needed = [line(product, quantity, "MAIN") for product, quantity in sorted(sold.items())]
    for reference, lines in (("counted inventory", counted), ("what all orders take", needed)):
        opening = DocumentInput(date=OPENING, currency=CURRENCY, reference=reference, lines=tuple(lines))
        await app.documents.create("inventory.receipt", opening, context, then=("receive",))
    return len(counted) + len(needed)
