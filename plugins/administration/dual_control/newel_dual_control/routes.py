"""POST /api/dual_control/proposals/{id}/decision, and the same as a form on the proposal's page."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from newel.manifest import Field
from newel.web.operations import Call, Form, operation

from newel_dual_control.decide import decide


class DecisionIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is decided, and why."""

    decision: Literal["approve", "reject"]
    comment: Annotated[str, Meta(max_length=200)] = ""


FIELDS = (Field(name="decision", label="Decision", choices=(("approve", "Approve"), ("reject", "Reject"))), Field(name="comment", label="Comment"))
FORM = Form(label="Decide about it", on="dual_control.proposal", fields=FIELDS, button="Decide", done="It is decided.")


@operation("POST", "/proposals/{id}/decision", body=DecisionIn, errors=(404, 409), form=FORM)
async def decision(call: Call) -> None:
    """Approve a proposed change, which is then carried out, or reject it. Nobody approves their own."""
    await decide(call.newel, call.path["id"], call.body.decision == "approve", call.body.comment, call.context)


handlers = [decision]
