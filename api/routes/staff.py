"""The staff's door: sign-in by the token, the desk that lists their work, and how they write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.answers import HTML, open_request_store
from api.auth import COOKIE, is_staff, matches, require_staff
from api.params import Lang
from api.routes.pages import Framer
from api.security import page_headers
from layers.store import Store
from web.desk import desk_page, sign_in_page

router = APIRouter(include_in_schema=False)

Token = Annotated[str, Query(max_length=500)]


def draw_staff_page(
    request: Request, lang: str, draw: Callable[[Store, Framer], str], *, status: int = 200
) -> Response:
    """Answer with a page that no cache keeps; the route itself must depend on `require_staff`.

    Parameters
    ----------
    request
        The request.
    lang
        The language.
    draw
        Draws the page of a store and the maker of its frame.
    status
        The HTTP status, 422 for a form sent back with its faults.
    """
    store = open_request_store(request)
    body = draw(store, Framer(request, store, lang)).encode()
    headers = page_headers(body, request.app.state.settings) | {"Cache-Control": "no-store"}
    answer = Response(body, status, headers, media_type=HTML)
    if request.query_params.get("lang") == lang:
        answer.set_cookie("lang", lang, max_age=31_536_000, samesite="lax")
    return answer


@router.get("/staff")
def get_sign_in(request: Request, lang: Lang, token: Token = "") -> Response:
    """Let the staff in by their link, or ask for the token."""
    if token and matches(request, token):
        return _let_in(request, token, "/admin")
    return draw_staff_page(
        request,
        lang,
        lambda _store, frame: sign_in_page(
            frame=frame(), wrong=bool(token), signed_in=is_staff(request)
        ),
        status=401 if token else 200,
    )


@router.post("/staff")
def post_sign_in(
    request: Request, lang: Lang, token: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """Let the staff in by what they typed."""
    if matches(request, token.strip()):
        return _let_in(request, token.strip(), "/admin")
    return draw_staff_page(
        request, lang, lambda _store, frame: sign_in_page(frame=frame(), wrong=True), status=401
    )


@router.post("/staff/out")
def post_sign_out() -> Response:
    """Forget the token."""
    answer = RedirectResponse("/staff", status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/admin", dependencies=[Depends(require_staff)])
def get_desk(request: Request, lang: Lang) -> Response:
    """Draw the desk: everything that only staff may do."""
    return draw_staff_page(request, lang, lambda _store, frame: desk_page(frame=frame()))


def _let_in(request: Request, token: str, path: str) -> Response:
    """Turn the token into a cookie, so that it leaves the address."""
    answer = RedirectResponse(path, status_code=303)
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure)
    return answer
