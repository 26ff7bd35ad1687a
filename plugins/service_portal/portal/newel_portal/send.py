"""The use cases of the portal: send something in with photos, accept an offer, give a party a login."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
from newel.domain.context import Context
from newel.domain.document import Document, DocumentInput, LinkInput
from newel.errors import Problem, Refused, missing
from newel.services.access import require
from newel_attachments import keep
from newel_attachments.rules import Upload

from newel_portal import rules
from newel_portal.rules import ACCEPT, ROLE, USE

if TYPE_CHECKING:
    from newel.services.app import Newel


def party(context: Context) -> int:
    """The party that the user stands for.

    Raises:
        Refused: 403 for users without the permission, or who stand for nobody.
    """
    require(context, USE)
    if context.user.party is None:
        problem = Problem(code="portal.party", message="this is for customers and repair points, and you stand for none", hint="log in as one of theirs")
        raise Refused(problem, status=403)
    return context.user.party


def acting(context: Context, *permissions: str) -> Context:
    """The party's context with the rights of one step, narrowed to the party as ever."""
    party(context)
    return msgspec.structs.replace(context, user=msgspec.structs.replace(context.user, permissions=frozenset(permissions)), overrides=frozenset())


async def send(
    newel: Newel, kind: str, entered: DocumentInput, context: Context, *, source: int = 0, lines: Sequence[LinkInput] = (),
    photos: Sequence[Upload] = (), key: str | None = None,
) -> Document:  # fmt: skip
    """Make a document and send it in, with photos, which are checked before anything is made.

    Args:
        source: document of the party's that it continues, with the lines and how much of each; 0 for none.

    Raises:
        Refused: everything that is wrong; 404 where the kind asks a party nothing, or the user may not make it.
    """
    party(context)
    kinds, may = newel.registry.kinds, context.user.may
    found = next((k for k in rules.asked(kinds, may) if k.name == kind), None)
    then = rules.sends(found, may) if found else None
    if found is None or then is None:
        raise missing("form", kind[:60], "kind")
    ready = await keep.prepare(newel, photos, context) if photos else []
    if source:
        before = await newel.documents.get(source, context)
        flow = rules.ways(kinds, kind, may).get(before.kind)
        if flow is None:
            raise missing("way on", kind[:60], "kind")
        made = await newel.documents.follow(source, f"{kind}:{flow.name}", context, lines=lines, input=entered, then=(then.name,), key=key)
    else:
        made = await newel.documents.create(kind, entered, context, then=(then.name,), key=key)
    if ready:  # in a transaction of their own: sent again with the same key, they find the document and are there once
        async with newel.database.write() as session:
            await keep.store(session, keep.DOCUMENT, made.document.id, ready, context)
    return made.document


async def accept(newel: Newel, id: int, name: str, context: Context, key: str | None = None) -> Document:
    """Accept an offer as it stands: it becomes an order, which we confirm. Nothing of it can be changed on the way.

    Args:
        name: of the person who signs; it stands in the order's text with the day.

    Raises:
        Refused: 404 where it is no offer of the party's; 409 where it is none any more; 422 without a name.
    """
    party(context)
    require(context, ACCEPT)
    found = await newel.documents.get(id, context)
    flow = rules.accepts(newel.registry.kinds, found.kind)
    if flow is None:
        raise missing("offer", id)
    if not (signed := " ".join(name.split())[:120]):
        hint = "sign with the name of the person who accepts"
        raise Refused(Problem(code="portal.signature", message="a name was expected, got none", where="name", hint=hint))
    text = "\n".join(filter(None, (found.text, f"Accepted and signed by {signed} on {context.today.isoformat()}.")))
    rights = (f"{found.kind}.view", f"{found.kind}.{flow.closes}", f"{flow.target_kind}.edit", f"{flow.target_kind}.view")
    signing = DocumentInput(text=text)
    return (await newel.documents.follow(id, f"{flow.target_kind}:{flow.name}", acting(context, *rights), input=signing, key=key)).document


async def invite(newel: Newel, customer: int, login: str, name: str, password: str, context: Context) -> int:
    """Give a customer a login for the portal; the first one makes the role, with what is usual. Returns the user's id.

    Raises:
        Refused: what is wrong with login and password; 403 without the rights to make users (and, at first, roles).
    """
    save, find = newel.records.save, newel.records.find
    row = await newel.records.get("newel.party", customer, context)
    if not row["is_customer"]:
        hint = "choose a customer, or make this party one"
        raise Refused(Problem(code="portal.customer", message=f"{row['name']} is no customer", where="id", hint=hint))
    async with newel.database.write() as session:
        if await find("newel.role", ROLE, context, session=session) is None:
            role = await save("newel.role", None, {"code": ROLE, "name": "Customer"}, context, session=session)
            for permission in rules.rights(newel.registry.kinds, newel.registry.permissions()):
                await save("newel.role_permission", None, {"role": role, "permission": permission}, context, session=session)
        return await newel.users.create(login, password, name or row["name"], [ROLE], [context.company.id], context, session=session, party=customer)
