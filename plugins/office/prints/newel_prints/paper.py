"""From a document to pages: laid out once to see where pages end, then made as those very pages, for the screen and for the PDF."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import zlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import jinja2
import msgspec
from markupsafe import Markup
from newel.domain.context import Context
from newel.errors import Problem, Refused
from newel.web.printing import laid_out, print_view
from newel.web.render import environment
from newel.web.views_text import _, day, language, number

from newel_prints import rules
from newel_prints.rules import BUILT_IN, Layout, Wrong

if TYPE_CHECKING:
    from newel.services.app import Newel

STYLES = Path(__file__).parent / "static" / "prints" / "prints.css"
MARK = '<div class="pr-mark"></div>'  # where a copy says that it is one
FLOW = "<style>@page { margin: 16mm 16mm 26mm 20mm } .pr-page { width: auto; height: auto; padding: 0 }</style>"
VARIANT = "pdf/a-3a"
_environments: WeakKeyDictionary[Any, jinja2.Environment] = WeakKeyDictionary()


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """A document on paper. body: its pages as HTML; style: CSS of its layout; said: fingerprint of what it says; languages: one, or two side by side."""

    title: str
    languages: tuple[str, ...]
    body: str
    style: str = ""
    layout: int = 0
    pages: int
    said: str

    def marked(self, words: str) -> Paper:
        """The same with a mark on each page."""
        mark = f'<div class="pr-mark">{html.escape(words)}</div>'
        return msgspec.structs.replace(self, body=self.body.replace(MARK, mark))

    def packed(self) -> str:
        """As text to be kept."""
        return base64.b64encode(zlib.compress(msgspec.json.encode(self))).decode()


def unpacked(text: str) -> Paper:
    """What packed() made."""
    return msgspec.json.decode(zlib.decompress(base64.b64decode(text)), type=Paper)


async def made(newel: Newel, id: int, context: Context, languages: tuple[str, ...] = (), layout: Layout | None = None) -> Paper:
    """The pages of a document.

    Args:
        languages: one; two for both side by side, the first one for numbers and dates; none for the party's.
        layout: instead of the one that is in use.

    Raises:
        Refused: 404 and 403 as for reading the document; prints.layout where a layout can't be filled in.
    """
    reader = language.get()
    try:
        paper = await print_view(newel, id, context, languages[0] if languages else "")
        first, *more = languages or (paper["language"],)
        also = await print_view(newel, id, context, more[0]) if more else None
        language.set(first)
        async with newel.database.read() as session:
            known = await session.cached("prints", load)
        layout = layout or rules.choose(known, context.company.id, paper["kind"], first)
        paper["facts"] = [{"label": f["label"], "value": f.get("value") or day(f["day"])} for f in paper["facts"]]
        paper["shown"] = f"{number(paper['gross'], paper['digits'])} {paper['currency']}"
        sheet = _Sheet(newel, paper, also, layout)
        places = await asyncio.to_thread(_places, sheet.whole(), len(sheet.rows) + len(sheet.tail))
        pages = rules.cut(places, len(sheet.rows))
        title = f"{paper['kind_label']} {paper['number']}".strip()
        said = rules.fingerprint(paper)
        return Paper(title=title, languages=(first, *more), body=sheet.of(pages), style=layout.style, layout=layout.id, pages=len(pages), said=said)
    except Wrong as wrong:
        hint = "an administrator mends it under Layouts of prints"
        raise Refused(Problem(code="prints.layout", message=str(wrong), hint=hint)) from wrong
    finally:
        language.set(reader)


async def load(session: Any) -> tuple[Layout, ...]:
    """All versions of all layouts, the older ones first."""
    rows = await session.fetch("SELECT * FROM prints_layout ORDER BY entered_at, id")
    return tuple(msgspec.convert({f: r[f] for f in Layout.__struct_fields__}, Layout, strict=False) for r in rows)


def pdf(paper: Paper) -> bytes:
    """The pages as PDF for archives (PDF/A-3a: fonts inside, readable aloud). The same pages give the same bytes. It takes its time: not for the event loop.

    Raises:
        Refused: 503 where the libraries that draw it are not there.
    """
    drawn = laid_out(_file(paper.body, paper.style, paper.title, paper.languages[0]))
    key = hashlib.sha256(paper.body.encode()).digest()[:16]
    return bytes(drawn.write_pdf(pdf_variant=VARIANT, pdf_identifier=key) or b"")


def _file(body: str, style: str, title: str, tongue: str, more: str = "") -> str:
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLES.read_text("utf-8")}</style>{more}<style>{style}</style>'
    return f'<!doctype html><html lang="{tongue}"><head>{head}</head><body>{body}</body></html>'


@lru_cache(maxsize=64)
def _places(whole: str, blocks: int) -> list[int]:
    """On which page each block falls."""
    found: dict[str, int] = {}
    for at, page in enumerate(laid_out(whole).pages):
        for name in page.anchors:
            found.setdefault(name, at)
    return [found.get(f"b{i}", 0) for i in range(blocks)]


class _Sheet:
    """What stands on the pages of one document: rows, then what comes after them, each a block that is not cut."""

    def __init__(self, newel: Newel, paper: dict[str, Any], also: dict[str, Any] | None, layout: Layout) -> None:
        self.paper, self.also, self.layout = paper, also, layout
        self.rows = rules.rows_of(paper["lines"])
        texts = rules.pieces(paper["text"]) if paper["text"] else []
        self.tail = [("totals", "")] * paper["priced"] + [("text", t) for t in texts] + [("end", "")] + [("sign", "")] * (not paper["priced"])
        if newel not in _environments:
            _environments[newel] = environment(newel)
        self.template = _environments[newel].get_template("prints/sheet.html")

    def whole(self) -> str:
        """All of it in one go, with room for what each page has besides."""
        body = self._render([range(len(self.rows) + len(self.tail))], flow=True)
        return _file(body, self.layout.style, "", language.get(), FLOW)

    def of(self, pages: list[range]) -> str:
        """The pages."""
        return self._render(pages, flow=False)

    def _render(self, pages: list[range], *, flow: bool) -> str:
        count, total = len(self.rows), len(pages)
        views = [
            {
                "number": n, "rows": [(i, self.rows[i]) for i in page if i < count], "tail": [(i, *self.tail[i - count]) for i in page if i >= count],
                "before": self.rows[page.start - 1]["sum"] if n > 1 and 0 < page.start < count else None,
                "after": self.rows[page.stop - 1]["sum"] if 0 < page.stop <= count and n < total else None, "foot": self._part("foot", n, total),
            }
            for n, page in enumerate(pages, 1)
        ]  # fmt: skip
        parts = {name: self._part(name, 1, total) for name in ("head", "intro", "end")}
        both = {"paper": self.paper, "also": self.also, "_": self._word, "facts": self._paired("facts"), "totals": self._paired("totals")}
        return self.template.render(**both, **parts, pages=views, total=total, flow=flow, mark=Markup(MARK))  # noqa: S704 - a constant

    def _part(self, name: str, page: int, pages: int) -> Markup:
        source = getattr(self.layout, name) or BUILT_IN[name]
        return rules.filled(source, rules.values_of(self.paper, self.layout.logo, page, pages))

    def _word(self, text: str, **values: Any) -> Markup:
        """A word of ours, in two languages where the paper is in two."""
        first = _(text, **values)
        if not self.also:
            return Markup("{}").format(first)
        reader = language.set(self.also["language"])
        second = _(text, **values)
        language.reset(reader)
        return Markup('{} <span class="pr-also">{}</span>').format(first, second)

    def _paired(self, name: str) -> list[dict[str, Any]]:
        """Facts or totals with their labels in the other language as `also`."""
        others = (self.also or self.paper)[name]
        return [{**one, "also": other["label"]} for one, other in zip(self.paper[name], others, strict=True)]
