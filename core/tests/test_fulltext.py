"""Texts as they are searched and shown: the same words for both databases, and pieces that a page can escape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from newel.store.fulltext import excerpt, terms, tokens
from newel.web.markdown import plain, rendered

TEXT = "First you take the cover off, which needs a puller and some patience. Then pull the Bearings from the shaft, and grease the new ones well."


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("The Bearings!", "the bearings"),
        ("Öl für TÜREN", "ol fur turen"),
        ("6204-2RS, 25 Nm", "6204 2rs 25 nm"),
        ("更换轴承。", "更 换 轴 承"),
        ("ＡＢ１２", "ab12"),
        ("İstanbul ılık", "istanbul ılık"),
        ("<b>&amp;</b>", "b amp b"),
        ("", ""),
    ],
)
def test_words_are_kept_without_case_accents_and_marks(text: str, kept: str) -> None:
    """Both databases get the same, whatever their locale knows about letters."""
    assert tokens(text) == kept


def test_signs_that_stand_together_are_one_word_to_be_looked_for() -> None:
    """Each word is looked for once."""
    assert terms("轴承 press 轴承, Press") == ["轴承", "press"]


def test_an_excerpt_shows_the_place_where_the_words_stand() -> None:
    """Also in another form; what surrounds it is cut between words."""
    pieces = excerpt(TEXT, "bearing", 60)
    assert [text for text, hit in pieces if hit] == ["Bearings"]
    shown = "".join(text for text, _ in pieces)
    assert shown.startswith("… ")
    assert shown.strip("… ") in TEXT
    assert [text for text, hit in excerpt("请更换压力机的轴承", "轴承") if hit] == ["轴承"]
    assert excerpt("Short.", "other") == [("Short.", False)]


@given(st.text(max_size=400), st.text(max_size=30))
def test_an_excerpt_is_a_part_of_its_text(text: str, asked: str) -> None:
    """Whatever is asked for: nothing is invented, and nothing stands twice."""
    shown = "".join(piece for piece, _ in excerpt(text, asked, 80))
    assert shown.removeprefix("… ").removesuffix(" …") in text or shown in text


@given(st.text(alphabet=st.sampled_from("abc <>\"'&/\\()[]!#*_`~|:-+={}\n1.javscripton"), max_size=200))
def test_markdown_makes_no_tag_that_is_not_listed(text: str) -> None:
    """Neither scripts nor handlers, however the characters fall."""
    html = str(rendered(text)).lower()
    assert "<script" not in html
    assert " on" not in "".join(part.split(">")[0] for part in html.split("<")[1:] if 'href="' not in part and 'alt="' not in part and 'title="' not in part)
    assert 'href="javascript' not in html
    plain(text)
