"""What a page shows of a job: begun once, found again by its key, read when it is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request

from api.jobs.answers import pool_of
from api.jobs.record import Job
from geo.errors import NotFoundError

Inputs = Mapping[str, Any]


def begin(request: Request, kind: str, inputs: Inputs) -> Job:
    """Have staff's work done, unless it is done already or on its way.

    Parameters
    ----------
    request
        The request; the work is asked of the real layers.
    kind
        A key of `KINDS`.
    inputs
        What is asked, as JSON.
    """
    pool = pool_of(request)
    for job in pool.table.latest():
        same = job.kind == kind and dict(job.inputs) == inputs
        if same and job.active and not job.stopping and pool.is_current(job):
            return job
    return pool.submit(kind, inputs, staff=True)


def find(request: Request, key: str, kind: str, inputs: Inputs) -> Job | None:
    """Return the job of a key, where it was asked the same and has not lost its result."""
    if not key:
        return None
    try:
        job = pool_of(request).table.get(key)
    except NotFoundError:
        return None
    same = job.kind == kind and dict(job.inputs) == inputs
    there = job.active or job.problem or job.state == "dismissed" or _has_result(request, job)
    return job if same and there else None


def read_result(request: Request, job: Job) -> dict[str, Any] | None:
    """Return the report that a job has made; None while there is none."""
    if not _has_result(request, job):
        return None
    found: dict[str, Any] = orjson.loads(pool_of(request).table.path_of(job).read_bytes())
    return found


def is_stale(request: Request, job: Job | None) -> bool:
    """Tell whether something has changed since a job was asked."""
    return job is not None and not job.active and not pool_of(request).is_current(job)


def _has_result(request: Request, job: Job) -> bool:
    return bool(job.result) and pool_of(request).table.path_of(job).is_file()
