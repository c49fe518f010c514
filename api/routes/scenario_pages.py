"""The staff's pages of scenarios: the list, and the editor."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.auth import require_staff
from api.params import Lang
from api.questions.common import today
from api.questions.comparison import placed_towns
from api.questions.scenarios import ask_scenario, ask_scenarios
from api.routes.pages import Framer
from api.routes.scenarios import begin_scenario
from api.routes.staff import draw_staff_page
from api.views import map_view
from geo.errors import InputError, NotFoundError
from layers.query import Query as Records
from layers.rule_values import rule_values
from layers.scenario_checks import has_outline
from layers.scenarios import find_scenario
from layers.store import Store
from web.messages import say
from web.scenarios import Offers, scenario_page, scenarios_page

router = APIRouter(dependencies=[Depends(require_staff)])

Id = Annotated[str, Path(max_length=100)]


@router.get("/scenarios", include_in_schema=False)
def get_list(request: Request, lang: Lang) -> Response:
    """Draw the list of scenarios."""
    return _draw_list(request, lang)


def _draw_list(
    request: Request, lang: str, *, held: dict[str, str] | None = None, problem: str = ""
) -> Response:
    def draw(store: Store, frame: Framer) -> str:
        report = ask_scenarios(store).to_json()
        return scenarios_page(report, frame=frame(), held=held, problem=problem)

    return draw_staff_page(request, lang, draw, status=422 if problem else 200)


@router.post("/scenarios", include_in_schema=False)
def post_list(
    request: Request,
    lang: Lang,
    name: Annotated[str, Form(max_length=200)] = "",
    note: Annotated[str, Form(max_length=2_000)] = "",
) -> Response:
    """Make a scenario from the form, and open it."""
    try:
        made = begin_scenario(request, name, note=note)
    except InputError as error:
        held = {"name": name, "note": note}
        return _draw_list(request, lang, held=held, problem=say(str(error), lang))
    return RedirectResponse(f"/scenarios/{made.id}?lang={lang}", status_code=303)


@router.get("/scenarios/{scenario}", include_in_schema=False)
def get_editor(request: Request, lang: Lang, scenario: Id) -> Response:
    """Draw the editor of a scenario."""

    def draw(store: Store, frame: Framer) -> str:
        found = find_scenario(store, scenario)
        report = ask_scenario(store, found).to_json()
        view = map_view(store, frame.settings, lang=lang)
        return scenario_page(
            report,
            frame=frame(title=found.name),
            view=view,
            offers=Offers(
                towns=placed_towns(store),
                outlined=store.count("divisions", Records(where={"level": "town"})) > 0,
                bounded=has_outline(store),
                incubators=_incubators(store),
                targets=_targets(store, lang),
                rules=_rules(store),
                industries=_industries(store),
                today=today().isoformat(),
            ),
        )

    return draw_staff_page(request, lang, draw)


def _incubators(store: Store) -> list[tuple[str, str]]:
    frame = store.read("incubators", Records(columns=["name"], order_by="name"))
    return list(zip(frame["id"], frame["name"], strict=True))


def _targets(store: Store, lang: str) -> list[dict[str, Any]]:
    known = {one["key"]: one for one in _rule(store, "targets").get("indicators", ())}
    frame = store.read("plan_targets")
    return [
        {
            "id": row["id"],
            "value": row["value"],
            "label": " ".join(
                str(part)
                for part in (
                    row["unit"],
                    row["year"],
                    known.get(row["indicator"], {}).get(lang) or row["indicator"],
                    row["issuer"],
                )
            ),
        }
        for row in frame.to_dict("records")
    ]


def _rules(store: Store) -> list[tuple[str, list[tuple[str, Any]]]]:
    """List the single values of every rule but texts, which say what a rule means."""
    return [
        (
            name,
            [
                (path, value)
                for path, value in rule_values(store.rules(name).body).items()
                if isinstance(value, int | float)
            ],
        )
        for name in store.rules_names()
    ]


def _industries(store: Store) -> list[dict[str, Any]]:
    return list(_rule(store, "industries").get("industries", ()))


def _rule(store: Store, name: str) -> dict[str, Any]:
    try:
        return store.rules(name).body
    except NotFoundError:
        return {}
