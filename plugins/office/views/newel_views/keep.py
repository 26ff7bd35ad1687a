"""Views and columns in the database: each user's own, and those that are shared with them."""

from __future__ import annotations

from typing import Any

import msgspec
from newel.domain.context import Context
from newel.errors import Problem, Refused, missing
from newel.services.access import denied, require
from newel.store.session import Session

from newel_views.rules import EVERYBODY, SHARE, Layout, View
from newel_views.tables import Columns
from newel_views.tables import View as Table

MINE = 'SELECT r.code FROM user_role u JOIN role r ON r.id = u.role WHERE u."user" = ?'


class Kept(msgspec.Struct, frozen=True):
    """What a user has for one list. layouts: by id of the view, 0 for none."""

    views: list[View]
    layouts: dict[int, Layout]

    def view(self, id: str) -> View | None:
        """The view with this id, as it stands in an address."""
        return next((v for v in self.views if str(v.id) == id), None)

    def layout(self, view: View | None) -> Layout:
        """The user's own columns for a view, else the view's, else those that the user has without one."""
        own = self.layouts.get(view.id if view else 0)
        return own or (view.layout if view and view.layout.columns else self.layouts.get(0, Layout()))


def inside(context: Context, kind: str) -> None:
    """Go on only for our own people who may see the list; Refused 403 otherwise."""
    if context.user.party is not None:
        raise denied("a user of no party")
    require(context, f"{kind}.view")


async def kept(session: Session, context: Context, kind: str) -> Kept:
    """The views of a list that the user may use, by name, and the columns."""
    company, login = context.company.id, context.user.login
    rows = await session.fetch(
        f'SELECT * FROM views_view WHERE company = ? AND kind = ? AND ((shared = \'\' AND "user" = ?) OR shared = ? OR shared IN ({MINE}) '
        f'OR (shared <> \'\' AND "user" = ?)) ORDER BY name, id',
        company, kind, login, EVERYBODY, context.user.id, login,
    )  # fmt: skip
    layouts = await session.fetch('SELECT view, layout FROM views_columns WHERE company = ? AND "user" = ? AND kind = ?', company, login, kind)
    return Kept([_view(r) for r in rows], {r["view"]: _layout(r["layout"]) for r in layouts})


def _view(r: Any) -> View:
    return View(
        id=r["id"], name=r["name"], user=r["user"], shared=r["shared"], query=r["query"], layout=_layout(r["layout"]), pinned=bool(r["pinned"]),
        standard=bool(r["standard"]),
    )  # fmt: skip


def _layout(text: str) -> Layout:
    return msgspec.json.decode(text, type=Layout) if text else Layout()


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def roles(session: Session, context: Context) -> list[tuple[str, str]]:
    """(code, name) of the roles that a view may be shared with: all for whoever administers, else the user's own."""
    if not context.user.may(SHARE):
        return []
    every = context.user.may("newel.role.edit")
    sql = f"SELECT code, name FROM role WHERE {'1 = 1' if every else f'code IN ({MINE})'} ORDER BY name"
    return [(r["code"], r["name"]) for r in await session.fetch(sql, *([] if every else [context.user.id]))]


def may_change(context: Context, view: View) -> bool:
    """Owners change what is theirs; what is shared, whoever may share as well."""
    return view.user == context.user.login or (bool(view.shared) and context.user.may(SHARE))


async def save(session: Session, context: Context, kind: str, view: View) -> int:
    """Keep a view, a new one where its id is 0; Refused where its name is missing or taken, or it may not be shared so."""
    found = await kept(session, context, kind)
    before = found.view(str(view.id)) if view.id else None
    if view.id and before is None:
        raise missing("view", view.id)
    if before and not may_change(context, before):
        raise denied(SHARE)
    if view.shared and view.shared != (before.shared if before else "") and view.shared not in {EVERYBODY, *(c for c, _n in await roles(session, context))}:
        raise denied(SHARE)
    if view.shared:
        require(context, SHARE)
    if not view.name:
        raise Refused(Problem(code="views.name", message="a view needs a name", where="name", hint="say in a word or two what it shows"))
    if any(v.name == view.name and v.user == view.user and v.id != view.id for v in found.views):
        raise Refused(Problem(code="views.twice", message=f"there is a view {view.name} already", where="name", hint="choose another name"))
    if view.standard:
        sql = "UPDATE views_view SET standard = ? WHERE company = ? AND kind = ? AND shared = ? AND (shared <> '' OR \"user\" = ?) RETURNING id"
        await session.fetch(sql, False, context.company.id, kind, view.shared, view.user)
    values = {"name": view.name[:60], "shared": view.shared, "query": view.query, "layout": _json(view.layout), "pinned": view.pinned,
              "standard": view.standard}  # fmt: skip
    if view.id:
        await session.update(Table, view.id, **values)
        return view.id
    await session.need(1)
    return session.add(Table, company=context.company.id, kind=kind, user=view.user, **values)


async def drop(session: Session, context: Context, kind: str, id: int) -> None:
    """Forget a view with everybody's columns of it."""
    view = (await kept(session, context, kind)).view(str(id))
    if view is None:
        raise missing("view", id)
    if not may_change(context, view):
        raise denied(SHARE)
    await session.fetch("DELETE FROM views_columns WHERE view = ? RETURNING id", id)
    await session.fetch("DELETE FROM views_view WHERE id = ? RETURNING id", id)


async def keep_columns(session: Session, context: Context, kind: str, view: int, layout: Layout | None) -> None:
    """Keep the user's columns of a list; None for those that it has by itself."""
    company, login = context.company.id, context.user.login
    await session.fetch('DELETE FROM views_columns WHERE company = ? AND "user" = ? AND kind = ? AND view = ? RETURNING id', company, login, kind, view)
    if layout:
        await session.need(1)
        session.add(Columns, company=company, user=login, kind=kind, view=view, layout=_json(layout))
