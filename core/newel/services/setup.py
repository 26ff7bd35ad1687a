"""Setting up a company: everything that it needs before the first document. Call again after adding a plugin: it adds what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from newel.domain.context import Company, Context
from newel.errors import Problem, Refused
from newel.kernel_records import MASTER, USER
from newel.services.access import COSTS
from newel.services.registry import Registry
from newel.store import tables_master as t
from newel.store.columns import QUANTITY, scaled
from newel.store.describe import columns, table_name
from newel.store.master import load_master
from newel.store.session import Session
from newel.store.tables_document import LedgerChain

if TYPE_CHECKING:
    from newel.services.app import Newel

CURRENCIES = (
    ("EUR", "Euro", 2), ("USD", "US dollar", 2), ("GBP", "Pound sterling", 2), ("JPY", "Yen", 0), ("TRY", "Turkish lira", 2),
    ("CNY", "Renminbi", 2), ("CHF", "Swiss franc", 2), ("KWD", "Kuwaiti dinar", 3), ("BHD", "Bahraini dinar", 3),
    ("AUD", "Australian dollar", 2),
    ("CAD", "Canadian dollar", 2), ("NZD", "New Zealand dollar", 2), ("SEK", "Swedish krona", 2), ("NOK", "Norwegian krone", 2),
    ("DKK", "Danish krone", 2), ("PLN", "Zloty", 2), ("CZK", "Czech koruna", 2), ("HUF", "Forint", 2), ("RON", "Romanian leu", 2),
    ("INR", "Indian rupee", 2), ("KRW", "Won", 0), ("SGD", "Singapore dollar", 2),
    ("HKD", "Hong Kong dollar", 2),
    ("TWD", "New Taiwan dollar", 2), ("THB", "Baht", 2), ("BRL", "Brazilian real", 2), ("MXN", "Mexican peso", 2), ("ZAR", "Rand", 2),
    ("AED", "UAE dirham", 2), ("SAR", "Saudi riyal", 2), ("ILS", "New shekel", 2),
)  # fmt: skip
# code, name, digits, base unit, how many of it
UNITS = (
    ("EA", "Each", 0, "", 1), ("PR", "Pair", 0, "EA", 2), ("DZN", "Dozen", 0, "EA", 12), ("SET", "Set", 0, "", 1), ("BOX", "Box", 0, "", 1),
    ("CTN", "Carton", 0, "", 1), ("PAL", "Pallet", 0, "", 1), ("KG", "Kilogram", 3, "", 1), ("G", "Gram", 1, "KG", "0.001"),
    ("T", "Tonne", 6, "KG", 1000), ("M", "Metre", 3, "", 1), ("CM", "Centimetre", 1, "M", "0.01"), ("MM", "Millimetre", 0, "M", "0.001"),
    ("M2", "Square metre", 3, "", 1), ("M3", "Cubic metre", 3, "", 1), ("L", "Litre", 3, "", 1), ("ML", "Millilitre", 0, "L", "0.001"),
    ("H", "Hour", 2, "", 1), ("MIN", "Minute", 0, "", 1), ("DAY", "Day", 2, "", 1), ("MON", "Month", 0, "", 1), ("YR", "Year", 0, "", 1),
)  # fmt: skip
TERMS = (("NET0", "Due at once", 0), ("NET14", "14 days", 14), ("NET30", "30 days", 30))
PLACES = {"storage": ("MAIN", "Main warehouse"), "supplier": ("SUPPLIER", "Suppliers"), "customer": ("CUSTOMER", "Customers")}
FIRST_NUMBER = {"asset": 1000, "liability": 2000, "equity": 3000, "income": 4000, "expense": 5000}
STEP = 10
# role -> (name, roles of the document kinds it works with, roles of those it sees, menus of the records it keeps, of those it sees)
ROLES: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "sales": ("Sales", ("sale", "request", "return"), ("delivery", "invoice", "payment"), ("Sales", "Parties"), ("Items", "Stock")),
    "warehouse": (
        "Warehouse", ("delivery", "receipt", "transfer", "production", "return"), ("sale", "purchase"), ("Stock",), ("Items", "Parties"),
    ),
    "purchasing": ("Purchasing", ("purchase",), ("receipt", "bill"), ("Purchasing",), ("Items", "Parties", "Stock")),
    "accountant": (
        "Accounting", ("invoice", "bill", "payment"), ("sale", "purchase", "delivery", "receipt", "return"), ("Finance", "Parties"),
        ("Items", "Sales", "Stock"),
    ),
}  # fmt: skip


async def set_up_company(
    app: Newel,
    *,
    code: str,
    name: str,
    currency: str,
    country: str = "",
    amount_digits: int = 2,
    price_digits: int = 4,
    first_year: int | None = None,
    years: int = 3,
    **more: Any,
) -> Company:
    """Make a company with currencies, units, terms, accounts, locations, periods and roles, or add what it lacks.

    Args:
        first_year: of the accounting periods, which are months; this year unless given.
        more: further columns of the company (region, tax_id, rounding, tax_rounding, prices_include_tax, shortage).
    """
    values = {"name": name, "currency": currency, "country": country, "amount_digits": amount_digits, "price_digits": price_digits, **more}
    if currency not in {c[0] for c in CURRENCIES}:
        hint = f"known are {', '.join(c[0] for c in CURRENCIES)}; set the company up in one of them"
        raise Refused(Problem(code="field.reference", message=f"there is no currency {currency!r:.20}", where="currency", hint=hint))
    async with app.database.write() as session:
        await session.need(1000)
        await _common(session)
        company = await _company(session, code, values)
        await _accounts(session, company, app.registry)
        await _locations(session, company, app.registry)
        await _periods(session, company, first_year or app.clock().year, years)
        await _missing(session, LedgerChain, ("company",), [{"company": company}])
        await _roles(session, app.registry)
        await session.flush()
        await session.stale(MASTER)
        await session.stale(USER)
        return (await load_master(session)).companies[company]


async def create_admin(app: Newel, login: str, password: str, name: str = "Administrator") -> int:
    """A user who may do everything, in every company; only where there is none with this login."""
    async with app.database.read() as session:
        found: int | None = await session.value("SELECT id FROM app_user WHERE login = ?", login.strip().lower())
        companies = [r["id"] for r in await session.fetch("SELECT id FROM company ORDER BY id")]
        if not companies:
            raise Refused(Problem(code="missing", message="there is no company yet", hint="set up a company first"))
        context: Context = app.system((await load_master(session)).companies[companies[0]])
    return found or await app.users.create(login, password, name, ["admin"], companies, context)


async def _missing(session: Session, table: Any, key: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> None:
    """Add those rows whose key is not there yet."""
    names = ", ".join(f'"{c}"' for c in key)
    stored = await session.fetch(f'SELECT {names} FROM "{table_name(table)}"')
    have = {tuple(r[c] for c in key) for r in stored}
    for row in rows:
        if tuple(row[c] for c in key) not in have:
            await session.need(1)
            session.add(table, **row)
    await session.flush()


async def _common(session: Session) -> None:
    """What all companies share."""
    await _missing(session, t.Currency, ("code",), [{"code": c, "name": n, "digits": d} for c, n, d in CURRENCIES])
    units = [{"code": c, "name": n, "digits": d, "base": b, "factor": scaled(f, QUANTITY)} for c, n, d, b, f in UNITS]
    await _missing(session, t.Unit, ("code",), units)
    await _missing(session, t.PaymentTerms, ("code",), [{"code": c, "name": n, "days": d} for c, n, d in TERMS])


async def _company(session: Session, code: str, values: dict[str, Any]) -> int:
    await _missing(session, t.Company, ("code",), [{"code": code, **values}])
    return int(await session.value("SELECT id FROM company WHERE code = ?", code))


async def _accounts(session: Session, company: int, registry: Registry) -> None:
    """An account for each account role that has none; the kernel's own roles get the first numbers."""
    mapped = {r["role"] for r in await session.fetch("SELECT role FROM account_mapping WHERE company = ?", company)}
    taken = {r["number"] for r in await session.fetch("SELECT number FROM account WHERE company = ?", company)}
    roles = sorted(registry.account_roles.values(), key=lambda r: registry.owner[f"account role:{r.name}"] != "newel")
    for role in roles:
        if role.name in mapped:
            continue
        number = FIRST_NUMBER[role.kind]
        while str(number) in taken:
            number += STEP
        taken.add(str(number))
        account = session.add(t.Account, company=company, number=str(number), name=role.label, kind=role.kind)
        session.add(t.AccountMapping, company=company, role=role.name, account=account)
    await session.flush()


async def _locations(session: Session, company: int, registry: Registry) -> None:
    """One main location of each kind that has none."""
    have = {r["kind"] for r in await session.fetch("SELECT kind FROM location WHERE company = ?", company)}
    rows = []
    for kind in registry.location_kinds.values():
        code, name = PLACES.get(kind.name, (kind.name.upper(), kind.label or kind.name))
        if kind.name not in have:
            rows.append({"company": company, "code": code, "name": name, "kind": kind.name})
    await _missing(session, t.Location, ("company", "code"), rows)


async def _periods(session: Session, company: int, first_year: int, years: int) -> None:
    starts = [date(year, month, 1) for year in range(first_year, first_year + years) for month in range(1, 13)]
    ends = [*(start - timedelta(days=1) for start in starts[1:]), date(first_year + years - 1, 12, 31)]
    rows = [{"company": company, "code": f"{a:%Y-%m}", "date_from": a, "date_to": z} for a, z in zip(starts, ends, strict=True)]
    await _missing(session, t.Period, ("company", "code"), rows)


# ---- roles ---------------------------------------------------------------------------------------------------------------------------


async def _roles(session: Session, registry: Registry) -> None:
    """The usual roles. A permission is given only where no role says anything about its kind yet: what was taken away stays away."""
    names = {"admin": "Administration", **{code: role[0] for code, role in ROLES.items()}, "viewer": "Looking on"}
    new = set(names) - {r["code"] for r in await session.fetch("SELECT code FROM role")}
    known = {r["permission"].rpartition(".")[0] for r in await session.fetch("SELECT permission FROM role_permission")}
    await _missing(session, t.Role, ("code",), [{"code": code, "name": name} for code, name in names.items()])
    ids = {r["code"]: r["id"] for r in await session.fetch("SELECT id, code FROM role")}
    wanted = [
        (code, permission)
        for code in names
        for permission in sorted(set(permissions_of(code, registry)))
        if code in new or permission.rpartition(".")[0] not in known
    ]
    await session.need(len(wanted))
    await _missing(session, t.RolePermission, ("role", "permission"), [{"role": ids[code], "permission": p} for code, p in wanted])


def permissions_of(code: str, registry: Registry) -> Iterator[str]:
    """What a role may do, by the roles of the document kinds and the menus of the records: no plugin is named."""
    if code == "admin":
        yield "*"
        return
    _, works, sees, keeps, looks = ROLES.get(code, ("", (), tuple({k.role for k in registry.documents.values()}), (), ()))
    yield from _of_documents(code, works, sees, registry)
    if code == "viewer" or {"purchase", "bill"} & {*works}:
        yield COSTS
    for record in registry.records.values():
        menu = _menu(record.name, registry)
        if menu in keeps:
            yield f"{record.name}.edit"
        if menu in (*keeps, *looks) or (code == "viewer" and menu != "Administration"):
            yield f"{record.name}.view"
    for report in registry.reports.values():
        if report.menu in (*keeps, *looks) or code == "viewer":
            yield f"{report.name}.view"


def _of_documents(code: str, works: tuple[str, ...], sees: tuple[str, ...], registry: Registry) -> Iterator[str]:
    for kind in registry.documents.values():
        if kind.role in (*works, *sees):
            yield f"{kind.name}.view"
        if kind.role in works:
            yield f"{kind.name}.edit"
            yield from (f"{kind.name}.{x.name}" for x in kind.transitions if not x.automatic)
        elif code == "accountant" and kind.role in ("sale", "purchase"):
            yield f"{kind.name}.release"  # whoever sells does not release their own holds


def _menu(name: str, registry: Registry) -> str:
    """The menu of a record kind, or of what it is a part of."""
    record, seen = registry.records[name], {name}
    while not record.menu and record.parent:
        target = next((c.references for c in columns(record.table) if c.name == record.parent), "")
        above = next((r for r in registry.records.values() if table_name(r.table) == target), None)
        if above is None or above.name in seen:
            break
        seen.add(above.name)
        record = above
    return record.menu
