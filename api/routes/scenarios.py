"""Scenarios over HTTP, for staff: sets of changes that are made, asked what they do, and adopted.

Everybody who holds the link of a scenario can look at the map as it would be (`/s/ID/SECRET`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from api.answers import JSON, open_base_store, to_bytes
from api.auth import require_staff
from api.params import refuse_unknown
from api.questions.common import today
from api.questions.effect import ask_effect
from api.questions.scenarios import (
    ask_scenario,
    ask_scenario_record,
    ask_scenario_records,
    ask_scenarios,
)
from api.scenarios import SeenScenarios, share_cookie
from api.stores import STAFF, StoreHandle
from geo.errors import InputError, NotFoundError
from layers.adoption import adopt_scenario, find_conflicts
from layers.scenario_checks import Site, Wish, check_wishes, site_wishes
from layers.scenario_edits import (
    add_changes,
    check_name,
    delete_scenario,
    duplicate_scenario,
    end_sharing,
    make_scenario,
    opens,
    set_facts,
    set_state,
    set_undone,
    share_scenario,
)
from layers.scenarios import Scenario, SeenScenario, find_scenario, see_scenario
from layers.store import Store

api = APIRouter(prefix="/api/scenarios", tags=["scenarios"], dependencies=[Depends(require_staff)])
links = APIRouter(include_in_schema=False)

Id = Annotated[str, Path(max_length=100, description="Id or name of a scenario")]
Layer = Annotated[str, Path(max_length=50, description="A layer that scenarios can change")]
Text = Annotated[str, Field(max_length=100)]
Note = Annotated[str, Field(max_length=2_000)]
_PRIVATE = {"Cache-Control": "no-store"}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewScenario(_Body):
    """A scenario to be made, empty or with the changes of another."""

    name: Text
    note: Note = ""
    copy_of: str | None = Field(None, max_length=100, description="Begin with its changes")


class ScenarioFacts(_Body):
    """What of a scenario is to be set; what is left out stays."""

    name: Text | None = None
    note: Note | None = None
    state: Literal["draft", "archived"] | None = None


class WantedChange(_Body):
    """One change: `add` a record, `change` columns of one, or `remove` one.

    Values by column, the place as a GeoJSON geometry under `geometry`; of `rules` by path.
    """

    layer: Annotated[str, Field(max_length=50)]
    action: Literal["add", "change", "remove"]
    record: Annotated[str, Field(max_length=200)] = ""
    values: dict[str, Any] = Field(default_factory=dict)

    def to_wish(self) -> Wish:
        """Return it as the layers check it."""
        return Wish(self.layer, self.action, self.record, self.values)


class WantedChanges(_Body):
    """Changes in their order."""

    changes: list[WantedChange] = Field(min_length=1, max_length=500)


class EffectAsked(_Body):
    """What if: changes that are not kept, and the place whose walking zones are wanted."""

    changes: list[WantedChange] = Field(default_factory=list, max_length=100)
    lon: float | None = Field(None, ge=-180, le=180)
    lat: float | None = Field(None, ge=-90, le=90)


class ChosenSite(_Body):
    """A site that siting chose."""

    name: Annotated[str, Field(max_length=200)]
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    year: int | None = Field(None, ge=1900, le=2200)
    area_m2: float | None = Field(None, ge=0, le=20_000_000)


class Programme(_Body):
    """A programme to be made a scenario: its name and the sites chosen."""

    name: Text
    note: Note = ""
    sites: list[ChosenSite] = Field(min_length=1, max_length=500)


class ChangeFacts(_Body):
    """Whether a change is left out."""

    undone: bool


class AdoptionAsked(_Body):
    """What counts where the real layers have changed since: by conflict, and for all others."""

    choices: dict[str, Literal["scenario", "real"]] = Field(default_factory=dict)
    everywhere: Literal["scenario", "real"] | None = None


def _answer(plain: Any, status: int = 200) -> Response:
    return Response(to_bytes(plain), status, _PRIVATE, media_type=JSON)


def see(request: Request, word: str) -> tuple[Store, SeenScenario]:
    """Return the real store and a scenario of it, ready to be asked."""
    base = open_base_store(request)
    kept: SeenScenarios = request.app.state.scenarios
    return base, kept.get(base, word)


def _handle(request: Request) -> StoreHandle:
    handle: StoreHandle = request.app.state.store
    return handle


def _report(request: Request, word: str, status: int = 200) -> Response:
    base = open_base_store(request)
    return _answer(ask_scenario(base, find_scenario(base, word)).to_json(), status)


@api.get("", dependencies=[Depends(refuse_unknown)])
def get_scenarios(request: Request) -> Response:
    """List all scenarios, the newest first."""
    return _answer(ask_scenarios(open_base_store(request)).to_json())


@api.post("", status_code=201)
def post_scenario(request: Request, asked: NewScenario) -> Response:
    """Make a scenario."""
    made = begin_scenario(request, asked.name, note=asked.note, copy_of=asked.copy_of)
    return _report(request, made.id, 201)


@api.post("/programme", status_code=201)
def post_programme(request: Request, asked: Programme) -> Response:
    """Make a scenario of chosen sites: each a planned incubator, and a project of its year."""
    base = open_base_store(request)
    with _handle(request).edit(f"scenario {asked.name.strip()} made of a programme") as edit:
        made = make_scenario(
            edit, base, asked.name, note=asked.note, who=STAFF, day=today().isoformat()
        )
        wishes = site_wishes([Site(**site.model_dump()) for site in asked.sites])
        changes, _ = check_wishes(base, see_scenario(base, made), wishes)
        add_changes(edit, made, changes)
    return _report(request, made.id, 201)


def begin_scenario(
    request: Request, name: str, *, note: str = "", copy_of: str | None = None
) -> Scenario:
    """Make a scenario, empty or with the changes of another."""
    base, day = open_base_store(request), today().isoformat()
    with _handle(request).edit(f"scenario {name.strip()[:100]} made") as edit:
        if copy_of is None:
            return make_scenario(edit, base, name, note=note, who=STAFF, day=day)
        original = find_scenario(base, copy_of)
        return duplicate_scenario(edit, base, original, name, who=STAFF, day=day)


@api.get("/{scenario}", dependencies=[Depends(refuse_unknown)])
def get_scenario(request: Request, scenario: Id) -> Response:
    """Tell what a scenario changes: changes in order, net effect, and what holds no more."""
    return _report(request, scenario)


@api.patch("/{scenario}")
def patch_scenario(request: Request, scenario: Id, asked: ScenarioFacts) -> Response:
    """Rename, describe, archive or take a scenario out of the archive."""
    base = open_base_store(request)
    found = find_scenario(base, scenario)
    with _handle(request).edit(f"scenario {found.name} described") as edit:
        if asked.name is not None:
            set_facts(edit, found, name=check_name(base, asked.name, own=found.id))
        if asked.note is not None:
            set_facts(edit, found, note=asked.note.strip() or None)
        if asked.state is not None:
            set_state(edit, found, asked.state)
    return _report(request, found.id)


@api.delete("/{scenario}", status_code=204)
def remove_scenario(request: Request, scenario: Id) -> Response:
    """Remove a scenario and its changes; what was adopted stays in the layers."""
    found = find_scenario(open_base_store(request), scenario)
    with _handle(request).edit(f"scenario {found.name} removed") as edit:
        delete_scenario(edit, found)
    return Response(status_code=204)


@api.post("/{scenario}/changes", status_code=201)
def post_changes(request: Request, scenario: Id, asked: WantedChanges) -> Response:
    """Add changes; refused whole when the layers do not allow one of them."""
    base, seen = see(request, scenario)
    changes, _ = check_wishes(base, seen, [one.to_wish() for one in asked.changes])
    with _handle(request).edit(f"scenario {seen.scenario.name} changed") as edit:
        add_changes(edit, seen.scenario, changes)
    return _report(request, seen.scenario.id, 201)


@api.patch("/{scenario}/changes/{change}")
def patch_change(
    request: Request,
    scenario: Id,
    change: Annotated[str, Path(max_length=100)],
    asked: ChangeFacts,
) -> Response:
    """Undo one change, or do it again."""
    found = find_scenario(open_base_store(request), scenario)
    done = "undone" if asked.undone else "made again"
    with _handle(request).edit(f"scenario {found.name}: a change {done}") as edit:
        set_undone(edit, found, change, undone=asked.undone)
    return _report(request, found.id)


@api.post("/{scenario}/effect")
def post_effect(request: Request, scenario: Id, asked: EffectAsked) -> Response:
    """Tell what more changes would do to the scenario, without keeping them."""
    base, seen = see(request, scenario)
    _, after = check_wishes(base, seen, [one.to_wish() for one in asked.changes])
    if (asked.lon is None) != (asked.lat is None):
        raise InputError("lon and lat: give both or none")
    place = None if asked.lon is None or asked.lat is None else (asked.lon, asked.lat)
    return _answer(ask_effect(seen.store, after.store, place=place).to_json())


@api.get("/{scenario}/effect", dependencies=[Depends(refuse_unknown)])
def get_effect(request: Request, scenario: Id) -> Response:
    """Tell what the scenario as a whole does to the layers as they are."""
    base, seen = see(request, scenario)
    return _answer(ask_effect(base, seen.store).to_json())


@api.get("/{scenario}/records/{layer}", dependencies=[Depends(refuse_unknown)])
def get_records(
    request: Request,
    scenario: Id,
    layer: Layer,
    text: Annotated[str, Query(max_length=200, description="Part of the name, or the id")] = "",
) -> Response:
    """Find records to change, as the scenario has them."""
    seen = see(request, scenario)[1]
    return _answer(ask_scenario_records(seen.store, layer, text).to_json())


@api.get("/{scenario}/records/{layer}/{record}", dependencies=[Depends(refuse_unknown)])
def get_record(
    request: Request,
    scenario: Id,
    layer: Layer,
    record: Annotated[str, Path(max_length=200)],
) -> Response:
    """Tell what is public of a record, as the scenario has it."""
    seen = see(request, scenario)[1]
    return _answer(ask_scenario_record(seen.store, layer, record).to_json())


@api.get("/{scenario}/conflicts", dependencies=[Depends(refuse_unknown)])
def get_conflicts(request: Request, scenario: Id) -> Response:
    """List what must be decided before the scenario can be adopted."""
    base = open_base_store(request)
    conflicts = find_conflicts(base, find_scenario(base, scenario))
    return _answer({"conflicts": [conflict.to_json() for conflict in conflicts]})


@api.post("/{scenario}/adopt")
def post_adoption(request: Request, scenario: Id, asked: AdoptionAsked) -> Response:
    """Write the scenario into the real layers; 409 with the conflicts until all are decided."""
    base = open_base_store(request)
    found = find_scenario(base, scenario)
    with _handle(request).edit(f"adopted scenario {found.name}") as edit:
        done = adopt_scenario(edit, base, found, choices=asked.choices, everywhere=asked.everywhere)
    return _answer(done.to_json())


@api.post("/{scenario}/share", status_code=201)
def post_share(request: Request, scenario: Id) -> Response:
    """Make a link to look at the scenario; it is told once, and ends an older one."""
    found = find_scenario(open_base_store(request), scenario)
    with _handle(request).edit(f"scenario {found.name} shared by link") as edit:
        secret = share_scenario(edit, found)
    return _answer(
        {"link": str(request.url_for("open_link", scenario=found.id, secret=secret))}, 201
    )


@api.delete("/{scenario}/share", status_code=204)
def delete_share(request: Request, scenario: Id) -> Response:
    """End the link to the scenario."""
    found = find_scenario(open_base_store(request), scenario)
    with _handle(request).edit(f"scenario {found.name}: link ended") as edit:
        end_sharing(edit, found)
    return Response(status_code=204)


@links.get("/s/{scenario}/{secret}")
def open_link(
    request: Request,
    scenario: Annotated[str, Path(max_length=100)],
    secret: Annotated[str, Path(max_length=100)],
    lang: Annotated[str, Query(max_length=5)] = "",
) -> Response:
    """Turn the secret of a link into a cookie, so that it leaves the address, and show the map."""
    try:
        found: Scenario | None = find_scenario(open_base_store(request), scenario)
    except NotFoundError:
        found = None
    if found is None or not opens(found, secret):
        raise HTTPException(404, "this link has ended, or was never given; ask who sent it")
    asked = f"&lang={lang}" if lang in ("zh", "en") else ""
    answer = RedirectResponse(f"/?scenario={found.id}{asked}", status_code=303)
    answer.set_cookie(
        share_cookie(found.id), secret, httponly=True, samesite="lax",
        secure=request.url.scheme == "https",
    )  # fmt: skip
    return answer


router = APIRouter()
router.include_router(api)
router.include_router(links)
