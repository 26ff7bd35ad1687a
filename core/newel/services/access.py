"""Who may do what: the one question that every use case asks first."""

from __future__ import annotations

from typing import Any

from newel.domain.context import Context
from newel.domain.party import Party
from newel.errors import Problem, Refused


def require(context: Context, permission: str) -> None:
    """Go on only if the user has the permission.

    Raises:
        Refused: 403, naming the permission.
    """
    if not context.user.may(permission):
        raise denied(permission)


def own_party(context: Context, column: str = "party") -> tuple[str, list[Any]]:
    """SQL condition with its parameters: a user who stands for a party (a vendor, a customer) sees what is that party's, and nothing else."""
    return ("1 = 1", []) if context.user.party is None else (f"{column} = ?", [context.user.party])


def is_own(context: Context, party: Party | None) -> bool:
    """Whether the user may have to do with documents of this party."""
    return context.user.party is None or (party is not None and party.id == context.user.party)


def denied(permission: str) -> Refused:
    """The error for a missing permission."""
    return Refused(
        Problem(
            code="permission",
            message=f"this needs the permission {permission!r}",
            hint="ask whoever administers users to give one of your roles this permission",
        ),
        status=403,
    )
