"""The table of jobs: one row a job, in a small file of its own beside the results.

Not in the store: a store has one writer, and how far a job is must neither wait for an import nor
hold one up, change the store's token, or travel in its backups.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from api.jobs.record import ACTIVE, Job, State
from geo.errors import BusyError, NotFoundError, StoreReadOnlyError

_FILE = "jobs.sqlite"
_WAIT_S = 10.0

_metadata = sa.MetaData()
_jobs = sa.Table(
    "hatchmap_jobs",
    _metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("staff", sa.Boolean, nullable=False),
    sa.Column("inputs", sa.JSON, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, index=True),
    sa.Column("state", sa.Text, nullable=False, index=True),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("finished", sa.Float),
    sa.Column("percent", sa.Integer),
    sa.Column("stage", sa.Text, nullable=False),
    sa.Column("figures", sa.JSON, nullable=False),
    sa.Column("stopping", sa.Boolean, nullable=False),
    sa.Column("result", sa.Text, nullable=False),
    sa.Column("media_type", sa.Text, nullable=False),
    sa.Column("filename", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("problem", sa.JSON(none_as_null=True)),
    sa.Column("owner", sa.Text, nullable=False, server_default=""),  # the server that does it
)
_FIELDS = [field.name for field in fields(Job)]
_COLUMNS = [_jobs.c[name] for name in _FIELDS]
_IS_ACTIVE = _jobs.c.state.in_(sorted(ACTIVE))


class JobTable:
    """Every job, in a file of a folder; safe from several threads and processes.

    Parameters
    ----------
    folder
        Where the table and the results are; made where it is missing.

    Raises
    ------
    StoreReadOnlyError
        When the folder cannot be written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.results = folder / "results"
        try:
            self.results.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error
        self._engine = sa.create_engine(
            f"sqlite:///{folder / _FILE}", connect_args={"timeout": _WAIT_S}
        )
        sa.event.listen(self._engine, "connect", _set_up)
        with self._writing() as connection:
            _metadata.create_all(connection)

    def close(self) -> None:
        """Let go of the file."""
        self._engine.dispose()

    def path_of(self, job: Job) -> Path:
        """Return the file of a job's result."""
        return self.results / job.result

    def add(self, job: Job, *, room: int) -> Job:
        """Take a job in, unless too many wait.

        Parameters
        ----------
        job
            The job.
        room
            How many may wait before it.

        Raises
        ------
        BusyError
            When there is no room.
        """
        values = {name: getattr(job, name) for name in _FIELDS}
        waiting = sa.select(sa.func.count()).where(_jobs.c.state == "accepted")
        with self._writing() as connection:
            if job.active and (connection.scalar(waiting) or 0) >= room:
                raise BusyError(
                    f"{room} long questions wait already; ask again in a minute, or stop some"
                )
            connection.execute(_jobs.insert().values(**values))
        return job

    def take(self, owner: str) -> Job | None:
        """Begin the next job: staff first, then in order; None where none waits."""
        first = (
            sa.select(_jobs.c.id)
            .where(_jobs.c.state == "accepted")
            .order_by(_jobs.c.staff.desc(), _jobs.c.created, _jobs.c.id)
            .limit(1)
            .scalar_subquery()
        )
        started = self._change(
            [_jobs.c.id == first], state="running", started=time.time(), owner=owner
        )
        return started[0] if started else None

    def tell(self, job_id: str, percent: int | None, stage: str, figures: dict[str, Any]) -> None:
        """Write down how far a running job is."""
        self._change(
            [_jobs.c.id == job_id, _jobs.c.state == "running"],
            percent=percent,
            stage=stage,
            figures=figures,
        )

    def end(self, job_id: str, state: State, **values: Any) -> None:
        """End a running job; one that has ended stays as it is."""
        done = {"percent": 100} if state == "successful" else {}
        self._change(
            [_jobs.c.id == job_id, _jobs.c.state == "running"],
            state=state,
            finished=time.time(),
            **done,
            **values,
        )

    def stop(self, job_id: str) -> Job:
        """Dismiss a job that waits; ask one that runs to stop; leave one that has ended.

        Raises
        ------
        NotFoundError
            When there is no such job.
        """
        mine = _jobs.c.id == job_id
        waits, runs = _jobs.c.state == "accepted", _jobs.c.state == "running"
        self._change([mine, waits], state="dismissed", finished=time.time(), stopping=True)
        self._change([mine, runs, _jobs.c.stopping.is_(False)], stopping=True)
        return self.get(job_id)

    def lose(self, alive: Collection[str], problem: dict[str, Any]) -> int:
        """Mark as failed what servers that are no more were doing; return how many."""
        gone = _jobs.c.owner.not_in(list(alive))
        return len(
            self._change(
                [_jobs.c.state == "running", gone],
                state="failed",
                finished=time.time(),
                problem=problem,
            )
        )

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises
        ------
        NotFoundError
            When there is no such job.
        """
        found = self._read(sa.select(*_COLUMNS).where(_jobs.c.id == job_id))
        if not found:
            raise NotFoundError(f"there is no job {job_id[:50]!r}; finished ones leave after days")
        return found[0]

    def find_done(self, digest: str) -> Job | None:
        """Return a job that answered the same question in full; None where none did."""
        asked = [_jobs.c.hash == digest, _jobs.c.state == "successful", _jobs.c.result != ""]
        latest = sa.select(*_COLUMNS).where(*asked).order_by(_jobs.c.finished.desc())
        return next((job for job in self._read(latest) if self.path_of(job).is_file()), None)

    def latest(self, *, limit: int = 200) -> list[Job]:
        """List jobs, those under way first, then the latest."""
        order = (_IS_ACTIVE.desc(), _jobs.c.created.desc(), _jobs.c.id)
        return self._read(sa.select(*_COLUMNS).order_by(*order).limit(limit))

    def remove(self, job_ids: Iterable[str]) -> int:
        """Remove jobs that have ended, and results that none is left to show; return how many."""
        with self._writing() as connection:
            count = connection.execute(
                _jobs.delete().where(_jobs.c.id.in_(list(job_ids)), ~_IS_ACTIVE)
            ).rowcount
        self._sweep()
        return int(count)

    def clean(self, *, max_bytes: int, max_age_s: float, max_jobs: int) -> int:
        """Remove what ended too long ago, or is too much together, the oldest first."""
        ended = [job for job in self.latest(limit=-1) if not job.active]
        ended.sort(key=lambda job: job.finished or job.created, reverse=True)
        oldest, held_bytes, counted, leave = time.time() - max_age_s, 0, set[str](), []
        for at, job in enumerate(ended):
            held_bytes += 0 if job.result in counted else job.size_bytes
            counted.add(job.result)
            if at >= max_jobs or held_bytes > max_bytes or (job.finished or 0) < oldest:
                leave.append(job.id)
        return self.remove(leave) if leave else 0

    def _sweep(self) -> None:
        """Remove the files of results that no job shows any more."""
        with self._engine.connect() as connection:
            shown = set(connection.scalars(sa.select(_jobs.c.result)))
            running = set(connection.scalars(sa.select(_jobs.c.id).where(_IS_ACTIVE)))
        for file in self.results.iterdir():
            # A running job's own files begin with its id.
            if file.name not in shown and file.name.partition(".")[0] not in running:
                file.unlink(missing_ok=True)

    def _change(self, where: list[Any], **values: Any) -> list[Job]:
        """Change rows, count their revision up, and return them as they are now."""
        values["revision"] = _jobs.c.revision + 1
        with self._writing() as connection:
            changed = _jobs.update().where(*where).values(**values).returning(*_COLUMNS)
            return [Job(**row) for row in connection.execute(changed).mappings()]

    def _read(self, asked: sa.Select[Any]) -> list[Job]:
        with self._engine.connect() as connection:
            return [Job(**row) for row in connection.execute(asked).mappings()]

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.commit()
        except sa.exc.OperationalError as error:
            raise _unwritable(self.folder, error.orig or error) from error


def _set_up(connection: Any, _record: Any) -> None:
    """Let readers and writers work side by side."""
    connection.isolation_level = None  # the table begins its transactions itself
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _unwritable(folder: Path, error: BaseException) -> StoreReadOnlyError:
    said = getattr(error, "strerror", None) or error
    return StoreReadOnlyError(
        f"{folder} cannot be written to ({said}); long work is kept there: make room, or give "
        "the server the right to write"
    )
