"""The staff's pages of needs: the list with contacts, its file without, and closing for others."""

from __future__ import annotations

import tempfile
from pathlib import Path as File
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.answers import open_request_store
from api.auth import require_staff
from api.owners import PRIVATE
from api.params import Lang
from api.questions.common import today
from api.questions.demand_choices import read_choices
from api.questions.demands import ask_demands, set_demand_status
from api.routes.demands import Demand
from api.routes.pages import Framer
from api.routes.staff import draw_staff_page
from layers.query import Query as Records
from layers.store import Store
from web.demands import demands_page

router = APIRouter(
    prefix="/demands", include_in_schema=False, dependencies=[Depends(require_staff)]
)

PAGE_SIZE = 50
_SORTS = (
    "-posted_on", "posted_on", "min_area_m2", "-min_area_m2", "-max_rent_cny_m2_month", "industry",
    "unit",
)  # fmt: skip
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Text = Annotated[str, Query(max_length=200)]


def _read_filters(
    status: Text = "", unit: Text = "", industry: Text = "", text: Text = "", sort: Text = ""
) -> dict[str, str]:
    """Return what the filters hold."""
    held = {"status": status, "unit": unit, "industry": industry, "text": text.strip()}
    return {**held, "sort": sort or _SORTS[0]}


Filters = Annotated[dict[str, str], Depends(_read_filters)]


def _asked(held: dict[str, str]) -> dict[str, Any]:
    where = {name: held[name] for name in ("status", "unit", "industry")}
    return {"where": where, "text": held["text"], "sort": held["sort"]}


@router.get("")
def get_demands(
    request: Request,
    lang: Lang,
    held: Filters,
    after: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Draw the needs with their contacts."""

    def draw(store: Store, frame: Framer) -> str:
        asked = _asked(held)
        answer = ask_demands(store, **asked, limit=PAGE_SIZE, after=after or None, contacts=True)
        return demands_page(
            answer.to_json(),
            frame=frame(demo_counted=answer.demo_counted),
            offered=read_choices(store).to_json(),
            held=held,
            sorts=_SORTS,
        )

    return draw_staff_page(request, lang, draw)


@router.get("/export.xlsx")
def get_file(request: Request, held: Filters) -> Response:
    """Send the needs as a sheet, without contacts."""
    store = open_request_store(request)
    asked = _asked(held)
    query = Records(
        where={name: value for name, value in asked["where"].items() if value},
        text=asked["text"] or None,
        order_by=asked["sort"].removeprefix("-"),
        descending=asked["sort"].startswith("-"),
    )
    # Imported here: what writes sheets costs the start of the server time.
    from layers.export import export_layer  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        path = File(folder) / "demands.xlsx"
        export_layer(store, "demands", path, query=query, datum="wgs84")
        body = path.read_bytes()
    name = f'attachment; filename="demands-{today().isoformat()}.xlsx"'
    return Response(body, media_type=_XLSX, headers={"Content-Disposition": name, **PRIVATE})


@router.post("/{demand}/status")
def post_status(
    request: Request, lang: Lang, demand: Demand, status: Annotated[str, Form(max_length=20)]
) -> Response:
    """Close a need for a company, or open it again."""
    store = open_request_store(request)
    with request.app.state.store.edit(f"demand {status}") as edit:
        set_demand_status(edit, store, demand, status)
    return RedirectResponse(f"/demands?lang={lang}", status_code=303)
