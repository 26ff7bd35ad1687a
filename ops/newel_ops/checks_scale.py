"""Checks of what an install has beside its database: the replica, and Redis."""

from __future__ import annotations

import asyncio

from newel.services.app import Newel
from newel.services.doctor import Diagnosis
from newel.store.replica import Replica

from newel_ops.queue import PATIENCE, SaqQueue, connected

SAME = "SELECT system_identifier AS n FROM pg_control_system()"


async def beside(app: Newel) -> list[Diagnosis]:
    """Of what newel.toml names."""
    replica, out = app.database.replica, []
    if replica:
        await replica.look()
        out.append(await _replica(replica))
    if isinstance(app.queue, SaqQueue):
        out.append(await _redis(app.config.redis))
    return out


async def _replica(replica: Replica) -> Diagnosis:
    if replica.lag is None:
        fix = "look at the replica's log and at pg_stat_replication on the primary; or take replica out of newel.toml"
        return Diagnosis(check="replica", level="warning", cause=replica.error, effect="everything is read from the primary", fix=fix)
    async with replica.primary.plain_read() as here, replica.database.plain_read() as there:
        if await here.value(SAME) != await there.value(SAME):
            cause, effect = "it follows another primary than ours", "people are shown the data of another install"
            return Diagnosis(check="replica", level="error", cause=cause, effect=effect, fix="mend replica in newel.toml")
        feedback = await there.value("SELECT current_setting('hot_standby_feedback') AS v")
    if replica.lag > replica.most:
        cause, effect = f"{replica.lag:.0f} s behind, replica_lag_seconds is {replica.most:g}", "everything is read from the primary"
        return Diagnosis(check="replica", level="warning", cause=cause, effect=effect, fix="a faster disk for the replica, or fewer long reports on it")
    if feedback != "on":
        cause, effect = f"{replica.lag:.1f} s behind; hot_standby_feedback is off", "long reports are cut off when the primary cleans up"
        return Diagnosis(check="replica", level="warning", cause=cause, effect=effect, fix="hot_standby_feedback = on in the replica's postgresql.conf")
    return Diagnosis(check="replica", level="ok", cause=f"{replica.lag:.1f} s behind")


async def _redis(url: str) -> Diagnosis:
    client = connected(url)
    try:
        async with asyncio.timeout(PATIENCE):
            info = await client.info("memory")
    except Exception as error:  # whatever it is, workers go on without
        effect = "workers ask the database every second: messages and jobs come some seconds later"
        cause, fix = f"{type(error).__name__}: {error}", "start Redis, or mend redis in newel.toml"
        return Diagnosis(check="redis", level="warning", cause=cause, effect=effect, fix=fix)
    finally:
        await client.aclose()
    return Diagnosis(check="redis", level="ok", cause=f"it answers and uses {info['used_memory_human']}")
