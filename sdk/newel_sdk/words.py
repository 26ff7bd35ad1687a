"""Texts that people see, and their translations: `make words` for the kernel and the bundled plugins, `python -m newel_sdk.words NAME` for one plugin.

A distribution keeps `locale/<language>.po` beside its code. Three kinds of text are found: what the manifest declares (labels, help, titles), what
Python and templates mark with `_()`, and the messages and hints of problems. Problems are made in English with their values in them; their texts are
kept under the problem's code as context, with {1}, {2} ... for the values, and are recognised when they are shown (newel.web.views_text.said).
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import newel
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from newel import defaults
from newel.console import out
from newel.manifest import Manifest
from newel.plugins import discover
from newel.store.describe import columns
from newel.web.forms import Part, parts_of

from newel_sdk.problem_words import PLACE, Makers, Text, problem_makers, problem_texts

KERNEL = Path(str(newel.__file__)).parent
LANGUAGES = ("de", "sl", "tr", "zh")
SHOWN = ("label", "label_plural", "help", "title", "section", "menu")
METHODS = [("**.html", "jinja2.ext:babel_extract"), ("**.py", "python")]
KEYWORDS: dict[str, Any] = {"_": None, "ngettext": (1, 2)}


def texts_of(manifest: Manifest | None, folder: Path | None) -> set[Text]:
    """Every English text of a distribution. folder: its package, None where it is a single module."""
    found = {Text(t) for t in (*_labels(manifest, set()), *_names(manifest))} if manifest else set()
    if folder is not None:
        for _path, _line, message, _comments, _context in extract_from_dir(str(folder), METHODS, keywords=KEYWORDS):
            found.add(Text(message) if isinstance(message, str) else Text(*[m for m in message if m][:2]))
        sources = [path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*.py"))]
        makers: Makers = {}
        for source in sources:
            for name, made in problem_makers(source).items():
                makers.setdefault(name, []).extend(made)
        for source in sources:
            found.update(problem_texts(source, makers))
            found.update(Text(t) for t in _given(source))
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


def _given(source: str) -> Iterator[str]:
    """Labels that a module gives to what no manifest holds: forms of operations, buttons, panels and their rows."""
    for node in ast.walk(ast.parse(source)):
        rows = node.elts[:1] if isinstance(node, ast.Tuple) and len(node.elts) > 1 else [*node.keys, *node.values] if isinstance(node, ast.Dict) else []
        for row in rows if "Panel(" in source else ():
            if isinstance(row, ast.Constant) and isinstance(row.value, str):
                yield from re.findall(r"\A[A-Z][a-z].*", row.value)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for keyword in node.keywords:
                yield from _said(node.func.id, keyword)


def _said(maker: str, keyword: ast.keyword) -> Iterator[str]:
    """The texts of one argument."""
    value = keyword.value
    if keyword.arg in (*SHOWN, "button", "done") or (keyword.arg == "text" and maker == "Panel"):
        for part in (value.body, value.orelse) if isinstance(value, ast.IfExp) else (value,):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part.value
    elif keyword.arg == "choices" and isinstance(value, ast.Tuple):
        for pair in value.elts:
            if isinstance(pair, ast.Tuple) and len(pair.elts) == 2 and isinstance(pair.elts[1], ast.Constant):
                yield str(pair.elts[1].value)


def _names(manifest: Manifest) -> Iterator[str]:
    """Names of code that stand where nobody has given a label: fields of records, settings and data, and links of flows (views_text.words)."""
    names: list[str] = [f.link for f in manifest.flows]
    for record in manifest.records:
        said = {f.name for f in record.fields if f.label}
        infos = {c.name: c for c in columns(record.table) if not c.key and c.name != record.scope}
        names += [n for n in record.columns or infos if n not in said]
    structs = [manifest.settings, manifest.line_data, manifest.document_data, *(k.data for k in manifest.documents)]
    names += [n for s in structs if isinstance(s, type) and issubclass(s, msgspec.Struct) for n in _parts(parts_of(s))]
    yield from (n.replace("_", " ").strip().capitalize() for n in names)


def _parts(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        yield part.name
        yield from part.choices
        yield from _parts(part.rows)


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
        strings = [str(s or "") for s in (message.string if isinstance(message.string, (tuple, list)) else [message.string])]
        ids = [str(i) for i in (message.id if isinstance(message.id, (tuple, list)) else [message.id])]
        if not all(strings):
            yield ids[0]
        elif any(set(PLACE.findall(s)) - set(PLACE.findall(" ".join(ids))) for s in strings) or not any(
            set(PLACE.findall(s)) == set(PLACE.findall(ids[-1])) for s in strings
        ):
            yield f"{ids[0]} (its places)"


def lacking(texts: Iterable[Text], path: Path, language: str) -> list[str]:
    """What of these texts a catalogue does not have, and what in it is not translated."""
    known = catalogue(path, language)
    return [t.text for t in sorted(texts) if known.get(t.text, context=t.code or None) is None] + list(untranslated(path, language))


# ---- the bundled ones ------------------------------------------------------------------------------------------------------------------


class Bundle(NamedTuple):
    """A distribution with texts."""

    name: str
    folder: Path
    texts: set[Text]


@lru_cache(maxsize=1)
def kernel_texts() -> frozenset[Text]:
    """What the kernel says, in every plugin's place."""
    return frozenset(texts_of(defaults.register_plugin(), KERNEL))


def bundles() -> list[Bundle]:
    """The kernel, then every installed plugin that is not a single module, without what the kernel says already."""
    found = [Bundle("newel", KERNEL, set(kernel_texts()))]
    for name, module in sorted(discover()[0].items()):
        package = import_module(module.__name__.partition(".")[0])
        if hasattr(package, "__path__"):
            folder = Path(str(package.__file__)).parent
            found.append(Bundle(name, folder, texts_of(module.register_plugin(), folder) - kernel_texts()))
    return found


def main(arguments: Sequence[str]) -> int:
    """`python -m newel_sdk.words [--check] [NAME ...]`: update the translations of these (all) distributions, or say what is missing."""
    check, names = "--check" in arguments, [a for a in arguments if not a.startswith("-")]
    total = 0
    for bundle in bundles():
        if names and bundle.name not in names:
            continue
        for language in LANGUAGES:
            path = bundle.folder / "locale" / f"{language}.po"
            missing = lacking(bundle.texts, path, language) if check else []
            for text in missing[:5]:
                out.print(f"{bundle.name} {language}: {text}", markup=False, highlight=False, soft_wrap=True)
            count = len(missing) if check else update(path, language, bundle.texts)
            if count:
                out.print(f"{bundle.name} {language}: {count} of {len(bundle.texts)} texts are not translated", highlight=False)
            total += count
    return 1 if total and check else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
