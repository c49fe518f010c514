"""Jobs over HTTP: their status, results and events, how they are stopped; and the staff's page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from api.answers import JSON, to_bytes
from api.auth import require_staff
from api.jobs.answers import BEAT, EVENT_HEADERS, EVENTS, answer_result, follow, pool_of, to_event
from api.jobs.pool import JobPool
from api.jobs.record import Job
from api.params import Lang
from api.routes.staff import draw_staff_page
from web.jobs import asked_text, jobs_page
from web.words import words

api = APIRouter(prefix="/api/jobs", tags=["jobs"])
pages = APIRouter(include_in_schema=False, dependencies=[Depends(require_staff)])

Id = Annotated[str, Path(max_length=50)]


@api.get("", dependencies=[Depends(require_staff)])
def get_jobs(request: Request, lang: Lang) -> Response:
    """List the jobs with what they were asked, those under way first."""
    return _answer({"jobs": _list_jobs(request, lang), "links": []})


def _list_jobs(request: Request, lang: str) -> list[dict[str, Any]]:
    """Return the status of every job, with what it was asked in words."""
    return [
        {**job.to_json(), "asked": asked_text(job.kind, job.inputs, words(lang))}
        for job in pool_of(request).table.latest()
    ]


@api.delete("", dependencies=[Depends(require_staff)])
def delete_jobs(request: Request) -> Response:
    """Remove every job that has ended, with its result."""
    table = pool_of(request).table
    return _answer({"removed": table.remove(job.id for job in table.latest(limit=-1))})


@api.get("/{job}")
def get_job(request: Request, job: Id) -> Response:
    """Tell the status of a job, as OGC API Processes does."""
    return _answer(_find(request, job).to_json())


@api.delete("/{job}")
def delete_job(
    request: Request,
    job: Id,
    *,
    keep: Annotated[bool, Query(description="Only stop it; leave it where it has ended")] = False,
) -> Response:
    """Stop a job, keeping the best found where the question has one; remove one that has ended."""
    known, table = _find(request, job), pool_of(request).table
    if known.active or keep:
        return _answer(table.stop(job).to_json())
    table.remove([job])
    return _answer({**known.to_json(), "status": "dismissed", "message": "removed", "links": []})


@api.get("/{job}/results")
def get_results(request: Request, job: Id) -> Response:
    """Answer with the result of a job."""
    return answer_result(request, _find(request, job))


@api.get("/{job}/events")
def get_events(
    request: Request, job: Id, last_event_id: Annotated[str, Header(max_length=20)] = ""
) -> Response:
    """Tell of a job as it goes on: `status` when its state changes, `progress` in between."""
    known = _find(request, job)
    seen = int(last_event_id) if last_event_id.isdecimal() else 0
    if not known.active and seen >= known.revision:
        return Response(status_code=204)  # tells the browser not to come back
    body = _stream(pool_of(request), known, seen)
    return StreamingResponse(body, media_type=EVENTS, headers=dict(EVENT_HEADERS))


async def _stream(pool: JobPool, job: Job, seen: int) -> AsyncIterator[bytes]:
    state = ""
    async for now in follow(pool, job, seen=seen):
        if now is None:
            yield BEAT
            continue
        name = "progress" if now.state == state else "status"
        state = now.state
        yield to_event(name, now.to_json(), number=now.revision)


@pages.get("/jobs")
def get_page(request: Request, lang: Lang) -> Response:
    """Draw the staff's page of jobs."""
    jobs = _list_jobs(request, lang)
    return draw_staff_page(request, lang, lambda _store, frame: jobs_page(jobs, frame=frame()))


def _find(request: Request, job_id: str) -> Job:
    """Return a job that the asker may see."""
    job = pool_of(request).table.get(job_id)
    if job.staff:
        require_staff(request)
    return job


def _answer(body: object) -> Response:
    return Response(to_bytes(body), media_type=JSON, headers={"Cache-Control": "no-store"})


router = APIRouter()
router.include_router(api)
router.include_router(pages)
