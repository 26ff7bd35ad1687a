"""The register after OWASP ASVS 5.0: every row of levels 1 and 2 has an answer, and what it names is there."""

from __future__ import annotations

import csv
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
STATES = {"met", "partly", "open", "operator", "not used"}
NAMED = re.compile(r"((?:\w+/)+\w+\.(?:py|md|toml))(?:::(\w+))?")


def rows() -> list[dict[str, str]]:
    with (ROOT / "docs" / "asvs.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_row_has_an_answer() -> None:
    """70 requirements of level 1 and 183 of level 2, each once."""
    found = rows()
    assert len({row["id"] for row in found}) == len(found) == 253
    assert sum(row["level"] == "1" for row in found) == 70
    assert [row["id"] for row in found if row["status"] not in STATES or not row["evidence"] or not row["subject"]] == []


def test_what_is_named_is_there() -> None:
    """A test that was renamed would prove nothing."""
    gone = []
    for row in rows():
        for path, name in NAMED.findall(row["evidence"]):
            file = ROOT / path
            if not file.exists() or (name and f"def {name}(" not in file.read_text(encoding="utf-8")):
                gone.append((row["id"], path, name))
    assert gone == []
