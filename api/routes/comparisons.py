"""Scenarios side by side, for staff: asked as a job, shown as a page, sent as files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.answers import open_base_store
from api.auth import require_staff
from api.jobs import background
from api.jobs.answers import answer_job
from api.jobs.comparison import BASE, comparison_inputs
from api.params import Lang, refuse_unknown
from api.routes.board import CSV, XLSX
from api.routes.pages import Framer
from api.routes.scenarios import see
from api.routes.staff import draw_staff_page
from api.views import map_view
from layers.store import Store
from web.compared_files import comparison_csv, comparison_xlsx
from web.rows import Result
from web.scenarios import scenario_compare_page

router = APIRouter(dependencies=[Depends(require_staff)])

Ids = Annotated[
    list[str], Query(max_length=10, description="Two or three scenarios by id; base for the layers")
]
_KIND = "compare"


@router.get("/api/scenarios/compare", tags=["scenarios"], dependencies=[Depends(refuse_unknown)])
async def get_comparison(request: Request, ids: Ids) -> Response:
    """Hold two or three scenarios, or the layers, against each other: every figure of each.

    The work is a job: `Prefer: respond-async` answers with its address at once.
    """
    return await answer_job(request, _KIND, await run_in_threadpool(_inputs, request, ids))


@router.get("/scenarios/compare", include_in_schema=False)
def get_compare_page(
    request: Request,
    lang: Lang,
    ids: Ids,
    every: str = "",
    job: Annotated[str, Query(max_length=50)] = "",
) -> Response:
    """Draw two or three scenarios side by side, once every question has been asked of each."""
    inputs = _inputs(request, ids)
    known = background.find(request, job, _KIND, inputs)
    if known is None:
        begun = background.begin(request, _KIND, inputs)
        query = {"ids": ",".join(inputs["ids"]), "every": every, "job": begun.id, "lang": lang}
        given = {name: value for name, value in query.items() if value}
        return RedirectResponse(f"/scenarios/compare?{urlencode(given, safe=',')}", status_code=303)
    report = background.read_result(request, known)

    def draw(store: Store, frame: Framer) -> str:
        return scenario_compare_page(
            report,
            frame=frame(demo_counted=report is not None and report["demo_counted"]),
            view=map_view(store, frame.settings, lang=lang),
            ids=inputs["ids"],
            names=inputs["names"],
            job=known.to_json(),
            every=bool(every),
        )

    return draw_staff_page(request, lang, draw)


@router.get("/scenarios/compare.csv", include_in_schema=False)
async def get_compare_csv(request: Request, lang: Lang, ids: Ids) -> Response:
    """Send every figure of a comparison as a table."""
    return await _file(request, ids, lang, comparison_csv, CSV, "csv")


@router.get("/scenarios/compare.xlsx", include_in_schema=False)
async def get_compare_xlsx(request: Request, lang: Lang, ids: Ids) -> Response:
    """Send every figure of a comparison as a sheet."""
    return await _file(request, ids, lang, comparison_xlsx, XLSX, "xlsx")


async def _file(
    request: Request,
    ids: list[str],
    lang: str,
    write: Callable[[Result, str], bytes],
    media_type: str,
    ending: str,
) -> Response:
    answer = await get_comparison(request, ids)
    if answer.status_code != 200:
        return answer
    report = orjson.loads(bytes(answer.body))
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="scenarios.{ending}"',
    }
    body = await run_in_threadpool(write, report, lang)
    return Response(body, headers=headers, media_type=media_type)


def _inputs(request: Request, ids: list[str]) -> dict[str, list[str]]:
    words = [word.strip() for part in ids for word in part.split(",") if word.strip()]
    base = open_base_store(request)
    return comparison_inputs(
        [base if word == BASE else see(request, word)[1].store for word in words]
    )
