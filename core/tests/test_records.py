"""Records: what people enter, find, change and import, on both databases."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from newel.domain.context import Context, User
from newel.errors import Problem, Refused, Severity
from newel.hookspecs import hookimpl
from newel.manifest import Manifest, RecordKind
from newel.services.app import Newel
from newel.services.setup import set_up_company
from newel.store.columns import Id
from newel.store.master import load_items, load_master
from newel_sdk.testing import item, party, running
from piccolo.columns import Varchar
from piccolo.table import Table

DAY = date(2026, 1, 15)


def as_user(context: Context, *permissions: str, company: Any = None) -> Context:
    chosen = company or context.company
    user = User(id=7, login="ann", permissions=frozenset(permissions), companies=frozenset({chosen.id}))
    return msgspec.structs.replace(context, user=user, company=chosen)


def wheres(refused: Any) -> dict[str, str]:
    return {p.where: p.code for p in refused.value.problems}


# ---- one record ----------------------------------------------------------------------------------------------------------------------


async def test_a_record_is_kept_as_entered_and_changed_field_by_field(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        bolt = await item(app, context, "BOLT", price="0.1234", description="two\nlines", active=False)
        await app.records.save("newel.item", bolt, {"name": "Hexagon bolt", "active": "true"}, context)
        row = await app.records.get("newel.item", bolt, context)
        assert (row["number"], row["name"], row["active"], row["description"]) == ("BOLT", "Hexagon bolt", True, "two\nlines")
        price = (await app.records.page("newel.item_price", context, filters={"item": str(bolt)})).rows[0]
        assert price["price"] == Decimal("0.1234")
        assert price["item__title"] == "BOLT Hexagon bolt"


async def test_all_problems_at_once_and_nothing_written(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        await item(app, context, "BOLT")
        values = {"number": "BOLT", "name": "", "unit": "XX", "item_class": "none", "kind": "fish"}
        with pytest.raises(Refused) as refused:
            await app.records.save("newel.item", None, values, context)
        assert wheres(refused) == {
            "number": "record.unique", "name": "field.required", "unit": "field.reference", "item_class": "field.reference",
            "kind": "field.choice",
        }  # fmt: skip
        assert (await app.records.page("newel.item", context)).total == 1


async def test_a_rule_of_the_kind_sees_the_whole_record(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        bolt = await item(app, context, "BOLT")
        values = {"item": bolt, "currency": "EUR", "price": 1, "date_from": "2026-01-01", "date_to": "2026-06-30"}
        price = await app.records.save("newel.item_price", None, values, context)
        with pytest.raises(Refused) as refused:
            await app.records.save("newel.item_price", price, {"date_from": "2026-07-01"}, context)
        assert wheres(refused) == {"date_to": "record.invalid"}
        for kind, bad in (
            ("newel.company", {"code": "B", "name": "B", "currency": "EUR", "country": "Ge"}),
            ("newel.unit", {"code": "U", "name": "U", "factor": 0}),
            ("newel.currency", {"code": "eur", "name": "Euro"}),
            ("newel.role_permission", {"role": "sales", "permission": "Every thing"}),
            ("newel.user", {"login": "Ann Lee"}),
        ):
            with pytest.raises(Refused):
                await app.records.save(kind, None, bad, context)


async def test_a_place_is_not_inside_itself(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        main = await app.records.find("newel.location", "MAIN", context)
        assert main is not None
        with pytest.raises(Refused):
            await app.records.save("newel.location", main, {"parent": main}, context)
        shelf = await app.records.save("newel.location", None, {"code": "A1", "name": "Shelf", "parent": "MAIN"}, context)
        assert (await app.records.get("newel.location", shelf, context))["parent__title"] == "MAIN Main warehouse"


async def test_two_prices_without_a_date_are_the_same_price(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        bolt = await item(app, context, "BOLT", price=1)
        with pytest.raises(Refused, match="already"):
            await app.records.save("newel.item_price", None, {"item": bolt, "currency": "EUR", "price": 2}, context)
        await app.records.save("newel.item_price", None, {"item": bolt, "currency": "EUR", "price": 2, "date_from": DAY}, context)


async def test_history_says_who_changed_what_from_what_to_what(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        wide = await app.records.save("newel.party_class", None, {"code": "A", "name": "Good"}, context)
        acme = await party(app, context, "ACME", limit_amount="100.50")
        ann = as_user(context, "newel.party.*")
        await app.records.save("newel.party", acme, {"limit_amount": "200", "party_class": wide}, ann)
        await app.records.save("newel.party", acme, {"limit_amount": "200.00"}, ann)
        events = await app.records.history("newel.party", acme, context)
        assert [(e.user, e.action) for e in events] == [("ann", "change"), ("tester", "create")]
        assert {(c.label, c.old, c.new) for c in events[0].changes} == {("Credit limit", "100.5", "200"), ("Class", "", "A Good")}
        assert events[0].at == datetime(2026, 1, 15, 9, tzinfo=UTC)


async def test_the_same_key_saves_once(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        values = {"number": "BOLT", "name": "Bolt"}
        first = await app.records.save("newel.item", None, values, context, key="k1")
        assert await app.records.save("newel.item", None, values, context, key="k1") == first
        with pytest.raises(Refused) as refused:
            await app.records.save("newel.item", None, {"number": "NUT", "name": "Nut"}, context, key="k1")
        assert refused.value.status == 409


async def test_what_is_used_is_not_deleted(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        kind = await app.records.save("newel.item_class", None, {"code": "C", "name": "Class"}, context)
        bolt = await item(app, context, "BOLT", price=1, item_class="C", unit="KG")
        with pytest.raises(Refused, match=r"used by 1 item\b") as refused:
            await app.records.delete("newel.item_class", kind, context)
        assert refused.value.status == 409
        kilo = await app.records.find("newel.unit", "KG", context)
        assert kilo is not None
        with pytest.raises(Refused, match=r"1 item, 1 unit|1 unit, 1 item|2 units|1 item"):
            await app.records.delete("newel.unit", kilo, context)
        await app.records.delete("newel.item", bolt, context)
        assert (await app.records.page("newel.item_price", context)).total == 0, "its parts go with it"
        await app.records.delete("newel.item_class", kind, context)
        with pytest.raises(Refused) as refused:
            await app.records.get("newel.item_class", kind, context)
        assert refused.value.status == 404


@pytest.mark.capability("TAX-03")
async def test_a_rate_is_never_overwritten(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        ann = as_user(context, "newel.currency_rate.*")
        first = await app.records.save("newel.currency_rate", None, {"currency": "USD", "rate": "0.9", "date_from": DAY}, ann)
        second = await app.records.save("newel.currency_rate", first, {"rate": "0.95"}, ann)
        assert second != first
        rows = (await app.records.page("newel.currency_rate", context, sort="entered_at")).rows
        assert [(r["rate"], r["entered_by"], r["date_from"]) for r in rows] == [(Decimal("0.9"), "ann", DAY), (Decimal("0.95"), "ann", DAY)]
        assert rows[0]["entered_at"] < rows[1]["entered_at"] < context.now + timedelta(seconds=1)
        async with app.database.read() as session:
            assert (await load_master(session)).rate(context.company, "USD", DAY) == Decimal("0.95")
        with pytest.raises(Refused, match="nothing is deleted"):
            await app.records.delete("newel.currency_rate", first, context)


async def test_a_change_is_known_to_the_rules_at_once(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        bolt = await item(app, context, "BOLT", price=1, item_class=None)

        async def seen() -> tuple[Any, Any]:
            async with app.database.read() as session:
                master = await load_master(session)
                found = (await load_items(session, [bolt]))[bolt]
                on = found.on(DAY, "EUR", context.company, master.item_classes)
                return on.name, on.classes

        assert await seen() == ("Bolt", ())
        kind = await app.records.save("newel.item_class", None, {"code": "C", "name": "Class"}, context)
        await app.records.save("newel.item", bolt, {"name": "Nut", "item_class": kind}, context)
        assert await seen() == ("Nut", ("C",))
        await app.records.save("newel.item_class", kind, {"code": "D"}, context)
        assert await seen() == ("Nut", ("D",))


# ---- who sees what -------------------------------------------------------------------------------------------------------------------


async def test_without_the_permission_nothing_happens_and_its_name_is_told(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        bolt = await item(app, context, "BOLT")
        looking = as_user(context, "newel.item.view")
        assert (await app.records.page("newel.item", looking)).total == 1
        calls = (
            app.records.save("newel.item", bolt, {"name": "x"}, looking), app.records.delete("newel.item", bolt, looking),
            app.records.import_rows("newel.item", [], looking), app.records.page("newel.party", looking),
            app.records.options("newel.party", "", looking), app.records.history("newel.party", 1, looking),
            app.records.get("newel.party", 1, looking),
        )  # fmt: skip
        for call in calls:
            with pytest.raises(Refused, match=r"newel\.(item\.edit|party\.view)") as refused:
                await call
            assert refused.value.status == 403
            assert refused.value.problems[0].hint


async def test_companies_do_not_see_each_other(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        other = await set_up_company(app, code="OTHER", name="Other", currency="USD", first_year=2026)
        there = as_user(context, "newel.location.*", "newel.company.view", "newel.item_cost.*", company=other)
        mine = await app.records.save("newel.location", None, {"code": "A1", "name": "Shelf"}, context)
        assert "A1" not in {r["code"] for r in (await app.records.page("newel.location", there, size=200)).rows}
        for call in (app.records.get, app.records.delete):
            with pytest.raises(Refused) as refused:
                await call("newel.location", mine, there)
            assert refused.value.status == 404
        with pytest.raises(Refused) as refused:
            await app.records.save("newel.location", None, {"code": "B1", "name": "x", "parent": mine}, there)
        assert wheres(refused) == {"parent": "field.reference"}
        await app.records.save("newel.location", None, {"code": "A1", "name": "Their shelf"}, there)
        assert [r["code"] for r in (await app.records.page("newel.company", there)).rows] == ["OTHER"]


# ---- lists ---------------------------------------------------------------------------------------------------------------------------


async def test_lists_search_filter_sort_and_page(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        for number, name, limit in (("1", "Müller", "10"), ("2", "ÖZ Çelik", None), ("3", "100% Wool", "30"), ("4", "mueller", "40")):
            await party(app, context, number, name=name, limit_amount=limit)

        async def found(**how: Any) -> list[str]:
            return [r["number"] for r in (await app.records.page("newel.party", context, **how)).rows]

        assert await found(search="müll") == await found(search="MÜLL") == ["1"]
        assert await found(search="çelik") == ["2"]
        assert await found(search="0%") == ["3"]
        assert await found(search="ELL") == ["4"]
        assert await found(filters={"limit_amount__from": "10.0001", "limit_amount__to": "40"}) == ["3", "4"]
        assert await found(filters={"is_vendor": "false"}) == []
        assert await found(sort="-limit_amount") == ["4", "3", "1", "2"]
        assert await found(sort="limit_amount") == ["1", "3", "4", "2"]
        page = await app.records.page("newel.party", context, size=2, number=2)
        assert ([r["number"] for r in page.rows], page.total) == (["3", "4"], 4)
        for how in (
            {"sort": "password; DROP"},
            {"filters": {"name__from": "a"}},
            {"filters": {"x": "1"}},
            {"filters": {"limit_amount": "a"}},
        ):
            with pytest.raises(Refused):
                await found(**how)


async def test_a_page_asks_once_for_each_table_referred_to(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        for n in range(30):
            await item(app, context, f"I{n:02}", price=n)
        async with app.database.read() as session:
            page = await app.records.page("newel.item_price", context, session=session, sort="-item")
            assert [r["item__title"] for r in page.rows[:2]] == ["I29 I29", "I28 I28"]
            assert session.statements == 3


async def test_pickers_offer_what_starts_with_the_text_first(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        for number, name in (("A-10", "Plate"), ("B-A1", "Big plate"), ("PLX", "Foil"), ("P*", "Star")):
            await item(app, context, number, name=name)
        await item(app, context, "PLY", active=False)

        async def titles(text: str) -> list[str]:
            return [title for _, title in await app.records.options("newel.item", text, context)]

        assert await titles("pl") == ["A-10 Plate", "PLX Foil", "B-A1 Big plate"]
        assert await titles("a-1") == ["A-10 Plate"]
        assert await titles("p*") == ["P* Star"]
        assert len(await titles("")) == 4
        assert (await app.records.codes("newel.unit", "kg", context))[0] == ("KG", "KG Kilogram")


# ---- import --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.capability("TAK-14")
async def test_an_import_creates_and_changes_all_or_nothing(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        await app.records.save("newel.item_class", None, {"code": "C", "name": "Class"}, context)
        bolt = await item(app, context, "BOLT")
        rows = [
            {"number": "BOLT", "name": "New bolt", "item_class": "C", "gtin": ""},
            {"number": "NUT", "name": "Nut", "unit": "KG", "active": "no"},
            {"number": "WIRE", "name": "Wire", "unit": "", "item_class": ""},
        ]  # fmt: skip
        bad = [{**rows[0], "name": ""}, {**rows[1], "unit": "??"}, {"name": "no number"}, rows[2], rows[2], {**rows[2], "x": 1}]
        result = await app.records.import_rows("newel.item", bad, context)
        assert {p.where for p in result.problems} == {"rows[0].name", "rows[1].unit", "rows[5].x"}
        result = await app.records.import_rows("newel.item", bad[2:5], context)
        assert {p.where for p in result.problems} == {"rows[0].number", "rows[2].number"}
        assert result.problems[0].message.startswith("row 1: ")
        assert (await app.records.page("newel.item", context)).total == 1
        result = await app.records.import_rows("newel.item", rows, context)
        assert (result.created, result.changed, result.problems) == (2, 1, ())
        page = await app.records.page("newel.item", context)
        assert [(r["number"], r["name"], r["unit"], r["active"], r["item_class__title"]) for r in page.rows] == [
            ("BOLT", "New bolt", "EA", True, "C Class"), ("NUT", "Nut", "KG", False, ""), ("WIRE", "Wire", "EA", True, ""),
        ]  # fmt: skip
        assert (await app.records.history("newel.item", bolt, context))[0].action == "import"
        again = await app.records.import_rows("newel.item", rows, context)
        assert (again.created, again.changed, again.unchanged) == (0, 0, 3)


async def test_an_import_knows_records_by_several_columns(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        await item(app, context, "BOLT", price=1)
        await item(app, context, "NUT")
        rows = [{"item": "BOLT", "currency": "EUR", "price": "2", "date_from": ""}, {"item": "NUT", "currency": "EUR", "price": "3"}]
        result = await app.records.import_rows("newel.item_price", rows, context, match="item,currency,date_from")
        assert (result.created, result.changed, result.problems) == (1, 1, ())
        with pytest.raises(Refused, match="recognised"):
            await app.records.import_rows("newel.item_price", rows, context, match="price")
        places = [{"code": "MAIN", "name": "Hall"}, {"code": "A1", "name": "Shelf", "parent": "MAIN"}]
        result = await app.records.import_rows("newel.location", places, context)
        assert (result.created, result.changed, result.problems) == (1, 1, ())
        rates = [{"currency": "USD", "rate": "0.9", "date_from": "2026-01-01"}] * 2
        assert (await app.records.import_rows("newel.currency_rate", rates, context)).created == 2


# ---- records of plugins --------------------------------------------------------------------------------------------------------------


class Shade(Table, tablename="paint_shade"):
    id = Id()
    code = Varchar(length=10, unique=True)


def _checked(values: Any) -> list[Problem]:
    found = {"LOUD": Severity.OVERRIDE, "DULL": Severity.NOTE}.get(values["code"])
    return [Problem(code="paint.taste", message="really?", severity=found)] if found else []


@hookimpl
def register_plugin() -> Manifest:
    kind = RecordKind(name="paint.shade", table=Shade, label="Shade", label_plural="Shades", title=("code",), check=_checked)
    return Manifest(name="paint", label="Paint", tables=(Shade,), records=(kind,))


async def _table(app: Newel) -> None:
    async with app.database.write() as session:
        await session.fetch("CREATE TABLE paint_shade (id BIGINT PRIMARY KEY NOT NULL, code VARCHAR(10) UNIQUE NOT NULL)")


async def test_who_may_goes_on_in_spite_of_an_override(database_url: str) -> None:
    async with running(database_url, {"paint": SimpleNamespace(register_plugin=register_plugin)}) as (app, context):
        await _table(app)
        await app.records.save("paint.shade", None, {"code": "DULL"}, context)
        with pytest.raises(Refused, match="really"):
            await app.records.save("paint.shade", None, {"code": "LOUD"}, context)
        sure = msgspec.structs.replace(context, overrides=frozenset({"paint.taste"}))
        with pytest.raises(Refused, match="really"):
            await app.records.save("paint.shade", None, {"code": "LOUD"}, as_user(sure, "paint.*"))
        assert await app.records.save("paint.shade", None, {"code": "LOUD"}, as_user(sure, "paint.*", "newel.override"))


async def test_two_people_who_save_the_same_number_at_once(database_url: str) -> None:
    async with running(database_url, {}) as (app, context):
        calls = [app.records.save("newel.item", None, {"number": "BOLT", "name": f"Bolt {n}"}, context) for n in range(5)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert sorted(type(r).__name__ for r in results) == ["Refused"] * 4 + ["int"]
        assert (await app.records.page("newel.item", context)).total == 1


async def test_what_tells_records_apart_is_asked_for_once_and_by_right(database_url: str) -> None:
    """Of a party city and tax number: the city of its first address, and only for those who may see addresses."""
    async with running(database_url, {}) as (app, context):
        ids = [await party(app, context, number, tax_id=tax) for number, tax in (("C1", "DE1"), ("C2", ""))]
        await app.records.save("newel.address", None, {"party": ids[0], "street": "Second street", "city": "Elsewhere", "country": "DE"}, context)
        assert await app.records.details("newel.party", ids, context) == {ids[0]: "Town · DE1", ids[1]: "Town"}
        assert await app.records.details("newel.party", [], context) == {}
        clerk = as_user(context, "newel.party.view")
        assert await app.records.details("newel.party", ids, clerk) == {ids[0]: "DE1", ids[1]: ""}
        assert await app.records.details("newel.unit", [1], context) == {1: ""}
