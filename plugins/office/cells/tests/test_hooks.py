"""Cells of lists, through the pages."""

from __future__ import annotations

import re

import pytest
from newel_cells import hooks
from newel_sdk.kit import Kit

pytestmark = pytest.mark.plugins("cells", "shop")
ITEMS = "newel.item"


def test_hook_register_plugin_arranges_lists() -> None:
    """It declares what lists are arranged with."""
    assert hooks.register_plugin().lists == "newel_cells.arrange:arrange"


async def test_a_cell_is_changed_by_the_rules_and_rights_of_the_form(kit: Kit) -> None:
    """A wrong value says so in the cell; somebody else's change is shown, not overwritten; whoever may not edit has no such cells."""
    item = await kit.item("LAMP", name="Lamp")
    web = await kit.browser()
    url = f"/cells/{ITEMS}/{item}/name"
    assert f'data-edit="{url}"' in (await web.get(f"/records/{ITEMS}")).text
    form = (await web.get(url)).text
    version = re.search(r'name="version" value="(\w+)"', form)
    assert version
    assert 'value="Lamp"' in form
    wrong = await web.post(url, data={"version": version[1], "name": ""})
    assert (wrong.status_code, "Name is missing" in wrong.text) == (422, True)
    assert (await web.post(url, data={"version": version[1], "name": "Lantern"})).status_code == 204
    late = await web.post(url, data={"version": version[1], "name": "Torch"})
    assert (late.status_code, "somebody has changed it" in late.text, 'value="Lantern"' in late.text) == (409, True, True)
    assert [r["name"] for r in await kit.rows("SELECT name FROM item")] == ["Lantern"]
    assert (await web.get(f"/cells/{ITEMS}/{item}/id")).status_code == 404
    reader = await kit.client(f"{ITEMS}.view")
    assert "data-edit" not in (await reader.get(f"/records/{ITEMS}")).text
    assert (await reader.get(url)).status_code == 403
    assert (await reader.post(url, data={"version": version[1], "name": "Torch"})).status_code == 403
