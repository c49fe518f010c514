"""Files of a scenario name it; a link asks a report of it; a street moves only its own network."""

import io
import shutil

import openpyxl
import pyogrio
import pytest
import shapely
from starlette.responses import Response
from starlette.testclient import TestClient

from api.answers import open_request_store
from api.app import create_app
from api.questions.reach import ask_reach
from api.questions.report import ask_report
from api.routes import report
from api.settings import load_settings
from geo.crs import project_xy
from layers.export import export_layer
from layers.scenario_checks import Wish, check_wishes
from layers.scenarios import Scenario, ScenarioChange, apply_changes, see_scenario
from layers.store import open_store
from layers.street_ends import join_streets
from layers.walking import network_path, walk_world
from tests.api.conftest import TOKEN
from tests.api.test_scenarios import STAFF, make
from web.report.build import write_report

NAME = "南部加密"


@pytest.fixture(scope="module")
def path(city, tmp_path_factory):
    """A copy of the small city that the streets of scenarios may be saved beside."""
    path = tmp_path_factory.mktemp("files") / "hatchmap.gpkg"
    shutil.copy(city, path)
    return path


@pytest.fixture(scope="module")
def store(path):
    with open_store(path) as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(city, tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk")
    shutil.copy(city, folder / "hatchmap.gpkg")
    app = create_app(
        load_settings(store=folder / "hatchmap.gpkg", data=folder, staff_token=TOKEN, job_workers=1)
    )
    yield TestClient(app, raise_server_exceptions=False, headers=STAFF)
    app.state.jobs.close()
    app.state.store.close()


@pytest.fixture(scope="module")
def plan(store):
    change = ScenarioChange("rules", "towns", "update", {}, {"large_area_m2": 10**8})
    return see_scenario(store, Scenario("s1", NAME, changes=(change,))).store


def title(body):
    return openpyxl.load_workbook(io.BytesIO(body)).properties.title


def test_files_of_a_scenario_name_it(plan, store, tmp_path):
    told, real = (ask_report(one, sections=["towns"], as_of="2026-11-24") for one in (plan, store))
    assert NAME in title(write_report(told, "xlsx"))
    assert NAME not in title(write_report(real, "xlsx"))
    file = tmp_path / "report.gpkg"
    file.write_bytes(write_report(told, "gpkg"))
    assert pyogrio.read_dataframe(file, layer="report")["scenario"].tolist() == [NAME]
    assert pyogrio.read_info(file, layer="towns")["layer_metadata"]["DESCRIPTION"].count(NAME) == 1
    for ending in ("xlsx", "gpkg"):
        told = export_layer(plan, "incubators", tmp_path / f"in.{ending}")
        assert any(NAME in note for note in told.notes)
        assert export_layer(store, "incubators", tmp_path / f"real.{ending}").notes == ()
    assert NAME in title((tmp_path / "in.xlsx").read_bytes())
    info = pyogrio.read_info(tmp_path / "in.gpkg", layer="incubators")
    assert NAME in info["layer_metadata"]["DESCRIPTION"]


def test_tables_sent_are_of_the_scenario(desk):
    scenario = make(desk, NAME)
    rule = {"layer": "rules", "action": "change", "record": "towns"}
    change = {**rule, "values": {"large_area_m2": 10**8}}
    desk.post(f"/api/scenarios/{scenario}/changes", json={"changes": [change]})
    sheet = desk.get(f"/coverage/export?scenario={scenario}")
    assert f"-{scenario}.xlsx" in sheet.headers["content-disposition"]
    assert NAME in title(sheet.content)
    assert openpyxl.load_workbook(io.BytesIO(sheet.content)).worksheets[0]["A1"].value == NAME
    real = desk.get("/coverage/export")
    assert title(real.content) is None


def test_a_report_by_link_is_that_of_the_form(desk, monkeypatch):
    asked = []

    async def note(request, _kind, inputs):
        lens = open_request_store(request).lens
        asked.append((inputs, lens and lens.name))
        return Response()

    monkeypatch.setattr(report, "answer_job", note)
    scenario = make(desk, "Linked")
    link = "/api/report?format=html&sections=towns&lang=en"
    body = {"format": "html", "sections": ["towns"], "lang": "en"}
    assert desk.get(f"{link}&scenario={scenario}").status_code == 200
    assert desk.post(f"/api/report?scenario={scenario}", json=body).status_code == 200
    assert desk.get(link).status_code == 200
    (by_link, lens), posted, real = asked
    assert lens == "Linked"
    assert posted == (by_link, lens)
    assert real == (by_link, None)
    assert desk.get(f"{link}&scenario=none").status_code == 404
    assert desk.get(f"{link}&senario={scenario}").status_code == 422


# --- Streets ----------------------------------------------------------------------------------


def two_corners(store):
    """Two corners of the streets that are far apart on foot, in degrees."""
    world = walk_world(store)
    xs, ys = world.network.x, world.network.y
    ends = shapely.points([xs.min(), xs.max()], [ys.min(), ys.max()])
    nodes = shapely.STRtree(shapely.points(xs, ys)).nearest(ends)
    lon, lat = project_xy(xs[nodes], ys[nodes], source=world.crs, target="EPSG:4326")
    return list(zip(lon.tolist(), lat.tolist(), strict=True))


def total_m(store):
    return float(walk_world(store).network.length_m.sum())


def reached(store, place):
    return ask_reach(store, *place).to_json()


def test_a_drawn_street_is_walked_in_its_scenario_alone(store, tmp_path):
    real = walk_world(store)
    start, end = two_corners(store)
    seen = see_scenario(store, Scenario("s2", "Way"))
    # Without changes the network is the very one of the real streets.
    assert walk_world(seen.store).network is real.network
    # Drawn some metres beside both corners, as a hand does.
    drawn = [(start[0] + 1e-4, start[1]), (end[0], end[1] - 1e-4)]
    way = {"type": "LineString", "coordinates": drawn}
    wish = Wish("streets", "add", wanted={"foot": "both", "geometry": way})
    changes, after = check_wishes(store, seen, [wish])
    assert total_m(after.store) > total_m(store) + 10_000
    assert len(walk_world(after.store).network.component_size) == 1  # no island
    assert reached(after.store, start) != reached(store, start)
    assert walk_world(store).network is real.network
    assert network_path(after.store) != network_path(store)
    assert network_path(after.store).is_file()  # kept for the next who asks
    # As if the street had been built, in a store of its own.
    path = tmp_path / "hatchmap.gpkg"
    shutil.copy(store.url, path)
    with open_store(path, write=True) as built:
        with built.edit("test") as edit:
            assert apply_changes(edit, changes, built) == []
        assert reached(built, start) == reached(after.store, start)
        assert total_m(built) == total_m(after.store)


def test_a_street_closed_is_walked_no_more(store):
    start, _ = two_corners(store)
    streets = store.read("streets")
    near = shapely.distance(streets.geometry.to_numpy(), shapely.Point(start)).argmin()
    wish = Wish("streets", "remove", streets["id"][near])
    _, after = check_wishes(store, see_scenario(store, Scenario("s3", "Closed")), [wish])
    assert total_m(after.store) < total_m(store)


def test_only_what_is_near_is_joined(store):
    start, _ = two_corners(store)
    far = shapely.LineString([(-56.3, -34.8), (-56.31, -34.8)])
    assert join_streets(store, far).equals(far)
    near = shapely.LineString([(start[0], start[1] + 1e-4), (-56.3, -34.8)])
    joined = shapely.get_coordinates(join_streets(store, near))
    assert joined[0] == pytest.approx(start, abs=1e-7)
    assert joined[1].tolist() == [-56.3, -34.8]
    point = shapely.Point(start)
    assert join_streets(store, point) is point
