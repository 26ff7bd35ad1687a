"""Record kinds of the kernel's own master tables: what a person reads about them, and their bounds."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from newel import kernel_rules as rules
from newel.manifest import Field, RecordKind
from newel.services.access import COSTS
from newel.store import tables_master as t

MASTER, ITEM, PARTY, USER = "newel.master", "newel.item", "newel.party", "newel.user"
ZERO, ONE = Decimal(0), Decimal(1)
SMALLEST = Decimal("0.000001")
LANGUAGES = (("en", "English"), ("de", "Deutsch"), ("zh", "中文"), ("tr", "Türkçe"), ("sl", "Slovenščina"))
TAX_CATEGORIES = (("standard", "Standard"), ("reduced", "Reduced"), ("zero", "Zero"), ("exempt", "Exempt"), ("outside", "Not taxable"))
COUNTRY_HELP = "Two letters after ISO 3166, such as DE."


# ---- shorthands --------------------------------------------------------------------------------------------------------------------


def _currency_field(required: bool = True, **more: Any) -> Field:
    return Field(name="currency", code_of="newel.currency", required=required, **more)


def _unit_field(name: str = "unit", required: bool = True, **more: Any) -> Field:
    return Field(name=name, code_of="newel.unit", required=required, **more)


async def _no_entry_meanwhile(session: Any, _rows: Any, context: Any) -> None:
    """Whoever closes a period waits for entries that are under way, and those that come later see that it is closed."""
    await session.fetch("SELECT number FROM ledger_chain WHERE company = ? FOR UPDATE", context.company.id)


async def _beyond(session: Any, _rows: Any, context: Any) -> SimpleNamespace:
    """What whoever writes may not do: one permission of each such role, and of each user who has it. Nobody gives more than they have."""
    user = context.user
    roles = {g["role"]: g["permission"] for g in await session.fetch("SELECT role, permission FROM role_permission") if not user.may(g["permission"])}
    users = {u["user"]: roles[u["role"]] for u in await session.fetch('SELECT "user", role FROM user_role') if u["role"] in roles}
    return SimpleNamespace(roles=roles, users=users, may=user.may)


def _role_field(required: bool = False, name: str = "account_role") -> Field:
    return Field(name=name, label="Account role", choices_of="account_roles", required=required, help="What the account is for.")


def _choice(name: str, choices: tuple[tuple[str, str], ...], text: str = "", **more: Any) -> Field:
    return Field(name=name, choices=choices, help=text, **more)


FROM = Field(name="date_from", label="From", help="First day on which it holds; empty for always.")
TO = Field(name="date_to", label="To", help="Last day on which it holds; empty for no end.")
ACTIVE = Field(name="active", help="Only active ones are offered; what exists already is kept.", list=True)

ADMINISTRATION = (
    RecordKind(
        name="newel.company", table=t.Company, label="Company", label_plural="Companies", title=("code", "name"), search=("code", "name"),
        facts=MASTER, check=rules.country, menu="Administration", help="A legal entity that keeps books.",
        fields=(
            _currency_field(help="The currency of its books."),
            Field(name="country", help=COUNTRY_HELP),
            Field(name="tax_id", label="Tax number"),
            Field(name="amount_digits", minimum=ZERO, maximum=Decimal(4), help="Digits after the point of amounts."),
            Field(name="price_digits", minimum=ZERO, maximum=Decimal(6), help="Digits after the point of unit prices."),
            _choice("rounding", (("half_up", "Half up"), ("half_even", "Half to even"), ("down", "Towards zero"), ("up", "Away from zero"),
                                 ("floor", "Down"), ("ceiling", "Up"))),
            _choice("tax_rounding", (("document", "Per document"), ("line", "Per line")), "Where tax is rounded."),
            _choice("shortage", (("backorder", "Promise what is there, the rest later"), ("block", "Refuse")),
                    "What a sale of more than there is meets."),
        ),
    ),
    RecordKind(
        name="newel.user", table=t.AppUser, label="User", label_plural="Users", title=("login",), search=("login", "name", "email"),
        facts=USER, check=rules.user, check_facts=_beyond, menu="Administration", help="Somebody who may log in.",
        fields=(
            Field(name="login", help="Name to log in with, in small letters."),
            Field(name="password", secret=True, readonly=True),
            Field(name="login_step", label="Further step", readonly=True, help="The plugin that asks for more than the password."),
            _choice("language", LANGUAGES),
            Field(name="party", help="The customer or vendor that this user belongs to; empty for people of the company."),
            ACTIVE,
        ),
    ),
    RecordKind(
        name="newel.user_role", table=t.UserRole, label="Role of a user", label_plural="Roles of users", title=("user", "role"),
        parent="user", facts=USER, check=rules.user_role, check_facts=_beyond,
    ),
    RecordKind(
        name="newel.user_company", table=t.UserCompany, label="Company of a user", label_plural="Companies of users",
        title=("user", "company"), parent="user", facts=USER, scope="", help="Companies that a user may work for.",
    ),
    RecordKind(
        name="newel.role", table=t.Role, label="Role", label_plural="Roles", title=("name",), search=("code", "name"), facts=USER,
        menu="Administration", help="A set of permissions with a name.",
    ),
    RecordKind(
        name="newel.role_permission", table=t.RolePermission, label="Permission of a role", label_plural="Permissions of roles",
        title=("role", "permission"), search=("permission",), parent="role", facts=USER, check=rules.permission, check_facts=_beyond,
        fields=(Field(name="permission", help='A permission, or one ending in ".*" for all below it; "*" is everything.'),),
    ),
    RecordKind(
        name="newel.number_series", table=t.NumberSeries, label="Number series", label_plural="Number series", title=("kind", "year"),
        search=("kind", "prefix"), facts=MASTER, menu="Administration", help="How documents of a kind are numbered.",
        fields=(
            Field(name="kind", label="Document kind", choices_of="documents"),
            Field(name="year", minimum=ZERO, maximum=Decimal(9999), help="0 for a series that runs on over the years."),
            Field(name="digits", minimum=ONE, maximum=Decimal(12)),
            Field(name="next", label="Next number", minimum=ONE),
        ),
    ),
)  # fmt: skip

ITEMS = (
    RecordKind(
        name="newel.item", table=t.Item, label="Item", label_plural="Items", title=("number", "name"), search=("number", "name", "gtin"),
        facts=ITEM, menu="Items", help="What the company buys, makes and sells.",
        fields=(
            _choice("kind", tuple((k, k.capitalize()) for k in ("goods", "service", "charge", "freight", "warranty")),
                    "Goods have stock; charge, freight and warranty stand once in a document."),
            _unit_field(help="In which stock, list price and cost are kept."),
            Field(name="item_class", label="Class"),
            _choice("tax_category", TAX_CATEGORIES),
            _choice("tracking", (("none", "None"), ("lot", "By lot"), ("serial", "By serial number")), list=False),
            Field(name="gtin", label="GTIN", help="The number under the barcode.", list=False),
            _role_field(),
            ACTIVE,
        ),
    ),
    RecordKind(
        name="newel.item_class", table=t.ItemClass, label="Item class", label_plural="Item classes", title=("code", "name"),
        search=("code", "name"), facts=(MASTER, ITEM), check=rules.parent, menu="Items", help="Items that have something in common.",
        fields=(Field(name="parent", help="The wider class that this one is a part of."),),
    ),
    RecordKind(
        name="newel.item_unit", table=t.ItemUnit, label="Unit of an item", label_plural="Units of items", title=("item", "unit"),
        parent="item", facts=ITEM,
        fields=(_unit_field(), Field(name="factor", minimum=SMALLEST, help="How many of the item's own unit one of it is.")),
    ),
    RecordKind(
        name="newel.item_price", table=t.ItemPrice, label="List price", label_plural="List prices", title=("item", "currency", "date_from"),
        parent="item", facts=ITEM, check=rules.dates,
        fields=(_currency_field(), Field(name="price", minimum=ZERO, required=True, help="For one of the item's own unit."), FROM, TO),
    ),
    RecordKind(
        name="newel.item_cost", table=t.ItemCost, label="Standard cost", label_plural="Standard costs", title=("item", "date_from"),
        parent="item", facts=ITEM, check=rules.dates,
        fields=(
            Field(name="cost", minimum=ZERO, required=True, right=COSTS, help="For one of the item's own unit, in the company's currency."), FROM, TO,
        ),
    ),
    RecordKind(
        name="newel.unit", table=t.Unit, label="Unit", label_plural="Units", title=("code", "name"), search=("code", "name"), facts=MASTER,
        check=rules.unit, menu="Items", help="A unit of measure.",
        fields=(
            Field(name="digits", minimum=ZERO, maximum=Decimal(6), help="Digits after the point that a quantity may have."),
            _unit_field("base", required=False, help="The unit that it is a multiple of."),
            Field(name="factor", minimum=SMALLEST, help="How many of the base unit one of it is."),
        ),
    ),
)  # fmt: skip

PARTIES = (
    RecordKind(
        name="newel.party", table=t.Party, label="Party", label_plural="Parties", title=("number", "name"),
        search=("number", "name", "email", "tax_id"), details=("newel.address.city", "tax_id"), facts=PARTY, menu="Parties",
        help="Customer, vendor or anybody else.",
        fields=(
            Field(name="party_class", label="Class"),
            Field(name="is_customer", label="Customer"),
            Field(name="is_vendor", label="Vendor"),
            _currency_field(required=False, help="Empty for the company's own."),
            _choice("language", LANGUAGES, "In which documents are printed."),
            Field(name="terms", label="Terms of payment", code_of="newel.payment_terms"),
            Field(name="tax_id", label="Tax number"),
            _choice("tax_treatment", (("standard", "Standard"), ("exempt", "Exempt"), ("reverse_charge", "Reverse charge"),
                                      ("export", "Export"), ("outside", "Outside the scope"))),
            Field(name="tax_reason", help="Printed where no tax is charged."),
            Field(name="limit_amount", label="Credit limit", minimum=ZERO, help="In the company's currency; empty for no limit."),
            Field(name="service_level", minimum=ZERO, maximum=Decimal(9), help="0 to 9; higher is served first."),
            _choice("blocked", (("", "Not blocked"), ("orders", "New orders"), ("all", "Everything"))),
            Field(name="email", label="E-mail"),
            ACTIVE,
        ),
    ),
    RecordKind(
        name="newel.party_class", table=t.PartyClass, label="Party class", label_plural="Party classes", title=("code", "name"),
        search=("code", "name"), facts=(MASTER, PARTY), check=rules.parent, menu="Parties", help="Parties that have something in common.",
        fields=(Field(name="parent", help="The wider class that this one is a part of."),),
    ),
    RecordKind(
        name="newel.address", table=t.Address, label="Address", label_plural="Addresses", title=("street", "postcode", "city"),
        search=("name", "street", "postcode", "city"), parent="party", facts=PARTY, check=rules.country,
        fields=(
            Field(name="kind", help="main, billing, shipping, or a word of the company's own."),
            Field(name="street", required=False),
            Field(name="postcode", required=False),
            Field(name="city", required=False),
            Field(name="region", help="Code of the state or province."),
            Field(name="country", help=COUNTRY_HELP),
        ),
    ),
    RecordKind(
        name="newel.payment_terms", table=t.PaymentTerms, label="Terms of payment", label_plural="Terms of payment", title=("code", "name"),
        search=("code", "name"), facts=MASTER, menu="Parties",
        fields=(
            Field(name="days", minimum=ZERO, maximum=Decimal(3650), help="Days from the document's date until it is due."),
            Field(name="end_of_month", help="Due at the end of that month."),
        ),
    ),
)  # fmt: skip

FINANCE = (
    RecordKind(
        name="newel.currency", table=t.Currency, label="Currency", label_plural="Currencies", title=("code", "name"),
        search=("code", "name"), facts=MASTER, check=rules.currency, menu="Finance",
        fields=(Field(name="code", help="Three letters after ISO 4217."), Field(name="digits", minimum=ZERO, maximum=Decimal(4))),
    ),
    RecordKind(
        name="newel.currency_rate", table=t.CurrencyRate, label="Exchange rate", label_plural="Exchange rates",
        title=("currency", "date_from"), search=("currency",), facts=MASTER, append_only=True, menu="Finance",
        help="Who entered which rate when, and from which day it holds. A correction is a new entry; the old one stays.",
        fields=(
            _currency_field(),
            Field(name="rate", minimum=Decimal("0.0000000001"), required=True, help="Company currency for one unit of this currency."),
            Field(name="date_from", label="Effective from", required=True),
            Field(name="entered_at", readonly=True),
            Field(name="entered_by", readonly=True),
        ),
    ),
    RecordKind(
        name="newel.account", table=t.Account, label="Account", label_plural="Accounts", title=("number", "name"),
        search=("number", "name"), facts=MASTER, menu="Finance",
        fields=(
            Field(name="kind", required=True, choices=(("asset", "Asset"), ("liability", "Liability"), ("equity", "Equity"),
                                                       ("income", "Income"), ("expense", "Expense"))),
            ACTIVE,
        ),
    ),
    RecordKind(
        name="newel.account_mapping", table=t.AccountMapping, label="Account of a role", label_plural="Accounts of roles",
        title=("role", "account"), search=("role",), facts=MASTER, menu="Finance", help="Which account stands for which role.",
        fields=(_role_field(required=True, name="role"),),
    ),
    RecordKind(
        name="newel.period", table=t.Period, label="Period", label_plural="Periods", title=("code",), search=("code",), facts=MASTER,
        check=rules.period, check_facts=_no_entry_meanwhile, menu="Finance", help="Entries are made in open periods only.",
        fields=(
            Field(name="date_from", label="From", required=True),
            Field(name="date_to", label="To", required=True),
            _choice("state", (("open", "Open"), ("closed", "Closed"))),
        ),
    ),
    RecordKind(
        name="newel.tax_rate", table=t.TaxRate, label="Tax rate", label_plural="Tax rates", title=("code", "name"), search=("code", "name"),
        facts=MASTER, check=rules.tax_rate, menu="Finance", help="What an item's tax category means in a place, from one day to another.",
        fields=(
            Field(name="name", required=False),
            _choice("category", TAX_CATEGORIES),
            Field(name="country", help=COUNTRY_HELP + " Empty for everywhere."),
            Field(name="rate", label="Percent", minimum=ZERO, maximum=Decimal(1000), list=True),
            _role_field(), FROM, TO,
        ),
    ),
)  # fmt: skip

STOCK = (
    RecordKind(
        name="newel.location", table=t.Location, label="Location", label_plural="Locations", title=("code", "name"),
        search=("code", "name"), facts=MASTER, check=rules.parent, menu="Stock", help="A warehouse, a bin, or the other end of a move.",
        fields=(
            Field(name="kind", choices_of="location_kinds"),
            Field(name="parent", label="Part of"),
            Field(name="owner", help="The party whose goods lie there; empty for the company's own."),
            Field(name="party", help="The party at whose premises it is."),
            ACTIVE,
        ),
    ),
    RecordKind(
        name="newel.lot", table=t.Lot, label="Lot", label_plural="Lots", title=("number",), search=("number",), menu="Stock", facts=ITEM,
        help="Goods of one item that are kept apart: a lot, or a single piece with its serial number.",
        fields=(Field(name="date_expiry", label="Expires"),),
    ),
)  # fmt: skip

RECORDS: tuple[RecordKind, ...] = (*ADMINISTRATION, *ITEMS, *PARTIES, *FINANCE, *STOCK)
