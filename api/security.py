"""What browsers are told to allow: our own server, and the base map of the settings."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from urllib.parse import urlsplit

from api.settings import Settings

_INLINE = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL)

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "SAMEORIGIN",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def page_headers(page: bytes, settings: Settings) -> dict[str, str]:
    """Return the content security policy of a page.

    Scripts run from our own server and where their text is exactly that of the page; nothing that
    a record could smuggle in runs. Images may come from the base map of the settings too.
    """
    return {"Content-Security-Policy": _policy(page, _tile_host(settings))}


def _tile_host(settings: Settings) -> str:
    """Return where the base map's tiles come from, as a source of the policy.

    >>> _tile_host(Settings(basemap="https://tiles.example.org/{z}/{x}/{y}.png"))
    ' https://tiles.example.org'
    """
    if settings.basemap == "tianditu":
        return " https://*.tianditu.gov.cn"
    parts = urlsplit(settings.basemap.replace("{s}", "*"))
    return f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""


@lru_cache(maxsize=64)
def _policy(page: bytes, tile_host: str) -> str:
    digests = {
        base64.b64encode(hashlib.sha256(script).digest()).decode()
        for script in _INLINE.findall(page)
    }
    scripts = " ".join(f"'sha256-{digest}'" for digest in sorted(digests))
    return (
        f"default-src 'self'; script-src 'self' {scripts}; style-src 'self' 'unsafe-inline'; "
        f"img-src 'self' data: blob:{tile_host}; object-src 'none'; base-uri 'self'; "
        "form-action 'self'; frame-ancestors 'self'"
    )
