"""What a role gives, why, and how roles differ: pure functions over names of permissions."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta
from newel.domain.context import User
from newel.errors import Problem, Refused


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


class Stated(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A role as a file states it: what it is called, for one that is not there yet, and all that it may do."""

    name: str = ""
    permissions: Annotated[tuple[str, ...], Meta(max_length=1000)] = ()


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What would become of a role. unknown: what no running plugin declares, so that it allows nothing for now."""

    code: str
    name: str
    new: bool
    more: tuple[str, ...] = ()
    less: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    roles: Annotated[dict[str, Stated], Meta(min_length=1, max_length=100)]


def stated(text: str) -> dict[str, Stated]:
    """The roles of a file as `as_toml` writes it, by code.

    Raises:
        Refused: 422, it is no such file: also one that states anything but roles, because that would be dropped without a word.
    """
    try:
        found = msgspec.convert(tomllib.loads(text), _File).roles
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        hint = "choose a file with [roles.CODE] and nothing else, such as one from the list of roles; `newel apply` takes whole files"
        raise Refused(Problem(code="access.file", message=f"this is no file of roles: {error!s:.300}", where="file", hint=hint)) from error
    return found


def differences(wanted: Mapping[str, Stated], there: Iterable[Role], known: Iterable[str]) -> list[Difference]:
    """What a file would change, role by role; those that are as it says have nothing more and nothing less. known: permissions that plugins declare."""
    roles, every = {role.code: role for role in there}, frozenset(known)
    out = []
    for code, new in sorted(wanted.items()):
        old, now = roles.get(code), frozenset(new.permissions)
        had = old.permissions if old else frozenset()
        unknown = tuple(p for p in sorted(now) if not covered(Role(id=0, code=code, name="", permissions=frozenset({p})), every))
        name = old.name if old else new.name or code
        out.append(Difference(code=code, name=name, new=old is None, more=tuple(sorted(now - had)), less=tuple(sorted(had - now)), unknown=unknown))
    return out


def as_toml(role: Role) -> str:
    """A role as newel.toml states it, for `newel plan` and `newel apply`."""
    lines = "".join(f"    {_quoted(p)},\n" for p in sorted(role.permissions))
    return f"[roles.{_quoted(role.code)}]\nname = {_quoted(role.name)}\npermissions = [\n{lines}]\n"


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
