"""How a door answers with a job: at once with its address, or with its result once it is there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import orjson
from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import JSON, open_request_store, to_bytes
from api.auth import is_staff
from api.errors import PROBLEM, problem
from api.jobs.pool import JobPool
from api.jobs.record import Job
from api.scenarios import with_lens
from geo.errors import NotFoundError

EVENTS = "text/event-stream"
EVENT_HEADERS: Mapping[str, str] = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
BEAT = b": waiting\n\n"

_PRIVATE = {"Cache-Control": "no-store"}
_POLL_S = 0.1
_BEAT_S = 10.0
_RETRY_S = "10"
_NOT_READY = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/result-not-ready"


def pool_of(request: Request) -> JobPool:
    """Return the jobs of the server that the request came to."""
    pool: JobPool = request.app.state.jobs
    return pool


async def submit(request: Request, kind: str, inputs: Mapping[str, Any]) -> Job:
    """Take the question of a request in as a job, asked of the scenario that the request names."""
    pool, staff = pool_of(request), is_staff(request)
    store = await run_in_threadpool(open_request_store, request)
    asked = with_lens(inputs, store)
    return await run_in_threadpool(pool.submit, kind, asked, staff=staff)


def wants_address(request: Request) -> bool:
    """Tell whether the asker wants the job's address and not to wait (RFC 7240)."""
    preferences = ",".join(request.headers.getlist("prefer")).lower()
    return "respond-async" in (part.partition(";")[0].strip() for part in preferences.split(","))


async def answer_job(request: Request, kind: str, inputs: Mapping[str, Any]) -> Response:
    """Answer a long question: with the job's address, or, by default, with its result.

    An asker who goes away while waiting stops the work.

    Parameters
    ----------
    request
        The request; `Prefer: respond-async` asks for the address.
    kind
        The kind of job.
    inputs
        What is asked, as JSON.
    """
    job = await submit(request, kind, inputs)
    if wants_address(request):
        headers = {"Location": job.url, "Preference-Applied": "respond-async", **_PRIVATE}
        return Response(to_bytes(job.to_json()), 201, headers, media_type=JSON)
    async for now in follow(pool_of(request), job):
        if now is None and await request.is_disconnected():
            await run_in_threadpool(pool_of(request).table.stop, job.id)
        job = now or job
    return await run_in_threadpool(answer_result, request, job)


async def follow(pool: JobPool, job: Job, *, seen: int = 0) -> AsyncIterator[Job | None]:
    """Give a job whenever it changed, until it has ended; None now and then when it has not.

    Parameters
    ----------
    pool
        The jobs.
    job
        The job as it was last known.
    seen
        The revision that the follower has seen.
    """
    beat = time.monotonic()
    while True:
        if job.revision > seen:
            seen, beat = job.revision, time.monotonic()
            yield job
        if not job.active:
            return
        if time.monotonic() - beat > _BEAT_S:
            beat = time.monotonic()
            yield None
        await asyncio.sleep(_POLL_S)
        try:
            job = await run_in_threadpool(pool.table.get, job.id)
        except NotFoundError:  # removed once it had ended
            return


def answer_result(request: Request, job: Job) -> Response:
    """Answer with the result of a job, or with why there is none."""
    if job.problem is not None:
        return _answer(request, dict(job.problem))
    if job.active:
        return _answer(request, {**problem(404, "the job has not ended yet"), "type": _NOT_READY})
    file = pool_of(request).table.path_of(job)
    if not job.result or not file.is_file():
        return _answer(request, problem(410, "the job was stopped before there was a result"))
    headers = dict(_PRIVATE)
    if job.filename:
        headers["Content-Disposition"] = f'attachment; filename="{job.filename}"'
    return Response(file.read_bytes(), headers=headers, media_type=job.media_type)


def to_event(name: str, body: Mapping[str, Any], *, number: int | None = None) -> bytes:
    r"""Write a server-sent event.

    >>> to_event("progress", {"found": 3}, number=7)
    b'id: 7\nevent: progress\ndata: {"found":3}\n\n'
    """
    head = b"" if number is None else b"id: %d\n" % number
    return head + b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(dict(body)))


def _answer(request: Request, body: dict[str, Any]) -> Response:
    headers = {**_PRIVATE, "Retry-After": _RETRY_S} if body["status"] == 503 else _PRIVATE
    said = orjson.dumps({**body, "instance": request.url.path})
    return Response(said, body["status"], headers, media_type=PROBLEM)
