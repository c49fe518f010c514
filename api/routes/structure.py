"""The spatial structure: roll-up, versions, comparison; staff define, restore and split parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote

import orjson
import shapely
from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from api.answers import JSON, open_request_store, respond_result, to_bytes
from api.auth import require_staff
from api.params import Day, Lang, refuse_unknown
from api.questions.common import today
from api.questions.readings import (
    ask_draft,
    ask_split,
    ask_structure_comparison,
    ask_structure_versions,
)
from api.questions.structure import ask_structure
from api.routes.board import Demo, Unit
from api.routes.pages import Framer, draw_page
from api.routes.staff import draw_staff_page
from api.views import ground, part_outlines, part_rows, read_city
from geo.errors import Fault, InputError
from layers.readings import Draft, check_draft, read_draft, restore_draft, write_draft
from layers.store import Store
from web.messages import say_fault
from web.structure import structure_edit_page, structure_page

router = APIRouter()
_CHECKED = [Depends(refuse_unknown)]
_STAFF = [Depends(require_staff)]

Version = Annotated[str | None, Query(max_length=200, description="A version of the structure")]
Text = Annotated[str, Query(max_length=200)]
Said = Annotated[str, Form(max_length=2000)]


class PartAsked(BaseModel):
    """One part of a reading: made of divisions, or drawn."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    role: str = Field(max_length=50)
    division_codes: list[Annotated[str, Field(max_length=50)]] = Field([], max_length=1000)
    geometry: dict[str, Any] | None = Field(None, description="GeoJSON Polygon, WGS-84")


class ReadingAsked(BaseModel):
    """A reading of the structure to write as a version of its own."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(max_length=300)
    valid_from: str = Field(max_length=20, description="YYYY-MM-DD")
    source: str = Field("", max_length=2000)
    confidence: float | None = Field(None, allow_inf_nan=False)
    note: str = Field("", max_length=2000)
    parts: list[PartAsked] = Field([], max_length=1000)
    dry_run: bool = Field(False, description="Only say what is wrong and what would change")


class ReadingForm(BaseModel):
    """The form that defines a reading; `code`, `role` and `part` go together row by row."""

    version: str = Field("", max_length=300)
    valid_from: str = Field("", max_length=20)
    source: str = Field("", max_length=2000)
    confidence: str = Field("", max_length=20)
    note: str = Field("", max_length=2000)
    base: str = Field("", max_length=300)
    drawn: str = Field("", max_length=5_000_000)
    code: list[str] = Field([], max_length=5000)
    role: list[str] = Field([], max_length=5000)
    part: list[str] = Field([], max_length=5000)
    action: str = Field("check", max_length=20)


class RestoreAsked(BaseModel):
    """An older version to bring back under a new name."""

    model_config = ConfigDict(extra="forbid")

    version: str = Field(max_length=200)
    name: str = Field("", max_length=200, description="The name of the new version")
    valid_from: str = Field("", max_length=20, description="YYYY-MM-DD; today where not given")


class SplitAsked(BaseModel):
    """An outline and the line that cuts it."""

    model_config = ConfigDict(extra="forbid")

    geometry: dict[str, Any]
    line: dict[str, Any]


@router.get("/api/structure", tags=["structure"], dependencies=_CHECKED)
def get_structure(
    request: Request, day: Day, unit: Unit = None, version: Version = None, *, demo: Demo = True
) -> Response:
    """Add up space, tenants, vacancy and coverage by role of the structure and by zone."""
    return respond_result(
        request,
        lambda store: ask_structure(store, unit=unit, as_of=day, version=version, demo=demo),
    )


@router.get("/api/structure/versions", tags=["structure"], dependencies=_CHECKED)
def get_versions(request: Request, day: Day, version: Version = None) -> Response:
    """List the readings of the structure, and what is wrong with one: overlaps, gaps, crossings."""
    return respond_result(
        request, lambda store: ask_structure_versions(store, version=version, as_of=day)
    )


@router.get("/api/structure/compare", tags=["structure"], dependencies=_CHECKED)
def get_comparison(
    request: Request,
    day: Day,
    after: Annotated[str, Query(max_length=200, description="The version looked at")],
    before: Version = None,
    *,
    demo: Demo = True,
) -> Response:
    """Tell what one version of the structure changes against another."""
    return respond_result(
        request,
        lambda store: ask_structure_comparison(store, after, before=before, as_of=day, demo=demo),
    )


@router.post("/api/structure", tags=["structure"], dependencies=_STAFF)
def post_structure(request: Request, asked: ReadingAsked) -> Response:
    """Write a reading as a version of its own, or with `dry_run` only say what it would change."""
    draft = read_draft(asked.model_dump())
    report = ask_draft(open_request_store(request), draft)
    ids = [] if asked.dry_run else _save(request, draft)
    body = {"version": draft.version, "ids": ids, **report.to_json()}
    return _json(body, 200 if asked.dry_run else 201)


@router.post("/api/structure/restore", tags=["structure"], dependencies=_STAFF)
def post_restore(request: Request, asked: RestoreAsked) -> Response:
    """Bring an older version back as a new one; none is lost."""
    draft = _restored(request, asked.version, asked.name, asked.valid_from)
    return _json({"version": draft.version, "ids": _save(request, draft)}, 201)


@router.post("/api/structure/split", tags=["structure"], dependencies=_STAFF)
def post_split(asked: SplitAsked) -> Response:
    """Cut an outline by a line; nothing is written."""
    pieces = ask_split(asked.geometry, asked.line)
    features = [
        {
            "type": "Feature",
            "properties": {},
            "geometry": orjson.Fragment(shapely.to_geojson(piece)),
        }
        for piece in pieces
    ]
    return _json({"type": "FeatureCollection", "features": features})


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(to_bytes(body), status, headers, media_type=JSON)


def _save(request: Request, draft: Draft) -> list[str]:
    with request.app.state.store.edit(f"structure: version {draft.version}") as edit:
        return write_draft(edit, draft)


def _restored(request: Request, version: str, name: str, valid_from: str) -> Draft:
    store = open_request_store(request)
    day = valid_from or today().isoformat()
    note = f"{version} \N{RIGHTWARDS ARROW} {day}"
    draft = restore_draft(
        store, version, name=name or f"{version} ({day})", valid_from=day, note=note
    )
    roles = [role["key"] for role in read_city(store).get("roles", ())]
    taken = [one.version for one in ask_structure_versions(store).readings]
    check_draft(draft, roles=roles, taken=taken)
    return draft


@router.get("/structure", include_in_schema=False)
def draw_structure(
    request: Request, lang: Lang, version: Text = "", against: Text = ""
) -> Response:
    """Draw space by role of the structure and by zone, and what another reading would change."""

    def draw(store: Store, frame: Framer) -> str:
        report = ask_structure(store, version=version or None).to_json()
        used = report["version"]
        compared = None
        if against and used and against != used:
            compared = ask_structure_comparison(store, used, before=against).to_json()
        return structure_page(
            report,
            frame=frame(demo_counted=report["demo_counted"]),
            roles=read_city(store).get("roles", ()),
            versions=ask_structure_versions(store, version=version or None).to_json(),
            comparison=compared,
            ground=ground(
                store, frame.settings, lang=lang, outlines=part_outlines(store, used or "")
            ),
        )

    return draw_page(request, lang, draw)


@router.get("/structure/edit", include_in_schema=False, dependencies=_STAFF)
def draw_edit(request: Request, lang: Lang, base: Text = "") -> Response:
    """Draw the form that defines a reading, filled with an older one."""

    def draw(store: Store, frame: Framer) -> str:
        versions = ask_structure_versions(store, version=base or None)
        rows, drawn = part_rows(store, versions.shown)
        held = {
            "base": versions.shown or "",
            "valid_from": today().isoformat(),
            "drawn": orjson.dumps(drawn).decode(),
        }
        return _edit_page(store, frame, lang, held=held, rows=rows)

    return draw_staff_page(request, lang, draw)


@router.post("/structure/edit", include_in_schema=False, dependencies=_STAFF)
def post_edit(
    request: Request,
    lang: Lang,
    asked: Annotated[ReadingForm, Form()],
) -> Response:
    """Check a reading and say what it would change, or save it as a version of its own."""
    held = asked.model_dump(exclude={"code", "role", "part", "action"})
    chosen = list(zip(asked.code, asked.role, asked.part, strict=False))
    try:
        draft = _read_form(held, chosen)
        report = ask_draft(open_request_store(request), draft)
        if asked.action == "save":
            _save(request, draft)
            target = f"/structure?version={_quoted(draft.version)}&against={_quoted(asked.base)}"
            return RedirectResponse(f"{target}&lang={lang}", status_code=303)
    except InputError as error:
        faults = error.faults or (Fault("", str(error)),)
        said = [say_fault(fault, lang).__dict__ for fault in faults]
        return draw_staff_page(
            request,
            lang,
            lambda store, frame: _edit_page(
                store, frame, lang, held=held, rows=_kept_rows(store, chosen), errors=said
            ),
            status=422,
        )
    return draw_staff_page(
        request,
        lang,
        lambda store, frame: _edit_page(
            store, frame, lang, held=held, rows=_kept_rows(store, chosen), report=report.to_json()
        ),
    )


@router.post("/structure/restore", include_in_schema=False, dependencies=_STAFF)
def post_restore_page(
    request: Request, lang: Lang, version: Said = "", name: Said = ""
) -> Response:
    """Bring an older version back as a new one, and show it."""
    draft = _restored(request, version, name, "")
    _save(request, draft)
    return RedirectResponse(
        f"/structure?version={_quoted(draft.version)}&lang={lang}", status_code=303
    )


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _edit_page(
    store: Store,
    frame: Framer,
    lang: str,
    *,
    held: Mapping[str, Any],
    rows: Sequence[Mapping[str, Any]],
    report: Mapping[str, Any] | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
) -> str:
    return structure_edit_page(
        frame=frame(),
        ground=ground(store, frame.settings, lang=lang),
        roles=read_city(store).get("roles", ()),
        versions=ask_structure_versions(store).to_json()["readings"],
        held=held,
        rows=rows,
        report=report,
        errors=errors,
    )


def _kept_rows(store: Store, chosen: Sequence[tuple[str, str, str]]) -> list[dict[str, Any]]:
    """Return the list with what the form chose."""
    by_code = {code: (role, part) for code, role, part in chosen}
    rows, _ = part_rows(store, None)
    known = {row["code"] for row in rows}
    rows += [
        {"code": code, "name": code, "unit": "", "level": ""}
        for code in by_code
        if code not in known
    ]
    return [
        {**row, "role": by_code.get(row["code"], ("", ""))[0],
         "part": by_code.get(row["code"], ("", ""))[1]}
        for row in rows
    ]  # fmt: skip


def _read_form(held: Mapping[str, str], chosen: Sequence[tuple[str, str, str]]) -> Draft:
    """Make a draft of a form: rows of the same part and role are one part.

    Raises
    ------
    InputError
        When the confidence is no number, or the outlines are no GeoJSON.
    """
    parts: dict[tuple[str, str], dict[str, Any]] = {}
    for code, role, name in chosen:
        if role:
            key = (name.strip() or code, role)
            made = parts.setdefault(key, {"name": key[0], "role": role, "division_codes": []})
            made["division_codes"].append(code)
    drawn = [
        {
            "name": feature.get("properties", {}).get("name", ""),
            "role": feature.get("properties", {}).get("role", ""),
            "geometry": feature.get("geometry"),
        }
        for feature in _features(held["drawn"])
    ]
    confidence = None
    if held["confidence"].strip():
        try:
            confidence = float(held["confidence"])
        except ValueError as error:
            fault = Fault(
                "confidence", "is not 0 to 1", held["confidence"][:20], "give a share such as 0.6"
            )
            raise InputError(str(fault), [fault]) from error
    return read_draft({**held, "confidence": confidence, "parts": [*parts.values(), *drawn]})


def _features(text: str) -> Sequence[Mapping[str, Any]]:
    if not text.strip():
        return []
    try:
        found = orjson.loads(text)
        return [dict(feature) for feature in found["features"]]
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        fault = Fault("drawn", "is no GeoJSON", None, "give a FeatureCollection of polygons")
        raise InputError(str(fault), [fault]) from error
