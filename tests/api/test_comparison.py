"""Scenarios side by side: a job that is followed, stopped and answered again; page and files."""

import re
import shutil
import time

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.jobs.comparison import comparison_inputs, run
from api.jobs.kinds import Task
from api.questions import comparison
from api.questions.comparison import QUESTIONS, ask_comparison
from api.settings import load_settings
from geo.errors import CancelledError, InputError
from layers.scenarios import Scenario, ScenarioChange, see_scenario
from layers.store import open_store
from tests.api.conftest import TOKEN
from tests.api.test_scenarios import STAFF, change, drop, make, uncovered


@pytest.fixture(scope="module")
def desk(city, tmp_path_factory):
    """One server with one process for jobs, signed in as staff."""
    folder = tmp_path_factory.mktemp("compare")
    shutil.copy(city, folder / "hatchmap.gpkg")
    app = create_app(
        load_settings(store=folder / "hatchmap.gpkg", data=folder, staff_token=TOKEN, job_workers=1)
    )
    # Without its lifespan: nothing is warmed up that a test does not ask.
    yield TestClient(app, raise_server_exceptions=False, headers=STAFF, follow_redirects=False)
    app.state.jobs.close()
    app.state.store.close()


@pytest.fixture(scope="module")
def town(desk):
    return uncovered(desk)


@pytest.fixture(scope="module")
def plans(desk, town):
    """A scenario without changes, one with a hall, and one with a larger hall elsewhere."""
    empty, hall, rule = make(desk, "Empty"), make(desk, "Hall"), make(desk, "Rule")
    change(desk, hall, drop(town, desk))
    wanted = {"layer": "rules", "action": "change", "record": "towns"}
    change(desk, rule, {**wanted, "values": {"large_area_m2": 10**8}})
    return empty, hall, rule


@pytest.fixture(scope="module")
def asked(desk, plans):
    """The real layers, the hall and the rule, compared once."""
    _, hall, rule = plans
    return desk.get(f"/api/scenarios/compare?ids=base,{hall},{rule}")


def test_three_states_are_compared_figure_by_figure(desk, plans, town, asked):
    answer = asked.json()
    assert [one["name"] for one in answer["states"]] == ["", "Hall", "Rule"]
    rows = {(row["group"], row["key"]): row for row in answer["rows"]}
    large = rows["coverage", "towns.operating_large"]
    assert large["differences"] == [1, -large["values"][0]]
    states = {one["code"]: one["states"] for one in answer["towns"]}
    assert states[town["code"]] == [town["state"], "operating_large", town["state"]]
    assert ["added"] in [one["changes"] for one in answer["incubators"]]
    seen = desk.get(f"/api/structure?scenario={plans[1]}").json()["city"]
    assert rows["structure", "city.area_m2"]["values"][1] == seen["area_m2"]
    assert {group for group, _ in rows} >= {"coverage", "targets", "structure", "amenities"}
    shown = {row["code"]: row["state"] for row in answer["states"][1]["towns"]}
    assert shown[town["code"]] == "operating_large"


def test_a_scenario_without_changes_differs_in_nothing(desk, plans):
    answer = desk.get(f"/api/scenarios/compare?ids=base,{plans[0]}").json()
    assert not any(row["differs"] for row in answer["rows"])
    assert answer["towns"] == answer["incubators"] == []


def test_the_same_question_is_answered_at_once_until_a_scenario_changes(desk, plans, town, asked):
    _, hall, rule = plans
    path = f"/api/scenarios/compare?ids=base,{hall},{rule}"
    again = desk.get(path, headers={"Prefer": "respond-async"})
    assert (again.status_code, again.json()["status"]) == (201, "successful")
    assert desk.get(again.json()["links"][-1]["href"]).content == asked.content
    table = desk.get(f"/scenarios/compare.csv?ids=base,{hall},{rule}&lang=en")
    assert table.text.startswith("\ufeffQuestion,Figure")
    assert "Hall" in table.text
    sheet = desk.get(f"/scenarios/compare.xlsx?ids=base,{hall},{rule}")
    assert sheet.content.startswith(b"PK")
    other = make(desk, "Changing")
    begun = asks(desk, f"base,{other}")
    ended(desk, begun)
    change(desk, other, drop(town, desk))
    assert asks(desk, f"base,{other}") != begun


def asks(desk, ids):
    """Open the page of a comparison and return the key of its job."""
    answer = desk.get(f"/scenarios/compare?ids={ids}&lang=en")
    assert answer.status_code == 303
    return re.search(r"job=([^&]+)", answer.headers["location"]).group(1)


def ended(desk, job):
    """Return how a job ended."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        told = desk.get(f"/api/jobs/{job}").json()
        if told["status"] not in ("accepted", "running"):
            return told["status"]
        time.sleep(0.05)
    raise AssertionError(told)


def test_the_page_waits_for_its_job_and_says_when_it_was_stopped(desk, plans, town):
    slow = make(desk, "Slow")
    change(desk, slow, drop(town, desk))
    path = f"/scenarios/compare?ids=base,{plans[2]},{slow}&lang=en"
    job = asks(desk, f"base,{plans[2]},{slow}")
    waiting = desk.get(f"{path}&job={job}").text
    assert f'data-job="{job}"' in waiting or 'class="compare-maps"' in waiting
    assert ended(desk, job) == "successful"
    shown = desk.get(f"{path}&job={job}").text
    assert 'class="compare-maps"' in shown
    assert "data-job" not in shown
    # Behind another job, this one is stopped before it begins.
    first, second = asks(desk, f"base,{slow}"), asks(desk, f"{slow},base")
    desk.delete(f"/api/jobs/{second}?keep=true")
    if ended(desk, second) == "dismissed":  # else it was quicker
        stopped = desk.get(f"/scenarios/compare?ids={slow},base&lang=en&job={second}").text
        assert 'id="compare-ended"' in stopped
        assert "Compare again" in stopped
    ended(desk, first)


def test_what_cannot_be_compared_is_refused_before_a_job_is_made(desk, plans):
    before = len(desk.get("/api/jobs").json()["jobs"])
    hall = plans[1]
    for wrong in ("base", "base,base", f"base,{hall},x,y", "base,nothing", ",".join("abcd")):
        for path in ("/api/scenarios/compare", "/scenarios/compare", "/scenarios/compare.csv"):
            assert desk.get(f"{path}?ids={wrong}").status_code in (404, 422), wrong
    assert len(desk.get("/api/jobs").json()["jobs"]) == before


@pytest.mark.parametrize("stage", range(1 + 2 * len(QUESTIONS)))
def test_a_comparison_stops_at_each_stage(city, monkeypatch, stage):
    for name in ("towns", "industries", "targets", "units", "structure", "amenities"):
        ask = {"towns": "town_coverage", "industries": "industry_coverage",
               "units": "unit_coverage"}.get(name, name)  # fmt: skip
        monkeypatch.setattr(comparison, f"ask_{ask}", lambda *_args, **_more: Nothing())
    monkeypatch.setattr(comparison, "_coverage", lambda *_answers: ())
    for part in ("_goals", "_targets", "_structure", "_amenities"):
        monkeypatch.setattr(comparison, part, lambda _answer: ())
    monkeypatch.setattr(comparison, "_placed_towns", lambda *_answer: ())
    monkeypatch.setattr(comparison, "_states", comparison.Kept(8))
    told = []
    with open_store(city) as store:
        other = see_scenario(store, a_plan()).store
        checks = iter([*[False] * stage, True])

        def compare():
            return ask_comparison(
                [store, other],
                progress=lambda question, share: told.append((question, share)),
                cancel=lambda: next(checks, False),
            )

        if stage == 2 * len(QUESTIONS):  # past the last question nothing is asked any more
            assert len(compare().states) == 2
        else:
            with pytest.raises(CancelledError):
                compare()
    assert len(told) == stage
    assert [question for question, _ in told] == [*QUESTIONS, *QUESTIONS][:stage]
    assert [share for _, share in told] == sorted(share for _, share in told)


class Nothing:
    """An answer that says nothing."""

    def to_json(self):
        return {"demo_counted": False, "towns": []}


def a_plan():
    added = ScenarioChange("rules", "towns", "update", {}, {"large_area_m2": 5})
    return Scenario("s1", "Plan", changes=(added,))


def test_a_job_says_what_it_reads_and_keeps_nothing_when_stopped(city):
    with open_store(city) as store:
        inputs = comparison_inputs([store, see_scenario(store, a_plan()).store])
        assert inputs["ids"] == ["base", "s1"]
        with pytest.raises(InputError, match="two or three"):
            comparison_inputs([store])
        told = []
        task = Task({"ids": ["base"]}, store, lambda stage, _share: told.append(stage), bool)
        with pytest.raises(InputError):
            run(task)
    assert told == ["reading"]
