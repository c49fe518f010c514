"""The history of edits, and undo: pages of the staff and their API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from api.answers import JSON, open_request_store, to_bytes
from api.auth import require_staff
from api.params import Lang, refuse_unknown
from api.questions.history import ask_batch, ask_history
from api.routes.staff import draw_staff_page
from api.stores import STAFF
from geo.errors import ConflictError
from layers.undo import undo_batch
from web.history import batch_page, history_page

router = APIRouter(dependencies=[Depends(require_staff)])

Text = Annotated[str, Query(max_length=200)]
Number = Annotated[int, Path(ge=1, le=2**53)]
Before = Annotated[int | None, Query(ge=1, le=2**53, description="Only before this batch")]


@router.get("/api/batches", tags=["history"], dependencies=[Depends(refuse_unknown)])
def get_batches(
    request: Request,
    layer: Text = "",
    who: Text = "",
    text: Text = "",
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
) -> Response:
    """List the edits of the store by layer, the latest first; for staff."""
    store = open_request_store(request)
    report = ask_history(store, layer=layer, who=who, text=text, before=before, limit=limit)
    return _json(to_bytes(report.to_json()))


@router.get("/api/batches/{number}", tags=["history"], dependencies=[Depends(refuse_unknown)])
def get_batch(request: Request, number: Number) -> Response:
    """Tell what one edit did, and what undoing it would do; for staff."""
    return _json(to_bytes(ask_batch(open_request_store(request), number).to_json()))


@router.post("/api/batches/{number}/undo", tags=["history"])
def post_batch_undo(request: Request, number: Number) -> Response:
    """Undo one edit; 409 with the records named where something was changed since; for staff."""
    with request.app.state.store.write() as store:
        done = undo_batch(store, number, who=STAFF)
    return _json(to_bytes(done.to_json()))


def _json(body: bytes) -> Response:
    return Response(body, media_type=JSON, headers={"Cache-Control": "no-store"})


@router.get("/admin/history", include_in_schema=False)
def get_history_page(
    request: Request,
    lang: Lang,
    layer: Text = "",
    who: Text = "",
    text: Text = "",
    before: Before = None,
) -> Response:
    """Draw the list of edits."""
    held = {"layer": layer, "who": who, "text": text}
    return draw_staff_page(
        request,
        lang,
        lambda store, frame: history_page(
            ask_history(store, layer=layer, who=who, text=text, before=before).to_json(),
            frame=frame(),
            held=held,
        ),
    )


@router.get("/admin/history/{number}", include_in_schema=False)
def get_batch_page(request: Request, lang: Lang, number: Number, said: Text = "") -> Response:
    """Draw one edit."""
    told = said if said in ("done", "undone") else ""
    return draw_staff_page(
        request,
        lang,
        lambda store, frame: batch_page(
            ask_batch(store, number).to_json(), frame=frame(), said=told
        ),
    )


@router.post("/admin/history/{number}/undo", include_in_schema=False)
def post_undo_page(request: Request, lang: Lang, number: Number) -> Response:
    """Undo an edit, and show the edit that did; where it cannot be, say why."""
    try:
        with request.app.state.store.write() as store:
            done = undo_batch(store, number, who=STAFF)
    except ConflictError:
        return draw_staff_page(
            request,
            lang,
            lambda store, frame: batch_page(ask_batch(store, number).to_json(), frame=frame()),
            status=409,
        )
    shown = done.done or number
    return RedirectResponse(f"/admin/history/{shown}?said=undone&lang={lang}", status_code=303)
