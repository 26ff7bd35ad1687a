"""What a list gets before it is shown: what many of its rows can be changed to."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.web.auth import newel_of
from newel.web.render import Web
from newel.web.views_text import _, number

from newel_bulk import work


async def arrange(request: Web, context: Context, kind: str, view: dict[str, Any]) -> None:
    """Change a list in place; see newel.manifest, Manifest.lists."""
    if context.user.party is not None or not view.get("rows"):
        return
    newel, query = newel_of(request), str(request.url.query)
    options = work.options(newel, kind, context) if context.user.may(work.RIGHT) else []
    if not options:
        return
    to, total = f"/bulk/of/{kind}?{query}", view["pager"]["total"]
    count = number(total) + ("+" if view["pager"].get("at_least") else "")
    view["bulk"] = view.get("bulk") or {"action": to, "actions": []}
    view["bulk"]["change"] = {
        "label": _("Change …"), "name": "change", "options": [{"value": v, "label": label} for v, label in options], "action": to,
        "button": _("See what would happen"), "all": _("All %(count)s rows", count=count),
    }  # fmt: skip
