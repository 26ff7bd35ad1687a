"""The page that fills up vans and depots: GET and POST /restock."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from newel.domain.context import Context
from newel.services import reports
from newel.services.app import Newel
from newel.services.outcome import Outcome
from newel.web.auth import context_of, newel_of
from newel.web.render import Web, flash, page, redirect
from newel.web.views_text import _

from newel_restock import facts, rules
from newel_restock.rules import RestockSettings

LACKING = "restock.lacking"


async def fill_up(newel: Newel, context: Context) -> list[Outcome]:
    """Make the transfers and requisitions that fill up vans and depots, all in one transaction; called twice, there is nothing left to do."""
    settings, made = context.setting("restock", RestockSettings), []
    async with newel.database.write() as session:
        # Two people who press the button at once wait for each other, and the second one finds nothing to do.
        await session.fetch("SELECT id FROM restock_level WHERE company = ? ORDER BY id FOR UPDATE", context.company.id)
        for kind, entered in rules.proposals(await facts.lacks(session, context), settings):
            if kind in newel.registry.documents:
                made.append(await newel.documents.create(kind, entered, context, session=session))
    return made


@get("/", opt={"permission": f"{LACKING}.view"})
async def stock(request: Web) -> Response[str]:
    """What lacks in vans and depots, and the button that fills them up."""
    newel, context = newel_of(request), await context_of(request)
    rows = await reports.run(newel, LACKING, {}, context)
    return page(request, context, "restock/stock.html", _("Fill up vans and depots"), rows=rows, may=context.user.may("restock.fill_up"))


@post("/", opt={"permission": "restock.fill_up"})
async def fill(request: Web) -> Response[Any]:
    """Fill them up."""
    made = await fill_up(newel_of(request), await context_of(request))
    return redirect("/restock", flash(_("%(n)s documents were made.", n=len(made)) if made else _("There was nothing to do.")))


handlers = [stock, fill]
