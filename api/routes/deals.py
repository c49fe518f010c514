"""Deals, for staff: proposing pairs, the steps that follow, and the page that keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from api.answers import JSON, open_request_store, to_bytes
from api.auth import require_staff
from api.jobs.matching import Weights
from api.params import Lang
from api.questions.deal_steps import (
    MAX_PAIRS,
    Told,
    note_deal,
    open_deals,
    rate_deals,
    step_deal,
    undo_deal,
)
from api.questions.deals import MAX_LIMIT, ask_deal, ask_deals
from api.routes.pages import Framer
from api.routes.staff import draw_staff_page
from api.stores import STAFF
from geo.deals import STATES, RefusedError
from geo.errors import InputError
from layers.query import Query as Records
from layers.store import Edit, Store
from web.deals import deals_page

api = APIRouter(prefix="/api", tags=["matching"], dependencies=[Depends(require_staff)])
pages = APIRouter(include_in_schema=False, dependencies=[Depends(require_staff)])

Id = Annotated[str, Path(max_length=200)]
Key = Annotated[str, Field(max_length=200)]
State = Literal["proposed", "contacted", "visited", "signed", "lost"]
Area = Annotated[float | None, Field(gt=0, le=5_000_000, allow_inf_nan=False)]
Text = Annotated[str, Query(max_length=200)]
FormText = Annotated[str, Form(max_length=4000)]
_PRIVATE = {"Cache-Control": "no-store"}
_PAGE = 50


class Pair(BaseModel):
    """A demand and a space."""

    model_config = ConfigDict(extra="forbid")

    demand: Key
    space: Key


class DealsOpened(BaseModel):
    """Pairs to propose or to decline, all or none."""

    model_config = ConfigDict(extra="forbid")

    pairs: list[Pair] = Field(min_length=1, max_length=MAX_PAIRS)
    state: Literal["proposed", "lost"] = "proposed"
    area_m2: Area = Field(None, description="By default the smallest area that both accept")
    reason: str | None = Field(None, max_length=50, description="Why they are declined")
    note: str | None = Field(None, max_length=4000)
    weights: Weights | None = Field(None, description="Weights of the score that is kept")


class DealChanged(BaseModel):
    """One step, a note, or the last step taken back."""

    model_config = ConfigDict(extra="forbid")

    state: State | None = Field(None, description="The state that follows")
    area_m2: Area = Field(None, description="The area signed")
    reason: str | None = Field(None, max_length=50, description="Why the deal is lost")
    note: str | None = Field(None, max_length=4000, description="Alone: the note of the deal")
    undo: bool = Field(False, description="Take back the last step")


@api.get("/deals")
def get_deals(
    request: Request,
    state: Annotated[list[State] | None, Query()] = None,
    demand: Text | None = None,
    space: Text | None = None,
    unit: Text | None = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 100,
    after: Annotated[str | None, Query(max_length=2000)] = None,
    *,
    demo: Annotated[bool, Query(description="Whether demo records count")] = True,
) -> Response:
    """List deals, the latest change first, with counts by state."""
    page = ask_deals(
        open_request_store(request),
        states=state or (),
        demand=demand,
        space=space,
        unit=unit,
        limit=limit,
        after=after,
        demo=demo,
    )
    return _answer(page.to_json())


@api.get("/deals/{deal}")
def get_deal(request: Request, deal: Id) -> Response:
    """Return one deal with its whole history."""
    return _answer(ask_deal(open_request_store(request), deal))


@api.post("/deals", status_code=201)
def post_deals(request: Request, asked: DealsOpened) -> Response:
    """Propose or decline pairs of demand and space."""
    pairs = [(pair.demand, pair.space) for pair in asked.pairs]
    told = Told(STAFF, asked.area_m2, asked.reason, asked.note)
    ids = _open(request, pairs, told, asked.state, asked.weights)
    store = open_request_store(request)
    return _answer({"deals": [ask_deal(store, key) for key in ids]}, 201)


@api.patch("/deals/{deal}")
def patch_deal(request: Request, deal: Id, asked: DealChanged) -> Response:
    """Take a deal one step on or back, or write its note."""
    told = Told(STAFF, asked.area_m2, asked.reason, asked.note)
    if asked.undo and asked.state is not None:
        raise InputError("undo: a step is given too; give one of them")
    what = "undo" if asked.undo else asked.state or ("note" if asked.note is not None else None)
    if what is None:
        raise InputError("deal: nothing to change; give state, note or undo")
    left = _change(request, deal, what, told)
    store = open_request_store(request)
    return _answer({"deal": None if left is None else ask_deal(store, left)})


def _answer(body: Any, status: int = 200) -> Response:
    return Response(to_bytes(body), status, media_type=JSON, headers=_PRIVATE)


def _open(
    request: Request,
    pairs: Sequence[tuple[str, str]],
    told: Told,
    state: str,
    weights: dict[str, float] | None,
) -> list[str]:
    rated = rate_deals(open_request_store(request), pairs, weights=weights)
    with _editing(request, state) as edit:
        return open_deals(edit, rated, told, state=state)


def _change(request: Request, deal: str, what: str, told: Told) -> str | None:
    """Do what is asked of a deal: a state, `note` or `undo`."""
    with _editing(request, what) as edit:
        if what == "undo":
            return undo_deal(edit, deal)
        if what == "note":
            return note_deal(edit, deal, told)
        return step_deal(edit, deal, what, told)


@contextmanager
def _editing(request: Request, what: str) -> Iterator[Edit]:
    with request.app.state.store.edit(f"对接 · deal: {what}") as edit:
        yield edit


@pages.get("/deals")
def get_deals_page(
    request: Request,
    lang: Lang,
    state: Text = "",
    unit: Text = "",
    demand: Text = "",
    space: Text = "",
    after: Annotated[str, Query(max_length=2000)] = "",
) -> Response:
    """Draw the deals with what can be done next."""
    held = {"state": state, "unit": unit, "demand": demand, "space": space, "after": after}
    return _draw(request, lang, held)


@pages.post("/deals")
def post_deals_page(
    request: Request,
    lang: Lang,
    pair: Annotated[list[str], Form(max_length=MAX_PAIRS)],
    state: Annotated[Literal["proposed", "lost"], Form()] = "proposed",
    reason: FormText = "",
    note: FormText = "",
    weights: FormText = "",
    back: FormText = "",
) -> Response:
    """Propose or decline the pairs ticked on the page of matching."""
    pairs = [(demand, space) for demand, _, space in (one.partition("|") for one in pair)]
    told = Told(STAFF, None, reason, note)
    try:
        _open(request, pairs, told, state, orjson.loads(weights) if weights else None)
    except RefusedError as error:
        return _draw(request, lang, {}, refused=error)
    except orjson.JSONDecodeError as error:
        raise InputError("weights: is not JSON; match again, then choose the pairs") from error
    where = back if back.startswith("/match?") else f"/deals?lang={lang}&state={state}"
    return RedirectResponse(where, status_code=303)


@pages.post("/deals/{deal}")
def post_deal_page(
    request: Request,
    lang: Lang,
    deal: Id,
    what: Annotated[str, Form(max_length=20)],
    area_m2: FormText = "",
    reason: FormText = "",
    note: FormText = "",
) -> Response:
    """Take a step from the form, and show the deal again or what refuses it."""
    try:
        told = Told(STAFF, _read_area(area_m2), reason, note)
        if what not in (*STATES, "note", "undo"):
            raise InputError(f"what: {what!r} is nothing that can be done with a deal")
        _change(request, deal, what, told)
    except RefusedError as error:
        typed = {"deal": deal, "area_m2": area_m2, "reason": reason, "note": note}
        return _draw(request, lang, {}, refused=error, typed=typed)
    return RedirectResponse(f"/deals?lang={lang}#{deal}", status_code=303)


def _read_area(text: str) -> float | None:
    try:
        return float(text) if text.strip() else None
    except ValueError as error:
        raise InputError(f"area_m2: {text!r} is not a number of m²") from error


def _draw(
    request: Request,
    lang: str,
    held: dict[str, str],
    *,
    refused: RefusedError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    def draw(store: Store, frame: Framer) -> str:
        page = ask_deals(
            store,
            states=[held["state"]] if held.get("state") else (),
            unit=held.get("unit") or None,
            demand=held.get("demand") or None,
            space=held.get("space") or None,
            after=held.get("after") or None,
            limit=_PAGE,
        )
        units = store.read("reporting_units", Records(columns=["name"]))["name"].tolist()
        return deals_page(
            page.to_json(),
            frame=frame(demo_counted=page.demo_counted),
            held=held,
            units=units,
            refused=refused,
            typed=typed or {},
        )

    return draw_staff_page(request, lang, draw, status=422 if refused else 200)


router = APIRouter()
router.include_router(api)
router.include_router(pages)
