"""Figures for monitoring, in the text format of Prometheus 0.0.4: what plugins spend in their hooks, what the worker has to do, what is off."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get

from newel.services.administration import waiting
from newel.web.auth import newel_of

TEXT = "text/plain; version=0.0.4; charset=utf-8"
ABOUT = {
    "newel_hook_calls_total": ("counter", "Calls of a plugin's hook since the process has started."),
    "newel_hook_seconds_total": ("counter", "Seconds that a plugin's hook took since the process has started."),
    "newel_plugin_failures_total": ("counter", "How often a plugin failed since the process has started."),
    "newel_plugin_up": ("gauge", "1 for a plugin that runs, 0 for one that is off."),
    "newel_work": ("gauge", "Messages to plugins (outbox) and jobs by state."),
    "newel_replica_up": ("gauge", "1 where the replica answers this process, 0 where it is away; nothing where there is none."),
    "newel_replica_lag_seconds": ("gauge", "How far the replica is behind."),
}


@get("/metrics", opt={"permission": "newel.metrics"}, include_in_schema=False)
async def metrics(request: Request[Any, Any, Any]) -> Response[str]:
    """For a scraper with a token (`newel token`) of a user who has the right newel.metrics."""
    newel = newel_of(request)
    rows: dict[str, list[tuple[dict[str, str], float]]] = {name: [] for name in ABOUT}
    for (plugin, hook), (calls, seconds) in sorted(newel.plugins.spent.items()):
        rows["newel_hook_calls_total"].append(({"plugin": plugin, "hook": hook}, calls))
        rows["newel_hook_seconds_total"].append(({"plugin": plugin, "hook": hook}, round(seconds, 6)))
    for plugin, (count, _) in sorted(newel.plugins.failed.items()):
        rows["newel_plugin_failures_total"].append(({"plugin": plugin}, count))
    running = dict.fromkeys(newel.plugins.order, 1)
    for name, up in sorted({**{off.name: 0 for off in newel.off}, **running}.items()):
        rows["newel_plugin_up"].append(({"plugin": name}, up))
    for (what, state), count in sorted((await waiting(newel)).items()):
        rows["newel_work"].append(({"what": what, "state": state}, count))
    if replica := newel.database.replica:
        rows["newel_replica_up"].append(({}, int(replica.lag is not None)))
        rows["newel_replica_lag_seconds"] += [({}, replica.lag)] if replica.lag is not None else []
    lines = []
    for name, (kind, text) in ABOUT.items():
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{{{_labels(labels)}}} {value:g}" for labels, value in rows[name]]
    return Response("\n".join(lines) + "\n", media_type=TEXT)


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{k}="{v}"' for k, v in labels.items())
