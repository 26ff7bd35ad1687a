"""A demonstration company, made by itself: records out of demo.toml, a year of documents through the use cases (story.py).

No plugin and no document kind is named: what kinds there are is looked up by role. A plugin adds records and documents with a TOML file
(Manifest.demo_data, see data.py) or does anything else in an async function that gets the DemoKit (Manifest.demo).
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from importlib.resources import files
from random import Random
from typing import TYPE_CHECKING, Any

import msgspec
from newel.domain.context import Company, Context, User
from newel.domain.document import DocumentInput, LineInput
from newel.domain.kinds import DocumentKind
from newel.domain.money import HUNDRED, rounded
from newel.errors import Problem, Refused, missing
from newel.services.setup import set_up_company
from newel.store.columns import AMOUNT, unscaled

from newel_demo.data import put_documents, put_records

if TYPE_CHECKING:
    from newel.services.app import Newel

SEED = 1797
DAYS = 365
PASSWORD = "nine-oak-treads"  # noqa: S105 - of a company that does not exist
USERS = {"demo": ("Demo", "admin"), "sales": ("Sal Esche", "sales"), "warehouse": ("Wanda Kern", "warehouse"), "accountant": ("Arno Linde", "accountant")}
CUSTOMERS, VENDORS = 100, 15
RATES = {"USD": ("0.93", "0.0001"), "GBP": ("1.17", "0.0001")}
Progress = Callable[[str, int, int], Any]


class DemoItem(msgspec.Struct, frozen=True, kw_only=True):
    """An item of the demonstration."""

    number: str
    kind: str
    tracking: str
    price: Decimal
    cost: Decimal


class DemoResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was made.

    Args:
        documents: (kind, state) -> how many.
        gross: document kind -> sum of the gross amounts, each in its own currency.
        refused: problem code -> how often a step of the story was refused; the document stays as it was.
        logins: of the users.
    """

    company: str
    items: int
    parties: int
    documents: dict[tuple[str, str], int]
    gross: dict[str, Decimal]
    refused: dict[str, int]
    logins: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many documents there are."""
        return sum(self.documents.values())

    def __str__(self) -> str:
        lines = [f"{self.company}: {self.items} items, {self.parties} parties, {self.count} documents"]
        for kind in sorted({kind for kind, _ in self.documents}):
            states = ", ".join(f"{n} {state}" for (k, state), n in sorted(self.documents.items()) if k == kind)
            lines.append(f"  {kind}: {states}")
        lines.append(f"log in as {', '.join(self.logins)}; the password is {PASSWORD}")
        return "\n".join(lines)


class DemoKit:
    """What plugins and the story work with. day is moved on by the story; users are those of USERS by login."""

    def __init__(self, app: Newel, company: Company, seed: int, today: date) -> None:
        self.app, self.company, self.today = app, company, today
        self.random = Random(seed)  # noqa: S311 - nothing is kept secret with it
        self.day = self.start = today - timedelta(days=DAYS)
        self.users: dict[str, User] = {}
        self.settings: Mapping[str, Any] = {}
        self.items: list[DemoItem] = []
        self.password = PASSWORD
        self.customers: list[str] = []
        self.vendors: list[str] = []

    def context(self, login: str = "demo") -> Context:
        """Somebody acts on the story's day."""
        now = datetime.combine(self.day, time(9), self.app.clock().tzinfo)
        user = self.users.get(login) or self.app.system(self.company).user
        return Context(user=user, company=self.company, now=now, today=self.day, source="demo", settings=self.settings)

    async def user(self, login: str, name: str, roles: Sequence[str], **more: Any) -> None:
        """A user with the password of the demonstration."""
        id = await self.app.users.create(login, self.password, name, roles, [self.company.id], self.context(), **more)
        user = await self.app.users.load(id)
        if user is None:
            raise missing("user", login)
        self.users[login] = user

    async def put(self, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Import records, all or none; references by number or code."""
        result = await self.app.records.import_rows(kind, rows, self.context())
        if result.problems:
            raise Refused(*result.problems)


async def demo(app: Newel, *, documents: int = 1000, seed: int = SEED, progress: Progress | None = None, password: str = PASSWORD) -> DemoResult:
    """Make the company in a database that has none.

    Args:
        documents: about how many.
        seed: the same seed on the same day gives the same company.
        progress: called with (what, how far, of how much).
        password: of its users.
    """
    from newel_demo.story import Story

    tell = progress or (lambda _text, _at, _of: None)
    data, today = _read("newel_demo:demo.toml"), app.clock().date()
    async with app.database.read() as session:
        if await session.value("SELECT COUNT(*) AS n FROM company"):
            hint = "choose an empty database"
            raise Refused(Problem(code="demo.company", message="there is a company already", hint=hint), status=409)
    tell("company", 0, documents)
    company = await set_up_company(app, first_year=today.year - 1, years=3, **data["company"])
    kit = DemoKit(app, company, seed, today)
    kit.password = password
    for login, (name, role) in USERS.items():
        await kit.user(login, name, [role])
    await _records(kit, data)
    theirs = [_read(m.demo_data) for name in app.plugins.order if (m := app.plugins.manifests[name]).demo_data]
    for file in theirs:
        await put_records(kit, file)
    tell("opening stock", 0, documents)
    await _stock(kit)
    for name in app.plugins.order:
        if run := app.plugins.manifests[name].demo:
            await run(kit)
    refused = Counter(await Story(kit, documents, tell).tell())
    for file in theirs:
        await put_documents(kit, file, refused)
    return await result(kit, dict(refused))


def _read(place: str) -> dict[str, Any]:
    """The content of a TOML file, named as "package:file"."""
    package, _, name = place.partition(":")
    return tomllib.loads(files(package).joinpath(name).read_text("utf-8"))


async def result(kit: DemoKit, refused: dict[str, int]) -> DemoResult:
    """Count what was made."""
    sql = "SELECT kind, state, COUNT(*) AS n, CAST(SUM(gross) AS BIGINT) AS gross FROM document WHERE company = ? GROUP BY kind, state ORDER BY kind, state"
    async with kit.app.database.read() as session:
        rows = await session.fetch(sql, kit.company.id)
    gross: dict[str, Decimal] = {}
    for r in rows:
        gross[r["kind"]] = gross.get(r["kind"], Decimal(0)) + unscaled(r["gross"], AMOUNT)
    return DemoResult(
        company=kit.company.name, items=len(kit.items), parties=len(kit.customers) + len(kit.vendors), refused=refused, gross=gross,
        documents={(r["kind"], r["state"]): r["n"] for r in rows}, logins=tuple(kit.users),
    )  # fmt: skip


# ---- records -------------------------------------------------------------------------------------------------------------------------


async def _records(kit: DemoKit, data: dict[str, Any]) -> None:
    await put_records(kit, data)
    rates = []
    for currency, (first, step) in RATES.items():
        rate = Decimal(first)
        for week in range(DAYS // 7 + 2):
            rates.append({"currency": currency, "rate": rate, "date_from": kit.start + timedelta(days=7 * (week - 1))})
            rate += Decimal(step) * kit.random.randint(-60, 62)
    await kit.put("newel.currency_rate", rates)
    await _items(kit, data["items"]["families"])
    await _parties(kit, data)


async def _items(kit: DemoKit, families: Sequence[Mapping[str, Any]]) -> None:
    rows: list[dict[str, Any]] = []
    prices, costs = [], []
    for family in families:
        for n, size in enumerate(family["sizes"]):
            number = family["prefix"] if family["prefix"] == family["prefix"].upper() and not size else f"{family['prefix']}-{n + 1:02}"
            kind, price = family.get("kind", "goods"), Decimal(family["price"]) + n * Decimal(family["step"])
            rows.append(
                {
                    "number": number, "name": family["name"].format(size).strip(), "kind": kind, "unit": family["unit"], "item_class": family["class"],
                    "tax_category": family.get("tax", "standard"), "tracking": family.get("tracking", "none"),
                    "gtin": gtin(f"400{len(rows) + 1:09}") if kind == "goods" else "",
                    "account_role": "freight_revenue" if kind == "freight" else "",
                }
            )  # fmt: skip
            cost = rounded(price * family["cost"] / HUNDRED, 2)
            prices.append({"item": number, "currency": kit.company.currency, "price": price})
            costs.append({"item": number, "cost": cost})
            kit.items.append(DemoItem(number=number, kind=kind, tracking=family.get("tracking", "none"), price=price, cost=cost))
    await kit.put("newel.item", rows)
    await kit.put("newel.item_price", prices)
    await kit.put("newel.item_cost", costs)


def gtin(digits: str) -> str:
    """A GTIN-13: twelve digits and their check digit."""
    total = sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(digits))
    return digits + str(-total % 10)


async def _parties(kit: DemoKit, data: Mapping[str, Any]) -> None:
    """Customers and vendors, spread over the countries by weight, with one or two addresses."""
    parties, addresses = [], []
    for country, n, vendor in _spread(kit, data["country"]):
        party = _party(kit, data["parties"], country, n, vendor)
        parties.append(party)
        (kit.vendors if vendor else kit.customers).append(party["number"])
        for kind in ("main", "shipping")[: 1 if vendor else kit.random.choice((1, 1, 1, 2))]:
            postcode, city, region = kit.random.choice(country["towns"])
            street = f"{kit.random.choice(data['parties']['streets'])} {kit.random.randint(1, 180)}"
            where = {"street": street, "postcode": postcode, "city": city, "region": region, "country": country["code"]}
            addresses.append({"party": party["number"], "kind": kind, "name": party["name"], **where})
    await kit.put("newel.party", parties)
    await kit.put("newel.address", addresses)


def _spread(kit: DemoKit, countries: Sequence[Mapping[str, Any]]) -> Iterator[tuple[Mapping[str, Any], int, bool]]:
    weights = [c["weight"] for c in countries]
    for n in range(CUSTOMERS + VENDORS):
        yield kit.random.choices(countries, weights)[0], n, n >= CUSTOMERS


def _party(kit: DemoKit, words: Mapping[str, Any], country: Mapping[str, Any], n: int, vendor: bool) -> dict[str, Any]:
    pick = kit.random.choice
    trade = pick(words["vendor_trades" if vendor else "trades"])
    public = trade in ("Town hall", "Housing")
    foreign = "treatment" in country and not public and kit.random.random() < 0.75
    return {
        "number": f"V{n - CUSTOMERS + 1:03}" if vendor else f"C{n + 1:03}",
        "name": f"{words['names'][n % len(words['names'])]} {trade}{'' if public else ' ' + country['form']}",
        "party_class": "VENDOR" if vendor else "PUBLIC" if public else pick(("TRADE", "CRAFT", "CRAFT")),
        "is_customer": not vendor,
        "is_vendor": vendor,
        "currency": country.get("currency", ""),
        "language": country.get("language", "en"),
        "terms": pick(("NET10", "NET14", "NET30", "NET30", "NET45EOM")),
        "tax_id": country["tax_id"].format(kit.random.randint(10**6, 10**8 - 1)) if foreign else "",
        "tax_treatment": country["treatment"] if foreign else "standard",
        "tax_reason": country["reason"] if foreign else "",
        "limit_amount": None if vendor or kit.random.random() < 0.7 else pick((50_000, 100_000, 250_000)),
        "email": f"office@{'v' if vendor else 'c'}{n + 1:03}.example",
    }


# ---- goods ---------------------------------------------------------------------------------------------------------------------------


def receiving(kit: DemoKit) -> tuple[DocumentKind, str] | None:
    """The kind of document by which goods come in, and its transition that moves them."""
    for kind in sorted(kit.app.registry.documents.values(), key=lambda k: k.name):
        for transition in kind.transitions if kind.role == "receipt" else ():
            if "move" in transition.effects and kind.initial.name in transition.sources:
                return kind, transition.name
    return None


async def receive(kit: DemoKit, items: Sequence[DemoItem], quantities: tuple[int, int], text: str) -> None:
    """Goods come in from a vendor, at cost."""
    found = receiving(kit)
    lines = [line for item in items for line in _arriving(kit, item, kit.random.randint(*quantities))]
    if found is not None and lines:
        entered = DocumentInput(party=kit.random.choice(kit.vendors), currency=kit.company.currency, reference=text, lines=tuple(lines))
        await kit.app.documents.create(found[0].name, entered, kit.context("warehouse"), then=(found[1],))


def _arriving(kit: DemoKit, item: DemoItem, quantity: int) -> Iterator[LineInput]:
    if item.kind != "goods":
        return
    if item.tracking == "serial":
        for n in range(quantity // 10):
            yield LineInput(item=item.number, price=item.cost, lot=f"{item.number}-{kit.day:%y%m%d}-{n + 1:03}")
    else:
        lot = f"L{kit.day:%y%m%d}" if item.tracking == "lot" else None
        yield LineInput(item=item.number, quantity=Decimal(quantity), price=item.cost, lot=lot)


async def _stock(kit: DemoKit) -> None:
    for n in range(0, len(kit.items), 40):
        await receive(kit, kit.items[n : n + 40], (60, 240), "opening stock")
