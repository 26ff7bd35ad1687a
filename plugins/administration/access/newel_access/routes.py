"""Pages: /access (the matrix), /access/roles, /access/users, /access/why and /access/compare."""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath
from newel.errors import Problem, Refused, missing
from newel.services.access import require
from newel.services.app import Newel
from newel.web.auth import context_of, newel_of
from newel.web.forms import Reader
from newel.web.render import Web, flash, page, redirect, shown
from newel.web.views_list import Address, filters, pager
from newel.web.views_text import _, said

from newel_access import editing, facts, rules, work
from newel_access.rules import Role

HOME, MOST = "/access", 200
SEE = {"permission": "newel.role_permission.view"}


async def _roles(newel: Newel) -> list[Role]:
    async with newel.database.read() as session:
        return await facts.roles(session)


def _named(roles: list[Role]) -> list[dict[str, str]]:
    return [{"value": r.code, "label": _(r.name)} for r in roles]


# ---- the matrix ------------------------------------------------------------------------------------------------------------------------


def _first(newel: Newel) -> str:
    """The plugin that the matrix begins with: of what is sold."""
    sold = next((k.name for k in newel.registry.documents.values() if k.role == "sale"), "newel.party")
    return sold.partition(".")[0]


def _wanted(newel: Newel, address: Address) -> tuple[str, list[tuple[str, list[tuple[str, str]]]]]:
    """(the plugin that is chosen, its permissions that fit what is looked for, by plugin)."""
    labels = {n: _(m.label) for n, m in newel.registry.manifests.items()}
    groups = rules.grouped(newel.registry.permissions(), labels)
    text = address.get("q").lower()
    chosen = address.get("plugin") or ("" if text else _first(newel))
    fit = {o: [(p, _(a)) for p, a in found if text in f"{p} {_(a)}".lower()] for o, found in groups.items() if chosen in ("", o)}
    return chosen, [(labels.get(o, o), found) for o, found in sorted(fit.items(), key=lambda kv: labels.get(kv[0], "")) if found]


def _row(permission: str, allows: str, columns: list[Role]) -> dict[str, Any]:
    cells = []
    for role in columns:
        given = rules.giving(role, permission)
        cells.append({"value": f"{role.id}:{permission}", "role": _(role.name), "given": given, "own": given == permission})
    return {"name": permission, "allows": allows, "cells": cells}


async def _matrix(request: Web, refused: Refused | None = None) -> Response[str]:
    newel, context = newel_of(request), await context_of(request)
    address, roles = Address(HOME, request.query_params), await _roles(newel)
    chosen, groups = _wanted(newel, address)
    columns = [r for r in roles if address.get("role") in ("", r.code)]
    total = sum(len(found) for _label, found in groups)
    left = MOST
    view = []
    for label, found in groups:
        view.append({"label": label, "rows": [_row(p, allows, columns) for p, allows in found[: max(left, 0)]]})
        left -= len(found)
    options = sorted(({"value": n, "label": _(m.label)} for n, m in newel.registry.manifests.items()), key=lambda o: o["label"])
    fields: list[dict[str, Any]] = [
        {"name": "q", "label": _("Permission"), "type": "text", "value": address.get("q")},
        {"name": "plugin", "label": _("Plugin"), "type": "select", "options": options, "value": chosen},
        {"name": "role", "label": _("Role"), "type": "select", "options": _named(roles), "value": address.get("role")},
    ]  # fmt: skip
    values = {"filters": filters(address, fields, {}), "columns": columns, "groups": view, "total": total, "most": MOST, "back": address.with_(),
              "may": context.user.may(work.EDIT)}  # fmt: skip
    status, problems = (refused.status, shown(refused.problems)) if refused else (200, [])
    return page(request, context, "access/matrix.html", _("Rights"), at=HOME, status=status, problems=problems, **values)


@get("/", opt=SEE)
async def matrix(request: Web) -> Response[str]:
    """Roles and their permissions."""
    return await _matrix(request)


@post("/", opt=SEE, status_code=200)
async def save(request: Web) -> Response[Any]:
    """Give and take what was ticked and unticked: form fields tick and shown, both "role:permission"."""
    newel, context, form = newel_of(request), await context_of(request), list((await request.form()).multi_items())
    more, less = rules.changes(*([v for k, v in form if k == name and isinstance(v, str)] for name in ("tick", "shown")))
    try:
        await work.change(newel, more, less, context)
    except Refused as refused:
        if refused.status == 403:
            raise
        return await _matrix(request, refused)
    said_so = _("%(more)s given, %(less)s taken away.", more=len(more), less=len(less)) if more or less else _("Nothing was changed.")
    return redirect(Address(HOME, request.query_params).with_(), flash(said_so, "ok" if more or less else "note"))


# ---- roles -----------------------------------------------------------------------------------------------------------------------------


def _list(columns: list[tuple[str, str, str]], rows: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    view = {"columns": [{"name": n, "label": label, "type": kind} for n, label, kind in columns], "rows": rows, "empty": {"title": _("Nothing here yet")}}
    return view | {"pager": {"first": 1, "last": len(rows), "total": len(rows)}} | more


@get("/roles", opt=SEE)
async def roles(request: Web) -> Response[str]:
    """Roles: what each gives, who has it, and what can be done with it."""
    newel, context = newel_of(request), await context_of(request)
    known = newel.registry.permissions()
    rows = [
        {"cells": {"name": {"value": _(r.name), "url": f"{HOME}?role={r.code}", "sub": r.code},
                   "gives": {"value": _("%(some)s of %(all)s", some=len(rules.covered(r, known)), all=len(known))},
                   "users": {"value": _("Users"), "url": f"{HOME}/users?role={r.code}"},
                   "compare": {"value": _("Compare"), "url": f"{HOME}/compare?a={r.code}"},
                   "copy": {"value": _("Copy"), "url": f"{HOME}/copy/{r.id}"}, "file": {"value": _("As a file"), "url": f"{HOME}/file/{r.id}"}}}
        for r in await _roles(newel)
    ]  # fmt: skip
    columns = [("name", _("Role"), "text"), ("gives", _("Permissions"), "text"), ("users", _("Users"), "text"), ("compare", _("Compare"), "text"),
               ("copy", _("Copy"), "text"), ("file", _("File"), "text")]  # fmt: skip
    actions = [{"label": _("New"), "method": "get", "url": "/records/newel.role/new", "icon": "plus", "primary": True}]
    file = [{"label": _("From a file"), "method": "get", "url": editing.URL, "icon": "upload"}] if context.user.may(work.EDIT) else []
    view = _list(columns, rows, actions=(actions if context.user.may("newel.role.edit") else []) + file)
    return page(request, context, "list.html", _("Roles and what they give"), at=HOME, list=view)


async def _role(newel: Newel, id: int) -> Role:
    found = next((r for r in await _roles(newel) if r.id == id), None)
    if found is None:
        raise missing("role", id, "id")
    return found


async def _copy_form(request: Web, role: Role, given: dict[str, str], refused: Refused | None = None) -> Response[str]:
    errors = {p.where: said(p).message for p in refused.problems} if refused else {}
    fields = [{"name": n, "label": label, "type": "text", "required": True, "value": given.get(n, ""), "error": errors.get(n, ""), "max_length": 60}
              for n, label in (("code", _("Code")), ("name", _("Name")))]  # fmt: skip
    form = {"action": f"{HOME}/copy/{role.id}", "kind_label": _("Role"), "back": {"label": _("Roles and what they give"), "url": f"{HOME}/roles"},
            "cancel_url": f"{HOME}/roles", "sections": [{"fields": fields}]}  # fmt: skip
    problems = shown(refused.problems, lambda where: where) if refused else []
    title = _("Copy of %(role)s", role=_(role.name))
    return page(request, await context_of(request), "record_form.html", title, at=HOME, status=refused.status if refused else 200, problems=problems, form=form)


@get("/copy/{id:int}", opt=SEE)
async def show_copy(request: Web, id: FromPath[int]) -> Response[str]:
    """What the new role shall be called."""
    return await _copy_form(request, await _role(newel_of(request), id), {})


@post("/copy/{id:int}", opt=SEE, status_code=200)
async def copy(request: Web, id: FromPath[int]) -> Response[Any]:
    """A new role with the permissions of this one."""
    newel, context, reader = newel_of(request), await context_of(request), Reader(await request.form())
    try:
        await work.copy(newel, id, reader.text("code"), reader.text("name"), context)
    except Refused as refused:
        if refused.status in (403, 404):
            raise
        return await _copy_form(request, await _role(newel, id), reader.form, refused)
    return redirect(Address(HOME, {"role": reader.text("code")}).with_(), flash(_("The role is there.")))


@get("/file/{id:int}", opt=SEE)
async def as_file(request: Web, id: FromPath[int]) -> Response[str]:
    """A role as a piece of newel.toml."""
    role = await _role(newel_of(request), id)
    return Response(rules.as_toml(role), media_type="text/plain; charset=utf-8", headers={"content-disposition": f'attachment; filename="role-{role.id}.toml"'})


@get("/compare", opt=SEE)
async def compare(request: Web) -> Response[str]:
    """What one role gives and the other does not."""
    newel, context = newel_of(request), await context_of(request)
    address, found = Address(f"{HOME}/compare", request.query_params), await _roles(newel)
    asked = (("a", _("Role")), ("b", _("and")))
    fields = [{"name": n, "label": label, "type": "select", "options": _named(found), "value": address.get(n)} for n, label in asked]
    a, b = (next((r for r in found if r.code == address.get(n)), None) for n in ("a", "b"))
    rows = []
    if a is not None and b is not None:
        known = newel.registry.permissions()
        ours, theirs = rules.covered(a, known), rules.covered(b, known)
        rows = [{"cells": {"name": {"value": p, "sub": _(known[p])}, "a": p in ours, "b": p in theirs}} for p in sorted(ours ^ theirs)]
    columns = [("name", _("Permission"), "text"), ("a", _(a.name) if a else "", "bool"), ("b", _(b.name) if b else "", "bool")]
    empty = {"title": _("They give the same") if a and b else _("Choose two roles")}
    view = _list(columns, rows, filters=filters(address, fields, {}), empty=empty)
    return page(request, context, "list.html", _("How roles differ"), at=HOME, list=view)


# ---- users -----------------------------------------------------------------------------------------------------------------------------


@get("/users", opt=SEE)
async def users(request: Web) -> Response[str]:
    """Users with their roles, and when they were last seen."""
    newel, context = newel_of(request), await context_of(request)
    require(context, "newel.user.view")
    address = Address(f"{HOME}/users", request.query_params)
    async with newel.database.read() as session:
        found, total = await facts.users(session, address.get("q"), address.get("role"), address.number)
        roles = await facts.roles(session)
    rows = [
        {"cells": {"login": {"value": u["login"], "url": f"/records/newel.user/{u['id']}", "sub": u["name"]},
                   "roles": ", ".join(_(r["name"]) for r in u["roles"]),
                   "party": u["party_name"] or "", "active": bool(u["active"]), "seen": u["seen"],
                   "why": {"value": _("What may they do?"), "url": Address(f"{HOME}/why", {"user": u["login"]}).with_()}}}
        for u in found
    ]  # fmt: skip
    columns = [("login", _("Login"), "text"), ("roles", _("Roles"), "long"), ("party", _("Stands for"), "text"), ("active", _("Active"), "bool"),
               ("seen", _("Last seen, UTC"), "instant"), ("why", _("Why"), "text")]  # fmt: skip
    fields: list[dict[str, Any]] = [{"name": "q", "label": _("Login or name"), "type": "text", "value": address.get("q")},
              {"name": "role", "label": _("Role"), "type": "select", "options": _named(roles), "value": address.get("role")}]  # fmt: skip
    labels = {n: address.get(n) for n in ("q", "role")}
    view = _list(columns, rows, filters=filters(address, fields, labels), pager=pager(address, total, len(rows), facts.SIZE))
    return page(request, context, "list.html", _("Users and their roles"), at=HOME, list=view)


@get("/why", opt=SEE)
async def why(request: Web) -> Response[str]:
    """Why a user may do something; if not, which role would let them; without a user, who may."""
    newel, context = newel_of(request), await context_of(request)
    require(context, "newel.user.view")
    address = Address(f"{HOME}/why", request.query_params)
    login, permission, known = address.get("user").lower(), address.get("permission"), newel.registry.permissions()
    async with newel.database.read() as session:
        roles, user = await facts.roles(session), await facts.user(session, login) if login else None
    problems = []
    if login and user is None:
        problems.append(Problem(code="missing", message=f"there is no user {login!r:.60}", where="user", hint="look at the list of users"))
    if permission and permission not in known:
        message, hint = f"no running plugin declares {permission!r:.80}", "choose one of the list"
        problems.append(Problem(code="access.unknown", message=message, where="permission", hint=hint))
    answer = _answer(roles, user, permission, known) if not problems else None
    values: dict[str, Any] = {"permissions": known, "address": address, "user": user, "answer": answer, "may": _may(roles, user, known)}
    return page(request, context, "access/why.html", _("Who may do what, and why"), at=HOME, problems=shown(problems, lambda w: w), **values)


def _answer(roles: list[Role], user: dict[str, Any] | None, permission: str, known: dict[str, str]) -> dict[str, Any] | None:
    """Which roles give it, and whether this user has one of them."""
    if not permission:
        return None
    theirs = user["roles"] if user is not None else frozenset()
    giving = [{"code": r.code, "name": _(r.name), "given": given, "theirs": r.code in theirs} for r, given in rules.why(roles, permission)]
    return {"allows": _(known[permission]), "giving": giving, "may": any(g["theirs"] for g in giving), "active": user is None or bool(user["active"])}


def _may(roles: list[Role], user: dict[str, Any] | None, known: dict[str, str]) -> list[dict[str, str]]:
    """Everything that a user may do, each with the role that gives it."""
    theirs = [r for r in roles if user is not None and r.code in user["roles"]]
    found = ((p, next((r for r in theirs if rules.giving(r, p)), None)) for p in sorted(known)) if theirs else ()
    return [{"name": p, "allows": _(known[p]), "role": _(r.name)} for p, r in found if r is not None]


handlers = [matrix, save, roles, show_copy, copy, as_file, compare, users, why, *editing.handlers]
