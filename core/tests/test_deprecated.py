"""Hooks under former names, and plugins of former versions: they work for one version, and whoever uses them is told."""

from __future__ import annotations

import inspect
from decimal import Decimal as D
from typing import Any

import newel.plugins
import pytest
from newel import deprecated
from newel.domain.pricing import Price
from newel.manifest import Manifest
from newel.plugins import Plugins
from newel.services.doctor import diagnose

from core.tests.toys import plugin
from tests.web import serving


def _price(row: Any, context: Any) -> Price:
    return Price(amount=D(row), rule="old")


def test_a_former_hook_and_argument_work_and_name_plugin_file_and_replacement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(deprecated.HOOKS, "compute_price", "decide_price")
    monkeypatch.setitem(deprecated.ARGUMENTS, ("decide_price", "row"), "line")
    found = Plugins({"old": plugin("old", compute_price=_price), "new": plugin("new")})
    answer = found.decide("decide_price", Price, document=None, line=7, facts=None, context=None)
    assert answer is not None and (answer[0], answer[1].amount) == ("old", D(7))
    line = inspect.getsourcelines(_price)[1]
    assert len(found.warnings) == 2
    for warning, replacement in zip(found.warnings, ("compute_price is now decide_price", "argument row is now line"), strict=True):
        assert "plugin 'old'" in warning and f"{__file__}:{line}" in warning and replacement in warning


async def test_doctor_and_the_page_of_plugins_tell_it(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(deprecated.ARGUMENTS, ("decide_price", "row"), "line")
    async with serving(sqlite_url, {"old": plugin("old", decide_price=_price), "new": plugin("new")}) as web:
        told = [d for d in await diagnose(web.newel) if d.check == "deprecated hooks"]
        assert [d.level for d in told] == ["warning"]
        assert "argument row is now line" in told[0].cause and told[0].fix
        browser, _ = await web.browser()
        rows = (await browser.get("/plugins")).text.split("<tr")[2:]
        assert ["argument row is now line" in r for r in rows] == [False, True], "new, old"


def test_the_version_is_checked_by_what_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin of a former version runs if everything that it uses is there; what is missing is named."""
    monkeypatch.setattr(newel.plugins, "API_VERSION", 3)
    found = Plugins(
        {
            "fits": plugin("fits", Manifest(name="fits", label="Fits", api=1), decide_price=lambda line: None),
            "lacks": plugin("lacks", Manifest(name="lacks", label="Lacks", api=2), decide_price=lambda lime: None, decide_prize=lambda line: None),
            "ahead": plugin("ahead", Manifest(name="ahead", label="Ahead", api=4)),
        }
    )
    reasons = {o.name: o.reason for o in found.off}
    assert found.order == ("fits",)
    assert "no argument lime of decide_price" in reasons["lacks"] and "no hook decide_prize" in reasons["lacks"]
    assert "newer kernel" in reasons["ahead"]
