"""From view models to pages: the frame around every page, what is said once, problems, redirects."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2
from litestar import Request, Response
from litestar.datastructures import Cookie
from markupsafe import escape

from newel.domain.context import Context
from newel.errors import Problem
from newel.web import menu
from newel.web.auth import newel_of, principal
from newel.web.headers import HOST, nonce
from newel.web.views_text import _, day, instant, language, number, said, several, translate_also

if TYPE_CHECKING:
    from newel.services.app import Newel

FLASH = "newel_flash"
TEMPLATES = Path(__file__).parent / "templates"
STYLES = Path(__file__).parent / "static" / "print.css"
METHODS = frozenset(dir(dict))
Web = Request[Any, Any, Any]


class Templates(jinja2.Environment):
    """Jinja, where `row.name` of a dictionary is looked up as such at once: pages do it thousands of times, and Jinja by way of an error."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        """An entry of a dictionary, else what Jinja finds."""
        if type(obj) is dict and attribute not in METHODS:
            return obj[attribute] if attribute in obj else self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)


def _made_once(parts: dict[str, str], of: Any, caller: Callable[[], str]) -> str:
    """A part of a page that follows from these values alone, made once: the menu is the same on page after page."""
    if (key := repr(of)) not in parts:
        if len(parts) > 255:
            parts.clear()
        parts[key] = caller()
    return parts[key]


def environment(newel: Newel) -> jinja2.Environment:
    """The templates: the kernel's by their own name, those of a plugin below the plugin's name. Whoever serves static files sets static_url."""
    manifests = newel.plugins.manifests.items()
    folders = {name: _folder(m.templates, "templates", name) for name, m in manifests if m.templates}
    plugins: dict[str, jinja2.BaseLoader] = {name: jinja2.FileSystemLoader(path) for name, path in folders.items() if path}
    for name, manifest in manifests:
        if manifest.locale and (place := _folder(manifest.locale, "locale")):
            translate_also(name, place)
    loader = jinja2.ChoiceLoader([jinja2.FileSystemLoader(TEMPLATES), jinja2.PrefixLoader(plugins)])
    made = Templates(loader=loader, autoescape=True, extensions=["jinja2.ext.i18n"])
    # Jinja's own new style takes every translated text for HTML, also one that a user has entered.
    words: Any = made
    words.install_gettext_callables(
        lambda text, **values: _filled(_(text), values), lambda one, many, n, **values: _filled(several(one, many, n), {"num": n} | values), newstyle=False
    )
    words.filters.update({"decimal": number, "day": day, "instant": instant})
    made.globals["made_once"] = partial(_made_once, {})
    return made


def _filled(text: str, values: dict[str, Any]) -> str:
    """A text with its values; it stays a text, which is escaped where it is shown, unless one of the values is HTML."""
    return escape(text) % values if any(hasattr(v, "__html__") for v in values.values()) else text % values


def _folder(place: str, default: str, inside: str = "") -> Path | None:
    """The folder that "module:folder" names, or the one inside it; None where there is none."""
    module, _colon, folder = place.partition(":")
    try:
        path = Path(str(files(module))) / (folder or default) / inside
    except ModuleNotFoundError:
        return None
    return path if path.is_dir() else None


# ---- the frame ---------------------------------------------------------------------------------------------------------------------


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split()[:2]).upper() or "?"


def _flashes(request: Web) -> list[dict[str, Any]]:
    try:
        found = json.loads(base64.urlsafe_b64decode(request.cookies.get(_flash(request), "")))
    except ValueError:
        return []
    return [{k: str(f.get(k, ""))[:500] for k in ("severity", "message", "hint")} for f in found if isinstance(f, dict)] if isinstance(found, list) else []


def _flash(request: Web) -> str:
    return HOST + FLASH if newel_of(request).config.secure_cookies else FLASH


def flash(message: str, severity: str = "ok", hint: str = "") -> Cookie:
    """A cookie that makes the next page say something once."""
    text = base64.urlsafe_b64encode(json.dumps([{"severity": severity, "message": message, "hint": hint}]).encode()).decode()
    return Cookie(key=FLASH, value=text[:3500], httponly=True, samesite="lax", max_age=60, path="/")


def shell(request: Web, newel: Newel, context: Context, at: str = "") -> dict[str, Any]:
    """What the frame of a page shows around its content."""
    user, company = context.user, context.company
    companies = menu.companies(newel, context)
    return {
        "nonce": nonce(request.scope),
        "csrf": principal(request).csrf,
        "lang": language.get(),
        "company": {"name": company.name},
        "companies": companies if len(companies) > 1 else [],
        "user": {"name": user.name or user.login, "detail": f"{user.login} · {company.code}", "initials": _initials(user.name or user.login)},
        "home_url": "/",
        "search_url": "/search",
        "logout_url": "/logout",
        "preferences_url": "/account",
        "nav": menu.navigation(newel, context, at or request.url.path),
        "create": menu.create(newel, context),
        "flashes": _flashes(request),
        "boxes": menu.boxes(newel, context, "head"),
        "scripts": [s for m in newel.registry.manifests.values() for s in m.scripts],
    }


def templates(request: Web) -> jinja2.Environment:
    """The environment of the running application."""
    found: jinja2.Environment = request.app.template_engine.engine  # type: ignore[union-attr]
    return found


def fragment(request: Web, template: str, **values: Any) -> Response[str]:
    """A template without the frame."""
    body = templates(request).get_template(template).render(**values)
    return Response(body, media_type="text/html; charset=utf-8")


def page(
    request: Web, context: Context, template: str, title: str, *, status: int = 200, at: str = "", problems: Sequence[Mapping[str, Any]] = (), **values: Any
) -> Response[str]:
    """A whole page; at: address of the entry of the navigation that it belongs to. What it says once (flashes) is taken away with it."""
    frame = shell(request, newel_of(request), context, at)
    body = templates(request).get_template(template).render(shell=frame, title=title, problems=list(problems), **values)
    response = Response(body, media_type="text/html; charset=utf-8", status_code=status)
    if _flash(request) in request.cookies:
        response.delete_cookie(FLASH)
    return response


def redirect(url: str, *cookies: Cookie) -> Response[Any]:
    """Go on to another page with GET."""
    return Response(None, status_code=303, headers={"location": url}, cookies=list(cookies))


def shown(problems: Sequence[Problem], field: Any = None) -> list[dict[str, Any]]:
    """Problems for a page. field: function(where) -> id of the input it is about."""
    return [
        {"severity": str(p.severity), "message": p.message, "hint": p.hint, "code": p.code, "field": field(p.where) if field and p.where else ""}
        for p in map(said, problems)
    ]
