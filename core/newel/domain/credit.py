"""Credit: what a party may owe, and what it owes already (CRD-01, CRD-02)."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Exposure(msgspec.Struct, frozen=True, kw_only=True):
    """One figure of a party's exposure, in the company's currency, with the reason a person would want to see."""

    stage: str
    amount: Decimal
    reason: str = ""
    plugin: str = ""


class CreditFacts(msgspec.Struct, frozen=True):
    """What the kernel itself knows a party to owe: open items, and sales that are open, by stage, in the company's currency."""

    exposures: tuple[Exposure, ...] = ()


class Exposures(msgspec.Struct, frozen=True):
    """What all plugins propose for the document's party; among the facts where a plugin takes the check of credit over."""

    proposed: tuple[Exposure, ...] = ()
