"""Errors over HTTP: one shape, RFC 9457 problem details; pages show the same in words."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.params import read_lang
from api.security import ALWAYS, page_headers
from geo.errors import (
    BusyError,
    CancelledError,
    ConflictError,
    Fault,
    HatchmapError,
    InputError,
    NotFoundError,
    StoreBusyError,
    StoreCorruptError,
    StoreError,
    StoreMissingError,
    StoreReadOnlyError,
)
from web.messages import say_all, say_fault

PROBLEM = "application/problem+json"

# The first class that fits decides.
STATUS_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ConflictError, 409),
    (InputError, 422),
    (NotFoundError, 404),
    (CancelledError, 409),
    (BusyError, 503),
    (StoreBusyError, 503),
    (StoreMissingError, 503),
    (StoreReadOnlyError, 409),
    (StoreCorruptError, 500),
    (StoreError, 500),
    (HatchmapError, 500),
)
_RETRY_S = "2"
_EXACT = 2**53  # larger numbers are not exact, or none, in the JSON of most readers
_LONGEST = 200
_FRAMEWORK = {
    404: "there is nothing at {path}; /api/docs lists what there is",
    405: "{path} does not take {method}; use {allowed}",
}

log = logging.getLogger("hatchmap")

ErrorPage = Callable[[Request, int, str, Sequence[dict[str, Any]]], str]
Handler = Callable[[Request, Exception], Awaitable[Response]]


def problem(
    status: int, detail: str, *, errors: Sequence[Fault] = (), instance: str = ""
) -> dict[str, Any]:
    """Return problem details.

    >>> problem(404, "no town 7")["title"]
    'Not Found'
    """
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if instance:
        body["instance"] = instance
    if errors:
        body["errors"] = [
            {
                "where": fault.where,
                "what": fault.what,
                "value": _shown(fault.value),
                "fix": fault.fix,
            }
            for fault in errors
        ]
    return body


def _shown(value: Any) -> Any:
    """Return a value as JSON can hold it, and no longer than a reader needs.

    >>> _shown(10**30), _shown(float("inf")), _shown(7)
    ('1000000000000000000000000000000', 'inf', 7)
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float) and abs(value) < _EXACT:
        return value
    return str(value)[:_LONGEST]


def add_error_handlers(app: FastAPI, error_page: ErrorPage) -> None:
    """Answer every error of the app in the one shape, or as a page where a person asked.

    Parameters
    ----------
    app
        The application.
    error_page
        Draws the page of an error: request, status, detail, faults as plain values.
    """
    app.state.error_page = error_page
    handlers: list[tuple[Any, Handler]] = [
        (HatchmapError, _on_known),
        (HTTPException, _on_http),
        (RequestValidationError, _on_input),
        (Exception, _on_unknown),
    ]
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)


def answer_problem(
    request: Request,
    status: int,
    detail: str,
    *,
    errors: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
) -> Response:
    """Return a problem in the form that the one who asked reads: a page, or problem details."""
    lang = problem_language(request)
    body = problem(
        status,
        say_all(detail, errors, lang),
        errors=[say_fault(fault, lang) for fault in errors],
        instance=request.url.path,
    )
    page = _draw_page(request, body) if _wants_page(request) else None
    if page is not None:
        policy = page_headers(page, request.app.state.settings)
        return Response(page, status, {**policy, **(headers or {})}, media_type="text/html")
    content = orjson.dumps(body, default=str, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(content, status, headers, media_type=PROBLEM)


def _draw_page(request: Request, body: dict[str, Any]) -> bytes | None:
    """Draw the page of an error; None where what is broken breaks the page too."""
    draw: ErrorPage = request.app.state.error_page
    try:
        page = draw(request, body["status"], body["detail"], body.get("errors", ()))
    except Exception:
        log.exception("the page of an error cannot be drawn")
        return None
    return page.encode()


def status_of(error: HatchmapError) -> int:
    """Return the HTTP status that says what kind of error it is.

    >>> status_of(InputError("p: is missing"))
    422
    """
    return next(code for kind, code in STATUS_CODES if isinstance(error, kind))


async def _on_known(request: Request, error: Exception) -> Response:
    if not isinstance(error, HatchmapError):
        raise error
    status = status_of(error)
    if status >= 500:
        log.error("%s: %s", request.url.path, error)
    faults = error.faults if isinstance(error, InputError) else ()
    headers = {"Retry-After": _RETRY_S} if status == 503 else None
    return answer_problem(request, status, str(error), errors=faults, headers=headers)


async def _on_http(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    detail = str(error.detail)
    if detail == HTTPStatus(error.status_code).phrase:  # said by the framework, not by a route
        detail = _FRAMEWORK.get(error.status_code, "{phrase}").format(
            phrase=detail, method=request.method, path=request.url.path[:200], **_allowed(headers)
        )
    return answer_problem(request, error.status_code, detail, headers=headers)


def _allowed(headers: dict[str, str]) -> dict[str, str]:
    return {"allowed": headers.get("Allow", "another method")}


async def _on_input(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    faults = [_fault(entry) for entry in error.errors()]
    return answer_problem(request, 422, "; ".join(map(str, faults)), errors=faults)


async def _on_unknown(request: Request, error: Exception) -> Response:
    log.error("%s failed", request.url.path, exc_info=error)
    # This answer leaves outside all middleware, so it brings its own headers.
    detail = "The server failed on this request; its log has the cause"
    return answer_problem(request, 500, detail, headers=dict(ALWAYS))


def problem_language(request: Request) -> str:
    """Return the language of a problem: of a page as of every page, of the API as asked for."""
    if _wants_page(request):
        return read_lang(request)
    asked = request.query_params.get("lang") or request.cookies.get("lang")
    accepted = request.headers.get("accept-language", "")
    return "zh" if (asked or accepted).lower().startswith("zh") else "en"


def _wants_page(request: Request) -> bool:
    path = request.url.path
    machine = path.startswith(("/api/", "/tiles/", "/assets/", "/static/", "/health/"))
    return not machine and "text/html" in request.headers.get("accept", "")


def _fault(entry: dict[str, Any]) -> Fault:
    """Put a finding of the validator into words."""
    where = " ".join(str(part) for part in entry["loc"])
    value = entry.get("input")
    shown = value if isinstance(value, str | int | float | bool) else None
    return Fault(where, str(entry["msg"]), shown, "see /api/docs")
