"""What people see is translated, completely: labels, marked texts, and problems with the values that stand in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from newel.errors import Problem
from newel.web import views_text
from newel_sdk.problem_words import Text, problem_texts
from newel_sdk.words import LANGUAGES, bundles, lacking, untranslated, update

CODE = """
Problem(code="a.short", message=f"{n} of {item} wanted, {left} free", hint="take less" if n else f"wait until {day}")
Problem(code="a.more", message="limit " + str(limit) + (" (all)" if all else ""))
Problem(code=other, message="nobody knows whose")
"""


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give a folder of translations of a plugin that German readers see."""
    monkeypatch.setattr(views_text, "_folders", {"a": tmp_path})
    for kept in (views_text._read, views_text._catalog, views_text._problems):
        kept.cache_clear()
    token = views_text.language.set("de")
    yield tmp_path
    views_text.language.reset(token)
    for kept in (views_text._read, views_text._catalog, views_text._problems):
        kept.cache_clear()


def test_problems_are_found_with_their_places() -> None:
    assert set(problem_texts(CODE)) == {
        Text("{1} of {2} wanted, {3} free", code="a.short"),
        Text("take less", code="a.short"),
        Text("wait until {1}", code="a.short"),
        Text("limit {1}{2}", code="a.more"),
    }


def test_a_problem_is_said_in_the_language_of_the_reader(german: Path) -> None:
    """Values stay as they are and may change their places; what nobody has translated stays English."""
    file = german / "de.po"
    assert update(file, "de", [*problem_texts(CODE), Text("Open items")]) == 5
    text = file.read_text(encoding="utf-8")
    for english, words in (
        ("{1} of {2} wanted, {3} free", "von {2} sind {3} frei, gewünscht {1}"),
        ("wait until {1}", "warten bis {1}"),
        ("Open items", "Offene Posten"),
    ):
        text = text.replace(f'msgid "{english}"\nmsgstr ""', f'msgid "{english}"\nmsgstr "{words}"')
    file.write_text(text, encoding="utf-8")
    said = views_text.said(Problem(code="a.short", message="5 of M8 (2 of 3) wanted, 2 free", hint="wait until 2026-01-31"))
    assert (said.message, said.hint) == ("von M8 (2 of 3) sind 2 frei, gewünscht 5", "warten bis 2026-01-31")
    assert views_text.said(Problem(code="a.more", message="limit 5")).message == "limit 5"
    assert views_text.said(Problem(code="b.short", message="5 of M8 wanted, 2 free")).message == "5 of M8 wanted, 2 free"
    assert views_text._("Open items") == "Offene Posten"
    assert update(file, "de", [*problem_texts(CODE), Text("Open items")]) == 2, "what is translated stays"
    assert update(file, "de", [Text("Open items")]) == 0, "what is gone goes"


def test_a_lost_place_is_named(german: Path) -> None:
    file = german / "de.po"
    update(file, "de", [Text("of %(total)s rows")])
    file.write_text(
        file.read_text(encoding="utf-8").replace('msgid "of %(total)s rows"\nmsgstr ""', 'msgid "of %(total)s rows"\nmsgstr "von Zeilen"'), encoding="utf-8"
    )
    assert list(untranslated(file, "de")) == ["of %(total)s rows (its places)"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_bundled_is_translated(language: str) -> None:
    """`make words` writes what is new into the catalogues."""
    assert [f"{b.name}: {text}" for b in bundles() for text in lacking(b.texts, b.folder / "locale" / f"{language}.po", language)] == []
