"""What printing decides: what is a copy, how long texts are cut, where pages end, what a layout may say. Pure functions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import nh3
from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup
from newel.domain.money import ZERO
from newel.errors import Problem

LONG = 900  # characters of a text that stay together on one page
LARGEST = 300_000  # characters of a part of a layout, filled in
SAYS = ("number", "draft", "cancelled", "lines", "totals", "gross", "currency", "text", "facts")
PARTS = (
    ("head", "Letterhead", "At the top of the first page."),
    ("intro", "Before the lines", "Words between the heading and the lines."),
    ("end", "After the totals", "Closing words."),
    ("foot", "Foot of each page", "At most three lines; the page numbers are added to it."),
    ("style", "Styles", "CSS, without addresses of other files."),
)
BUILT_IN = {
    "head": (
        '<div class="p-head">\n  <div><div class="p-company">{{ company.name }}</div><div class="p-small">{{ company.address }}</div></div>\n'
        '  {% if logo %}<div class="pr-logo">{{ logo }}</div>{% endif %}\n</div>'
    ),
    "intro": "",
    "end": "",
    "foot": "{{ company.name }}{% if company.address %} · {{ company.address }}{% endif %}{% if company.tax_id %} · {{ company.tax_id }}{% endif %}",
    "style": "",
}
TAGS = {
    "div",
    "span",
    "p",
    "br",
    "b",
    "strong",
    "em",
    "i",
    "u",
    "small",
    "h2",
    "h3",
    "ul",
    "ol",
    "li",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "hr",
    "img",
}
ATTRIBUTES = {"*": {"class"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"}}
PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]{1,400000}={0,2}")
ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Const, nodes.For, nodes.If, nodes.Filter,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.CondExpr,
)  # fmt: skip
FILTERS = ("upper", "lower", "trim", "length", "join", "default", "first", "last", "truncate")


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a layout. id 0: the built-in one. kind, language: which documents it is for, empty for all; logo: a PNG as data address."""

    id: int = 0
    company: int = 0
    kind: str = ""
    language: str = ""
    head: str = ""
    intro: str = ""
    end: str = ""
    foot: str = ""
    style: str = ""
    logo: str = ""
    active: bool = True


class Wrong(Exception):
    """A part of a layout can't be filled in; the message says why."""


# ---- copies --------------------------------------------------------------------------------------------------------------------------


def fingerprint(paper: Mapping[str, Any]) -> str:
    """SHA-256 of what a document says on paper, whatever its layout: a second print of the same is a copy."""
    return hashlib.sha256(msgspec.json.encode([paper[name] for name in SAYS])).hexdigest()


def choose(layouts: Sequence[Layout], company: int, kind: str, language: str) -> Layout:
    """The layout for a document: its own kind before all kinds, its language before all languages; each in its last version."""
    last = {(x.kind, x.language): x for x in layouts if x.company == company}
    fitting = (last.get(key) for key in ((kind, language), (kind, ""), ("", language), ("", "")))
    return next((x for x in fitting if x is not None and x.active), Layout())


# ---- pages ---------------------------------------------------------------------------------------------------------------------------


def pieces(text: str, long: int = LONG) -> list[str]:
    """A text in pieces of at most `long` characters, cut between paragraphs or else between words."""
    out: list[str] = []
    while len(text) > long:
        at = max(text.rfind("\n", 0, long), 0) or max(text.rfind(" ", 0, long), 0) or long
        out.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*out, text]


def rows_of(lines: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Lines as rows that are never cut: long texts go on in rows of their own. `sum` is the net of all lines so far, without tax."""
    out: list[dict[str, Any]] = []
    total = ZERO
    for line in lines:
        total += line["net"] if isinstance(line["net"], Decimal) else ZERO
        first, *more = pieces(line["text"])
        out.append({**line, "text": first, "note": "" if more else line["note"], "more": False, "sum": total})
        out += [{**line, "text": part, "note": line["note"] if part is more[-1] else "", "more": True, "sum": total} for part in more]
    return out


def cut(places: Sequence[int], rows: int) -> list[range]:
    """Which blocks stand on which page.

    Args:
        places: for each block (at least one), in order, the page that it fell on when all were laid out in one go.
        rows: how many of them, the first ones, are rows.

    Returns:
        A range of blocks for each page. Totals never stand on a page without a row above them, where there is one.
    """
    starts = [i for i, place in enumerate(places) if i == 0 or place != places[i - 1]]
    if len(starts) > 1 and starts[-1] == rows and rows - starts[-2] > 1:
        starts[-1] -= 1
    return [range(a, b) for a, b in zip(starts, [*starts[1:], len(places)], strict=True)]


# ---- layouts -------------------------------------------------------------------------------------------------------------------------


class _Sandbox(ImmutableSandboxedEnvironment):
    """Values by name: no attribute of an object."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in ("index", "first", "last", "length"):
            return getattr(obj, attribute)
        if not isinstance(obj, dict) or attribute not in obj:
            raise SecurityError(f"there is no value {attribute!r}")
        return obj[attribute]


_sandbox = _Sandbox(undefined=StrictUndefined, autoescape=True)
_sandbox.globals.clear()
_sandbox.filters = {name: _sandbox.filters[name] for name in FILTERS}


def filled(source: str, values: Mapping[str, Any]) -> Markup:
    """A part of a layout with its values, of harmless tags and pictures only.

    Raises:
        Wrong: it is no template, or asks for more than values.
    """
    try:
        parsed = _sandbox.parse(source)
        _refuse(parsed)
        text = _sandbox.from_string(parsed).render(values)
    except SecurityError as error:
        raise Wrong(f"the layout reaches for more than values: {error}") from error
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError) as error:
        raise Wrong(f"the layout is wrong: {error}") from error
    if len(text) > LARGEST + len(str(values.get("logo", ""))):
        raise Wrong(f"the text is longer than {LARGEST} characters")
    clean = nh3.clean(text, tags=TAGS, attributes=ATTRIBUTES, url_schemes={"data"}, attribute_filter=_kept)
    return Markup(clean)  # noqa: S704 - nothing harmful is left in it


def _refuse(parsed: nodes.Template) -> None:
    """Only values, conditions, and loops that are not inside of others: a layout costs no more than the document is long."""
    wrong = [n for n in parsed.find_all(nodes.Node) if not isinstance(n, ALLOWED) or getattr(n, "name", "") == "self"]
    wrong += [n for loop in parsed.find_all(nodes.For) for n in ([loop] if loop.recursive else loop.find_all(nodes.For))]
    if wrong:
        raise TemplateSyntaxError(f"{type(wrong[0]).__name__} has no place here", wrong[0].lineno)


def _kept(tag: str, attribute: str, value: str) -> str | None:
    return value if (tag, attribute) != ("img", "src") or PICTURE.fullmatch(value) else None


def values_of(paper: Mapping[str, Any], logo: str = "", page: int = 1, pages: int = 1) -> dict[str, Any]:
    """What a layout may name: texts and lists of texts. page: on which it stands."""
    company = paper["company"]
    picture = Markup('<img src="{}" alt="{}">').format(logo, company["name"]) if logo else ""
    return {
        "company": {"name": company["name"], "tax_id": company["tax_id"], "address": " · ".join(company["lines"])}, "kind": paper["kind_label"],
        "number": paper["number"], "address": list(paper["address"]), "facts": [dict(f) for f in paper["facts"]], "text": paper["text"],
        "currency": paper["currency"], "gross": paper["shown"], "draft": paper["draft"], "logo": picture, "page": str(page), "pages": str(pages),
    }  # fmt: skip


SAMPLE = {
    "company": {"name": "", "tax_id": "", "lines": []}, "kind_label": "", "number": "", "address": [""], "facts": [{"label": "", "value": ""}], "text": "",
    "currency": "", "shown": "", "draft": False,
}  # fmt: skip


def check_layout(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Before a layout is kept: each part can be filled in, styles fetch nothing, the picture is one."""
    for name, _label, _help in PARTS:
        text = values.get(name) or ""
        try:
            if name != "style":
                filled(text, values_of(SAMPLE, "data:image/png;base64,AA=="))
            elif found := re.search(r"[<\\]|@import|url\s*\(|expression|image-set|src\s*\(", text, re.IGNORECASE):
                raise Wrong(f"styles have no place for {found[0]!r}")
        except Wrong as wrong:
            yield Problem(code="prints.layout", message=str(wrong), where=name, hint="the README of prints lists what a layout may name")
    if values.get("logo") and not PICTURE.fullmatch(values["logo"]):
        yield Problem(code="prints.logo", message="a PNG picture of at most 300 kB was expected", where="logo", hint="choose the file anew")
