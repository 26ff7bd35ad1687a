"""The kernel's own answers, written with the same hooks as everybody's; used only where no plugin answers."""

from __future__ import annotations

from collections.abc import Sequence

from newel.domain.context import Context
from newel.domain.credit import CreditFacts, Exposure
from newel.domain.document import Document, Line
from newel.domain.facts import Facts
from newel.domain.kinds import LineKind
from newel.domain.ledger import AccountRole, Entry, PostingRule, unbalanced
from newel.domain.master import Master, Rate
from newel.domain.money import product, rounded
from newel.domain.party import Party
from newel.domain.pricing import Price
from newel.domain.stock import LocationKind
from newel.domain.tax import CATEGORY, Tax
from newel.errors import Problem
from newel.manifest import Manifest

ENDS = {
    "delivery": ("storage", "customer"),
    "receipt": ("supplier", "storage"),
    "return": ("customer", "storage"),
    "transfer": ("storage", "storage"),
    "production": ("production", "storage"),
}
LINE_KINDS = (
    LineKind(name="item", label="Item", item=True),
    LineKind(name="charge", label="Charge", once=True),
    LineKind(name="text", label="Text", priced=False),
)
LOCATION_KINDS = (
    LocationKind(name="supplier", label="Supplier"),
    LocationKind(name="storage", label="Storage", tracked=True, available=True),
    LocationKind(name="transit", label="Transit", tracked=True),
    LocationKind(name="customer", label="Customer"),
    LocationKind(name="production", label="Production"),
    LocationKind(name="scrap", label="Scrap"),
)
ACCOUNT_ROLES = (
    AccountRole(name="receivable", label="Receivables", kind="asset", open_items=True),
    AccountRole(name="payable", label="Payables", kind="liability", open_items=True),
    AccountRole(name="bank", label="Bank", kind="asset"),
    AccountRole(name="cash", label="Cash", kind="asset"),
    AccountRole(name="stock", label="Stock", kind="asset"),
    AccountRole(name="goods_received", label="Goods received, not billed", kind="liability"),
    AccountRole(name="tax_output", label="Output tax", kind="liability"),
    AccountRole(name="tax_input", label="Input tax", kind="asset"),
    AccountRole(name="revenue", label="Revenue", kind="income"),
    AccountRole(name="freight_revenue", label="Freight revenue", kind="income"),
    AccountRole(name="cogs", label="Cost of goods sold", kind="expense"),
    AccountRole(name="expense", label="Expense", kind="expense"),
    AccountRole(name="stock_difference", label="Stock differences", kind="expense"),
    AccountRole(name="write_off", label="Write-offs", kind="expense"),
    AccountRole(name="rounding", label="Rounding", kind="expense"),
    AccountRole(name="exchange", label="Exchange differences", kind="expense"),
    AccountRole(name="equity", label="Equity", kind="equity"),
)
POSTING_RULES = (
    PostingRule(source="supplier", target="storage", debit="stock", credit="goods_received"),
    PostingRule(source="storage", target="supplier", debit="goods_received", credit="stock"),
    PostingRule(source="storage", target="customer", debit="cogs", credit="stock"),
    PostingRule(source="customer", target="storage", debit="stock", credit="cogs"),
    PostingRule(source="storage", target="scrap", debit="stock_difference", credit="stock"),
    PostingRule(source="scrap", target="storage", debit="stock", credit="stock_difference"),
    PostingRule(source="storage", target="production", debit="expense", credit="stock"),
    PostingRule(source="production", target="storage", debit="stock", credit="expense"),
    PostingRule(source="storage", target="transit", debit="stock", credit="stock"),
    PostingRule(source="transit", target="storage", debit="stock", credit="stock"),
    PostingRule(source="storage", target="storage", debit="stock", credit="stock"),
)


def register_plugin() -> Manifest:
    """What the kernel itself brings: line kinds, location kinds, account roles and posting rules that no company is without."""
    from newel.kernel_records import RECORDS
    from newel.services.ledgers import REPORTS

    return Manifest(
        name="newel",
        label="Kernel",
        line_kinds=LINE_KINDS,
        location_kinds=LOCATION_KINDS,
        account_roles=ACCOUNT_ROLES,
        posting_rules=POSTING_RULES,
        records=RECORDS,
        reports=REPORTS,
    )


def decide_price(document: Document, line: Line, facts: Facts, context: Context) -> Price | None:
    """The item's list price on the document's date; where it has none in the document's currency, the home price by the day's rate (PRC-01)."""
    if line.item is None:
        return None
    if line.item.price is not None:
        return Price(amount=product(line.item.price, line.factor), rule="list price", reason=f"list price of {line.item.number}")
    home = line.item.price_home
    if home is None or not document.rate:
        return None
    amount = rounded(product(home, line.factor) / document.rate, context.company.price_digits, context.company.rounding)
    return Price(amount=amount, rule="list price", reason=f"list price of {line.item.number}, {home} {context.company.currency} at {document.rate}")


def decide_tax(document: Document, line: Line, facts: Facts, context: Context) -> Sequence[Tax]:
    """By category, place of delivery and date. A party that is exempt (or under reverse charge) bears none, with the reason."""
    party = document.party
    if party is not None and party.tax_treatment != "standard":
        return (Tax(code=party.tax_treatment, category=CATEGORY.get(party.tax_treatment, "E"), reason=party.tax_reason),)
    if line.tax_category in ("exempt", "zero", "outside"):
        return (Tax(code=line.tax_category, category=CATEGORY[line.tax_category]),)
    address = document.ship_to or document.bill_to
    country = address.country if address else context.company.country
    region = address.region if address else context.company.region
    best: dict[str, tuple[int, Rate]] = {}
    for rate in facts[Master].taxes.get(line.tax_category, ()):
        if not rate.holds(document.date) or rate.country not in ("", country) or rate.region not in ("", region):
            continue
        narrow = (2 if rate.region else 0) + (1 if rate.country else 0)
        if rate.code not in best or narrow > best[rate.code][0]:
            best[rate.code] = (narrow, rate)
    return tuple(Tax(code=code, category="S" if rate.rate else "Z", rate=rate.rate, role=rate.role) for code, (_, rate) in sorted(best.items()))


def decide_source(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Where the line or the header says, else the company's first place of the kind that the document's role starts from."""
    return line.location_from or document.location_from or _end(document, facts, 0)


def decide_target(document: Document, line: Line, facts: Facts, context: Context) -> int | None:
    """Where the line or the header says, else the company's first place of the kind that the document's role ends at."""
    return line.location_to or document.location_to or _end(document, facts, 1)


def propose_exposure(party: Party, facts: Facts, context: Context) -> Sequence[Exposure]:
    """Open items, and what is ordered and not invoiced yet."""
    found = facts.get(CreditFacts)
    return found.exposures if found else ()


def check_entry(entry: Entry, facts: Facts, context: Context) -> Sequence[Problem]:
    """Debits equal credits, whoever made the entry."""
    difference = unbalanced(entry.postings)
    return [Problem(code="entry.unbalanced", message=f"debits and credits differ by {difference}")] if difference else []


def _end(document: Document, facts: Facts, side: int) -> int | None:
    # A sale reserves where its deliveries will start.
    ends = ENDS.get({"sale": "delivery", "purchase": "receipt"}.get(document.role, document.role))
    return facts[Master].defaults.get((document.company, ends[side])) if ends else None
