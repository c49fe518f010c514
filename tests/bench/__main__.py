"""Run the benchmark: a table on the screen, and every row in `bench-results.json`."""

import argparse
import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.bench.jobs import JOBS, Case, growth
from tests.bench.matching import matching
from tests.bench.networks import CATEGORIES, CITY, LIMIT_S, PROFILE, TOWNS
from tests.bench.search import search
from tests.bench.siting import siting
from tests.bench.table import DisagreementError, Row, show, write

QUICK = ("helsinki", "monaco", "wenzhou")
# What is asked of each network: on the largest, pandana would take the whole time allowed.
REAL = ("nearest1", "nearest5", "ranges", "zones")
ASKED = {"130k": ("nearest1", "nearest5"), "300k": (), "1500k": ("nearest1-scipy",)}
RESULTS = Path("bench-results.json")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out the tiled networks")
    parser.add_argument("--networks", nargs="+", choices=TOWNS, help="these networks only")
    parser.add_argument(
        "--jobs",
        nargs="+",
        choices=[*JOBS, "siting", "search", "matching", "growth"],
        help="these jobs only",
    )
    parser.add_argument("--repeats", type=int, default=5, help="measured runs, at least 5")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the rows are written")
    given = parser.parse_args()
    if given.repeats < 5:
        parser.error("--repeats must be at least 5")
    return given


def _add(rows: list[Row], wrong: list[str], found: Iterable[Row]) -> None:
    """Add the rows of a job; where its answers disagreed, what it says of that."""
    try:
        rows.extend(found)
    except DisagreementError as error:
        wrong.append(str(error))


def main() -> int:
    """Run every job on every network; 1 when answers disagreed."""
    given = _arguments()
    names = given.networks or (QUICK if given.quick else tuple(TOWNS))
    jobs = given.jobs or [*JOBS, "siting", "search", "matching", "growth"]
    rows: list[Row] = []
    wrong: list[str] = []
    towns = {}
    if "search" in jobs:
        _add(rows, wrong, search())
    for name in names if {*jobs} - {"search"} else ():
        town = TOWNS[name]()
        case = Case(town, given.repeats)
        for job in (job for job in ASKED.get(name, REAL) if job in jobs):
            print(f"{job} on {town.name} ({town.nodes:,} nodes) …", file=sys.stderr, flush=True)
            _add(rows, wrong, JOBS[job](case))
        if name == CITY and "siting" in jobs:
            _add(rows, wrong, siting(town, given.repeats))
        if name in ("300k", "1500k"):
            towns[name] = town
    if "matching" in jobs:
        print("matching …", file=sys.stderr, flush=True)
        _add(rows, wrong, matching(given.repeats))
    if "growth" in jobs and len(towns) == 2:
        rows.append(growth(towns["300k"], towns["1500k"], given.repeats))
    show(rows)
    machine = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "categories": CATEGORIES,
        "limit_s": LIMIT_S,
        "speed_km_h": PROFILE.speed_km_h,
    }
    write(rows, given.output, machine)
    for message in wrong:
        print(f"answers disagree: {message}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
