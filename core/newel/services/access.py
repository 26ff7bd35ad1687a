"""Who may do what: the one question that every use case asks first."""

from __future__ import annotations

from newel.domain.context import Context
from newel.errors import Problem, Refused


def require(context: Context, permission: str) -> None:
    """Go on only if the user has the permission.

    Raises:
        Refused: 403, naming the permission.
    """
    if not context.user.may(permission):
        raise denied(permission)


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
