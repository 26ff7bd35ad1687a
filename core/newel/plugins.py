"""Find plugins, check them, order them, and call their hooks: a typed facade over pluggy.

pluggy finds and validates implementations. It is no fault barrier, compares no annotations and calls the last registered first;
so the facade calls each implementation itself: in an order of its own (dependencies, then name), timed, with every failure
named, and with what came back checked against the verb's contract.
"""

from __future__ import annotations

import asyncio
import inspect
import itertools
from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from time import perf_counter
from typing import Any

import importlib_metadata
import msgspec
import pluggy

from newel import API_VERSION, hookspecs
from newel.deprecated import modern, unfit
from newel.errors import Conflict, PluginFailed, StartupError
from newel.impls import Impl, Unfit, implementation
from newel.manifest import Manifest
from newel.watchdog import KERNEL, current

GROUP = "newel.plugins"
LOAD_SECONDS = 5.0


class Off(msgspec.Struct, frozen=True):
    """A plugin that is installed and not running, and why."""

    name: str
    reason: str


def discover(only: Sequence[str] | None = None) -> tuple[dict[str, Any], list[Off]]:
    """Installed plugins by name, and those that can't be imported. `only` limits them to the named ones."""
    found: dict[str, Any] = {}
    off: list[Off] = []
    for point in sorted(importlib_metadata.entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        if only is not None and point.name not in only:
            continue
        if point.name in found:
            raise StartupError(f"two distributions bring a plugin named {point.name!r}: uninstall one of them")
        try:
            found[point.name] = point.load()
        except Exception as error:  # a plugin may fail in any way; the server starts without it
            off.append(Off(point.name, f"can't be imported: {type(error).__name__}: {error}"))
    if only is not None:
        known = set(found) | {o.name for o in off}
        off += [Off(name, "named in newel.toml but not installed: pip install newel-" + name) for name in only if name not in known]
    return found, off


class Plugins:
    """The running plugins and their hooks.

    Args:
        modules: plugin name -> module (or object) with hook implementations; the kernel's own answers come with defaults.
        defaults: module with the kernel's answers, used only where no plugin answers.
    """

    def __init__(self, modules: dict[str, Any], defaults: Any = None, off: Iterable[Off] = (), precedes: dict[str, tuple[str, ...]] | None = None) -> None:
        self.off = list(off)
        self.warnings: list[str] = []
        self.failed: dict[str, tuple[int, str]] = {}  # plugin -> how often since the start, and what it was the last time
        self.manifests: dict[str, Manifest] = {}
        self._manager = pluggy.PluginManager("newel")
        self._manager.add_hookspecs(hookspecs)
        self._specs = {n: s for n, s in vars(hookspecs).items() if hasattr(s, "newel_spec")}
        self._read(modules)
        self._sort()
        self._impls: dict[str, tuple[Impl, ...]] = {}
        self._of: dict[tuple[Any, str, str], tuple[Impl, ...]] = {}  # (self, hook, document kind) -> who has something to say about it
        self._defaults: dict[str, Impl] = {}
        for name in self.order:
            self._register(name, modules[name])
        self._manager.check_pending()
        self._collect(defaults)
        self._precedes = {name: set(m.precedes) for name, m in self.manifests.items()}
        for name, others in (precedes or {}).items():
            self._precedes.setdefault(name, set()).update(others)

    def _read(self, modules: dict[str, Any]) -> None:
        for name in sorted(modules):
            try:
                manifest = modules[name].register_plugin()
            except Exception as error:  # the same barrier as for the import
                self.off.append(Off(name, f"register_plugin failed: {type(error).__name__}: {error}"))
                continue
            if not isinstance(manifest, Manifest):
                self.off.append(Off(name, f"register_plugin must return a Manifest, got {type(manifest).__name__}"))
            elif manifest.name != name:
                self.off.append(Off(name, f"its manifest says name={manifest.name!r}, its entry point {name!r}: make them equal"))
            elif manifest.api > API_VERSION:
                self.off.append(Off(name, f"written for hooks version {manifest.api}, this kernel has {API_VERSION}: install a newer kernel"))
            elif manifest.api < API_VERSION and (gone := unfit(modern(name, modules[name])[0], self._specs)):
                self.off.append(Off(name, f"written for hooks version {manifest.api}, and this kernel has {gone}: install a newer release of it"))
            else:
                self.manifests[name] = manifest
        changed = True
        while changed:
            changed = False
            for name, manifest in list(self.manifests.items()):
                lacking = [n for n in manifest.needs if n not in self.manifests]
                if lacking:
                    self.off.append(Off(name, f"needs {', '.join(lacking)}: install or enable it"))
                    del self.manifests[name]
                    changed = True

    def _sort(self) -> None:
        sorter = TopologicalSorter({name: sorted(m.needs) for name, m in sorted(self.manifests.items())})
        try:
            sorter.prepare()
        except CycleError as error:
            raise StartupError(f"plugins need each other in a circle: {' -> '.join(error.args[1])}") from error
        order: list[str] = []
        while sorter.is_active():
            ready = sorted(sorter.get_ready())
            order += ready
            sorter.done(*ready)
        self.order = tuple(order)

    def _register(self, name: str, module: Any) -> None:
        module, warnings = modern(name, module)
        self.warnings += warnings
        try:
            self._manager.register(module, name=name)
        except pluggy.PluginValidationError as error:
            raise Unfit(name, str(error)) from error
        for hook in vars(module) if inspect.ismodule(module) else dir(module):
            function = getattr(module, hook)
            if hasattr(function, "newel_impl") and hook not in self._specs:
                raise Unfit(name, f"there is no hook {hook!r}; hooks are {', '.join(sorted(self._specs))}")

    def _collect(self, defaults: Any) -> None:
        for hook, spec in self._specs.items():
            impls = [implementation(i.plugin_name, hook, i.function, i.argnames, spec) for i in getattr(self._manager.hook, hook).get_hookimpls()]
            self._impls[hook] = tuple(sorted(impls, key=lambda i: self.order.index(i.plugin)))
            own = getattr(defaults, hook, None)
            if own is not None:
                self._defaults[hook] = implementation("newel", hook, own, inspect.signature(own).parameters, spec)

    def has(self, hook: str, **values: Any) -> bool:
        """Whether any plugin implements the hook; with document and facts, whether any is asked about them."""
        return bool(self._asked(hook, values))

    def implementers(self, hook: str, **values: Any) -> tuple[str, ...]:
        """Names of the plugins that implement the hook (and are asked about the document and facts in values), in call order."""
        return tuple(i.plugin for i in self._asked(hook, values))

    def _asked(self, hook: str, values: dict[str, Any]) -> Sequence[Impl]:
        """Who has something to say about the document, in call order; found out once for each kind, and once for each facts."""
        document, facts = values.get("document"), values.get("facts")
        if document is None and facts is None:
            return self._impls[hook]
        key = self, hook, "" if document is None else document.kind
        if facts is not None and (kept := facts.asked.get(key)) is not None:
            return kept  # type: ignore[no-any-return]
        found = self._of.get(key)
        if found is None:
            names = set() if document is None else {document.kind, document.role, document.kind.partition(".")[0] + "."}
            found = self._of[key] = tuple(i for i in self._impls[hook] if not i.of or i.of & names)
        if facts is not None:
            found = facts.asked[key] = tuple(i for i in found if i.facts is None or facts.get(i.facts) is not None)
        return found

    @property
    def hooks(self) -> tuple[str, ...]:
        """Names of all hooks, in the order of hookspecs.py."""
        return tuple(self._specs)

    # ---- calling ---------------------------------------------------------------------------------------------------------------

    @property
    def spent(self) -> dict[tuple[str, str], list[float]]:
        """Calls and seconds by (plugin, hook), of those that were called."""
        return {i.key: i.spent for i in self._every() if i.spent[0]}

    def note(self, failed: PluginFailed) -> None:
        """Keep that a plugin failed, for the page of plugins, doctor and monitoring."""
        self.failed[failed.plugin] = (self.failed.get(failed.plugin, (0, ""))[0] + 1, f"{failed.hook}: {failed.reason}")

    def restart_clock(self) -> None:
        """Count from here on."""
        for impl in self._every():
            impl.spent[:] = [0, 0.0]

    def _every(self) -> Iterable[Impl]:
        return itertools.chain(self._defaults.values(), *self._impls.values())

    def _call(self, impl: Impl, values: dict[str, Any]) -> Any:
        """It runs many times for every document: nothing here that could be done once."""
        spent, started = impl.spent, perf_counter()
        current.now = impl.key
        try:
            answer = impl.function(*[values[a] for a in impl.args])
        except Exception as error:  # a timeout is none: the name stays, for whoever reports it
            current.now = KERNEL
            if isinstance(error, PluginFailed):
                raise
            raise PluginFailed(*impl.key, f"{type(error).__name__}: {error}") from error
        finally:
            spent[0] += 1
            spent[1] += perf_counter() - started
        current.now = KERNEL
        return answer

    def propose(self, hook: str, kind: type | tuple[type, ...], /, **values: Any) -> list[tuple[str, Any]]:
        """All answers of a propose_ or check_ hook as (plugin, value), in plugin order; each value is of `kind`."""
        out: list[tuple[str, Any]] = []
        own = self._defaults.get(hook)
        for impl in (own, *self._asked(hook, values)) if own else self._asked(hook, values):
            answer = self._call(impl, values)
            if answer is None:
                continue
            if not isinstance(answer, (list, tuple)):
                raise PluginFailed(impl.plugin, hook, f"must return a sequence, got {type(answer).__name__}")
            for value in answer:
                if not isinstance(value, kind):
                    raise PluginFailed(impl.plugin, hook, f"must return a sequence of {_name(kind)}, got {type(value).__name__} in it")
                out.append((impl.plugin, value))
        return out

    def decide(self, hook: str, kind: type | tuple[type, ...], /, **values: Any) -> tuple[str, Any] | None:
        """The one answer to a decide_ hook as (plugin, value); the kernel's default where no plugin answers.

        Raises:
            Conflict: two plugins answer and neither precedes the other.
        """
        answers: list[tuple[str, Any]] = []
        for impl in self._asked(hook, values):
            answer = self._call(impl, values)
            if answer is None:
                continue
            if not isinstance(answer, kind) or isinstance(answer, bool):
                raise PluginFailed(impl.plugin, hook, f"must return {_name(kind)} or None, got {type(answer).__name__}")
            answers.append((impl.plugin, answer))
        if not answers:
            if hook not in self._defaults:
                return None
            answer = self._call(self._defaults[hook], values)
            return None if answer is None else ("newel", answer)
        if len(answers) == 1:
            return answers[0]
        # The one that precedes all others, whoever was asked first.
        for plugin, answer in answers:
            if all(other == plugin or other in self._precedes[plugin] for other, _ in answers):
                return plugin, answer
        raise Conflict(hook, answers[0][0], answers[1][0])

    async def load(self, **values: Any) -> list[tuple[str, Any]]:
        """Every plugin's facts as (plugin, struct). All loaders together have LOAD_SECONDS; the one that is running then is named."""
        out: list[tuple[str, Any]] = []
        running = ""
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                for impl in self._asked("load_facts", values):
                    running, started = impl.plugin, perf_counter()
                    try:
                        answer = await impl.call(values)
                    except Exception as error:
                        raise PluginFailed(running, "load_facts", f"{type(error).__name__}: {error}") from error
                    finally:
                        impl.spent[0] += 1
                        impl.spent[1] += perf_counter() - started
                    if answer is None:
                        continue
                    if not isinstance(answer, msgspec.Struct):
                        raise PluginFailed(running, "load_facts", f"must return a frozen msgspec.Struct or None, got {type(answer).__name__}")
                    out.append((running, answer))
        except TimeoutError as error:
            raise PluginFailed(running, "load_facts", f"gave no answer within {LOAD_SECONDS:g} s") from error
        return out

    async def after(self, plugin: str, hook: str, /, **values: Any) -> None:
        """Run one plugin's after_ hook; a failure is raised to whoever retries it."""
        for impl in self._impls[hook]:
            if impl.plugin == plugin:
                await impl.call(values)


def _name(kind: type | tuple[type, ...]) -> str:
    return " or ".join(k.__name__ for k in kind) if isinstance(kind, tuple) else kind.__name__
