"""Query parameters: each is one small function that reads, checks and names what is wrong."""

from __future__ import annotations

import datetime as dt
import math
from typing import Annotated

from fastapi import Depends, Query, Request

from api.days import parse_day
from geo.errors import InputError
from layers.query import Bounds
from web.words import LANGUAGES


def read_lang(request: Request) -> str:
    """Return the language asked for: of the address, else of the cookie, else of the settings."""
    asked = request.query_params.get("lang") or request.cookies.get("lang")
    default: str = request.app.state.settings.lang
    return asked if asked in LANGUAGES else default


def read_date(
    date: Annotated[str | None, Query(description="Day to answer for, YYYY-MM-DD; today")] = None,
) -> dt.date | None:
    """Return the day to answer for.

    >>> read_date("2026-02-30")
    Traceback (most recent call last):
    geo.errors.InputError: date: '2026-02-30' is not a day; give YYYY-MM-DD
    """
    return parse_day(date, "date")


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
