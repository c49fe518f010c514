"""Whom new space is to serve: people, companies that look for space, or those left without."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt

from api.questions.shortage import unmet_places
from geo.errors import InputError
from layers.query import Query
from layers.store import Store

Demand = Literal["auto", "population", "demands", "unmet"]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Served:
    """The demand that counts: its kind, places and weights, and what is to be said of it."""

    kind: str
    places: gpd.GeoDataFrame
    weights: Floats
    demo: bool
    note: dict[str, str] | None = None


def read_demand(store: Store, kind: Demand, *, demo: bool) -> Served:
    """Read the demand that counts.

    Parameters
    ----------
    store
        The store.
    kind
        `population` (people), `demands` (companies looking for space, one each), `unmet` (the area
        that companies left without a space by the best matching ask for, m²), or with `auto` the
        first of people and companies that there is.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the kind is not known, or there is none of it.
    """
    columns = {"population": ["people"], "demands": ["status"]}
    if kind not in ("auto", "unmet", *columns):
        raise InputError(f"demand {kind!r} is not known; give auto, population, demands or unmet")
    if kind == "unmet":
        return _read_unmet(store, demo=demo)
    for layer in [name for name in columns if kind in ("auto", name)]:
        asked = ["id", *columns[layer], "provenance", "geometry"]
        frame = gpd.GeoDataFrame(store.read(layer, Query(columns=asked, demo=demo)))
        if layer == "demands":
            frame = frame[frame["status"].isin(["open"])]
        frame = frame[frame.geometry.notna() & ~frame.geometry.is_empty].reset_index(drop=True)
        if frame.empty:
            continue
        weights = np.ones(len(frame))
        if layer == "population":
            weights = frame["people"].to_numpy(dtype=np.float64)
        return Served(layer, frame, weights, bool((frame["provenance"] == "demo").any()))
    raise InputError(
        f"there is no demand to serve ({kind}); import it: hatchmap import population FILE "
        "--datum D"
    )


def _read_unmet(store: Store, *, demo: bool) -> Served:
    places, nowhere = unmet_places(store, demo=demo)
    if places.empty:
        raise InputError("demand unmet: no demand that names a place or unit is without a space")
    note = {
        "zh": f"另有{nowhere}个未满足的需求没有意向地，未计入",
        "en": f"{nowhere} more unmet demands name no place and are left out",
    }
    weights = places["area_m2"].to_numpy(dtype=np.float64)
    counted = bool((places["provenance"] == "demo").any())
    return Served("unmet", places, weights, counted, note if nowhere else None)
