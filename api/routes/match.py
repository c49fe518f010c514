"""Matching, for staff: demands say what companies look for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from api.answers import JSON, open_request_store, to_bytes
from api.auth import require_staff
from api.questions.match import (
    MAX_LIMIT,
    MatchReport,
    ask_demand_matches,
    ask_match,
    ask_space_matches,
)
from geo.errors import InputError
from layers.store import Store

router = APIRouter(prefix="/api", tags=["matching"], dependencies=[Depends(require_staff)])

Id = Annotated[str, Path(max_length=200)]
Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT)]
Weights = dict[str, Annotated[float, Field(ge=0, le=1000, allow_inf_nan=False)]]
_PRIVATE = {"Cache-Control": "no-store"}


class MatchAsked(BaseModel):
    """What is to be matched: a demand, a space, or all to all."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["spaces", "demands", "best", "stable", "compare"] | None = Field(
        None, description="By default spaces for a demand, demands for a space, else best"
    )
    demand: str | None = Field(None, max_length=200, description="Rank spaces for this demand")
    space: str | None = Field(None, max_length=200, description="Rank demands for this space")
    weights: Weights | None = Field(None, description="Weights by part")
    operator_weights: Weights | None = Field(None, description="Weights of operators by part")
    limit: int = Field(20, ge=1, le=MAX_LIMIT)
    demo: bool = Field(True, description="Whether demo records count")


@router.post("/match")
async def post_match(request: Request, asked: MatchAsked) -> Response:
    """Match: `pairs` with score, parts and reasons; `unmatched` with the cause that binds."""
    store = open_request_store(request)
    report = await run_in_threadpool(_ask, store, asked)
    return _answer(report)


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


def _ask(store: Store, asked: MatchAsked) -> MatchReport:
    """Ask the question that the body means."""
    if asked.demand is not None and asked.space is not None:
        raise InputError("match: give a demand or a space, not both")
    common: dict[str, Any] = {"weights": asked.weights, "demo": asked.demo}
    mode = asked.mode or ("spaces" if asked.demand else "demands" if asked.space else "best")
    if mode == "spaces":
        if asked.demand is None:
            raise InputError("match: mode 'spaces' needs a demand")
        return ask_demand_matches(store, asked.demand, limit=asked.limit, **common)
    if mode == "demands":
        if asked.space is None:
            raise InputError("match: mode 'demands' needs a space")
        return ask_space_matches(store, asked.space, limit=asked.limit, **common)
    return ask_match(store, mode=mode, operator_weights=asked.operator_weights, **common)


def _answer(report: MatchReport) -> Response:
    return Response(to_bytes(report.to_json()), media_type=JSON, headers=_PRIVATE)
