"""The walking graph as plain arrays, and places on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from geo.errors import InputError
from geo.grid import SegmentGrid, index_segments
from geo.nearby import NearEdges

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class WalkNetwork:
    """A street network to walk on: junctions, and between them edges that keep their course.

    Nodes are junctions and dead ends, numbered along a Hilbert curve; every other vertex lies
    inside an edge. Parallel edges and loops are kept: a place may lie on each of them. Edge `e`
    runs from `start[e]` to `end[e]` over the vertices `parts[e]` to `parts[e + 1] - 1`.

    Parameters
    ----------
    crs
        Coordinate system of all coordinates, `EPSG:n` in metres.
    x, y
        Nodes, in metres.
    offsets, heads, edge, backward
        Compressed rows of edge ends: node `i` has the rows `offsets[i]` to `offsets[i + 1] - 1`,
        each with the node at the other end (ascending), the edge, and whether leaving `i` along it
        goes against the edge's course. Whether one may walk so is said by `foot`.
    start, end
        Nodes at the ends of each edge.
    length_m
        Length of each edge.
    steps
        Whether an edge is a stairway.
    speed_factor
        Share of the normal speed that an edge allows (1 = normal).
    foot
        0 = both ways, 1 = only along the edge's course, -1 = only against it.
    parts
        Compressed rows of vertices by edge.
    vertex_x, vertex_y, vertex_m
        Vertices of the edges, and their distance from the edge's start, in metres.
    vertex_z
        Heights of the vertices in metres; empty when not known.
    component, component_size
        Island that each node belongs to (0 = the largest), and the number of nodes of each island.
    barrier_x, barrier_y, barrier_parts
        Lines that nobody crosses on the way from a place to its street, as vertices and rows.
    """

    crs: str
    x: Floats
    y: Floats
    offsets: Ints
    heads: Ints
    edge: Ints
    backward: Flags
    start: Ints
    end: Ints
    length_m: Floats
    steps: Flags
    speed_factor: Floats
    foot: npt.NDArray[np.int8]
    parts: Ints
    vertex_x: Floats
    vertex_y: Floats
    vertex_m: Floats
    vertex_z: Floats
    component: Ints
    component_size: Ints
    barrier_x: Floats
    barrier_y: Floats
    barrier_parts: Ints

    @property
    def node_count(self) -> int:
        """Number of nodes."""
        return len(self.x)

    @property
    def edge_count(self) -> int:
        """Number of edges, parallel ones and loops included."""
        return len(self.start)

    @property
    def has_heights(self) -> bool:
        """Whether the vertices have heights."""
        return len(self.vertex_z) > 0

    @property
    def bounds(self) -> Bounds | None:
        """West, south, east, north of all streets in metres; None when there are none."""
        if not len(self.vertex_x):
            return None
        x, y = self.vertex_x, self.vertex_y
        return float(x.min()), float(y.min()), float(x.max()), float(y.max())

    @cached_property
    def grid(self) -> SegmentGrid:
        """The index of street segments that snapping searches; made at first use."""
        return index_segments(self.vertex_x, self.vertex_y, self.parts)

    @cached_property
    def barrier_grid(self) -> SegmentGrid:
        """The index of barrier segments; made at first use."""
        return index_segments(self.barrier_x, self.barrier_y, self.barrier_parts)

    @cached_property
    def near_edges(self) -> NearEdges:
        """The index of edges near places on a raster that zones are drawn with; grows with use."""
        return NearEdges(self.vertex_x, self.vertex_y, self.parts)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Give every array by its name, and `crs` as an array of one text, to save with numpy."""
        return {field.name: np.asarray(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> WalkNetwork:
        """Make a network of what `to_arrays` gave.

        Raises
        ------
        InputError
            When arrays are missing, as in a file written by another version.
        """
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if name not in arrays]
        if missing:
            raise InputError(
                f"saved street network lacks {', '.join(missing)}; build it anew from the streets"
            )
        values: dict[str, Any] = {name: np.asarray(arrays[name]) for name in names}
        values["crs"] = str(values["crs"])
        return cls(**values)


@dataclass(frozen=True, eq=False)
class Positions:
    """Places on the edges of a network.

    Parameters
    ----------
    edge
        Edge that each place lies on; -1 when it is off the network.
    offset_m
        Distance along the edge from its start, in metres.
    snap_m
        Distance in a straight line between the place and the edge; infinite off the network.
    x, y
        Coordinates on the edge, or of the place itself when off the network, in metres.
    """

    edge: Ints
    offset_m: Floats
    snap_m: Floats
    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.edge)

    @property
    def on_network(self) -> Flags:
        """Whether each place lies on the network."""
        return self.edge >= 0

    def take(self, rows: npt.ArrayLike) -> Positions:
        """Give the places at `rows` (numbers or a mask) in that order."""
        picked = np.asarray(rows)
        columns = (getattr(self, field.name)[picked] for field in fields(self))
        return Positions(*columns)

    def islands(self, network: WalkNetwork) -> Ints:
        """Island of each place, as `WalkNetwork.component`; -1 off the network."""
        islands = np.full(len(self), -1, dtype=np.int32)
        on = self.on_network
        islands[on] = network.component[network.start[self.edge[on]]]
        return islands


def positions_at_nodes(network: WalkNetwork, nodes: npt.ArrayLike) -> Positions:
    """Give nodes as places on edges.

    Parameters
    ----------
    network
        The network.
    nodes
        Node numbers.

    Returns
    -------
    Positions
        One place a node, at the end of its first edge.

    Raises
    ------
    InputError
        When a number is not that of a node.
    """
    picked = np.atleast_1d(np.asarray(nodes, dtype=np.int64))
    wrong = (picked < 0) | (picked >= network.node_count)
    if wrong.any():
        raise InputError(
            f"node {picked[wrong][0]} is not in the network; its nodes are 0 to "
            f"{network.node_count - 1}"
        )
    row = network.offsets[picked]
    edge = network.edge[row]
    offset_m = np.where(network.backward[row], network.length_m[edge], 0.0)
    nothing = np.zeros(len(picked))
    return Positions(edge, offset_m, nothing, network.x[picked], network.y[picked])


@dataclass(frozen=True, eq=False)
class ReachedEdges:
    """The straight pieces of street within a walking time.

    Times run linearly along each piece from its first end to its second, the later. A segment
    reached from both ends gives two pieces that meet. Pieces of no length are left out.

    Parameters
    ----------
    x0, y0, x1, y1
        Ends of the pieces, in metres.
    t0_s, t1_s
        Walking time to each end, in seconds, `t0_s <= t1_s`.
    snap_m
        Straight way from the place asked for to its street, not counted as walking time.
    note
        Why there are no pieces, in words; empty when there are some.
    """

    x0: Floats
    y0: Floats
    x1: Floats
    y1: Floats
    t0_s: npt.NDArray[np.float32]
    t1_s: npt.NDArray[np.float32]
    snap_m: float = 0.0
    note: str = ""

    def __len__(self) -> int:
        return len(self.x0)
