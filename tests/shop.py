"""A small plugin for tests of the web: the sample shop of the test kit with a report, and checks that an order's text asks for."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
from newel.errors import Problem, Severity
from newel.hookspecs import hookimpl
from newel.manifest import Column, Manifest, Parameter, Report
from newel_sdk import shop as sample


async def _orders(session: Any, parameters: dict[str, Any], context: Any) -> list[dict[str, Any]]:
    most = parameters["most"] or Decimal(1000)
    rows = await session.fetch("SELECT id, number FROM document WHERE company = ? ORDER BY id LIMIT ?", context.company.id, min(int(most), 1000))
    return [{"document": r["id"], "number": r["number"], "amount": Decimal("1.50")} for r in rows]


REPORT = Report(
    name="shop.orders", label="Orders", load=_orders,
    columns=(Column(name="document", label="Document", type="document", text="number"), Column(name="amount", label="Amount", type="amount")),
    parameters=(Parameter(name="most", label="At most", type="decimal"), Parameter(name="since", label="Since", type="date")),
)  # fmt: skip


def manifest() -> Manifest:
    return msgspec.structs.replace(sample.register_plugin(), reports=(REPORT,))


def module(**hooks: Any) -> SimpleNamespace:
    """The plugin as an object. The text of an order decides what its checks do: note, hold, override, block."""

    @hookimpl
    def register_plugin() -> Manifest:
        return manifest()

    @hookimpl
    def check_document(document: Any, transition: str) -> list[Problem]:
        wanted = {"override": Severity.OVERRIDE, "hold": Severity.HOLD, "block": Severity.BLOCK}.get(document.text)
        asked = transition == "confirm" if document.text == "override" else not transition
        if wanted is None or not asked:
            return []
        return [Problem(code=f"shop.{document.text}", message=f"the text says {document.text}", where="text", hint="change it", severity=wanted)]

    return SimpleNamespace(register_plugin=register_plugin, check_document=check_document, **hooks)
