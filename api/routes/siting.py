"""Siting over HTTP: one answer, or progress that ends with it and can be stopped; and its page.

The work is a job. Asked with `Accept: text/event-stream`, the answer comes as server-sent events:
`run` with the key of the run, `progress` with the best found and its bound, then `result` or
`problem`. Deleting the run stops the solver, and the best found so far is the result.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from api.auth import is_staff
from api.jobs.answers import (
    BEAT,
    EVENT_HEADERS,
    EVENTS,
    answer_job,
    answer_result,
    follow,
    pool_of,
    submit,
    to_event,
)
from api.jobs.record import Job
from api.jobs.siting import SitingAsked
from api.params import Lang
from api.questions.common import today
from api.routes.pages import Framer, draw_page
from api.settings import Settings
from api.views import has_demo, map_view
from geo.errors import InputError, NotFoundError
from layers.query import Query
from layers.store import Store
from web.siting import siting_page

api = APIRouter(prefix="/api", tags=["siting"])
pages = APIRouter(include_in_schema=False)


@pages.get("/siting")
def get_siting(request: Request, lang: Lang) -> Response:
    """Draw the page of siting."""

    def draw(store: Store, frame: Framer) -> str:
        plan = (store.meta("city") or {}).get("plan") or {}
        return siting_page(
            frame=frame(demo_counted=has_demo(store, "sites", "incubators", "population")),
            view=map_view(store, frame.settings, lang=lang),
            units=store.read("reporting_units", Query(columns=["name"]))["name"].tolist(),
            years=[year for year in plan.get("years", ()) if year >= today().year],
            profiles=store.rules("amenities").body["profiles"],
        )

    return draw_page(request, lang, draw)


@api.post("/siting")
async def post_siting(request: Request, asked: SitingAsked) -> Response:
    """Choose sites: fewest for all towns, p sites for most demand, or a programme of years."""
    _check_time(request, asked)
    inputs = asked.model_dump(mode="json")
    if EVENTS not in request.headers.get("accept", ""):
        return await answer_job(request, "siting", inputs)
    job = await submit(request, "siting", inputs)
    body = _stream(request, job, asked.time_limit_s)
    return StreamingResponse(body, media_type=EVENTS, headers=dict(EVENT_HEADERS))


@api.delete("/siting/{run}", status_code=204)
def stop_siting(request: Request, run: Annotated[str, Path(max_length=50)]) -> Response:
    """Stop a run; the best found so far becomes its result."""
    table = pool_of(request).table
    if not table.get(run).active:
        raise NotFoundError(f"there is no run {run!r} under way")
    table.stop(run)
    return Response(status_code=204)


def _check_time(request: Request, asked: SitingAsked) -> None:
    """Refuse the public more of the server's time than the settings give."""
    settings: Settings = request.app.state.settings
    if asked.time_limit_s > settings.public_solve_s and not is_staff(request):
        raise InputError(
            f"time_limit_s: {asked.time_limit_s:g} seconds are more than the "
            f"{settings.public_solve_s} that all may ask for; ask for less, or sign in as staff"
        )


async def _stream(request: Request, job: Job, time_limit_s: float) -> AsyncIterator[bytes]:
    """Yield events while the job goes on; an asker who leaves stops it."""
    pool = pool_of(request)
    yield to_event("run", {"run": job.id, "time_limit_s": time_limit_s})
    try:
        async for now in follow(pool, job):
            job = now or job
            if now is None:
                yield BEAT
            elif now.active and now.figures:
                yield to_event("progress", now.figures)
    finally:
        # A generator that is closed cannot wait, and this is quick.
        if job.active:
            pool.table.stop(job.id)
    answer = await run_in_threadpool(answer_result, request, job)
    name = "result" if answer.status_code == 200 else "problem"
    yield to_event(name, orjson.loads(answer.body))


router = APIRouter()
router.include_router(api)
router.include_router(pages)
