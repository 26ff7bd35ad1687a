"""What a list gets before it is shown: the user's view and columns, and word of what is not there any more."""

from __future__ import annotations

from typing import Any

from litestar import Response
from newel.domain.context import Context
from newel.errors import Problem
from newel.services.app import Newel
from newel.web import pages_lists, pages_records
from newel.web.auth import newel_of
from newel.web.render import Web, redirect, shown
from newel.web.views_list import Address
from newel.web.views_text import _

from newel_views import keep
from newel_views.rules import View, first, laid_out, plain, unknown

DOCUMENTS = ("q", "state", "phase", "party", "from", "to")


def address(newel: Newel, kind: str) -> str:
    """Of the list of a kind."""
    return f"/{'documents' if kind in newel.registry.documents else 'records'}/{kind}"


def columns_of(newel: Newel, kind: str, context: Context) -> list[dict[str, Any]]:
    """All columns that the list of a kind can show; those with `more` are not seen by themselves."""
    none = Address("", {})
    known = newel.registry.documents.get(kind)
    return pages_lists.columns_of(known, none) if known else pages_records.columns_of(newel.records.shape(kind, context), none)


def of_view(newel: Newel, kind: str, view: View) -> str:
    """The address of a list as a view has it."""
    return f"{address(newel, kind)}?view={view.id}{'&' if view.query else ''}{view.query}"


async def arrange(request: Web, context: Context, kind: str, view: dict[str, Any]) -> Response[Any] | None:
    """Change a list in place; see newel.manifest, Manifest.lists."""
    if context.user.party is not None:
        return None
    newel, query = newel_of(request), str(request.url.query)
    async with newel.database.read() as session:
        kept = await keep.kept(session, context, kind)
    asked = request.query_params.get("view", "")
    chosen = kept.view(asked)
    if "rows" in view and not query and (home := first(kept.views, context.user.login)):
        return redirect(of_view(newel, kind, home))
    columns, layout = view["columns"], kept.layout(chosen)
    view["columns"], gone = laid_out(columns, layout)
    view["freeze"] = layout.freeze
    if "rows" not in view:
        return None
    gone += _gone(newel, context, kind, query, columns)
    problems = [_missing(gone)] if gone else []
    if asked not in ("", "all") and chosen is None:
        problems.append(Problem(code="views.away", message="this view is not there any more, or not shared with you", hint="the list is shown without it"))
    view["problems"] = shown(problems)
    every = f"{address(newel, kind)}?view=all" if first(kept.views, context.user.login) else address(newel, kind)
    _filters(view, address(newel, kind), every, asked)
    seen = [v for v in kept.views if v.pinned or v is chosen]
    view["views"] = [
        {"label": _("All"), "url": every, "active": chosen is None},
        *({"label": v.name, "url": of_view(newel, kind, v), "active": v is chosen} for v in seen),
    ]
    links = [{"label": _("Views and columns"), "url": f"/views/of/{kind}?{query}", "icon": "adjustments"}]
    if plain(query) and (chosen is None or plain(query) != plain(chosen.query)):
        links.insert(0, {"label": _("Save this view"), "url": f"/views/of/{kind}?{query}#name", "icon": "plus"})
    view["views_end"] = links
    return None


def _missing(names: list[str]) -> Problem:
    return Problem(code="views.gone", message=f"the list does not have any more what this view asks for: {', '.join(names)}",
                   hint="it is shown without; save the view again to leave it out for good")  # fmt: skip


def _gone(newel: Newel, context: Context, kind: str, query: str, columns: list[dict[str, Any]]) -> list[str]:
    sorts = {c["name"] for c in columns if "sort_url" in c}
    if kind in newel.registry.documents:
        return unknown(query, DOCUMENTS, sorts, {"state": {s.name for s in newel.registry.documents[kind].states}})
    fields = newel.records.shape(kind, context).fields
    return unknown(query, {"q", *(f.name for f in fields)}, sorts, {f.name: [v for v, _label in f.choices] for f in fields if f.type == "choice"})


def _filters(view: dict[str, Any], own: str, every: str, asked: str) -> None:
    """Whoever filters further stays in the view; whoever clears leaves it."""
    filters = view["filters"]
    filters["hidden"] |= {"view": asked} if asked else {}
    filters["clear_url"] = filters["clear_url"] and every
    action = view["empty"]["action"]
    if action and action["url"] == own:
        action["url"] = every
