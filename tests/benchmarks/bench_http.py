"""Ten pages and calls over HTTP under 1, 8 and 32 connections, with 1 and 2 uvicorn workers; wrk does the asking (a package of Debian)."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.benchmarks.figures import Figures
from tests.benchmarks.flow import shop
from tests.benchmarks.site import Request, Site, headers_of, served

SECONDS = os.environ.get("NEWEL_BENCH_HTTP_SECONDS", "2")
CONNECTIONS = (1, 8, 32)
SCRIPT = """
{body}
done = function(summary, latency)
  local e = summary.errors
  print(string.format("RESULT %.1f %.2f %d", summary.requests / summary.duration * 1e6, latency:percentile(95) / 1000,
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is missing; tools/system_packages.sh wrk installs it")
async def test_pages_and_calls(databases: Callable[[], str], tmp_path: Path, figures: Figures) -> None:
    async with shop(databases()) as one:
        await one.sold(100)
        engine = one.engine
        for workers in (1, 2):
            async with served(one, workers) as site:
                for request in site.requests:
                    await _works(site, request)
                    found = [await _asked(site, request, connections, tmp_path) for connections in CONNECTIONS]
                    text = ", ".join(f"{rate:.0f}/s p95 {p95:.0f} ms" for rate, p95 in found)
                    figures.add("http", f"{engine}, {workers} worker{'s' if workers > 1 else ''}, {request.name}", text)


async def _works(site: Site, request: Request) -> None:
    """What is measured must be the page, and not an error or the login."""
    async with httpx.AsyncClient(base_url=site.url, headers=headers_of(site, request)) as client:
        answer = await (client.post(request.path, content=request.body) if request.body else client.get(request.path))
        assert answer.status_code == 200, f"{request.path}: {answer.status_code} {answer.text[:300]}"


async def _asked(site: Site, request: Request, connections: int, folder: Path) -> tuple[float, float]:
    """Requests a second, and milliseconds within which 95 % were answered."""
    body = f"wrk.method = 'POST'\nwrk.body = [[{request.body.decode()}]]" if request.body else ""
    script = folder / "wrk.lua"
    script.write_text(SCRIPT.format(body=body))
    headers = [part for name, value in headers_of(site, request).items() for part in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--timeout", "60s", "-s", str(script), *headers, site.url + request.path]
    wrk = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output = (await wrk.communicate())[0].decode()
    rate, p95, errors = output.split("RESULT ")[1].split()
    assert errors == "0", output
    return float(rate), float(p95)
