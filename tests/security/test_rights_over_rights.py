"""Who looks after users can't make themselves, or a friend, more than they are; and what one person may not decide alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from newel.services.setup import set_up_company

from tests.web import PASSWORD, Web, serving

CLERK = ("newel.user.*", "newel.user_role.*", "newel.role.*", "newel.role_permission.*", "newel.user_company.*", "newel.company.*", "newel.item.*")


@pytest.fixture
async def web(sqlite_url: str) -> AsyncIterator[Web]:
    async with serving(sqlite_url) as found:
        yield found


async def refused(client: Any, method: str, path: str, body: dict[str, Any], code: str = "permission.beyond") -> None:
    """Refused with this code, by the API; what pages, imports and plugins do goes the same way."""
    answer = await client.request(method, path, json=body)
    assert answer.status_code == 422, (path, body, answer.text)
    assert answer.json()["problems"][0]["code"] == code


async def test_nobody_gives_more_than_they_have(web: Web) -> None:
    """A clerk who looks after users: no role and no permission beyond their own, to nobody, one by one, by import or for another company."""
    other = await set_up_company(web.newel, code="B", name="B", currency="EUR", country="DE", first_year=2026)
    clerk = web.client(await web.user("clerk", *CLERK))
    admin = await web.newel.records.find("newel.user", "admin", web.context)
    for who in ("clerk", "admin"):
        await refused(clerk, "POST", "/api/records/newel.user_role", {"user": who, "role": "sales"})
    for permission in ("*", "newel.*", "newel.admin", "shop.order.confirm"):
        await refused(clerk, "POST", "/api/records/newel.role_permission", {"role": "clerk", "permission": permission})
    rows = {"rows": [{"role": "clerk", "permission": "newel.item.edit"}, {"role": "clerk", "permission": "*"}]}
    await refused(clerk, "POST", "/api/records/newel.role_permission/import", rows)
    await refused(clerk, "POST", "/api/records/newel.user_company", {"user": "clerk", "company": other.id}, "field.reference")
    for change in ({"active": False}, {"login": "nobody"}, {"email": "clerk@example.com"}):
        await refused(clerk, "PATCH", f"/api/records/newel.user/{admin}", change)
    assert (await clerk.get("/api/audit")).status_code == 403
    made = await clerk.post("/api/records/newel.role_permission", json={"role": "clerk", "permission": "newel.item.edit"})
    assert made.status_code == 201, "what one has may be given"
    browser, csrf = await web.browser("clerk")
    answer = await browser.post(f"/users/{admin}/password", data={"password": PASSWORD + " 2", "_csrf_token": csrf})
    assert "permission" in answer.text and answer.status_code == 403
    assert await web.newel.users.authenticate("admin", PASSWORD)


async def test_a_change_of_rights_stands_in_the_history(web: Web) -> None:
    """Who gave which role to whom, for whoever audits."""
    await web.user("someone", "newel.item.view")
    events = (await web.api.get("/api/audit?kind=newel.role_permission")).json()["rows"]
    assert any("newel.item.view" in str(e["changes"]) for e in events)
    assert (await web.api.get("/api/audit?kind=newel.user_role")).json()["total"] > 0
