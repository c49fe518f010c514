"""The jobs: each compares answers with the peer's, then times both."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np

from geo.isochrone import exact_zone, walk_zones
from geo.reach import UNREACHABLE, counts_within, nearest, reached_edges, sums_within
from tests.bench.networks import CATEGORIES, LIMIT_S, Town
from tests.bench.peers import Pandana, Scipy
from tests.bench.table import DisagreementError, Row, measure, summarise, timed

ZONES = 200  # walks timed; the exact buffer, far slower, only of the first few
EXACT_ZONES = 24
EXACT_TIMED = 3
LARGE = 85_000  # nodes from which the goals for the nearest hold


class Case:
    """A town with its peers, made when first needed."""

    def __init__(self, town: Town, repeats: int) -> None:
        self.town, self.repeats = town, repeats
        self._pandana: Pandana | None = None

    @property
    def pandana(self) -> Pandana:
        if self._pandana is None:
            self._pandana = Pandana(self.town)
            self._pandana.place(self.town, 5)
        return self._pandana

    def row(self, job: str, peer: str, pairs: list[tuple[float, float]], **more) -> Row:
        about = {"job": job, "network": self.town.name, "nodes": self.town.nodes, "peer": peer}
        return summarise(pairs, **about, **more)

    def agree(self, job: str, ours: np.ndarray, theirs: np.ndarray, tolerance: float) -> None:
        """Refuse a time when answers differ by more than rounding."""
        wrong = ~(np.abs(ours - theirs) <= tolerance)
        if wrong.any():
            first = tuple(int(at) for at in np.argwhere(wrong)[0])
            raise DisagreementError(
                f"{job} on {self.town.name}: {wrong.sum()} of {wrong.size} answers differ; at "
                f"{first} ours is {ours[first]}, the peer's {theirs[first]}"
            )


def _seconds(times_ms: np.ndarray) -> np.ndarray:
    """Give times as pandana gives them: the limit where there is nothing within it."""
    return np.where(times_ms < UNREACHABLE, times_ms / 1000.0, LIMIT_S)


def nearest_1(case: Case) -> Iterator[Row]:
    town, peer = case.town, case.pandana

    def ours() -> np.ndarray:
        return nearest(town.network, town.costs, town.facilities, limit_s=LIMIT_S)

    case.agree("nearest k=1", _seconds(ours()), peer.nearest_s(1), 2e-3)
    pairs = measure(ours, lambda: peer.nearest_s(1), repeats=case.repeats)
    yield case.row("nearest k=1", Pandana.name, pairs, goal=50 if town.nodes >= LARGE else None)
    yield from _nearest_by_scipy(case)


def nearest_1_scipy(case: Case) -> Iterator[Row]:
    """The nearest beside scipy alone, where pandana takes minutes to make its graph."""
    yield from _nearest_by_scipy(case)


def _nearest_by_scipy(case: Case) -> Iterator[Row]:
    town = case.town

    def ours() -> np.ndarray:
        return nearest(town.network, town.costs, town.facilities, limit_s=LIMIT_S)

    scipy = Scipy(town)
    theirs = scipy.nearest_ms(town)
    exact = np.where(np.isinf(theirs), UNREACHABLE, theirs)
    case.agree("nearest k=1", ours()[:, :, 0], exact, 0)
    pairs = measure(ours, lambda: scipy.nearest_ms(town), repeats=case.repeats)
    yield case.row("nearest k=1", Scipy.name, pairs, goal=3 if town.nodes >= LARGE else None)


def nearest_5(case: Case) -> Iterator[Row]:
    town, peer = case.town, case.pandana

    def ours() -> np.ndarray:
        return nearest(town.network, town.costs, town.facilities, limit_s=LIMIT_S, k=5)

    case.agree("nearest k=5", _seconds(ours()), peer.nearest_s(5), 2e-3)
    pairs = measure(ours, lambda: peer.nearest_s(5), repeats=case.repeats)
    yield case.row("nearest k=5", Pandana.name, pairs, goal=20)


def ranges(case: Case) -> Iterator[Row]:
    """Make the graph, ours from raw lines; then count facilities and add up people on it.

    Once computed, pandana's ranges serve every sum; computed again, they would pile up. So each
    repeat takes a new graph.
    """
    town = case.town
    ours = {
        "counts": lambda: counts_within(town.network, town.costs, town.facilities, limit_s=LIMIT_S),
        "people": lambda: sums_within(town.network, town.costs, town.people, limit_s=LIMIT_S),
    }
    pairs: dict[str, list[tuple[float, float]]] = {"prepare": [], "counts": [], "people": []}
    both = []
    for repeat in range(case.repeats + 1):
        built_s, (network, _) = timed(town.build)
        mine = {job: timed(work) for job, work in ours.items()}
        prepared_s, peer = timed(lambda: Pandana(town))
        peer.place(town, 5)
        computing_s, _ = timed(peer.compute_ranges)
        theirs = {job: timed(getattr(peer, job)) for job in ours}
        if repeat == 0:  # compiles and fills caches: answers count, times do not
            nodes = len(peer.network.nodes_df)
            case.agree("prepare", np.array([network.node_count]), np.array([nodes]), 0)
            case.agree("counts", mine["counts"][1], theirs["counts"][1], 0.5)
            case.agree("people", mine["people"][1], theirs["people"][1], 1.0)
            continue
        pairs["prepare"].append((built_s, prepared_s))
        for job in ours:
            pairs[job].append((mine[job][0], computing_s + theirs[job][0]))
        both.append(
            (
                mine["counts"][0] + mine["people"][0],
                computing_s + theirs["counts"][0] + theirs["people"][0],
            )
        )
    yield case.row("prepare", Pandana.name, pairs["prepare"], goal=10)
    yield case.row("counts", Pandana.name, pairs["counts"], goal=10)
    yield case.row("people", Pandana.name, pairs["people"])
    more = {"peak_mb_at_300k": _peak_mb()} if town.nodes > 50_000 else {}
    yield case.row("categories and people", Pandana.name, both, goal=2, more=more)


def _peak_mb() -> int:
    """Give the peak memory of the job in a process of its own, all of Python included."""
    command = [sys.executable, "-m", "tests.bench.memory"]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def draw_zones(case: Case) -> Iterator[Row]:
    """Walk from a node and draw its zone, one after another: seconds of one core's time."""
    town = case.town
    starts = np.random.default_rng(13).integers(0, CATEGORIES, ZONES)
    at = [
        town.facilities[kind].take([i % len(town.facilities[kind])])
        for i, kind in enumerate(starts)
    ]

    def reach(position):
        return reached_edges(town.network, town.costs, position, limit_s=LIMIT_S)

    def ours() -> None:
        for position in at:
            walk_zones(town.network, town.costs, position, [LIMIT_S])

    def theirs() -> None:
        for position in at[:EXACT_TIMED]:
            exact_zone(reach(position), LIMIT_S)

    overlaps = []
    for position in at[:EXACT_ZONES]:
        (drawn,) = walk_zones(town.network, town.costs, position, [LIMIT_S])
        exact = exact_zone(reach(position), LIMIT_S)
        overlaps.append(drawn.intersection(exact).area / drawn.union(exact).area)
    if min(overlaps) < 0.98:
        raise DisagreementError(f"zones on {town.name}: an IoU is {min(overlaps):.4f}")
    pairs = [
        (mine / ZONES, exact / EXACT_TIMED)
        for mine, exact in measure(ours, theirs, repeats=case.repeats, clock=time.thread_time)
    ]
    seconds = [mine for mine, _ in pairs]
    more = {
        "zones_per_s": round(1.0 / np.median(seconds)),
        "zones_per_s_max": round(1.0 / min(seconds)),
        "iou_min": round(min(overlaps), 4),
    }
    iou = float(np.median(overlaps))
    yield case.row("zones", "exact buffer (shapely)", pairs, goal=2000, iou=iou, more=more)


def growth(small: Town, large: Town, repeats: int) -> Row:
    """Compare the time of one node and category on a large network with that on a small one."""

    def run(town: Town) -> Callable[[], object]:
        return lambda: nearest(town.network, town.costs, town.facilities, limit_s=LIMIT_S)

    pairs = measure(run(small), run(large), repeats=repeats)
    each = [
        (mine / (small.nodes * CATEGORIES), theirs / (large.nodes * CATEGORIES))
        for mine, theirs in pairs
    ]
    row = summarise(
        each,
        job="growth",
        network=f"{small.name} → {large.name}",
        nodes=large.nodes,
        peer="ours on the smaller",
        goal=1.5,
    )
    return Row(**{**vars(row), "ours_s": row.peer_s, "peer_s": row.ours_s})


JOBS: dict[str, Callable[[Case], Iterator[Row]]] = {
    "nearest1": nearest_1,
    "nearest1-scipy": nearest_1_scipy,
    "nearest5": nearest_5,
    "ranges": ranges,
    "zones": draw_zones,
}
