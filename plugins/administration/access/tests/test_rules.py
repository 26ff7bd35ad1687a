"""What a role gives, why, and how two differ."""

from __future__ import annotations

import tomllib

from newel_access.rules import Role, as_toml, changes, covered, giving, grouped, why

SALES = Role(id=1, code="sales", name="Sales", permissions=frozenset({"sales.order.view", "sales.order.edit", "newel.item.*"}))
ADMIN = Role(id=2, code="admin", name='The "admin"', permissions=frozenset({"*"}))


def test_the_very_name_is_said_before_a_pattern() -> None:
    assert giving(SALES, "sales.order.view") == "sales.order.view"
    assert giving(SALES, "newel.item.edit") == "newel.item.*"
    assert giving(SALES, "sales.order.release") == ""
    assert why([SALES, ADMIN], "newel.item.edit") == [(SALES, "newel.item.*"), (ADMIN, "*")]
    assert covered(SALES, ["newel.item.view", "newel.party.view"]) == {"newel.item.view"}


def test_permissions_are_grouped_by_the_plugin_that_brings_them() -> None:
    groups = grouped({"sales.order.view": "see", "newel.admin": "run", "costs": "costs"}, {"sales": "Sales", "newel": "Kernel"})
    assert groups == {"newel": [("costs", "costs"), ("newel.admin", "run")], "sales": [("sales.order.view", "see")]}


def test_what_the_page_did_not_show_stays() -> None:
    assert changes(["1:a", "1:b"], ["1:a", "2:c"]) == ([(1, "b")], [(2, "c")])
    assert changes(["x:a", "1:", "99999999999999999999:a"], []) == ([], [])


def test_a_role_as_a_file_is_what_newel_toml_says() -> None:
    assert tomllib.loads(as_toml(ADMIN)) == {"roles": {"admin": {"name": 'The "admin"', "permissions": ["*"]}}}
    assert tomllib.loads(as_toml(SALES))["roles"]["sales"]["permissions"] == sorted(SALES.permissions)
