"""The board of the plan over HTTP: targets and goals, the records behind them, pages and files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from api.answers import open_request_store, respond, respond_result
from api.params import Day, Lang, refuse_unknown
from api.questions.board import ask_board, ask_progress, ask_records
from api.questions.goal_map import ask_goal_map
from api.routes.pages import Framer, draw_page
from api.views import ground, version_of
from geo.errors import Fault, InputError
from layers.store import Store
from layers.workbook import Sheet, write_csv, write_xlsx
from web.board import FILTERS, board_sheets, records_page, records_sheet, targets_page
from web.words import words

api = APIRouter(prefix="/api/targets", tags=["targets"], dependencies=[Depends(refuse_unknown)])
pages = APIRouter(include_in_schema=False)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"

Unit = Annotated[str | None, Query(max_length=100, description="Name of a reporting unit")]
Year = Annotated[int | None, Query(ge=1900, le=2200, description="A year of the plan")]
Key = Annotated[str | None, Query(max_length=100)]
Text = Annotated[str, Query(max_length=100)]
Demo = Annotated[bool, Query(description="Whether demo records count")]
Format = Annotated[Literal["xlsx", "csv"], Query(alias="format")]


def _read_scope(
    day: Day, unit: Unit = None, year: Year = None, indicator: Key = None
) -> dict[str, Any]:
    """Read what all questions of the board can be asked about."""
    return {"unit": unit, "year": year, "indicator": indicator, "as_of": day}


Scope = Annotated[dict[str, Any], Depends(_read_scope)]


@api.get("")
def get_targets(request: Request, scope: Scope, issuer: Key = None) -> Response:
    """Track the plan: targets by unit, year and indicator, every counted goal, units ranked."""
    return respond_result(request, lambda store: ask_board(store, issuer=issuer, **scope))


@api.get("/records")
def get_records(
    request: Request,
    scope: Scope,
    goal: Key = None,
    industry: Key = None,
    *,
    demo: Demo = True,
) -> Response:
    """List the records behind a figure: of a goal, a yearly indicator, or a key industry."""
    return respond_result(
        request,
        lambda store: ask_records(store, goal=goal, industry=industry, demo=demo, **scope),
    )


@api.get("/map")
def get_goal_map(
    request: Request,
    day: Day,
    goal: Annotated[str, Query(max_length=100, description="Id of a counted goal")],
    *,
    demo: Demo = True,
) -> Response:
    """Tell how a counted goal stands in every unit, year by year where records date it."""
    return respond_result(request, lambda store: ask_goal_map(store, goal, as_of=day, demo=demo))


def _asked_year(year: str) -> int | None:
    """Read the year of a form, which sends an empty field for all years."""
    if not year:
        return None
    if not year.isdecimal():
        fault = Fault("year", "is not a year", year[:40], "give a year such as 2026")
        raise InputError(str(fault), [fault])
    return int(year)


def _read_filter(
    unit: Text = "", year: Text = "", indicator: Text = "", issuer: Text = ""
) -> dict[str, Any]:
    """Read the filter of the board as its form sends it."""
    return {
        "unit": unit or None,
        "year": _asked_year(year),
        "indicator": indicator or None,
        "issuer": issuer or None,
    }


def _read_figure(
    goal: Text = "", indicator: Text = "", industry: Text = "", unit: Text = "", year: Text = ""
) -> dict[str, Any]:
    """Read which figure's records a page asks for."""
    return {
        "goal": goal or None,
        "indicator": indicator or None,
        "industry": industry or None,
        "unit": unit or None,
        "year": _asked_year(year),
    }


Filter = Annotated[dict[str, Any], Depends(_read_filter)]
AskedFigure = Annotated[dict[str, Any], Depends(_read_figure)]


@pages.get("/targets")
def draw_targets(
    request: Request,
    lang: Lang,
    chosen: Filter,
    map_: Annotated[str, Query(alias="map", max_length=100)] = "",
) -> Response:
    """Draw the board of the plan."""

    def draw(store: Store, frame: Framer) -> str:
        board = ask_board(store, **chosen)
        answer = board.to_json()
        goals = {goal["id"] for goal in answer["goals"]}
        shown = ask_goal_map(store, map_).to_json() if map_ in goals else None
        whole = answer if not any(chosen.values()) else ask_board(store).report.to_json()
        options = {
            name: sorted({row[name] for row in whole["rows"] if row.get(name) is not None})
            for name in FILTERS
        }
        return targets_page(
            answer,
            frame=frame(demo_counted=board.demo_counted, version=version_of(answer)),
            indicators=_indicators(store),
            chosen={**chosen, "map": shown or map_ or None},
            options=options,
            whole=whole,
            ground=ground(store, frame.settings, lang=lang),
            history=ask_progress(store, unit=chosen["unit"], year=chosen["year"]).to_json()["rows"],
        )

    return draw_page(request, lang, draw)


@pages.get("/targets/records")
def draw_records(request: Request, lang: Lang, asked: AskedFigure) -> Response:
    """Draw the records behind a figure."""

    def draw(store: Store, frame: Framer) -> str:
        found = ask_records(store, **asked)
        return records_page(
            found.to_json(),
            frame=frame(demo_counted=found.demo_counted),
            indicators=_indicators(store),
            query=asked,
        )

    return draw_page(request, lang, draw)


@pages.get("/targets/export")
def export_targets(
    request: Request, lang: Lang, chosen: Filter, format_: Format = "xlsx"
) -> Response:
    """Write the board as a file: all its tables as XLSX, the goals as CSV."""

    def make(store: Store) -> list[Sheet]:
        board = ask_board(store, **chosen)
        return board_sheets(board.to_json(), _indicators(store), words(lang))

    return respond_sheets(request, make, kind=format_, name="targets", lang=lang)


@pages.get("/targets/records/export")
def export_records(
    request: Request, lang: Lang, asked: AskedFigure, format_: Format = "xlsx"
) -> Response:
    """Write the records behind a figure as a file."""

    def make(store: Store) -> list[Sheet]:
        found = ask_records(store, **asked)
        return [records_sheet(found.to_json(), _indicators(store), words(lang))]

    return respond_sheets(request, make, kind=format_, name="records", lang=lang)


def respond_sheets(
    request: Request, make: Callable[[Store], Sequence[Sheet]], *, kind: str, name: str, lang: str
) -> Response:
    """Answer with tables as a file: XLSX holds all, CSV the first.

    Of a scenario, the file's name and its first sheet say so.
    """
    lens = open_request_store(request).lens

    def write(store: Store) -> bytes:
        sheets = make(store)
        if kind != "xlsx":
            return write_csv(sheets[0])
        if lens is None:
            return write_xlsx(sheets)
        w = words(lang)
        said = w("report.scenario_badge", name=lens.name)
        cover = Sheet(w("report.scenario"), (lens.name, lens.id), ((said,),))
        return write_xlsx((cover, *sheets), title=w("report.scenario_flag", name=lens.name))

    whole = name if lens is None else f"{name}-{lens.id}"
    headers = {"Content-Disposition": f'attachment; filename="{whole}.{kind}"'}
    media = XLSX if kind == "xlsx" else CSV
    return respond(request, write, media_type=media, key=(lang,), headers=headers)


def _indicators(store: Store) -> Sequence[dict[str, Any]]:
    found: Sequence[dict[str, Any]] = store.rules("targets").body.get("indicators", ())
    return found


router = APIRouter()
router.include_router(api)
router.include_router(pages)
