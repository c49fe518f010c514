"""Who may open a need for space: the one who holds its secret, and the staff.

Programs send the secret as `Authorization: Bearer …`. In a browser the link carries it behind #,
which no server, log or other site ever sees; the page sends it once in the body of a form and gets
a cookie for the paths of that need alone.
"""

from __future__ import annotations

from typing import Literal

from fastapi import HTTPException, Request, Response

from api.answers import open_request_store
from api.auth import is_from_here, is_staff, read_bearer
from api.questions.demands import owns_demand

Opener = Literal["owner", "staff"]

COOKIE = "hatchmap_demand"
_TAKES = "hatchmap_form"  # says that the browser keeps cookies
_FRESH = "hatchmap_posted"
_FRESH_S = 600
PRIVATE = {"Cache-Control": "no-store"}


def who_opens(request: Request, key: str) -> Opener | None:
    """Tell who opens a need: its owner, the staff, or nobody who may."""
    secret = read_bearer(request)
    if secret is None and is_from_here(request):
        secret = request.cookies.get(COOKIE)
    if secret and owns_demand(open_request_store(request), key, secret):
        return "owner"
    return "staff" if is_staff(request) else None


def require_opener(request: Request, key: str) -> Opener:
    """Let only the owner of a need and the staff through.

    Raises
    ------
    HTTPException
        401 for others, whether there is such a need or not.
    """
    opener = who_opens(request, key)
    if opener is None:
        raise HTTPException(
            401,
            "this needs the secret of the demand or the staff token, as Authorization: Bearer …",
            headers={"WWW-Authenticate": 'Bearer realm="hatchmap"', **PRIVATE},
        )
    return opener


def let_owner_in(request: Request, answer: Response, key: str, secret: str) -> None:
    """Give the browser a cookie for the paths of one need, until it is closed."""
    secure = request.url.scheme == "https"
    answer.set_cookie(
        COOKIE, secret, path=f"/demands/{key}", httponly=True, samesite="strict", secure=secure
    )


def ask_for_cookies(answer: Response) -> None:
    """Give the browser that is shown the form a cookie to tell that it keeps them."""
    answer.set_cookie(_TAKES, "1", path="/demands/new", httponly=True, samesite="strict")


def keeps_cookies(request: Request) -> bool:
    """Tell whether the browser has kept the cookie of the form."""
    return _TAKES in request.cookies


def mark_posted(answer: Response, key: str) -> None:
    """Let the browser show the secret of a need that it has just posted, for a few minutes."""
    answer.set_cookie(
        _FRESH, "1", path=f"/demands/{key}/posted", max_age=_FRESH_S, httponly=True,
        samesite="strict",
    )  # fmt: skip


def read_posted(request: Request, key: str) -> str | None:
    """Return the secret of a need that this browser has just posted; None for any other."""
    secret = request.cookies.get(COOKIE)
    owns = secret and owns_demand(open_request_store(request), key, secret)
    return secret if owns and _FRESH in request.cookies else None


def forget_owner(answer: Response, key: str) -> None:
    """Take the cookie back."""
    answer.delete_cookie(COOKIE, path=f"/demands/{key}", httponly=True, samesite="strict")
