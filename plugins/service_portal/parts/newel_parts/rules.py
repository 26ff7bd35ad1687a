"""What parts decide: pure functions over frozen values."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.domain.master import Master
from newel.errors import Problem

ORDER = "parts.order"
IMAGE_BYTES = 500_000
MAGIC = {"png": (b"\x89PNG\r\n\x1a\n", 0), "jpeg": (b"\xff\xd8\xff", 0), "webp": (b"WEBP", 8)}
DATA = re.compile(r"data:image/(png|jpeg|webp);base64,([A-Za-z0-9+/=]+)")


class PartsSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of parts. stock: what repair points see of our stock: how much, whether there is some, or nothing."""

    stock: Literal["quantity", "some", "nothing"] = "quantity"


class PartsFacts(msgspec.Struct, frozen=True):
    """Items that stand on a parts list and are not replaced."""

    listed: frozenset[int] = frozenset()


def check(document: Document, facts: PartsFacts, master: Master, context: Context) -> Iterator[Problem]:
    """What somebody who stands for a party may not decide: prices, terms, days, rates, and what is no part."""
    party, company = document.party, context.company
    if context.user.party is None or party is None:
        return
    currency = party.currency or company.currency
    own: tuple[tuple[str, object, object], ...] = (
        ("date", document.date, context.today), ("terms", document.terms, party.terms), ("currency", document.currency, currency),
        ("rate", document.rate, master.rate(company, currency, document.date)), ("account_role", document.account_role, ""),
        ("prices_include_tax", document.prices_include_tax, company.prices_include_tax), ("location_from", document.location_from, None),
    )  # fmt: skip
    for where, got, expected in own if document.phase == "draft" else ():
        if got != expected:
            message = f"{where.replace('_', ' ')}: {expected or 'nothing'} was expected, got {got}"
            yield Problem(code="parts.terms", message=message, where=where, hint="leave it empty")
    for i, line in enumerate(document.lines):
        fixed = line.price_entered is None and not line.discount_entered and not line.account_role and line.location_from is None
        if not fixed or (line.item and line.tax_category != line.item.tax_category):
            message = f"the price and terms of {line.text} are not for you to say"
            yield Problem(code="parts.price", message=message, where=f"lines[{i}].price", hint="leave price, discount, tax, account and location empty")
        if line.kind != "text" and (line.item is None or line.item.id not in facts.listed):
            message = f"{line.text or 'the line'} stands on no parts list"
            yield Problem(code="parts.listed", message=message, where=f"lines[{i}].item", hint="choose a part from the list of a product")


def check_part(values: Mapping[str, Any]) -> Iterator[Problem]:
    """A part is no part of itself, and is not replaced by itself."""
    for name in ("product", "replaced_by"):
        if values.get("item") and values.get(name) == values["item"]:
            yield Problem(code="parts.part", message="another item was expected than the part itself", where=name, hint="choose another one")


def check_picture(image: str) -> Iterator[Problem]:
    """A picture is what it says it is, and not too large; nothing else is ever shown (no SVG, which may hold scripts)."""
    found = DATA.fullmatch(image)
    content = b""
    if found:
        try:
            content = base64.b64decode(found[2], validate=True)
        except binascii.Error:
            found = None
    if found is None or content[MAGIC[found[1]][1] :][: len(MAGIC[found[1]][0])] != MAGIC[found[1]][0]:
        yield Problem(code="parts.picture", message="a PNG, JPEG or WebP picture was expected", where="image", hint="choose another file")
    elif len(content) > IMAGE_BYTES:
        message = f"at most {IMAGE_BYTES // 1000} kB, got {len(content) // 1000} kB"
        yield Problem(code="parts.large", message=message, where="image", hint="make the picture smaller")
