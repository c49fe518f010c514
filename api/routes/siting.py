"""Siting over HTTP: one answer, or progress that ends with it and can be stopped; and its page.

Asked with `Accept: text/event-stream`, the answer comes as server-sent events: `run` with the key
of the run, `progress` with the best found and its bound, then `result` or `problem`. Deleting the
run stops the solver, and the best found so far is the result.
"""

from __future__ import annotations

import logging
import queue
import secrets
import threading
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from api.answers import JSON, open_request_store, to_bytes
from api.errors import answer_problem
from api.params import Lang
from api.questions.common import today
from api.questions.programme import Plan, ask_programme
from api.questions.site_candidates import Scope
from api.questions.siting import Walk, ask_demand_sites, ask_town_sites
from api.questions.siting_answer import SitingAnswer
from api.routes.pages import Framer, draw_page
from api.views import has_demo, map_view
from geo.errors import HatchmapError, InputError, NotFoundError
from geo.solver import Watch
from layers.query import Query
from layers.store import Store
from web.siting import siting_page

log = logging.getLogger("hatchmap")
api = APIRouter(prefix="/api", tags=["siting"])
pages = APIRouter(include_in_schema=False)

_AT_ONCE = 2  # runs that may solve together
_EVENTS = "text/event-stream"
_BEAT_S = 1.0
_WAIT_S = 30.0
_BUSY = "other siting questions are being solved; ask again in a minute"

Ids = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=10_000)]
Metres = Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)]
Money = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class SitingAsked(BaseModel):
    """What siting can be asked; what a model does not use is left aside."""

    model_config = ConfigDict(extra="forbid")

    model: Literal["towns", "cover", "programme"] = Field(
        description="Fewest sites for all towns, p sites for most demand, or a programme of years"
    )
    source: Literal["auto", "sites", "spaces", "grid"] = "auto"
    unit: str | None = Field(None, max_length=100)
    fixed: Ids = []
    forbidden: Ids = []
    demo: bool = Field(True, description="Whether demo records count")
    alternatives: int = Field(3, ge=0, le=20)
    time_limit_s: float = Field(30, gt=0, le=300, allow_inf_nan=False)
    gap: float = Field(1e-4, ge=0, lt=1, allow_inf_nan=False)
    within_m: Metres = Field(0.0, description="A site also covers towns this near")
    planned_count: bool = Field(False, description="Incubators under way cover their town")
    p: int | None = Field(None, ge=1, le=10_000, description="How many sites (model cover)")
    minutes: float = Field(15, gt=0, le=240, allow_inf_nan=False)
    profile: str | None = Field(None, max_length=50)
    demand: Literal["auto", "population", "demands"] = "auto"
    beyond_existing: bool = Field(False, description="Only demand not served yet")
    curve: bool = True
    from_year: int | None = Field(None, ge=1900, le=2200)
    budget_cny: dict[int, Money] = Field(default_factory=dict, description="Budget by year")
    target_share: float = Field(1.0, ge=0, le=10, allow_inf_nan=False)
    cover_towns: bool = True
    step_m2: float = Field(10_000, gt=0, allow_inf_nan=False)

    def ask(self, store: Store, watch: Watch) -> SitingAnswer:
        """Ask the question of the model."""
        scope = Scope(
            self.source, self.unit, tuple(self.fixed), tuple(self.forbidden), demo=self.demo
        )
        if self.model == "towns":
            return ask_town_sites(
                store,
                scope=scope,
                within_m=self.within_m,
                planned_count=self.planned_count,
                alternatives=self.alternatives,
                watch=watch,
            )
        if self.model == "cover":
            if self.p is None:
                raise InputError("p: is missing; give how many sites")
            return ask_demand_sites(
                store,
                self.p,
                scope=scope,
                walk=Walk(self.minutes, self.profile, self.demand, self.beyond_existing),
                alternatives=self.alternatives,
                curve=self.curve,
                watch=watch,
            )
        plan = Plan(
            from_year=self.from_year,
            budget_cny=self.budget_cny,
            target_share=self.target_share,
            cover_towns=self.cover_towns,
            within_m=self.within_m,
            step_m2=self.step_m2,
        )
        return ask_programme(
            store, scope=scope, plan=plan, alternatives=self.alternatives, watch=watch
        )


class _Runs:
    """The runs under way, each with the flag that stops it; only so many solve at once."""

    def __init__(self) -> None:
        self._flags: dict[str, threading.Event] = {}
        self._lock = threading.Lock()
        self.room = threading.BoundedSemaphore(_AT_ONCE)

    def begin(self) -> tuple[str, threading.Event]:
        key, flag = secrets.token_urlsafe(12), threading.Event()
        with self._lock:
            self._flags[key] = flag
        return key, flag

    def end(self, key: str) -> None:
        with self._lock:
            self._flags.pop(key, None)

    def stop(self, key: str) -> None:
        with self._lock:
            flag = self._flags.get(key)
        if flag is None:
            raise NotFoundError(f"there is no run {key!r} under way")
        flag.set()


_runs = _Runs()


@pages.get("/siting")
def get_siting(request: Request, lang: Lang) -> Response:
    """Draw the page of siting."""

    def draw(store: Store, frame: Framer) -> str:
        plan = (store.meta("city") or {}).get("plan") or {}
        return siting_page(
            frame=frame(demo_counted=has_demo(store, "sites", "incubators", "population")),
            view=map_view(store, frame.settings, lang=lang),
            units=store.read("reporting_units", Query(columns=["name"]))["name"].tolist(),
            years=[year for year in plan.get("years", ()) if year >= today().year],
            profiles=store.rules("amenities").body["profiles"],
        )

    return draw_page(request, lang, draw)


@api.post("/siting")
def post_siting(request: Request, asked: SitingAsked) -> Response:
    """Choose sites: fewest for all towns, p for most demand, or a programme of years."""
    store = open_request_store(request)
    if _EVENTS in request.headers.get("accept", ""):
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(_stream(store, asked), media_type=_EVENTS, headers=headers)
    if not _runs.room.acquire(timeout=_WAIT_S):
        return answer_problem(request, 503, _BUSY)
    try:
        answer = asked.ask(store, Watch.start(asked.time_limit_s, gap=asked.gap))
    finally:
        _runs.room.release()
    return Response(to_bytes(answer.to_json()), media_type=JSON)


@api.delete("/siting/{run}", status_code=204)
def stop_siting(run: Annotated[str, Path(max_length=50)]) -> Response:
    """Stop a run; the best found so far becomes its result."""
    _runs.stop(run)
    return Response(status_code=204)


def _stream(store: Store, asked: SitingAsked) -> Iterator[bytes]:
    """Yield events while another thread solves; a client that leaves stops it."""
    key, flag = _runs.begin()
    events: queue.SimpleQueue[tuple[str, Any] | None] = queue.SimpleQueue()
    worker = threading.Thread(
        target=_work, args=(store, asked, flag, lambda *event: events.put(event or None))
    )
    try:
        yield _event("run", {"run": key, "time_limit_s": asked.time_limit_s})
        worker.start()
        while True:
            try:
                event = events.get(timeout=_BEAT_S)
            except queue.Empty:
                yield b": waiting\n\n"
                continue
            if event is None:
                return
            yield _event(*event)
    finally:
        flag.set()
        _runs.end(key)


def _work(
    store: Store, asked: SitingAsked, flag: threading.Event, put: Callable[..., None]
) -> None:
    room = _runs.room.acquire(timeout=_WAIT_S)
    try:
        if not room:
            put("problem", {"status": 503, "detail": _BUSY})
            return
        watch = Watch.start(
            asked.time_limit_s,
            gap=asked.gap,
            cancel=flag.is_set,
            progress=lambda found, bound: put("progress", {"found": found, "bound": bound}),
        )
        put("result", asked.ask(store, watch).to_json())
    except NotFoundError as error:
        put("problem", {"status": 404, "detail": str(error)})
    except HatchmapError as error:
        put("problem", {"status": 422, "detail": str(error)})
    except Exception:
        log.exception("siting failed")
        put("problem", {"status": 500, "detail": "The server failed; its log has the cause"})
    finally:
        if room:
            _runs.room.release()
        put()


def _event(name: str, body: Any) -> bytes:
    plain = {key: value if value == value else None for key, value in body.items()}  # noqa: PLR0124
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(plain))


router = APIRouter()
router.include_router(api)
router.include_router(pages)
