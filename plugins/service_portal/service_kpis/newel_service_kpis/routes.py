"""POST /api/service_kpis/documents/{id}/grade, and the same on the page of a request: the requester says how it was."""

from __future__ import annotations

import msgspec
from newel.manifest import Field
from newel.web.operations import Call, Form, operation
from newel_requests.answer import find


class GradeIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How content somebody is. grade: 1 to 5, which is best."""

    grade: int = 5
    remark: str = ""


FIELDS = (Field(name="grade", label="Grade", help="1 to 5, which is best."), Field(name="remark", label="Remark", long=True))


@operation("POST", "/documents/{id}/grade", body=GradeIn, errors=(404,), form=Form(label="How was it?", fields=FIELDS, button="Send", done="Thank you."))
async def grade(call: Call) -> None:
    """Grade a request that is solved; a second grade takes the place of the first."""
    request = await find(call.newel, call.path["id"], call.context)
    assert request.party is not None
    values = {"document": request.id, "party": request.party.id, "grade": call.body.grade, "remark": call.body.remark}
    await call.newel.records.save("service_kpis.grade", None, values, call.context)


handlers = [grade]
