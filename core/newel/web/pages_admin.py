"""Administration: settings, plugins, the worker's jobs, audit, passwords; and what a user sets for themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from litestar import Response, get, post
from litestar.params import FromPath

from newel.errors import Refused
from newel.kernel_records import LANGUAGES
from newel.services import administration as service
from newel.services.access import require
from newel.web.auth import context_of, newel_of, principal
from newel.web.forms import Reader, field_of, parts_of, read_struct
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_document import kind_label
from newel.web.views_list import MOST_EXPORTED, SIZE, Address, asked, file_actions, file_response, filters, listed, pager, shown_rows
from newel.web.views_text import _, instant, language, said, words

if TYPE_CHECKING:
    from newel.services.app import Newel

ADMIN = {"permission": "newel.admin"}
BADGES = {"failed": "error", "running": "open", "waiting": "draft", "done": "done"}


# ---- settings ----------------------------------------------------------------------------------------------------------------------


@get("/settings", opt=ADMIN)
async def settings(request: Web) -> Response[str]:
    """Plugins that have settings."""
    newel, context = newel_of(request), await context_of(request)
    found = [m for m in newel.registry.manifests.values() if m.settings is not None]
    rows = [{"url": f"/settings/{m.name}", "cells": {"name": _(m.label), "fields": ", ".join(words(p.name) for p in parts_of(m.settings))}} for m in found]
    summary = _("Settings of %(company)s. What is not set here comes from newel.toml, or is the plugin's own default.", company=context.company.name)
    view = listed([("name", _("Plugin"), "text"), ("fields", _("Settings"), "text")], rows, summary=summary)
    return page(request, context, "list.html", _("Settings"), list=view)


async def _settings_form(request: Web, name: str, reader: Reader | None = None, refused: Refused | None = None) -> Response[str]:
    newel, context = newel_of(request), await context_of(request)
    manifest = newel.registry.manifests.get(name)
    if manifest is None or manifest.settings is None:
        return redirect("/settings")
    now = context.settings.get(name) or manifest.settings()
    problems = [*(reader.problems if reader else ()), *(refused.problems if refused else ())]
    errors = {p.where.rpartition(".")[2]: said(p).message for p in problems}
    fields, grids = [], []
    for part in parts_of(manifest.settings):
        key = f"settings.{part.name}"
        if part.type == "rows":
            cols = [{"name": p.name, "label": words(p.name), "type": field_of(p, p.name, None)["type"]} for p in part.rows]
            rows = [{"cells": {p.name: {"value": field_of(p, p.name, getattr(x, p.name))["value"]} for p in part.rows}} for x in getattr(now, part.name)]
            grids.append({"label": words(part.name), "grid": {"name": key, "label": words(part.name), "columns": cols, "rows": rows, "blank": 1}})
            continue
        posted = reader.flag(key) if reader and part.type == "checkbox" else reader.form.get(key) if reader else None
        value = getattr(now, part.name, part.default) if posted is None else posted
        fields.append(field_of(part, key, value) | {"error": errors.get(part.name, "")})
    form = {"action": f"/settings/{name}", "kind_label": _("Settings"), "back": {"label": _("Settings"), "url": "/settings"}, "cancel_url": "/settings",
            "sections": [{"help": (manifest.settings.__doc__ or "").strip(), "fields": fields}], "children": grids}  # fmt: skip
    return page(request, context, "record_form.html", _(manifest.label), status=422 if problems else 200, problems=shown(problems), form=form)


@get("/settings/{name:str}", opt=ADMIN)
async def show_settings(request: Web, name: FromPath[str]) -> Response[str]:
    """The settings of a plugin, from its declaration."""
    return await _settings_form(request, name)


@post("/settings/{name:str}", opt=ADMIN, status_code=200)
async def save_settings(request: Web, name: FromPath[str]) -> Response[Any]:
    """Keep the company's settings of a plugin."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    manifest = newel.registry.manifests.get(name)
    values = read_struct(reader, parts_of(manifest.settings), "settings", "settings") if manifest and manifest.settings else {}
    if reader.problems:
        return await _settings_form(request, name, reader)
    try:
        await service.save_settings(newel, name, values, context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _settings_form(request, name, reader, refused)
    return redirect("/settings", flash(_("The settings are saved.")))


# ---- plugins -----------------------------------------------------------------------------------------------------------------------


@get("/plugins", opt=ADMIN)
async def plugins(request: Web) -> Response[str]:
    """What runs, what does not and why, and how long its hooks took."""
    newel, context = newel_of(request), await context_of(request)
    away = sorted(newel.off, key=lambda o: o.name)
    rows: list[dict[str, Any]] = [{"cells": {"name": o.name, "state": {"value": _("off"), "phase": "error"}, "hooks": o.reason}} for o in away]
    for name in newel.plugins.order:
        manifest = newel.registry.manifests[name]
        spent = {hook: s for (plugin, hook), s in newel.plugins.spent.items() if plugin == name}
        calls, seconds = sum(s[0] for s in spent.values()), sum(s[1] for s in spent.values())
        failed, last = newel.plugins.failed.get(name, (0, ""))
        old = [f"{failed}× {last}"] if failed else []
        old += [w for w in newel.plugins.warnings if w.startswith(f"plugin {name!r},")]
        hooks = old + [f"{h} {int(s[0])}× {s[1] * 1000:.1f} ms" for h, s in sorted(spent.items(), key=lambda kv: -kv[1][1])]
        documents, reports = _("%(n)s document kinds", n=len(manifest.documents)), _("%(n)s reports", n=len(manifest.reports))
        records = _("%(n)s record kinds", n=len(manifest.records))
        rows.append(
            {"cells": {"name": {"value": _(manifest.label), "sub": f"{name} {manifest.version}"}, "brings": f"{documents}, {records}, {reports}",
                       "state": {"value": _("running"), "phase": "error" if failed else "hold" if old else "done"}, "calls": Decimal(int(calls)),
                       "ms": Decimal(f"{seconds * 1000:.1f}"), "hooks": " · ".join(hooks)}}
        )  # fmt: skip
    columns = [("name", _("Plugin"), "text"), ("state", _("State"), "badge"), ("brings", _("Brings"), "long"), ("calls", _("Calls"), "quantity"),
               ("ms", _("Time, ms"), "quantity"), ("hooks", _("Hooks, or why it is off"), "long")]  # fmt: skip
    summary = _("Since the server has started. A plugin that is off keeps its data; its documents can be read.")
    return page(request, context, "list.html", _("Plugins"), list=listed(columns, rows, summary=summary))


# ---- jobs --------------------------------------------------------------------------------------------------------------------------


@get("/jobs", opt=ADMIN)
async def jobs(request: Web) -> Response[str]:
    """What the worker has to do; what failed can be tried again."""
    newel, context = newel_of(request), await context_of(request)
    state = request.query_params.get("state", "")
    found = await service.queue(newel, context, state)
    labels = {"failed": _("failed"), "running": _("running"), "waiting": _("waiting"), "done": _("done")}
    address = Address("/jobs", {"state": state})
    rows = [
        {"id": f"{p.what}-{p.id}", "cells": {
            "name": {"value": p.name, "sub": p.detail}, "state": {"value": labels.get(p.state, p.state), "phase": BADGES.get(p.state, "draft")},
            "attempts": Decimal(p.attempts), "created": p.created_at, "next": p.next_at, "error": p.error}}
        for p in found
    ]  # fmt: skip
    columns = [("name", _("What"), "text"), ("state", _("State"), "badge"), ("attempts", _("Tries"), "quantity"), ("created", _("Since"), "instant"),
               ("next", _("Next try"), "instant"), ("error", _("Error"), "long")]  # fmt: skip
    options = [{"value": k, "label": v} for k, v in labels.items()]
    field = {"name": "state", "label": _("State"), "type": "select", "options": options, "value": state, "narrow": True}
    actions = [{"label": _("Try again"), "name": "do", "value": "retry"}, {"label": _("Give up"), "name": "do", "value": "discard", "danger": True}]
    bulk = {"action": "/jobs", "actions": actions, "fields": [{"name": "reason", "label": _("Why nobody needs it"), "type": "text", "max_length": 500}]}
    more = {"filters": filters(address, [field], {"state": labels.get(state, "")}), "bulk": bulk if rows else None,
            "empty": {"title": _("Nothing to do"), "reason": _("What plugins want to do after a commit, and jobs, stand here.")}}  # fmt: skip
    return page(request, context, "list.html", _("Jobs"), list=listed(columns, rows, **more))


@post("/jobs", opt=ADMIN, status_code=200)
async def retry(request: Web) -> Response[Any]:
    """Let the worker try again what was ticked, or give it up for a reason."""
    newel, context, form = newel_of(request), await context_of(request), await request.form()
    up, reason, done = form.get("do") == "discard", Reader(form).text("reason"), 0
    for piece in [v for k, v in form.multi_items() if k == "id" and isinstance(v, str)]:
        what, _dash, id_ = piece.partition("-")
        if what in ("outbox", "job") and id_.isdecimal() and len(id_) < 19:
            await (service.discard(newel, what, int(id_), reason, context) if up else service.retry(newel, what, int(id_), context))
            done += 1
    said = _("%(n)s are given up.", n=done) if up else _("%(n)s will be tried again.", n=done)
    return redirect("/jobs", flash(said, "ok" if done else "note"))


# ---- audit -------------------------------------------------------------------------------------------------------------------------


def _event(newel: Newel, e: service.AuditRow, names: dict[str, str], most: int | None) -> dict[str, Any]:
    """An event as a row; most: characters of its changes."""
    did = {"create": _("made it"), "change": _("changed it"), "delete": _("deleted it"), "discard": _("gave it up"), "release": _("released a hold"),
           "password": _("set a new password")}  # fmt: skip
    kind = newel.registry.documents.get(e.kind)
    step = kind.transition(e.action) if kind else None
    url = f"/document/{e.record}" if kind else f"/records/{e.kind}/{e.record}" if e.kind in newel.registry.records else ""
    changes = "; ".join(f"{words(str(c.get('field')))}: {c.get('old') if c.get('old') is not None else ''} → {c.get('new')}" for c in e.changes)
    return {"cells": {"at": e.at, "user": {"value": e.user, "sub": "" if e.source == "screen" else e.source}, "changes": changes[:most],
                      "what": did.get(e.action) or (_(step.label) if step else e.action),
                      "on": {"value": f"{names.get(e.kind, e.kind)} {e.number or e.record}", "url": url}}}  # fmt: skip


@get("/audit", opt=ADMIN)
async def audit(request: Web) -> Response[Any]:
    """Who changed what, in records and documents."""
    newel, context = newel_of(request), await context_of(request)
    address, file = Address("/audit", {k: v for k, v in request.query_params.items() if k != "format"}), asked(newel, request.query_params)
    reader = Reader(address.query)
    found, total = await service.audit(
        newel, context, user=address.get("user"), kind=address.get("kind"), text=address.get("q"), field=address.get("field"), record=address.get("record"),
        date_from=reader.day("from"), date_to=reader.day("to"), number=1 if file else address.number, size=MOST_EXPORTED + 1 if file else SIZE,
    )  # fmt: skip
    names = {k: kind_label(newel, k) for k in newel.registry.documents} | {r.name: _(r.label) for r in newel.registry.records.values()}
    rows = [_event(newel, e, names, None if file else 400) for e in found]
    kinds = [{"value": k, "label": label} for k, label in sorted(names.items(), key=lambda kv: kv[1])]
    texts = {"q": _("Changed value"), "user": _("Login"), "record": _("Number or id"), "field": _("Field")}
    fields: list[dict[str, Any]] = [{"name": n, "label": label, "type": "text", "value": address.get(n), "narrow": n != "q"} for n, label in texts.items()]
    fields.insert(2, {"name": "kind", "label": _("Kind"), "type": "select", "options": kinds, "value": address.get("kind"), "narrow": True})
    fields += [{"name": n, "label": label, "type": "date", "value": address.get(n), "narrow": True} for n, label in (("from", _("From")), ("to", _("To")))]
    columns = [("at", _("When, UTC"), "instant"), ("user", _("Who"), "text"), ("on", _("About"), "text"), ("what", _("What"), "text"),
               ("changes", _("Changes"), "long")]  # fmt: skip
    labels = {n: address.get(n) for n in ("q", "user", "kind", "record", "field", "from", "to")}
    view = listed(columns, rows, filters=filters(address, fields, labels), actions=file_actions(newel, context, address))
    if file:
        return file_response(newel, file, "audit", [label for _n, label, _t in columns], shown_rows(view["columns"], [r["cells"] for r in rows]))
    view["pager"] = pager(address, total, len(rows), whole=total < service.COUNTED)
    return page(request, context, "list.html", _("Audit"), problems=shown(reader.problems), list=view)


# ---- passwords and the user's own page ---------------------------------------------------------------------------------------------


async def _password_form(request: Web, user: int, action: str, back: str, refused: Refused | None = None) -> Response[str]:
    context = await context_of(request)
    fields = [{"name": "password", "label": _("New password"), "type": "password", "required": True, "autocomplete": "new-password", "max_length": 200}]
    if user == context.user.id:
        old = {"name": "old", "label": _("Password until now"), "type": "password", "required": True, "autocomplete": "current-password", "max_length": 200}
        fields.insert(0, old)
    form = {"action": action, "kind_label": _("Password"), "back": {"label": _("back"), "url": back}, "cancel_url": back, "sections": [{"fields": fields}]}
    problems = shown(refused.problems, lambda w: w) if refused else []
    return page(request, context, "record_form.html", _("Set password"), status=refused.status if refused else 200, problems=problems, form=form)


@get("/users/{id:int}/password")
async def show_password(request: Web, id: FromPath[int]) -> Response[str]:
    """The form for somebody else's password."""
    require(await context_of(request), "newel.user.edit")
    return await _password_form(request, id, f"/users/{id}/password", f"/records/newel.user/{id}")


@post("/users/{id:int}/password", status_code=200)
async def set_password(request: Web, id: FromPath[int]) -> Response[Any]:
    """A new password for somebody; all their sessions end."""
    context, reader = await context_of(request), Reader(await request.form())
    require(context, "newel.user.edit")
    try:
        await newel_of(request).users.set_password(id, reader.form.get("password", ""), context)
    except Refused as refused:
        return await _password_form(request, id, f"/users/{id}/password", f"/records/newel.user/{id}", refused)
    return redirect(f"/records/newel.user/{id}", flash(_("The password is set. All sessions of this user have ended.")))


@get("/account")
async def account(request: Web) -> Response[str]:
    """Where the user is logged in, the way to a new password, and other languages."""
    newel, context = newel_of(request), await context_of(request)
    own = principal(request).session
    rows = [{"id": s.id, "cells": {"seen": s.seen_at, "since": s.created_at, "address": s.address, "agent": s.agent, "this": bool(own and s.id == own.id)}}
            for s in await newel.users.sessions(context.user)]  # fmt: skip
    columns = [("seen", _("Last seen, UTC"), "instant"), ("since", _("Since"), "instant"), ("address", _("Address"), "text"), ("agent", _("Browser"), "long"),
               ("this", _("This one"), "bool")]  # fmt: skip
    actions = [{"label": _("Set password"), "method": "get", "url": "/account/password", "icon": "key", "primary": True}]
    actions += [{"label": n, "method": "post", "url": "/account/language", "name": "language", "value": t} for t, n in LANGUAGES if t != language.get()]
    bulk = {"action": "/account/sessions", "actions": [{"label": _("End session"), "name": "do", "value": "end", "danger": True}]}
    return page(request, context, "list.html", _("Where you are logged in"), list=listed(columns, rows, actions=actions, bulk=bulk if rows else None))


@post("/account/sessions", status_code=200)
async def end_sessions(request: Web) -> Response[Any]:
    """End some of one's own sessions."""
    newel, context = newel_of(request), await context_of(request)
    for key, value in (await request.form()).multi_items():
        if key == "id" and isinstance(value, str) and value.isdigit() and len(value) < 19:
            await newel.users.revoke(context.user, int(value))
    return redirect("/account", flash(_("Ended, at %(when)s UTC.", when=instant(context.now))))


@get("/account/password")
async def show_own_password(request: Web) -> Response[str]:
    """The form for one's own password."""
    context = await context_of(request)
    return await _password_form(request, context.user.id, "/account/password", "/account")


@post("/account/password", status_code=200)
async def set_own_password(request: Web) -> Response[Any]:
    """A new password of one's own; the other sessions end."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    own = principal(request).session
    try:
        known = await newel.users.authenticate(context.user.login, reader.form.get("old", ""), own.address if own else "")
        if known is None or known.id != context.user.id:
            reader.bad("old", _("this is not your password"), code="login.failed")
            raise Refused(*reader.problems)
        await newel.users.set_password(context.user.id, reader.form.get("password", ""), context, keep=own.id if own else None)
    except Refused as refused:
        return await _password_form(request, context.user.id, "/account/password", "/account", refused)
    return redirect("/account", flash(_("Your password is set. Your other sessions have ended.")))


handlers = [
    settings, show_settings, save_settings, plugins, jobs, retry, audit, show_password, set_password, account, end_sessions, show_own_password,
    set_own_password,
]  # fmt: skip
