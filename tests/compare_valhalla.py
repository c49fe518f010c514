"""Compare walking times with Valhalla's, an engine of other hands: `docs/compared.md` tells of it.

`python -m tests.compare_valhalla --valhalla PYTHON` needs an interpreter with the package
`pyvalhalla`, which installs on Python 3.12 and later; Hatchmap itself may run on another. Tiles are
built anew from the extracts that the tests know, in a folder that goes away again. The places are
the same at every run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
from osmium.filter import EntityFilter
from osmium.osm import WAY, Way
from pyproj import Transformer

from geo.crs import STORED_CRS, choose_metric_crs
from geo.graph import WalkNetwork
from geo.network import SpeedProfile, build_network, snap, walk_costs
from geo.reach import UNREACHABLE, one_to_many
from layers.ingest.osm import default_rules, read_streets
from tests.fetch_osm import EXTRACTS, extract

SPEED_KM_H = 4.0
PAIRS = 200
LIMIT_S = 900.0
SEED = 7

# Valhalla's own times, and those without what it adds to a time to tell good ways from bad ones.
PLAIN = {
    "step_penalty": 0,
    "elevator_penalty": 0,
    "alley_factor": 1,
    "driveway_factor": 1,
    "service_penalty": 0,
    "gate_penalty": 0,
    "private_access_penalty": 0,
    "destination_only_penalty": 0,
    "use_living_streets": 0.5,
    "use_tracks": 0.5,
    "max_hiking_difficulty": 6,
    "use_ferry": 0,
}

# Run by the other interpreter: configuration and questions come in, times and metres go out.
ASK = """
import json, os, subprocess, sys
import valhalla
asked = json.load(sys.stdin)
folder = asked["folder"]
tiles, archive, path = (os.path.join(folder, n) for n in ("tiles", "tiles.tar", "valhalla.json"))
os.makedirs(tiles)
open(archive, "w").close()
config = valhalla.get_config(tile_extract=archive, tile_dir=tiles)
config["mjolnir"]["tile_extract"] = ""
config["mjolnir"]["concurrency"] = 1
with open(path, "w") as file:
    json.dump(config, file)
os.remove(archive)
built = os.path.join(os.path.dirname(valhalla.__file__), "bin", "valhalla_build_tiles")
subprocess.run([built, "-c", path, asked["extract"]], check=True, capture_output=True)
actor = valhalla.Actor(path)
found = []
for pair in asked["pairs"]:
    places = [{"lon": lon, "lat": lat} for lon, lat in pair]
    row = []
    for options in asked["options"]:
        question = {"locations": places, "costing": "pedestrian",
                    "costing_options": {"pedestrian": options}}
        summary = actor.route(question)["trip"]["summary"]
        row.append([summary["time"], 1000 * summary["length"]])
    found.append(row)
json.dump(found, sys.stdout)
"""


def read_alike(path: Path) -> gpd.GeoDataFrame:
    """Read the streets that Valhalla has too.

    Without outlines of areas, platforms, and ways that the edge of the extract cuts, which it
    leaves out; with private ones, which it enters.
    """
    rules = dict(default_rules()["streets"])
    rules["open_highways"] = [key for key in rules["open_highways"] if key != "platform"]
    rules["open_others"] = {"man_made": ["pier"]}
    rules["forbidding"] = [key for key in rules["forbidding"] if key != "private"]
    streets = read_streets(path, rules={**default_rules(), "streets": rules})
    areas = streets["tags"].map(lambda tags: (tags or {}).get("area") == "yes")
    left_out = streets["id"].isin(cut_and_outlines(path))
    return streets[~(areas | left_out)]


def cut_and_outlines(path: Path) -> set[str]:
    """Give the ways that lack nodes, or are streets only as the outline of a square."""
    found = set()
    for way in osmium.FileProcessor(path).with_locations().with_filter(EntityFilter(WAY)):
        assert isinstance(way, Way)
        whole = all(node.location.valid() for node in way.nodes)
        if not whole or not ("highway" in way.tags or "man_made" in way.tags):
            found.add(f"osm-w{way.id}")
    return found


def choose_pairs(network: WalkNetwork) -> np.ndarray:
    """Choose pairs of places near streets: (pairs, 2, 2), metres."""
    rng = np.random.default_rng(SEED)
    vertex = rng.choice(len(network.vertex_x), (15 * PAIRS, 2))
    places = np.stack([network.vertex_x[vertex], network.vertex_y[vertex]], axis=-1)
    return np.asarray(places + rng.uniform(-25.0, 25.0, places.shape))


def walk(network: WalkNetwork, pairs: np.ndarray) -> np.ndarray:
    """Give the seconds from the first of each pair to the second; NaN when there is no way."""
    costs = walk_costs(network, SpeedProfile("compared", SPEED_KM_H))
    origins, targets = (
        snap(network, pairs[:, end, 0], pairs[:, end, 1], max_snap_m=200.0) for end in (0, 1)
    )
    ms = np.array(
        [
            one_to_many(network, costs, origins.take([i]), targets.take([i]), limit_s=7200.0)[0, 0]
            for i in range(len(pairs))
        ]
    )
    return np.where(ms < UNREACHABLE, ms / 1000.0, np.nan)


def ask_valhalla(python: str, path: Path, pairs: np.ndarray) -> np.ndarray:
    """Ask for all pairs, in degrees: (pairs, its own and the plain way, seconds and metres)."""
    options: list[Mapping[str, Any]] = [
        {"walking_speed": SPEED_KM_H},
        {"walking_speed": SPEED_KM_H, **PLAIN},
    ]
    with tempfile.TemporaryDirectory() as folder:
        asked = {
            "folder": folder,
            "extract": str(path),
            "pairs": pairs.tolist(),
            "options": options,
        }
        done = subprocess.run(
            [python, "-c", ASK],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        sys.exit(f"{python} could not ask Valhalla; install pyvalhalla there\n{done.stderr}")
    return np.array(json.loads(done.stdout))


def tell(label: str, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Print how the times relate, of the pairs that have both."""
    ratio = (ours / theirs)[np.isfinite(ours / theirs)]
    low, median, high = np.quantile(ratio, [0.05, 0.5, 0.95])
    within = "  ".join(
        f"{np.mean(np.abs(ratio - 1.0) < share):5.0%}" for share in (0.01, 0.03, 0.05)
    )
    print(f"  {label:44} {len(ratio):5} {median:7.3f}  {low:.3f} - {high:.3f}  {within}")


def compare(name: str, python: str) -> None:
    """Compare on one extract."""
    path = extract(name)
    streets = read_streets(path)
    crs = choose_metric_crs(tuple(streets.total_bounds))
    network = build_network(streets, crs=crs)
    pairs = choose_pairs(network)
    seconds = walk(network, pairs)
    chosen = np.flatnonzero((seconds > 30.0) & (seconds < LIMIT_S))[:PAIRS]
    pairs, as_read = pairs[chosen], seconds[chosen]
    degrees = Transformer.from_crs(crs, STORED_CRS, always_xy=True)
    found = ask_valhalla(
        python, path, np.stack(degrees.transform(pairs[..., 0], pairs[..., 1]), axis=-1)
    )
    own_s, plain_s, plain_m = found[:, 0, 0], found[:, 1, 0], found[:, 1, 1]
    level_s = plain_m * 3.6 / SPEED_KM_H
    alike = walk(build_network(read_alike(path), crs=crs), pairs)
    heading = "pairs  median     5 % - 95 %     1 %    3 %    5 %"
    print(f"{name + ': ours / Valhalla':47}{heading}")
    tell("as read, to its own times", as_read, own_s)
    tell("as read, to its plain times", as_read, plain_s)
    tell("the same streets, to its plain times", alike, plain_s)
    tell("the same streets, to the length of its way", alike, level_s)
    added = np.quantile(plain_s - level_s, [0.5, 0.95])
    print(f"  it adds for crossings {added[0]:.0f} s at the median, {added[1]:.0f} s at 95 %")


def main() -> None:
    """Compare on every extract."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--valhalla",
        metavar="PYTHON",
        default=sys.executable,
        help="interpreter with pyvalhalla (this one by default)",
    )
    python = parser.parse_args().valhalla
    for name in EXTRACTS:
        compare(name, python)


if __name__ == "__main__":
    main()
