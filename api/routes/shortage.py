"""The shortage of space by unit, for staff: a layer as GeoJSON, and the map."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool

from api.answers import GEOJSON, open_request_store
from api.auth import require_staff
from api.jobs import background
from api.jobs.answers import answer_job
from api.jobs.matching import MatchAsked
from api.params import Lang
from api.questions.shortage import ShortageReport, ask_shortage
from api.routes.pages import Framer
from api.routes.staff import draw_staff_page
from api.views import map_view
from layers.store import Store
from web.features import MAP_TOLERANCE_DEG, collection
from web.shortage import shortage_page

api = APIRouter(prefix="/api/match", tags=["matching"], dependencies=[Depends(require_staff)])
pages = APIRouter(include_in_schema=False, dependencies=[Depends(require_staff)])

Text = Annotated[str, Query(max_length=200)]
Key = Annotated[str | None, Query(max_length=200)]
_BEST = MatchAsked.model_validate({"mode": "best"})


@api.get("/shortage")
async def get_shortage(
    request: Request,
    industry: Annotated[str | None, Query(max_length=200, description="An industry")] = None,
    kind: Annotated[str | None, Query(max_length=50, description="A kind of space")] = None,
    *,
    demo: Annotated[bool, Query(description="Whether demo records count")] = True,
) -> Response:
    """Return the reporting units as GeoJSON with demands and area left without a space."""
    asked = _BEST.model_copy(update={"demo": demo})
    answer = await answer_job(request, "match", asked.model_dump(mode="json"))
    if answer.status_code != 200:
        return answer
    unmatched = orjson.loads(answer.body)["unmatched"]

    def make() -> bytes:
        store = open_request_store(request)
        report = ask_shortage(store, unmatched=unmatched, industry=industry, kind=kind, demo=demo)
        return _to_layer(report)

    body = await run_in_threadpool(make)
    return Response(body, headers={"Cache-Control": "no-store"}, media_type=GEOJSON)


def _to_layer(report: ShortageReport) -> bytes:
    """Write the units as features, the sums beside them."""
    text = collection("reporting_units", report.layer(), tolerance_deg=MAP_TOLERANCE_DEG)
    return orjson.dumps({**orjson.loads(text), **report.to_json()})


@pages.get("/shortage")
def get_page(
    request: Request, lang: Lang, industry: Text = "", kind: Text = "", job: Text = ""
) -> Response:
    """Draw the shortage, once the matching behind it is made."""
    held = {"industry": industry, "kind": kind, "job": job}
    inputs = _BEST.model_dump(mode="json")
    known = background.find(request, job, "match", inputs)
    if known is None:
        query = {**held, "job": background.begin(request, "match", inputs).id, "lang": lang}
        return RedirectResponse(f"/shortage?{urlencode(query)}", status_code=303)
    found = background.read_result(request, known)

    def draw(store: Store, frame: Framer) -> str:
        report = None if found is None else ask_shortage(
            store, unmatched=found["unmatched"], industry=industry or None, kind=kind or None
        )  # fmt: skip
        version = "" if found is None else f"{found['rule']['name']} {found['rule']['version']}"
        return shortage_page(
            None if report is None else report.to_json(),
            frame=frame(demo_counted=report is not None and report.demo_counted, version=version),
            ground=None if report is None else report.layer(),
            view=map_view(store, frame.settings, lang=lang),
            held=held,
            job=known.to_json(),
        )

    return draw_staff_page(request, lang, draw)


router = APIRouter()
router.include_router(api)
router.include_router(pages)
