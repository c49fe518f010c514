"""Where space is lacking: demands without a space after the best matching, by unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from api.questions.match import ask_match
from geo.errors import InputError
from geo.frames import numbers, shapes
from geo.shortage import Shortage, keep_short, sum_shortage
from layers.catalog import layer as find_layer
from layers.query import Query
from layers.store import Store

Unmatched = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, eq=False)
class ShortageReport:
    """Demands without a space by unit, with the outlines of the units.

    Parameters
    ----------
    shortage
        The sums.
    units
        The reporting units with their outlines.
    demo_counted
        Whether demo records are counted.
    """

    shortage: Shortage
    units: gpd.GeoDataFrame
    demo_counted: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self.shortage.to_json(), "demo_counted": self.demo_counted}

    def layer(self) -> gpd.GeoDataFrame:
        """Return the units that have outlines, each with its sums; zeros where nothing lacks."""
        sums = {one["unit"]: one for one in self.shortage.units}
        found = [sums.get(name, {}) for name in self.units["name"]]
        rows = pd.DataFrame(
            {
                "id": self.units["id"],
                "unit": self.units["name"],
                "name_en": self.units["name_en"],
                "demands": [one.get("demands", 0) for one in found],
                "area_m2": [one.get("area_m2", 0.0) for one in found],
                "share": [one.get("share") for one in found],
                "cause": [one.get("cause") for one in found],
            }
        )
        layer = gpd.GeoDataFrame(rows, geometry=self.units.geometry.array, crs=self.units.crs)
        return layer[layer.geometry.notna() & ~layer.geometry.is_empty].reset_index(drop=True)


def ask_shortage(
    store: Store,
    *,
    unmatched: Unmatched | None = None,
    industry: str | None = None,
    kind: str | None = None,
    demo: bool = True,
) -> ShortageReport:
    """Sum the shortage of an industry and kind, or of all, by unit.

    Parameters
    ----------
    store
        The store.
    unmatched
        The demands without a space, where a matching is at hand; the best one is made when None.
    industry, kind
        Only demands of this industry, for this kind of space.
    demo
        Whether demo records count.

    Raises
    ------
    InputError
        When the kind is not one of the catalogue's.
    """
    kinds = [choice.value for choice in find_layer("demands").column("kind").choices]
    if kind is not None and kind not in kinds:
        raise InputError(f"kind {kind!r} is not known; give one of {', '.join(kinds)}")
    rows = ask_match(store, demo=demo).unmatched if unmatched is None else unmatched
    units = gpd.GeoDataFrame(store.read("reporting_units"))
    demos = demo and bool(store.count("demands", Query(where={"provenance": "demo"})))
    return ShortageReport(sum_shortage(rows, industry=industry, kind=kind), units, demos)


def unmet_places(store: Store, *, demo: bool) -> tuple[gpd.GeoDataFrame, int]:
    """Return where demands without a space would have one, and how many wish for no place.

    A demand stands where it wishes to be, else at the seat of the unit that it wishes for.

    Returns
    -------
    tuple
        `id`, `area_m2` (the least that each asks for), `provenance` and places, EPSG:4490; and the
        number of those left out, which name neither place nor unit.
    """
    short = keep_short(ask_match(store, demo=demo).unmatched)
    area = {one["demand"]: one["min_area_m2"] for one in short}
    unit = {one["demand"]: one["unit"] for one in short}
    columns = ["provenance", "geometry"]
    frame = gpd.GeoDataFrame(store.read("demands", Query(ids=tuple(area), columns=columns)))
    units = store.read("reporting_units")
    lon, lat = numbers(units, "centre_lon"), numbers(units, "centre_lat")
    seats = {
        name: shapely.Point(*seat)
        for name, *seat in zip(units["name"], lon, lat, strict=True)
        if np.isfinite(seat).all()
    }
    places = [
        own if own is not None else seats.get(unit[key])
        for key, own in zip(frame["id"], shapes(frame), strict=True)
    ]
    placed = np.array([one is not None for one in places], dtype=np.bool_)
    rows = pd.DataFrame(frame[["id", "provenance"]]).assign(area_m2=frame["id"].map(area))
    made = gpd.GeoDataFrame(rows, geometry=places, crs="EPSG:4490")
    return made[placed].reset_index(drop=True), int((~placed).sum())
