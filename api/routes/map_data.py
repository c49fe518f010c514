"""What the map draws: layers as GeoJSON, and as vector tiles where they are large."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Annotated

import geopandas as gpd
from fastapi import APIRouter, Path, Request, Response

from api.answers import GEOJSON, open_request_store, respond
from api.params import Box
from api.questions.coverage import ask_town_coverage
from geo.errors import InputError, NotFoundError
from layers.catalog import Layer
from layers.catalog import layer as find_layer
from layers.query import Query
from layers.store import Store
from web.features import collection, town_shapes, with_shapes
from web.mapview import ALWAYS, MAP_LAYERS, TILE_COLUMNS
from web.tiles import TileSource, tile

router = APIRouter(tags=["map"])

MVT = "application/vnd.mapbox-vector-tile"
_SIMPLIFY_DEG = 0.0004  # about 40 m: a line's width when the whole city is shown
_SOURCES_KEPT = 8

Name = Annotated[str, Path(max_length=50)]


def _public(name: str) -> Layer:
    declared = find_layer(name)
    if declared.staff or not declared.spatial:
        raise NotFoundError(f"layer {name!r} is not on the map")
    return declared


def _extra_columns(name: str) -> tuple[str, ...]:
    """Columns that the map's styles read beside those of the pop-up."""
    styles = {"incubators": ("setting",), "industrial_towns": ("code", "state")}
    return ("name", "name_en", "title", *ALWAYS, *styles.get(name, ()))


@router.get("/api/map/{name}.geojson")
def get_layer(request: Request, name: Name, bbox: Box) -> Response:
    """Return a public layer as GeoJSON (RFC 7946, WGS-84) for the map."""
    _public(name)
    most = request.app.state.settings.max_features

    def make(store: Store) -> bytes:
        query = Query(bbox=bbox)
        found = store.count(name, query)
        if found > most:
            raise InputError(
                f"layer {name}: {found} records are too many for one answer; give a bbox with at "
                f"most {most}, or use /tiles/{name}/{{z}}/{{x}}/{{y}}.mvt"
            )
        return _write_layer(store, name, query)

    return respond(request, make, media_type=GEOJSON)


def _write_layer(store: Store, name: str, query: Query) -> bytes:
    frame = gpd.GeoDataFrame(store.read(name, query))
    if name in ("structure", "zones", "industrial_towns"):
        divisions = gpd.GeoDataFrame(store.read("divisions", Query(columns=["code", "geometry"])))
        if name == "industrial_towns":
            rows = ask_town_coverage(store).to_json()["towns"]
            states = {row["code"]: row["state"] for row in rows}
            frame = town_shapes(frame, divisions)
            frame["state"] = frame["code"].map(states)
        elif "division_codes" in frame:
            frame = with_shapes(frame, divisions)
    shown = next((spec.columns for spec in MAP_LAYERS if spec.name == name), None)
    columns = None if shown is None else (*shown, *_extra_columns(name))
    return collection(name, frame, columns=columns, tolerance_deg=_SIMPLIFY_DEG)


class _Sources:
    """Layers ready to be cut into tiles, the last few states of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str, str], TileSource] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, store: Store, name: str) -> TileSource:
        key = (store.url, name, store.token(name))
        with self._lock:
            if key not in self._kept:
                wanted = TILE_COLUMNS.get(name, ("id", "name", *ALWAYS))
                columns = [column for column in wanted if column in _names(name)]
                frame = gpd.GeoDataFrame(store.read(name, Query(columns=[*columns, "geometry"])))
                self._kept[key] = TileSource.from_frame(frame, name=name, columns=columns)
            self._kept.move_to_end(key)
            while len(self._kept) > _SOURCES_KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


def _names(name: str) -> set[str]:
    return {column.name for column in find_layer(name).public_columns}


_sources = _Sources()


@router.get("/tiles/{name}/{z}/{x}/{y}.mvt")
def get_tile(request: Request, name: Name, z: int, x: int, y: int) -> Response:
    """Return one vector tile of a public layer; 204 where it has nothing."""
    _public(name)
    # Addressed by the layer's own state, so that an edit elsewhere leaves the tiles.
    own = open_request_store(request).token(name)
    return respond(
        request,
        lambda store: tile(_sources.get(store, name), z, x, y),
        media_type=MVT,
        key=(own,),
    )
