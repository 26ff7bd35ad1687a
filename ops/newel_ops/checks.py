"""Further checks for `newel doctor`: what the install states, who may get in, what waits, whether the books can go on. Each with cause, effect and fix."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from newel.console import config_path
from newel.services.app import Newel
from newel.services.doctor import Diagnosis
from newel.services.passwords import Passwords
from newel.store.session import Session, day, instant

from newel_ops.checks_database import database
from newel_ops.checks_scale import beside
from newel_ops.compose import compose
from newel_ops.copies import MARKER
from newel_ops.detach import changed, documents_of, marks
from newel_ops.tables import tables_of

WAITS = timedelta(minutes=10)
AHEAD = timedelta(days=14)
STALE_RATE = timedelta(days=35)
LOCAL = ("127.0.0.1", "localhost", "::1")
MILLISECONDS = 1000
# Of the demonstration company, which need not be installed here: a database outlives what made it.
KNOWN_LOGINS = ["demo", "sales", "warehouse", "accountant"]
KNOWN_PASSWORD = "nine-oak-treads"  # noqa: S105 - printed in the manual


async def checks(app: Newel) -> list[Diagnosis]:
    """All of them, on a started install whose migrations have run; nothing is changed."""
    out = [*_stated(app), *_files(app), *_listening(app), *_slow(app)]
    async with app.database.read() as session:
        out += await database(app, session)
        out += await _data(app, session)
        out += await _people(app, session)
        out += await _work(app, session)
        out += await _books(app, session)
    return [*out, *await beside(app)]


def ok(check: str, cause: str) -> Diagnosis:
    """Looked at and found in order."""
    return Diagnosis(check=check, level="ok", cause=cause)


# ---- the install ----------------------------------------------------------------------------------------------------------------------


def _stated(app: Newel) -> Iterator[Diagnosis]:
    """newel.toml against the plugins: versions, settings, precedence, routes."""
    rows = [r for r in compose(app.config).rows if r.level == "conflict" or (r.level == "package" and "not installed" not in r.text)]
    for row in rows:
        yield Diagnosis(check=f"newel.toml, {row.about}", level="error", cause=row.text, effect="newel apply refuses it", fix=row.do)
    if not rows:
        yield ok("newel.toml", "versions, settings and precedence fit the installed plugins")


def _files(app: Newel) -> Iterator[Diagnosis]:
    """Nobody else on this machine reads the data or a password."""
    config = config_path() or Path(os.environ.get("NEWEL_CONFIG", "newel.toml"))
    places = {"database file": Path(app.config.database.removeprefix("sqlite:///"))} if app.database.sqlite else {}
    if "@" in app.config.database and ":" in app.config.database.partition("://")[2].rpartition("@")[0]:
        places["newel.toml with a password"] = config
    for what, path in places.items():
        if not path.exists():
            continue
        if path.stat().st_mode & 0o007:
            effect = "every user of this machine can read it"
            yield Diagnosis(check=what, level="warning", cause=f"{path.name} is open to everybody", effect=effect, fix=f"chmod o= {path.name}")
        else:
            yield ok(what, f"{path.name} is closed to others")


def _listening(app: Newel) -> Iterator[Diagnosis]:
    if app.config.host not in LOCAL and not app.config.secure_cookies:
        yield Diagnosis(
            check="cookies", level="warning", cause=f"the server listens on {app.config.host} and cookies go over plain http",
            effect="somebody in the network can take over a session", fix="serve through a proxy with TLS and set secure_cookies = true in newel.toml",
        )  # fmt: skip
    else:
        yield ok("cookies", "secure, or served to this machine only")


def _slow(app: Newel) -> Iterator[Diagnosis]:
    """Rules over their budget, as far as this process has called them."""
    for (plugin, hook), (count, seconds) in app.plugins.spent.items():
        manifest = app.plugins.manifests.get(plugin)
        if manifest and count and seconds * MILLISECONDS / count > manifest.budget_ms:
            cause = f"{hook} takes {seconds * MILLISECONDS / count:.0f} ms a call, its budget is {manifest.budget_ms} ms"
            yield Diagnosis(check=f"plugin {plugin}", level="warning", cause=cause, effect="every document waits for it", fix="tell its author")


async def _data(app: Newel, session: Session) -> list[Diagnosis]:
    """Data of plugins that do not run, and what was done to this database."""
    out, marked = [], await marks(session)
    plugins = {r["plugin"] for r in await session.fetch("SELECT DISTINCT plugin FROM newel_migration")} - {"newel"}
    resting = await documents_of(session, sorted(plugins - set(app.plugins.manifests) - set(marked) - set(app.config.disabled)))
    for name, n in resting.items():
        out.append(
            Diagnosis(
                check=f"data of {name}", level="warning", cause="its tables are here and it does not run", effect=f"{n} documents of its kinds are read-only",
                fix=f"install it again, or newel detach {name} to say that this is meant",
            )
        )  # fmt: skip
    tables = await tables_of(session) if marked else {}
    for name, mark in sorted(marked.items()):
        if name in app.plugins.manifests:
            odd, effect, fix = ["it runs"], "its data is not compared with what was left", "newel apply"
        else:
            odd = await changed(session, mark, tables)
            effect, fix = "somebody wrote into it", f"look at {', '.join(odd)}, then newel attach and detach it anew"
        if odd:
            out.append(Diagnosis(check=f"detached {name}", level="error", cause=f"detached, and changed: {', '.join(odd)}", effect=effect, fix=fix))
        else:
            out.append(ok(f"detached {name}", f"{len(mark.sums)} tables are as they were left on {mark.at:%Y-%m-%d}"))
    row = await session.one("SELECT value FROM setting WHERE company IS NULL AND plugin = ?", MARKER)
    if row:
        origin = msgspec.json.decode(row["value"]).get("neutral_copy_of", "")
        cause = f"this is a neutral copy of {origin}"
        out.append(Diagnosis(check="copy", level="warning", cause=cause, effect="it reaches nobody: addresses are invalid", fix="nothing, if this is staging"))
    return out


# ---- people and work ------------------------------------------------------------------------------------------------------------------


async def _people(app: Newel, session: Session) -> list[Diagnosis]:
    out = []
    passwords = Passwords()
    rows = await session.fetch("SELECT login, password FROM app_user WHERE active = ? AND login = ANY(?) ORDER BY login", True, KNOWN_LOGINS)
    known = [r["login"] for r in rows if await passwords.fits(KNOWN_PASSWORD, r["password"])]
    if known:
        level = "warning" if app.config.host in LOCAL else "error"
        cause = f"{', '.join(known)} still have the password of the demonstration, which is printed in the manual"
        out.append(Diagnosis(check="passwords", level=level, cause=cause, effect="anybody who reaches the server can sign in", fix="change or deactivate them"))
    else:
        out.append(ok("passwords", "none is that of the demonstration"))
    admins = await session.value(
        'SELECT COUNT(DISTINCT u.id) AS n FROM app_user u JOIN user_role x ON x."user" = u.id JOIN role_permission p ON p.role = x.role '
        "WHERE u.active = ? AND p.permission IN ('*', 'newel.admin', 'newel.*')",
        True,
    )
    if admins:
        out.append(ok("administrators", f"{admins} active"))
    else:
        fix = "newel init makes the user admin"
        out.append(Diagnosis(check="administrators", level="error", cause="nobody may administer", effect="no right can be given", fix=fix))
    expired = await session.value("SELECT COUNT(*) AS n FROM api_token WHERE expires_at < ?", app.clock())
    if expired:
        cause, effect = f"{expired} API tokens have expired", "what uses them is refused"
        out.append(Diagnosis(check="tokens", level="warning", cause=cause, effect=effect, fix="newel token LOGIN makes a new one"))
    else:
        out.append(ok("tokens", "none has expired"))
    return out


async def _work(app: Newel, session: Session) -> list[Diagnosis]:
    """Whether somebody works off what waits, and whether clocks agree."""
    now, out = app.clock(), []
    waiting = await session.one("SELECT COUNT(*) AS n, MIN(available_at) AS first FROM outbox WHERE done_at IS NULL AND attempts = 0")
    first = instant(waiting["first"]) if waiting and waiting["n"] else None
    if waiting and first and now - first > WAITS:
        cause = f"{waiting['n']} messages wait, the first since {first:%Y-%m-%d %H:%M} UTC"
        fix = "run newel worker, or newel serve without --no-worker"
        out.append(Diagnosis(check="worker", level="warning", cause=cause, effect="nobody works them off: no mail, no follow-up", fix=fix))
    else:
        out.append(ok("worker", "nothing waits for long"))
    dead = await session.value("SELECT COUNT(*) AS n FROM job WHERE state = 'running' AND lease_until < ?", now)
    if dead:
        cause, effect = f"{dead} jobs were left by a worker that is gone", "they run again when a worker looks"
        out.append(Diagnosis(check="jobs left", level="warning", cause=cause, effect=effect, fix="run newel worker"))
    else:
        out.append(ok("jobs left", "none"))
    asked = "SELECT CAST(strftime('%s', 'now') AS BIGINT) AS n" if session.sqlite else "SELECT CAST(EXTRACT(EPOCH FROM now()) AS BIGINT) AS n"
    apart = abs(int(await session.value(asked)) - int(time.time()))
    if apart > 60:
        cause = f"the clocks of database and server are {apart} seconds apart"
        out.append(Diagnosis(check="clocks", level="warning", cause=cause, effect="what is due comes too early or too late", fix="set both by NTP"))
    else:
        out.append(ok("clocks", "database and server agree"))
    return out


# ---- books ----------------------------------------------------------------------------------------------------------------------------


async def _books(app: Newel, session: Session) -> list[Diagnosis]:
    """Whether tomorrow's documents can be posted, company by company."""
    out, today = [], app.clock().date()
    for company in await session.fetch("SELECT id, code, currency FROM company ORDER BY code"):
        check = f"books of {company['code']}"
        rows = await session.fetch("SELECT code, date_from, date_to, state FROM period WHERE company = ? ORDER BY date_from", company["id"])
        lacking = [when for when in (today, today + AHEAD) if not any(_covers(r, when) for r in rows)]
        closed = [r["code"] for r in rows if _covers(r, today) and r["state"] != "open"]
        if lacking or closed:
            cause = f"no period covers {lacking[0]}" if lacking else f"the period of today, {closed[0]}, is closed"
            level = "error" if closed or today in lacking else "warning"
            fix = "add or open periods under Finance, Periods (newel init adds years)"
            out.append(Diagnosis(check=check, level=level, cause=cause, effect="nothing can be posted then", fix=fix))
        else:
            out.append(ok(check, "today and the next two weeks are in periods"))
        out += await _rates(session, company, today)
    return out


def _covers(row: Any, when: date) -> bool:
    start, end = day(row["date_from"]), day(row["date_to"])
    return bool(start and end and start <= when <= end)


async def _rates(session: Session, company: Any, today: date) -> list[Diagnosis]:
    """Currencies of open documents whose last rate is old."""
    rows = await session.fetch(
        "SELECT d.currency, MAX(r.date_from) AS last FROM (SELECT DISTINCT currency FROM document WHERE company = ? AND phase IN ('draft', 'offered', 'open')"
        " AND currency <> ?) d LEFT JOIN currency_rate r ON r.currency = d.currency AND r.company = ? GROUP BY d.currency ORDER BY d.currency",
        company["id"], company["currency"], company["id"],
    )  # fmt: skip
    old = [f"{r['currency']} ({day(r['last']) or 'never'})" for r in rows if (day(r["last"]) or date.min) < today - STALE_RATE]
    check = f"rates of {company['code']}"
    if old:
        cause, effect = f"the last rate is old: {', '.join(old)}", "documents in that currency are converted by it"
        return [Diagnosis(check=check, level="warning", cause=cause, effect=effect, fix="enter rates under Finance, Exchange rates")]
    return [ok(check, f"{len(rows)} foreign currencies in use, all with a rate of the last weeks")]
