"""The staff's forms of single records: added, changed, confirmed as true, deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import RedirectResponse
from starlette.datastructures import FormData

from api.answers import open_request_store
from api.auth import require_staff
from api.params import Lang
from api.questions.common import today
from api.questions.entry import EntryForm, ask_clash, ask_doubts, ask_entry, ask_place
from api.routes.desk import require_desk
from api.routes.pages import Framer
from api.routes.staff import draw_staff_page
from api.stores import STAFF
from api.views import read_basemap
from geo.errors import InputError, NotFoundError
from layers.catalog import layer as find_layer
from layers.records import (
    COORDINATES,
    StaleRecordError,
    confirm_records,
    enter_record,
    faults_by_column,
    plan_record,
    remove_record,
)
from layers.store import Store
from layers.templates import template_columns
from web.entering import DATUMS
from web.forms import Filled, entry_page, values_of
from web.maps import plain_tiles
from web.words import words

router = APIRouter(dependencies=[Depends(require_staff)], include_in_schema=False)

Layer = Annotated[str, Path(max_length=60)]
Key = Annotated[str, Path(max_length=200)]

_ANYWHERE = (-170.0, -60.0, 170.0, 75.0)
_MAX_FIELDS = 1_000
_WHY = 500


async def read_form(request: Request) -> FormData:
    """Return the fields of a form as sent."""
    return await request.form(max_fields=_MAX_FIELDS)


Typed = Annotated[FormData, Depends(read_form)]


@router.get("/admin/{layer}/new")
def get_new(request: Request, layer: Layer, lang: Lang) -> Response:
    """Draw the form of a new record, with what the address says filled in."""
    require_desk(layer)
    asked = request.query_params
    given = {c.name: asked[c.name][:200] for c in template_columns(find_layer(layer))
             if c.name in asked}  # fmt: skip
    filled = Filled({"as_of": today().isoformat()} | given)
    return _draw(request, layer, None, lang, filled)


@router.post("/admin/{layer}/new")
def post_new(request: Request, layer: Layer, typed: Typed, lang: Lang) -> Response:
    """Add a record."""
    return _save(request, layer, None, typed, lang)


@router.post("/admin/{layer}/confirm")
def post_confirm(request: Request, layer: Layer, typed: Typed, lang: Lang) -> Response:
    """Note that records are still true today."""
    require_desk(layer)
    ids = [str(key) for key in typed.getlist("id")]
    if ids:
        with request.app.state.store.write() as store:
            confirm_records(store, layer, ids, day=today(), who=STAFF)
    return RedirectResponse(f"/admin/{layer}?confirmed={len(ids)}&lang={lang}", status_code=303)


@router.post("/admin/{layer}/delete")
def post_delete(request: Request, layer: Layer, typed: Typed, lang: Lang) -> Response:
    """Delete a record; where somebody else has changed it since it was shown, show it again."""
    require_desk(layer)
    key = _text(typed, "id")
    try:
        with request.app.state.store.write() as store:
            why, tag = _text(typed, "_why")[:_WHY], _text(typed, "_tag")
            number = remove_record(store, layer, key, who=STAFF, note=why, tag=tag)
    except StaleRecordError:
        return _draw(request, layer, key, lang, Filled(said="stale"), status=409)
    return RedirectResponse(f"/admin/{layer}?deleted={number}&lang={lang}", status_code=303)


@router.get("/admin/{layer}/{key}")
def get_record(request: Request, layer: Layer, key: Key, lang: Lang) -> Response:
    """Draw the form of a record."""
    require_desk(layer)
    said = "saved" if request.query_params.get("said") == "saved" else ""
    return _draw(request, layer, key, lang, Filled(said=said))


@router.post("/admin/{layer}/{key}")
def post_record(request: Request, layer: Layer, key: Key, typed: Typed, lang: Lang) -> Response:
    """Change a record."""
    return _save(request, layer, key, typed, lang)


def _save(request: Request, layer: str, key: str | None, typed: FormData, lang: str) -> Response:
    """Write what was typed, or draw the form again with all of it and what stands against it."""
    require_desk(layer)
    values, tag = _values(layer, typed), _text(typed, "_tag")
    datum = _text(typed, "_datum") if _text(typed, "_datum") in DATUMS else "wgs84"
    filled = Filled(values, why=_text(typed, "_why")[:_WHY], datum=datum)
    sure = bool(_text(typed, "_sure"))
    try:
        with request.app.state.store.write() as store:
            wrong = _check(store, layer, key, filled, sure=sure)
            if wrong is not None:
                return _draw(request, layer, key, lang, wrong, status=422)
            saved = enter_record(
                store, layer, values, key=key, tag=tag or None, datum=datum, who=STAFF,
                note=filled.why,
            )  # fmt: skip
    except StaleRecordError:
        store = open_request_store(request)
        clash = ask_clash(store, layer, str(key), values, tag=tag, datum=datum)
        return _draw(request, layer, key, lang, replace(filled, clash=clash), status=409)
    except NotFoundError:
        # Somebody deleted it: what was typed is not lost, it can be added as a new one.
        return _draw(request, layer, None, lang, replace(filled, said="gone"), status=409)
    except InputError as error:
        wrong = replace(filled, faults=faults_by_column(error))
        return _draw(request, layer, key, lang, wrong, status=422)
    return RedirectResponse(f"/admin/{layer}/{saved}?said=saved&lang={lang}", status_code=303)


def _check(
    store: Store, layer: str, key: str | None, filled: Filled, *, sure: bool
) -> Filled | None:
    """Return the form with what keeps it from being saved; None where nothing does."""
    plan = plan_record(store, layer, filled.values or {}, key=key, datum=filled.datum)
    if plan.faults:
        return replace(filled, faults=plan.faults)
    doubts = [] if sure else ask_doubts(store, layer, plan)
    return replace(filled, doubts=doubts) if doubts else None


def _values(layer: str, typed: FormData) -> dict[str, Any]:
    """Return what was typed, by column; of boxes to tick all that are."""
    values: dict[str, Any] = {}
    for column in template_columns(find_layer(layer)):
        if column.name == "id":
            continue
        if column.kind == "list" and column.choices:
            values[column.name] = [str(value) for value in typed.getlist(column.name)]
        elif column.name in typed:
            values[column.name] = _text(typed, column.name)
    return values | {name: _text(typed, name) for name in COORDINATES if name in typed}


def _text(typed: FormData, name: str) -> str:
    value = typed.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _draw(
    request: Request, layer: str, key: str | None, lang: str, filled: Filled, *, status: int = 200
) -> Response:
    """Draw the form of a record: with what was typed, else with what the store has."""

    def draw(store: Store, frame: Framer) -> str:
        form = ask_entry(store, layer, key, values=filled.values)
        shown = [form.record or {}, *form.earlier]
        demo = any(one.get("provenance") == "demo" for one in shown)
        said = frame(title=_title(form, lang), demo_counted=demo)
        extent = store.extent("reporting_units") or store.extent() or _ANYWHERE
        tiles = plain_tiles(read_basemap(frame.settings), said.words)
        return entry_page(
            form,
            filled,
            frame=said,
            values=_held(form, filled),
            place_map={"extent": extent, "tiles": tiles},
        )

    return draw_staff_page(request, lang, draw, status=status)


def _held(form: EntryForm, filled: Filled) -> dict[str, Any]:
    """Return what the fields hold: what was typed, else what the store has.

    What somebody else changed and the typist left alone is taken as it is now.
    """
    stored: dict[str, Any] = {}
    if form.record is not None:
        columns = template_columns(form.layer)
        stored = values_of(form.record, columns) | ask_place(form.record, datums=DATUMS)
    if filled.values is None:
        return stored
    left = {one.column for one in filled.clash if one.typed == one.opened}
    return dict(filled.values) | {name: stored[name] for name in left if name in stored}


def _title(form: EntryForm, lang: str) -> str:
    label = str(getattr(form.layer, lang))
    if form.record is None:
        return words(lang)("entry.new_title", layer=label)
    name = form.record.get("name") or form.record.get("title") or form.key
    return f"{label} · {name}"
