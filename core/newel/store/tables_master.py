"""Tables of what changes rarely: companies, parties, items, units, currencies, accounts, places, users, settings."""

from __future__ import annotations

from piccolo.columns import JSON, Boolean, Date, Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel.store.columns import AMOUNT, PRICE, QUANTITY, RATE, Id, Long, ScaledInt, ref


class Company(Table, tablename="company"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    currency = Varchar(length=3)
    street = Varchar(length=200)
    postcode = Varchar(length=20)
    city = Varchar(length=100)
    country = Varchar(length=2)
    region = Varchar(length=10)
    tax_id = Varchar(length=30)
    amount_digits = Long(default=2)
    price_digits = Long(default=4)
    rounding = Varchar(length=10, default="half_up")
    tax_rounding = Varchar(length=10, default="document")
    prices_include_tax = Boolean(default=False)
    shortage = Varchar(length=10, default="backorder")


class Currency(Table, tablename="currency"):
    id = Id()
    code = Varchar(length=3, unique=True)
    name = Varchar(length=60)
    digits = Long(default=2)


class CurrencyRate(Table, tablename="currency_rate"):
    id = Id()
    company = ref(Company)
    currency = Varchar(length=3)
    rate = ScaledInt(scale=RATE)
    date_from = Date(default=None, null=True)
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=60)
    uq_currency_rate = Unique(["company", "currency", "date_from", "entered_at"])


class Unit(Table, tablename="unit"):
    id = Id()
    code = Varchar(length=10, unique=True)
    name = Varchar(length=60)
    digits = Long(default=0)
    base = Varchar(length=10)
    factor = ScaledInt(scale=QUANTITY, default=1_000_000)


class ItemClass(Table, tablename="item_class"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)
    parent = ref("self", null=True)


class Item(Table, tablename="item"):
    id = Id()
    number = Varchar(length=40, unique=True)
    name = Varchar(length=200, index=True)
    kind = Varchar(length=10, default="goods")
    unit = Varchar(length=10, default="EA")
    item_class = ref(ItemClass, null=True)
    tax_category = Varchar(length=20, default="standard")
    tracking = Varchar(length=10, default="none")
    gtin = Varchar(length=14, index=True)
    account_role = Varchar(length=40)
    description = Text()
    active = Boolean(default=True)


class ItemUnit(Table, tablename="item_unit"):
    id = Id()
    item = ref(Item, cascade=True)
    unit = Varchar(length=10)
    factor = ScaledInt(scale=QUANTITY, default=1_000_000)
    uq_item_unit = Unique(["item", "unit"])


class ItemPrice(Table, tablename="item_price"):
    id = Id()
    item = ref(Item, cascade=True)
    currency = Varchar(length=3)
    price = ScaledInt(scale=PRICE)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)
    uq_item_price = Unique(["item", "currency", "date_from"])


class ItemCost(Table, tablename="item_cost"):
    id = Id()
    item = ref(Item, cascade=True)
    company = ref(Company)
    cost = ScaledInt(scale=PRICE)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)
    uq_item_cost = Unique(["item", "company", "date_from"])


class PartyClass(Table, tablename="party_class"):
    id = Id()
    code = Varchar(length=30, unique=True)
    name = Varchar(length=120)
    parent = ref("self", null=True)


class PaymentTerms(Table, tablename="payment_terms"):
    id = Id()
    code = Varchar(length=20, unique=True)
    name = Varchar(length=120)
    days = Long(default=0)
    end_of_month = Boolean(default=False)


class Party(Table, tablename="party"):
    id = Id()
    number = Varchar(length=30, unique=True)
    name = Varchar(length=200, index=True)
    party_class = ref(PartyClass, null=True)
    is_customer = Boolean(default=True)
    is_vendor = Boolean(default=False)
    currency = Varchar(length=3)
    language = Varchar(length=5, default="en")
    terms = Varchar(length=20)
    tax_id = Varchar(length=30)
    tax_treatment = Varchar(length=20, default="standard")
    tax_reason = Varchar(length=200)
    limit_amount = ScaledInt(scale=AMOUNT, default=None, null=True)
    service_level = Long(default=0)
    blocked = Varchar(length=10)
    email = Varchar(length=200)
    phone = Varchar(length=40)
    active = Boolean(default=True)


class Address(Table, tablename="address"):
    id = Id()
    party = ref(Party, cascade=True)
    kind = Varchar(length=20, default="main")
    name = Varchar(length=200)
    street = Varchar(length=200)
    postcode = Varchar(length=20)
    city = Varchar(length=100)
    region = Varchar(length=10)
    country = Varchar(length=2)


class Location(Table, tablename="location"):
    id = Id()
    company = ref(Company)
    code = Varchar(length=30)
    name = Varchar(length=120)
    kind = Varchar(length=20, default="storage")
    parent = ref("self", null=True)
    owner = ref(Party, null=True)
    party = ref(Party, null=True)
    active = Boolean(default=True)
    uq_location = Unique(["company", "code"])


class Lot(Table, tablename="lot"):
    id = Id()
    item = ref(Item)
    number = Varchar(length=60)
    date_expiry = Date(default=None, null=True)
    uq_lot = Unique(["item", "number"])


class Account(Table, tablename="account"):
    id = Id()
    company = ref(Company)
    number = Varchar(length=20)
    name = Varchar(length=120)
    kind = Varchar(length=10)
    active = Boolean(default=True)
    uq_account = Unique(["company", "number"])


class AccountMapping(Table, tablename="account_mapping"):
    id = Id()
    company = ref(Company)
    role = Varchar(length=40)
    account = ref(Account)
    uq_account_mapping = Unique(["company", "role"])


class Period(Table, tablename="period"):
    id = Id()
    company = ref(Company)
    code = Varchar(length=20)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)
    state = Varchar(length=10, default="open")
    uq_period = Unique(["company", "code"])


class NumberSeries(Table, tablename="number_series"):
    id = Id()
    company = ref(Company)
    kind = Varchar(length=60)
    year = Long(default=0)
    prefix = Varchar(length=20)
    digits = Long(default=5)
    next = Long(default=1)
    uq_number_series = Unique(["company", "kind", "year"])


class TaxRate(Table, tablename="tax_rate"):
    id = Id()
    code = Varchar(length=20)
    name = Varchar(length=120)
    category = Varchar(length=20, default="standard")
    country = Varchar(length=2)
    region = Varchar(length=10)
    rate = ScaledInt(scale=QUANTITY)
    account_role = Varchar(length=40)
    date_from = Date(default=None, null=True)
    date_to = Date(default=None, null=True)
    uq_tax_rate = Unique(["code", "category", "country", "region", "date_from"])


class Role(Table, tablename="role"):
    id = Id()
    code = Varchar(length=40, unique=True)
    name = Varchar(length=120)


class RolePermission(Table, tablename="role_permission"):
    id = Id()
    role = ref(Role, cascade=True)
    permission = Varchar(length=120)
    uq_role_permission = Unique(["role", "permission"])


class AppUser(Table, tablename="app_user"):
    id = Id()
    login = Varchar(length=60, unique=True)
    name = Varchar(length=120)
    password = Varchar(length=200, secret=True)
    email = Varchar(length=200)
    language = Varchar(length=5, default="en")
    party = ref(Party, null=True)
    active = Boolean(default=True)
    login_step = Varchar(length=60)


class UserRole(Table, tablename="user_role"):
    id = Id()
    user = ref(AppUser, cascade=True)
    role = ref(Role)
    uq_user_role = Unique(["user", "role"])


class UserCompany(Table, tablename="user_company"):
    id = Id()
    user = ref(AppUser, cascade=True)
    company = ref(Company)
    uq_user_company = Unique(["user", "company"])


class UserSession(Table, tablename="user_session"):
    id = Id()
    token = Varchar(length=64, unique=True, secret=True)
    user = ref(AppUser, cascade=True)
    company = ref(Company)
    created_at = Timestamptz(default=None, null=True)
    seen_at = Timestamptz(default=None, null=True)
    expires_at = Timestamptz(default=None, null=True)
    address = Varchar(length=60)
    agent = Varchar(length=200)
    csrf = Varchar(length=64, secret=True)
    step = Varchar(length=60)


class LoginAttempt(Table, tablename="login_attempt"):
    id = Id()
    key = Varchar(length=64, index=True)
    at = Timestamptz(default=None, null=True)
    good = Boolean(default=False)


class ApiToken(Table, tablename="api_token"):
    id = Id()
    token = Varchar(length=64, unique=True, secret=True)
    user = ref(AppUser, cascade=True)
    company = ref(Company)
    name = Varchar(length=120)
    created_at = Timestamptz(default=None, null=True)
    expires_at = Timestamptz(default=None, null=True)


class Setting(Table, tablename="setting"):
    id = Id()
    company = ref(Company, null=True)
    plugin = Varchar(length=60)
    value = JSON(default="{}")
    uq_setting = Unique(["company", "plugin"])


class FactVersion(Table, tablename="fact_version"):
    name = Varchar(length=60, primary_key=True)
    version = Long(default=0)


MASTER = (
    Company, Currency, CurrencyRate, Unit, ItemClass, Item, ItemUnit, ItemPrice, ItemCost, PartyClass, PaymentTerms, Party, Address, Location,
    Lot, Account, AccountMapping, Period, NumberSeries, TaxRate, Role, RolePermission, AppUser, UserRole, UserCompany, UserSession, LoginAttempt, ApiToken,
    Setting, FactVersion,
)  # fmt: skip
