"""What can be asked of the spaces, and what of it makes no sense."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import blake2b

import orjson

from geo.areas import read_area
from geo.errors import Fault, InputError
from layers.catalog import layer as find_layer
from layers.placeminutes import MAX_MINUTES
from layers.query import Bounds
from layers.spaceparts import DERIVED

Ends = tuple[float | None, float | None]

MAX_TEXT, MAX_WORDS, MAX_CHOICES, MAX_LIMIT = 200, 8, 100, 1000
MAX_RADIUS_M = 200_000.0
_ANY: Ends = (None, None)

# Filter → column. The counts beside the choices stand under the column's name.
CHOICES: Mapping[str, str] = {
    "kind": "kind", "stage": "stages", "industry": "industries", "unit": "unit", "town": "town",
    "role": "role", "zone": "zones", "level": "level", "status": "status",
    "incubator": "incubator", "lab_grade": "lab_grade",
    "water": "water", "gas": "gas", "exhaust": "exhaust",
}  # fmt: skip
RANGES = (
    "area_m2", "rent_cny_m2_month", "clear_height_m", "floor_load_kn_m2", "power_kw",
)  # fmt: skip
FACETS: Mapping[str, str] = {
    column: name for name, column in CHOICES.items() if name != "incubator"
} | {"services": "service"}
SORTS = (
    "id", "name", "unit", "kind", "status", "area_m2", "rent_cny_m2_month", "clear_height_m",
    "floor_load_kn_m2", "power_kw", "available_from", "confirmed_on", "score", "minutes",
)  # fmt: skip
# Short names that people type.
_SHORT = {"rent": "rent_cny_m2_month", "area": "area_m2", "date": "available_from"}


@dataclass(frozen=True)
class SpaceSearch:
    """What is asked of the spaces; every filter given must hold.

    Parameters
    ----------
    text
        Words, each anywhere in name, industry, address, town, unit or incubator: as written, in
        pinyin, or by the initials of the pinyin.
    area_m2, rent_cny_m2_month, clear_height_m, floor_load_kn_m2, power_kw
        From and to, both included; None for an open end.
    kind, stage, industry, unit, town, role, zone, level, status, incubator, lab_grade, water, gas,
    exhaust
        Any of these values.
    service
        All of these services.
    available_by
        Can be moved into on this day.
    term_months
        A term that is let.
    bbox
        West, south, east, north in degrees.
    polygon
        A drawn area as GeoJSON.
    near
        Longitude and latitude of a place.
    radius_m
        Straight distance from it.
    minutes
        Walking minutes from it.
    must
        Category of amenities to the walking minutes within which one must lie.
    sort
        One of `SORTS`; `-` before it for falling.
    limit, after
        Page size, and `next` of the page before.
    demo
        Whether demo records count.
    facets
        Whether choices are counted.
    """

    text: str = ""
    area_m2: Ends = _ANY
    rent_cny_m2_month: Ends = _ANY
    clear_height_m: Ends = _ANY
    floor_load_kn_m2: Ends = _ANY
    power_kw: Ends = _ANY
    kind: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    industry: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    town: tuple[str, ...] = ()
    role: tuple[str, ...] = ()
    zone: tuple[str, ...] = ()
    level: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    incubator: tuple[str, ...] = ()
    lab_grade: tuple[str, ...] = ()
    water: tuple[str, ...] = ()
    gas: tuple[str, ...] = ()
    exhaust: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    available_by: dt.date | None = None
    term_months: int | None = None
    bbox: Bounds | None = None
    polygon: str = ""
    near: tuple[float, float] | None = None
    radius_m: float | None = None
    minutes: float | None = None
    must: Mapping[str, float] = field(default_factory=dict)
    sort: str = "id"
    limit: int = 100
    after: str | None = None
    demo: bool = True
    facets: bool = True

    @property
    def walks(self) -> bool:
        """Whether the answer needs walking minutes, which may take a while to work out."""
        return self.minutes is not None or bool(self.must) or self.sorting[0] == "score"

    @property
    def seal(self) -> str:
        """A fingerprint of the question: a cursor is of one question only."""
        asked = {**vars(self), "after": None, "limit": 1, "facets": True}
        body = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS, default=str)
        return blake2b(body, digest_size=8).hexdigest()

    @property
    def sorting(self) -> tuple[str, bool]:
        """The column sorted by, and whether it falls."""
        name = self.sort.removeprefix("-")
        return _SHORT.get(name, name), self.sort.startswith("-")


def check_search(search: SpaceSearch, *, unknown: Iterable[Fault] = ()) -> None:
    """Check a question.

    Parameters
    ----------
    search
        What is asked.
    unknown
        The names in it that the city does not know.

    Raises
    ------
    InputError
        With every fault found.
    """
    faults = [*_check_ranges(search), *_check_choices(search), *unknown, *_check_place(search)]
    if len(search.text) > MAX_TEXT or len(search.text.split()) > MAX_WORDS:
        fix = f"give at most {MAX_WORDS} words and {MAX_TEXT} characters"
        faults.append(Fault("text", f"has {len(search.text)} characters", fix=fix))
    name, _ = search.sorting
    if name not in SORTS:
        faults.append(Fault("sort", "is not known", search.sort, f"give one of {', '.join(SORTS)}"))
    if name == "minutes" and search.minutes is None:
        faults.append(Fault("sort", "needs minutes from a place", fix="give near and minutes"))
    if not 1 <= search.limit <= MAX_LIMIT:
        faults.append(Fault("limit", "is no page size", search.limit, f"give 1 to {MAX_LIMIT}"))
    if faults:
        raise InputError("; ".join(map(str, faults)), faults)
    if search.polygon:
        read_area(search.polygon)


def _check_ranges(search: SpaceSearch) -> list[Fault]:
    faults = []
    for name in RANGES:
        low, high = getattr(search, name)
        faults += [
            Fault(name, "is no amount", end, "give a number from 0 up")
            for end in (low, high)
            if end is not None and not (math.isfinite(end) and end >= 0)
        ]
        if low is not None and high is not None and low > high:
            fix = f"give the smaller number first: {high:g} to {low:g}"
            faults.append(Fault(name, "runs backwards", f"{low:g} to {high:g}", fix))
    term = search.term_months
    if term is not None and not 1 <= term <= 1200:
        faults.append(Fault("term_months", "is no term", term, "give 1 to 1200 months"))
    return faults


def _check_choices(search: SpaceSearch) -> list[Fault]:
    faults = []
    for name, column in {**CHOICES, "service": "services"}.items():
        values = getattr(search, name)
        if len(values) > MAX_CHOICES:
            faults.append(Fault(name, "too many values", len(values), f"at most {MAX_CHOICES}"))
        known = _known(column)
        for value in values[:MAX_CHOICES]:
            if known and value not in known:
                fix = f"give one of {', '.join(known)}"
                faults.append(Fault(name, "is not a choice", value[:60], fix))
    return faults


@cache
def _known(column: str) -> tuple[str, ...]:
    """Return the choices of a column that has a fixed list of them."""
    if column in ("water", "gas", "exhaust"):
        return ("true", "false")
    own = find_layer("spaces").columns
    declared = next((one for one in (*own, *DERIVED) if one.name == column), None)
    return () if declared is None else tuple(choice.value for choice in declared.choices)


def _check_place(search: SpaceSearch) -> list[Fault]:
    faults = []
    if search.near is not None:
        lon, lat = search.near
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            faults.append(Fault("near", "is no place", search.near, "give longitude,latitude"))
    for name, most in (("radius_m", MAX_RADIUS_M), ("minutes", MAX_MINUTES)):
        value = getattr(search, name)
        if value is None:
            continue
        if not 0 < value <= most:
            faults.append(
                Fault(name, "is out of range", value, f"give more than 0, at most {most:g}")
            )
        if search.near is None:
            faults.append(Fault(name, "needs a place", value, "give near=longitude,latitude"))
    for category, limit in search.must.items():
        if not 0 < limit <= MAX_MINUTES:
            fix = f"give more than 0, at most {MAX_MINUTES:g} minutes"
            faults.append(Fault("must", f"{category} is out of range", limit, fix))
    return faults
