"""The web application: one Litestar app over one install."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Response, Router, get
from litestar.datastructures import State
from litestar.exceptions import LitestarException
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig

from newel.jobs.worker import Worker
from newel.plugins import Off
from newel.web import api, login, metrics, render
from newel.web.assets import StaticFiles
from newel.web.auth import Access
from newel.web.errors import handle
from newel.web.headers import SecurityHeaders
from newel.web.operations import Operation, handler
from newel.web.reading import Position

if TYPE_CHECKING:
    from newel.services.app import Newel

BODY_BYTES = 10_000_000


def create_app(newel: Newel, *, manage: bool = True, worker: bool = False, tell: Callable[[str], Any] | None = None) -> Litestar:
    """The application.

    Args:
        manage: start and close the install together with the server; False where somebody else does.
        worker: also work off outbox and jobs in this process.
        tell: called with the address where somebody begins, as long as there is no user; its token is kept as app.state.token.
    """

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        await newel.start()
        if tell and (begins := await login.beginning(newel)):
            app.state.token = secrets.token_urlsafe(24)
            tell(f"{begins}?token={app.state.token}")
        running = Worker(newel)
        task = asyncio.create_task(running.run()) if worker else None
        try:
            yield
        finally:
            running.stop()
            if task is not None:
                await task
            await newel.close()

    static = StaticFiles(newel)
    templates = render.environment(newel)
    templates.globals["static_url"] = static.url
    app = Litestar(
        route_handlers=[live, _ready(newel), metrics.metrics, *login.handlers, *static.routers(), *api.handlers, *_own("newel.web.pages")],
        lifespan=[lifespan] if manage else [],
        state=State({"newel": newel, "static": static, "operations": []}),
        template_config=TemplateConfig(instance=JinjaTemplateEngine.from_environment(templates)),
        middleware=[Access(newel)],
        exception_handlers={Exception: handle},
        before_send=[SecurityHeaders(newel.config.secure_cookies), Position(newel)],
        request_max_body_size=BODY_BYTES,
        openapi_config=None,
        logging_config=None,
    )
    for name in newel.plugins.order:
        _mount(app, newel, name)
    return app


# ---- health ------------------------------------------------------------------------------------------------------------------------


@get("/health/live", opt={"open": True}, include_in_schema=False)
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


def _ready(newel: Newel) -> Any:
    @get("/health/ready", opt={"open": True}, include_in_schema=False)
    async def ready() -> Response[dict[str, str]]:
        """The database answers."""
        try:
            async with newel.database.read() as session:
                await session.value("SELECT 1")
        except Exception:  # whatever it is, we are not ready
            return Response({"status": "no database"}, status_code=503)
        replica = newel.database.replica
        return Response({"status": "ready"} | ({"replica": "away" if replica.lag is None else f"{replica.lag:.1f} s behind"} if replica else {}))

    return ready


# ---- parts -------------------------------------------------------------------------------------------------------------------------


def _own(module: str) -> Sequence[Any]:
    """The handlers of one of our own modules."""
    try:
        handlers: Sequence[Any] = import_module(module).handlers
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        return []
    return handlers


def _mount(app: Litestar, newel: Newel, name: str) -> None:
    """Serve a plugin's routes under its name. Whatever is wrong with them switches them off, and nothing else."""
    declared = newel.plugins.manifests[name].routes
    if not declared:
        return
    try:
        module, _, attribute = declared.partition(":")
        found = list(getattr(import_module(module), attribute or "handlers"))
        operations = [one for one in found if isinstance(one, Operation)]
        trial = Litestar(route_handlers=_routers(name, found), openapi_config=None, logging_config=None)
        for route in trial.routes:
            if any(_first(route.path) == _first(other.path) for other in app.routes):
                raise LitestarException(f"addresses under {_first(route.path)} are taken: the plugin needs another name")
        for router in _routers(name, found):
            app.register(router)
        app.state.operations = [*app.state.operations, *((f"/{name}", op) for op in operations)]
    except Exception as error:  # a plugin may fail in any way; the server starts without its routes
        newel.plugins.off.append(Off(name, f"its routes are off: {type(error).__name__}: {error}"))


def _routers(name: str, found: Sequence[Any]) -> list[Router]:
    """Operations and handlers with opt={"api": True} go under /api/<plugin>, other handlers under /<plugin>."""
    handlers = [handler(one, "") if isinstance(one, Operation) else one for one in found]
    ours, theirs = [h for h in handlers if not h.opt.get("api")], [h for h in handlers if h.opt.get("api")]
    return [Router(path=path, route_handlers=some) for path, some in ((f"/{name}", ours), (f"/api/{name}", theirs)) if some]


def _first(path: str) -> tuple[str, ...]:
    """What a plugin has for itself: the first part of an address, or the second one below /api."""
    parts = path.strip("/").split("/")
    return tuple(parts[:2] if parts[0] == "api" else parts[:1])


__all__ = ["create_app"]
