"""Spans, shares, tiles' words and rows that are cut, without a database."""

from datetime import date
from decimal import Decimal

import pytest
from newel.errors import Refused
from newel_dashboards import boards, chart, rules
from newel_dashboards.chart import Point
from newel_dashboards.rules import Span

D = Decimal


@pytest.mark.parametrize(
    ("start", "end", "how", "expected"),
    [
        ((2026, 3, 1), (2026, 3, 31), "before", (date(2026, 2, 1), date(2026, 2, 28), 1)),
        ((2026, 1, 1), (2026, 3, 31), "before", (date(2025, 10, 1), date(2025, 12, 31), 3)),
        ((2024, 2, 1), (2024, 2, 29), "year", (date(2023, 2, 1), date(2023, 2, 28), 12)),
        ((2026, 3, 5), (2026, 3, 14), "before", (date(2026, 2, 23), date(2026, 3, 4), 0)),
    ],
)
def test_spans_are_compared_with_what_lies_before(start, end, how, expected) -> None:
    found, months = Span(date(*start), date(*end)).compared(how)
    assert (found.start, found.end, months) == expected


def test_words_of_tiles_move_with_the_day() -> None:
    today = date(2026, 5, 20)
    words = {"@today": "2026-05-20", "@month": "2026-05-01", "@quarter": "2026-04-01", "@year": "2026-01-01", "@end": "2026-05-31", "@30": "2026-04-20"}
    assert {w: rules.moved(w, today) for w in (*words, "item", "@never")} == {**words, "item": "item", "@never": "@never"}
    assert rules.earlier(date(2026, 3, 31), "before") == date(2026, 2, 28)


def test_parts_add_up_to_the_last_unit() -> None:
    for total in (100_0000, -100_0000, 1_0100, 0):
        for percents in ([D(60), D(40)], [D("33.3333"), D("33.3333"), D("33.3334")]):
            assert sum(rules.split(total, percents, 100)) == total
    parts = [rules.piece(100_0000, a, b, 7, 100) for a, b in ((0, 3), (3, 5), (5, 7))]
    assert sum(parts) == 100_0000 and all(p % 100 == 0 for p in parts)


def test_the_largest_and_one_row_for_the_rest() -> None:
    rows = [((n,), (f"C{n}",), [n]) for n in range(1, 6)]
    found = rules.sorted_groups(rules.grouped(rows, rows, 1), 2, [False])
    assert [(g.names[0], g.amounts, g.before) for _, g in found] == [("C5", [5], [5]), ("C4", [4], [4]), (rules.OTHERS, [6], [6])]
    assert len(rules.sorted_groups(rules.grouped(rows, (), 1), 0, [False])) == 5


def test_a_wrong_choice_names_the_right_ones() -> None:
    with pytest.raises(Refused, match=r"one of before, year was expected"):
        rules.chosen("compare", "yesterday", rules.COMPARE)


def test_charts_stay_inside_their_frame_below_zero_too() -> None:
    points = [Point("a", D(10), D(-5)), Point("b", D(-20)), Point("c", D(0))]
    for kind, draw in chart.DRAWN.items():
        for some in (points, points[:1], [Point("x", D(0))], []):
            made = draw(some)
            for row in made["rows"]:
                for b in row.get("bars", []):
                    assert 0 <= b["x"] <= chart.WIDTH and b["x"] + b["width"] <= chart.WIDTH, kind
                    assert 0 <= b.get("y", 0) <= chart.HEIGHT and b.get("y", 0) + b.get("height", 0) <= chart.HEIGHT


def test_records_are_checked() -> None:
    assert [p.where for p in boards.check_tile({"show": "bars", "figure": "", "names": ""})] == ["figure", "names"]
    assert [p.code for p in boards.check_board({"code": "North 1"})] == ["dashboards.code"]
    assert [p.code for p in boards.check_board({"code": "analysis"})] == ["dashboards.code"], "an address that is taken"
