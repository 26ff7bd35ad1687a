"""The header of a document as entered: party, dates, currency and rate, addresses, plugins' data."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

import msgspec

from newel.domain.context import Context
from newel.domain.document import DocumentInput
from newel.domain.master import Master
from newel.domain.money import ONE, ZERO
from newel.domain.party import Address, Party
from newel.errors import Problem
from newel.services.registry import Registry
from newel.store.master import load_addresses, load_party
from newel.store.session import Session

EARLIEST, LATEST = date(1900, 1, 1), date(2200, 1, 1)
HINTS = {
    "date.range": "look at the year", "rate.range": "enter how much of the company's currency one unit is worth", "text.long": "shorten it",
    "text.invalid": "type the text anew instead of pasting it", "data.invalid": "look at the plugin's documentation",
    "line.kind": "choose one of them", "price.range": "check the point, and what the price is for", "discount.range": "enter a percentage",
    "quantity.range": "enter a quantity that can be counted", "quantity.digits": "round it, or choose another unit",
    "schedule.sum": "change the quantity or one of the deliveries",
}  # fmt: skip


class Header:
    """Finds what a header refers to, and notes what is wrong with it."""

    def __init__(self, session: Session, registry: Registry, master: Master, context: Context, temporary: bool) -> None:
        self.session, self.registry, self.master, self.context = session, registry, master, context
        self.temporary = temporary
        self.problems: list[Problem] = []
        self._next = 0

    def bad(self, code: str, message: str, where: str, hint: str = "") -> None:
        """Note a blocking problem."""
        self.problems.append(Problem(code=code, message=message, where=where, hint=hint or HINTS.get(code, "enter another value")))

    def id(self) -> int:
        """An id for a new row."""
        if not self.temporary:
            return self.session.id()
        self._next -= 1
        return self._next

    async def _party(self, key: int | str | None) -> Party | None:
        if key is None or key == "":
            return None
        party = await load_party(self.session, key, self.master)
        if party is None:
            self.bad("missing", f"there is no party {key!s:.40}", "party", "choose an existing party")
        return party

    def _date(self, value: date | None, where: str) -> date | None:
        if value is not None and not EARLIEST <= value <= LATEST:
            self.bad("date.range", f"a date between {EARLIEST} and {LATEST} was expected, got {value}", where)
            return None
        return value

    def _rate(self, currency: str, entered: Decimal | None, when: date) -> Decimal:
        if currency not in self.master.currencies:
            self.bad("missing", f"there is no currency {currency!r:.10}", "currency", "add it under Finance, Currencies, or choose another")
            return ONE
        if entered is not None:
            if not entered.is_finite() or not ZERO < entered < Decimal(1_000_000) or digits_of(entered) > 10:
                self.bad("rate.range", f"a rate above 0 with at most 10 digits after the point was expected, got {entered!s:.40}", "rate")
                return ONE
            return entered
        rate = self.master.rate(self.context.company, currency, when)
        if rate is None:
            self.bad("currency.rate", f"no rate of {currency} is known on {when}", "currency", "enter one under Finance, Exchange rates")
        return rate or ONE

    async def _addresses(self, party: Party | None, entered: DocumentInput) -> tuple[Address | None, Address | None]:
        own = {a.id: a for a in party.addresses} if party else {}
        asked = [id for id in (entered.ship_to, entered.bill_to) if id is not None and id not in own]
        limited = self.context.user.party is not None and party is not None and party.id == self.context.user.party
        known = own if limited else own | await load_addresses(self.session, asked)
        for where in ("ship_to", "bill_to"):
            id = getattr(entered, where)
            if id is not None and id not in known:
                self.bad("missing", f"there is no address {id}", where, "choose an address")
        found = []
        for id, word in ((entered.ship_to, "shipping"), (entered.bill_to, "billing")):
            by_kind = next((a for a in own.values() if a.kind == word), next(iter(own.values()), None))
            found.append(known.get(id, by_kind) if id is not None else by_kind)
        return found[0], found[1]

    def _location(self, id: int | None, where: str) -> None:
        if id is not None and (id not in self.master.locations or self.master.locations[id].company != self.context.company.id):
            self.bad("missing", f"there is no location {id}", where, "choose a location of this company")

    def _text(self, text: str, length: int, where: str) -> None:
        if len(text) > length:
            self.bad("text.long", f"at most {length} characters, got {len(text)}", where)
        elif "\x00" in text:
            self.bad("text.invalid", "the text has a NUL character", where)

    def _role(self, role: str, where: str) -> None:
        if role and role not in self.registry.account_roles:
            self.bad("missing", f"there is no account role {role!r:.40}", where, f"one of {', '.join(sorted(self.registry.account_roles))}")

    def _data(self, data: dict[str, Any], shapes: dict[str, Any], where: str) -> dict[str, Any]:
        out = {}
        for plugin, values in data.items():
            if plugin not in shapes:
                self.bad("data.unknown", f"no running plugin {plugin!r:.40} keeps data here", f"{where}.{plugin}"[:80], "leave it out")
                continue
            if isinstance(values, shapes[plugin]):
                out[plugin] = values
                continue
            try:
                out[plugin] = msgspec.convert(values, shapes[plugin], strict=False)
            except msgspec.ValidationError as error:
                self.bad("data.invalid", str(error), f"{where}.{plugin}")
        return out


@lru_cache(maxsize=8192)
def digits_of(value: Decimal) -> int:
    """How many digits after the point a number has."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0
