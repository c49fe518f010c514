"""The questions over HTTP: each route asks one function of `api.questions`."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from api.answers import GEOJSON, respond_result
from api.params import Day, Minutes, refuse_unknown
from api.questions.amenities import ask_amenities
from api.questions.check import ask_check
from api.questions.coverage import (
    ask_industry_coverage,
    ask_town_coverage,
)
from api.questions.gaps import ask_gaps
from api.questions.reach import ask_reach
from api.questions.unit_coverage import ask_unit_coverage

router = APIRouter(prefix="/api", dependencies=[Depends(refuse_unknown)])

Unit = Annotated[str | None, Query(max_length=100, description="Name of a reporting unit")]
Demo = Annotated[bool, Query(description="Whether demo records count")]
Id = Annotated[str, Path(max_length=200)]


@router.get("/coverage/towns", tags=["coverage"])
def get_town_coverage(
    request: Request, day: Day, unit: Unit = None, *, demo: Demo = True
) -> Response:
    """Tell which industrial towns have an incubator (一镇一器), and the evidence."""
    return respond_result(
        request, lambda store: ask_town_coverage(store, as_of=day, unit=unit, demo=demo)
    )


@router.get("/coverage/industries", tags=["coverage"])
def get_industry_coverage(
    request: Request, day: Day, unit: Unit = None, *, demo: Demo = True
) -> Response:
    """Tell which key industries have an incubator (一产一器), in the city and in each unit."""
    return respond_result(
        request, lambda store: ask_industry_coverage(store, as_of=day, unit=unit, demo=demo)
    )


@router.get("/coverage/units", tags=["coverage"])
def get_unit_coverage(
    request: Request, day: Day, unit: Unit = None, *, demo: Demo = True
) -> Response:
    """Tell how each unit stands on the counted goals of the plan."""
    return respond_result(
        request, lambda store: ask_unit_coverage(store, as_of=day, unit=unit, demo=demo)
    )


@router.get("/check", tags=["data"])
def get_check(request: Request) -> Response:
    """Check the data: what is wrong or doubtful in them."""
    return respond_result(request, ask_check)


Test = Annotated[
    Literal["both", "compliance", "planning"],
    Query(description="The circle of the standard, walking minutes on streets, or both"),
]
Profile = Annotated[str | None, Query(max_length=50, description="Who walks; as the rules say")]


@router.get("/amenities", tags=["amenities"])
def get_amenities(
    request: Request, test: Test = "both", profile: Profile = None, *, demo: Demo = True
) -> Response:
    """Tell what lies around each incubator: both 15-minute tests, never mixed."""
    return respond_result(
        request, lambda store: ask_amenities(store, test=test, profile=profile, demo=demo)
    )


@router.get("/amenities/gaps", tags=["amenities"])
def get_gaps(
    request: Request,
    profile: Profile = None,
    each: Annotated[int, Query(ge=1, le=100, description="Additions a category")] = 10,
) -> Response:
    """Tell what is missing within a walk, by unit, and which additions would mend most."""
    return respond_result(request, lambda store: ask_gaps(store, profile=profile, each=each))


@router.get("/incubators/{incubator}/amenities", tags=["amenities"])
def get_incubator_amenities(
    request: Request,
    incubator: Id,
    test: Test = "both",
    profile: Profile = None,
    *,
    demo: Demo = True,
) -> Response:
    """Tell what lies around one incubator."""
    return respond_result(
        request,
        lambda store: ask_amenities(
            store, incubator=incubator, test=test, profile=profile, demo=demo
        ),
    )


@router.get("/reach", tags=["amenities"])
def get_reach(
    request: Request,
    minutes: Minutes,
    lon: Annotated[float, Query(description="Longitude, WGS-84 degrees")],
    lat: Annotated[float, Query(description="Latitude, WGS-84 degrees")],
    profile: Profile = None,
) -> Response:
    """Draw where one gets on foot from a place, and count what lies there."""
    return respond_result(
        request,
        lambda store: ask_reach(store, lon, lat, minutes=minutes, profile=profile),
        media_type=GEOJSON,
    )
