"""The use case of credit over HTTP: POST /api/credit/documents/{id}/decision."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec
from newel.web.operations import Call, operation

from newel_credit.decide import decide


class DecisionIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done about an excess, several of it together. block: orders, all, or "" to lift a block. limit: decimal as text."""

    block: Literal["", "orders", "all"] | None = None
    limit: Decimal | None = None
    currency: str = ""
    release: bool = False
    reason: str = ""


@operation("POST", "/documents/{id}/decision", body=DecisionIn, errors=(404,))
async def decision(call: Call) -> None:
    """Release a document that passes the credit limit, set another limit, or block the customer; several of them at once."""
    await decide(call.newel, call.path["id"], call.context, **msgspec.structs.asdict(call.body))


handlers = [decision]
