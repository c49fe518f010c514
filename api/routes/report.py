"""Reports over HTTP: made as jobs, at once where the same one was made before; and their page."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from api.auth import is_staff
from api.jobs.answers import answer_job
from api.jobs.report import ReportAsked
from api.params import Lang
from api.questions.common import today
from api.routes.staff import draw_staff_page
from geo.report import ON_REQUEST, SECTIONS, STAFF_SECTIONS
from layers.query import Query as Records
from web.report.build import FORMATS
from web.reports import reports_page

api = APIRouter(prefix="/api", tags=["reports"])
pages = APIRouter(include_in_schema=False)


@api.post("/report")
async def post_report(request: Request, asked: ReportAsked) -> Response:
    """Make a report: its file, or with `Prefer: respond-async` the address of its job."""
    inputs = asked.to_inputs(request.app.state.settings, staff=is_staff(request))
    return await answer_job(request, "report", inputs)


class ReportLink(ReportAsked):
    """A report asked by a link, which may name a scenario as any address may."""

    scenario: str = Field("", max_length=100, description="Ask this scenario")


@api.get("/report")
async def get_report(request: Request, asked: Annotated[ReportLink, Query()]) -> Response:
    """Make a report by a link; sections are given one by one: `sections=towns&sections=units`."""
    plain = asked.model_dump(exclude={"scenario"})  # the request itself tells it
    return await post_report(request, ReportAsked.model_validate(plain))


@pages.get("/reports")
def get_page(request: Request, lang: Lang) -> Response:
    """Draw the form that asks for a report."""
    staff = is_staff(request)
    sections = [key for key in SECTIONS if staff or key not in STAFF_SECTIONS]
    return draw_staff_page(
        request,
        lang,
        lambda store, frame: reports_page(
            frame=frame(),
            formats=tuple(FORMATS),
            sections=[(key, key not in ON_REQUEST, key in STAFF_SECTIONS) for key in sections],
            units=store.read("reporting_units", Records(columns=["name"]))["name"].tolist(),
            today=today().isoformat(),
            staff=staff,
        ),
    )


router = APIRouter()
router.include_router(api)
router.include_router(pages)
