"""Who may do what: the one question that every use case asks first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from newel.domain.context import Context, User
from newel.domain.party import Party
from newel.errors import Problem, Refused

if TYPE_CHECKING:
    from newel.services.app import Newel

COSTS = "newel.costs"


def require(context: Context, permission: str) -> None:
    """Go on only if the user has the permission.

    Raises:
        Refused: 403, naming the permission.
    """
    if not context.user.may(permission):
        raise denied(permission)


def sees_costs(context: Context) -> bool:
    """Whether costs and the entries of documents are shown: to our own people with the right to see them."""
    return context.user.party is None and context.user.may(COSTS)


def own_party(context: Context, column: str = "party") -> tuple[str, list[Any]]:
    """SQL condition with its parameters: a user who stands for a party (a vendor, a customer) sees what is that party's, and nothing else."""
    return ("1 = 1", []) if context.user.party is None else (f"{column} = ?", [context.user.party])


def is_own(context: Context, party: Party | None) -> bool:
    """Whether the user may have to do with documents of this party."""
    return context.user.party is None or (party is not None and party.id == context.user.party)


def helpers(newel: Newel, user: User, company: int, permission: str) -> str:
    """Who of our own people may do what a user may not: three of their names, in a company; empty for whoever stands for a party."""
    kept = newel.database.cache.values.get("newel.user")
    known = kept[1].users.values() if kept and user.party is None else ()
    able = [u for u in known if u.party is None and u.may(permission) and (company in u.companies or "*" in u.permissions)]
    return ", ".join(sorted(u.name or u.login for u in able)[:3])


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
