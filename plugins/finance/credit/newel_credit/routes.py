"""The use case of credit over HTTP and on pages: POST /api/credit/documents/{id}/decision and /api/credit/parties/{id}/decision."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

import msgspec
from newel.manifest import Field
from newel.web.operations import Call, Form, operation

from newel_credit import decide

FIELDS = (
    Field(name="release", label="Release this one", help="Up to the amount that it has now."),
    Field(name="limit", label="New limit", help="Of this company; empty: as it is."),
    Field(name="currency", label="Currency of the limit", code_of="newel.currency"),
    Field(name="block", label="Block the customer", choices=(("orders", "For new orders"), ("all", "For everything"), ("", "Lift the block"))),
    Field(name="reason", label="Why"),
)


class PartyDecisionIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a customer may from now on. block: orders, all, or "" to lift a block. limit: decimal as text."""

    block: Literal["", "orders", "all"] | None = None
    limit: Decimal | None = None
    currency: str = ""
    reason: str = ""


class DecisionIn(PartyDecisionIn, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be done about an excess, several of it together. release: this document goes on."""

    release: bool = False


FORM = Form(label="What is to be done?", fields=FIELDS, button="Decide", done="It is decided.")


@operation("POST", "/documents/{id}/decision", body=DecisionIn, errors=(404,), form=FORM)
async def decision(call: Call) -> None:
    """Release a document that passes the credit limit, set another limit, or block the customer; several of them at once."""
    await decide.decide(call.newel, call.path["id"], call.context, **msgspec.structs.asdict(call.body))


@operation("POST", "/parties/{id}/decision", body=PartyDecisionIn, errors=(404,), form=msgspec.structs.replace(FORM, label="Credit limit", on="newel.party"))
async def party_decision(call: Call) -> None:
    """Set another limit for a customer, or block it; both at once."""
    await decide.decide_party(call.newel, call.path["id"], call.context, **msgspec.structs.asdict(call.body))


handlers = [decision, party_decision]
