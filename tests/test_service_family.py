"""The service family alone: without a plugin of another family it starts, and a request goes from its entry to its closure."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from newel_sdk.kit import modules
from newel_sdk.servers import free_port

FOLDERS = {folder.parent.name for folder in (Path(__file__).parents[1] / "plugins" / "service_portal").glob("*/pyproject.toml")}
NEEDED = {"mail"}  # what comes in by mail is read by the plugin that sends it
FAMILY = sorted((FOLDERS & set(modules())) | NEEDED)
WAIT_SECONDS = 300


def newel(folder: Path, *arguments: str) -> str:
    """What a command says."""
    command = [sys.executable, "-m", "newel.cli", "--only", ",".join(FAMILY), *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(folder: Path, token: str) -> Iterator[httpx.Client]:
    """A server in a process of its own, and a program that speaks to it over HTTP."""
    port = free_port()
    command = [sys.executable, "-m", "newel.cli", "--only", ",".join(FAMILY), "serve", "--port", str(port)]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {token}"}, timeout=WAIT_SECONDS) as client:
            ends = time.monotonic() + WAIT_SECONDS
            while process.poll() is None and time.monotonic() < ends:
                try:
                    client.get("/health/live")
                    break
                except httpx.TransportError:
                    time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


def test_nothing_of_the_family_needs_more_than_mail() -> None:
    """Sales, stock and invoices make more of it, and none of them has to be there."""
    assert sorted(modules(FAMILY)) == FAMILY


def test_the_family_alone_starts_and_closes_a_request(tmp_path: Path, database_url: str) -> None:
    """A call, a request, an answer, a visit that is planned, done and signed, and the request is closed; every page of the menu opens."""
    password = secrets.token_urlsafe(12)
    newel(tmp_path, "init", "--name", "Service only", "--country", "DE", "--database", database_url, "--password", password)
    running = {line.split("\t")[0]: line.split("\t")[3] for line in newel(tmp_path, "plugins").splitlines() if "\t" in line}
    assert sorted(name for name, state in running.items() if state == "running") == FAMILY
    token = newel(tmp_path, "token", "admin").split()[-1]
    with serving(tmp_path, token) as api:

        def send(path: str, body: dict[str, Any], status: int = 201) -> Any:
            answer = api.post(f"/api/{path}", content=json.dumps(body), headers={"Content-Type": "application/json"})
            assert answer.status_code == status, (path, answer.text)
            return answer.json() if answer.content else None

        acme = send("records/newel.party", {"number": "ACME", "name": "Acme", "is_customer": True, "phone": "030-12345678"})["id"]
        send("records/newel.address", {"party": acme, "kind": "main", "street": "Mill Road 1", "city": "Ely", "country": "DE"})
        send("records/newel.item", {"number": "HOUR", "name": "Hour", "kind": "service", "unit": "H"})
        send("records/visits.technician", {"code": "WANDA", "name": "Wanda Kern"})
        send("call_centre/events", {"call": "c-1", "event": "started", "number": "+49 30 12345678", "agent": "admin"}, 200)
        call = api.get("/api/call_centre/pop").json()["pop"]
        assert [c["name"] for c in call["callers"]] == ["Acme"]
        send("call_centre/events", {"call": "c-1", "event": "answered"}, 200)
        asked = send(f"call_centre/calls/{call['call']['id']}/request", {"text": "The pump drips"})
        send("call_centre/events", {"call": "c-1", "event": "ended"}, 200)
        send("call_centre/events", {"call": "c-1", "event": "recorded", "recording": "https://pbx.example/c-1.ogg"}, 200)
        assert api.get("/api/call_centre/pop").json() == {"pop": None}
        entered = {"party": acme, "text": "The pump drips", "data": {"requests": {"type": "help"}}}
        version = api.get(f"/api/document/{asked['id']}").headers["etag"]
        changed = api.put(f"/api/document/{asked['id']}", json=entered, headers={"If-Match": version})
        assert changed.status_code == 200, changed.text

        def act(id: int, *steps: str) -> Any:
            for step in steps:
                last = send(f"document/{id}/transitions/{step}", {}, 200)
            return last

        act(asked["id"], "submit")
        send(f"requests/documents/{asked['id']}/answer", {"text": "Wanda comes today."}, 204)
        today = time.strftime("%Y-%m-%d", time.gmtime())
        visit = send(f"visits/requests/{asked['id']}/visit", {"technician": "WANDA", "day": today, "time": "23:00"})["id"]
        had = api.get(f"/api/document/{visit}")
        lines = [{"item": "HOUR", "quantity": "1", "price": "80"}]
        more = {"party": acme, "date_requested": today, "data": {"visits": {"technician": "WANDA", "time": "23:00"}}, "lines": lines}
        assert api.put(f"/api/document/{visit}", json=more, headers={"If-Match": had.headers["etag"]}).status_code == 200
        act(visit, "confirm", "arrive")
        send(f"visits/documents/{visit}/sign", {"name": "Ida Mertens", "text": "A new seal."}, 204)
        act(visit, "finish")
        act(asked["id"], "resolve", "close")
        found = api.get(f"/api/document/{asked['id']}").json()
        assert (found.get("document", found)["state"], found.get("document", found)["text"]) == ("closed", "The pump drips")
        for path in ("/", "/visits", "/visits/mine", "/call_centre", "/parts", "/restock", "/faults/chart", "/order_status", "/report/sla.board",
                     "/report/service_kpis.scores", "/documents/requests.request", f"/document/{asked['id']}", f"/document/{visit}"):  # fmt: skip
            assert api.get(path, follow_redirects=True).status_code == 200, path
    assert "everything adds up" in newel(tmp_path, "verify")
