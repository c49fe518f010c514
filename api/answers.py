"""Answers: worked out once for each state of the store, told to clients by entity tags."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import partial
from hashlib import blake2b
from typing import Any, Protocol

import orjson
from fastapi import Request, Response

from api.cache import Cache
from api.questions.common import today
from api.scenarios import PARAMETER, see_request
from api.stores import StoreHandle
from layers.store import Store

GEOJSON = "application/geo+json"
JSON = "application/json"
HTML = "text/html; charset=utf-8"
_YEAR_S = 31_536_000


class Result(Protocol):
    """A typed result of a question."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""


def to_bytes(value: Any) -> bytes:
    """Write plain values as JSON.

    >>> to_bytes({"minutes": 5})
    b'{"minutes":5}'
    """
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)


def open_request_store(request: Request) -> Store:
    """Return the store of the server that the request came to, seen through its scenario if any.

    Raises
    ------
    HTTPException
        401 when the request names a scenario that it may not see.
    """
    base = open_base_store(request)
    seen = see_request(request, base)
    return base if seen is None else seen.store


def open_base_store(request: Request) -> Store:
    """Return the store of the real layers, whatever scenario the request names."""
    handle: StoreHandle = request.app.state.store
    return handle.get()


def respond(
    request: Request,
    make: Callable[[Store], bytes],
    *,
    media_type: str = JSON,
    key: tuple[Any, ...] = (),
    headers: dict[str, str] | None = None,
    keep: bool = True,
) -> Response:
    """Answer a reading request from the cache, or work the answer out and keep it.

    An answer is kept under the address, `key`, the state of the store and the day (pace and
    forecasts depend on it), so that an edit is seen by the next request.

    Parameters
    ----------
    request
        The request.
    make
        Works the answer out.
    media_type
        What the answer is.
    key
        What the answer depends on beside its address, such as the language.
    headers
        More headers.
    keep
        Whether the answer is kept: working some out is as quick as finding them again.
    """
    store = open_request_store(request)
    state = (*key, store.lens, store.token(), today().isoformat())

    def make_or_find() -> bytes:
        cache: Cache = request.app.state.cache
        return cache.get((*_address(request), *state), lambda: make(store))

    made = make_or_find if keep else partial(make, store)
    return answer(request, store, made, state=state, media_type=media_type, headers=headers)


def answer(
    request: Request,
    store: Store,
    make: Callable[[], bytes],
    *,
    state: Hashable,
    media_type: str = JSON,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer a reading request under the entity tag of a state; not at all where it is known.

    Parameters
    ----------
    request
        The request.
    store
        The store that it asks.
    make
        Works the answer out, or finds it.
    state
        Of what the answer rests on: it changes whenever the answer does.
    media_type
        What the answer is.
    headers
        More headers.
    """
    tag = blake2b(repr((*_address(request), state)).encode(), digest_size=12).hexdigest()
    etag = f'W/"{tag}"'
    # An address that names this very state never changes; any other is asked for again.
    version = request.query_params.get("v")
    pinned = version is not None and version == store.token()
    kept = f"max-age={_YEAR_S}, immutable" if pinned else "no-cache"
    # What a scenario shows is for those who may see it, not for caches that many share.
    private = "private, " if request.query_params.get(PARAMETER) else ""
    all_headers = {
        "ETag": etag,
        "Cache-Control": private + kept,
        "Vary": "Cookie, Accept-Encoding",
        **(headers or {}),
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=all_headers)
    body = make()
    if not body:
        return Response(status_code=204, headers=all_headers)
    return Response(body, media_type=media_type, headers=all_headers)


def _address(request: Request) -> tuple[str, bytes]:
    return request.scope["path"], request.scope["query_string"]


def respond_result(request: Request, ask: Callable[[Store], Result], **more: Any) -> Response:
    """Answer with the JSON of a typed result."""
    return respond(request, lambda store: to_bytes(ask(store).to_json()), **more)
