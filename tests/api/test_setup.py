"""Setting up a store: whole or not at all, for any place."""

import pytest
from starlette.testclient import TestClient

import api.setup
from api.app import create_app
from api.settings import load_settings
from api.setup import create_city
from geo.errors import InputError, StoreReadOnlyError
from layers.store import open_store
from layers.walking import network_path
from tests.api.city import SIZES, TINYTOWN
from tests.api.command import assert_refused, run


def test_city_with_demo_data_and_network(tmp_path):
    told = []
    path = tmp_path / "deep" / "town.gpkg"
    report = create_city(
        path, city=TINYTOWN, progress=lambda stage, share: told.append((stage, share)), **SIZES
    )
    assert report.city_en == "Tinytown"
    assert report.demo["incubators"] == 20
    assert [share for _, share in told] == sorted(share for _, share in told)
    assert told[-1] == ("done", 1.0)
    with open_store(path) as store:
        assert store.count("incubators") == 20
        assert store.meta("city")["key"] == "tinytown"
        assert network_path(store).is_file()
    assert {p.name.partition(".gpkg")[0] for p in path.parent.iterdir()} == {"town"}


def test_city_without_demo_data(tmp_path):
    report = create_city(tmp_path / "town.gpkg", city=TINYTOWN, demo=False)
    assert report.demo == {}
    assert report.records["industrial_towns"] == 5


def test_no_city_at_all(tmp_path):
    report = create_city(tmp_path / "bare.gpkg", city="none")
    assert (report.records, report.demo, report.without_polygon) == ({}, {}, {})
    with open_store(tmp_path / "bare.gpkg") as store:
        assert "amenities" in store.rules_names()


def test_nothing_is_overwritten(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(InputError, match="is not overwritten"):
        create_city(path, city="none")
    assert path.read_text() == "mine"


def test_nothing_half_made_is_left(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise InputError("in the middle")

    monkeypatch.setattr(api.setup, "refresh_units", fail)
    with pytest.raises(InputError, match="in the middle"):
        create_city(tmp_path / "town.gpkg", city=TINYTOWN)
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreReadOnlyError, match="choose another folder"):
        create_city(tmp_path / "file" / "town.gpkg", city="none")


def test_unknown_city_makes_no_folder(tmp_path):
    with pytest.raises(InputError, match="atlantis"):
        create_city(tmp_path / "deep" / "town.gpkg", city="atlantis")
    assert list(tmp_path.iterdir()) == []


def test_init_from_the_command(tmp_path):
    path = tmp_path / "town.gpkg"
    answer = run("init", "--city", TINYTOWN, "--no-demo", "--store", path, "--lang", "en")
    assert answer.code == 0
    assert "Tinytown" in answer.out
    assert_refused(run("init", "--city", TINYTOWN, "--store", path), "exists already")
    assert_refused(run("init", "--city", "atlantis", "--store", tmp_path / "b.gpkg"), "wenzhou")


def test_a_store_without_records_shows_every_page_of_the_board(tmp_path):
    path = tmp_path / "bare.gpkg"
    create_city(path, city="none")
    app = create_app(load_settings(store=path, data=tmp_path / "data"))
    client = TestClient(app, raise_server_exceptions=False)  # not entered: nothing is warmed up
    for page in ("/coverage", "/amenities", "/amenities/export", "/structure", "/targets"):
        assert client.get(page).status_code == 200, page
