"""What must hold of promotions when they are kept, and of coupons when they are used. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from newel.domain.document import Document, Draft
from newel.errors import Problem, Severity

from newel_promotions.rules import GIFT, PLUGIN, Coupon, Key, Promotion, PromotionFacts, coupons

Reach = tuple[tuple[Key, ...], tuple[Key, ...]]  # what and who: each its own key, the classes above, and "" for all
WINNER = ("first", "exclusive")


class Rivals(msgspec.Struct, frozen=True):
    """Active promotions of which only one can be given, as they would be after the change, with what they reach.

    Args:
        changed: ids of those that the change is about.
        exclusive: sequence -> codes of the exclusive groups with it.
        prices: ids of items that have a list price, among the gifts.
    """

    members: tuple[tuple[Promotion, tuple[Reach, ...]], ...] = ()
    changed: frozenset[int] = frozenset()
    exclusive: Mapping[int, frozenset[str]] = {}
    prices: frozenset[int] = frozenset()


# ---- conflicts -----------------------------------------------------------------------------------------------------------------------


def _meet(one: tuple[Key, ...], other: tuple[Key, ...]) -> bool:
    """Whether something is in both: one of them is the other, or a class above it, or all."""
    return one[0] in other or other[0] in one


def _apart(low: Any, high: Any, other_low: Any, other_high: Any) -> bool:
    return (high is not None and other_low is not None and high < other_low) or (other_high is not None and low is not None and other_high < low)


def clash(a: Promotion, b: Promotion) -> bool:
    """Whether nobody has said which of two promotions wins that may fit the same line: same group, same sequence, overlapping spans."""
    if a.id == b.id or a.group != b.group or a.policy not in WINNER or a.order[2] != b.order[2]:
        return False
    if _apart(a.date_from, a.date_to, b.date_from, b.date_to) or _apart(a.quantity_min, a.quantity_max, b.quantity_min, b.quantity_max):
        return False
    values = (a.currency, a.basis) == (b.currency, b.basis) and _apart(a.value_min, a.value_max, b.value_min, b.value_max)
    same = (a.per == "document", a.gift is None) == (b.per == "document", b.gift is None)  # gifts and discounts do not compete
    return same and not values


def conflicts(rivals: Rivals) -> Iterator[tuple[Promotion, Promotion]]:
    """Pairs of a changed promotion and another one that clash, and that something is in the scopes of both."""
    for a, mine in [m for m in rivals.members if m[0].id in rivals.changed]:
        for b, theirs in rivals.members:
            if clash(a, b) and any(_meet(x[0], y[0]) and _meet(x[1], y[1]) for x in mine for y in theirs):
                yield a, b


def _conflict(rivals: Rivals, ids: Iterable[int | None], where: str) -> Iterator[Problem]:
    wanted = set(ids)
    for a, b in conflicts(rivals):
        if a.id in wanted:
            message = f"{a.code} and {b.code} fit the same lines on the same days, and only one of them can be given: which one is not said"
            hint = f"give them different sequences, or narrow dates, quantities or scopes; {b.code} has sequence {b.order[2]}"
            yield Problem(code="promotions.conflict", message=message, where=where, hint=hint)
            return


def check_group(values: Mapping[str, Any], rivals: Rivals) -> Iterator[Problem]:
    """Before a group is kept: nothing in it is undecided, and exclusive groups have an order."""
    if values["policy"] == "exclusive" and (same := sorted(rivals.exclusive.get(values["sequence"], frozenset()) - {values["code"]})):
        message = f"the group {same[0]} is exclusive as well, and has the same sequence"
        yield Problem(code="promotions.conflict", message=message, where="sequence", hint="say which of the two goes first")
    yield from _conflict(rivals, [p.id for p, _ in rivals.members if p.group == values["id"]], "policy")


def check_scope(values: Mapping[str, Any], rivals: Rivals) -> Iterator[Problem]:
    """Before a scope is kept: an item or a class, a customer or a class, and no conflict."""
    for one, other in (("item", "item_class"), ("party", "party_class")):
        if values[one] is not None and values[other] is not None:
            message = f"{one} or class was expected, not both"
            yield Problem(code="promotions.scope", message=message, where=other, hint="add another scope, or leave both empty for all")
    yield from _conflict(rivals, [values["promotion"]], "promotion")


def check_promotion(values: Mapping[str, Any], rivals: Rivals) -> Iterator[Problem]:
    """Before a promotion is kept: one of percent, amount and gift; spans in order; a currency for amounts; no conflict."""

    def wrong(code: str, message: str, where: str, hint: str = "") -> Problem:
        return Problem(code=f"promotions.{code}", message=message, where=where, hint=hint)

    gives = [name for name in ("percent", "amount", "gift") if values[name] is not None]
    if len(gives) != 1:
        yield wrong("gives", f"one of percent, amount and gift was expected, got {len(gives)}", "percent", "leave the others empty")
    for name in ("percent", "amount", "gift_quantity", "gift_each"):
        if values[name] is not None and values[name] <= 0:
            yield wrong("positive", f"{name} above 0 was expected", name, "leave it empty where it does not matter")
    for low, high in (("date_from", "date_to"), ("quantity_min", "quantity_max"), ("value_min", "value_max")):
        if values[low] is not None and values[high] is not None and values[high] < values[low]:
            yield wrong("span", f"{high} is {values[high]}, below {low}", high, "swap them")
    limited = values["value_min"] is not None or values["value_max"] is not None
    if (values["amount"] is not None or limited) and not values["currency"]:
        yield wrong("currency", "amounts and order values need a currency", "currency", "enter one")
    if values["gift"] is not None and limited:
        yield wrong("gift_value", "a gift goes by quantity: what an order is worth is not known when its lines are made", "value_min", "leave it empty")
    if values["gift"] is not None and values["gift"] not in rivals.prices:
        yield wrong("gift_price", "the gift has no list price", "gift", "enter one: it says what the gift is worth")
    yield from _conflict(rivals, [values["id"]], "sequence")


def check_coupon(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Codes are in capital letters, so that it does not matter how they are typed in a document."""
    code = values["code"]
    if code != code.strip().upper():
        yield Problem(code="promotions.code", message=f"{code.strip().upper()} was expected", where="code", hint="write it in capital letters")


# ---- coupons -------------------------------------------------------------------------------------------------------------------------


def check_coupons(document: Document, transition: str, phases: tuple[str, str], facts: PromotionFacts) -> Iterator[Problem]:
    """Coupons that are unknown or used up, and those that give nothing; on every save, and before a sale is offered or opened."""
    if transition and phases[1] not in ("offered", "open"):
        return
    given = facts.given | {s.rule for line in document.lines for s in line.steps if s.plugin == PLUGIN}
    given |= {line.key.removeprefix(GIFT) for line in document.lines if line.key.startswith(GIFT)}
    for i, code in enumerate(coupons(document)):
        where, coupon = f"data.{PLUGIN}.coupons[{i}]", facts.coupons.get(code)
        if coupon is None:
            yield Problem(code="promotions.coupon", message=f"there is no coupon {code!r:.50}", where=where, hint="look at its spelling, or leave it out")
        elif coupon.here <= 0 and (problem := _exhausted(coupon, 1)):
            yield msgspec.structs.replace(problem, where=where)
        elif not transition and coupon.promotion not in given:
            message = f"coupon {code} gives nothing here"
            yield Problem(code="promotions.idle", message=message, where=where, hint="look at the promotion's dates and scopes", severity=Severity.NOTE)


def _exhausted(coupon: Coupon, more: int) -> Problem | None:
    for what, have, most in (("", coupon.used, coupon.uses_max), (" by one customer", coupon.by_party, coupon.uses_party)):
        if most is not None and have + more > most:
            message = f"coupon {coupon.code} may be used {most} times{what}, and it has been"
            return Problem(code="promotions.coupon_used", message=message, where="coupon", hint="leave it out")
    return None


def propose_uses(document: Document, phases: tuple[str, str], facts: PromotionFacts) -> list[Draft]:
    """A use of each coupon that gave something, when a sale opens; taken back when it is a draft again or cancelled. In the order of locks."""
    party = document.party.id if document.party else None
    out = []
    for coupon in sorted(facts.coupons.values(), key=lambda c: c.id):
        opens = phases[1] == "open" and phases[0] in ("draft", "offered") and coupon.here <= 0 and coupon.promotion in facts.given
        count = 1 if opens else -coupon.here if phases[1] in ("draft", "cancelled") else 0
        if count:
            values = {"coupon": coupon.id, "document": document.id, "party": party, "uses": count}
            out.append(Draft(record="promotions.use", values=values))
    return out


def check_use(values: Mapping[str, Any], known: Mapping[tuple[int, int | None], Coupon]) -> Iterator[Problem]:
    """The last word on limits: the coupon is locked, and what is known of it (this use included) can't change any more."""
    coupon = known.get((values["coupon"], values["party"]))
    if coupon is not None and values["uses"] > 0 and (problem := _exhausted(coupon, 0)):
        yield problem


def promotion_of(r: Mapping[str, Any], group: Mapping[str, Any]) -> Promotion:
    """A promotion from its record's values (numbers as Decimal) and those of its group."""
    values: dict[str, Any] = {name: r[name] for name in Promotion.__struct_fields__ if name in r}
    order = (group["sequence"], group["code"], r["sequence"], r["code"])
    return Promotion(**values, group=group["id"], policy=group["policy"], order=order)
