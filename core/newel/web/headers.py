"""Security headers, on every response: also on those to unknown addresses and on errors."""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING

from litestar.datastructures import MutableScopeHeaders

if TYPE_CHECKING:
    from litestar.types import Message, Scope

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
FIXED = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "accelerometer=(), camera=(self), geolocation=(self), gyroscope=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000; includeSubDomains"
NONCE, HOST = "nonce", "__Host-"


def nonce_of(csrf: str) -> str:
    """The nonce of a login session: the same as long as it lasts, so that fragments fit the page that they land in."""
    return hashlib.sha256(f"nonce:{csrf}".encode()).hexdigest()[:32]


def nonce(scope: Scope) -> str:
    """The nonce of a request: its session's, else one of its own."""
    state = scope["state"]
    if NONCE not in state:
        state[NONCE] = secrets.token_hex(16)
    return str(state[NONCE])


class SecurityHeaders:
    """Hook that completes every response before it is sent."""

    def __init__(self, https: bool) -> None:
        self.https = https

    async def __call__(self, message: Message, scope: Scope) -> None:
        """Add what is missing."""
        if message["type"] != "http.response.start":
            return
        headers = MutableScopeHeaders.from_message(message)
        for name, value in FIXED.items():
            headers.setdefault(name, value)
        own = headers.get("Content-Security-Policy")  # of a handler that wants to be stricter: browsers keep to both
        headers["Content-Security-Policy"] = POLICY.format(nonce=nonce(scope)) + (f", {own}" if own else "")
        if self.https:
            headers["Strict-Transport-Security"] = HSTS
            message["headers"] = [(k, _bound(v) if k.lower() == b"set-cookie" else v) for k, v in message["headers"]]
        if not scope["path"].startswith("/static/"):
            headers.setdefault("Cache-Control", "no-store")
        elif not scope["query_string"].startswith(b"v="):  # an address without the version of its content
            headers["Cache-Control"] = "no-cache"


def _bound(cookie: bytes) -> bytes:
    """A cookie that no other host and no plain connection can set or read."""
    named = cookie if cookie.startswith(HOST.encode()) else HOST.encode() + cookie
    return named if b"; secure" in named.lower() else named + b"; Secure"
