"""What is set up for a user."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from newel.store.session import Session, instant


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey of a user."""

    id: int
    name: str
    credential: str
    public_key: str
    signs: int
    created_at: datetime | None
    used_at: datetime | None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What a user has: an app, recovery codes that are left, passkeys."""

    app: bool
    codes: int
    keys: tuple[Key, ...]

    @property
    def on(self) -> bool:
        """Whether there is a further step at all."""
        return self.app or bool(self.keys)


async def standing(session: Session, user: int) -> Standing:
    """What is set up for the user with this id."""
    app = await session.value('SELECT id FROM two_factor_app WHERE "user" = ? AND confirmed', user)
    codes = await session.value('SELECT COUNT(*) AS n FROM two_factor_recovery WHERE "user" = ?', user)
    rows = await session.fetch('SELECT * FROM two_factor_passkey WHERE "user" = ? ORDER BY id', user)
    return Standing(app=app is not None, codes=int(codes), keys=tuple(_key(r) for r in rows))


def _key(r: Any) -> Key:
    return Key(
        id=r["id"], name=r["name"], credential=r["credential"], public_key=r["public_key"], signs=r["signs"], created_at=instant(r["created_at"]),
        used_at=instant(r["used_at"]),
    )  # fmt: skip
