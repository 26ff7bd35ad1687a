"""Users: logging in and out, sessions, and who may do what."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context, User
from newel.errors import Problem, Refused, missing
from newel.kernel_records import LANGUAGES, USER
from newel.services import record_write as write
from newel.services.access import require
from newel.services.passwords import Guesses, Passwords, weak
from newel.services.tokens import Tokens, hashed
from newel.store.session import Session, instant
from newel.store.tables_master import AppUser, UserSession

if TYPE_CHECKING:
    from newel.services.app import Newel

log = logging.getLogger("newel.users")
IDLE, ABSOLUTE, STEP = timedelta(hours=8), timedelta(days=7), timedelta(minutes=10)
SEEN_EVERY = timedelta(minutes=1)


class LoginSession(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is logged in. csrf: every form of this session carries it. step: the plugin whose further step is still to be taken."""

    id: int
    user: User
    company: int
    csrf: str = ""
    created_at: datetime
    seen_at: datetime
    address: str = ""
    agent: str = ""
    step: str = ""


class Directory(msgspec.Struct, frozen=True):
    """Active users by id, and the permissions of each role; cached until users or roles change."""

    users: dict[int, User]
    roles: dict[int, tuple[str, ...]]
    permissions: dict[str, tuple[str, ...]]


class Users(Tokens):
    """Use cases of users."""

    def __init__(self, app: Newel) -> None:
        super().__init__(app)
        self._passwords = Passwords()

    # ---- who is who --------------------------------------------------------------------------------------------------------------

    async def load(self, user: int, session: Session | None = None) -> User | None:
        """The user with the permissions of their roles; None where there is none or they are not active."""
        if session is not None:
            return (await session.cached(USER, _directory)).users.get(user)
        async with self.app.database.read() as own:
            return (await own.cached(USER, _directory)).users.get(user)

    async def create(
        self,
        login: str,
        password: str,
        name: str,
        roles: Sequence[str],
        companies: Sequence[str | int],
        context: Context,
        *,
        session: Session | None = None,
        **more: Any,
    ) -> int:
        """A new user; roles by code, companies by code or id, `more` are further fields (email, language, party)."""
        require(context, "newel.user.edit")
        self._refuse_weak(login, password)
        secret = await self._passwords.make(password)
        if session is not None:
            return await self._create(session, {"login": login.strip().lower(), "name": name, **more}, secret, roles, companies, context)
        async with self.app.database.write() as own:
            return await self._create(own, {"login": login.strip().lower(), "name": name, **more}, secret, roles, companies, context)

    async def _create(
        self, session: Session, values: dict[str, Any], secret: str, roles: Sequence[str], companies: Sequence[str | int], context: Context
    ) -> int:
        save = self.app.records.save
        user = await save("newel.user", None, values, context, session=session)
        await session.update(AppUser, user, password=secret)
        giving = context
        if values.get("party"):  # the roles of partners are chosen by plugins, and hold only for what is the partner's
            giving = msgspec.structs.replace(context, user=msgspec.structs.replace(context.user, permissions=frozenset({"*"})))
        for role in roles:
            await save("newel.user_role", None, {"user": user, "role": role}, giving, session=session)
        for company in companies:
            await save("newel.user_company", None, {"user": user, "company": company}, context, session=session)
        return user

    async def set_password(self, user: int, password: str, context: Context, *, keep: int | None = None) -> None:
        """A new password, by the user or by whoever may change users; all sessions of the user but `keep` end."""
        if context.user.id != user:
            require(context, "newel.user.edit")
            other = await self.load(user)
            if other is not None and not all(context.user.may(p) for p in other.permissions):
                require(context, "newel.admin")  # nobody takes over somebody who may do more
        async with self.app.database.read() as session:
            login = await session.value("SELECT login FROM app_user WHERE id = ?", user)
        if login is None:
            raise missing("user", user, "user")
        self._refuse_weak(login, password)
        secret = await self._passwords.make(password)
        shape = self.app.records.shape("newel.user")
        async with self.app.database.write() as session:
            await session.update(AppUser, user, password=secret)
            await session.fetch('DELETE FROM user_session WHERE "user" = ? AND id <> ?', user, keep or 0)
            write.event(session, shape, user, "password", write.changes(shape.fields, {"password": secret}, {"password": secret}), context)

    async def choose_language(self, language: str, context: Context) -> None:
        """The language of one's own screens.

        Raises:
            Refused: there is no such language.
        """
        if language not in dict(LANGUAGES):
            known = ", ".join(dict(LANGUAGES))
            raise Refused(Problem(code="field.choice", message=f"there is no language {language!r:.20}", where="language", hint=f"choose one of {known}"))
        shape, user = self.app.records.shape("newel.user"), context.user
        async with self.app.database.write() as session:
            await session.update(AppUser, user.id, language=language)
            write.event(session, shape, user.id, "change", write.changes(shape.fields, {"language": user.language}, {"language": language}), context)
            await session.stale(USER)

    def _refuse_weak(self, login: str, password: str) -> None:
        if problem := weak(login, password):
            raise Refused(problem)

    # ---- logging in --------------------------------------------------------------------------------------------------------------

    async def authenticate(self, login: str, password: str, address: str = "") -> User | None:
        """The user, or None; takes equally long for users that do not exist.

        Raises:
            Refused: 429 after too many failures.
        """
        login = login.strip().lower()[:60]
        guesses = Guesses(login, address[:60], self.app.clock())
        async with self.app.database.read() as session:
            await guesses.check(session)
            row = await session.one("SELECT id, password FROM app_user WHERE login = ? AND active = true", login)
            user = await self.load(row["id"], session) if row else None
        async with self.app.database.write() as session:
            await guesses.check(session)  # again, now that nobody else counts at the same time
            counted = await guesses.count(session)
        if not await self._passwords.fits(password, row["password"] if row and user else None):
            log.warning("login failed: %s from %s", user.login if user else "an unknown login", address[:60])
            return None
        async with self.app.database.write() as session:
            await guesses.forget(session, counted)
        return user

    async def login(self, login: str, password: str, *, address: str = "", agent: str = "", company: int | None = None) -> tuple[str, LoginSession]:
        """(token for the cookie, session). The database keeps only the token's hash.

        Raises:
            Refused: 401 without saying which of the two was wrong; 429 after too many failures; 403 without a company.
        """
        user = await self.authenticate(login, password, address)
        if user is None:
            hint = "check both, also for capital letters"
            raise Refused(Problem(code="login.failed", message="login and password do not fit together", hint=hint), status=401)
        now, token, csrf = self.app.clock(), secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        async with self.app.database.write() as session:
            chosen = (await self.app.context(session, user, company)).company.id
            step = await session.value("SELECT login_step FROM app_user WHERE id = ?", user.id)
            if step and step not in self.app.plugins.manifests:
                hint = "switch it on, or let `newel login-step` take the step away"
                raise Refused(Problem(code="login.step", message=f"this login needs the plugin {step!r}, which does not run", hint=hint), status=403)
            await session.fetch("DELETE FROM user_session WHERE expires_at < ? OR seen_at < ?", now, now - IDLE)
            id_ = session.add(
                UserSession, token=hashed(token), user=user.id, company=chosen, created_at=now, seen_at=now, expires_at=now + (STEP if step else ABSOLUTE),
                address=address[:60], agent=agent[:200], csrf=csrf, step=step,
            )  # fmt: skip
        log.info("login: %s from %s%s", user.login, address[:60], f", then {step}" if step else "")
        return token, LoginSession(id=id_, user=user, company=chosen, csrf=csrf, created_at=now, seen_at=now, address=address, agent=agent, step=step)

    async def ask_more(self, session: Session, user: int, plugin: str, action: str, context: Context) -> None:
        """From now on the plugin asks this user for more than the password, on its page /<plugin>/login; "" for no more.

        Args:
            action: what has changed, for the user's history; at most 20 characters.
        """
        await session.update(AppUser, user, login_step=plugin)
        write.event(session, self.app.records.shape("newel.user"), user, action, "[]", context)

    async def passed(self, pending: LoginSession) -> str:
        """Somebody has taken the further step: the session begins, with a new token, which is returned."""
        token, csrf, now = secrets.token_urlsafe(32), secrets.token_urlsafe(32), self.app.clock()
        async with self.app.database.write() as session:
            values = {"created_at": now, "seen_at": now, "expires_at": now + ABSOLUTE}
            await session.update(UserSession, pending.id, token=hashed(token), csrf=csrf, step="", **values)
        log.info("login: %s passed %s", pending.user.login, pending.step)
        return token

    async def by_session(self, token: str, step: str = "") -> LoginSession | None:
        """The session of a cookie's token; None where it is unknown, has ended or its user is no longer active.

        Args:
            step: instead one of somebody who has still to take this plugin's step.
        """
        now = self.app.clock()
        async with self.app.database.read() as session:
            row = await session.one("SELECT * FROM user_session WHERE token = ? AND step = ?", hashed(token), step)
            found = await self._session(session, row) if row else None
        if row is None or found is None:
            return None
        if now - found.seen_at > IDLE or now > (instant(row["expires_at"]) or now):
            await self.logout(token)
            return None
        if now - found.seen_at >= SEEN_EVERY:
            async with self.app.database.write() as session:
                await session.update(UserSession, found.id, seen_at=now)
        return found

    async def _session(self, session: Session, row: Any) -> LoginSession | None:
        user = await self.load(row["user"], session)
        if user is None:
            return None
        return LoginSession(
            id=row["id"], user=user, company=row["company"], csrf=row["csrf"], created_at=instant(row["created_at"]) or self.app.clock(),
            seen_at=instant(row["seen_at"]) or self.app.clock(), address=row["address"], agent=row["agent"], step=row["step"],
        )  # fmt: skip

    async def choose_company(self, login: LoginSession, company: int) -> None:
        """Go on in another company that the user may work for; Refused 404 else."""
        async with self.app.database.write() as session:
            chosen = (await self.app.context(session, login.user, company)).company.id
            await session.update(UserSession, login.id, company=chosen)

    async def logout(self, token: str) -> None:
        """End the session of this token."""
        async with self.app.database.write() as session:
            await session.fetch("DELETE FROM user_session WHERE token = ?", hashed(token))

    async def sessions(self, user: User) -> list[LoginSession]:
        """Where a user is logged in, latest first."""
        sql = 'SELECT * FROM user_session WHERE "user" = ? AND step = ? AND seen_at >= ? AND expires_at >= ? ORDER BY seen_at DESC, id DESC'
        now = self.app.clock()
        async with self.app.database.read() as session:
            rows = await session.fetch(sql, user.id, "", now - IDLE, now)
            return [found for row in rows if (found := await self._session(session, row))]

    async def revoke(self, user: User, session_id: int) -> None:
        """End one of the user's sessions."""
        await self._remove("user_session", "session", user, session_id)


async def _directory(session: Session) -> Directory:
    """All active users with what their roles allow, in four statements."""
    sql = "SELECT r.code, p.permission FROM role_permission p JOIN role r ON r.id = p.role ORDER BY r.code, p.permission"
    granted = await session.fetch(sql)
    permissions: dict[str, list[str]] = {}
    for g in granted:
        permissions.setdefault(g["code"], []).append(g["permission"])
    roles: dict[int, list[str]] = {}
    for u in await session.fetch('SELECT u."user" AS u, r.code FROM user_role u JOIN role r ON r.id = u.role ORDER BY r.code'):
        roles.setdefault(u["u"], []).append(u["code"])
    companies: dict[int, list[int]] = {}
    for c in await session.fetch('SELECT "user" AS u, company FROM user_company'):
        companies.setdefault(c["u"], []).append(c["company"])
    users = {}
    for r in await session.fetch("SELECT id, login, name, language, party FROM app_user WHERE active = true"):
        users[r["id"]] = User(
            id=r["id"], login=r["login"], name=r["name"], language=r["language"], party=r["party"],
            permissions=frozenset(p for role in roles.get(r["id"], ()) for p in permissions.get(role, ())),
            companies=frozenset(companies.get(r["id"], ())),
        )  # fmt: skip
    return Directory(users, {id_: tuple(found) for id_, found in roles.items()}, {code: tuple(found) for code, found in permissions.items()})
