"""A smallest order: whoever confirms a sale below the minimum is asked whether it is meant. All of a plugin in one file."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document
from newel.errors import Problem, Severity
from newel.hookspecs import asked, hookimpl
from newel.manifest import Manifest


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings of a company. amount: smallest net amount of a sale, in its currency; 0 for none."""

    amount: Decimal = Decimal(20)


@hookimpl
def register_plugin() -> Manifest:
    """What the plugin is."""
    return Manifest(name="minimum", label="Smallest order", settings=Settings)


@hookimpl
@asked("sale")
def check_document(document: Document, transition: str, context: Context) -> Sequence[Problem]:
    """A sale below the minimum goes on only if somebody with the right to override says so."""
    least = context.setting("minimum", Settings).amount
    if not transition or document.phase != "draft" or document.net >= least:
        return ()
    message = f"a sale of at least {least} {document.currency} was expected, got {document.net}"
    hint = "sell more, or go on if you may override"
    return [Problem(code="minimum.amount", message=message, where="net", hint=hint, severity=Severity.OVERRIDE, plugin="minimum")]
