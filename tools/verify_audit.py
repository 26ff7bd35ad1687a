"""Check what `newel audit` has written, with Python alone: python verify_audit.py books.jsonl [last hash].

Recomputes the hash of every entry from what it says and from the hash before, looks that no number is missing, that debits equal credits, and
that the last hash is the one in the file, and the one that was told outside of it, if it is given.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

NUMBER, DEBIT, CREDIT = 0, 2, 3  # places of an entry's number and of a posting's amounts in their lists


class Books:
    """The books of one company, as far as they were read."""

    def __init__(self, company: str) -> None:
        self.company, self.number, self.hash = company, 0, ""

    def entry(self, row: dict[str, Any]) -> Iterator[str]:
        """What is wrong with the next entry, one sentence each."""
        number, content = row["entry"][NUMBER], [self.hash, row["entry"], row["postings"]]
        if number != self.number + 1:
            yield f"entry {self.number + 1} is missing"
        if hashlib.sha256(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest() != row["hash"]:
            yield f"entry {number} or one of its postings was changed"
        if sum(p[DEBIT] for p in row["postings"]) != sum(p[CREDIT] for p in row["postings"]):
            yield f"debits and credits of entry {number} differ"
        self.number, self.hash = number, row["hash"]

    def end(self, row: dict[str, Any]) -> Iterator[str]:
        """Whether the last entry is the one that the books end with."""
        if (row["number"], row["hash"]) != (self.number, self.hash):
            yield f"the books end at entry {row['number']}, the file at {self.number}"


def problems(lines: Iterable[str], told: str = "") -> Iterator[str]:
    """What does not add up, one sentence each; nothing where everything does. told: the last hash, as it is known from elsewhere."""
    ends: set[str] = set()
    books, whole = Books(""), False
    for at, line in enumerate(lines, 1):
        row = json.loads(line)
        if "company" in row:
            books, whole = Books(row["company"]["code"]), False
        found = books.entry(row) if "entry" in row else books.end(row) if "end" in row else ()
        yield from (f"line {at}, company {books.company}: {sentence}" for sentence in found)
        if "end" in row:
            ends, whole = ends | {row["hash"]}, True
    if not whole:
        yield "the file ends too early"
    if told and told not in ends:
        yield f"no company ends with the hash {told}"


def main() -> int:
    """Say what was found; 1 where something does not add up."""
    with Path(sys.argv[1]).open(encoding="utf-8") as file:
        found = list(problems(file, *sys.argv[2:3]))
    print("\n".join(found) or "everything adds up")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
