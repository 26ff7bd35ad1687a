"""Tryton beside Newel: the same orders through its own models, in a process and a virtual environment of its own (peers.txt).

Started by bench_peers.py, spoken to over standard input, one JSON object a line: {"do": "action", "orders": 5} sells so many orders by user
action, {"do": "together", "orders": 100} a stage at a time for all of them; the answer has the seconds, on the clock and of CPU. Everything is
called in the process, without RPC, sessions or access checks: the fastest way that an integrator would use.
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

MODULES = (
    "account_credit_limit", "account_invoice_stock", "marketing_campaign", "product_kit", "sale_advance_payment", "sale_complaint", "sale_credit_limit",
    "sale_opportunity", "sale_price_list", "sale_promotion", "sale_supply", "sale_supply_drop_shipment", "stock_consignment",
)  # fmt: skip
ITEMS, PARTIES, PROMOTIONS, LINES = 200, 100, 20, 5
SHIPPING = ("assign_try", "pick", "pack", "do")


def activate(name: str) -> None:
    """Make the database with the modules that a company of this kind would use."""
    from trytond.cli import admin

    with tempfile.NamedTemporaryFile("w") as password:
        print("order to cash", file=password, flush=True)
        os.environ["TRYTONPASSFILE"] = password.name
        sys.argv = ["trytond-admin", "-d", name, "-u", *MODULES, "--activate-dependencies", "--email", "bench@example.com"]
        admin.main()


def seed(url: str) -> None:
    """Company, chart, tax, goods in stock, customers with terms, price list and a limit that is never reached."""
    from proteus import Model, config
    from trytond.modules.account.tests import tools as account
    from trytond.modules.account_invoice.tests import tools as invoice
    from trytond.modules.company.tests.tools import create_company

    config.set_trytond(url)
    create_company()
    account.create_chart()
    invoice.set_fiscalyear_invoice_sequences(account.create_fiscalyear()).click("create_period")
    accounts = account.get_accounts()
    means = Model.get("account.invoice.payment.method")(name="Cash", credit_account=accounts["cash"], debit_account=accounts["cash"])
    (means.journal,) = Model.get("account.journal").find([("type", "=", "cash")])
    means.save()
    tax = account.create_tax(Decimal("0.19"))
    tax.save()
    terms = invoice.create_payment_term()
    terms.save()
    goods = Model.get("product.category")(name="Goods", accounting=True, account_revenue=accounts["revenue"], account_expense=accounts["expense"])
    goods.customer_taxes.append(tax)
    goods.save()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    stock = Model.get("stock.inventory")()
    (stock.location,) = Model.get("stock.location").find([("code", "=", "STO")])
    for n in range(ITEMS):
        item = Model.get("product.template")(name=f"I{n}", default_uom=unit, type="goods", salable=True, list_price=Decimal(10 + n) + Decimal("0.49"))
        item.account_category = goods
        item.save()
        line = stock.lines.new(product=item.products[0])
        line.quantity, line.expected_quantity = 1e6, 0.0
    stock.click("confirm")
    prices = Model.get("product.price_list")(name="List", price="list_price")
    prices.lines.new(formula="unit_price")
    prices.save()
    for n in range(PARTIES):
        values = {"sale_price_list": prices, "customer_payment_term": terms, "credit_limit_amount": Decimal(10**9)}
        Model.get("party.party")(name=f"C{n}", **values).save()


class Company:
    """An open database, and what its users do."""

    def __init__(self, name: str) -> None:
        from trytond.pool import Pool
        from trytond.transaction import Transaction

        self.name, self.transaction, self.chance = name, Transaction, random.Random(1)
        Pool.start()
        self.pool = Pool(name)
        self.pool.init()
        self.user, self.context = 0, dict[str, Any]()
        with Transaction().start(name, 0, readonly=True) as opened:
            (user,) = self.pool.get("res.user").search([("login", "=", "admin")])
            self.user = user.id
            with opened.set_user(user.id):
                self.context = self.pool.get("res.user").get_preferences(context_only=True)
        with self.begin(readonly=True):
            self.company = self.pool.get("company.company").search([])[0].id
            self.parties = [p.id for p in self.pool.get("party.party").search([("name", "like", "C%")], order=[("id", "ASC")])][-PARTIES:]
            self.items = [p.id for p in self.pool.get("product.product").search([], order=[("id", "ASC")])]
            self.means = self.pool.get("account.invoice.payment.method").search([])[0].id

    def begin(self, **options: Any) -> Any:
        """A transaction of the user."""
        return self.transaction().start(self.name, self.user, context=self.context, **options)

    def promote(self) -> None:
        """Twenty promotions in force: 1 to 9 % off ten items each, from some quantity on."""
        with self.begin() as opened:
            (unit,) = self.pool.get("product.uom").search([("name", "=", "Unit")])
            rows = [
                {
                    "name": f"P{n}", "company": self.company, "quantity": float(n % 10 + 1), "unit": unit.id, "formula": f"0.{99 - n % 9} * unit_price",
                    "products": [("add", [self.items[(n * 10 + i) % ITEMS] for i in range(10)])],
                }
                for n in range(PROMOTIONS)
            ]  # fmt: skip
            self.pool.get("sale.promotion").create(rows)
            opened.commit()

    def act(self, work: Callable[[], Any]) -> Any:
        """One action of a user as the server does it: again where it finds that it needs a lock, then the tasks that it has queued."""
        from trytond.transaction import TransactionError
        from trytond.worker import run_task

        more: dict[str, Any] = {}
        while True:
            with self.begin(**more) as opened:
                try:
                    result = work()
                    opened.commit()
                    break
                except TransactionError as error:
                    opened.rollback()
                    opened.tasks.clear()
                    error.fix(more)
        while opened.tasks:
            run_task(self.pool, opened.tasks.pop())
        return result

    def sell(self, orders: int) -> None:
        """So many orders to their paid invoices, together, one action after the other."""
        sales = self.act(lambda: self._enter(orders))
        for stage in ("quote", "confirm"):
            self._step("sale.sale", stage, sales)
        shipments, invoices = self.act(lambda: self._made(sales))
        for stage in SHIPPING:
            self._step("stock.shipment.out", stage, shipments)
        self._step("account.invoice", "post", invoices)
        self.act(lambda: self._pay(invoices))

    def _step(self, model: str, stage: str, ids: Sequence[int]) -> None:
        self.act(lambda: getattr(self.pool.get(model), stage)(self.pool.get(model).browse(ids)))

    def _enter(self, orders: int) -> list[int]:
        order, row = self.pool.get("sale.sale"), self.pool.get("sale.line")
        made = []
        for _ in range(orders):
            sale = order(company=self.company, party=self.chance.choice(self.parties))
            sale.on_change_party()
            lines = []
            for _ in range(LINES):
                line = row(type="line", sale=sale, product=self.chance.choice(self.items), quantity=float(self.chance.randint(1, 20)))
                line.on_change_product()
                lines.append(line)
            sale.lines = lines
            made.append(sale)
        order.save(made)
        return [sale.id for sale in made]

    def _made(self, sales: Sequence[int]) -> tuple[list[int], list[int]]:
        found = self.pool.get("sale.sale").browse(sales)
        return [s.id for sale in found for s in sale.shipments], [i.id for sale in found for i in sale.invoices]

    def _pay(self, invoices: Sequence[int]) -> None:
        settled = []
        for invoice in self.pool.get("account.invoice").browse(invoices):
            amount = invoice.amount_to_pay
            lines, _ = invoice.get_reconcile_lines_for_amount(amount, invoice.currency, party=invoice.party)
            paid = invoice.pay_invoice(amount, self.pool.get("account.invoice.payment.method")(self.means), datetime.now(UTC).date())
            settled.append([*lines, *paid])
        self.pool.get("account.move.line").reconcile(*settled)

    def check(self) -> dict[str, int]:
        """How far the orders have come: all must be done and paid."""
        with self.begin(readonly=True):
            sales, invoices = self.pool.get("sale.sale"), self.pool.get("account.invoice")
            return {
                "orders": sales.search([], count=True), "done": sales.search([("state", "=", "done")], count=True),
                "paid": invoices.search([("state", "=", "paid")], count=True),
            }  # fmt: skip


def main(kind: str, name: str) -> None:
    """Set up, say so, and do what is asked."""
    activate(name)
    seed(f"{kind}:///{name}")
    company = Company(name)
    company.promote()
    print(json.dumps({"ready": True}), flush=True)
    for text in sys.stdin:
        asked = json.loads(text)
        if asked["do"] == "check":
            print(json.dumps(company.check()), flush=True)
            continue
        at, cpu = time.perf_counter(), time.process_time()
        if asked["do"] == "together":
            company.sell(asked["orders"])
        else:
            for _ in range(asked["orders"]):
                company.sell(1)
        print(json.dumps({"seconds": time.perf_counter() - at, "cpu": time.process_time() - cpu}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
