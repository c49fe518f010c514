"""Which spaces suit: filters, counts beside every choice, order, pages, and what to relax."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson

from geo.areas import metres_from, read_area, within_area
from geo.columns import Floats, Order, Rows, sort_rows
from geo.errors import Fault, InputError, NotFoundError
from geo.spacefinder import (
    AllOf,
    AnyOf,
    Filter,
    Found,
    Relaxation,
    Rowwise,
    Within,
    find,
    text_filter,
)
from layers.catalog import layer as find_layer
from layers.columns import SpaceTable, space_table
from layers.placeminutes import MAX_MINUTES, minutes_from, minutes_to
from layers.query import Bounds
from layers.store import Store
from layers.walking import WalkWorld, walk_world

Ends = tuple[float | None, float | None]

MAX_TEXT, MAX_WORDS, MAX_CHOICES, MAX_LIMIT = 200, 8, 100, 1000
MAX_RADIUS_M = 200_000.0
_ANY: Ends = (None, None)

# Filter → column. The counts beside the choices stand under the column's name.
CHOICES: Mapping[str, str] = {
    "kind": "kind", "stage": "stages", "industry": "industries", "unit": "unit", "town": "town",
    "level": "level", "status": "status", "incubator": "incubator", "lab_grade": "lab_grade",
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
    "floor_load_kn_m2", "power_kw", "available_from", "confirmed_on", "minutes",
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
    kind, stage, industry, unit, town, level, status, incubator, lab_grade, water, gas, exhaust
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
    def seal(self) -> str:
        """A fingerprint of the question: a cursor is of one question only."""
        asked = asdict(replace(self, after=None, limit=1, facets=True))
        body = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS, default=str)
        return blake2b(body, digest_size=8).hexdigest()


@dataclass(frozen=True, eq=False)
class SpacePage:
    """A page of spaces.

    Parameters
    ----------
    features
        GeoJSON features, each already written.
    minutes
        Walking minutes from the place asked, beside each feature; None where not asked.
    total
        How many spaces suit.
    next
        Cursor of the next page; None at the end.
    facets
        Count by column and value, each with the other filters applied.
    relax
        Where nothing suits: which filters to let go, and what that brings.
    notes
        What could not be answered as asked, in Chinese and English.
    demo_counted
        Whether demo records are among the spaces that suit.
    rules
        Name and version of the rules used.
    rows
        All records that suit, in order; only where a whole export was asked for.
    """

    features: tuple[bytes, ...]
    minutes: tuple[float, ...] | None
    total: int
    next: str | None
    facets: Mapping[str, Mapping[str, int]] | None
    relax: tuple[Relaxation, ...]
    notes: tuple[Mapping[str, str], ...]
    demo_counted: bool
    rules: Mapping[str, Any] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return a GeoJSON feature collection as `orjson` writes it."""
        body: dict[str, Any] = {
            "type": "FeatureCollection",
            "total": self.total,
            "features": [orjson.Fragment(feature) for feature in self.features],
            "demo_counted": self.demo_counted,
        }
        if self.minutes is not None:
            body["minutes"] = list(self.minutes)
        if self.facets is not None:
            body["facets"] = self.facets
        if self.relax:
            body["relax"] = [one.to_json() for one in self.relax]
        if self.notes:
            body["notes"] = list(self.notes)
        if self.rules:
            body["rule"] = dict(self.rules)
        if self.next is not None:
            body["next"] = self.next
        return body


def ask_spaces(store: Store, search: SpaceSearch) -> SpacePage:
    """Find the spaces that suit.

    Parameters
    ----------
    store
        The store.
    search
        What is asked.

    Raises
    ------
    InputError
        With every fault of the question, or when the cursor is of another.
    """
    hunt = hunt_spaces(store, search)
    table, found, order = hunt.table, hunt.found, hunt.order
    start = _read_cursor(table, search, order) if search.after else 0
    rows = found.page(order, start=start, limit=search.limit + 1)
    more = len(rows) > search.limit
    rows = rows[: search.limit]
    return SpacePage(
        features=tuple(table.feature(row) for row in rows.tolist()),
        minutes=None if hunt.minutes is None else _rounded(hunt.minutes[rows]),
        total=found.total,
        next=_write_cursor(table, search, order, int(rows[-1])) if more else None,
        facets={column: found.facet(column, name) for column, name in FACETS.items()}
        if search.facets
        else None,
        relax=found.relaxed() if search.facets and not found.total else (),
        notes=hunt.notes,
        demo_counted=bool(table.demo[found.rows].any()) or hunt.demo,
        rules=hunt.rules,
    )


def ask_space(store: Store, key: str) -> dict[str, Any]:
    """Return one space as a GeoJSON feature of its public columns.

    Raises
    ------
    NotFoundError
        When there is none of that id.
    """
    table = space_table(store)
    row = table.columns.row_of(key)
    if row is None:
        raise NotFoundError(f"layer spaces has no record with id {key!r}")
    feature: dict[str, Any] = orjson.loads(table.feature(row))
    return feature


@dataclass(frozen=True, eq=False)
class Hunt:
    """The records of a question, before they are paged."""

    table: SpaceTable
    found: Found
    order: Order
    minutes: Floats | None
    notes: tuple[Mapping[str, str], ...]
    demo: bool
    rules: Mapping[str, Any] | None

    @property
    def rows(self) -> Rows:
        """Every record that suits, in order."""
        return self.found.page(self.order, start=0, limit=self.found.total)


def hunt_spaces(store: Store, search: SpaceSearch) -> Hunt:
    """Hold every space against a question.

    Raises
    ------
    InputError
        With every fault of the question.
    """
    check_search(search)
    table = space_table(store)
    filters = _plain_filters(table, search)
    world = walk_world(store) if search.minutes is not None or search.must else None
    minutes = None
    if world is not None:
        walked, minutes = _walked_filters(table, world, search)
        filters += walked
    found = find(table.columns, filters)
    name, falling = _sort_of(search)
    if name == "minutes":
        keys = minutes if minutes is not None else np.zeros(len(table.columns))
        order = sort_rows(-keys if falling else keys)
    else:
        order = table.columns.order(name, descending=falling)
    return Hunt(
        table,
        found,
        order,
        minutes,
        notes=(_NO_STREETS,) if world is not None and world.network is None else (),
        demo=world is not None and world.demo_counted,
        rules=None if world is None else {"name": "amenities", "version": world.rules_version},
    )


_NO_STREETS = {
    "key": "no_streets",
    "zh": "没有步行路网，分钟数按直线距离计算，实际更长。请导入：hatchmap import streets 文件",
    "en": "There is no street network: minutes are straight ahead and really longer. "
    "Load one: hatchmap import streets FILE",
}


def _plain_filters(table: SpaceTable, search: SpaceSearch) -> list[Filter]:
    """Return the filters that need no streets; where they lie first, as they sift most."""
    filters = [*_place_filters(table, search)]
    for name in RANGES:
        low, high = getattr(search, name)
        if low is not None or high is not None:
            ends = (-math.inf if low is None else low, math.inf if high is None else high)
            filters.append(Filter(name, (Within(name, *ends),)))
    filters += [
        Filter(name, (AnyOf(column, values),))
        for name, column in CHOICES.items()
        if (values := getattr(search, name))
    ]
    if search.service:
        filters.append(Filter("service", (AllOf("services", search.service),)))
    filters += _time_filters(search)
    if search.text:
        found = (table.find_text(word) for word in search.text.split())
        words = tuple(Rowwise(text_filter(table.columns, values)) for values in found)
        filters.append(Filter("text", words))
    if not search.demo:
        filters.append(Filter("demo", (Rowwise(~table.demo),)))
    return filters


def _place_filters(table: SpaceTable, search: SpaceSearch) -> Iterator[Filter]:
    # Asked of every different place, not of every record.
    at, lon, lat = table.places
    if search.bbox is not None:
        west, south, east, north = search.bbox
        inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        yield Filter("bbox", (Rowwise(np.append(inside, False)[at]),))
    if search.polygon:
        inside = within_area(read_area(search.polygon), lon, lat)
        yield Filter("polygon", (Rowwise(np.append(inside, False)[at]),))
    if search.near is not None and search.radius_m is not None:
        away_m = np.append(metres_from(*search.near, lon, lat), np.inf)[at]
        yield Filter("radius_m", (Rowwise(away_m <= search.radius_m),))


def _time_filters(search: SpaceSearch) -> Iterator[Filter]:
    if search.available_by is not None:
        day = float(np.datetime64(search.available_by, "D").astype(np.int64))
        yield Filter("available_by", (Within("available_from", high=day),))
    if search.term_months is not None:
        term = float(search.term_months)
        shortest = Within("min_term_months", high=term, unknown=True)
        longest = Within("max_term_months", low=term, unknown=True)
        yield Filter("term_months", (shortest, longest))


def _walked_filters(
    table: SpaceTable, world: WalkWorld, search: SpaceSearch
) -> tuple[list[Filter], Floats | None]:
    filters, minutes = [], None
    if search.near is not None and search.minutes is not None:
        minutes = minutes_from(table, world, *search.near)
        filters.append(Filter("minutes", (Rowwise(minutes <= search.minutes),)))
    for category, limit in search.must.items():
        if category not in world.categories:
            known = ", ".join(world.categories)
            raise InputError(
                f"must: category {category!r} is not in the rules; give one of {known}"
            )
        reached = minutes_to(table, world, category) <= limit
        filters.append(Filter(f"must.{category}", (Rowwise(reached),)))
    return filters, minutes


def _sort_of(search: SpaceSearch) -> tuple[str, bool]:
    name = search.sort.removeprefix("-")
    return _SHORT.get(name, name), search.sort.startswith("-")


def check_search(search: SpaceSearch) -> None:
    """Check a question.

    Raises
    ------
    InputError
        With every fault found.
    """
    faults = [*_check_ranges(search), *_check_choices(search), *_check_place(search)]
    if len(search.text) > MAX_TEXT or len(search.text.split()) > MAX_WORDS:
        fix = f"give at most {MAX_WORDS} words and {MAX_TEXT} characters"
        faults.append(Fault("text", f"has {len(search.text)} characters", fix=fix))
    name, _ = _sort_of(search)
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


def _known(column: str) -> tuple[str, ...]:
    """Return the choices of a column that has a fixed list of them."""
    if column in ("water", "gas", "exhaust"):
        return ("true", "false")
    layer = find_layer("incubators" if column == "level" else "spaces")
    return tuple(choice.value for choice in layer.column(column).choices)


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


def _rounded(minutes: Floats) -> tuple[float, ...]:
    return tuple(np.round(minutes, 1).tolist())


def _write_cursor(table: SpaceTable, search: SpaceSearch, order: Order, row: int) -> str:
    name, _ = _sort_of(search)
    value = _sort_value(table, name, row)
    if name == "minutes":
        value = float(order.keys[int(np.flatnonzero(order.rows == row)[0])])
    body = orjson.dumps([search.seal, value, table.columns.ids[row]])
    return base64.urlsafe_b64encode(body).rstrip(b"=").decode()


def _sort_value(table: SpaceTable, name: str, row: int) -> Any:
    """Return what a record is sorted by, so that a page goes on right after an edit."""
    columns = table.columns
    if name in columns.numbers:
        number = float(columns.numbers[name][row])
        return None if math.isnan(number) else number
    if name not in columns.coded:
        return float(row)
    coded = columns.coded[name]
    code = int(coded.codes[row])
    return None if code < 0 else str(coded.known[code])


def _read_cursor(table: SpaceTable, search: SpaceSearch, order: Order) -> int:
    """Return where the page after a cursor begins."""
    try:
        padded = str(search.after) + "=" * (-len(str(search.after)) % 4)
        seal, value, key = orjson.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        sealed = seal == search.seal and isinstance(key, str)
    except (binascii.Error, ValueError, TypeError) as error:
        raise InputError("after: is not a cursor; give `next` of the page before") from error
    if not sealed:
        raise InputError("after: is the cursor of another question; begin again without it")
    name, falling = _sort_of(search)
    row = table.columns.row_before(key)
    if name == "id":
        # Of a record that has gone since, falling pages go on with the one before it.
        at = row if table.columns.row_of(key) is not None else row + 0.5
        return order.after(-at if falling else float(row), row)
    if name == "minutes":
        return order.after(float(value), row)
    sort_key = table.columns.sort_key(name, value)
    return order.after(-sort_key if falling else sort_key, row)


def count_places(store: Store, search: SpaceSearch, *, most: int = 2_000) -> list[dict[str, Any]]:
    """Count the spaces that suit at each place, for the map beside the list.

    Returns
    -------
    list of dict
        `point` (longitude, latitude as a text), `lon`, `lat`, `count` and the incubator's `name`;
        the fullest `most` places.
    """
    hunt = hunt_spaces(store, search)
    table, rows = hunt.table, hunt.found.rows
    at, lon, lat = table.places
    counts = np.bincount(at[rows] + 1, minlength=len(lon) + 1)[1:]
    first = np.zeros(len(lon) + 1, dtype=np.int64)
    first[at[rows][::-1] + 1] = rows[::-1]
    chosen = np.argsort(-counts, kind="stable")[:most]
    return [
        {
            "point": f"{round(float(lon[place]), 6)},{round(float(lat[place]), 6)}",
            "lon": round(float(lon[place]), 6),
            "lat": round(float(lat[place]), 6),
            "count": int(counts[place]),
            "name": table.word("incubator_name", int(first[place + 1])),
        }
        for place in chosen.tolist()
        if counts[place]
    ]
