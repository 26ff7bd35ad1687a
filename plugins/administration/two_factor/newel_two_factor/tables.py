"""What proves that somebody is who they say: kept by user, and gone with the user."""

from __future__ import annotations

from newel.store.columns import Id, Long, ref
from newel.store.tables_master import AppUser, UserSession
from piccolo.columns import Boolean, Text, Timestamptz, Varchar
from piccolo.constraints import Unique
from piccolo.table import Table


class App(Table, tablename="two_factor_app"):
    """An app that shows codes. used: counter of the last code that was taken, so that none is taken twice. wrong: how many in a row were not right."""

    id = Id()
    user = ref(AppUser, cascade=True, index=False)
    secret = Varchar(length=64, secret=True)
    confirmed = Boolean(default=False)
    used = Long(default=0)
    wrong = Long(default=0)
    wrong_at = Timestamptz(default=None, null=True)
    uq_two_factor_app = Unique(["user"])


class Recovery(Table, tablename="two_factor_recovery"):
    """A code for the day on which app and passkeys are out of reach; only its hash, and gone when it is used."""

    id = Id()
    user = ref(AppUser, cascade=True)
    code = Varchar(length=64, secret=True)


class Passkey(Table, tablename="two_factor_passkey"):
    """A key in a device of the user; we know its public half."""

    id = Id()
    user = ref(AppUser, cascade=True)
    name = Varchar(length=60)
    credential = Varchar(length=1400, unique=True)
    public_key = Text()
    signs = Long(default=0)
    created_at = Timestamptz(default=None, null=True)
    used_at = Timestamptz(default=None, null=True)


class Challenge(Table, tablename="two_factor_challenge"):
    """What a passkey has to sign next in a session; it is gone when it has been answered."""

    id = Id()
    session = ref(UserSession, cascade=True, index=False)
    challenge = Varchar(length=100, secret=True)
    at = Timestamptz(default=None, null=True)
    uq_two_factor_challenge = Unique(["session"])


TABLES = (App, Recovery, Passkey, Challenge)
