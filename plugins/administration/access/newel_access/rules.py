"""What a role gives, why, and how roles differ: pure functions over names of permissions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from newel.domain.context import User


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """A role with what it says, as it is written: names and patterns ("sales.*", "*")."""

    id: int
    code: str
    name: str
    permissions: frozenset[str]


def giving(role: Role, permission: str) -> str:
    """What of a role gives a permission: its very name first, else the pattern; empty where nothing does."""
    if permission in role.permissions:
        return permission
    return next((p for p in sorted(role.permissions, reverse=True) if User(id=0, login="", permissions=frozenset({p})).may(permission)), "")


def why(roles: Iterable[Role], permission: str) -> list[tuple[Role, str]]:
    """The roles that give a permission, each with what in it does."""
    return [(role, given) for role in roles if (given := giving(role, permission))]


def covered(role: Role, permissions: Iterable[str]) -> frozenset[str]:
    """Of these permissions those that a role gives, by name or by a pattern."""
    return frozenset(p for p in permissions if giving(role, p))


def grouped(permissions: Mapping[str, str], owners: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Permissions with what they allow, by plugin. owners: plugin -> its label; what no plugin owns is the kernel's."""
    out: dict[str, list[tuple[str, str]]] = {}
    for name, allows in sorted(permissions.items()):
        owner = name.partition(".")[0]
        out.setdefault(owner if owner in owners else "newel", []).append((name, allows))
    return out


def changes(ticked: Iterable[str], shown: Iterable[str]) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """(what is given, what is taken away), as (role, permission), from the boxes of a page.

    Args:
        ticked: boxes that are ticked now, as "role:permission". shown: those that were ticked when the page was made; what the page did not show stays.
    """
    now, before = set(ticked), set(shown)

    def parted(keys: set[str]) -> list[tuple[int, str]]:
        pairs = (key.partition(":") for key in sorted(keys))
        return [(int(role), permission) for role, _colon, permission in pairs if role.isascii() and role.isdecimal() and len(role) < 19 and permission]

    return parted(now - before), parted(before - now)


def as_toml(role: Role) -> str:
    """A role as newel.toml states it, for `newel plan` and `newel apply`."""
    lines = "".join(f"    {_quoted(p)},\n" for p in sorted(role.permissions))
    return f"[roles.{_quoted(role.code)}]\nname = {_quoted(role.name)}\npermissions = [\n{lines}]\n"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
