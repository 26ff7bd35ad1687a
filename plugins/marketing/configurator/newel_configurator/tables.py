"""What may be configured, what may be chosen, and every configuration that was ever sold."""

from __future__ import annotations

from decimal import Decimal

from newel.manifest import Field, RecordKind
from newel.store.columns import PRICE, QUANTITY, Id, Long, ScaledInt, ref
from newel.store.tables_master import Company, Item
from piccolo.columns import Boolean, Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table

from newel_configurator.checks import check_configuration, check_rule


class Model(Table, tablename="configurator_model"):
    id = Id()
    company = ref(Company)
    item = ref(Item)
    base = Boolean(default=False)
    active = Boolean(default=True)
    uq_configurator_model = Unique(["company", "item"])


class Feature(Table, tablename="configurator_feature"):
    id = Id()
    model = ref(Model, cascade=True)
    code = Varchar(length=20)
    name = Varchar(length=80)
    required = Boolean(default=False)
    several = Boolean(default=False)
    sequence = Long(default=100)
    uq_configurator_feature = Unique(["model", "code"])


class Option(Table, tablename="configurator_option"):
    id = Id()
    feature = ref(Feature, cascade=True)
    item = ref(Item)
    quantity = ScaledInt(scale=QUANTITY, default=1_000_000)
    quantity_max = ScaledInt(scale=QUANTITY, default=None, null=True)
    price_mode = Varchar(length=10, default="surcharge")
    surcharge = ScaledInt(scale=PRICE)
    preset = Boolean(default=False)
    sequence = Long(default=100)
    uq_configurator_option = Unique(["feature", "item"])


class Rule(Table, tablename="configurator_rule"):
    id = Id()
    model = ref(Model, cascade=True)
    option = ref(Option, cascade=True)
    kind = Varchar(length=10, default="requires")
    other = ref(Option, cascade=True)
    reason = Varchar(length=200)


class Configuration(Table, tablename="configurator_configuration"):
    id = Id()
    company = ref(Company)
    number = Varchar(length=20)
    item = ref(Item)
    content = Text()
    entered_at = Timestamptz(default=None, null=True)
    entered_by = Varchar(length=80)
    uq_configurator_configuration = Unique(["company", "number"])


TABLES = (Model, Feature, Option, Rule, Configuration)
KINDS = (("requires", "Requires"), ("excludes", "Excludes"), ("default", "Chooses, unless somebody decides"))
MODES = (("surcharge", "Surcharge on the line"), ("item", "The price of its own item"))
RECORDS = (
    RecordKind(
        name="configurator.model", table=Model, label="Configurable item", label_plural="Configurable items", title=("item",),
        facts="configurator", menu="Sales", help="An item whose features are chosen when it is sold.",
        fields=(Field(name="base", label="Is a part itself", list=True, help="Shipped beside its options. Otherwise it is made up of these."),),
    ),
    RecordKind(
        name="configurator.feature", table=Feature, label="Feature", label_plural="Features", title=("code", "name"), parent="model",
        facts="configurator", help="What is chosen from, such as motors.",
        fields=(Field(name="several", label="Several options", help="More than one option may be chosen."),),
    ),
    RecordKind(
        name="configurator.option", table=Option, label="Option", label_plural="Options", title=("item",), parent="feature",
        facts="configurator", help="An item that may be chosen for a feature.",
        fields=(
            Field(name="item", label="Part", list=True),
            Field(name="quantity", list=True, minimum=Decimal("0.000001"), help="In one configured item."),
            Field(name="quantity_max", label="At most", minimum=Decimal("0.000001"), help="Empty: the quantity can't be changed."),
            Field(name="price_mode", label="Price", choices=MODES, list=True),
            Field(name="surcharge", list=True, help="For one, in the company's currency; negative for less."),
            Field(name="preset", list=True, help="Chosen unless something else is."),
        ),
    ),
    RecordKind(
        name="configurator.rule", table=Rule, label="Rule between options", label_plural="Rules between options", parent="model",
        title=("kind",), facts="configurator", check=check_rule, help="What one option means for another.",
        fields=(
            Field(name="kind", choices=KINDS, list=True),
            Field(name="reason", list=True, help="Why: shown to whoever chooses what can't be."),
        ),
    ),
    RecordKind(
        name="configurator.configuration", table=Configuration, label="Known configuration", label_plural="Known configurations",
        title=("number",), search=("number", "content"), menu="Sales", check=check_configuration,
        help="Every configuration that was ever confirmed. Its number follows from its content; enter it on a line to use it again.",
        fields=(Field(name="entered_at", readonly=True), Field(name="entered_by", readonly=True)),
    ),
)  # fmt: skip
