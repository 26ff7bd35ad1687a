"""Write docs/screens.md: what the screens promise, and which test in a real browser shows it.

The points are the rows of docs/screens.csv. A test claims one with `@pytest.mark.screen("C14")`. A row that says what is missing is met in
part where a test claims it, and not met where none does; a row with neither test nor reason is an error.

`--check` writes nothing and fails when the page is out of date.
"""

import csv
import sys
from pathlib import Path

from capabilities import ROOT, Proof, collect

CSV = ROOT / "docs" / "screens.csv"
PAGE = ROOT / "docs" / "screens.md"
INTRODUCTION = """# Screens

Made by `make screens` from `docs/screens.csv` and the marks of the tests; do not edit. Each test runs in a real browser under the strict content
security policy, and fails on any message in its console.

{met} of {total} points are met, {part} in part.

| Point | What | State | Tests |
| --- | --- | --- | --- |
"""


def page() -> str:
    """Return the text of docs/screens.md."""
    with CSV.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    proofs = collect(name="screen")
    points = {row["point"] for row in rows}
    if unknown := sorted(set(proofs) - points):
        raise SystemExit(f"not in {CSV.name}: {', '.join(f'{name} ({proofs[name].tests[0]})' for name in unknown)}")
    if silent := [row["point"] for row in rows if row["point"] not in proofs and not row["missing"]]:
        raise SystemExit(f"{CSV.name} does not say what is missing at {', '.join(silent)}, and no test claims them")
    lines = []
    for row in rows:
        tests = "<br>".join(f"`{test}`" for test in dict.fromkeys(proofs.get(row["point"], Proof()).tests))
        state = f"in part: {row['missing']}" if tests and row["missing"] else "met" if tests else f"not met: {row['missing']}"
        lines.append(f"| {row['point']} | {row['subject']} | {state} | {tests} |\n")
    met = sum(row["point"] in proofs and not row["missing"] for row in rows)
    part = sum(row["point"] in proofs and bool(row["missing"]) for row in rows)
    return INTRODUCTION.format(met=met, part=part, total=len(rows)) + "".join(lines)


def main(arguments: list[str], place: Path = PAGE) -> int:
    """Write the page, or with `--check` compare it."""
    text = page()
    if "--check" not in arguments:
        place.write_text(text, encoding="utf-8")
    elif not place.exists() or place.read_text(encoding="utf-8") != text:
        print("docs/screens.md is out of date: run `make screens`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
