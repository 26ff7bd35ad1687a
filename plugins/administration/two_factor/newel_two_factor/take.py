"""Setting up, taking and taking away the further step. Each change ends the user's other sessions and stands in the user's history."""

from __future__ import annotations

import json
from typing import Any

from newel.domain.context import Context, User
from newel.errors import Problem, Refused, missing
from newel.services.access import require
from newel.services.app import Newel
from newel.services.users import LoginSession
from newel.store.session import Session, instant
from webauthn import generate_authentication_options, generate_registration_options, options_to_json, verify_authentication_response
from webauthn import verify_registration_response as verify_registration
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor

from newel_two_factor import rules
from newel_two_factor.facts import Key, standing
from newel_two_factor.tables import App, Challenge, Passkey, Recovery

KEYS_MOST = 10


class Place:
    """Where browsers see us: passkeys are bound to it. host: as in the address, with a port if it has one."""

    def __init__(self, host: str, https: bool) -> None:
        self.origin = f"{'https' if https else 'http'}://{host}"
        self.id = host.rsplit(":", 1)[0] if host.rsplit(":", 1)[-1].isdigit() else host


def wrong(message: str, hint: str, status: int = 422, where: str = "code") -> Refused:
    """The error for what was not right."""
    return Refused(Problem(code="two_factor.wrong", message=message, where=where, hint=hint, plugin="two_factor"), status=status)


async def _changed(newel: Newel, session: Session, user: int, what: str, by: User | Context) -> None:
    """The kernel asks from now on, or no more; the history says who changed what."""
    context = by if isinstance(by, Context) else await newel.context(session, by)
    await newel.users.ask_more(session, user, "two_factor" if (await standing(session, user)).on else "", what, context)


async def _end_others(newel: Newel, who: LoginSession) -> None:
    for other in await newel.users.sessions(who.user):
        if other.id != who.id:
            await newel.users.revoke(who.user, other.id)


async def prove(newel: Newel, who: LoginSession, password: str) -> None:
    """Whoever changes how they log in gives the password once more; Refused 422 or 429."""
    known = await newel.users.authenticate(who.user.login, password, who.address)
    if known is None or known.id != who.user.id:
        raise wrong("this is not your password", "check it, also for capital letters", where="password")


# ---- codes -------------------------------------------------------------------------------------------------------------------------


async def begin_app(newel: Newel, user: User) -> str:
    """A new secret for an app, which counts when a code of it was entered. Returns it."""
    secret = rules.new_secret()
    async with newel.database.write() as session:
        if (await standing(session, user.id)).app:
            raise wrong("there is an app already", "take it away first", 409)
        await session.fetch('DELETE FROM two_factor_app WHERE "user" = ?', user.id)
        session.add(App, user=user.id, secret=secret)
    return secret


async def unconfirmed(newel: Newel, user: User) -> str:
    """The secret of the app that is being set up; empty where none is."""
    async with newel.database.read() as session:
        return str(await session.value('SELECT secret FROM two_factor_app WHERE "user" = ? AND NOT confirmed', user.id) or "")


async def confirm_app(newel: Newel, who: LoginSession, code: str) -> list[str]:
    """The app shows the right code: it is asked for from now on. Returns fresh recovery codes."""
    now = newel.clock()
    async with newel.database.write() as session:
        row = await session.one('SELECT * FROM two_factor_app WHERE "user" = ? FOR UPDATE', who.user.id)
        counter = rules.counter_of(row["secret"], code, now, row["used"]) if row else None
        if row is None or row["confirmed"] or counter is None:
            raise wrong("this is not the code that the app should show", "look whether the clock of your telephone is right, and enter the newest code")
        await session.update(App, row["id"], confirmed=True, used=counter)
        codes = await _renew(session, who.user.id)
        await _changed(newel, session, who.user.id, "app added", who.user)
    await _end_others(newel, who)
    return codes


async def renew_codes(newel: Newel, who: LoginSession) -> list[str]:
    """Fresh recovery codes; the old ones no longer count."""
    async with newel.database.write() as session:
        if not (await standing(session, who.user.id)).on:
            raise wrong("there is no further step yet", "set up an app or a passkey first", 409)
        codes = await _renew(session, who.user.id)
        await _changed(newel, session, who.user.id, "recovery codes made", who.user)
    return codes


async def _renew(session: Session, user: int) -> list[str]:
    codes = rules.new_codes()
    await session.fetch('DELETE FROM two_factor_recovery WHERE "user" = ?', user)
    for code in codes:
        session.add(Recovery, user=user, code=rules.hashed(code))
    return codes


async def enter(newel: Newel, user: User, code: str) -> None:
    """Somebody who has given the password enters a code of the app, or a recovery code, which then is gone.

    Raises:
        Refused: 422 wrong; 429 too many wrong ones.
    """
    now = newel.clock()
    async with newel.database.write() as session:
        used = await session.fetch('DELETE FROM two_factor_recovery WHERE "user" = ? AND code = ? RETURNING id', user.id, rules.hashed(code[:40]))
        row = await session.one('SELECT * FROM two_factor_app WHERE "user" = ? AND confirmed FOR UPDATE', user.id)
        if used:
            await _changed(newel, session, user.id, "recovery code used", user)
            return
        waits = row is not None and rules.must_wait(row["wrong"], instant(row["wrong_at"]), now)
        counter = rules.counter_of(row["secret"], code[:40], now, row["used"]) if row and not waits else None
        if row and counter is not None:
            await session.update(App, row["id"], used=counter, wrong=0)
        elif row and not waits:
            await session.update(App, row["id"], wrong=row["wrong"] + 1, wrong_at=now)
    if waits:
        raise wrong("too many wrong codes", "wait a quarter of an hour, or take a passkey or a recovery code", 429)
    if counter is None:
        raise wrong("this code does not fit", "enter the newest code of the app; each can be used once")


# ---- passkeys ----------------------------------------------------------------------------------------------------------------------


async def _challenge(newel: Newel, who: LoginSession, challenge: bytes) -> None:
    async with newel.database.write() as session:
        await session.fetch("DELETE FROM two_factor_challenge WHERE session = ?", who.id)
        session.add(Challenge, session=who.id, challenge=bytes_to_base64url(challenge), at=newel.clock())


async def _answered(session: Session, who: LoginSession) -> bytes:
    row = await session.one("DELETE FROM two_factor_challenge WHERE session = ? RETURNING challenge", who.id)
    if row is None:
        raise wrong("nothing was asked of a passkey", "start again", 409, "credential")
    return base64url_to_bytes(row["challenge"])


def _known(keys: tuple[Key, ...]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(k.credential)) for k in keys]


async def registering(newel: Newel, who: LoginSession, place: Place) -> str:
    """What the browser needs to make a passkey, as JSON; devices that have one already are left out."""
    async with newel.database.read() as session:
        found = await standing(session, who.user.id)
    if len(found.keys) >= KEYS_MOST:
        raise wrong(f"there are {KEYS_MOST} passkeys already", "take one away first", 409, "credential")
    options = generate_registration_options(
        rp_id=place.id, rp_name="Newel", user_id=str(who.user.id).encode(), user_name=who.user.login, exclude_credentials=_known(found.keys),
    )  # fmt: skip
    await _challenge(newel, who, options.challenge)
    return options_to_json(options)


async def register(newel: Newel, who: LoginSession, place: Place, credential: dict[str, Any], name: str) -> list[str]:
    """A passkey was made: it is asked for from now on. Returns recovery codes where there were none yet."""
    now = newel.clock()
    async with newel.database.write() as session:
        challenge = await _answered(session, who)
    try:
        made = verify_registration(credential=json.dumps(credential), expected_challenge=challenge, expected_rp_id=place.id, expected_origin=place.origin)
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise wrong("the passkey could not be taken", "try again; it is bound to the address of this page", 422, "credential") from error
    async with newel.database.write() as session:
        had = await standing(session, who.user.id)
        session.add(
            Passkey, user=who.user.id, name=name.strip()[:60] or "passkey", credential=bytes_to_base64url(made.credential_id), signs=made.sign_count,
            public_key=bytes_to_base64url(made.credential_public_key), created_at=now,
        )  # fmt: skip
        await session.flush()
        codes = [] if had.codes else await _renew(session, who.user.id)
        await _changed(newel, session, who.user.id, "passkey added", who.user)
    await _end_others(newel, who)
    return codes


async def asking(newel: Newel, who: LoginSession, place: Place) -> str:
    """What the browser needs to let one of the user's passkeys sign, as JSON."""
    async with newel.database.read() as session:
        found = await standing(session, who.user.id)
    options = generate_authentication_options(rp_id=place.id, allow_credentials=_known(found.keys))
    await _challenge(newel, who, options.challenge)
    return options_to_json(options)


async def sign(newel: Newel, who: LoginSession, place: Place, credential: dict[str, Any]) -> None:
    """A passkey of the user has signed; Refused 422 where it has not."""
    async with newel.database.write() as session:
        challenge, found = await _answered(session, who), await standing(session, who.user.id)
    key = next((k for k in found.keys if k.credential == credential.get("id")), None)
    try:
        if key is None:
            raise ValueError("an unknown passkey")
        done = verify_authentication_response(
            credential=json.dumps(credential), expected_challenge=challenge, expected_rp_id=place.id, expected_origin=place.origin,
            credential_public_key=base64url_to_bytes(key.public_key), credential_current_sign_count=key.signs,
        )  # fmt: skip
    except (WebAuthnException, ValueError, TypeError, KeyError) as error:
        raise wrong("this passkey does not fit", "take another one, or a code", 422, "credential") from error
    async with newel.database.write() as session:
        await session.update(Passkey, key.id, signs=done.new_sign_count, used_at=newel.clock())


# ---- taking away -------------------------------------------------------------------------------------------------------------------


async def remove(newel: Newel, who: LoginSession, what: str) -> None:
    """Take away the app ("app") or the passkey with this id; recovery codes go with the last of them."""
    async with newel.database.write() as session:
        table, key = ("two_factor_app", "user") if what == "app" else ("two_factor_passkey", "id")
        value = who.user.id if what == "app" else int(what)
        if not await session.fetch(f'DELETE FROM {table} WHERE "{key}" = ? AND "user" = ? RETURNING id', value, who.user.id):
            raise missing("app" if what == "app" else "passkey", value)
        if not (await standing(session, who.user.id)).on:
            await session.fetch('DELETE FROM two_factor_recovery WHERE "user" = ?', who.user.id)
        await _changed(newel, session, who.user.id, "app removed" if what == "app" else "passkey removed", who.user)
    await _end_others(newel, who)


async def reset(newel: Newel, user: int, context: Context) -> None:
    """Take everything away from a user who has lost it; needs newel.user.edit, and newel.admin where the user may do more than whoever does it."""
    require(context, "newel.user.edit")
    if user == context.user.id:
        raise wrong("your own goes away on the page of your two-step login", "open it from the navigation: it wants your password", 403, "id")
    other = await newel.users.load(user)
    if other is None:
        raise missing("user", user)
    if not all(context.user.may(p) for p in other.permissions):
        require(context, "newel.admin")
    async with newel.database.write() as session:
        for table in ("two_factor_app", "two_factor_recovery", "two_factor_passkey"):
            await session.fetch(f'DELETE FROM {table} WHERE "user" = ?', user)
        await _changed(newel, session, user, "second step reset", context)
    for session_of in await newel.users.sessions(other):
        await newel.users.revoke(other, session_of.id)
