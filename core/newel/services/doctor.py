"""What may be wrong with an install: each check with cause, effect and fix.

Other distributions bring checks by the entry-point group `newel.checks`: async functions that take a started install and return diagnoses.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import msgspec
from importlib_metadata import entry_points

from newel.domain.master import Master
from newel.store import migrate
from newel.store.master import load_master

if TYPE_CHECKING:
    from newel.services.app import Newel


class Diagnosis(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at. level: ok, warning or error."""

    check: str
    level: str
    cause: str
    effect: str = ""
    fix: str = ""


async def diagnose(app: Newel) -> list[Diagnosis]:
    """Look at plugins, database and set-up of a started install; nothing is changed."""
    out = [Diagnosis(check="python", level="ok" if (3, 11) <= sys.version_info[:2] <= (3, 13) else "error", cause=sys.version.split()[0]), *_plugins(app)]
    async with app.database.read() as session:
        pending = await migrate.pending(session, app.migration_apps())
        if pending:
            out.append(
                Diagnosis(
                    check="migrations", level="error", cause=f"{len(pending)} have not run, the first is {pending[0][0]} {pending[0][1]}",
                    effect="the server would run them at its start", fix="newel migrate",
                )
            )  # fmt: skip
            return out
        out.append(Diagnosis(check="migrations", level="ok", cause="all have run"))
        master = await load_master(session)
        out += _companies(app, master)
        users = await session.value("SELECT COUNT(*) AS n FROM app_user WHERE active")
        level, effect, fix = ("ok", "", "") if users else ("error", "nobody can sign in", "newel init")
        out.append(Diagnosis(check="users", level=level, cause=f"{users} active", effect=effect, fix=fix))
        stuck = await session.value("SELECT COUNT(*) AS n FROM outbox WHERE done_at IS NULL AND attempts >= 8")
        failed = await session.value("SELECT COUNT(*) AS n FROM job WHERE state = 'failed'")
        if stuck or failed:
            out.append(
                Diagnosis(
                    check="jobs", level="warning", cause=f"{failed} jobs and {stuck} messages have failed for good", effect="what they should do is not done",
                    fix="look at them under Administration, Jobs, and try again",
                )
            )  # fmt: skip
        else:
            out.append(Diagnosis(check="jobs", level="ok", cause="none has failed"))
    out.append(_printing())
    for point in sorted(entry_points(group="newel.checks"), key=lambda p: p.name):
        try:
            out += await point.load()(app)
        except Exception as error:  # whoever brings checks may fail in any way; the others are told all the same
            fix = f"upgrade or uninstall {point.dist.name if point.dist else point.value}"
            out.append(Diagnosis(check=f"checks of {point.name}", level="error", cause=f"{type(error).__name__}: {error}", effect="not looked at", fix=fix))
    return out


def _plugins(app: Newel) -> list[Diagnosis]:
    out = [Diagnosis(check=f"plugin {name}", level="ok", cause=f"{m.label} {m.version} runs") for name, m in app.plugins.manifests.items()]
    for off in app.off:
        wanted = "disabled" in off.reason
        out.append(
            Diagnosis(
                check=f"plugin {off.name}", level="ok" if wanted else "error", cause=off.reason,
                effect="" if wanted else "its documents can be read and not changed; its rules do not run",
                fix="" if wanted else f"mend what the cause says, or put {off.name!r} under disabled in newel.toml",
            )
        )  # fmt: skip
    effect, fix = "it works until the next version of the hooks", "install a newer release of the plugin; its author uses the new name"
    out += [Diagnosis(check="deprecated hooks", level="warning", cause=w, effect=effect, fix=fix) for w in app.plugins.warnings]
    return out


def _companies(app: Newel, master: Master) -> list[Diagnosis]:
    out = []
    if not master.companies:
        return [Diagnosis(check="companies", level="error", cause="there is none", effect="nothing can be entered", fix="newel init")]
    for company in master.companies.values():
        unmapped = sorted(r for r in app.registry.account_roles if (company.id, r) not in master.accounts)
        if unmapped:
            out.append(
                Diagnosis(
                    check=f"company {company.code}", level="warning", cause=f"no account for {', '.join(unmapped)}",
                    effect="documents that post there are refused", fix="newel init (adds what is missing), or map them under Finance",
                )
            )  # fmt: skip
        missing = sorted(k for k in app.registry.location_kinds if (company.id, k) not in master.defaults)
        if missing:
            out.append(
                Diagnosis(
                    check=f"company {company.code}", level="warning", cause=f"no location of kind {', '.join(missing)}",
                    effect="goods can't move there by default", fix="newel init, or add one under Stock, Locations",
                )
            )  # fmt: skip
        if not unmapped and not missing:
            out.append(Diagnosis(check=f"company {company.code}", level="ok", cause="accounts and locations are complete"))
    return out


def _printing() -> Diagnosis:
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        return Diagnosis(
            check="printing", level="warning", cause=str(error).splitlines()[0], effect="documents can't be made into PDF",
            fix="install Pango (Debian: libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0)",
        )  # fmt: skip
    return Diagnosis(check="printing", level="ok", cause="WeasyPrint works")
