"""Single records over HTTP: for programs of the staff, with entity tags against lost updates."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Request, Response
from fastapi import Query as Asked
from pydantic import BaseModel, Field

from api.answers import JSON, open_request_store, to_bytes
from api.auth import require_staff
from api.errors import answer_problem
from api.params import refuse_unknown
from api.questions.entry import ask_entry, ask_record_history, ask_records, record_json
from api.routes.desk import require_desk
from api.stores import STAFF
from layers.records import StaleRecordError, convert_place, enter_record, record_tag, remove_record

router = APIRouter(prefix="/api/records", tags=["desk"], dependencies=[Depends(require_staff)])

Layer = Annotated[str, Path(max_length=60)]
Key = Annotated[str, Path(max_length=200)]
IfMatch = Annotated[str | None, Header(max_length=200)]
Degrees = Annotated[float, Asked(ge=-180, le=180)]
_NEEDED = "send If-Match with the ETag that reading the record gave, so that no change is lost"


class Entry(BaseModel):
    """A record as it is entered."""

    values: dict[str, Any] = Field(
        description="By column, as typed or as JSON has it; lon and lat give the place",
        max_length=200,
    )
    datum: str = Field("wgs84", max_length=40, description="What lon and lat are in")
    why: str = Field("", max_length=500, description="Note for the history")


@router.get("/place", dependencies=[Depends(refuse_unknown)])
def get_place(lon: Degrees, lat: Degrees, datum: Annotated[str, Asked(max_length=40)]) -> Response:
    """Bring a place of another datum to WGS-84; for staff."""
    x, y = convert_place(lon, lat, datum)
    return _answer({"lon": x, "lat": y})


@router.get("/{layer}", dependencies=[Depends(refuse_unknown)])
def get_records(
    request: Request,
    layer: Layer,
    text: Annotated[str, Asked(max_length=200)] = "",
    sort: Annotated[str, Asked(max_length=60)] = "",
    limit: Annotated[int, Asked(ge=1, le=1000)] = 100,
    after: Annotated[str, Asked(max_length=2000)] = "",
) -> Response:
    """List the records of a layer with every column and, until the end, `next`; for staff."""
    require_desk(layer)
    store = open_request_store(request)
    return _answer(ask_records(store, layer, text=text, sort=sort, limit=limit, after=after))


@router.post("/{layer}", status_code=201)
def post_record(request: Request, layer: Layer, entry: Annotated[Entry, Body()]) -> Response:
    """Add a record; 422 with every fault by column; for staff."""
    require_desk(layer)
    with request.app.state.store.write() as store:
        key = enter_record(store, layer, entry.values, datum=entry.datum, who=STAFF, note=entry.why)
    return _record(request, layer, key, status=201)


@router.get("/{layer}/{key}", dependencies=[Depends(refuse_unknown)])
def get_record(request: Request, layer: Layer, key: Key) -> Response:
    """Return one record with every column, and its entity tag; for staff."""
    require_desk(layer)
    return _record(request, layer, key)


@router.get("/{layer}/{key}/history", dependencies=[Depends(refuse_unknown)])
def get_record_history(request: Request, layer: Layer, key: Key) -> Response:
    """List the edits of a record, oldest first; for staff."""
    require_desk(layer)
    return _answer(ask_record_history(open_request_store(request), layer, key))


@router.patch("/{layer}/{key}")
def patch_record(
    request: Request,
    layer: Layer,
    key: Key,
    entry: Annotated[Entry, Body()],
    if_match: IfMatch = None,
) -> Response:
    """Change the columns given; 412 where the record is no longer as it was read; for staff."""
    require_desk(layer)
    if if_match is None:
        return answer_problem(request, 428, _NEEDED)
    try:
        with request.app.state.store.write() as store:
            enter_record(
                store, layer, entry.values, key=key, tag=_tag(if_match), datum=entry.datum,
                who=STAFF, note=entry.why,
            )  # fmt: skip
    except StaleRecordError as error:
        return answer_problem(request, 412, str(error))
    return _record(request, layer, key)


@router.delete("/{layer}/{key}", status_code=204)
def delete_record(
    request: Request,
    layer: Layer,
    key: Key,
    if_match: IfMatch = None,
    why: Annotated[str, Asked(max_length=500)] = "",
) -> Response:
    """Delete a record; 412 where it is no longer as it was read; for staff."""
    require_desk(layer)
    if if_match is None:
        return answer_problem(request, 428, _NEEDED)
    try:
        with request.app.state.store.write() as store:
            remove_record(store, layer, key, tag=_tag(if_match), who=STAFF, note=why)
    except StaleRecordError as error:
        return answer_problem(request, 412, str(error))
    return Response(status_code=204)


def _tag(if_match: str) -> str | None:
    """Return the state that a header names; None for any."""
    return None if if_match.strip() == "*" else if_match.strip().removeprefix("W/").strip('"')


def _record(request: Request, layer: str, key: str, *, status: int = 200) -> Response:
    form = ask_entry(open_request_store(request), layer, key)
    record = form.record or {}
    answer = _answer(record_json(record), status=status)
    answer.headers["ETag"] = f'"{record_tag(record)}"'
    if status == 201:
        answer.headers["Location"] = f"/api/records/{layer}/{key}"
    return answer


def _answer(value: Any, *, status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(to_bytes(value), status, headers, media_type=JSON)
