"""Matching, for staff: demands say what companies look for."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from api.answers import JSON, open_request_store, to_bytes
from api.auth import require_staff
from api.jobs.answers import answer_job, wants_address
from api.jobs.matching import MatchAsked
from geo.match_report import MatchReport

router = APIRouter(prefix="/api", tags=["matching"], dependencies=[Depends(require_staff)])

_PRIVATE = {"Cache-Control": "no-store"}


@router.post("/match")
async def post_match(request: Request, asked: MatchAsked) -> Response:
    """Match: `pairs` with score, parts and reasons; `unmatched` with the cause that binds."""
    if asked.ranks and not wants_address(request):
        store = open_request_store(request)
        return _answer(await run_in_threadpool(asked.ask, store))
    return await answer_job(request, "match", asked.model_dump(mode="json"))


def _answer(report: MatchReport) -> Response:
    return Response(to_bytes(report.to_json()), media_type=JSON, headers=_PRIVATE)
