"""The towns that benchmarks walk in: real streets, and many copies of real streets."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import shapely

from geo.costs import SpeedProfile, WalkCosts, walk_costs
from geo.crs import choose_metric_crs, project
from geo.graph import Positions, WalkNetwork, positions_at_nodes
from geo.network import network_from_lines
from layers.ingest.osm import read_lines, read_streets
from layers.pack import load_pack
from tests.fetch_osm import extract

PROFILE = SpeedProfile("adult", 4.0)
LIMIT_S = 900.0
CATEGORIES = 12
CITY = "wenzhou"
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@dataclass(frozen=True, eq=False)
class Town:
    """Street lines as vertices in metres, with facilities and people drawn by a fixed seed."""

    name: str
    crs: str
    x: np.ndarray
    y: np.ndarray
    line: np.ndarray

    def build(self) -> tuple[WalkNetwork, WalkCosts]:
        """Build the graph of the lines with all that a first question needs."""
        network = network_from_lines(self.x, self.y, self.line, crs=self.crs)
        costs = walk_costs(network, PROFILE)
        costs.hierarchy(LIMIT_S)
        return network, costs

    @cached_property
    def built(self) -> tuple[WalkNetwork, WalkCosts]:
        return self.build()

    @property
    def network(self) -> WalkNetwork:
        return self.built[0]

    @property
    def costs(self) -> WalkCosts:
        return self.built[1]

    @property
    def nodes(self) -> int:
        return self.network.node_count

    @cached_property
    def facility_nodes(self) -> list[np.ndarray]:
        """Draw the nodes of 12 categories, from one in 2,000 nodes to one in 50."""
        sizes = np.geomspace(max(5, self.nodes / 2000), max(20, self.nodes / 50), CATEGORIES)
        chance = np.random.default_rng(11)
        return [chance.choice(self.nodes, int(size), replace=False) for size in sizes]

    @cached_property
    def facilities(self) -> list[Positions]:
        return [positions_at_nodes(self.network, nodes) for nodes in self.facility_nodes]

    @cached_property
    def people(self) -> np.ndarray:
        """Draw the people of each node, whole ones."""
        return np.random.default_rng(12).integers(0, 400, self.nodes).astype(np.float64)


def _town(name: str, lines: np.ndarray, source: str) -> Town:
    crs = choose_metric_crs(tuple(shapely.total_bounds(lines)))
    xy, line = shapely.get_coordinates(
        shapely.get_parts(project(lines, source=source, target=crs)), return_index=True
    )
    x, y = np.ascontiguousarray(xy.T)
    return Town(name, crs, x, y, line.astype(np.int32))


def read_extract(name: str) -> Town:
    """Make a town of an OpenStreetMap extract."""
    streets = read_streets(extract(name))
    return _town(name, streets.geometry.to_numpy(), "EPSG:4490")


def read_city() -> Town:
    """Make a town of the real road lines beside the checkout."""
    folder = Path(os.environ.get("HATCHMAP_SHARED_DATA", SHARED))
    rules = load_pack(CITY).rules["streets"][0]
    streets = read_lines(folder / f"{CITY}_roads_wgs84.gpkg", rules=rules)
    return _town(CITY, streets.geometry.to_numpy(), "EPSG:4490")


def tile(town: Town, nodes: int) -> Town:
    """Lay copies of a town side by side until they have that many nodes together."""
    copies = -(-nodes // town.nodes)
    width, height = np.ptp(town.x) + 1000.0, np.ptp(town.y) + 1000.0
    columns = int(np.ceil(np.sqrt(copies)))
    shifts = [(copy % columns * width, copy // columns * height) for copy in range(copies)]
    lines = int(town.line[-1]) + 1
    return Town(
        f"{town.name} × {copies}",
        town.crs,
        np.concatenate([town.x + dx for dx, _ in shifts]),
        np.concatenate([town.y + dy for _, dy in shifts]),
        np.concatenate([town.line + copy * lines for copy in range(copies)]).astype(np.int32),
    )


TOWNS: dict[str, Callable[[], Town]] = {
    "helsinki": lambda: read_extract("Helsinki"),
    "monaco": lambda: read_extract("monaco"),
    CITY: read_city,
    "130k": lambda: tile(read_city(), 130_000),
    "300k": lambda: tile(read_city(), 300_000),
    "1500k": lambda: tile(read_city(), 1_500_000),
}
