"""What an address asks to be told of, and how an event is written. Pure."""

from __future__ import annotations

import re
from typing import Any

import msgspec

Wanted = dict[str, list[str]]
KEY = re.compile(r"[0-9]{1,18}")
MOST_KEYS = 600  # an order of five hundred lines, and some more


def wanted(text: str) -> Wanted:
    """Keys by topic, of "topic:key.key,topic:key"; what is none is left out, and so is what is too much."""
    out: Wanted = {}
    left = MOST_KEYS
    for part in text.split(","):
        topic, _colon, keys = part.partition(":")
        found = [k for k in dict.fromkeys(keys.split(".")) if KEY.fullmatch(k)][:left]
        if topic and found:
            out[topic] = [*out.get(topic, []), *found]
            left -= len(found)
    return out


def moved(before: dict[str, str], after: dict[str, str], keys: set[str]) -> set[str]:
    """Keys whose marks differ; what has come or gone differs, too."""
    return {k for k in keys if before.get(k, "") != after.get(k, "")}


def written(event: str, value: Any) -> bytes:
    """An event as it goes over the wire (HTML Living Standard, 9.2.5)."""
    return f"event: {event}\ndata: {msgspec.json.encode(value).decode()}\n\n".encode()
