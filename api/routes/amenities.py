"""The board of the 15-minute tests: pass rates, the checks behind them, pages and files."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import GEOJSON, respond, respond_result
from api.params import Lang, refuse_unknown
from api.questions.amenity_board import ask_amenity_board, ask_amenity_records
from api.questions.gaps import ask_gaps
from api.routes.board import Demo, Format, Key, Text, Unit, respond_sheets
from api.routes.pages import Framer, draw_page
from api.views import ground, read_city
from layers.store import Store
from layers.workbook import Sheet
from web.amenities import (
    amenities_page,
    amenity_features,
    amenity_records_page,
    amenity_sheets,
    check_sheet,
)
from web.words import words

api = APIRouter(prefix="/api/amenities", tags=["amenities"], dependencies=[Depends(refuse_unknown)])
pages = APIRouter(include_in_schema=False)

Test = Annotated[
    Literal["compliance", "planning"] | None,
    Query(description="The circle of the standard, or the walk; both where not given"),
]
Profile = Annotated[str | None, Query(max_length=50, description="Who walks; as the rules say")]


@api.get("/board")
def get_board(
    request: Request, unit: Unit = None, profile: Profile = None, *, demo: Demo = True
) -> Response:
    """Tell how many incubators pass each 15-minute test, by unit and by check."""
    return respond_result(
        request, lambda store: ask_amenity_board(store, unit=unit, profile=profile, demo=demo)
    )


@api.get("/records")
def get_records(
    request: Request,
    test: Test = None,
    category: Key = None,
    unit: Unit = None,
    incubator: Annotated[str | None, Query(max_length=200, description="Id of one")] = None,
    profile: Profile = None,
    *,
    demo: Demo = True,
) -> Response:
    """List the checks behind a figure: how many are reached, the nearest, minutes or metres."""
    return respond_result(
        request,
        lambda store: ask_amenity_records(
            store,
            test=test,
            category=category,
            unit=unit,
            incubator=incubator,
            profile=profile,
            demo=demo,
        ),
    )


@pages.get("/amenities")
def draw_amenities(
    request: Request,
    lang: Lang,
    profile: Text = "",
    map_: Annotated[str, Query(alias="map", max_length=100)] = "",
) -> Response:
    """Draw the two tests of the 15-minute zone."""

    def draw(store: Store, frame: Framer) -> str:
        board = ask_amenity_board(store, profile=profile or None)
        return amenities_page(
            board.to_json(),
            frame=frame(demo_counted=board.demo_counted),
            categories=_categories(store),
            gaps=ask_gaps(store, profile=profile or None).to_json(),
            roles=read_city(store).get("roles", ()),
            chosen={"map": map_, "profile": profile},
            ground=ground(store, frame.settings, lang=lang),
        )

    return draw_page(request, lang, draw)


def _read_asked(
    test: Text = "",
    category: Text = "",
    unit: Text = "",
    incubator: Annotated[str, Query(max_length=200)] = "",
    profile: Text = "",
) -> dict[str, Any]:
    """Read which checks a page asks for; what is empty is not asked."""
    given = {
        "test": test,
        "category": category,
        "unit": unit,
        "incubator": incubator,
        "profile": profile,
    }
    return {name: value or None for name, value in given.items()}


Asked = Annotated[dict[str, Any], Depends(_read_asked)]


@pages.get("/amenities/records")
def draw_records(request: Request, lang: Lang, asked: Asked) -> Response:
    """Draw the checks behind a figure."""

    def draw(store: Store, frame: Framer) -> str:
        found = ask_amenity_records(store, **asked)
        return amenity_records_page(
            found.to_json(),
            frame=frame(demo_counted=found.demo_counted),
            categories=_categories(store),
            query=asked,
        )

    return draw_page(request, lang, draw)


@pages.get("/amenities/records/export")
def export_records(
    request: Request, lang: Lang, asked: Asked, format_: Format = "xlsx"
) -> Response:
    """Write the checks behind a figure as a file."""

    def make(store: Store) -> list[Sheet]:
        found = ask_amenity_records(store, **asked).to_json()
        return [check_sheet(found, _categories(store), words(lang))]

    return respond_sheets(request, make, kind=format_, name="amenity-records", lang=lang)


@pages.get("/amenities/export")
def export_amenities(
    request: Request,
    lang: Lang,
    profile: Text = "",
    format_: Annotated[Literal["xlsx", "csv", "geojson"], Query(alias="format")] = "xlsx",
) -> Response:
    """Write the board as a file: all its tables as XLSX, the incubators as CSV or GeoJSON."""

    def ask(store: Store) -> dict[str, Any]:
        return ask_amenity_board(store, profile=profile or None).to_json()

    if format_ == "geojson":
        headers = {"Content-Disposition": 'attachment; filename="amenities.geojson"'}
        return respond(
            request, lambda store: amenity_features(ask(store)), media_type=GEOJSON, headers=headers
        )
    return respond_sheets(
        request,
        lambda store: amenity_sheets(ask(store), _categories(store), words(lang)),
        kind=format_,
        name="amenities",
        lang=lang,
    )


def _categories(store: Store) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = store.rules("amenities").body["categories"]
    return found


router = APIRouter()
router.include_router(api)
router.include_router(pages)
