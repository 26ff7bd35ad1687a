"""Which plugin is at fault: a command is run again and again, with fewer and fewer plugins."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from newel.config import load
from newel.errors import NewelError
from newel.plugins import discover

Shown = Callable[[Sequence[str], bool], Any]


class Bisection:
    """Runs a command with some of the plugins of an install, in safe mode: newel.toml stays as it is.

    Args:
        config: newel.toml, or None for the usual one. command: program and arguments; a code other than 0 means that the fault is there.
        keep: plugins that always run.
    """

    def __init__(self, config: Path | None, command: Sequence[str], keep: Sequence[str] = ()) -> None:
        self.command, self.keep = list(command), set(keep)
        self.config = load(config)
        found, _ = discover(self.config.plugins)
        self.needs = {name: set(module.register_plugin().needs) for name, module in found.items() if name not in self.config.disabled}

    def run(self, shown: Shown = lambda _names, _failed: None) -> list[str]:
        """The smallest set of plugins with which the command fails, though it works with any of them left out.

        Raises:
            NewelError: the command works with all plugins, or fails without any.
        """
        suspects = sorted(set(self.needs) - self.keep)
        self.shown = shown
        if not self._fails(suspects):
            raise NewelError("the command works with all plugins: there is nothing to find")
        if self._fails([]):
            raise NewelError("the command fails without any plugin: the kernel, the data or the command itself is at fault")
        return self._least(suspects)

    def _least(self, suspects: list[str]) -> list[str]:
        """Leave out as much as possible, in ever smaller pieces (the delta debugging of Zeller and Hildebrandt)."""
        pieces = 2
        while len(suspects) > 1:
            size = -(-len(suspects) // pieces)
            parts = [suspects[i : i + size] for i in range(0, len(suspects), size)]
            rests = [[s for s in suspects if s not in part] for part in parts]
            found = next((some for some in ([*parts, *rests] if len(parts) > 2 else parts) if some != suspects and self._fails(some)), None)
            if found is not None:
                suspects, pieces = found, 2 if found in parts else max(pieces - 1, 2)
            elif size == 1:
                break
            else:
                pieces = min(pieces * 2, len(suspects))
        return suspects

    def _fails(self, some: Sequence[str]) -> bool:
        """Whether the command fails with these plugins, what they need, and what is kept."""
        names = self._with_needs({*some, *self.keep})
        environment = {**os.environ, "NEWEL_ONLY": ",".join(names)}
        failed = subprocess.run(self.command, env=environment, capture_output=True, check=False).returncode != 0  # noqa: S603 (what the user asked for)
        self.shown(names, failed)
        return failed

    def _with_needs(self, names: set[str]) -> list[str]:
        out, todo = set(), [n for n in names if n in self.needs]
        while todo:
            name = todo.pop()
            if name not in out:
                out.add(name)
                todo += [n for n in self.needs[name] if n in self.needs]
        return sorted(out)
