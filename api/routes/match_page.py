"""The staff's page of matching."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from api.auth import require_staff
from api.params import Lang
from api.questions.match import MatchReport, ask_demand_matches, ask_match, ask_space_matches
from api.routes.pages import Framer
from api.routes.staff import draw_staff_page
from geo.errors import InputError
from geo.matching import PARTS
from layers.query import Query as Records
from layers.store import Store
from web.match import match_page

router = APIRouter(include_in_schema=False, dependencies=[Depends(require_staff)])

Text = Annotated[str, Query(max_length=200)]


@router.get("/match")
def get_match(
    request: Request, lang: Lang, mode: Text = "best", demand: Text = "", space: Text = ""
) -> Response:
    """Draw a matching: all to all, or for one demand or space."""
    held = {"mode": mode, "demand": demand.strip(), "space": space.strip()}

    def draw(store: Store, frame: Framer) -> str:
        report = _ask(store, held, _read_weights(request))
        said = frame(
            demo_counted=report.demo_counted,
            version=f"{report.rule['name']} {report.rule['version']}",
        )
        return match_page(report.to_json(), frame=said, demands=_demands(store), held=held)

    return draw_staff_page(request, lang, draw)


def _ask(store: Store, held: dict[str, str], weights: dict[str, float] | None) -> MatchReport:
    if held["demand"] and held["space"]:
        raise InputError("match: give a demand or a space, not both")
    if held["demand"]:
        return ask_demand_matches(store, held["demand"], weights=weights)
    if held["space"]:
        return ask_space_matches(store, held["space"], weights=weights)
    mode: Any = held["mode"]
    return ask_match(store, mode=mode, weights=weights)


def _read_weights(request: Request) -> dict[str, float] | None:
    """Return the weights of the form; None where it gives none."""
    given = {
        name: value for name in PARTS if (value := request.query_params.get(f"w_{name}", "")) != ""
    }
    try:
        return {name: float(value) for name, value in given.items()} or None
    except ValueError as error:
        raise InputError("weights: give numbers from 0 up") from error


def _demands(store: Store) -> list[dict[str, str]]:
    frame = store.read("demands", Records(where={"status": ["open"]}, columns=["title"]))
    titles = zip(frame["id"], frame["title"], strict=True)
    return [{"id": key, "title": title if isinstance(title, str) else key} for key, title in titles]
