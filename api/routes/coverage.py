"""What to do next for towns, how coverage grew, and coverage as files."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import Result, respond_result
from api.params import Day, Lang, refuse_unknown
from api.questions.coverage import ask_industry_coverage, ask_town_coverage
from api.questions.town_work import ask_coverage_trend, ask_town_actions
from api.routes.board import Demo, Format, Unit, respond_sheets
from layers.store import Store
from layers.workbook import Sheet
from web.coverage import coverage_sheets
from web.words import words

router = APIRouter()
_CHECKED = [Depends(refuse_unknown)]


@router.get("/api/coverage/towns/actions", tags=["coverage"], dependencies=_CHECKED)
def get_town_actions(
    request: Request, day: Day, unit: Unit = None, *, demo: Demo = True
) -> Response:
    """Tell the next best action for every industrial town without an operating incubator."""
    return respond_result(
        request, lambda store: ask_town_actions(store, unit=unit, as_of=day, demo=demo)
    )


@router.get("/api/coverage/trend", tags=["coverage"], dependencies=_CHECKED)
def get_trend(
    request: Request,
    day: Day,
    of: Annotated[Literal["towns", "industries"], Query(description="Coverage of what")] = "towns",
    unit: Unit = None,
    *,
    demo: Demo = True,
) -> Response:
    """Tell how coverage grew, by the opening dates of incubators."""
    return respond_result(
        request, lambda store: ask_coverage_trend(store, of=of, unit=unit, as_of=day, demo=demo)
    )


@router.get("/coverage/export", include_in_schema=False)
def export_coverage(request: Request, lang: Lang, date: Day, format_: Format = "xlsx") -> Response:
    """Write coverage as a file: all its tables as XLSX, the towns as CSV."""

    def make(store: Store) -> list[Sheet]:
        work: dict[str, Result] = {
            "actions": ask_town_actions(store, as_of=date),
            "town_trend": ask_coverage_trend(store, of="towns", as_of=date),
            "industry_trend": ask_coverage_trend(store, of="industries", as_of=date),
        }
        return coverage_sheets(
            ask_town_coverage(store, as_of=date).to_json(),
            ask_industry_coverage(store, as_of=date).to_json(),
            {name: answer.to_json() for name, answer in work.items()},
            words(lang),
        )

    return respond_sheets(request, make, kind=format_, name="coverage", lang=lang)
