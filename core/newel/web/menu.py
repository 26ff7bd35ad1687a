"""The navigation: made from what the plugins declare and the user may see."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from newel.domain.context import Context
from newel.web.views_text import _

if TYPE_CHECKING:
    from newel.services.app import Newel

# Sections of plugins first, then what documents are about, then how the house is run.
LAST = ("Items", "Parties", "Stock", "Finance", "Administration")
ICONS = {
    "sale": "shopping-cart", "purchase": "truck-delivery", "delivery": "truck-delivery", "receipt": "package", "invoice": "file-invoice",
    "bill": "receipt", "payment": "cash", "return": "arrow-back-up", "request": "message", "transfer": "arrows-exchange", "production": "tool",
}  # fmt: skip
TOOLS = (("Settings", "/settings", "settings"), ("Plugins", "/plugins", "puzzle"), ("Jobs", "/jobs", "clock"), ("Audit", "/audit", "history"))
UNFOLDED = 40  # entries that a menu shows at once
Entry = tuple[str, str, str, str]


def companies(newel: Newel, context: Context) -> list[dict[str, Any]]:
    """The companies that the user may switch to."""
    user, kept = context.user, newel.database.cache.values.get("newel.master")
    known = kept[1].companies if kept else {context.company.id: context.company}
    return [
        {"label": c.name, "id": c.id, "current": c.id == context.company.id}
        for c in known.values()
        if "*" in user.permissions or c.id in user.companies
    ]  # fmt: skip


def home(newel: Newel, context: Context) -> str:
    """Where a user starts who stands for a party; empty for our own people, and where no plugin has a place for them."""
    if context.user.party is None:
        return ""
    return next((i.path for m in newel.registry.manifests.values() for i in m.menu if i.home and (not i.permission or context.user.may(i.permission))), "")


def boxes(newel: Newel, context: Context, on: str, kind: str = "", id: int = 0) -> list[dict[str, Any]]:
    """The boxes that plugins have at a place, for this user; by the names of the plugins."""
    found = (b for m in newel.registry.manifests.values() for b in m.boxes if b.on in (on, f"{on}:{kind}"))
    return [
        {"label": _(b.title), "url": b.url.format(kind=kind, id=id), "slot": "below"}
        for b in found
        if (b.shared or context.user.party is None) and (not b.permission or context.user.may(b.permission))
    ]  # fmt: skip


def _entries(newel: Newel, context: Context) -> Iterator[Entry]:
    """(section, label, address, icon) of everything that the user may open, in the order of the declarations."""
    registry, may = newel.registry, context.user.may
    items = [i for m in registry.manifests.values() for i in m.menu if (context.user.party or not i.home) and (not i.permission or may(i.permission))]
    if home(newel, context):
        yield from (("" if i.home else i.section, i.label, i.path, "home" if i.home else "file-text") for i in sorted(items, key=lambda i: not i.home))
        return
    yield "", "Start", "/", "home"
    owners = {k.name: registry.manifests[registry.owner[f"document kind:{k.name}"]].label for k in registry.documents.values()}
    for kind in sorted(registry.documents.values(), key=lambda k: owners[k.name] != (k.menu or owners[k.name])):  # a section's own plugin first
        if may(f"{kind.name}.view"):
            yield kind.menu or owners[kind.name], kind.label_plural, f"/documents/{kind.name}", ICONS.get(kind.role, "file-text")
    for record in registry.records.values():
        if record.menu and may(f"{record.name}.view"):
            yield record.menu, record.label_plural, f"/records/{record.name}", "table"
    for report in registry.reports.values():
        if report.menu and may(f"{report.name}.view"):
            yield report.menu, report.label, f"/report/{report.name}", "chart-bar"
    yield from ((i.section, i.label, i.path, "file-text") for i in items)
    if may("newel.admin"):
        yield from (("Administration", label, url, icon) for label, url, icon in TOOLS)


def navigation(newel: Newel, context: Context, path: str) -> list[dict[str, Any]]:
    """Sections with their entries, sorted; the entry that is open is marked. A long menu is folded but for its section."""
    sections: dict[str, list[dict[str, Any]]] = {}
    for section, label, url, icon in _entries(newel, context):
        sections.setdefault(section, []).append({"label": _(label), "url": url, "icon": icon})
    urls = [str(item["url"]) for items in sections.values() for item in items]
    best = max((u for u in urls if path == u or (u != "/" and path.startswith(f"{u}/"))), key=len, default="")
    for items in sections.values():
        for item in items:
            item["active"] = item["url"] == best
    sells = {k.menu for k in newel.registry.documents.values() if k.role == "sale"}
    order = sorted(sections, key=lambda s: (bool(s), LAST.index(s) + 1 if s in LAST else 0, s not in sells, s))
    long = len(urls) > UNFOLDED
    return [{"label": _(s), "items": sections[s], "folded": long and not any(i["active"] for i in sections[s])} for s in order]


def create(newel: Newel, context: Context) -> list[dict[str, Any]]:
    """What C and a letter make: each kind gets a letter of its name, sales first, and what others lead to before what nothing leads to.

    The last word says what it is: the O of a sales order.
    """
    out: list[dict[str, Any]] = []
    if home(newel, context):  # they make things where they start
        return out
    taken: set[str] = set()
    kinds = [k for k in newel.registry.documents.values() if context.user.may(f"{k.name}.edit")]
    led = Counter(f.target_kind for f in newel.registry.flows.values())
    for kind in sorted(kinds, key=lambda k: (k.role != "sale", k.role, -led[k.name], -len(k.transitions), k.name)):
        label = _(kind.label)
        letters = [*(word[0] for word in reversed(label.split())), *label]
        key = next((c.upper() for c in letters if c.isalpha() and c.upper() not in taken), "")
        taken.add(key)
        out.append({"label": _("New: %(kind)s", kind=label), "url": f"/documents/{kind.name}/new", "key": key})
    return out
