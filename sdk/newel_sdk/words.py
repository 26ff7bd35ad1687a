"""Texts that people see, and their translations: what `make words` writes for the kernel and the bundled plugins, and `newel plugin words` for any other.

A distribution keeps `locale/<language>.po` beside its code. Three kinds of text are found: what the manifest declares (labels, help, titles), what
Python and templates mark with `_()`, and the messages and hints of problems. Problems are made in English with their values in them; their texts are
kept under the problem's code as context, with {1}, {2} ... for the values, and are recognised when they are shown (newel.web.views_text.said).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from newel.console import out
from newel.manifest import Manifest

LANGUAGES = ("de", "sl", "tr", "zh")
SHOWN = ("label", "label_plural", "help", "title", "section", "menu")
METHODS = [("**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
KEYWORDS: dict[str, Any] = {"_": None, "ngettext": (1, 2)}
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


def texts_of(manifest: Manifest | None, folder: Path | None) -> set[Text]:
    """Every English text of a distribution. folder: its package, None where it is a single module."""
    found = {Text(t) for t in _labels(manifest, set())} if manifest else set()
    if folder is not None:
        for _path, _line, message, _comments, _context in extract_from_dir(str(folder), METHODS, keywords=KEYWORDS):
            found.add(Text(message) if isinstance(message, str) else Text(*[m for m in message if m][:2]))
        for path in sorted(folder.rglob("*.py")):
            found.update(problem_texts(path.read_text(encoding="utf-8")))
    return {t for t in found if re.search(r"[A-Za-z]{2}", t.text)}


def _labels(value: Any, seen: set[int]) -> Iterator[str]:
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, (tuple, list)):
        for inner in value:
            yield from _labels(inner, seen)
    elif isinstance(value, msgspec.Struct):
        for field in value.__struct_fields__:
            inner = getattr(value, field)
            if isinstance(inner, str):
                if field in SHOWN:
                    yield inner
            elif field == "choices" and isinstance(inner, (tuple, list)):
                yield from (label for _, label in inner)
            else:
                yield from _labels(inner, seen)


# ---- problems --------------------------------------------------------------------------------------------------------------------------


def problem_texts(source: str) -> Iterator[Text]:
    """Messages and hints of the problems that a module makes, with {1}, {2} ... for what is put into them."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem"):
            continue
        given = {k.arg: k.value for k in node.keywords}
        code = given.get("code")
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            for name in ("message", "hint"):
                for text in _templates(given[name]) if name in given else ():
                    if re.search(r"[A-Za-z]{2}", re.sub(r"\{\d+\}", "", text)):
                        yield Text(text, code=code.value)


def _templates(node: ast.expr) -> list[str]:
    """The text of an expression; both of a choice; one place for each value."""
    if isinstance(node, ast.IfExp):
        return [*_templates(node.body), *_templates(node.orelse)]
    count = 0

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

    return [said(node)]


# ---- catalogues ------------------------------------------------------------------------------------------------------------------------


def catalogue(path: Path, language: str) -> Catalog:
    """A translation as it is kept; an empty one where there is none."""
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language)


def update(path: Path, language: str, texts: Iterable[Text]) -> int:
    """Bring a translation up to date: what is new comes in empty, what is gone goes. Returns how many texts are not translated."""
    old, new = catalogue(path, language), Catalog(locale=language, fuzzy=False)
    for text in sorted(texts):
        kept = old.get(text.text, context=text.code or None)
        new.add(text.id, kept.string if kept is not None and (not text.plural or isinstance(kept.string, (tuple, list))) else None, context=text.code or None)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, new, width=0, omit_header=False, sort_output=True, no_location=True)
    lines = path.read_text(encoding="utf-8").splitlines()
    body = lines[lines.index("", 3) :] if "" in lines[3:] else []
    head = ['msgid ""', 'msgstr ""', '"Content-Type: text/plain; charset=UTF-8\\n"', f'"Language: {language}\\n"', f'"Plural-Forms: {new.plural_forms}\\n"']
    path.write_text("\n".join([*head, *body]).rstrip("\n") + "\n", encoding="utf-8")
    return len(list(untranslated(path, language)))


def untranslated(path: Path, language: str) -> Iterator[str]:
    """Texts without a translation, and translations that lack a place for a value."""
    for message in catalogue(path, language):
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, (tuple, list)) else [message.string]
        ids = message.id if isinstance(message.id, (tuple, list)) else [message.id]
        if not all(strings):
            yield ids[0]
        elif any(set(PLACE.findall(s)) - set(PLACE.findall(" ".join(ids))) for s in strings) or not any(
            set(PLACE.findall(s)) == set(PLACE.findall(ids[-1])) for s in strings
        ):
            yield f"{ids[0]} (its places)"


# ---- the bundled ones ------------------------------------------------------------------------------------------------------------------


class Bundle(NamedTuple):
    """A distribution with texts."""

    name: str
    folder: Path
    texts: set[Text]


def bundles() -> list[Bundle]:
    """The kernel, then every installed plugin that is not a single module, without what the kernel says already."""
    import newel
    from newel import defaults
    from newel.plugins import discover

    kernel = Path(str(newel.__file__)).parent
    own = texts_of(defaults.register_plugin(), kernel)
    found = [Bundle("newel", kernel, own)]
    for name, module in sorted(discover()[0].items()):
        package = import_module(module.__name__.partition(".")[0])
        if hasattr(package, "__path__"):
            folder = Path(str(package.__file__)).parent
            found.append(Bundle(name, folder, texts_of(module.register_plugin(), folder) - own))
    return found


def main(arguments: Sequence[str]) -> int:
    """`python -m newel_sdk.words [--check] [NAME ...]`: update the translations of these (all) distributions, or say what is missing."""
    check, names = "--check" in arguments, [a for a in arguments if not a.startswith("-")]
    missing = 0
    for bundle in bundles():
        if names and bundle.name not in names:
            continue
        for language in LANGUAGES:
            path = bundle.folder / "locale" / f"{language}.po"
            if check:
                known = catalogue(path, language)
                lacking = [t.text for t in sorted(bundle.texts) if known.get(t.text, context=t.code or None) is None] + list(untranslated(path, language))
                count = len(lacking)
                for text in lacking[:5]:
                    out.print(f"{bundle.name} {language}: {text}", markup=False, highlight=False, soft_wrap=True)
            else:
                count = update(path, language, bundle.texts)
            if count:
                out.print(f"{bundle.name} {language}: {count} of {len(bundle.texts)} texts are not translated", highlight=False)
            missing += count
    return 1 if missing and check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
