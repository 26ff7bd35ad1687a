"""Write docs/capabilities.md: which tests prove which capability, and on which screen a user finds it.

The capabilities are the rows of docs/capabilities.csv. A test claims one with `@pytest.mark.capability("DOC-08")`, several with more
ids, and names the screen with `screen="/..."`. On a class the mark counts for its tests, as `pytestmark` for the whole file.
The marks are read from the source, so nothing has to be installed or run.

`--check` writes nothing and fails when the page is out of date.
"""

import ast
import csv
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CSV = ROOT / "docs" / "capabilities.csv"
PAGE = ROOT / "docs" / "capabilities.md"
TEST_FOLDERS = ("tests", "core", "sdk", "ops", "plugins")
INTRODUCTION = """# Capabilities

Made by `make capabilities` from `docs/capabilities.csv` and the marks of the tests; do not edit. A row without a test is not promised.

{proven} of {total} capabilities are proven by a test.

| Id | Capability | Plugin | Tests | Screen |
| --- | --- | --- | --- | --- |
"""


@dataclass
class Proof:
    """What the tests say of one capability."""

    tests: list[str] = field(default_factory=list)
    screens: set[str] = field(default_factory=set)


def _marks(nodes: list[ast.expr], name: str) -> Iterator[ast.Call]:
    """Yield the calls of `pytest.mark.NAME` among decorators or in the value of `pytestmark`."""
    for node in nodes:
        if isinstance(node, ast.List | ast.Tuple):
            yield from _marks(node.elts, name)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) == f"pytest.mark.{name}":
            yield node


def _claims(nodes: list[ast.stmt], inherited: list[ast.Call], name: str) -> Iterator[tuple[str, ast.Call]]:
    """Yield every test function's name with each mark that counts for it."""
    whole = [node.value for node in nodes if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"]
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            marks = [*inherited, *_marks(whole, name), *_marks(node.decorator_list, name)]
            if isinstance(node, ast.ClassDef):
                yield from _claims(node.body, marks, name)
            elif node.name.startswith("test_"):
                yield from ((node.name, mark) for mark in marks)


def _constant(node: ast.expr, path: Path) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise SystemExit(f"{path}:{node.lineno}: this mark takes plain strings, because it is read without running the test")


def collect(root: Path = ROOT, name: str = "capability") -> dict[str, Proof]:
    """Read the marks `pytest.mark.NAME` of every test file and return the proofs by id."""
    proofs: dict[str, Proof] = defaultdict(Proof)
    for folder in TEST_FOLDERS:
        for path in sorted((root / folder).rglob("test_*.py")):
            relative = path.relative_to(root)
            for test, mark in _claims(ast.parse(path.read_text(encoding="utf-8")).body, [], name):
                for argument in mark.args:
                    proof = proofs[_constant(argument, relative)]
                    proof.tests.append(f"{relative.as_posix()}::{test}")
                    proof.screens.update(_constant(keyword.value, relative) for keyword in mark.keywords if keyword.arg == "screen")
    return dict(proofs)


def capabilities() -> list[dict[str, str]]:
    """Return the rows of the committed list."""
    with CSV.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def page() -> str:
    """Return the text of docs/capabilities.md."""
    rows = capabilities()
    proofs = collect()
    unknown = sorted(set(proofs) - {row["id"] for row in rows})
    if unknown:
        raise SystemExit(f"not in {CSV.name}: {', '.join(f'{name} ({proofs[name].tests[0]})' for name in unknown)}")
    lines = []
    for row in rows:
        proof = proofs.get(row["id"], Proof())
        tests = "<br>".join(f"`{test}`" for test in dict.fromkeys(proof.tests))
        screens = "<br>".join(f"`{screen}`" for screen in sorted(proof.screens))
        sentence = row["sentence"].replace("|", "\\|")
        lines.append(f"| {row['id']} | {sentence} | {row['plugin']} | {tests} | {screens} |".replace("  ", " ") + "\n")
    return INTRODUCTION.format(proven=len(proofs), total=len(rows)) + "".join(lines)


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` compare it."""
    text = page()
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != text:
        print("docs/capabilities.md is out of date: run `make capabilities`")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
