"""How much each test of a promise does: at every push, and in the long run (`make soak`). One table, so that it can be seen and argued about.

NEWEL_SOAK=1 takes the long sizes; NEWEL_SOAK=0.05 a twentieth of them, and never less than at a push.
"""

from __future__ import annotations

import os

# "promise what" -> (push, long), for each database
SIZES: dict[str, tuple[int, int]] = {
    "R1 kills": (6, 1000),
    "R2 kills": (6, 1000),
    "R3 copies": (12, 1000),
    "R4 shutdowns": (3, 100),
    "R5 rounds": (3, 30),
    "R8 rows": (10_000, 200_000),
    "N1 buyers": (400, 400),
    "N1 reservations": (500, 1_000_000),
    "N2 orders": (120, 100_000),
    "N3 documents": (600, 1_000_000),
    "N4 seconds": (6, 3600),
    "N5 requests": (150, 50_000),
    "N6 pairs": (60, 20_000),
    "N7 rounds": (3, 5000),
    "N8 closes": (10, 1000),
    "N9 jobs": (300, 500_000),
    "N10 rounds": (1, 100),
    "H1 examples": (100, 20_000),
    "H2 sales": (20, 5000),
    "H3 actions": (150, 20_000),
    "H4 bits": (250, 1000),
    "H4 entries": (2000, 100_000),
    "H5 examples": (50, 20_000),
    "H7 examples": (6, 1000),
    "H10 examples": (50, 20_000),
    "H11 examples": (200, 20_000),
    "H14 days": (1, 500),
    "F3 files": (200, 5000),
    "M2 calls": (6, 60),
    "B2 seconds": (15, 7200),
}


def soak() -> float:
    """The share of the long sizes that is asked for; 0 at a push."""
    return float(os.environ.get("NEWEL_SOAK", "0") or 0)


def size(name: str) -> int:
    """How many, by the name in the table.

    Raises:
        KeyError: the table has no such name.
    """
    push, long = SIZES[name]
    return max(push, round(long * soak()))
