"""The pages: each asks its questions and draws their results inside the frame."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Request, Response

from api.answers import HTML, Result, open_request_store, respond, to_bytes
from api.params import Day, Lang, read_lang
from api.questions.about import ask_about
from api.questions.coverage import (
    ask_industry_coverage,
    ask_town_coverage,
)
from api.questions.surroundings import ask_incubator_facts
from api.questions.town_work import ask_coverage_trend, ask_town_actions
from api.questions.unit_coverage import ask_unit_coverage
from api.security import page_headers
from api.settings import Settings
from api.views import (
    ground,
    has_demo,
    map_view,
    page_frame,
    read_basemap,
    version_of,
)
from geo.errors import HatchmapError
from layers.query import Query as Records
from layers.store import Store
from web import pages
from web.coverage import coverage_page
from web.frame import PageFrame

router = APIRouter(include_in_schema=False)

Draw = Callable[[Store, "Framer"], str]


class Framer:
    """Makes the frame of one page."""

    def __init__(self, request: Request, store: Store, lang: str) -> None:
        self.settings: Settings = request.app.state.settings
        self.store = store
        self.lang = lang
        self.url = request.url.path + (f"?{request.url.query}" if request.url.query else "")

    def __call__(self, **said: Any) -> PageFrame:
        """Return the frame; `said` is what `api.views.page_frame` takes."""
        return page_frame(self.store, self.settings, lang=self.lang, url=self.url, **said)


def draw_page(request: Request, lang: str, draw: Draw) -> Response:
    """Answer with a page, drawn once for each state of the store and language."""

    def make(store: Store) -> bytes:
        return draw(store, Framer(request, store, lang)).encode()

    answer = respond(request, make, media_type=HTML, key=(lang,))
    if answer.status_code == 200:
        answer.headers.update(page_headers(bytes(answer.body), request.app.state.settings))
    if request.query_params.get("lang") == lang:
        answer.set_cookie("lang", lang, max_age=31_536_000, samesite="lax")
    return answer


def _names(store: Store) -> dict[str, str]:
    frame = store.read("incubators", Records(columns=["name"]))
    return dict(zip(frame["id"], frame["name"], strict=True))


@router.get("/")
def get_home(request: Request, lang: Lang) -> Response:
    """Draw the digital map."""

    def draw(store: Store, frame: Framer) -> str:
        coverage = ask_town_coverage(store).to_json()
        view = map_view(store, frame.settings, lang=lang, coverage=coverage)
        said = frame(demo_counted=view.demo_counted, version=version_of(coverage))
        return pages.home_page(coverage, view=view, frame=said)

    return draw_page(request, lang, draw)


@router.get("/coverage")
def get_coverage(request: Request, lang: Lang, date: Day) -> Response:
    """Draw which towns and industries have an incubator."""

    def draw(store: Store, frame: Framer) -> str:
        towns = ask_town_coverage(store, as_of=date).to_json()
        industries = ask_industry_coverage(store, as_of=date).to_json()
        units = ask_unit_coverage(store, as_of=date).to_json()
        demo = any(answer["demo_counted"] for answer in (towns, industries, units))
        said = frame(demo_counted=demo, version=version_of(towns))
        work: dict[str, Result] = {
            "actions": ask_town_actions(store, as_of=date),
            "town_trend": ask_coverage_trend(store, of="towns", as_of=date),
            "industry_trend": ask_coverage_trend(store, of="industries", as_of=date),
        }
        return coverage_page(
            towns,
            industries,
            units,
            frame=said,
            names=_names(store),
            indicators=store.rules("targets").body.get("indicators", ()),
            work={name: answer.to_json() for name, answer in work.items()},
            ground=ground(store, frame.settings, lang=lang),
        )

    return draw_page(request, lang, draw)


@router.get("/incubators/{incubator}")
def get_incubator(
    request: Request, lang: Lang, incubator: Annotated[str, Path(max_length=200)]
) -> Response:
    """Draw everything public about one incubator."""

    def draw(store: Store, frame: Framer) -> str:
        found = ask_incubator_facts(store, incubator, stale_days=frame.settings.stale_days)
        around, record = found.facts.around, found.feature["properties"]
        return pages.incubator_page(
            orjson.loads(to_bytes(found.to_json())),
            spots=() if around is None else [vars(spot) for spot in around.spots],
            frame=frame(
                title=str(record.get("name") or incubator),
                demo_counted=record.get("provenance") == "demo"
                or found.vacant.demo_counted
                or (around is not None and around.demo_counted),
            ),
            history=public_history(store, "incubators", incubator),
            categories=store.rules("amenities").body["categories"],
        )

    return draw_page(request, lang, draw)


def public_history(store: Store, layer: str, key: str) -> list[dict[str, Any]]:
    """Return when a record changed and what was done; who did it is the staff's to know."""
    return [
        {"at": _local(change.at), "action": change.action, "note": change.note}
        for change in store.history(layer, key)
    ]


def _local(instant: str) -> str:
    """Return an instant of UTC by the clock of the place."""
    return dt.datetime.fromisoformat(instant).astimezone().isoformat(timespec="minutes")


@router.get("/about")
def get_about(request: Request, lang: Lang) -> Response:
    """Draw what the map rests on."""

    def draw(store: Store, frame: Framer) -> str:
        info = ask_about(store)
        return pages.about_page(info.to_json(), frame=frame(demo_counted=info.demo_counted))

    return draw_page(request, lang, draw)


def draw_error(
    request: Request, status: int, detail: str, errors: Sequence[Mapping[str, Any]]
) -> str:
    """Draw the page of an error, even where there is no store to draw a frame from."""
    lang = read_lang(request)
    settings: Settings = request.app.state.settings
    try:
        store = open_request_store(request)
        frame = page_frame(
            store, settings, lang=lang, url=request.url.path, demo_counted=has_demo(store)
        )
    except HatchmapError:
        frame = PageFrame(lang=lang, basemap=read_basemap(settings).kind, url=request.url.path)
    return pages.error_page(status, "", detail, frame=frame, errors=errors)
