"""The navigation: made from what the plugins declare and the user may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from newel.domain.context import Context
from newel.web.views_text import _

if TYPE_CHECKING:
    from newel.services.app import Newel

# Kinds of documents first, then what they are about, then how the house is run. Sections of plugins come before those of the kernel.
LAST = ("Items", "Parties", "Stock", "Finance", "Administration")
ICONS = {
    "sale": "shopping-cart", "purchase": "truck-delivery", "delivery": "truck-delivery", "receipt": "package", "invoice": "file-invoice",
    "bill": "receipt", "payment": "cash", "return": "arrow-back-up", "request": "message", "transfer": "arrows-exchange", "production": "tool",
}  # fmt: skip
TOOLS = (
    ("Settings", "/settings", "settings"), ("Plugins", "/plugins", "puzzle"), ("Jobs", "/jobs", "clock"), ("Audit", "/audit", "history"),
)  # fmt: skip


def companies(newel: Newel, context: Context) -> list[dict[str, Any]]:
    """The companies that the user may switch to."""
    user, kept = context.user, newel.database.cache.values.get("newel.master")
    known = kept[1].companies if kept else {context.company.id: context.company}
    return [
        {"label": c.name, "id": c.id, "current": c.id == context.company.id}
        for c in known.values()
        if "*" in user.permissions or c.id in user.companies
    ]


def navigation(newel: Newel, context: Context, path: str) -> list[dict[str, Any]]:
    """Sections with their entries, sorted; the one that is open is marked."""
    registry, may = newel.registry, context.user.may
    sections: dict[str, list[dict[str, Any]]] = {}

    def add(section: str, label: str, url: str, icon: str) -> None:
        sections.setdefault(section, []).append({"label": _(label), "url": url, "icon": icon})

    for kind in registry.documents.values():
        if may(f"{kind.name}.view"):
            owner = registry.manifests[registry.owner[f"document kind:{kind.name}"]]
            add(kind.menu or owner.label, kind.label_plural, f"/documents/{kind.name}", ICONS.get(kind.role, "file-text"))
    for record in registry.records.values():
        if record.menu and may(f"{record.name}.view"):
            add(record.menu, record.label_plural, f"/records/{record.name}", "table")
    for report in registry.reports.values():
        if report.menu and may(f"{report.name}.view"):
            add(report.menu, report.label, f"/report/{report.name}", "chart-bar")
    for manifest in registry.manifests.values():
        for item in manifest.menu:
            if not item.permission or may(item.permission):
                add(item.section, item.label, item.path, "file-text")
    if may("newel.admin"):
        for label, url, icon in TOOLS:
            add("Administration", label, url, icon)
    order = sorted(sections, key=lambda s: (LAST.index(s) + 1 if s in LAST else 0, s))
    nav = [{"label": "", "items": [{"label": _("Start"), "url": "/", "icon": "home"}]}, *({"label": _(s), "items": sections[s]} for s in order)]
    best = max((i["url"] for s in nav for i in s["items"] if path == i["url"] or path.startswith(i["url"].rstrip("/") + "/")), key=len, default="")
    for section in nav:
        for item in section["items"]:
            item["active"] = item["url"] == best and (best != "/" or path == "/")
    return nav


def create(newel: Newel, context: Context) -> list[dict[str, Any]]:
    """What C and a letter make: each kind gets a letter of its name, the first that is free."""
    out: list[dict[str, Any]] = []
    taken: set[str] = set()
    kinds = [k for k in newel.registry.documents.values() if context.user.may(f"{k.name}.edit")]
    # The last word says what it is: the O of a sales order.
    for kind in sorted(kinds, key=lambda k: (k.role != "sale", k.role, -len(k.transitions), k.name)):
        label = _(kind.label)
        letters = [*(word[0] for word in reversed(label.split())), *label]
        key = next((c.upper() for c in letters if c.isalpha() and c.upper() not in taken), "")
        taken.add(key)
        out.append({"label": _("New: %(kind)s", kind=label), "url": f"/documents/{kind.name}/new", "key": key})
    return out
