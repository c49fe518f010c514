"""The records behind the structure, and the structure as files."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Depends, Request, Response

from api.answers import respond_result
from api.params import Day, Lang, refuse_unknown
from api.questions.readings import ask_role_records
from api.questions.structure import ask_structure
from api.routes.board import Demo, Format, respond_sheets
from api.routes.pages import Framer, draw_page
from api.routes.structure import Text, Version
from api.views import read_city
from layers.store import Store
from layers.workbook import Sheet
from web.board import records_page, records_sheet
from web.structure import structure_sheets
from web.words import words

router = APIRouter()
_CHECKED = [Depends(refuse_unknown)]


@router.get("/api/structure/records", tags=["structure"], dependencies=_CHECKED)
def get_role_records(
    request: Request, day: Day, role: Text = "", version: Version = None, *, demo: Demo = True
) -> Response:
    """List the incubators behind the space of a role."""
    return respond_result(
        request,
        lambda store: ask_role_records(store, role, version=version, as_of=day, demo=demo),
    )


@router.get("/structure/records", include_in_schema=False)
def draw_role_records(
    request: Request, lang: Lang, role: Text = "", version: Text = ""
) -> Response:
    """Draw the incubators behind the space of a role."""

    def draw(store: Store, frame: Framer) -> str:
        found = ask_role_records(store, role, version=version or None)
        return records_page(
            found.to_json(),
            frame=frame(demo_counted=found.demo_counted),
            query={"role": role, "version": version},
        )

    return draw_page(request, lang, draw)


@router.get("/structure/records/export", include_in_schema=False)
def export_role_records(
    request: Request, lang: Lang, role: Text = "", version: Text = "", format_: Format = "xlsx"
) -> Response:
    """Write the incubators behind the space of a role as a file."""

    def make(store: Store) -> Sequence[Sheet]:
        found = ask_role_records(store, role, version=version or None)
        return [records_sheet(found.to_json(), (), words(lang))]

    return respond_sheets(request, make, kind=format_, name="structure-records", lang=lang)


@router.get("/structure/export", include_in_schema=False)
def export_structure(
    request: Request, lang: Lang, version: Text = "", format_: Format = "xlsx"
) -> Response:
    """Write the roll-up as a file."""

    def make(store: Store) -> Sequence[Sheet]:
        report = ask_structure(store, version=version or None)
        return structure_sheets(report.to_json(), read_city(store).get("roles", ()), words(lang))

    return respond_sheets(request, make, kind=format_, name="structure", lang=lang)
