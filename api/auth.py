"""The staff side: one secret until accounts and roles come.

Writing, and reading what is the staff's, needs the token of the settings, as
`Authorization: Bearer …` or as the cookie that `/staff` sets. Where the settings
have none, one is made at the first start, kept in the data folder for its owner's eyes only, and
printed once as a link.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import HTTPException, Request

COOKIE = "hatchmap_staff"
_FILE = "staff-token"


def load_token(given: str, folder: Path) -> tuple[str, bool]:
    """Return the staff token and whether it was made just now.

    Parameters
    ----------
    given
        The token of the settings; empty for the one kept in `folder`.
    folder
        The data folder.

    Raises
    ------
    OSError
        When the folder cannot be written to.
    """
    if given:
        return given, False
    path = folder / _FILE
    if path.is_file():
        return path.read_text("ascii").strip(), False
    token = secrets.token_urlsafe(24)
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(token + "\n")
    return token, True


def is_staff(request: Request) -> bool:
    """Tell whether the request carries the staff token."""
    given = read_bearer(request)
    if given is not None:
        return matches(request, given)
    return is_from_here(request) and matches(request, request.cookies.get(COOKIE, ""))


def read_bearer(request: Request) -> str | None:
    """Return the secret that a program sends; None where it sends none."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    return given.strip() if kind.lower() == "bearer" else None


def is_from_here(request: Request) -> bool:
    """Tell whether a request that a browser signs by cookie comes from our own pages."""
    origin = request.headers.get("origin")
    if request.method in ("GET", "HEAD") or origin is None:
        return True  # the cookie is `SameSite=Strict`: other sites never send it
    return urlsplit(origin).netloc == request.headers.get("host")


def matches(request: Request, given: str) -> bool:
    """Tell whether a text is the staff token, in a time that tells nothing about it."""
    token: str = request.app.state.staff_token
    return bool(token) and secrets.compare_digest(given.encode(), token.encode())


def require_staff(request: Request) -> None:
    """Let only staff through; for `Depends`.

    Raises
    ------
    HTTPException
        401 without the token.
    """
    if not is_staff(request):
        raise HTTPException(
            401,
            "this needs the staff token: sign in at /staff, or send Authorization: Bearer TOKEN",
            headers={"WWW-Authenticate": 'Bearer realm="hatchmap"'},
        )
