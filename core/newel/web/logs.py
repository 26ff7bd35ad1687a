"""What a server says while it runs: a line for each event, as text or as JSON, and nothing secret or personal in it."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

HIDDEN = "***"
NAMED = r"pass(?:word|wort|wd)?|old|secret|token|authorization|cookie|csrf\w*|_csrf_token|api[_-]?key|newel_session|credential|code|iban|pin"
PATTERNS = tuple(
    (re.compile(pattern), put)
    for pattern, put in (
        (r"(?i)\b(bearer|basic) [^\s\"',;]+", rf"\1 {HIDDEN}"),
        (rf"(?i)(\"(?:\w+_)?(?:{NAMED})\"\s*:\s*\")(?:[^\"\\]|\\.)*", rf"\1{HIDDEN}"),  # JSON stays JSON
        (rf"(?i)(\\\"(?:\w+_)?(?:{NAMED})\\\"\s*:\s*\\\").*?(?=\\\")", rf"\1{HIDDEN}"),  # JSON inside of JSON
        (rf"(?i)(?<![\w.\"])('?(?:\w+_)?(?:{NAMED})'?)(\s*[:=]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&}})\]]+)", rf"\1\2{HIDDEN}"),
        (r"\bnewel_[\w-]{20,}", HIDDEN),
        (r"(\w+://[^\s:/@]+):[^\s@]+@", rf"\1:{HIDDEN}@"),
        (r"\$argon2[^\s\"']+|otpauth://[^\s\"']+", HIDDEN),
        (r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+", HIDDEN),
        (r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b|\b\d{4}([ -]?)\d{4}\1\d{4}\1\d{1,7}\b", HIDDEN),
    )
)


def redacted(text: str) -> str:
    """The text with stars in the place of passwords, tokens, cookies, codes, mail addresses, bank accounts and card numbers."""
    for pattern, put in PATTERNS:
        text = pattern.sub(put, text)
    return text


def formatter(as_json: bool) -> logging.Formatter:
    """Instant (UTC), level, logger and event; of an error where it happened, without values of variables; then redacted as a whole."""
    shape: Any = structlog.processors.JSONRenderer() if as_json else structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"])
    known: list[Any] = [
        structlog.stdlib.add_logger_name, structlog.stdlib.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]  # fmt: skip
    end: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, lambda *event: redacted(shape(*event))]
    return structlog.stdlib.ProcessorFormatter(foreign_pre_chain=known, processors=end)


def configure(as_json: bool, level: int = logging.INFO) -> None:
    """Everything that is logged goes to standard error, in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter(as_json))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("piccolo").setLevel(logging.WARNING)  # it tells SQLite's version at each start


__all__ = ["configure", "formatter", "redacted"]
