"""What stands before every route: HEAD, the limit on bodies, and the headers of every answer."""

from __future__ import annotations

from fastapi import Request
from fastapi.middleware.gzip import GZipMiddleware
from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import answer_problem
from api.scenarios import PARAMETER
from api.security import ALWAYS
from api.stores import IN_SCENARIO


class Pack(GZipMiddleware):
    """Packs answers that are worth it, for those who can unpack them."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, minimum_size=1_000, compresslevel=3)


class AnswerHead:
    """Answers HEAD wherever GET is answered: the same headers, no body (RFC 9110, 9.1)."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask for GET, and leave out the body."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            is_body = message["type"] == "http.response.body"
            await send({**message, "body": b""} if is_body else message)

        await self._app({**scope, "method": "GET"}, receive, send_without_body)


class LimitBody:
    """Refuses a body that is too large: by its declared length, else once it proves too long.

    Parameters
    ----------
    app
        What stands behind.
    max_bytes
        The largest body taken.
    """

    def __init__(self, app: ASGIApp, *, max_bytes: int) -> None:
        self._app = app
        self._max_bytes = max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the bytes of a body as they come."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        detail = f"the body may have at most {self._max_bytes} bytes"
        declared = Headers(scope=scope).get("content-length", "0")
        if not (declared.isdecimal() and int(declared) <= self._max_bytes):
            await answer_problem(Request(scope), 413, detail)(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._max_bytes:
                raise HTTPException(413, detail)
            return message

        await self._app(scope, receive_counted, send)


class NoteScenario:
    """Notes that a request asks a scenario: nothing is then written to the real layers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Keep the note for as long as the request lasts."""
        asked = scope["type"] == "http" and PARAMETER in QueryParams(scope["query_string"])
        note = IN_SCENARIO.set(asked)
        try:
            await self._app(scope, receive, send)
        finally:
            IN_SCENARIO.reset(note)


class AddHeaders:
    """Sends the headers that every answer has."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add to the start of an answer what it does not say itself."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in ALWAYS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
