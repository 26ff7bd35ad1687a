"""What an address asks for, and what has moved."""

from newel_live.rules import MOST_KEYS, moved, wanted, written


def test_an_address_names_topics_and_keys() -> None:
    """What is no key is left out, and so is what is too much."""
    assert wanted("live.item:1.2.2.x,live.document:7,nonsense,:3,live.item:4") == {"live.item": ["1", "2", "4"], "live.document": ["7"]}
    assert sum(map(len, wanted("a:" + ".".join(map(str, range(2000))) + ",b:1").values())) == MOST_KEYS


def test_what_moved_has_another_mark() -> None:
    assert moved({"1": "a", "2": "b"}, {"1": "a", "2": "c", "3": "d"}, {"1", "2", "3"}) == {"2", "3"}
    assert moved({"1": "a"}, {}, {"1"}) == {"1"}


def test_an_event_is_one_line_of_data() -> None:
    assert written("changed", [("live.item", "1")]) == b'event: changed\ndata: [["live.item","1"]]\n\n'
