"""The page /upkeep: journal and chain, examinations of the books, what is wrong with the install, and the ways to the rest."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from newel.services.administration import waiting
from newel.services.verify import CHECKS
from newel.web.auth import context_of, newel_of
from newel.web.render import Web, flash, page, redirect
from newel.web.views_text import _

from newel_upkeep import facts, work

RIGHT = {"permission": work.ADMIN}


@get("/", opt=RIGHT)
async def show(request: Web) -> Response[str]:
    """How things are."""
    newel, context = newel_of(request), await context_of(request)
    async with newel.database.read() as session:
        chain, examined = await facts.chain(session, context), await facts.examinations(session)
    queue = await waiting(newel)
    view: dict[str, Any] = {
        "chain": chain, "examined": examined, "busy": any(e["done_at"] is None for e in examined), "checks": len(CHECKS) + 2,
        "failed": sum(n for (_what, state), n in queue.items() if state == "failed"),
        "waiting": sum(n for (_what, state), n in queue.items() if state == "waiting"),
        "off": len(newel.off), "diagnoses": next((e["found"].install for e in examined if e["done_at"]), ()),
    }  # fmt: skip
    return page(request, context, "upkeep/state.html", _("State of the books"), upkeep=view)


@post("/examine", opt=RIGHT, status_code=200)
async def examine(request: Web) -> Response[Any]:
    """Ask for an examination."""
    await work.ask(newel_of(request), await context_of(request))
    return redirect("/upkeep", flash(_("The books are examined as soon as the worker comes to it.")))


handlers = [show, examine]
