"""Balances that were agreed on, each of one account at the end of a day."""

from __future__ import annotations

from newel.manifest import Field, RecordKind
from newel.store.columns import AMOUNT, Id, ScaledInt, ref
from newel.store.tables_master import Account, Company
from piccolo.columns import Date, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class Assertion(Table, tablename="balances_assertion"):
    id = Id()
    company = ref(Company)
    account = ref(Account)
    date = Date(default=None)
    balance = ScaledInt(scale=AMOUNT)
    text = Varchar(length=200)

    uq_balances_assertion = Unique(["company", "account", "date"])


TABLES = (Assertion,)
RECORDS = (
    RecordKind(
        name="balances.assertion", table=Assertion, label="Agreed balance", label_plural="Agreed balances", title=("account", "date"), search=("text",),
        facts="balances", menu="Finance", help="What an account must stand at at the end of a day, as a bank statement or an audit says.",
        fields=(
            Field(name="account", label="Account", required=True, list=True),
            Field(name="date", label="At the end of", required=True, list=True),
            Field(name="balance", label="Balance", required=True, list=True, help="Debit less credit in the company's currency; what is owed is negative."),
            Field(name="text", label="Source", list=True, help="Where it is from, such as the number of a statement."),
        ),
    ),
)  # fmt: skip
