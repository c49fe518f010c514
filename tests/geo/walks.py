"""A plain walk over street lines: the slow way to get reached segments, for tests."""

import heapq
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray


@dataclass(frozen=True)
class Walk:
    """Reached straight pieces, shaped as `geo.reach` gives them; times are linear along each."""

    x0: NDArray[np.float64]
    y0: NDArray[np.float64]
    x1: NDArray[np.float64]
    y1: NDArray[np.float64]
    t0_s: NDArray[np.float32]
    t1_s: NDArray[np.float32]


def as_walk(pieces) -> Walk:
    """Turn rows of (x0, y0, x1, y1, t0, t1) into a walk."""
    table = np.asarray(pieces, dtype=np.float64).reshape(-1, 6)
    x0, y0, x1, y1, t0, t1 = (np.ascontiguousarray(column) for column in table.T)
    return Walk(x0, y0, x1, y1, t0.astype(np.float32), t1.astype(np.float32))


class Streets:
    """Street lines in a metre projection, joined wherever two of them share a vertex.

    Every vertex is a node here: nothing is contracted, so that this stays easy to believe.
    """

    def __init__(self, lines) -> None:
        coordinates, line = shapely.get_coordinates(np.asarray(lines), return_index=True)
        self.xy, node = np.unique(coordinates.round(3), axis=0, return_inverse=True)
        joined = line[:-1] == line[1:]
        ends = np.column_stack([node[:-1][joined], node[1:][joined]])
        ends = np.unique(np.sort(ends[ends[:, 0] != ends[:, 1]], axis=1), axis=0)
        self.neighbours: dict[int, list[tuple[int, float]]] = {}
        lengths = np.hypot(*(self.xy[ends[:, 0]] - self.xy[ends[:, 1]]).T)
        for a, b, length in zip(*ends.T.tolist(), lengths.tolist(), strict=True):
            self.neighbours.setdefault(a, []).append((b, length))
            self.neighbours.setdefault(b, []).append((a, length))

    def times(self, origin: int, *, limit_s: float, speed_km_h: float) -> dict[int, float]:
        """Walk from one node with Dijkstra's algorithm; seconds to every node within the limit."""
        speed = speed_km_h / 3.6
        done: dict[int, float] = {}
        queue = [(0.0, origin)]
        while queue:
            time, node = heapq.heappop(queue)
            if node in done:
                continue
            done[node] = time
            for other, length in self.neighbours.get(node, []):
                later = time + length / speed
                if other not in done and later <= limit_s:
                    heapq.heappush(queue, (later, other))
        return done

    def walk(self, origin: int, *, limit_s: float, speed_km_h: float = 4.0) -> Walk:
        """Walk from one node; pieces end at the limit, or where two walks meet in the middle."""
        speed = speed_km_h / 3.6
        times = self.times(origin, limit_s=limit_s, speed_km_h=speed_km_h)
        pieces = []
        for a, time in times.items():
            for b, length in self.neighbours.get(a, []):
                # From each end up to the limit, or up to where the walk from the other end is met.
                other = times.get(b, np.inf)
                meeting = (time + other + length / speed) / 2
                end = min(meeting, limit_s)
                share = min(1.0, (end - time) * speed / length)
                if share > 0:
                    (xa, ya), (xb, yb) = self.xy[a], self.xy[b]
                    pieces.append(
                        (xa, ya, xa + share * (xb - xa), ya + share * (yb - ya), time, end)
                    )
        return as_walk(pieces)
