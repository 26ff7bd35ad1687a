"""The messages and hints of problems, found in the source that makes them: with {1}, {2} ... for the values that are put into them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

PLACE = re.compile(r"\{\d+\}|%\(\w+\)s|%[sd]")


class Text(NamedTuple):
    """A text that people see. plural: its form for many. code: of the problem that says it."""

    text: str
    plural: str = ""
    code: str = ""

    @property
    def id(self) -> str | tuple[str, str]:
        """As catalogues name it."""
        return (self.text, self.plural) if self.plural else self.text


class Maker(NamedTuple):
    """A function that makes problems of what it is given. code: with {} for its parameter, where it has one; others: names of parameters."""

    code: str
    parameters: tuple[str, ...]
    code_of: str
    texts: tuple[str, ...]


Makers = dict[str, list[Maker]]
PROBLEM = Maker("{}", (), "code", ("message", "hint"))
FIELD = Maker("{}", ("code", "message", "hint"), "code", ("message", "hint"))  # what a value says of itself, behind the label of its field (values._Bad)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def problem_makers(source: str) -> Makers:
    """Functions whose parameters are the message or hint of a problem, by name."""
    found: Makers = {}
    for function in (n for n in ast.walk(ast.parse(source)) if isinstance(n, FUNCTIONS)):
        names = tuple(a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs) if a.arg not in ("self", "cls"))
        for given in _made(function):
            texts = tuple(given[k].id for k in ("message", "hint") if isinstance(given.get(k), ast.Name) and given[k].id in names)
            code = _templates(given["code"])[0] if "code" in given else ""
            inner = [n.id for n in ast.walk(given["code"]) if isinstance(n, ast.Name)] if "code" in given else []
            if texts and code.count("{") == len(inner) <= 1 and set(inner) <= set(names):
                found.setdefault(function.name, []).append(Maker(code.replace("{1}", "{}"), names, "".join(inner), texts))
    return found


def _by_code(table: ast.expr) -> Iterator[Text]:
    """Texts of a dictionary of hints by code."""
    for key, value in zip(table.keys, table.values, strict=True) if isinstance(table, ast.Dict) else ():
        if isinstance(key, ast.Constant) and "." in str(key.value):
            yield from (Text(t, code=str(key.value)) for t in _templates(value))


def problem_texts(source: str, makers: Makers | None = None) -> Iterator[Text]:
    """Messages and hints of the problems that a module makes, with {1}, {2} ... for what is put into them. makers: of its distribution."""
    tree = ast.parse(source)
    known = (makers or {}) | problem_makers(source)
    for node in (n for n in tree.body if isinstance(n, ast.Assign) and "HINTS" in (getattr(t, "id", "") for t in n.targets)):
        yield from _by_code(node.value)
    for scope in (tree, *(n for n in ast.walk(tree) if isinstance(n, FUNCTIONS))):
        for call in _calls(scope):
            name = getattr(call.func, "id", getattr(call.func, "attr", ""))
            for maker in [PROBLEM] if name == "Problem" else [FIELD] if name == "_Bad" else known.get(name, ()):
                given = dict(zip(maker.parameters, call.args, strict=False)) | {k.arg: k.value for k in call.keywords if k.arg}
                own = [said for value in _meant(given.get(maker.code_of), call, scope) for said in _templates(value)] if maker.code_of else [""]
                for code in (maker.code.format(c) for c in own):
                    for part in maker.texts if re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)?", code) else ():
                        lead = "{1} " if maker is FIELD and part == "message" else ""
                        for text in (t for value in _meant(given.get(part), call, scope) for t in _templates(value, lead)):
                            if re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", text)):
                                yield Text(text, code=code)


def _calls(scope: ast.AST) -> Iterator[ast.Call]:
    """Calls in a function (or module), without those in functions inside it."""
    for node in ast.iter_child_nodes(scope):
        if isinstance(node, ast.Call):
            yield node
        if not isinstance(node, FUNCTIONS):
            yield from _calls(node)


def _made(scope: ast.AST) -> Iterator[dict[str, Any]]:
    """What each problem of a function is made with."""
    for call in _calls(scope):
        if isinstance(call.func, ast.Name) and call.func.id == "Problem":
            yield {k.arg: k.value for k in call.keywords if k.arg}


def _meant(node: ast.expr | None, use: ast.AST, scope: ast.AST) -> list[ast.expr]:
    """The expression, or what a name was set to before it is used there: the last time, or the last time in each branch."""
    if not isinstance(node, ast.Name):
        return [node] if node is not None else []
    found: list[ast.expr] = []
    block: list[ast.stmt] = getattr(scope, "body", [])
    blocks = []
    while block:
        at = next((n for n, s in enumerate(block) if any(x is use for x in ast.walk(s))), len(block))
        blocks.append(block[:at])
        inner = [getattr(block[at], n, []) for n in ("body", "orelse", "finalbody")] if at < len(block) else []
        inner += [h.body for h in getattr(block[at], "handlers", [])] if at < len(block) else []
        block = next((b for b in inner if isinstance(b, list) and any(x is use for s in b for x in ast.walk(s))), [])
    for statements in reversed(blocks):
        for statement in reversed(statements):
            found += [v for s in ast.walk(statement) for v in _set(s, node.id)]
            if any(_set(statement, node.id)):
                return found
    return found


def _set(statement: ast.AST, name: str) -> list[ast.expr]:
    """What a statement sets a name to."""
    if not isinstance(statement, ast.Assign):
        return []
    target, value = statement.targets[0], statement.value
    if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        return [v for t, v in zip(target.elts, value.elts, strict=False) if isinstance(t, ast.Name) and t.id == name]
    return [value] if isinstance(target, ast.Name) and target.id == name else []


def _templates(node: ast.expr, lead: str = "") -> list[str]:
    """The text of an expression; both of a choice; one place for each value. lead: what stands before it, with its places."""
    if isinstance(node, ast.IfExp):
        return [*_templates(node.body, lead), *_templates(node.orelse, lead)]
    count = len(PLACE.findall(lead))

    def said(part: ast.expr) -> str:
        nonlocal count
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            return part.value
        if isinstance(part, ast.JoinedStr):
            return "".join(said(v) for v in part.values)
        if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Add):
            return said(part.left) + said(part.right)
        count += 1
        return f"{{{count}}}"

    return [lead + said(node)]
