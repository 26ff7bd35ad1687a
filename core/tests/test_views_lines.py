"""What plugins let people enter for a line: the way out into a form and back in, with what was proposed left open."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Literal

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from newel.domain.document import Document, Line
from newel.domain.item import Item
from newel.manifest import Choice, Entry, Panel, Shown
from newel.web.forms import Reader, parts_of, read_struct
from newel.web.views_lines import boxes, name_of, panel_view, path_of, posted_fields, read_data
from newel.web.views_text import language

D = Decimal


class Data(msgspec.Struct, frozen=True):
    choices: dict[str, str | list[str] | dict[str, Decimal]] = {}
    counted: Decimal | None = None
    note: str = ""


NEWEL: Any = SimpleNamespace(registry=SimpleNamespace(records={}))
ITEM = Item(id=7, number="MIXER", name="Mixer")
MOTOR = Entry(
    path=("choices", "MO.TOR"), label="Motor", required=True, value="M1", proposed=True, choices=(Choice(value="M1", label="1"), Choice(value="M2", label="2"))
)
EXTRA = Entry(
    path=("choices", "EXTRA"), label="Extra", several=True, value={"LAMP": D("1.5")},
    choices=(Choice(value="LAMP", label="Lamp", most=D(3)), Choice(value="HOOK", label="Hook", quantity=D(2))),
)  # fmt: skip


def form(*entries: Entry) -> dict[str, str]:
    """What a browser would send of a box when nobody touches it."""
    panel = Panel(title="Configuration", line=1, entries=entries)
    document = Document(id=1, kind="x", role="sale", state="draft", date=None, lines=(Line(id=1, item=ITEM),))  # type: ignore[arg-type]
    (box,) = boxes(NEWEL, [("shop", panel)], document, ["lines-0"])["lines-0"]
    out = {"lines-0-item": "7", "lines-0-item_text": "MIXER", "lines-0-for": box["about"]}
    for e in box["entries"]:
        if e["type"] != "choice":
            out[e["name"]] = e["value"]
            continue
        out[e["shown"]["name"]] = e["shown"]["value"]
        out |= {o["name"]: o["value"] for o in e["options"] if o["checked"] or o["type"] == "number"}
    return out


def entered(fields: dict[str, str], item: int | str | None = 7) -> dict[str, Any]:
    return read_data(Reader(fields), "lines-0", {"shop": Data}, item, "lines[0]")


def test_what_was_proposed_stays_open_and_what_was_entered_stays() -> None:
    assert entered(form(MOTOR, EXTRA)) == {"shop": {"choices": {"EXTRA": {"LAMP": D("1.5")}}}}
    chosen = form(MOTOR) | {"lines-0-data.shop.choices.MO%2ETOR": "M2"}
    assert entered(chosen) == {"shop": {"choices": {"MO.TOR": "M2"}}}


def test_nothing_of_it_is_a_decision_too() -> None:
    fields = form(EXTRA) | {"lines-0-data.shop.choices.EXTRA.LAMP": ""}
    assert entered(fields) == {"shop": {"choices": {"EXTRA": {}}}}
    open_ = form(msgspec.structs.replace(EXTRA, proposed=True)) | {"lines-0-data.shop.choices.EXTRA.LAMP": "0"}
    assert entered(open_) == {"shop": {"choices": {"EXTRA": {}}}}
    assert entered(form(msgspec.structs.replace(MOTOR, required=False, proposed=False, value=""))) == {"shop": {"choices": {"MO.TOR": ""}}}


def test_numbers_are_in_the_reader_s_format_and_wrong_ones_are_named() -> None:
    token = language.set("de")
    try:
        fields = form(EXTRA, Entry(path=("counted",), label="Counted", value=D("0.5")))
        assert fields["lines-0-data.shop.counted"] == "0,5"
        assert entered(fields)["shop"] == {"choices": {"EXTRA": {"LAMP": D("1.5")}}, "counted": D("0.5")}
        reader = Reader(fields | {"lines-0-data.shop.counted": "1.5"})
        read_data(reader, "lines-0", {"shop": Data}, 7, "lines[0]")
        assert [p.where for p in reader.problems] == ["lines[0].data.shop.counted"]
    finally:
        language.reset(token)


def test_another_item_takes_its_choices_away_and_unknown_plugins_say_nothing() -> None:
    assert entered(form(EXTRA), item=8) == {}
    assert entered(form(EXTRA) | {"lines-0-item_text": "OTHER"}) == {}
    assert entered(form(EXTRA), item="MIXER") != {}
    assert entered({k.replace(".shop.", ".stranger."): v for k, v in form(EXTRA).items()}) == {}
    assert entered({}) == {}


@given(st.lists(st.text(), min_size=1))
def test_any_path_comes_back(path: list[str]) -> None:
    assert path_of(name_of(*path)) == path


def test_where_nothing_can_be_entered_it_is_shown() -> None:
    panel = Panel(
        title="Box", rows=(("Free", Shown(value=D("2.000000"), unit="EA")), ("Worth", Shown(value=D(3), digits=2, unit="EUR"))), entries=(EXTRA, MOTOR)
    )
    facts = {f["label"]: (f["value"], f.get("kind", "")) for f in panel_view(panel, with_entries=True)["facts"]}
    assert facts == {"Free": (D(2), "quantity"), "Worth": (D(3), "money"), "Extra": ("1.5 × Lamp", ""), "Motor": ("1", "")}
    assert [f["label"] for f in panel_view(panel)["facts"]] == ["Free", "Worth"]


class Body(msgspec.Struct):
    block: Literal["", "all"] | None = None


def test_a_choice_of_nothing_is_not_the_same_as_no_choice() -> None:
    for posted, expected in (("", {}), ("-", {"block": ""}), ("all", {"block": "all"})):
        assert read_struct(Reader({"do.block": posted}), parts_of(Body), "do", "") == expected


def test_an_offer_that_was_taken_fills_in_its_row_or_a_new_one() -> None:
    row = {"lines-0-item": "7", "lines-0-item_text": "LAMP", "lines-0-price": "5", "do": "save"}
    taken = posted_fields(row | {"lines-0-offer": "item_text=LAMP-2&price=&item="})
    assert taken == {"lines-0-item": "", "lines-0-item_text": "LAMP-2", "lines-0-price": "", "do": "update"}
    added = posted_fields(row | {"lines-0-offer.adds": "item_text=BULB&quantity=12&item="})
    assert added == row | {"lines-1-item_text": "BULB", "lines-1-item": "", "lines-1-quantity": "12", "do": "update"}
    assert posted_fields(row) == row


def test_what_is_typed_over_a_choice_without_a_script_counts() -> None:
    """Beside the id stands what its box showed; where the box says something else, or nothing, the id is not meant any more."""
    shown = {"party": "7", "party_text": "C-7 Miller", "party_was": "C-7 Miller"}
    assert Reader(shown).reference("party") == 7
    assert Reader(shown | {"party_text": "C-8"}).reference("party") == "C-8"
    assert Reader(shown | {"party_text": ""}).reference("party") is None
    assert Reader({"party": "7", "party_text": "C-8"}).reference("party") == 7, "a script has chosen it"
