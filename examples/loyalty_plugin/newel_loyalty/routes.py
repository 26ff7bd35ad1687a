"""The page /loyalty and the operation GET /api/loyalty/members. What anybody may do here is checked by the services."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get
from newel.services.access import require
from newel.web.auth import context_of, newel_of
from newel.web.operations import Call, operation
from newel.web.render import Web, page
from newel.web.views_text import _

from newel_loyalty.facts import members, tiers

RIGHT = "loyalty.members.view"


@get("/", opt={"permission": RIGHT})
async def overview(request: Web) -> Response[Any]:
    """Tiers and the best members, for people who sell."""
    newel, context = newel_of(request), await context_of(request)
    async with newel.database.read() as session:
        best, known = (await members(session, {}, context))[:20], await tiers(session)
    new_url = "/records/loyalty.tier/new" if context.user.may("loyalty.tier.edit") else ""
    return page(request, context, "loyalty/overview.html", _("Loyalty"), tiers=known, members=best, new_url=new_url)


class MemberOut(msgspec.Struct, frozen=True, kw_only=True):
    """A member. points: whole number; tier: name, empty for none."""

    party: int
    name: str
    points: int
    tier: str


@operation("GET", "/members", answer=tuple[MemberOut, ...], errors=(403,))
async def list_members(call: Call) -> tuple[MemberOut, ...]:
    """Everybody with points, the most first."""
    rows = await _allowed(call)
    return tuple(MemberOut(party=r["party"], name=r["name"], points=int(r["points"]), tier=r["tier"]) for r in rows)


async def _allowed(call: Call) -> list[dict[str, Any]]:
    require(call.context, RIGHT)
    async with call.newel.database.read() as session:
        return await members(session, {}, call.context)


handlers = [overview, list_members]
