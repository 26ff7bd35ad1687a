"""What a label says: which bars an item gets, how counts are written."""

from __future__ import annotations

import pytest
from newel.errors import Refused
from newel_labels import rules

GTIN = "4006381333931"


@pytest.mark.parametrize("text", [GTIN, "96385074", "614141000036", "04006381333931"])
def test_gtins(text: str) -> None:
    assert rules.valid_gtin(text)


@pytest.mark.parametrize("text", ["4006381333932", "", "40063813339", "x006381333931", "¹²³⁴⁵⁶⁷⁸"])
def test_no_gtins(text: str) -> None:
    assert not rules.valid_gtin(text)


@pytest.mark.parametrize(
    ("gtin", "number", "lot", "code"),
    [
        (GTIN, "BOLT", "", GTIN),
        ("96385074", "BOLT", "", "96385074"),
        (GTIN, "BOLT", "L7", f"(01)0{GTIN}(10)L7"),
        ("", "BOLT", "L7", "BOLT"),
        ("4006381333932", "BOLT", "", "BOLT"),
        ("", "螺栓-1", "", "螺栓-1"),
        ("", "X" * 60, "", "X" * 60),
    ],
)
def test_what_is_read(gtin: str, number: str, lot: str, code: str) -> None:
    bars, read = rules.bars_of(gtin, number, lot)
    assert read == code
    assert ("lb-qr" in bars) == (not number.isascii() or len(number) > rules.LONGEST)


def test_counts() -> None:
    assert rules.counted("17, 18*3,", 2) == [(17, 2), (18, 3)]


@pytest.mark.parametrize("text", ["x", "1*0", "1*x", "1*101", "1;2", "-1", "9" * 19, "1*" + "9" * 5000])
def test_counts_that_are_written_differently(text: str) -> None:
    with pytest.raises(Refused) as caught:
        rules.counted(text, 1)
    assert [p.code for p in caught.value.problems] == ["labels.written"]


def test_none_and_too_many() -> None:
    label = rules.place_label("A-1", "")
    assert rules.all_of([(label, 2)]) == [label, label]
    for count, code in ((0, "labels.none"), (rules.MOST + 1, "labels.many")):
        with pytest.raises(Refused) as caught:
            rules.all_of([(label, count)])
        assert [p.code for p in caught.value.problems] == [code]
