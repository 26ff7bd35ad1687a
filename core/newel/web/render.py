"""From view models to pages: the template environment, numbers and dates for the reader, the frame of every page."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from litestar import Request, Response
from litestar.datastructures import Cookie

from newel.domain.context import Context
from newel.errors import Problem
from newel.web import menu
from newel.web.views_text import _, day, instant, language, number, several

if TYPE_CHECKING:
    from newel.services.app import Newel

HERE = Path(__file__).parent
FLASH = "newel_flash"
Web = Request[Any, Any, Any]


# ---- the environment ---------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=256)
def static_url(path: str) -> str:
    """Address of a static file with a version, so that it may be cached for ever."""
    file = HERE / "static" / path
    version = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else "0"
    return f"/static/{path}?v={version}"


def _folder(place: str) -> str | None:
    """Where "module:folder" of a manifest lies."""
    module, _colon, folder = place.partition(":")
    found = find_spec(module)
    roots = (found.submodule_search_locations or [str(Path(found.origin or "").parent)]) if found else []
    return str(Path(roots[0]) / folder) if roots else None


def environment(newel: Newel) -> jinja2.Environment:
    """The templates of the kernel, then those of the plugins; made once for each install."""
    found: jinja2.Environment | None = newel.__dict__.get("_templates")
    if found is not None:
        return found
    folders = [str(HERE / "templates")]
    folders += [f for m in newel.registry.manifests.values() if m.templates and (f := _folder(m.templates))]
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders), autoescape=True, extensions=["jinja2.ext.i18n"], trim_blocks=True, lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.install_gettext_callables(_, several, newstyle=True)  # type: ignore[attr-defined]
    made.globals["static_url"] = static_url
    made.filters.update({"decimal": number, "day": day, "instant": instant})
    newel.__dict__["_templates"] = made
    return made


# ---- the frame ---------------------------------------------------------------------------------------------------------------------


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper() or "?"


def _flashes(request: Web) -> list[dict[str, Any]]:
    try:
        found = json.loads(base64.urlsafe_b64decode(request.cookies.get(FLASH, "")))
    except ValueError:
        return []
    return [{k: str(v)[:500] for k, v in f.items() if k in ("severity", "message", "hint")} for f in found] if isinstance(found, list) else []


def flash(message: str, severity: str = "ok", hint: str = "") -> Cookie:
    """A cookie that makes the next page say something once."""
    text = base64.urlsafe_b64encode(json.dumps([{"severity": severity, "message": message, "hint": hint}]).encode()).decode()
    return Cookie(key=FLASH, value=text[:3500], httponly=True, samesite="lax", max_age=60, path="/")


def shell(request: Web, newel: Newel, context: Context) -> dict[str, Any]:
    """What the frame of a page shows around its content."""
    user, company = context.user, context.company
    companies = menu.companies(newel, context)
    session = request.auth
    return {
        "nonce": request.state.get("nonce", ""),
        "csrf": getattr(session, "csrf", "") or request.state.get("csrf", ""),
        "lang": user.language or "en",
        "company": {"name": company.name},
        "companies": companies if len(companies) > 1 else [],
        "user": {"name": user.name or user.login, "detail": f"{user.login} · {company.code}", "initials": _initials(user.name or user.login)},
        "home_url": "/",
        "search_url": "/search",
        "logout_url": "/logout",
        "preferences_url": "/account",
        "nav": menu.navigation(newel, context, request.url.path),
        "create": menu.create(newel, context),
        "flashes": _flashes(request),
    }


async def context_of(request: Web, **more: Any) -> Context:
    """The context of a request; the session decides on user and company."""
    newel: Newel = request.app.state.newel
    login = request.auth
    async with newel.database.read() as session:
        context = await newel.context(session, request.user, login.company, source="screen", **more)
    language.set(context.user.language or "en")
    return context


def fragment(newel: Newel, template: str, **values: Any) -> str:
    """A template without the frame."""
    return environment(newel).get_template(template).render(**values)


def page(
    request: Web, context: Context, template: str, title: str, *, status: int = 200, problems: Sequence[Mapping[str, Any]] = (), **values: Any
) -> Response[str]:
    """A whole page. What it says once (flashes) is taken away with it."""
    newel: Newel = request.app.state.newel
    frame = shell(request, newel, context)
    body = environment(newel).get_template(template).render(shell=frame, title=title, problems=list(problems), **values)
    response = Response(body, media_type="text/html; charset=utf-8", status_code=status, headers={"cache-control": "no-store"})
    if FLASH in request.cookies:
        response.delete_cookie(FLASH)
    return response


def redirect(url: str, *cookies: Cookie) -> Response[Any]:
    """Go on to another page with GET."""
    return Response(None, status_code=303, headers={"location": url}, cookies=list(cookies))


def shown(problems: Sequence[Problem], field: Any = None) -> list[dict[str, Any]]:
    """Problems for a page. field: function(where) -> id of the input it is about."""
    return [
        {"severity": str(p.severity), "message": p.message, "hint": p.hint, "code": p.code, "field": field(p.where) if field and p.where else ""}
        for p in problems
    ]
