"""Records of a public layer, listed and one by one, as GeoJSON."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import orjson

from geo.errors import NotFoundError
from layers.catalog import layer as find_layer
from layers.query import Query
from layers.store import Store
from web.features import collection


def find_record(store: Store, layer: str, key: str) -> dict[str, Any]:
    """Return one record as a GeoJSON feature of its public columns.

    Raises
    ------
    NotFoundError
        When the layer has no such record, or is the staff's.
    """
    if find_layer(layer).staff:
        raise NotFoundError(f"layer {layer!r} is not public")
    frame = gpd.GeoDataFrame(store.read(layer, Query(ids=[key])))
    if frame.empty:
        raise NotFoundError(f"layer {layer} has no record with id {key!r}")
    found: dict[str, Any] = orjson.loads(collection(layer, frame))["features"][0]
    return found
