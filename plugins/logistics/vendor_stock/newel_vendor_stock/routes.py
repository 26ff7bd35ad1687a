"""The use case of vendor's stock, over HTTP and on the vendor's page: one bill of all that was used in a period."""

from __future__ import annotations

from datetime import date

import msgspec
from newel.domain.document import DocumentInput
from newel.errors import Problem, Refused
from newel.manifest import Field
from newel.services.access import own_party, require
from newel.web.operations import Call, Form, operation

from newel_vendor_stock.rules import USAGE


class PeriodIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A period, both days included; without days all of it. reference: the vendor's number of the bill."""

    first: date = date.min
    last: date = date.max
    reference: str = ""


FORM = Form(
    label="Bill what was used of the vendor's goods here", on="newel.party", button="Make the bill", done="The bill is made: a draft among the vendors' bills.",
    fields=(Field(name="first", label="Used from"), Field(name="last", label="Used to"), Field(name="reference", label="Vendor's number of the bill")),
)  # fmt: skip


@operation("POST", "/vendors/{id}/bill", body=PeriodIn, answer=list[int], errors=(404, 409), form=FORM)
async def bill(call: Call) -> list[int]:
    """Make the bill of all that was used of a vendor's goods in a period, and is not billed.

    One draft for each currency; answers with their ids. 409 where there is nothing to bill.
    """
    context, asked = call.context, call.body
    require(context, f"{USAGE}.view")
    own, args = own_party(context)
    async with call.newel.database.read() as session:
        rows = await session.fetch(
            "SELECT id, currency, prices_include_tax FROM document WHERE company = ? AND kind = ? AND state = 'posted' AND party = ? "
            f"AND date >= ? AND date <= ? AND {own} ORDER BY date, id", context.company.id, USAGE, call.path["id"], asked.first, asked.last, *args,
        )  # fmt: skip
    groups: dict[tuple[str, bool], list[int]] = {}
    for r in rows:
        groups.setdefault((r["currency"], bool(r["prices_include_tax"])), []).append(r["id"])
    if not groups:
        message = "nothing was used in this period that is not billed"
        raise Refused(Problem(code="vendor_stock.nothing", message=message, hint="choose another period, or post what was used"), status=409)
    made = [await call.newel.documents.follow(ids, "bill_usage", context, input=DocumentInput(reference=asked.reference)) for ids in groups.values()]
    return [outcome.document.id for outcome in made]


handlers = [bill]
