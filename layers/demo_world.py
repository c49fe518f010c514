"""The world that demo data are made for, and shares and places in it."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class World:
    """What demo data are made for.

    `land` is the area of all units in metres. `units` has a row for every reporting unit with a
    polygon: name, weight (share of the plan's targets, summing to 1) and `shape` in metres. `hubs`
    has a row for every centre of activity: unit, town, town_code, lead_industries, fate, weight,
    x, y, spread_m and the `shape` that its points stay in.
    """

    crs: str
    as_of: date
    seed: int
    land: shapely.Geometry
    units: pd.DataFrame
    hubs: pd.DataFrame
    rules: dict[str, dict[str, Any]]
    city: dict[str, Any]
    targets: pd.DataFrame
    progress: pd.DataFrame

    def rng(self, purpose: str) -> np.random.Generator:
        """Return random numbers of their own for one purpose: sizes of others do not change it."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])

    @property
    def today(self) -> np.datetime64:
        """The day that dates are drawn around."""
        return np.datetime64(self.as_of, "D")


def allot(total: int, weights: npt.ArrayLike, *, at_least: npt.ArrayLike = 0) -> Ints:
    """Share a number out by weights, by largest remainders; each gets the least where it can.

    >>> allot(10, [3, 1, 1]).tolist(), allot(5, [1, 0, 0], at_least=1).tolist()
    ([6, 2, 2], [3, 1, 1])
    """
    shares = np.asarray(weights, dtype=np.float64)
    least = np.broadcast_to(np.asarray(at_least, dtype=np.int64), shares.shape)
    if least.sum() > total:
        return allot(total, shares)
    exact = total * shares / shares.sum()
    counts: Ints = np.maximum(np.floor(exact).astype(np.int64), least)
    while rest := total - int(counts.sum()):
        step = 1 if rest > 0 else -1
        free = np.flatnonzero(counts + step >= least)
        order = np.argsort(step * (counts - exact)[free], kind="stable")  # furthest off first
        counts[free[order[: abs(rest)]]] += step
    return counts


def within(shapes: npt.NDArray[Any], which: Ints, xy: Floats) -> npt.NDArray[np.bool_]:
    """Say for each point (x and y in metres) whether it lies within the shape named for it."""
    inside = np.zeros(len(which), dtype=bool)
    for number in np.unique(which):
        mine = which == number
        shapely.prepare(shapes[number])
        inside[mine] = shapely.contains_xy(shapes[number], xy[mine, 0], xy[mine, 1])
    return inside
