"""What people write in Markdown as HTML that is harmless, whoever wrote it."""

from __future__ import annotations

from functools import cache
from html import unescape

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

_TAGS = {
    "a", "blockquote", "br", "code", "del", "em", "h2", "h3", "h4", "hr", "img", "li", "ol", "p", "pre", "s", "strong", "table", "tbody", "td", "th",
    "thead", "tr", "ul",
}  # fmt: skip
_LOWER = {"h1": "h2", "h5": "h4", "h6": "h4"}  # the page has its own first heading


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    parser.core.ruler.push("lower", _lower)
    return parser


def _lower(state: StateCore) -> None:
    for token in state.tokens:
        token.tag = _LOWER.get(token.tag, token.tag)


def _attribute(tag: str, name: str, value: str) -> str | None:
    """A picture is one of our own: none is fetched from a stranger, who would learn who reads."""
    return value if (tag, name) != ("img", "src") or (value.startswith("/") and value[1:2] not in ("/", "\\")) else None


def rendered(text: str) -> Markup:
    """The HTML of a text. Twice safe: the parser lets no HTML through, and what it makes is cut down to a list of tags, attributes and protocols."""
    attributes = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}
    clean = nh3.clean(
        _parser().render(text), tags=_TAGS, attributes=attributes, attribute_filter=_attribute, url_schemes={"http", "https", "mailto", "tel"},
        link_rel="noopener noreferrer nofollow",
    )  # fmt: skip
    return Markup(clean)  # noqa: S704 (it was cleaned in the line before)


def plain(text: str) -> str:
    """The words of a text without its marks."""
    return " ".join(unescape(nh3.clean(_parser().render(text), tags=set())).split())


__all__ = ["plain", "rendered"]
