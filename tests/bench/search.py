"""Search over HTTP: one worker and 100,000 spaces, asked by wrk; counts beside Datasette's."""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from layers.boundaries import refresh_units
from layers.demo import add_demo
from layers.pack import install_pack, load_pack
from layers.store import create_store
from tests.bench.table import DisagreementError, Row

SIZES = {"spaces": 100_000, "amenities": 200_000}
PORT, PEER_PORT = 8391, 8392
SECONDS = 10
# Goals of the 95th percentile in milliseconds at 1 and 16 connections.
GOALS = {"box": (5.0, 30.0), "facets": (5.0, 40.0), "names": (5.0, 25.0)}
TIMES_DATASETTE = 10.0
SCRIPT = Path(__file__).with_name("search.lua")


def search() -> Iterator[Row]:
    """Ask one worker on one city; ratios are goal over ours, or ours over Datasette's."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing; on Debian: apt-get install wrk")
    with TemporaryDirectory() as folder:
        path = Path(folder) / "hatchmap.gpkg"
        with create_store(path) as store:
            install_pack(store, load_pack("wenzhou"), who="bench")
            refresh_units(store)
            add_demo(store, **SIZES)
        command = [
            str(Path(sys.executable).with_name("hatchmap")),
            "serve",
            "--store",
            str(path),
            "--port",
            str(PORT),
        ]
        facets_per_s = 0.0
        # What needs walks is answered once the server has put everything together.
        ready = f"http://127.0.0.1:{PORT}/api/spaces?limit=1&sort=-score"
        with _serving(command, ready, folder):
            for job, goals in GOALS.items():
                for connections, goal in zip((1, 16), goals, strict=True):
                    told = ask(job, connections)
                    if job == "facets" and connections == 16:
                        facets_per_s = told["per_s"]
                    yield _row(f"{job} at {connections}", told, goal)
        program = Path(sys.executable).with_name("datasette")
        peer = [str(program), "serve", str(path), "--port", str(PEER_PORT),
                "--setting", "facet_time_limit_ms", "10000",
                "--setting", "sql_time_limit_ms", "10000"]  # fmt: skip
        with _serving(peer, f"http://127.0.0.1:{PEER_PORT}/hatchmap/spaces.json?_size=1", folder):
            # Alone it is quickest; each answer takes it seconds.
            told = ask("datasette", 1, port=PEER_PORT, seconds=30)
        times = facets_per_s / told["per_s"]
        yield Row(
            job="search facets", network="wenzhou", nodes=SIZES["spaces"], peer="datasette",
            repeats=1, ours_s=1 / facets_per_s, peer_s=1 / told["per_s"], ratio_min=times,
            ratio_median=times, ratio_max=times, goal=TIMES_DATASETTE, more=told,
        )  # fmt: skip


def ask(job: str, connections: int, *, port: int = PORT, seconds: int = SECONDS) -> dict[str, Any]:
    """Let wrk ask for some seconds; its figures."""
    address = f"http://127.0.0.1:{port}"
    for lasts in (2, seconds):  # the first is not counted
        out = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{lasts}s", "--timeout", "60s",
             "-s", str(SCRIPT), address, "--", job, str(connections)],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    told: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    if told["errors"] or not told["requests"]:
        raise DisagreementError(f"{job}: {told['errors']} answers of {told['requests']} failed")
    return told


def _row(job: str, told: dict[str, Any], goal_ms: float) -> Row:
    ratio = goal_ms / told["p95_ms"]
    return Row(
        job=f"search {job}", network="wenzhou", nodes=SIZES["spaces"], peer="goal, p95", repeats=1,
        ours_s=told["p95_ms"] / 1e3, peer_s=goal_ms / 1e3, ratio_min=ratio, ratio_median=ratio,
        ratio_max=ratio, goal=1.0, more=told,
    )  # fmt: skip


@contextmanager
def _serving(command: list[str], address: str, folder: str) -> Iterator[None]:
    with Path(folder, "server.log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        _wait(address)
        yield
    finally:
        server.terminate()
        server.wait()


def _wait(address: str) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(address, timeout=60):
                return
        except OSError:
            time.sleep(0.5)
    raise SystemExit(f"{address} does not answer")
