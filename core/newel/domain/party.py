"""Who a company deals with."""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Address(msgspec.Struct, frozen=True, kw_only=True):
    """A postal address. Country is ISO 3166-1 alpha-2, region the code of the state or province.

    kind: main, billing, shipping or any word of the company's own.
    """

    id: int = 0
    party: int = 0
    kind: str = "main"
    name: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    region: str = ""
    country: str = ""


class Party(msgspec.Struct, frozen=True, kw_only=True):
    """Customer, vendor or anybody else; one record for all roles (CRM-02).

    Args:
        classes: codes of the party's classes, most specific first.
        tax_treatment: standard, exempt, reverse_charge, export or outside (EN 16931 categories S, E, AE, G, O).
        tax_reason: text of the exemption, printed on the document.
        limit_amount: credit limit in the company's currency, None for no limit.
        service_level: 0 to 9, informs priority (DOC-30).
        blocked: transitions that are refused for this party: "" none, "orders" new sales, "all" everything.
    """

    id: int
    number: str
    name: str
    classes: tuple[str, ...] = ()
    currency: str = ""
    language: str = "en"
    terms: str = ""
    tax_id: str = ""
    tax_treatment: str = "standard"
    tax_reason: str = ""
    limit_amount: Decimal | None = None
    service_level: int = 0
    blocked: str = ""
    email: str = ""
    addresses: tuple[Address, ...] = ()
