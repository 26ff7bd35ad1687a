"""The use cases of comments and notices. Page and API come through here, and are asked here who may do what: our own people, on what they may see."""

from __future__ import annotations

from newel.domain.context import Context, User
from newel.errors import PluginFailed, Problem, Refused
from newel.services.access import denied
from newel.services.app import Newel
from newel.store.session import Session

from newel_timeline import facts
from newel_timeline.rules import DOCUMENT, called, checked
from newel_timeline.tables import Comment
from newel_timeline.tables import Notice as NoticeRow


async def titled(app: Newel, about: str, id: int, context: Context) -> str:
    """What a document or record is called, for our own people who may see it.

    Raises:
        Refused: 404 where there is none that the user may see, 403 without the right to see its kind, or for users who stand for a party.
    """
    if context.user.party is not None:
        raise denied("a user of no party")
    if about == DOCUMENT:
        found = await app.documents.get(id, context)
        return f"{app.registry.kind_of(found).label} {found.number}".strip()
    row, shape = await app.records.get(about, id, context), app.records.shape(about)
    return " ".join(str(row.get(f"{c}__title") or row.get(c) or "") for c in shape.record.title).strip()


async def comment(app: Newel, about: str, id: int, text: str, context: Context) -> int:
    """Write a comment on a document ("document") or record (name of its kind); those whom it calls (@login) are told. Returns its id.

    Raises:
        Refused: as in titled(); 422 where the text is empty or too long, or calls somebody who is not there or may not see it: all of them at once.
    """
    title, text = await titled(app, about, id, context), checked(text)
    users = await _called(app, about, id, called(text), context)
    async with app.database.write() as session:
        await session.need(len(users) + 1)
        made = session.add(Comment, company=context.company.id, about=about, record=id, user=context.user.login, text=text, at=context.now)
        await session.flush()
        for user in users:
            session.add(NoticeRow, company=context.company.id, user=user.id, comment=made, title=title[:200], at=context.now)
            await _tell(app, session, user, title, text, context)
    return made


async def _called(app: Newel, about: str, id: int, logins: tuple[str, ...], context: Context) -> list[User]:
    """The users behind the logins, without whoever calls."""
    async with app.database.read() as session:
        ids = await session.fetch("SELECT id, login FROM app_user WHERE lower(login) = ANY(?)", list(logins)) if logins else []
        known = {r["login"].lower(): await app.users.load(r["id"], session) for r in ids}
    problems, out = [], []
    for login in logins:
        user = known.get(login)
        if user is None or user.party is not None or not await facts.sees(app, user, about, id, context):
            hint = "choose one of those who are offered after the @, or leave the @ out"
            problems.append(Problem(code="timeline.called", message=f"nobody called {login!r} may see this", where="text", hint=hint))
        elif user.id != context.user.id:
            out.append(user)
    if problems:
        raise Refused(*problems)
    return out


async def _tell(app: Newel, session: Session, user: User, title: str, text: str, context: Context) -> None:
    """To the world outside, where a plugin knows a way."""
    address = await session.value("SELECT email FROM app_user WHERE id = ?", user.id)
    subject = f"{context.user.name or context.user.login}: {title}"
    for name, manifest in app.registry.manifests.items() if address else ():
        if manifest.tells is not None:
            try:
                async with session.nested():
                    await manifest.tells(session, address, user.name or user.login, subject, text, context)
            except Exception as error:  # a plugin may fail in any way; the comment stands
                app.plugins.note(PluginFailed(name, "tells", f"{type(error).__name__}: {error}"))


async def read(app: Newel, ids: list[int] | None, context: Context) -> list[facts.Notice]:
    """Note that the user has read these of their notices, or all of them; returns those that are meant."""
    async with app.database.write() as session:
        mine = [n for n in await facts.notices(session, context, 1000) if ids is None or n.id in ids]
        await session.fetch("UPDATE timeline_notice SET read_at = ? WHERE id = ANY(?) AND read_at IS NULL", context.now, [n.id for n in mine])
    return mine
