"""A company to test against: an install on an empty database, set up, with somebody who may do everything.

async with running(database_url) as (app, context):
bolt = await item(app, context, "BOLT", price="0.12")
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from newel.config import Config
from newel.domain.context import Context, User
from newel.domain.document import DocumentInput, LineInput
from newel.domain.money import rounded
from newel.manifest import Manifest
from newel.plugins import Plugins
from newel.services.app import Newel
from newel.services.setup import set_up_company

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
TODAY = date(2026, 1, 15)
Number = Decimal | str | int


@asynccontextmanager
async def running(
    url: str, modules: dict[str, Any] | None = None, clock: Callable[[], datetime] | None = None, **company: Any
) -> AsyncIterator[tuple[Newel, Context]]:
    """An install with one company and the context of a user who may do everything.

    Args:
        url: of an empty database, as the fixture `database_url` gives it.
        modules: plugin name -> module with its hooks; None for all that are installed, {} for none.
        clock: gives the present instant; the morning of 2026-01-15 unless given.
        company: other than code "TEST", currency "EUR", 2 digits, as for set_up_company.
    """
    clock = clock or (lambda: NOW)
    app = Newel(Config(database=url), modules, clock)
    await app.start()
    try:
        values: dict[str, Any] = {"code": "TEST", "name": "Test company", "currency": "EUR", "country": "DE", "price_digits": 2, **company}
        made = await set_up_company(app, first_year=clock().year, **values)
        user = User(id=0, login="tester", name="Tester", permissions=frozenset({"*"}), companies=frozenset({made.id}))
        async with app.database.read() as session:
            context = await app.context(session, user, made.id)
        yield app, context
    finally:
        await app.close()


async def item(app: Newel, context: Context, number: str, *, price: Number | None = None, cost: Number | None = None, **values: Any) -> int:
    """An item with a list price and a standard cost in the company's currency; returns its id."""
    save = app.records.save
    made = await save("newel.item", None, {"number": number, "name": number.capitalize(), **values}, context)
    if price is not None:
        await save("newel.item_price", None, {"item": made, "currency": context.company.currency, "price": price}, context)
    if cost is not None:
        await save("newel.item_cost", None, {"item": made, "cost": cost}, context)
    return made


async def party(app: Newel, context: Context, number: str, *, country: str | None = None, **values: Any) -> int:
    """A party (customer and vendor unless said otherwise) with a main address in its country; returns its id."""
    values = {"number": number, "name": number.capitalize(), "is_customer": True, "is_vendor": True, **values}
    made = await app.records.save("newel.party", None, values, context)
    address = {"party": made, "street": "Main street 1", "city": "Town", "country": country or context.company.country}
    await app.records.save("newel.address", None, address, context)
    return made


async def stock(app: Newel, context: Context, item_number: str | int, quantity: Number, value: Number) -> int:
    """Goods worth `value` in the main warehouse, by a receipt of whatever installed kind makes one; returns the receipt's id.

    Raises:
        LookupError: no plugin with a receipt is running.
    """
    for kind in app.registry.documents.values():
        move = next((t for t in kind.transitions if "move" in t.effects and kind.initial.name in t.sources), None)
        if kind.role == "receipt" and move is not None:
            break
    else:
        raise LookupError("no running plugin has a document kind with the role receipt")
    vendor = None
    if kind.party_role:
        vendor = await app.records.find("newel.party", "VENDOR", context) or await party(app, context, "VENDOR")
    amount = Decimal(quantity)
    line = LineInput(item=item_number, quantity=amount, price=rounded(Decimal(value) / amount, 6))
    made = await app.documents.create(kind.name, DocumentInput(party=vendor, lines=(line,)), context, then=(move.name,))
    return made.document.id


def ask(function: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """What the kernel gets from one hook: its answer, or None where @asked says that it isn't called for these arguments.

    Args:
        function: with @hookimpl; of an async one the answer is awaited as usual.
        args: what it names, in its own order.
        more: arguments of the hook by name; the document or facts that it is asked by and doesn't name itself.

    Raises:
        Unfit: the kernel refuses it at start.
    """
    plugin = SimpleNamespace(register_plugin=lambda: Manifest(name="asked", label="Asked"), **{function.__name__: function})
    signature = inspect.signature(function)
    named = signature.bind(*args, **{name: value for name, value in more.items() if name in signature.parameters})
    if Plugins({"asked": plugin}).implementers(function.__name__, **{**more, **named.arguments}):
        return function(*named.args, **named.kwargs)
    return _nothing() if inspect.iscoroutinefunction(function) else None


async def _nothing() -> None:
    """What is awaited in place of an async hook that isn't asked."""


__all__ = ["NOW", "TODAY", "DocumentInput", "LineInput", "ask", "item", "party", "running", "stock"]
