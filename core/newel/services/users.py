"""Users: logging in and out, sessions, tokens for programs, and who may do what."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from newel.domain.context import Context, User
from newel.errors import Problem, Refused, missing
from newel.kernel_records import USER
from newel.services import record_write as write
from newel.services.access import require
from newel.services.passwords import Guesses, Passwords, weak
from newel.store.session import Session, instant
from newel.store.tables_master import ApiToken, AppUser, UserSession

if TYPE_CHECKING:
    from newel.services.app import Newel

IDLE, ABSOLUTE = timedelta(hours=8), timedelta(days=7)
SEEN_EVERY = timedelta(minutes=1)
PREFIX = "newel_"


class LoginSession(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is logged in. csrf: every form of this session carries it."""

    id: int
    user: User
    company: int
    csrf: str = ""
    created_at: datetime
    seen_at: datetime
    address: str = ""
    agent: str = ""


class Directory(msgspec.Struct, frozen=True):
    """Active users by id, and the permissions of each role; cached until users or roles change."""

    users: dict[int, User]
    roles: dict[int, tuple[str, ...]]
    permissions: dict[str, tuple[str, ...]]


class Users:
    """Use cases of users."""

    def __init__(self, app: Newel) -> None:
        self.app = app
        self._passwords, self._guesses = Passwords(), Guesses()

    # ---- who is who --------------------------------------------------------------------------------------------------------------

    async def load(self, user: int, session: Session | None = None) -> User | None:
        """The user with the permissions of their roles; None where there is none or they are not active."""
        if session is not None:
            return (await session.cached(USER, _directory)).users.get(user)
        async with self.app.database.read() as own:
            return (await own.cached(USER, _directory)).users.get(user)

    async def explain(self, user: int, permission: str) -> list[tuple[str, str]]:
        """Why a user has a permission: (role, the permission of that role which gives it); empty where nothing does."""
        async with self.app.database.read() as session:
            directory = await session.cached(USER, _directory)
        return [
            (role, given)
            for role in directory.roles.get(user, ())
            for given in directory.permissions.get(role, ())
            if User(id=0, login="", permissions=frozenset({given})).may(permission)
        ]

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
        hashed = await self._passwords.make(password)
        if session is not None:
            return await self._create(session, {"login": login.strip().lower(), "name": name, **more}, hashed, roles, companies, context)
        async with self.app.database.write() as own:
            return await self._create(own, {"login": login.strip().lower(), "name": name, **more}, hashed, roles, companies, context)

    async def _create(
        self, session: Session, values: dict[str, Any], hashed: str, roles: Sequence[str], companies: Sequence[str | int], context: Context
    ) -> int:
        save = self.app.records.save
        user = await save("newel.user", None, values, context, session=session)
        await session.update(AppUser, user, password=hashed)
        for role in roles:
            await save("newel.user_role", None, {"user": user, "role": role}, context, session=session)
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
        hashed = await self._passwords.make(password)
        shape = self.app.records.shape("newel.user")
        async with self.app.database.write() as session:
            await session.update(AppUser, user, password=hashed)
            await session.fetch('DELETE FROM user_session WHERE "user" = ? AND id <> ?', user, keep or 0)
            write.event(session, shape, user, "password", write.changes(shape.fields, {"password": hashed}, {"password": hashed}), context)

    def _refuse_weak(self, login: str, password: str) -> None:
        if problem := weak(login, password):
            raise Refused(problem)

    # ---- logging in --------------------------------------------------------------------------------------------------------------

    async def authenticate(self, login: str, password: str, address: str = "") -> User | None:
        """The user, or None; takes equally long for users that do not exist.

        Raises:
            Refused: 429 after too many failures.
        """
        login, now = login.strip().lower()[:60], self.app.clock()
        self._guesses.check(login, address, now)
        async with self.app.database.read() as session:
            row = await session.one("SELECT id, password FROM app_user WHERE login = ? AND active = true", login)
            user = await self.load(row["id"], session) if row else None
        if await self._passwords.fits(password, row["password"] if row and user else None):
            self._guesses.forget(login, address)
            return user
        self._guesses.failed(login, address, now)
        return None

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
            await session.fetch("DELETE FROM user_session WHERE expires_at < ? OR seen_at < ?", now, now - IDLE)
            id_ = session.add(
                UserSession, token=_hashed(token), user=user.id, company=chosen, created_at=now, seen_at=now, expires_at=now + ABSOLUTE,
                address=address[:60], agent=agent[:200], csrf=csrf,
            )  # fmt: skip
        made = LoginSession(id=id_, user=user, company=chosen, csrf=csrf, created_at=now, seen_at=now, address=address, agent=agent)
        return token, made

    async def by_session(self, token: str) -> LoginSession | None:
        """The session of a cookie's token; None where it is unknown, has ended or its user is no longer active."""
        now = self.app.clock()
        async with self.app.database.read() as session:
            row = await session.one("SELECT * FROM user_session WHERE token = ?", _hashed(token))
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
            seen_at=instant(row["seen_at"]) or self.app.clock(), address=row["address"], agent=row["agent"],
        )  # fmt: skip

    async def choose_company(self, login: LoginSession, company: int) -> None:
        """Go on in another company that the user may work for; Refused 404 else."""
        async with self.app.database.write() as session:
            chosen = (await self.app.context(session, login.user, company)).company.id
            await session.update(UserSession, login.id, company=chosen)

    async def logout(self, token: str) -> None:
        """End the session of this token."""
        async with self.app.database.write() as session:
            await session.fetch("DELETE FROM user_session WHERE token = ?", _hashed(token))

    async def sessions(self, user: User) -> list[LoginSession]:
        """Where a user is logged in, latest first."""
        sql = 'SELECT * FROM user_session WHERE "user" = ? AND seen_at >= ? AND expires_at >= ? ORDER BY seen_at DESC, id DESC'
        now = self.app.clock()
        async with self.app.database.read() as session:
            rows = await session.fetch(sql, user.id, now - IDLE, now)
            return [found for row in rows if (found := await self._session(session, row))]

    async def revoke(self, user: User, session_id: int) -> None:
        """End one of the user's sessions."""
        await self._remove("user_session", "session", user, session_id)

    async def _remove(self, table: str, what: str, user: User, key: int) -> None:
        async with self.app.database.write() as session:
            sql = f'DELETE FROM {table} WHERE id = ? AND "user" = ? RETURNING id'
            if await session.one(sql, key, user.id) is None:
                raise missing(what, key, what)

    # ---- programs ----------------------------------------------------------------------------------------------------------------

    async def create_token(self, user: User, name: str, days: int, company: int | None = None) -> str:
        """A token for a program that acts as this user in one company; shown now and never again."""
        if not name.strip() or len(name) > 120:
            message = "a token has a name of at most 120 characters"
            raise Refused(Problem(code="field.required", message=message, where="name", hint="say which program it is for"))
        if not 1 <= days <= 3650:
            raise Refused(Problem(code="field.range", message=f"{days} days", where="days", hint="enter 1 to 3650 days"))
        token, now = PREFIX + secrets.token_urlsafe(32), self.app.clock()
        async with self.app.database.write() as session:
            chosen = (await self.app.context(session, user, company)).company.id
            session.add(
                ApiToken, token=_hashed(token), user=user.id, company=chosen, name=name.strip(), created_at=now,
                expires_at=now + timedelta(days=days),
            )  # fmt: skip
        return token

    async def by_token(self, token: str) -> tuple[User, int] | None:
        """(user, company) of a program's token; None where it is unknown or too old, or its user is no longer active."""
        async with self.app.database.read() as session:
            sql = 'SELECT "user", company FROM api_token WHERE token = ? AND expires_at >= ?'
            row = await session.one(sql, _hashed(token), self.app.clock())
            user = await self.load(row["user"], session) if row else None
        return (user, row["company"]) if row and user else None

    async def tokens(self, user: User) -> list[dict[str, Any]]:
        """id, name, company, created_at and expires_at of the user's tokens."""
        async with self.app.database.read() as session:
            sql = 'SELECT id, name, company, created_at, expires_at FROM api_token WHERE "user" = ? ORDER BY id'
            return [dict(r) for r in await session.fetch(sql, user.id)]

    async def revoke_token(self, user: User, token_id: int) -> None:
        """End one of the user's tokens."""
        await self._remove("api_token", "token", user, token_id)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


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
    return Directory(
        users,
        {id_: tuple(found) for id_, found in roles.items()},
        {code: tuple(found) for code, found in permissions.items()},
    )
