"""The layers that a map without a server carries along."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd

from geo.errors import InputError
from layers.catalog import layer as find_layer
from layers.catalog import layers
from layers.query import Query
from layers.store import Store
from web.features import town_shapes, with_shapes
from web.mapview import ALWAYS, MAP_LAYERS

HEAVY = ("streets",)  # tens of thousands of lines: only where they are asked for
_STYLED = ("name", "name_en", "title", "setting", "code", "division_codes")  # read beside those


def ask_map_layers(
    store: Store, *, names: Sequence[str] | None = None
) -> dict[str, gpd.GeoDataFrame]:
    """Read the layers of the city map, ready to be drawn.

    Parameters
    ----------
    store
        The store.
    names
        Which layers; all but the heavy ones when None.

    Raises
    ------
    InputError
        When a name is no layer of the map.
    """
    shown = {spec.name: spec for spec in MAP_LAYERS if spec.name in layers()}
    wanted = [name for name in shown if name not in HEAVY] if names is None else list(names)
    unknown = [name for name in wanted if name not in shown]
    if unknown:
        raise InputError(f"the map has no layer {unknown[0]!r}; it has: {', '.join(shown)}")
    divisions = gpd.GeoDataFrame(store.read("divisions", Query(columns=["code", "geometry"])))
    return {name: _read(store, name, shown[name].columns, divisions) for name in wanted}


def _read(
    store: Store, name: str, columns: Sequence[str], divisions: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    public = {column.name for column in find_layer(name).public_columns}
    asked = [c for c in dict.fromkeys((*_STYLED, *columns, *ALWAYS)) if c in public]
    frame = gpd.GeoDataFrame(store.read(name, Query(columns=[*asked, "geometry"])))
    if name == "industrial_towns":
        return town_shapes(frame, divisions)
    return with_shapes(frame, divisions) if "division_codes" in frame else frame
