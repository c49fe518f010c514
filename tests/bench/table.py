"""Rows of the benchmark: how they are measured, printed and written."""

import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

_SHORTEST_S = 0.1


@dataclass(frozen=True)
class Row:
    """One job on one network beside one peer; `ratio` is how many times quicker we are.

    In the rows `growth` the peer is our own time on the smaller network, both times are those of
    one node and category, and the ratio is how many times longer the larger network takes.
    """

    job: str
    network: str
    nodes: int
    peer: str
    repeats: int
    ours_s: float
    peer_s: float
    ratio_min: float
    ratio_median: float
    ratio_max: float
    goal: float | None = None
    iou: float | None = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        return self.ratio_median <= self.goal if self.job == "growth" else self.passed

    @property
    def passed(self) -> bool:
        return (self.more.get("zones_per_s") or self.ratio_median) >= (self.goal or 0.0)


class DisagreementError(AssertionError):
    """A peer's answers are not ours: no time of either is believed."""


def measure(
    ours: Callable[[], Any],
    peer: Callable[[], Any],
    *,
    repeats: int,
    clock: Callable[[], float] = time.perf_counter,
) -> list[tuple[float, float]]:
    """Time both in turn, the one first and then the other, after one run of each unmeasured.

    Work shorter than `_SHORTEST_S` is done several times over; the seconds are those of one.
    """
    rounds = {}
    for work in (ours, peer):
        seconds, _ = timed(work, clock)
        if seconds < 1.0:  # the first run may have compiled; a long one says enough
            seconds, _ = timed(work, clock)
        rounds[work] = max(1, round(_SHORTEST_S / max(seconds, 1e-9)))
    pairs = []
    for repeat in range(repeats):
        order = [ours, peer] if repeat % 2 else [peer, ours]
        taken = {work: timed(work, clock, rounds[work])[0] for work in order}
        pairs.append((taken[ours], taken[peer]))
    return pairs


def timed(
    work: Callable[[], Any],
    clock: Callable[[], float] = time.perf_counter,
    rounds: int = 1,
) -> tuple[float, Any]:
    """Give the seconds that some work takes, the mean of the rounds, and what it gives."""
    start = clock()
    for _ in range(rounds):
        answer = work()
    return (clock() - start) / rounds, answer


def summarise(pairs: Sequence[tuple[float, float]], **about: Any) -> Row:
    """Make a row of pairs of our seconds and the peer's."""
    ratios = [peer / ours for ours, peer in pairs]
    return Row(
        repeats=len(pairs),
        ours_s=statistics.median(ours for ours, _ in pairs),
        peer_s=statistics.median(peer for _, peer in pairs),
        ratio_min=min(ratios),
        ratio_median=statistics.median(ratios),
        ratio_max=max(ratios),
        **about,
    )


def render(rows: Sequence[Row]) -> Table:
    """Draw the rows as a table."""
    table = Table(title="Hatchmap beside its peers: ratios above 1 say how many times quicker")
    for heading in ("job", "network", "nodes", "peer"):
        table.add_column(heading)
    for heading in ("ours", "peer's", "min", "median", "max", "goal", ""):
        table.add_column(heading, justify="right")
    for row in rows:
        table.add_row(
            *(row.job, row.network, f"{row.nodes:,}", row.peer),
            *(_duration(row.ours_s), _duration(row.peer_s)),
            *(f"{ratio:.2f}" for ratio in (row.ratio_min, row.ratio_median, row.ratio_max)),
            "" if row.goal is None else f"{row.goal:g}",
            _remark(row),
            style="" if row.met is not False else "red",
        )
    return table


def _duration(seconds: float) -> str:
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1.0:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _remark(row: Row) -> str:
    remarks = [] if row.iou is None else [f"IoU {row.iou:.3f}"]
    return ", ".join(remarks + [f"{key} {value}" for key, value in row.more.items()])


def write(rows: Sequence[Row], path: Path, machine: dict[str, Any]) -> None:
    """Write the rows as JSON."""
    body = {"machine": machine, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def show(rows: Sequence[Row]) -> None:
    Console(width=170).print(render(rows))
