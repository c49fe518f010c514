"""Query parameters: each is one small function that reads, checks and names what is wrong."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Iterable
from typing import Annotated

from fastapi import Depends, Query, Request

from api.days import parse_day
from geo.errors import Fault, InputError
from layers.query import Bounds
from web.words import LANGUAGES

# The language, the state of the store that an address is pinned to, and the scenario asked.
_ANYWHERE = ("lang", "v", "scenario")


def read_lang(request: Request) -> str:
    """Return the language asked for: of the address, else of the cookie, else of the settings."""
    asked = request.query_params.get("lang") or request.cookies.get("lang")
    default: str = request.app.state.settings.lang
    return asked if asked in LANGUAGES else default


def refuse_unknown(request: Request) -> None:
    """Refuse query parameters that the route does not read: an answer to less would mislead.

    Raises
    ------
    InputError
        When there is any.
    """
    paths = request.app.openapi()["paths"]
    declared = paths.get(request.scope["route"].path_format, {}).get("get", {})
    known = [one["name"] for one in declared.get("parameters", ()) if one["in"] == "query"]
    refuse_names(request.query_params, known)


def refuse_names(given: Iterable[str], known: Collection[str]) -> None:
    """Refuse names of parameters that are not known.

    Raises
    ------
    InputError
        When there is any; the message lists those that are.
    """
    unknown = sorted({*given}.difference(known, _ANYWHERE))
    if unknown:
        offered = ", ".join(known) or "none"
        faults = [Fault(name, "is not read here", None, f"give of {offered}") for name in unknown]
        names = ", ".join(name[:40] for name in unknown)
        raise InputError(f"query {names}: is not read here; parameters: {offered}", faults)


def read_date(
    date: Annotated[str | None, Query(description="Day to answer for, YYYY-MM-DD; today")] = None,
    as_of: Annotated[str | None, Query(description="The same as date")] = None,
) -> dt.date | None:
    """Return the day to answer for.

    >>> read_date("2026-02-30")
    Traceback (most recent call last):
    geo.errors.InputError: date: '2026-02-30' is not a day; give YYYY-MM-DD
    """
    if date and as_of and date != as_of:
        raise InputError(f"date {date[:40]!r} and as_of {as_of[:40]!r} differ; give one of them")
    return parse_day(date, "date") or parse_day(as_of, "as_of")


def read_bbox(
    bbox: Annotated[
        str | None, Query(description="west,south,east,north in WGS-84 degrees")
    ] = None,
) -> Bounds | None:
    """Return a box of degrees.

    >>> read_bbox("120,27,121,28")
    (120.0, 27.0, 121.0, 28.0)
    >>> read_bbox("121,27,120,28")
    Traceback (most recent call last):
    geo.errors.InputError: bbox: '121,27,120,28' is not west,south,east,north in degrees
    """
    if not bbox:
        return None
    try:
        west, south, east, north = (float(part) for part in bbox.split(","))
    except ValueError:
        west = south = east = north = math.nan
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError(f"bbox: {bbox[:60]!r} is not west,south,east,north in degrees")
    return west, south, east, north


def read_minutes(
    minutes: Annotated[str, Query(description="Walking minutes, parted by commas")] = "5,10,15",
) -> tuple[float, ...]:
    """Return walking limits in minutes.

    >>> read_minutes("5,10")
    (5.0, 10.0)
    """
    try:
        return tuple(float(part) for part in minutes.split(","))
    except ValueError as error:
        raise InputError(
            f"minutes: {minutes[:60]!r} are not numbers; give such as 5,10,15"
        ) from error


Lang = Annotated[str, Depends(read_lang)]
Day = Annotated[dt.date | None, Depends(read_date)]
Box = Annotated[Bounds | None, Depends(read_bbox)]
Minutes = Annotated[tuple[float, ...], Depends(read_minutes)]
