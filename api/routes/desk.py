"""The staff's pages of records: the layers, the records of one, its template, and uploads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, File, Form, Path, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from api.answers import open_request_store
from api.auth import require_staff
from api.params import Lang
from api.questions.desk import ask_desk, ask_table, ask_template, ask_upload
from api.questions.entry import ask_doubts
from api.routes.pages import Framer
from api.routes.staff import draw_staff_page
from api.stores import STAFF
from api.uploads import UploadRoom, Waiting
from geo.errors import ConflictError, InputError, NotFoundError
from layers.entries import EntryPlan, write_entries
from layers.ingest.gazetteer import read_gazetteer
from layers.store import Store
from layers.templates import desk_layer
from web.entering import data_page, doubt_words, preview_page, table_page

router = APIRouter(dependencies=[Depends(require_staff)], include_in_schema=False)
api = APIRouter(dependencies=[Depends(require_staff)], prefix="/api/records", tags=["desk"])

Layer = Annotated[str, Path(max_length=60)]
Key = Annotated[str, Path(max_length=60)]
Text = Annotated[str, Query(max_length=200)]

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@api.get("/{layer}/template.xlsx", response_class=Response)
def get_template(
    request: Request,
    layer: Layer,
    unit: Text = "",
    incubator: Text = "",
    datum: Text = "wgs84",
    *,
    filled: bool = False,
) -> Response:
    """Return the XLSX template of a layer, with the current records where asked; for staff."""
    store = open_request_store(request)
    body = ask_template(store, layer, filled=filled, unit=unit, incubator=incubator, datum=datum)
    headers = {
        "Content-Disposition": f'attachment; filename="{layer}.xlsx"',
        "Cache-Control": "no-store",
    }
    return Response(body, media_type=XLSX, headers=headers)


@router.get("/admin/data")
def get_data_page(request: Request, lang: Lang) -> Response:
    """Draw the layers that staff enter."""
    return draw_staff_page(
        request, lang, lambda store, frame: data_page(ask_desk(store), frame=frame())
    )


@router.get("/admin/{layer}")
def get_table_page(request: Request, layer: Layer, lang: Lang) -> Response:
    """Draw the records of a layer."""
    return draw_table(request, layer, lang)


def draw_table(
    request: Request, layer: str, lang: str, *, wrong: str = "", status: int = 200
) -> Response:
    """Draw the records of a layer, with what is wrong with a file just sent."""
    require_desk(layer)
    asked = {name: value[:200] for name, value in request.query_params.items()}

    def draw(store: Store, frame: Framer) -> str:
        sort, after = asked.get("sort", ""), request.query_params.get("after", "")
        report = ask_table(
            store, layer, where=asked, text=asked.get("text", ""), sort=sort, after=after
        )
        held = {name: asked.get(name, "") for name in (*report.filters, "text")}
        title = getattr(report.layer, lang)
        said = _said(frame(title=title, demo_counted=report.demo).words, asked)
        return table_page(
            report,
            frame=frame(title=title, demo_counted=report.demo),
            held=held,
            sort=sort,
            wrong=wrong,
            said=said,
        )

    return draw_staff_page(request, lang, draw, status=status)


def _said(w: Callable[..., str], asked: dict[str, str]) -> str:
    """Return what has just been done, as the address tells it."""
    confirmed, deleted = asked.get("confirmed", ""), asked.get("deleted", "")
    if confirmed.isdecimal():
        return (
            w("listing.confirmed", count=confirmed)
            if int(confirmed)
            else w("listing.confirmed_none")
        )
    return w("listing.deleted", batch=deleted) if deleted.isdecimal() else ""


def require_desk(layer: str) -> None:
    """Answer 404 for what is no layer of the desk."""
    try:
        desk_layer(layer)
    except InputError as error:
        raise NotFoundError(str(error)) from error


@router.post("/admin/{layer}/uploads")
def post_upload(
    request: Request,
    layer: Layer,
    lang: Lang,
    file: Annotated[UploadFile, File()],
    datum: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    """Keep an upload and show what it would do; a file that cannot be read is not kept."""
    require_desk(layer)
    room = _room(request)
    try:
        sent = room.put(file.file.read(), layer=layer, name=file.filename or "", datum=datum)
        try:
            ask_upload(open_request_store(request), sent.path, layer, name=sent.name, datum=datum)
        except InputError:
            room.drop(sent.key)
            raise
    except InputError as error:
        return draw_table(request, layer, lang, wrong=str(error), status=422)
    return RedirectResponse(f"/admin/{layer}/uploads/{sent.key}?lang={lang}", status_code=303)


@router.get("/admin/{layer}/uploads/{key}")
def get_preview(request: Request, layer: Layer, key: Key, lang: Lang) -> Response:
    """Draw what an upload would do."""
    return _draw_preview(request, _waiting(request, layer, key), lang)


@router.post("/admin/{layer}/uploads/{key}/confirm")
def post_confirm(
    request: Request,
    layer: Layer,
    key: Key,
    lang: Lang,
    token: Annotated[str, Form(max_length=60)],
    note: Annotated[str, Form(max_length=500)] = "",
    *,
    skip_faulty: Annotated[bool, Form()] = False,
) -> Response:
    """Write what the preview showed; where the store has changed since, show it anew."""
    sent = _waiting(request, layer, key)
    with request.app.state.store.write() as store:
        plan = replace(_plan(store, sent), token=token)  # it must be the state that was shown
        told = note.strip() or sent.name
        try:
            number = write_entries(store, plan, who=STAFF, note=told, skip_faulty=skip_faulty)
        except ConflictError:
            return _draw_preview(request, sent, lang, stale=True)
    _room(request).drop(key)
    return RedirectResponse(f"/admin/history/{number}?said=done&lang={lang}", status_code=303)


@router.post("/admin/{layer}/uploads/{key}/discard")
def post_discard(request: Request, layer: Layer, key: Key, lang: Lang) -> Response:
    """Throw an upload away."""
    _room(request).drop(_waiting(request, layer, key).key)
    return RedirectResponse(f"/admin/{layer}?lang={lang}", status_code=303)


def _room(request: Request) -> UploadRoom:
    return UploadRoom(request.app.state.settings.data / "uploads")


def _waiting(request: Request, layer: str, key: str) -> Waiting:
    sent = _room(request).get(key)
    if sent.layer != layer:
        raise NotFoundError("this upload is for another layer; upload the file again")
    return sent


def _plan(store: Store, sent: Waiting) -> EntryPlan:
    return ask_upload(store, sent.path, sent.layer, name=sent.name, datum=sent.datum)


def _draw_preview(request: Request, sent: Waiting, lang: str, *, stale: bool = False) -> Response:
    def draw(store: Store, frame: Framer) -> str:
        plan, said = _plan(store, sent), frame()
        return preview_page(
            plan,
            layer=desk_layer(sent.layer),
            frame=said,
            upload={"key": sent.key, "name": sent.name, "datum": sent.datum},
            vocabularies=read_gazetteer(store).vocabularies,
            watch=doubt_words(ask_doubts(store, sent.layer, plan), said.words),
            stale=stale,
        )

    return draw_staff_page(request, lang, draw, status=409 if stale else 200)
