"""Imports of the real files of Wenzhou into a store with the bundled facts and boundaries."""

import pandas as pd
import pyogrio
import pytest

from layers.boundaries import refresh_units
from layers.check import check_store
from layers.imports import import_file
from layers.pack import install_pack, load_pack
from layers.query import Query
from layers.store import create_store


@pytest.fixture(scope="module")
def store(tmp_path_factory, shared_data):
    with create_store(tmp_path_factory.mktemp("wenzhou") / "wenzhou.gpkg") as made:
        install_pack(made, load_pack("wenzhou"))
        refresh_units(made)
        townships = shared_data / "wenzhou_townships_wgs84.geojson"
        report = import_file(
            made, "divisions", townships, datum="wgs84", columns={"code": "street_code"}
        )
        assert (report.written, report.faults) == (135, [])
        yield made


@pytest.fixture
def gcj_file(tmp_path, shared_data):
    """The stations with only the GCJ-02 pair, under headings that do not tell."""
    stations = pd.read_csv(shared_data / "wenzhou_metro_stations.csv")
    stations = stations[["name", "district_name", "lon_gcj", "lat_gcj"]]
    file = tmp_path / "stations.csv"
    stations.set_axis(["站名", "district_name", "经度", "纬度"], axis=1).to_csv(file, index=False)
    return file


def test_townships_become_divisions(store):
    towns = store.read("divisions", Query(where={"level": "town"})).set_index("name")
    assert len(towns) == 135
    assert (towns["code"]["柳市镇"], towns["parent_code"]["柳市镇"]) == ("330382114", "330382")
    assert towns["code"]["龙港镇"].startswith("330327-")  # no official code in the file
    named = set(store.read("industrial_towns")["code"])
    assert named - set(store.read("divisions")["code"]) == {"330324009"}  # newer than the file


def test_check_reports_the_overlap(store):
    report = check_store(store)
    assert not report.ok
    overlaps = [finding for finding in report.findings if finding.name == "overlap"]
    worst = [finding for finding in overlaps if finding.level == "error"]
    assert len(worst) == 1
    assert "龙港镇" in worst[0].detail_zh
    assert "龙港市" in worst[0].detail_zh
    assert "157.2 km²" in worst[0].detail_en
    stray = next(finding for finding in report.findings if finding.name == "outside_parent")
    assert "龙港镇(苍南县→龙港市)" in stray.detail_zh
    assert not [finding for finding in report.findings if finding.layer == "plan_targets"]


def test_changing_one_target_fails_and_is_named(store):
    where = {"unit": "乐清市", "year": 2026, "indicator": "jobs"}
    target = store.read("plan_targets", Query(where=where)).iloc[0]
    with store.edit("t") as edit:
        edit.update("plan_targets", target["id"], value=target["value"] + 1)
    failed = [one for one in check_store(store).findings if one.layer == "plan_targets"]
    with store.edit("t") as edit:
        edit.update("plan_targets", target["id"], value=target["value"])
    assert failed
    assert all(finding.level == "error" for finding in failed)
    assert any("sum" in finding.name and "jobs" in finding.name for finding in failed)
    assert any(target["id"] in finding.ids for finding in failed)


@pytest.mark.parametrize(
    "name", ["wenzhou_metro_stations.csv", "wenzhou_metro_stations_wgs84.geojson"]
)
def test_stations_are_as_declared(store, shared_data, name):
    report = import_file(store, "stations", shared_data / name, datum="wgs84", dry_run=True)
    assert (report.rows, report.faults) == (36, [])
    assert report.datum_votes[0].datum == "wgs84"
    assert report.datum_votes[0].in_unit_share == 1.0
    assert not any("fit" in warning or "cannot tell" in warning for warning in report.warnings)


def test_the_gcj02_pair_declared_as_wgs84_is_caught(store, shared_data):
    report = import_file(
        store,
        "stations",
        shared_data / "wenzhou_metro_stations.csv",
        datum="wgs84",
        columns={"lon": "lon_gcj", "lat": "lat_gcj"},
        dry_run=True,
    )
    assert any("heading 'lon_gcj' names gcj02" in warning for warning in report.warnings)
    told = next(warning for warning in report.warnings if "fit gcj02 better" in warning)
    assert "wgs84 100% in the unit named, 0% agreeing with the second pair" in told


def test_without_a_second_pair_the_streets_tell(store, shared_data, gcj_file, tmp_path):
    alone = import_file(store, "stations", gcj_file, datum="wgs84", dry_run=True)
    assert any("cannot tell whether the datum is wgs84" in told for told in alone.warnings)
    roads = pyogrio.read_dataframe(
        shared_data / "wenzhou_roads_wgs84.gpkg", bbox=(120.55, 27.7, 121.0, 28.15)
    )
    pyogrio.write_dataframe(roads, tmp_path / "roads.gpkg")
    assert import_file(store, "streets", tmp_path / "roads.gpkg", datum="wgs84").faults == []
    report = import_file(store, "stations", gcj_file, datum="wgs84", dry_run=True)
    told = next(warning for warning in report.warnings if "fit gcj02 better" in warning)
    assert "within 50 m of a street" in told
    right = import_file(store, "stations", gcj_file, datum="gcj02", dry_run=True)
    assert not any("better" in warning for warning in right.warnings)


def test_counties_change_the_divisions_that_are_there(store, shared_data):
    counties = shared_data / "counties_tianditu.geojson"
    columns = {"code": "district_adcode", "name": "district_name"}
    refused = import_file(
        store, "divisions", counties, datum="cgcs2000", columns=columns, dry_run=True
    )
    assert {fault.column for fault in refused.faults} == {"code"}
    before = store.count("divisions")
    report = import_file(
        store, "divisions", counties, datum="cgcs2000", columns=columns, replace=True
    )
    assert (report.written, report.faults) == (12, [])
    assert store.count("divisions") == before
    county = store.read("divisions", Query(where={"code": "330382"})).iloc[0]
    assert (county["name"], county["level"]) == ("乐清市", "county")
    assert county["source"] == "counties_tianditu.geojson"
