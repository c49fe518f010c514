"""The board of the plan, asked of the bundled city with a little demo data."""

import csv
import io

import openpyxl
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.questions.board import ask_board, ask_progress, ask_records
from api.questions.goal_map import ask_goal_map
from api.questions.goals import GoalDesk, ask_goals
from api.settings import load_settings
from api.setup import create_city
from geo.errors import InputError, NotFoundError
from geo.evidence import Evidence, fold
from geo.goals import measure_goals, trace_goal
from layers.store import open_store

DAY = "2026-11-24"
GOALS = [f"T{number}" for number in range(1, 28)]


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    create_city(folder / "hatchmap.gpkg", incubators=60, spaces=60, amenities=300, demands=5)
    return folder / "hatchmap.gpkg"


@pytest.fixture(scope="module")
def store(path):
    with open_store(path) as store:
        yield store


@pytest.fixture(scope="module")
def client(path):
    app = create_app(load_settings(store=path, data=path.parent))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="module")
def desk(store):
    return GoalDesk(store, as_of=DAY)


@pytest.fixture(scope="module")
def goals(desk):
    return {goal.id: goal for goal in desk.measure()}


def test_every_goal_has_a_row_with_its_clause(goals):
    assert list(goals) == GOALS
    for goal in goals.values():
        assert goal.clause
        assert goal.forecast is not None or goal.no_forecast in {
            "no_value", "no_dates", "too_early", "not_asked",
        }  # fmt: skip
        if goal.value is None:
            assert goal.missing, goal.id


@pytest.mark.parametrize("goal", GOALS)
def test_the_records_behind_a_goal_give_its_figure(desk, goals, goal):
    declared = next(one for one in desk.goals if one["id"] == goal)
    how, evidence = trace_goal(declared, desk.facts)
    row = goals[goal]
    assert len(evidence) == row.records
    figure = row.value if row.value is not None else row.reported_sum
    if figure is not None:
        assert fold(evidence, how) == pytest.approx(figure, rel=1e-6)


@pytest.mark.parametrize(("goal", "dated"), [("T10", True), ("T13", False), ("T8", True)])
def test_a_goal_of_every_unit_is_that_of_the_units_own_board(store, client, goal, dated):
    told = ask_goal_map(store, goal, as_of=DAY)
    assert told.years == ((2025, 2026, 2027) if dated else ())
    names = store.read("reporting_units")["name"].tolist()
    assert {row.unit for row in told.rows} == set(names)
    for unit in names[:2]:
        year = 2026 if dated else None
        board = ask_board(store, unit=unit, year=year, as_of=DAY)
        own = next(one for one in board.goals.goals if one.id == goal)
        [row] = [one for one in told.rows if (one.unit, one.year) == (unit, year)]
        assert (row.value, row.target, row.share) == (own.value, own.target, own.share)
    if dated:
        assert all(row.value is None for row in told.rows if row.year == 2027)
    page = client.get(f"/targets?lang=zh&map={goal}").text
    assert ("不分年度" in page) is not dated
    assert ('id="board-year"' in page) is dated
    assert f'value="{goal}" selected' in page


def test_a_goal_that_is_not_there_has_no_map(client):
    answer = client.get("/api/targets/map?goal=T99&lang=en")
    assert answer.status_code == 404
    assert "there is no goal 'T99'" in answer.json()["detail"]


@pytest.mark.parametrize("goal", ["T1", "T8", "T10", "T22"])
def test_what_readers_see_of_the_records_gives_the_figure(store, goals, goal):
    found = ask_records(store, goal=goal, as_of=DAY)
    seen = [Evidence(row.layer, row.id, row.amount, row.counts, row.part) for row in found.records]
    assert len(seen) == goals[goal].records
    assert fold(seen, found.how) == pytest.approx(found.value, rel=1e-6)
    assert all(row.name or row.details for row in found.records)


def test_goals_against_a_count_by_hand(store, goals):
    incubators = store.read("incubators")
    running = incubators[
        incubators["status"].isin(["operating", "rectifying"])
        & ~(incubators["opened_on"] > DAY)
        & ~(incubators["closed_on"] <= DAY)
    ]
    assert goals["T8"].value == (running["area_m2"] >= 20_000).sum()
    assert goals["T9"].value == (running["people"] >= 300).sum()
    assert goals["T14"].value == running["ip_count"].sum()
    chosen = incubators[incubators["twenty_batch"] <= 2026]
    assert goals["T2"].value == len(chosen)
    assert goals["T20"].value == chosen["local_graduates"].sum()
    projects = store.read("projects")
    started = (projects["started_on"].dt.year == 2026) & (projects["started_on"] <= "2026-12-31")
    ended = projects["completed_on"].dt.year == 2026
    assert goals["T22"].value == min(started.sum(), ended.sum())
    assert goals["T27"].value == 542.0
    assert len(goals["T27"].parts) == 12


def test_units_add_up_to_the_city(store, goals):
    units = store.read("reporting_units")["name"]
    names = ("T2", "T8", "T9", "T14")
    sums = dict.fromkeys(names, 0.0)
    for unit in units:
        desk = GoalDesk(store, unit=unit, as_of=DAY)
        rows = measure_goals([one for one in desk.goals if one["id"] in names], desk.facts)
        for row in rows:
            sums[row.id] += row.value or 0.0
    assert sums == {name: goals[name].value for name in names}


def test_a_unit_in_a_year_has_the_annexs_own_target(store):
    board = ask_goals(store, unit="330302", year=2026, as_of=DAY)
    wanted = {goal.id: goal.target for goal in board.goals}
    assert board.unit == "鹿城区"
    assert [wanted[f"T{n}"] for n in range(1, 8)] == [54, 2, 1, 2, 500, 5000, 50]
    whole = {goal.id: goal.target for goal in ask_goals(store, unit="鹿城区", as_of=DAY).goals}
    assert [whole[f"T{n}"] for n in range(1, 8)] == [156, 6, 3, 6, 1600, 16000, 150]


def test_a_year_to_come_has_targets_and_nothing_else(store):
    board = ask_goals(store, year=2027, as_of=DAY)
    assert {goal.target for goal in board.goals if goal.id == "T1"} == {500}
    assert all(goal.value is None and "not_due" in goal.missing for goal in board.goals)


def test_records_of_an_indicator(store):
    found = ask_records(store, indicator="jobs", unit="龙湾区", year=2025, as_of=DAY)
    assert (found.value, [row.id for row in found.records]) == (4410.0, ["progress-3"])
    assert found.records[0].details["evidence"].startswith("龙湾新闻网")
    assert found.records[0].source.startswith("http")
    assert "reporter" not in found.records[0].details


def test_issuers_stand_side_by_side(store):
    report = ask_board(store, unit="平阳县", as_of=DAY).report
    asked = {one.indicator: {target.target for target in one.targets} for one in report.issuers}
    assert {3.0, 4.0} <= asked["twenty_incubators_total"]


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"goal": "T99"}, NotFoundError, "T99"),
        ({"indicator": "jobs_total"}, NotFoundError, "jobs_total"),
        ({"goal": "T1", "unit": "Atlantis"}, NotFoundError, "Atlantis"),
        ({"goal": "T1", "year": 2019}, InputError, "2025, 2026, 2027"),
        ({"goal": "T1", "indicator": "jobs"}, InputError, "give one"),
        ({}, InputError, "give one"),
        ({"goal": "T1", "as_of": "2026-02-30"}, InputError, "2026-02-30"),
    ],
)
def test_wrong_questions_are_refused(store, asked, error, says):
    with pytest.raises(error, match=says):
        ask_records(store, **{"as_of": DAY, **asked})


def test_history_of_progress(store):
    rows = ask_progress(store, unit="龙湾区", year=2025).rows
    assert {row.id for row in rows} >= {"progress-1", "progress-2", "progress-3"}
    assert all(row.definition and row.evidence for row in rows)


def test_the_doors(client):
    answer = client.get("/api/targets").json()
    assert [goal["id"] for goal in answer["goals"]] == GOALS
    assert answer["ranking"][0]["rank"] == 1
    assert {"rows", "checks", "issuers", "missing", "summary"} <= set(answer)
    found = client.get("/api/targets/records", params={"goal": "T8"}).json()
    assert found["summary"]["counted"] == found["value"]
    assert client.get("/api/targets/records").status_code == 422
    assert client.get("/api/targets", params={"year": 2019}).status_code == 422
    assert client.get("/targets", params={"year": "soon"}).status_code == 422
    assert client.get("/targets", params={"unit": "Atlantis"}).status_code == 404
    for lang in ("zh", "en"):
        page = client.get("/targets", params={"lang": lang, "unit": "鹿城区", "year": "2026"}).text
        assert 'id="goal-T27"' in page
        assert (
            client.get("/targets/records", params={"lang": lang, "goal": "T22"}).status_code == 200
        )


def test_the_files(client):
    book = openpyxl.load_workbook(io.BytesIO(client.get("/targets/export").content))
    assert len(book.sheetnames) == 3
    goals = list(book.worksheets[0].values)
    assert len(goals) == 28
    assert goals[8][1] == 150  # T8's target is a number
    text = client.get("/targets/records/export?goal=T8&format=csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    found = client.get("/api/targets/records?goal=T8").json()
    assert len(rows) == 1 + found["summary"]["total"]
    assert client.get("/targets/export?format=doc").status_code == 422


def test_the_next_action_of_every_uncovered_town(client, store):
    actions = client.get("/api/coverage/towns/actions", params={"date": DAY}).json()
    towns = client.get("/api/coverage/towns", params={"date": DAY}).json()["towns"]
    open_ = {row["code"] for row in towns if row["state"] in ("none", "planned_only")}
    assert {row["code"] for row in actions["towns"]} == open_
    assert actions["summary"]["total"] == len(open_)
    for row in actions["towns"]:
        assert row["needs"]
        assert (row["state"] == "planned_only") == (row["action"] == "finish")
        if row["action"] == "build":
            assert row["chance"]["in_town"]
    unit = actions["towns"][0]["unit"]
    part = client.get("/api/coverage/towns/actions", params={"unit": unit}).json()
    assert {row["unit"] for row in part["towns"]} == {unit}
    assert client.get("/api/coverage/towns/actions?unit=Atlantis").status_code == 404
    assert client.get("/api/coverage/towns/actions?date=2026-02-30").status_code == 422


def test_the_trend_ends_where_coverage_stands(client):
    for of in ("towns", "industries"):
        trend = client.get("/api/coverage/trend", params={"of": of, "date": DAY}).json()
        now = client.get(f"/api/coverage/{of}", params={"date": DAY}).json()["summary"]
        assert trend["points"][-1]["summary"] == now
        held = set()
        for point in trend["points"]:
            held = (held | set(point["gained"])) - set(point["lost"])
            summary = point["summary"]
            assert len(held) == summary["operating"] + summary["operating_large"]
    assert client.get("/api/coverage/trend?of=planets").status_code == 422


def test_cells_of_the_matrix_lead_to_their_incubators(client):
    grid = client.get("/api/coverage/industries", params={"date": DAY}).json()
    row = max(grid["industries"], key=lambda one: len(one["incubators"]))
    unit = max(row["units"], key=lambda one: len(row["units"][one]["incubators"]))
    found = client.get(
        "/api/targets/records", params={"industry": row["key"], "unit": unit, "date": DAY}
    ).json()
    assert [one["id"] for one in found["records"]] == row["units"][unit]["incubators"]
    assert client.get("/api/targets/records?industry=magic").status_code == 404


def test_the_page_and_file_of_coverage(client):
    for lang in ("zh", "en"):
        page = client.get("/coverage", params={"lang": lang}).text
        assert 'id="action-table"' in page
        assert "<polyline" in page
    book = openpyxl.load_workbook(io.BytesIO(client.get("/coverage/export").content))
    assert len(book.sheetnames) == 5
