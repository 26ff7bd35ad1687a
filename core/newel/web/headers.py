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
    "Permissions-Policy": "accelerometer=(), camera=(self), geolocation=(), gyroscope=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000; includeSubDomains"
NONCE = "nonce"


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
        headers["Content-Security-Policy"] = POLICY.format(nonce=nonce(scope))
        if self.https:
            headers["Strict-Transport-Security"] = HSTS
        if not scope["path"].startswith("/static/"):
            headers.setdefault("Cache-Control", "no-store")
        elif not scope["query_string"].startswith(b"v="):  # an address without the version of its content
            headers["Cache-Control"] = "no-cache"
