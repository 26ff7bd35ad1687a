"""Records of any kind, made from nothing but its declaration, so that a plugin's rules have something to work with."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from newel.domain.context import Context
from newel.errors import Refused
from newel.services.app import Newel
from newel.services.values import FieldView

VARIANTS = 8
USUAL = Decimal(10)
NUMBERS = ("decimal", "integer")


async def fill(app: Newel, context: Context, prefix: str) -> int:
    """Make a few records of each kind whose name starts with `prefix`; what its own check refuses is left out. Returns how many were made."""
    made = 0
    kinds = [name for name in app.registry.records if name.startswith(prefix)]
    for _again in range(2):  # a kind may refer to one that comes after it
        for kind in kinds:
            for variant in range(VARIANTS):
                values = {}
                for n, field in enumerate(app.records.fields(kind)):
                    if not field.readonly and (field.required or variant >> (n % 3) & 1):
                        value = await _value(app, context, field, variant)
                        if value is not None:
                            values[field.name] = value
                try:
                    await app.records.save(kind, None, values, context)
                    made += 1
                except Refused:  # the plugin knows better; another variant may do
                    continue
    return made


async def _value(app: Newel, context: Context, field: FieldView, variant: int) -> Any:
    """A value that fits, or None where there is none."""
    if field.choices:
        return field.choices[variant % len(field.choices)][0]
    if field.reference:
        rows = (await app.records.page(field.reference, context, size=VARIANTS)).rows
        return rows[variant % len(rows)]["id"] if rows else None
    if field.code_of:
        codes = await app.records.codes(field.code_of, context.company.currency if field.code_of == "newel.currency" else "", context)
        return codes[variant % len(codes)][0] if codes else None
    if field.type in NUMBERS:
        least, most = field.minimum, field.maximum
        number = USUAL if most is None else min(USUAL, most)
        number = number if least is None else max(number, least)
        return int(number) if field.type == "integer" else number
    if field.type == "text":
        return f"{field.name}{variant}".upper()[: field.length or None]
    return None
