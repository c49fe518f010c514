"""Small street worlds drawn by hand, and a slow but plain reference for walking times."""

from itertools import pairwise

import numpy as np
from hypothesis import strategies as st

from geo.network import SpeedProfile, WalkNetwork, network_from_lines, walk_costs

CRS = "EPSG:4549"
# 3.6 km/h is a metre a second: times in seconds are lengths in metres.
STROLL = SpeedProfile("stroll", 3.6)


def town(*lines, **columns) -> WalkNetwork:
    """Build a network of lines given as lists of (x, y) in metres."""
    xy = np.array([point for line in lines for point in line], dtype=float).reshape(-1, 2)
    line = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    columns = {name: np.asarray(values) for name, values in columns.items()}
    return network_from_lines(xy[:, 0], xy[:, 1], line, crs=CRS, **columns)


def stroll(network):
    return walk_costs(network, STROLL)


# Corners in general position: no corner lies on the way between two others. Some are so near to
# one another that the way takes no whole millisecond.
CORNERS = np.random.default_rng(7).uniform(0, 400, size=(14, 2))
_NEAR = np.array([[1e-4, 2e-4], [2e-4, -1e-4], [-1e-4, -1e-4]])
CORNERS[11:] = CORNERS[:3] + _NEAR


@st.composite
def drawings(draw):
    """Lines over the corners, with their foot directions: parallels, loops and islands occur."""
    line = st.lists(st.integers(0, len(CORNERS) - 1), min_size=2, max_size=6)
    lines = draw(st.lists(line, min_size=1, max_size=8))
    foot = draw(
        st.one_of(
            st.just(len(lines) * [0]),
            st.lists(st.sampled_from([0, 1, -1]), min_size=len(lines), max_size=len(lines)),
        )
    )
    return lines, np.array(foot, dtype=np.int8)


def drawn_town(drawing) -> WalkNetwork:
    lines, foot = drawing
    return town(*[CORNERS[line] for line in lines], foot=foot)


def corner_times(drawing):
    """Milliseconds between all corners by relaxing over every corner (Floyd and Warshall)."""
    lines, foot = drawing
    times = np.full((len(CORNERS),) * 2, np.inf)
    np.fill_diagonal(times, 0.0)
    for line, way in zip(lines, foot, strict=True):
        for a, b in pairwise(line):
            ms = 1000.0 * np.hypot(*(CORNERS[a] - CORNERS[b]))
            if way >= 0:
                times[a, b] = min(times[a, b], ms)
            if way <= 0:
                times[b, a] = min(times[b, a], ms)
    for via in range(len(CORNERS)):
        times = np.minimum(times, times[:, [via]] + times[[via], :])
    return times
