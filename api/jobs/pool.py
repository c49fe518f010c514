"""The processes that do jobs: begun when first needed, watched, stopped and replaced."""

from __future__ import annotations

import fcntl
import logging
import multiprocessing
import secrets
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from hashlib import blake2b
from importlib.metadata import version
from multiprocessing.connection import wait
from pathlib import Path
from typing import IO, Any

import orjson

from api.errors import problem
from api.jobs import worker
from api.jobs.kinds import KINDS
from api.jobs.record import Job
from api.jobs.table import JobTable
from api.questions.common import today
from api.settings import Settings
from api.stores import StoreHandle
from geo.errors import HatchmapError

log = logging.getLogger("hatchmap")

_TICK_S = 0.2  # how soon a wish to stop is seen
_GRACE_S = 20.0  # to hand over the best found before the process is ended
_IDLE_S = 600.0  # after which a process gives its memory back
_MOST_JOBS = 2000
# Processes come from one that has read the program already, so that none takes seconds to begin.
_NURSERY = multiprocessing.get_context("forkserver")
_NURSERY.set_forkserver_preload(
    [worker.__name__, *(kind.target.partition(":")[0] for kind in KINDS.values())]
)


class JobPool:
    """Takes long questions in and has them done.

    Parameters
    ----------
    settings
        How many at once, how many may wait, how long one may last, how much is kept.
    store
        The store of the server.
    """

    def __init__(self, settings: Settings, store: StoreHandle) -> None:
        self._settings = settings
        self._store = store
        self._folder = settings.data / "jobs"
        self._lock = threading.Lock()
        self._wake = threading.Condition()
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []

    @cached_property
    def table(self) -> JobTable:
        """The table of jobs; made when first needed."""
        return JobTable(self._folder)

    @cached_property
    def _server(self) -> _Presence:
        return _Presence(self._folder / "servers")

    def start(self) -> None:
        """Mark as failed what a server that is no more was doing, and go on with what waits."""
        if not self._folder.is_dir():
            return
        said = "the server stopped while this was being worked on; ask again"
        lost = self.table.lose(self._server.list_alive(), problem(503, said))
        if lost:
            log.warning("%d jobs were lost when the server stopped", lost)
        self._clean()
        if any(job.state == "accepted" for job in self.table.latest()):
            self._begin()

    def close(self) -> None:
        """Stop the processes; what they were doing is marked as failed."""
        self._closing.set()
        with self._wake:
            self._wake.notify_all()
        for thread in self._threads:
            thread.join()
        if "table" in self.__dict__:
            self.table.close()
        if "_server" in self.__dict__:
            self._server.leave()

    def submit(self, kind: str, inputs: Mapping[str, Any], *, staff: bool = False) -> Job:
        """Take a question in; one that was answered already is answered at once.

        Parameters
        ----------
        kind
            A key of `KINDS`.
        inputs
            What is asked, as JSON.
        staff
            Whether staff asks: they come first, and may fill the whole queue.

        Raises
        ------
        BusyError
            When too many wait.
        StoreReadOnlyError
            When the data folder cannot be written to.
        """
        digest = _digest(kind, inputs, self._store.get().token())
        now = time.time()
        job = Job(
            id=secrets.token_urlsafe(18),
            kind=kind,
            staff=KINDS[kind].staff or staff,
            inputs=dict(inputs),
            hash=digest,
            state="accepted",
            created=now,
        )
        done = self.table.find_done(digest)
        if done is not None:
            same = {name: getattr(done, name) for name in _OF_RESULT}
            answered = replace(
                job, state="successful", started=now, finished=now, percent=100, **same
            )
            return self.table.add(answered, room=1)
        queue = self._settings.job_queue
        taken = self.table.add(job, room=queue if staff else max(1, queue // 2))
        self._begin()
        return taken

    def is_current(self, job: Job) -> bool:
        """Tell whether all that a job's answer depends on is as it was when it was asked."""
        return job.hash == _digest(job.kind, job.inputs, self._store.get().token())

    def _begin(self) -> None:
        """Wake the threads that mind the processes, or start them."""
        with self._lock:
            if not self._threads and not self._closing.is_set():
                owner = self._server.name
                self._threads = [
                    threading.Thread(target=self._mind, args=(owner,), daemon=True)
                    for _ in range(self._settings.job_workers)
                ]
                for thread in self._threads:
                    thread.start()
        with self._wake:
            self._wake.notify_all()

    def _mind(self, owner: str) -> None:
        """Mind one process: give it job after job, until the server closes."""
        process = _Process(self._settings.store_path, self.table.results)
        idle_since = time.monotonic()
        while not self._closing.is_set():
            try:
                job = self.table.take(owner)
                if job is not None:
                    self._do(job, process)
                    self._clean()
                    idle_since = time.monotonic()
                    continue
            except HatchmapError as error:
                log.error("jobs: %s", error)  # noqa: TRY400 - the line says it all
            except Exception:
                log.exception("minding jobs failed")
            if time.monotonic() - idle_since > _IDLE_S:
                process.end()
            with self._wake:
                self._wake.wait(timeout=1.0)
        process.end()

    def _do(self, job: Job, process: _Process) -> None:
        """Have one job done, and write down how it goes and ends."""
        ended = self._follow(job, process)
        self.table.end(job.id, ended.state, **ended.values)

    def _follow(self, job: Job, process: _Process) -> worker.Ended:
        process.begin(worker.Order(job.id, KINDS[job.kind].target, dict(job.inputs)))
        until = time.monotonic() + self._settings.job_minutes * 60
        stop_by: float | None = None
        while True:
            if self._closing.is_set():
                process.end()
                return _failed(503, "the server was stopped while this was being worked on")
            message = process.hear(_TICK_S)
            if isinstance(message, worker.Ended):
                return message
            if isinstance(message, worker.Progress):
                self.table.tell(job.id, *message)
            elif message is _GONE:
                return _failed(500, process.bury())
            now = time.monotonic()
            if stop_by is None and self.table.get(job.id).stopping:
                process.ask_to_stop(job.id)
                stop_by = now + _GRACE_S
            if stop_by is not None and now > stop_by:
                process.end()
                return worker.Ended("dismissed", {})
            if now > until:
                process.end()
                limit = self._settings.job_minutes
                return _failed(504, f"stopped after {limit} minutes; ask for less at once")

    def _clean(self) -> None:
        self.table.clean(
            max_bytes=self._settings.results_mb * 1_000_000,
            max_age_s=self._settings.results_days * 86_400,
            max_jobs=_MOST_JOBS,
        )


_OF_RESULT = ("result", "media_type", "filename", "size_bytes")
_GONE = object()


class _Process:
    """One process that does jobs; begun anew whenever there is none."""

    def __init__(self, store: Path, results: Path) -> None:
        self._arguments = (store, results)
        self._process: Any = None
        self._pipe: Any = None

    def begin(self, order: worker.Order) -> None:
        """Hand over a job."""
        if self._process is None or not self._process.is_alive():
            self.end()
            self._pipe, theirs = _NURSERY.Pipe()
            self._process = _NURSERY.Process(
                target=worker.work, args=(theirs, *self._arguments), daemon=True
            )
            self._process.start()
            theirs.close()
        self._send(order)

    def hear(self, seconds: float) -> Any:
        """Return what it says next, None where it says nothing, `_GONE` where it is no more."""
        if self._pipe not in wait([self._pipe, self._process.sentinel], seconds):
            return None if self._process.is_alive() else _GONE
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            return _GONE

    def ask_to_stop(self, job_id: str) -> None:
        """Ask it to stop the job and hand over what it has."""
        self._send(worker.Stop(job_id))

    def _send(self, message: Any) -> None:
        with suppress(OSError):  # that it is no more is heard
            self._pipe.send(message)

    def bury(self) -> str:
        """Tell how it ended by itself."""
        self._process.join()
        code = self._process.exitcode
        self.end()
        how = f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        return f"the process that worked on this {how}, perhaps for want of memory; ask again"

    def end(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
            self._pipe.close()
        self._process = self._pipe = None


class _Presence:
    """Shows that this server lives: a file locked by it, which the system frees when it ends."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self.name = secrets.token_hex(8)
        self._file = self._lock(folder / self.name)

    def list_alive(self) -> list[str]:
        """Name the servers that live, and clear away what the others left."""
        alive = []
        for path in self._folder.iterdir():
            file = None if path.name == self.name else self._lock(path)
            if file is None:
                alive.append(path.name)
            else:
                path.unlink(missing_ok=True)
                file.close()
        return alive

    def leave(self) -> None:
        """Be no more."""
        (self._folder / self.name).unlink(missing_ok=True)
        if self._file is not None:
            self._file.close()

    @staticmethod
    def _lock(path: Path) -> IO[bytes] | None:
        """Open and lock a file; None where another holds it."""
        file = path.open("ab")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        return file


def _failed(status: int, detail: str) -> worker.Ended:
    return worker.Ended("failed", {"problem": problem(status, detail)})


def _digest(kind: str, inputs: Mapping[str, Any], token: str) -> str:
    """Hash a question with all that its answer depends on."""
    asked = [kind, dict(inputs), token, today().isoformat(), version("hatchmap")]
    text = orjson.dumps(asked, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return blake2b(text, digest_size=16).hexdigest()
