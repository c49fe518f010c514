"""Which spaces suit: filters, counts beside every choice, order, pages, and what to relax."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson

from api.questions.space_names import check_names
from api.questions.space_search import CHOICES, FACETS, RANGES, SpaceSearch, check_search
from geo.areas import metres_from, read_area, within_area
from geo.columns import Floats, Order, Rows, sort_rows
from geo.errors import InputError, NotFoundError
from geo.spacefinder import (
    AllOf,
    AnyOf,
    ByCode,
    Filter,
    Found,
    Relaxation,
    Rowwise,
    Within,
    find,
)
from layers.columns import SpaceTable, space_table
from layers.placeminutes import life_scores, minutes_from, minutes_to
from layers.store import Store
from layers.walking import WalkWorld, walk_world


@dataclass(frozen=True)
class SpacePage:
    """A page of spaces.

    Parameters
    ----------
    features
        GeoJSON features, each already written.
    minutes
        Walking minutes from the place asked, beside each feature; None where not asked.
    scores
        Score of daily life beside each feature; None where not sorted by it.
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
    """

    features: tuple[bytes, ...]
    minutes: tuple[float, ...] | None
    scores: tuple[float, ...] | None
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
        if self.scores is not None:
            body["scores"] = list(self.scores)
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


def ask_spaces(store: Store, search: SpaceSearch, *, table: SpaceTable | None = None) -> SpacePage:
    """Find the spaces that suit.

    Parameters
    ----------
    store
        The store.
    search
        What is asked.
    table
        The spaces of the store as it stands now, for who has them already.

    Raises
    ------
    InputError
        With every fault of the question, or when the cursor is of another.
    """
    hunt = hunt_spaces(store, search, table=table)
    table, found, order = hunt.table, hunt.found, hunt.order
    start = _read_cursor(table, search, order) if search.after else 0
    rows = found.page(order, start=start, limit=search.limit + 1)
    more = len(rows) > search.limit
    rows = rows[: search.limit]
    return SpacePage(
        features=table.features.write(rows.tolist()),
        minutes=None if hunt.minutes is None else _rounded(hunt.minutes[rows]),
        scores=None if hunt.scores is None else _rounded(hunt.scores[rows]),
        total=found.total,
        next=_write_cursor(table, search, order, int(rows[-1])) if more else None,
        facets=found.facets(table.tally, FACETS) if search.facets else None,
        relax=_relaxed(hunt, search) if search.facets and not found.total else (),
        notes=hunt.notes,
        demo_counted=found.any_of(table.demo) or hunt.demo,
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
    (written,) = table.features.write([row])
    feature: dict[str, Any] = orjson.loads(written)
    return feature


@dataclass(frozen=True, eq=False)
class Hunt:
    """The records of a question, before they are paged."""

    table: SpaceTable
    found: Found
    order: Order
    minutes: Floats | None
    scores: Floats | None
    walks: Mapping[str, Floats]  # by filter: the minutes that it held each record against
    notes: tuple[Mapping[str, str], ...]
    demo: bool
    rules: Mapping[str, Any] | None

    @property
    def rows(self) -> Rows:
        """Every record that suits, in order."""
        return self.found.page(self.order, start=0, limit=self.found.total)


def hunt_spaces(store: Store, search: SpaceSearch, *, table: SpaceTable | None = None) -> Hunt:
    """Hold every space against a question.

    Raises
    ------
    InputError
        With every fault of the question.
    """
    table = table or space_table(store)
    check_search(search, unknown=check_names(store, table, search))
    filters = _plain_filters(table, search)
    world = walk_world(store) if search.walks else None
    name, falling = search.sorting
    walks: dict[str, Floats] = {}
    scores = None
    if world is not None:
        walks = _walks(table, world, search)
        limits = {f"must.{key}": limit for key, limit in search.must.items()}
        limits["minutes"] = search.minutes or 0.0
        filters += [Filter(one, (Rowwise(walks[one] <= limits[one]),)) for one in walks]
        scores = life_scores(table, world) if name == "score" else None
    found = find(table.columns, filters)
    minutes = walks.get("minutes")
    keys = {"minutes": minutes, "score": scores}.get(name)
    if keys is None:
        order = table.columns.order(name, descending=falling)
    else:
        order = sort_rows(-keys if falling else keys)
    return Hunt(
        table,
        found,
        order,
        minutes,
        scores,
        walks,
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
        words = [piece for word in search.text.split() for piece in table.part_word(word)]
        filters.append(Filter("text", tuple(map(table.find_text, words))))
    if not search.demo:
        filters.append(Filter("demo", (Rowwise(~table.demo),)))
    return filters


def _place_filters(table: SpaceTable, search: SpaceSearch) -> Iterator[Filter]:
    if search.bbox is not None:
        west, south, east, north = search.bbox
        yield Filter("bbox", (Within("lon", west, east), Within("lat", south, north)))
    # Asked of every different place, not of every record.
    _, lon, lat = table.places
    if search.polygon:
        inside = within_area(read_area(search.polygon), lon, lat)
        yield Filter("polygon", (ByCode((table.at_places(inside),)),))
    if search.near is not None and search.radius_m is not None:
        inside = metres_from(*search.near, lon, lat) <= search.radius_m
        yield Filter("radius_m", (ByCode((table.at_places(inside),)),))


def _time_filters(search: SpaceSearch) -> Iterator[Filter]:
    if search.available_by is not None:
        day = float(np.datetime64(search.available_by, "D").astype(np.int64))
        yield Filter("available_by", (Within("available_from", high=day),))
    if search.term_months is not None:
        term = float(search.term_months)
        shortest = Within("min_term_months", high=term, unknown=True)
        longest = Within("max_term_months", low=term, unknown=True)
        yield Filter("term_months", (shortest, longest))


def _walks(table: SpaceTable, world: WalkWorld, search: SpaceSearch) -> dict[str, Floats]:
    """Return the walking minutes that filters ask of every record, by filter."""
    walks = {}
    if search.near is not None and search.minutes is not None:
        walks["minutes"] = minutes_from(table, world, *search.near)
    return walks | {f"must.{key}": minutes_to(table, world, key) for key in search.must}


def _relaxed(hunt: Hunt, search: SpaceSearch) -> tuple[Relaxation, ...]:
    """Tell what to let go; of a walk or a circle also the nearest amount that would do."""
    amounts = dict(hunt.walks)
    if search.near is not None and search.radius_m is not None:
        at, lon, lat = hunt.table.places
        amounts["radius_m"] = np.append(metres_from(*search.near, lon, lat), np.inf)[at]
    number = {one.name: at for at, one in enumerate(hunt.found.filters)}

    def measured(way: Relaxation) -> Relaxation:
        name = way.filters[0]
        if len(way.filters) > 1 or name not in amounts:
            return way
        least = float(amounts[name][hunt.found.fails == number[name]].min())
        return replace(way, nearest=least) if math.isfinite(least) else way

    return tuple(map(measured, hunt.found.relaxed()))


def _rounded(minutes: Floats) -> tuple[float, ...]:
    return tuple(np.round(minutes, 1).tolist())


def _write_cursor(table: SpaceTable, search: SpaceSearch, order: Order, row: int) -> str:
    name, _ = search.sorting
    value = _sort_value(table, name, row)
    if name in ("minutes", "score"):
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
    name, falling = search.sorting
    row = table.columns.row_before(key)
    if name == "id":
        # Of a record that has gone since, falling pages go on with the one before it.
        at = row if table.columns.row_of(key) is not None else row + 0.5
        return order.after(-at if falling else float(row), row)
    if name in ("minutes", "score"):
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
