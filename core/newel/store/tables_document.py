"""Tables of the document engine: documents, ledger, stock, and what is written along with them."""

from __future__ import annotations

from piccolo.columns import JSON, Boolean, Date, Text, Timestamptz, Varchar
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from newel.store.columns import AMOUNT, PRICE, QUANTITY, RATE, Id, Long, ScaledInt, ref
from newel.store.tables_master import Account, Address, Company, Item, Location, Lot, Party


class Document(Table, tablename="document"):
    id = Id()
    kind = Varchar(length=60)
    role = Varchar(length=20)
    number = Varchar(length=40, index=True)
    state = Varchar(length=30)
    phase = Varchar(length=10)
    company = ref(Company, index=False)
    party = ref(Party, null=True)
    ship_to = ref(Address, null=True, index=False)
    bill_to = ref(Address, null=True, index=False)
    currency = Varchar(length=3)
    rate = ScaledInt(scale=RATE)
    date = Date(default=None, null=True)
    date_due = Date(default=None, null=True)
    date_requested = Date(default=None, null=True)
    terms = Varchar(length=20)
    reference = Varchar(length=80, index=True)
    text = Text()
    prices_include_tax = Boolean(default=False)
    location_from = ref(Location, null=True, index=False)
    location_to = ref(Location, null=True, index=False)
    account_role = Varchar(length=40)
    origin = Long(default=None, null=True, index=True)
    net = ScaledInt(scale=AMOUNT)
    tax = ScaledInt(scale=AMOUNT)
    gross = ScaledInt(scale=AMOUNT)
    version = Long(default=1)
    created_by = Varchar(length=60)
    created_at = Timestamptz(default=None, null=True)
    parts = Long(default=0)
    data = JSON(default="{}")


class DocumentLine(Table, tablename="document_line"):
    id = Id()
    document = ref(Document, cascade=True)
    position = Long(default=0)
    kind = Varchar(length=20)
    key = Varchar(length=80)
    parent = Long(default=None, null=True)
    item = ref(Item, null=True)
    text = Text()
    quantity = ScaledInt(scale=QUANTITY)
    unit = Varchar(length=10)
    factor = ScaledInt(scale=QUANTITY)
    price_entered = ScaledInt(scale=PRICE, default=None, null=True)
    discount_entered = ScaledInt(scale=QUANTITY)
    price = ScaledInt(scale=PRICE)
    net = ScaledInt(scale=AMOUNT)
    tax = ScaledInt(scale=AMOUNT)
    cost = ScaledInt(scale=AMOUNT)
    tax_category = Varchar(length=20)
    taxes = JSON(default="[]")
    location_from = ref(Location, null=True, index=False)
    location_to = ref(Location, null=True, index=False)
    lot = ref(Lot, null=True, index=False)
    account_role = Varchar(length=40)
    settles = Long(default=None, null=True, index=True)
    copied_from = Long(default=None, null=True)
    data = JSON(default="{}")


class LineSchedule(Table, tablename="line_schedule"):
    id = Id()
    document = ref(Document, cascade=True)
    line = ref(DocumentLine, cascade=True)
    quantity = ScaledInt(scale=QUANTITY)
    date_requested = Date(default=None, null=True)
    date_confirmed = Date(default=None, null=True)
    release_code = Varchar(length=30)


class LineLink(Table, tablename="line_link"):
    id = Id()
    kind = Varchar(length=30)
    from_document = ref(Document)
    from_line = ref(DocumentLine)
    to_document = ref(Document)
    to_line = ref(DocumentLine)
    quantity = ScaledInt(scale=QUANTITY)
    firm = Boolean(default=False)
    schedule = Long(default=None, null=True)
    ck_line_link_quantity = Check('"quantity" >= 0')


class PriceStep(Table, tablename="price_step"):
    id = Id()
    document = ref(Document, cascade=True)
    line = ref(DocumentLine, cascade=True, index=False)
    sequence = Long(default=0)
    stage = Varchar(length=10)
    plugin = Varchar(length=60)
    rule = Varchar(length=120)
    amount_in = ScaledInt(scale=AMOUNT)
    amount_out = ScaledInt(scale=AMOUNT)
    reason = Text()


class TaxLine(Table, tablename="tax_line"):
    id = Id()
    document = ref(Document, cascade=True)
    code = Varchar(length=20)
    category = Varchar(length=2)
    rate = ScaledInt(scale=QUANTITY)
    base = ScaledInt(scale=AMOUNT)
    amount = ScaledInt(scale=AMOUNT)
    account_role = Varchar(length=40)
    reason = Varchar(length=200)


class DocumentHold(Table, tablename="document_hold"):
    id = Id()
    document = ref(Document, cascade=True)
    code = Varchar(length=60)
    reason = Text()
    plugin = Varchar(length=60)
    transitions = JSON(default="[]")
    released_by = Varchar(length=60)
    released_at = Timestamptz(default=None, null=True)


class DocumentEvent(Table, tablename="document_event"):
    id = Id()
    document = ref(Document, cascade=True)
    at = Timestamptz(default=None, null=True)
    user = Varchar(length=60)
    source = Varchar(length=60)
    action = Varchar(length=60)
    changes = JSON(default="[]")


class RecordEvent(Table, tablename="record_event"):
    id = Id()
    kind = Varchar(length=60)
    record = Long(default=0, index=True)
    at = Timestamptz(default=None, null=True)
    user = Varchar(length=60)
    source = Varchar(length=60)
    action = Varchar(length=20)
    changes = JSON(default="[]")


class JournalEntry(Table, tablename="journal_entry"):
    id = Id()
    company = ref(Company, index=False)
    number = Long(default=0)
    date = Date(default=None, null=True, index=True)
    document = Long(default=None, null=True, index=True)
    text = Varchar(length=200)
    reverses = Long(default=None, null=True)
    created_at = Timestamptz(default=None, null=True)
    created_by = Varchar(length=60)
    hash = Varchar(length=64)
    uq_journal_entry = Unique(["company", "number"])


class Posting(Table, tablename="posting"):
    id = Id()
    entry = ref(JournalEntry)
    account = ref(Account)
    role = Varchar(length=40)
    debit = ScaledInt(scale=AMOUNT)
    credit = ScaledInt(scale=AMOUNT)
    currency = Varchar(length=3)
    amount = ScaledInt(scale=AMOUNT)
    party = ref(Party, null=True)
    text = Varchar(length=200)
    dimensions = JSON(default="{}")
    ck_posting_side = Check('"debit" >= 0 AND "credit" >= 0 AND ("debit" = 0 OR "credit" = 0)')


class LedgerChain(Table, tablename="ledger_chain"):
    company = ref(Company, index=False)
    id = Id()
    number = Long(default=0)
    hash = Varchar(length=64)
    uq_ledger_chain = Unique(["company"])


class OpenItem(Table, tablename="open_item"):
    id = Id()
    company = ref(Company, index=False)
    document = ref(Document)
    entry = ref(JournalEntry)
    party = ref(Party)
    role = Varchar(length=40)
    currency = Varchar(length=3)
    date = Date(default=None, null=True)
    date_due = Date(default=None, null=True, index=True)
    amount = ScaledInt(scale=AMOUNT)
    amount_open = ScaledInt(scale=AMOUNT)
    company_amount = ScaledInt(scale=AMOUNT)
    company_open = ScaledInt(scale=AMOUNT)
    ck_open_item_sign = Check(
        '("amount" >= 0 AND "amount_open" >= 0 AND "amount_open" <= "amount") OR ("amount" <= 0 AND "amount_open" <= 0 AND "amount_open" >= "amount")'
    )


class Settlement(Table, tablename="settlement"):
    id = Id()
    item = ref(OpenItem)
    document = ref(Document)
    line = ref(DocumentLine, index=False)
    entry = ref(JournalEntry)
    amount = ScaledInt(scale=AMOUNT)
    company_amount = ScaledInt(scale=AMOUNT)
    at = Date(default=None, null=True)


class StockMove(Table, tablename="stock_move"):
    id = Id()
    document = ref(Document)
    line = ref(DocumentLine, index=False)
    item = ref(Item)
    lot = ref(Lot, null=True, index=False)
    quantity = ScaledInt(scale=QUANTITY)
    source = ref(Location, index=False)
    target = ref(Location, index=False)
    value = ScaledInt(scale=AMOUNT)
    date = Date(default=None, null=True, index=True)
    at = Timestamptz(default=None, null=True)
    ck_stock_move_quantity = Check('"quantity" > 0')


class StockBalance(Table, tablename="stock_balance"):
    id = Id()
    item = ref(Item)
    location = ref(Location)
    lot = ref(Lot, null=True, index=False)
    quantity = ScaledInt(scale=QUANTITY)
    reserved = ScaledInt(scale=QUANTITY)
    value = ScaledInt(scale=AMOUNT)
    ck_stock_balance = Check('"quantity" >= 0 AND "reserved" >= 0 AND "reserved" <= "quantity"')


class StockReservation(Table, tablename="stock_reservation"):
    id = Id()
    line = ref(DocumentLine)
    balance = ref(StockBalance)
    quantity = ScaledInt(scale=QUANTITY)
    ck_stock_reservation = Check('"quantity" > 0')


class Outbox(Table, tablename="outbox"):
    id = Id()
    topic = Varchar(length=60)
    plugin = Varchar(length=60)
    document = Long(default=None, null=True, index=True)
    payload = JSON(default="{}")
    created_at = Timestamptz(default=None, null=True)
    available_at = Timestamptz(default=None, null=True, index=True)
    attempts = Long(default=0)
    done_at = Timestamptz(default=None, null=True)
    error = Text()


class Job(Table, tablename="job"):
    id = Id()
    name = Varchar(length=120)
    payload = JSON(default="{}")
    state = Varchar(length=10, default="waiting")
    created_at = Timestamptz(default=None, null=True)
    created_by = Varchar(length=60)
    company = ref(Company, null=True, index=False)
    available_at = Timestamptz(default=None, null=True, index=True)
    lease_until = Timestamptz(default=None, null=True)
    worker = Varchar(length=80)
    attempts = Long(default=0)
    progress = Long(default=0)
    error = Text()
    done_at = Timestamptz(default=None, null=True)


class IdempotencyKey(Table, tablename="idempotency_key"):
    id = Id()
    user = Varchar(length=60)
    key = Varchar(length=255)
    request = Varchar(length=64)
    result = JSON(default="{}")
    created_at = Timestamptz(default=None, null=True)
    uq_idempotency_key = Unique(["user", "key"])


DOCUMENTS = (
    Document, DocumentLine, LineSchedule, LineLink, PriceStep, TaxLine, DocumentHold, DocumentEvent, RecordEvent, JournalEntry, Posting,
    LedgerChain, OpenItem, Settlement, StockMove, StockBalance, StockReservation, Outbox, Job, IdempotencyKey,
)  # fmt: skip
