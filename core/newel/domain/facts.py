"""What the rules know: one frozen struct for each plugin, filed by its type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

T = TypeVar("T")


class Facts:
    """Facts by type. Two structs of one type are an error of the caller, which names both plugins.

    asked: for the kernel, who has something to say about them, by plugins, hook and kind of document.
    """

    __slots__ = ("_by_type", "asked")

    def __init__(self, structs: Iterable[Any] = ()) -> None:
        self.asked: dict[tuple[Any, str, str], Any] = {}
        self._by_type = {type(s): s for s in structs}

    def get(self, kind: type[T]) -> T | None:
        """The facts of this type, or None where its plugin had nothing to load."""
        return self._by_type.get(kind)

    def __getitem__(self, kind: type[T]) -> T:
        return self._by_type[kind]  # type: ignore[no-any-return]
