"""The steps of the guide: what each asks for, and the records that it makes through the use cases that everybody has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import msgspec
from babel import Locale
from newel.domain.context import Context
from newel.domain.document import DocumentInput, LineInput
from newel.domain.kinds import DocumentKind
from newel.services.app import Newel
from newel.store.session import Session
from newel.web.forms import Reader
from newel.web.views_text import _, language

Made = list[tuple[str, int]]
NO_COUNTRY = frozenset(["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"])  # codes that CLDR has beside those of ISO 3166
NUMBERED = ("sale", "delivery", "invoice", "payment")


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the guide.

    Args:
        fields: async function(newel, context) -> fields of the form.
        save: async function(newel, what was entered, session, context) -> (kind, id) of each record that it has made.
        into: kind of records that a file may bring instead.
    """

    name: str
    title: str
    help: str
    fields: Callable[[Newel, Context], Awaitable[list[dict[str, Any]]]]
    save: Callable[[Newel, Reader, Session, Context], Awaitable[Made]]
    into: str = ""


def field(name: str, label: str, kind: str = "text", **more: Any) -> dict[str, Any]:
    """A field of a form, as the kernel's templates take it."""
    return {"name": name, "label": label, "type": kind, "max_length": 120, **more}


def countries() -> list[dict[str, str]]:
    """The countries of ISO 3166 by their names in the reader's language."""
    names = Locale.parse(language.get()).territories.items()
    return sorted(({"value": c, "label": n} for c, n in names if len(c) == 2 and c not in NO_COUNTRY), key=lambda o: o["label"])


async def _codes(newel: Newel, kind: str, context: Context) -> list[dict[str, str]]:
    return [{"value": code, "label": title} for code, title in await newel.records.codes(kind, "", context, 100)]


# ---- company ---------------------------------------------------------------------------------------------------------------------------


async def _company_fields(newel: Newel, context: Context) -> list[dict[str, Any]]:
    row = await newel.records.get("newel.company", context.company.id, context)
    labels = (("name", _("Name")), ("tax_id", _("Tax number")), ("street", _("Street")), ("postcode", _("Postcode")), ("city", _("City")))
    return [field(name, label, value=row[name], required=name == "name") for name, label in labels]


async def _company(newel: Newel, reader: Reader, session: Session, context: Context) -> Made:
    values = {name: reader.text(name) for name in ("name", "tax_id", "street", "postcode", "city")}
    await newel.records.save("newel.company", context.company.id, values, context, session=session)
    return []


# ---- tax -------------------------------------------------------------------------------------------------------------------------------


async def _tax_fields(_newel: Newel, _context: Context) -> list[dict[str, Any]]:
    return [
        field("name", _("Name of the tax"), value=_("VAT"), required=True, max_length=40),
        field("rate", _("Standard rate"), "number", unit="%", required=True), field("reduced", _("Reduced rate"), "number", unit="%",
              help=_("Empty for none.")),
    ]  # fmt: skip


async def _tax(newel: Newel, reader: Reader, session: Session, context: Context) -> Made:
    made: Made = []
    for name, category in (("rate", "standard"), ("reduced", "reduced")):
        rate = reader.decimal(name)
        if rate is None and category == "standard" and not reader.problems:
            reader.bad("rate", _("a percentage was expected"), _("0 where no tax is charged"))
        if rate is None or reader.problems:
            continue
        title = f"{reader.text('name')} {rate.normalize():f} %"
        values = {"code": title.replace(" ", "").replace("%", "")[:20], "name": title, "category": category, "country": context.company.country, "rate": rate}
        made.append(("newel.tax_rate", await newel.records.save("newel.tax_rate", None, values, context, session=session)))
    return made


# ---- numbers ---------------------------------------------------------------------------------------------------------------------------


async def _numbered(newel: Newel, context: Context) -> list[DocumentKind]:
    """Kinds that a company begins with and that have drawn no number yet."""
    async with newel.database.read() as session:
        rows = await session.fetch("SELECT kind FROM number_series WHERE company = ? AND year = ?", context.company.id, context.today.year)
    begun = {r["kind"] for r in rows}
    return [k for role in NUMBERED for k in newel.registry.documents.values() if k.role == role and k.series and k.name not in begun]


async def _numbers_fields(newel: Newel, context: Context) -> list[dict[str, Any]]:
    kinds, year = await _numbered(newel, context), context.today.year
    return [field(k.name, _(k.label_plural), value=k.series, max_length=10, help=f"{k.series}{year}-00001", narrow=True) for k in kinds]


async def _numbers(newel: Newel, reader: Reader, session: Session, context: Context) -> Made:
    made: Made = []
    for kind in await _numbered(newel, context):
        if kind.name in reader.form and reader.text(kind.name) != kind.series:
            values = {"kind": kind.name, "year": context.today.year, "prefix": reader.text(kind.name), "digits": 5, "next": 1}
            made.append(("newel.number_series", await newel.records.save("newel.number_series", None, values, context, session=session)))
    return made


# ---- people ----------------------------------------------------------------------------------------------------------------------------


async def _people_fields(newel: Newel, context: Context) -> list[dict[str, Any]]:
    return [
        field("name", _("Name"), required=True), field("login", _("Login"), required=True, autocomplete="off", help=_("In small letters.")),
        field("password", _("First password"), "password", required=True, autocomplete="new-password", max_length=200,
              help=_("At least ten characters; four words are easy to keep.")),
        field("role", _("Role"), "select", options=await _codes(newel, "newel.role", context), required=True),
    ]  # fmt: skip


async def _people(newel: Newel, reader: Reader, session: Session, context: Context) -> Made:
    login, password = reader.text("login"), reader.form.get("password", "")
    made = await newel.users.create(login, password, reader.text("name"), [reader.text("role")], [context.company.id], context, session=session)
    return [("newel.user", made)]


# ---- item, customer, stock -------------------------------------------------------------------------------------------------------------


async def _item_fields(newel: Newel, context: Context) -> list[dict[str, Any]]:
    kinds = [{"value": "goods", "label": _("Goods")}, {"value": "service", "label": _("Service")}]
    money = {"unit": context.company.currency}
    return [
        field("number", _("Number"), required=True, max_length=40, autofocus=True), field("name", _("Name"), required=True, width=2),
        field("kind", _("Kind"), "select", options=kinds, value="goods", complete=True),
        field("unit", _("Unit"), "select", options=await _codes(newel, "newel.unit", context), value="EA", complete=True),
        field("price", _("List price"), "number", help=_("For one, without tax unless prices include it."), **money),
        field("cost", _("Cost"), "number", help=_("What one costs you; profit and the value of stock come from it."), **money),
    ]  # fmt: skip


async def _item(newel: Newel, reader: Reader, session: Session, context: Context) -> Made:
    save, price, cost = newel.records.save, reader.decimal("price"), reader.decimal("cost")
    if reader.problems:
        return []
    values = {name: reader.text(name) for name in ("number", "name", "kind", "unit")}
    item = await save("newel.item", None, values, context, session=session)
    made = [("newel.item", item)]
    if price is not None:
        row = {"item": item, "currency": context.company.currency, "price": price}
        made.append(("newel.item_price", await save("newel.item_price", None, row, context, session=session)))
    if cost is not None:
        made.append(("newel.item_cost", await save("newel.item_cost", None, {"item": item, "cost": cost}, context, session=session)))
    return made


async def _customer_fields(newel: Newel, context: Context) -> list[dict[str, Any]]:
    return [
        field("number", _("Number"), required=True, max_length=20, autofocus=True), field("name", _("Name"), required=True, width=2),
        field("email", _("E-mail"), "email"), field("street", _("Street"), width=2), field("postcode", _("Postcode")), field("city", _("City")),
        field("country", _("Country"), "select", options=countries(), value=context.company.country, required=True),
        field("terms", _("Terms of payment"), "select", options=await _codes(newel, "newel.payment_terms", context), value="NET14", complete=True),
    ]  # fmt: skip


async def _customer(newel: Newel, reader: Reader, session: Session, context: Context) -> Made:
    values = {name: reader.text(name) for name in ("number", "name", "email", "terms")} | {"is_customer": True}
    party = await newel.records.save("newel.party", None, values, context, session=session)
    address = {name: reader.text(name) for name in ("street", "postcode", "city", "country")} | {"party": party, "kind": "main"}
    return [("newel.party", party), ("newel.address", await newel.records.save("newel.address", None, address, context, session=session))]


async def _stock_fields(_newel: Newel, context: Context) -> list[dict[str, Any]]:
    return [
        field("item", _("Item"), "reference", url="/options/newel.item", required=True, width=2), field("quantity", _("Quantity"), "number", required=True),
        field("cost", _("Cost of one"), "number", unit=context.company.currency, help=_("Empty: what the item says.")),
    ]  # fmt: skip


def receiving(newel: Newel) -> tuple[str, str] | None:
    """The kind of documents by which goods come in without a vendor, and its step that moves them."""
    kinds = sorted((k for k in newel.registry.documents.values() if k.role == "receipt"), key=lambda k: (bool(k.party_role), k.name))
    return next(((k.name, t.name) for k in kinds for t in k.transitions if "move" in t.effects and k.initial.name in t.sources), None)


async def _stock(newel: Newel, reader: Reader, session: Session, context: Context) -> Made:
    item, quantity, cost, kind = reader.reference("item"), reader.decimal("quantity"), reader.decimal("cost"), receiving(newel)
    if kind and not reader.problems:
        entered = DocumentInput(lines=(LineInput(item=item or "", quantity=quantity or Decimal(0), price=cost),), reference=_("opening stock"))
        await newel.documents.create(kind[0], entered, context, then=(kind[1],), session=session)
    return []


# By step: SQL with the company's id that gives a row where it is done.
DONE = {
    "company": "SELECT 1 FROM company WHERE id = ? AND (street <> '' OR tax_id <> '')",
    "tax": "SELECT 1 FROM tax_rate t JOIN company c ON c.id = ? LIMIT 1",
    "numbers": "SELECT 1 FROM number_series WHERE company = ? LIMIT 1",
    "people": "SELECT 1 FROM user_company WHERE company = ? LIMIT 1 OFFSET 1",
    "item": "SELECT 1 FROM item i JOIN company c ON c.id = ? LIMIT 1",
    "customer": "SELECT 1 FROM party p JOIN company c ON c.id = ? LIMIT 1",
    "stock": "SELECT 1 FROM stock_balance b JOIN location l ON l.id = b.location WHERE l.company = ? LIMIT 1",
}
STEPS = (
    Step(name="company", title=_("Your company"), help=_("What stands on your documents."), fields=_company_fields, save=_company),
    Step(name="tax", title=_("Tax"), help=_("What you charge at home. Other countries and rates are under Finance, Tax rates."), fields=_tax_fields, save=_tax),
    Step(name="numbers", title=_("Numbers of documents"),
         help=_("What comes before year and number. Keep what you like; it can't be changed once a number is drawn."),
         fields=_numbers_fields, save=_numbers),
    Step(name="people", title=_("People"), help=_("Who works with you here. Each sees and does what their role allows."), fields=_people_fields, save=_people),
    Step(name="item", title=_("First item"), help=_("Something that you sell."), fields=_item_fields, save=_item, into="newel.item"),
    Step(name="customer", title=_("First customer"), help=_("Somebody who buys from you."), fields=_customer_fields, save=_customer, into="newel.party"),
    Step(name="stock", title=_("What lies in stock"),
         help=_("Goods that are there today. This is posted: from here on the steps above can't be undone any more."), fields=_stock_fields, save=_stock),
)  # fmt: skip


def offered(newel: Newel) -> list[Step]:
    """The steps that this install has something for."""
    return [s for s in STEPS if s.name != "stock" or receiving(newel) is not None]
