"""What hooks and their arguments were called before: the old name works for one further version of the hooks, and whoever uses it is told."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Mapping
from types import FunctionType, SimpleNamespace
from typing import Any

log = logging.getLogger("newel.deprecated")
# Old hook -> the hook to use; (hook, old argument) -> the argument to use. Emptied with the next version of the hooks.
HOOKS: dict[str, str] = {}
ARGUMENTS: dict[tuple[str, str], str] = {}


def modern(plugin: str, module: Any) -> tuple[Any, list[str]]:
    """The module with its hooks and arguments under their present names, and a warning for each old one: plugin, file, line, replacement."""
    hooks: dict[str, Any] = {}
    warnings = []
    for name in vars(module) if inspect.ismodule(module) else dir(module):
        function = getattr(module, name)
        if not hasattr(function, "newel_impl"):
            continue
        hook = HOOKS.get(name, name)
        arguments = {a: ARGUMENTS.get((hook, a), a) for a in inspect.signature(function).parameters}
        code = inspect.unwrap(function).__code__
        told = [f"{name} is now {hook}"] if hook != name else []
        told += [f"its argument {old} is now {new}" for old, new in arguments.items() if old != new]
        warnings += [
            f"plugin {plugin!r}, {code.co_filename}:{code.co_firstlineno}: {text}; the old name goes with the next version of the hooks" for text in told
        ]
        hooks[hook] = _renamed(function, arguments) if told else function
    for warning in warnings:
        log.warning(warning)
    return (SimpleNamespace(**hooks), warnings) if warnings else (module, [])


def _renamed(function: Any, names: dict[str, str]) -> Any:
    """The same function with other names of arguments. A wrapper would not do: pluggy looks at the code of what is wrapped."""
    function = inspect.unwrap(function)
    code = function.__code__
    code = code.replace(co_varnames=tuple(names.get(n, n) for n in code.co_varnames), co_cellvars=tuple(names.get(n, n) for n in code.co_cellvars))
    made = FunctionType(code, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    vars(made).update(vars(function))
    return made


def unfit(module: Any, specs: Mapping[str, Callable[..., Any]]) -> str:
    """What a module uses that the hooks have not: "no hook a, no argument b of c"; empty where it fits."""
    lacking = []
    for name, function in ((n, getattr(module, n)) for n in (vars(module) if inspect.ismodule(module) else dir(module))):
        if hasattr(function, "newel_impl"):
            known = inspect.signature(specs[name]).parameters if name in specs else {}
            lacking += (
                [f"no hook {name}"] if name not in specs else [f"no argument {a} of {name}" for a in inspect.signature(function).parameters if a not in known]
            )
    return ", ".join(lacking)
