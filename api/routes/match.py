"""Matching, for staff: demands say what companies look for."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import JSON, open_request_store, to_bytes
from api.auth import require_staff
from api.jobs.answers import answer_job, wants_address
from api.jobs.matching import MatchAsked
from api.questions.match import MAX_LIMIT, MatchReport, ask_demand_matches

router = APIRouter(prefix="/api", tags=["matching"], dependencies=[Depends(require_staff)])

Id = Annotated[str, Path(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
_PRIVATE = {"Cache-Control": "no-store"}


@router.post("/match")
async def post_match(request: Request, asked: MatchAsked) -> Response:
    """Match: `pairs` with score, parts and reasons; `unmatched` with the cause that binds."""
    if asked.ranks and not wants_address(request):
        store = open_request_store(request)
        return _answer(await run_in_threadpool(asked.ask, store))
    return await answer_job(request, "match", asked.model_dump(mode="json"))


@router.get("/demands/{demand}/matches")
def get_matches(
    request: Request,
    demand: Id,
    limit: Limit = 20,
    *,
    demo: Annotated[bool, Query(description="Whether demo records count")] = True,
) -> Response:
    """Rank the spaces for a demand."""
    store = open_request_store(request)
    return _answer(ask_demand_matches(store, demand, limit=limit, demo=demo))


def _answer(report: MatchReport) -> Response:
    return Response(to_bytes(report.to_json()), media_type=JSON, headers=_PRIVATE)
