"""Matchings made in the background: asked, found again by the key of their job, and read."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import Request

from api.jobs.answers import pool_of
from api.jobs.matching import MatchAsked
from api.jobs.record import Job
from geo.errors import NotFoundError


def begin_matching(request: Request, asked: MatchAsked) -> Job:
    """Have a matching made, unless it is there already or on its way."""
    pool, inputs = pool_of(request), asked.model_dump(mode="json")
    for job in pool.table.latest():
        same = job.kind == "match" and dict(job.inputs) == inputs
        if same and job.active and not job.stopping and pool.is_current(job):
            return job
    return pool.submit("match", inputs, staff=True)


def find_matching(request: Request, key: str, asked: MatchAsked) -> Job | None:
    """Return the job of a key, where it was asked the same and has not lost its result."""
    if not key:
        return None
    try:
        job = pool_of(request).table.get(key)
    except NotFoundError:
        return None
    same = job.kind == "match" and dict(job.inputs) == asked.model_dump(mode="json")
    there = job.active or job.problem or _has_result(request, job)
    return job if same and there else None


def read_matching(request: Request, job: Job) -> dict[str, Any] | None:
    """Return the report that a job has made; None while there is none."""
    if not _has_result(request, job):
        return None
    found: dict[str, Any] = orjson.loads(pool_of(request).table.path_of(job).read_bytes())
    return found


def is_stale(request: Request, job: Job | None) -> bool:
    """Tell whether something has changed since a matching was made."""
    return job is not None and not job.active and not pool_of(request).is_current(job)


def _has_result(request: Request, job: Job) -> bool:
    return bool(job.result) and pool_of(request).table.path_of(job).is_file()
