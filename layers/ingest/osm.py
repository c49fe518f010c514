"""OpenStreetMap extracts read into the frames of the layers `streets` and `amenities`.

Streets are the ways that one may walk on, cut nowhere: they meet where they share a node, so that
a bridge does not meet the road below it. Outlines of squares are walked along as lines. Amenities
are points; an area gives one that surely lies on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import geopandas as gpd
import osmium
import pandas as pd
import shapely
from osmium.filter import EntityFilter, KeyFilter
from osmium.osm import NODE, RELATION, WAY

from geo.crs import STORED_CRS
from geo.errors import InputError
from layers.ingest.lines import read_lines
from layers.ingest.osm_tags import (
    Rules,
    TagIndex,
    Tags,
    find_direction,
    is_shut,
    is_tagged,
)
from layers.pack import load_pack
from layers.schema import conform

__all__ = ["default_rules", "read_amenities", "read_lines", "read_streets"]

Progress = Callable[[str, float], None]

_TOLD_EVERY = 50_000  # objects between two calls of `progress`
_GAP_DEG = 1e-6  # half the gap at a node that stops walkers: a tenth of a metre
_NAMES = ("name:zh", "name", "name:en")
_ADDRESS_PARTS = ("addr:city", "addr:district", "addr:street", "addr:housenumber")


@cache
def default_rules() -> Mapping[str, Any]:
    """Return the body of the rules `osm` that come with the program."""
    return load_pack("none").rules["osm"][0]


def read_streets(
    path: str | Path, *, rules: Rules | None = None, progress: Progress | None = None
) -> gpd.GeoDataFrame:
    """Read the streets that one may walk on.

    Parameters
    ----------
    path
        An extract: `.osm.pbf`, or another form that osmium knows by the name of the file.
    rules
        Body of the rules `osm`; those that come with the program when None.
    progress
        Called now and then with a stage and the share done; may raise `CancelledError`.

    Returns
    -------
    GeoDataFrame
        The layer `streets`, EPSG:4490 (WGS-84 is taken as equal), ids `osm-w…` by way number.
        Of a way that the edge of the extract cuts, the parts inside.

    Raises
    ------
    InputError
        When the file is no extract, is cut off, or holds no street to walk on.
    """
    wanted = (rules or default_rules())["streets"]
    keys = {"highway", "route", *wanted["open_others"]}
    with _readable(path):
        squares, shut = _squares(path), _shut_nodes(path, wanted)
        found = [
            row
            for way in _told(_ways(path, keys, set(squares)), "reading streets", progress)
            if (row := _street(way, squares.get(way.id, {}), shut, wanted))
        ]
        as_of = _date_of(path)
    if not found:
        raise InputError(
            f"{path}: holds no street to walk on; give an extract of a place with streets, or see "
            "the rules 'osm'"
        )
    return _frame("streets", found, as_of)


def read_amenities(
    path: str | Path, *, rules: Rules | None = None, progress: Progress | None = None
) -> gpd.GeoDataFrame:
    """Read the amenities of the categories and cultural kinds that the rules name.

    Parameters
    ----------
    path, rules, progress
        As `read_streets` takes them.

    Returns
    -------
    GeoDataFrame
        The layer `amenities`, EPSG:4490, all tags kept; ids `osm-n…`, `osm-w…` or `osm-r…` by the
        number of the node, way or relation. Areas give a point on their surface; an area that the
        edge of the extract cuts gives one on the part of its outline inside, or is left out.

    Raises
    ------
    InputError
        When the file is no extract, is cut off, or holds no such amenity.
    """
    wanted = (rules or default_rules())["amenities"]
    categories = TagIndex(wanted["categories"], wanted["forbidding"])
    kinds = TagIndex(wanted["cultural_kinds"], wanted["forbidding"])
    keys = KeyFilter(*sorted(categories.keys | kinds.keys))
    places = _Places()
    with _readable(path):
        things = osmium.FileProcessor(path).with_locations().with_areas(keys).with_filter(keys)
        for thing in _told(things, "reading amenities", progress):
            tags = dict(thing.tags)
            category, kind = categories.find(tags), kinds.find(tags)
            if category or kind:
                places.add(thing, {"category": category, "cultural_kind": kind, **_describe(tags)})
        as_of = _date_of(path)
    if not places.rows:
        raise InputError(
            f"{path}: holds no amenity of the categories; give an extract of a place with some, or "
            "see the rules 'osm'"
        )
    return _frame("amenities", list(places.rows.values()), as_of)


@contextmanager
def _readable(path: str | Path) -> Iterator[None]:
    """Turn what osmium says of a file that it cannot read into one clear error."""
    if not Path(path).is_file():
        raise InputError(f"{path}: there is no such file; give the path of an .osm.pbf extract")
    try:
        yield
    except RuntimeError as error:
        raise InputError(
            f"{path}: is not an OpenStreetMap extract, or is cut off ({error}); fetch it anew"
        ) from error


def _told(things: Iterable[Any], stage: str, progress: Progress | None) -> Iterator[Any]:
    for count, thing in enumerate(things):
        if progress and count % _TOLD_EVERY == 0:
            progress(stage, 0.0)
        yield thing
    if progress:
        progress(stage, 1.0)


def _date_of(path: str | Path) -> str | None:
    """Return the day of the data as the header of the file says it."""
    with osmium.io.Reader(str(path), osmium.osm.NOTHING) as reader:
        return reader.header().get("osmosis_replication_timestamp")[:10] or None


# --- streets ----------------------------------------------------------------------------------


def _squares(path: str | Path) -> dict[int, Tags]:
    """Map the ways around pedestrian areas to the tags of the area: its outline has none itself."""
    relations: Iterable[Any] = osmium.FileProcessor(path, RELATION).with_filter(
        KeyFilter("highway")
    )
    return {
        member.ref: dict(relation.tags)
        for relation in relations
        if relation.tags.get("type") == "multipolygon"
        for member in relation.members
        if member.type == "w"
    }


def _shut_nodes(path: str | Path, rules: Rules) -> set[int]:
    """Find the gates and the like that stop walkers."""
    nodes: Iterable[Any] = osmium.FileProcessor(path, NODE).with_filter(KeyFilter("barrier"))
    return {node.id for node in nodes if is_shut(dict(node.tags), rules)}


def _ways(path: str | Path, keys: set[str], squares: set[int]) -> Iterator[Any]:
    ways = osmium.FileProcessor(path).with_locations().with_filter(EntityFilter(WAY))
    if not squares:
        ways = ways.with_filter(KeyFilter(*sorted(keys)))
    for way in ways:
        if way.id in squares or any(key in keys for key, _ in way.tags):
            yield way


def _street(way: Any, square: Tags, shut: set[int], rules: Rules) -> dict[str, Any] | None:
    own = dict(way.tags)
    tags = own if "highway" in own else {**square, **own}
    direction = find_direction(tags, rules)
    if direction is None:
        return None
    line = _line(way, shut)
    if line is None:
        return None
    return {
        "id": f"osm-w{way.id}",
        "name": _name(tags),
        "highway": tags.get("highway") or tags.get("railway") or tags.get("man_made"),
        "foot": direction,
        "steps": tags.get("highway") == "steps",
        "bridge": is_tagged(tags, "bridge"),
        "tunnel": is_tagged(tags, "tunnel"),
        "tags": {key: tags[key] for key in rules["kept_tags"] if key in tags} or None,
        "geometry": line,
    }


def _line(
    way: Any, shut: Container[int] = frozenset()
) -> shapely.LineString | shapely.MultiLineString | None:
    """Draw a way: whole, or the runs between nodes that the extract lacks or that stop walkers."""
    points = [
        (_Place(node.lon, node.lat), node.ref in shut) if node.location.valid() else None
        for node in way.nodes
    ]
    runs: list[list[_Place]] = []
    for first, second in pairwise(points):
        if first is None or second is None or first[0] == second[0]:
            continue
        (a, a_shut), (b, b_shut) = first, second
        start, end = _short_of(a, b) if a_shut else a, _short_of(b, a) if b_shut else b
        if not runs or runs[-1][-1] != start:
            runs.append([start])
        runs[-1].append(end)
    lines = [shapely.LineString(run) for run in runs]
    if not lines:
        return None
    return lines[0] if len(lines) == 1 else shapely.MultiLineString(lines)


class _Place(NamedTuple):
    lon: float
    lat: float


def _short_of(place: _Place, other: _Place) -> _Place:
    """Give the point a little before a place on the way from another."""
    away = math.hypot(other.lon - place.lon, other.lat - place.lat)
    share = min(_GAP_DEG / away, 0.25)
    return _Place(*((1.0 - share) * at + share * to for at, to in zip(place, other, strict=True)))


# --- amenities --------------------------------------------------------------------------------


@dataclass
class _Places:
    """Amenities by id; an area takes the place of the outline that it is made of."""

    rows: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, thing: Any, row: dict[str, Any]) -> None:
        key, point = _key_of(thing), _point(thing)
        if point is not None:
            self.rows[key] = {"id": key, **row, "geometry": point}


def _key_of(thing: Any) -> str:
    if thing.is_area():
        return f"osm-{'w' if thing.from_way() else 'r'}{thing.orig_id()}"
    return f"osm-{'n' if thing.is_node() else 'w' if thing.is_way() else 'r'}{thing.id}"


def _point(thing: Any) -> shapely.Point | None:
    if thing.is_node():
        return shapely.Point(thing.lon, thing.lat)
    if thing.is_way():
        line = _line(thing)
        return None if line is None else line.interpolate(0.5, normalized=True)
    if thing.is_area():
        try:
            outline = _WKB.create_multipolygon(thing)
        except RuntimeError:  # rings that cross: no surface to stand on
            return None
        return shapely.from_wkb(outline).point_on_surface()
    return None


_WKB = osmium.geom.WKBFactory()


def _describe(tags: Tags) -> dict[str, Any]:
    parts = " ".join(tags[key] for key in _ADDRESS_PARTS if key in tags)
    address = tags.get("addr:full") or parts or None
    return {"name": _name(tags), "address": address, "tags": dict(tags)}


def _name(tags: Tags) -> str | None:
    return next((tags[key] for key in _NAMES if key in tags), None)


def _frame(layer_name: str, rows: list[dict[str, Any]], as_of: str | None) -> gpd.GeoDataFrame:
    frame = gpd.GeoDataFrame(pd.DataFrame(rows), geometry="geometry", crs=STORED_CRS)
    frame["source"] = "OpenStreetMap contributors, ODbL 1.0"
    frame["as_of"] = as_of
    frame["provenance"] = "imported"
    frame["declared_datum"] = "wgs84"
    return conform(layer_name, frame)
