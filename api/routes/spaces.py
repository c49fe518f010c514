"""Spaces: the search that founders use, its export, and one space."""

from __future__ import annotations

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path as File
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answers import GEOJSON, answer, open_request_store, respond_result, to_bytes
from api.days import parse_day
from api.middleware import Pack
from api.params import read_bbox, refuse_names
from api.questions.space_files import write_spaces
from api.questions.space_search import MAX_TEXT, SpaceSearch
from api.questions.spaces import ask_spaces
from api.questions.surroundings import ask_space_facts
from api.scenarios import PARAMETER
from api.security import ALWAYS
from geo.areas import MAX_TEXT as MAX_AREA_TEXT
from geo.errors import HatchmapError, InputError
from layers.columns import SpaceTable, space_table, table_at_hand
from layers.store import Store

router = APIRouter(prefix="/api", tags=["spaces"])

# Defaults that cannot change are not copied for every question.
Several = Annotated[tuple[str, ...], Field(max_length=100)]
Number = Annotated[float | None, Field(allow_inf_nan=False)]
Format = Literal["json", "geojson", "xlsx", "gpkg"]

_MEDIA = {
    "geojson": GEOJSON,
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "gpkg": "application/geopackage+sqlite3",
}


class SpaceAsked(BaseModel):
    """What the search can be asked; every filter given must hold."""

    text: str | None = Field(
        None,
        max_length=MAX_TEXT,
        description="Words of name, industry, address; or pinyin, initials",
    )
    min_area_m2: Number = None
    max_area_m2: Number = None
    min_rent_cny_m2_month: Number = None
    max_rent_cny_m2_month: Number = None
    min_clear_height_m: Number = None
    min_floor_load_kn_m2: Number = None
    min_power_kw: Number = None
    kind: Several = ()
    stage: Several = ()
    industry: Several = ()
    unit: Several = ()
    town: Several = ()
    role: Several = Field((), description="Roles of the spatial structure")
    zone: Several = Field((), description="Names of zones")
    level: Several = ()
    status: Several = ()
    incubator: Several = ()
    lab_grade: Several = ()
    service: Several = Field((), description="All of these services")
    water: bool | None = None
    gas: bool | None = None
    exhaust: bool | None = None
    available_by: str | None = Field(None, max_length=40, description="Day, YYYY-MM-DD")
    term_months: int | None = None
    bbox: str | None = Field(None, max_length=200, description="west,south,east,north in degrees")
    polygon: str | None = Field(None, max_length=MAX_AREA_TEXT, description="GeoJSON Polygon")
    near: str | None = Field(None, max_length=100, description="longitude,latitude of a place")
    radius_m: Number = Field(None, description="Straight metres from the place")
    minutes: Number = Field(None, description="Walking minutes from the place")
    must: Several = Field((), description="category:minutes that an amenity must lie within")
    sort: str = Field(
        "id", max_length=60, description="Column, score or minutes; - before it for falling"
    )
    limit: int = Field(100, ge=1, le=1000, description="Records a page")
    after: str | None = Field(None, max_length=2000, description="`next` of the page before")
    demo: bool = Field(True, description="Whether demo records count")
    facets: bool = Field(True, description="Whether choices are counted")
    format: Format = Field("json", description="The whole result as a file, when not json")
    v: str | None = Field(None, max_length=200, description="State of the data, for caching")
    lang: str | None = Field(None, max_length=10)

    def to_search(self) -> SpaceSearch:
        """Return the question.

        Raises
        ------
        InputError
            When a place, date or amenity cannot be read.
        """
        flags = {name: getattr(self, name) for name in ("water", "gas", "exhaust")}
        plain: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "kind", "stage", "industry", "unit", "town", "role", "zone", "level", "status",
                "incubator", "lab_grade", "service",
            )
        }  # fmt: skip
        return SpaceSearch(
            text=(self.text or "").strip(),
            area_m2=(self.min_area_m2, self.max_area_m2),
            rent_cny_m2_month=(self.min_rent_cny_m2_month, self.max_rent_cny_m2_month),
            clear_height_m=(self.min_clear_height_m, None),
            floor_load_kn_m2=(self.min_floor_load_kn_m2, None),
            power_kw=(self.min_power_kw, None),
            **plain,
            **{name: () if flag is None else (str(flag).lower(),) for name, flag in flags.items()},
            available_by=parse_day(self.available_by, "available_by"),
            term_months=self.term_months,
            bbox=read_bbox(self.bbox),
            polygon=self.polygon or "",
            near=read_place(self.near),
            radius_m=self.radius_m,
            minutes=self.minutes,
            must=dict(map(read_must, self.must)),
            sort=self.sort,
            limit=self.limit,
            after=self.after,
            demo=self.demo,
            facets=self.facets,
        )


SEVERAL = {
    name for name, field in SpaceAsked.model_fields.items() if isinstance(field.default, tuple)
}


def _declared(model: type[BaseModel]) -> Iterator[dict[str, Any]]:
    """Describe the fields of a model as query parameters."""
    for name, schema in model.model_json_schema()["properties"].items():
        said = {"name": name, "in": "query", "required": False, "schema": schema}
        yield {**said, "description": schema["description"]} if "description" in schema else said


def read_place(text: str | None) -> tuple[float, float] | None:
    """Return the longitude and latitude of a place.

    >>> read_place("120.7,28")
    (120.7, 28.0)
    >>> read_place("here")
    Traceback (most recent call last):
    geo.errors.InputError: near: 'here' is not longitude,latitude in degrees
    """
    if not text:
        return None
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"near: {text[:60]!r} is not longitude,latitude in degrees") from error
    return lon, lat


def read_must(text: str) -> tuple[str, float]:
    """Return a category of amenities and the minutes within which one must lie.

    >>> read_must("transport:10")
    ('transport', 10.0)
    """
    category, _, minutes = text.partition(":")
    try:
        return category, float(minutes)
    except ValueError as error:
        raise InputError(f"must: {text[:60]!r} is not category:minutes") from error


def read_asked(given: Iterable[tuple[str, str]]) -> SpaceAsked:
    """Return what a query asks.

    Parameters
    ----------
    given
        Its names and values.

    Raises
    ------
    InputError
        When a name is not known.
    RequestValidationError
        When a value is not of its kind.
    """
    asked: dict[str, Any] = {}
    for name, value in given:
        if name in SEVERAL:
            asked.setdefault(name, []).append(value)
        else:
            asked[name] = value
    refuse_names(asked, SpaceAsked.model_fields)
    try:
        return SpaceAsked.model_validate(asked)
    except ValidationError as error:
        faults = [{**one, "loc": ("query", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(faults) from error


# The parameters are read here and not by the framework, whose reading takes longer than the search.
@router.get("/spaces", openapi_extra={"parameters": list(_declared(SpaceAsked))})
def get_spaces(request: Request) -> Response:
    """Search spaces: GeoJSON with `total`, `facets` and, until the end, `next`."""
    asked = read_asked(request.query_params.multi_items())
    search = asked.to_search()
    if asked.format != "json":
        return _send_file(open_request_store(request), search, asked.format)
    if search.walks:  # which takes longer to work out than to find again
        return respond_result(request, lambda store: ask_spaces(store, search), media_type=GEOJSON)
    store = open_request_store(request)
    return _answer(request, store, space_table(store), search)


def _answer(request: Request, store: Store, table: SpaceTable, search: SpaceSearch) -> Response:
    def make() -> bytes:
        return to_bytes(ask_spaces(store, search, table=table).to_json())

    state = (store.lens, table.token)
    return answer(request, store, make, state=state, media_type=GEOJSON, headers=ALWAYS)


class AnswerAtOnce:
    """Answers most searches before everything else: its way takes longer than they do.

    What may last (walks, files, spaces that have to be read first), scenarios and whatever is wrong
    go on to the router, which answers them as everything else.

    Parameters
    ----------
    app
        What stands behind.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or ask what stands behind."""
        found: ASGIApp | None = None
        if scope["type"] == "http" and scope["path"] == _PATH and scope["method"] == "GET":
            with suppress(HatchmapError, RequestValidationError):
                found = _answer_at_once(Request(scope, receive))
        await (found or self._app)(scope, receive, send)


_PATH = "/api/spaces"


def _answer_at_once(request: Request) -> ASGIApp | None:
    store = request.app.state.store.opened()
    table = None if store is None else table_at_hand(store)
    if table is None or PARAMETER in request.query_params:
        return None
    asked = read_asked(request.query_params.multi_items())
    search = asked.to_search()
    if asked.format != "json" or search.walks:
        return None
    found = _answer(request, store, table, search)
    packs = "gzip" in request.headers.get("accept-encoding", "")
    return Pack(found) if packs else found


@router.get("/spaces/{space}")
def get_space(request: Request, space: Annotated[str, Path(max_length=200)]) -> Response:
    """Return one space as a GeoJSON feature, with what lies around it."""
    days = request.app.state.settings.stale_days
    return respond_result(
        request, lambda store: ask_space_facts(store, space, stale_days=days), media_type=GEOJSON
    )


def _send_file(store: Store, search: SpaceSearch, kind: str) -> Response:
    """Send everything that suits as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = File(folder) / f"spaces.{kind}"
        write_spaces(store, search, path)
        body = path.read_bytes()
    day = dt.datetime.now(tz=dt.UTC).date().isoformat()
    name = f'attachment; filename="spaces-{day}.{kind}"'
    return Response(body, media_type=_MEDIA[kind], headers={"Content-Disposition": name})
