"""Static files of kernel and plugins, and their addresses."""

from __future__ import annotations

import hashlib
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from litestar.config.compression import CompressionConfig
from litestar.datastructures import CacheControlHeader
from litestar.middleware import DefineMiddleware
from litestar.middleware.compression import CompressionMiddleware
from litestar.static_files import create_static_files_router

if TYPE_CHECKING:
    from litestar import Router

    from newel.services.app import Newel

STATIC = Path(__file__).parent / "static"
YEAR = 31_536_000


class StaticFiles:
    """Addresses of static files. They carry a version made of the content, so that browsers may keep the files for ever."""

    def __init__(self, newel: Newel) -> None:
        found = {name: _folder(newel, name) for name in newel.plugins.order}
        self.folders: dict[str, Path] = {"": STATIC, **{name: path for name, path in found.items() if path}}
        self._versions: dict[str, str] = {}

    def url(self, path: str) -> str:
        """The address of a file of the kernel ("newel.css") or of a plugin ("promotions/panel.js")."""
        if path not in self._versions:
            first, _, rest = path.partition("/")
            file = self.folders[first] / rest if first and first in self.folders else STATIC / path
            self._versions[path] = hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else "0"
        return f"/static/{path}?v={self._versions[path]}"

    def routers(self) -> list[Router]:
        """A router for each folder: the kernel's, and those of plugins under their names. Compressed: there are no secrets in them."""
        keep = CacheControlHeader(max_age=YEAR, public=True, immutable=True)
        squeeze: Any = DefineMiddleware(CompressionMiddleware, config=CompressionConfig(backend="gzip"))
        return [
            create_static_files_router(
                path=f"/static/{name}".rstrip("/"), directories=[folder], name=f"static-{name}", opt={"open": True}, cache_control=keep,
                resolve_symlinks=False, middleware=[squeeze],
            )
            for name, folder in self.folders.items()
        ]  # fmt: skip


def _folder(newel: Newel, plugin: str) -> Path | None:
    """static/<plugin> in the plugin's package, None where it has none."""
    manifest = newel.plugins.manifests[plugin]
    module = next((m.partition(":")[0] for m in (manifest.templates, manifest.routes, manifest.piccolo_app) if m), "")
    try:
        path = Path(str(files(module.split(".")[0]))) / "static" / plugin if module else None
    except ModuleNotFoundError:
        return None
    return path if path and path.is_dir() else None
