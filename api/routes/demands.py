"""Needs for space over HTTP: anyone posts one; its owner and the staff do the rest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import shapely
from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import JSON, open_request_store, to_bytes
from api.auth import is_staff
from api.errors import problem_language
from api.limits import limit_posts
from api.owners import PRIVATE, Opener, require_opener
from api.questions.common import today
from api.questions.demand_choices import read_choices
from api.questions.demand_form import CONTACT, DemandForm, FormError, read_draft
from api.questions.demands import (
    Posted,
    ask_demand,
    change_demand,
    find_demand,
    merge_form,
    post_demand,
    read_change,
    withdraw_demand,
)
from api.questions.match import MAX_LIMIT, ask_demand_matches
from geo.errors import InputError
from layers.catalog import layer as find_layer

router = APIRouter(prefix="/api/demands", tags=["demands"])

MAX_BODY = 256_000  # bytes: the largest polygon and every text
FOUNDER = "founder"  # who writes, where it is not the staff

Demand = Annotated[str, Path(max_length=200)]


def find_or_refuse(request: Request, demand: Demand) -> Opener:
    """Let through who may open the need; to the staff say where there is none.

    Raises
    ------
    HTTPException
        401 without the secret.
    NotFoundError
        For staff, when there is no such need.
    """
    opener = require_opener(request, demand)
    find_demand(open_request_store(request), demand)
    return opener


Opened = Annotated[Opener, Depends(find_or_refuse)]


def describe_form() -> dict[str, Any]:
    """Describe the form for the API: types of the model, ranges and choices of the catalogue."""
    schema = DemandForm.model_json_schema()
    for column in find_layer("demands").columns:
        field = schema["properties"].get(column.name)
        if field is None:
            continue
        limits = {"minimum": column.minimum, "maximum": column.maximum}
        field |= {name: limit for name, limit in limits.items() if limit is not None}
        if column.choices:
            field["enum"] = [choice.value for choice in column.choices]
    schema["required"] = ["industry", "min_area_m2"]
    return schema


_BODY = {"requestBody": {"required": True, "content": {JSON: {"schema": describe_form()}}}}


async def read_body(request: Request) -> bytes:
    """Return a body that is not larger than a need can be.

    Raises
    ------
    HTTPException
        413 when it is.
    """
    body = await request.body()
    if len(body) > MAX_BODY:
        raise HTTPException(413, f"the body may have at most {MAX_BODY} bytes")
    return body


async def _read_json(request: Request) -> dict[str, Any]:
    body = await read_body(request)
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InputError(f"body: is not JSON ({error})") from error
    if not isinstance(given, dict):
        raise InputError("body: give a JSON object with the fields of a demand")
    return given


@contextmanager
def _worded(request: Request) -> Iterator[None]:
    """Tell the faults of a form in the language of the one who asked."""
    try:
        yield
    except FormError as error:
        raise FormError(error.form_faults, problem_language(request)) from error


@router.post("", status_code=201, openapi_extra=_BODY)
async def post(request: Request) -> Response:
    """Post a need: `id`, and the `secret` and `link` that are told only now."""
    given = await _read_json(request)
    with _worded(request):
        posted = await run_in_threadpool(write_demand, request, given)
    headers = PRIVATE | {"Location": f"/api/demands/{posted.id}"}
    return Response(to_bytes(posted.to_json()), 201, headers, media_type=JSON)


def write_demand(request: Request, given: dict[str, Any]) -> Posted:
    """Check a need and write it.

    Raises
    ------
    FormError
        With every fault of every field.
    HTTPException
        429 when the address posts too often.
    StoreError
        When the store cannot be written to.
    """
    choices = read_choices(open_request_store(request))
    draft = read_draft(given, choices, day=today())
    staff = is_staff(request)
    if not staff:
        limit_posts(request)
    with request.app.state.store.edit("demand posted", who="staff" if staff else FOUNDER) as edit:
        return post_demand(edit, draft, choices.consent)


@router.get("/{demand}")
def get(request: Request, demand: Demand, opener: Opened) -> Response:
    """Return a need; its contact only to its owner."""
    return _answer(_public(ask_demand(open_request_store(request), demand), opener))


@router.patch("/{demand}", openapi_extra=_BODY)
async def patch(request: Request, demand: Demand, opener: Opened) -> Response:
    """Change fields of a need, null empties one; the whole is checked as when it was posted."""
    changes = await _read_json(request)

    def write() -> dict[str, Any]:
        store = open_request_store(request)
        record, choices = ask_demand(store, demand), read_choices(store)
        draft = read_change(record, merge_form(record, changes), choices)
        with request.app.state.store.edit("demand changed", who=_who(opener)) as edit:
            change_demand(edit, store, demand, draft, choices.consent)
        return _public(ask_demand(open_request_store(request), demand), opener)

    with _worded(request):
        return _answer(await run_in_threadpool(write))


@router.delete("/{demand}", status_code=204)
def delete(request: Request, demand: Demand, opener: Opened) -> Response:
    """Withdraw a need: its contact and its secret are erased, from the history too."""
    with request.app.state.store.edit("demand withdrawn", who=_who(opener)) as edit:
        withdraw_demand(edit, demand)
    return Response(status_code=204, headers=PRIVATE)


@router.get("/{demand}/matches", dependencies=[Depends(find_or_refuse)])
def get_matches(
    request: Request,
    demand: Demand,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 20,
    *,
    demo: Annotated[bool, Query(description="Whether demo records count")] = True,
) -> Response:
    """Rank the spaces for a need, for its owner and the staff."""
    store = open_request_store(request)
    report = ask_demand_matches(store, demand, limit=limit, demo=demo, staff=is_staff(request))
    return _answer(report.to_json())


def _who(opener: Opener) -> str:
    return "staff" if opener == "staff" else FOUNDER


def _public(record: dict[str, Any], opener: Opener) -> dict[str, Any]:
    """Return a need as JSON; the staff see contacts on their page of needs alone."""
    hidden = () if opener == "owner" else (*CONTACT, "consent")
    place = record.get("geometry")
    plain = {name: value for name, value in record.items() if name not in (*hidden, "geometry")}
    shape = None if place is None else orjson.loads(shapely.to_geojson(place))
    return {**plain, "geometry": shape}


def _answer(value: dict[str, Any]) -> Response:
    return Response(to_bytes(value), media_type=JSON, headers=PRIVATE)
