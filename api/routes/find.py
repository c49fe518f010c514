"""The pages of the search for space: the search itself, one space, and some side by side."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ValidationError

from api.answers import to_bytes
from api.params import Lang
from api.questions.space_search import SpaceSearch
from api.questions.spaces import ask_space, ask_spaces, count_places
from api.questions.surroundings import ask_space_facts
from api.routes.pages import Framer, draw_page, public_history
from api.routes.spaces import SEVERAL, SpaceAsked
from api.views import NO_COVERAGE, map_view
from geo.errors import InputError
from layers.query import Query as Records
from layers.store import Store
from web import find as pages
from web.messages import say, say_fault
from web.words import words

router = APIRouter(include_in_schema=False)

PAGE_SIZE = 30
_MOST_COMPARED = 4
_PLACE_ENDS = re.compile(": |：")
_UNANSWERED: Mapping[str, Any] = {"total": None, "features": []}


@router.get("/find")
def get_find(request: Request, lang: Lang) -> Response:
    """Draw the search, or only what another question changes of it."""
    asked = _read_query(request)

    def draw(store: Store, frame: Framer) -> str:
        answer, errors = _answer(store, asked, lang)
        said = frame(demo_counted=answer.get("demo_counted", False))
        common: dict[str, Any] = {
            "frame": said, "asked": asked, "labels": _labels(store, lang), "errors": errors,
        }  # fmt: skip
        if "part" in asked:
            return pages.find_part(answer, **common)
        return pages.find_page(
            answer,
            view=map_view(store, frame.settings, lang=lang, coverage=NO_COVERAGE),
            categories=store.rules("amenities").body["categories"],
            **common,
        )

    return draw_page(request, lang, draw)


def _read_query(request: Request) -> dict[str, list[str]]:
    """Return the fields of the address that hold something: forms send empty ones too."""
    asked: dict[str, list[str]] = {}
    for name, value in request.query_params.multi_items():
        if value.strip():
            asked.setdefault(name, []).append(value)
    return asked


def _answer(
    store: Store, asked: Mapping[str, Sequence[str]], lang: str
) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """Ask, or say field by field what is wrong with the question."""
    try:
        search = _to_search(asked)
        answer: dict[str, Any] = orjson.loads(to_bytes(ask_spaces(store, search).to_json()))
        answer["places"] = count_places(store, search)
    except (ValidationError, InputError) as error:
        errors = _faults(error, lang)
        return {**_UNANSWERED, "facets": _count_without(store, asked, errors)}, errors
    return answer, []


def _faults(error: ValidationError | InputError, lang: str) -> list[dict[str, Any]]:
    """Return what is wrong, field by field, in the language of the page."""
    if isinstance(error, ValidationError):
        return [
            {"where": str(one["loc"][0]), "what": say(one["msg"], lang), "fix": ""}
            for one in error.errors()
        ]
    found = [
        {"where": fault.where, "what": said.what, "value": fault.value, "fix": said.fix}
        for fault in error.faults
        for said in (say_fault(fault, lang),)
    ]
    where = str(error).partition(": ")[0]
    what = _PLACE_ENDS.split(say(str(error), lang), maxsplit=1)[-1]
    return found or [{"where": where, "what": what, "fix": ""}]


def _count_without(
    store: Store, asked: Mapping[str, Sequence[str]], errors: Sequence[Mapping[str, Any]]
) -> Mapping[str, Mapping[str, int]]:
    """Count the choices as if what is wrong had not been asked, so that it can be corrected."""
    wrong = {f"{end}{one['where']}" for one in errors for end in ("", "min_", "max_")}
    rest = {name: values for name, values in asked.items() if name not in wrong}
    try:
        return ask_spaces(store, _to_search(rest)).facets or {}
    except (ValidationError, InputError):
        return {}


def _to_search(asked: Mapping[str, Sequence[str]]) -> SpaceSearch:
    given: dict[str, Any] = {
        name: list(values) if name in SEVERAL else values[-1]
        for name, values in asked.items()
        if name in SpaceAsked.model_fields and name != "limit"
    }
    if "minutes" in given and "near" not in given:
        # A walking time without a place is a form half filled in, not a mistake.
        given.pop("minutes")
    if "radius_m" in given and "near" not in given:
        given.pop("radius_m")
    return SpaceAsked.model_validate({**given, "limit": PAGE_SIZE}).to_search()


def _labels(store: Store, lang: str) -> dict[str, dict[str, str]]:
    """Return the words of what the city names itself, where they are not the names."""
    w = words(lang)
    must = {one["key"]: w.pick(one) for one in store.rules("amenities").body["categories"]}
    if lang == "zh":
        return {"must": must}
    units = store.read("reporting_units", Records(columns=["name", "name_en"]))
    industries = store.rules("industries").body.get("industries", ())
    services = store.rules("services").body.get("services", ())
    return {
        "must": must,
        "unit": {
            name: english
            for name, english in zip(units["name"], units["name_en"], strict=True)
            if isinstance(english, str)
        },
        "industries": {one["name"]: one.get("name_en") or one["name"] for one in industries},
        "services": {one["name"]: one.get("name_en") or one["name"] for one in services},
    }


@router.get("/find/compare")
def get_compare(
    request: Request,
    lang: Lang,
    id: Annotated[Sequence[str] | None, Query()] = None,  # noqa: A002
) -> Response:
    """Draw up to four spaces side by side."""
    wanted = list(dict.fromkeys(id or ()))
    if len(wanted) > _MOST_COMPARED:
        raise InputError(f"id: {len(wanted)} spaces; compare at most {_MOST_COMPARED}")

    def draw(store: Store, frame: Framer) -> str:
        features = [ask_space(store, key) for key in wanted]
        demo = any(one["properties"].get("provenance") == "demo" for one in features)
        return pages.compare_page(features, frame=frame(demo_counted=demo))

    return draw_page(request, lang, draw)


@router.get("/spaces/{space}")
def get_space_page(
    request: Request, lang: Lang, space: Annotated[str, Path(max_length=200)]
) -> Response:
    """Draw everything public about one space."""

    def draw(store: Store, frame: Framer) -> str:
        found = ask_space_facts(store, space, stale_days=frame.settings.stale_days)
        record = found.feature["properties"]
        around = found.facts.around
        return pages.space_page(
            found.to_json(),
            spots=() if around is None else [vars(spot) for spot in around.spots],
            frame=frame(
                title=str(record.get("name") or space),
                demo_counted=record.get("provenance") == "demo"
                or (around is not None and around.demo_counted),
            ),
            categories=store.rules("amenities").body["categories"],
            history=public_history(store, "spaces", space),
        )

    return draw_page(request, lang, draw)
