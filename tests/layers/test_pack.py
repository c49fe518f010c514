"""City packs: what is read, merged, refused and installed."""

import shutil
from pathlib import Path

import pandas as pd
import pytest

from geo.errors import InputError
from layers.pack import install_pack, load_pack, pack_names
from layers.schema import find_faults
from layers.store import create_store

TINYTOWN = Path(__file__).parent.parent / "cities" / "tinytown"
ALWAYS = {"towns", "industries", "amenities", "targets", "goals", "eligibility", "services"}


@pytest.fixture
def folder(tmp_path):
    """A copy of the tiny pack to spoil."""
    return Path(shutil.copytree(TINYTOWN, tmp_path / "city"))


def test_every_bundled_pack_has_all_rules_each_with_a_source():
    assert "none" in pack_names()
    for name in pack_names():
        rules = load_pack(name).rules
        assert set(rules) >= ALWAYS
        assert all(source for _, source in rules.values())


def test_tinytown_is_read_as_its_files_say():
    pack = load_pack(TINYTOWN)
    assert (pack.key, pack.name_en, pack.metric_crs) == ("tinytown", "Tinytown", "EPSG:32721")
    assert pack.plan["years"] == [2026, 2027]
    assert pack.plan["start"] == "2026-01-01"
    units = pack.frames["reporting_units"].set_index("name")
    assert units.loc["Northbank", "division_codes"] == ["TT-N1", "TT-N2"]
    assert units.loc["Northbank", "geometry"] is None
    assert units.loc["Southbank", "geometry"].geom_type == "Polygon"
    towns = pack.frames["industrial_towns"].set_index("code")
    assert towns.loc["TT-N2", "lead_industries"] == ["Cheese", "Boats"]
    assert (towns.loc["TT-N2", "geometry"].x, towns.loc["TT-N2", "geometry"].y) == (-56.05, -34.55)
    assert (towns["provenance"] == "sourced").all()
    for layer, frame in pack.frames.items():
        assert find_faults(layer, frame) == []


def test_a_pack_changes_only_the_rules_it_names():
    own, default = load_pack(TINYTOWN).rules, load_pack("none").rules
    assert own["towns"][0]["large_area_m2"] == 5000
    assert own["towns"][0]["nearest"] == default["towns"][0]["nearest"]
    assert own["amenities"] == default["amenities"]
    assert [i["key"] for i in own["industries"][0]["industries"]] == ["boats", "cheese", "robots"]


def test_lists_of_rules_are_merged_by_key(folder):
    text = 'source = "s"\n[[categories]]\nkey = "cafe"\nmin_count = 3\n[[categories]]\nkey = "x"\n'
    (folder / "rules" / "amenities.toml").write_text(text, "utf-8")
    categories = load_pack(folder).rules["amenities"][0]["categories"]
    by_key = {category["key"]: category for category in categories}
    assert by_key["cafe"]["min_count"] == 3
    assert by_key["cafe"]["zh"] == "小茶咖"
    assert len(by_key) == 13


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("atlantis", "neither a folder nor the name"),
        ("../geo", "neither a folder|has no city.toml"),
    ],
)
def test_a_missing_pack_names_those_there_are(name, says):
    with pytest.raises(InputError, match=says) as caught:
        load_pack(name)
    assert "wenzhou" in str(caught.value)


def test_a_folder_without_city_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"has no city\.toml"):
        load_pack(tmp_path)


@pytest.mark.parametrize(
    ("path", "old", "new", "says"),
    [
        ("city.toml", 'key = "tinytown"', "", r"city\.toml, key: is missing"),
        ("city.toml", "EPSG:32721", "EPSG:0000", r"metric_crs"),
        ("city.toml", "key =", "key ", r"city\.toml is not TOML"),
        ("rules/towns.toml", "source", "origin", r"towns\.toml has no `source`"),
        (
            "layers/industrial_towns.csv",
            "lead_industries",
            "industry",
            r"unknown columns.*industry",
        ),
        ("layers/industrial_towns.csv", ",planner,", ",famous,", r"record 1, status"),
        ("layers/industrial_towns.csv", "TT-N2,", "TT-N1,", r"code"),
        ("layers/plan_targets.csv", "made up for tests", "", r"record 1, source: is empty"),
        ("layers/plan_targets.csv", ",60000,", ",many,", r"record 1, value"),
    ],
)
def test_a_faulty_pack_is_refused_with_the_place(folder, path, old, new, says):
    file = folder / path
    assert old in file.read_text("utf-8")
    file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")
    with pytest.raises(InputError, match=says):
        load_pack(folder)


def test_a_file_of_no_layer_is_refused(folder):
    (folder / "layers" / "castles.csv").write_text("id\n1\n", "utf-8")
    with pytest.raises(InputError, match=r"castles\.csv: is not named after a layer"):
        load_pack(folder)


def test_all_faults_are_told_at_once(folder):
    file = folder / "layers" / "plan_targets.csv"
    frame = pd.read_csv(file, dtype=str)
    frame["value"] = "-1"
    frame.to_csv(file, index=False)
    with pytest.raises(InputError, match="16 faults") as caught:
        load_pack(folder)
    assert len(caught.value.faults) == 16


def test_installing_fills_the_store_once(tmp_path):
    pack = load_pack(TINYTOWN)
    with create_store(tmp_path / "s.gpkg") as store:
        counts = install_pack(store, pack)
        assert counts["plan_targets"] == 16
        assert store.count("plan_targets") == 16
        assert store.meta("city")["name_en"] == "Tinytown"
        assert store.metric_crs.to_epsg() == 32721
        assert store.rules("towns").body["large_area_m2"] == 5000
        assert set(store.rules_names()) >= ALWAYS
        assert store.batches()[0].who == "setup"
        with pytest.raises(InputError):
            install_pack(store, pack)
        assert store.count("plan_targets") == 16


def test_no_city_leaves_the_place_open(tmp_path):
    with create_store(tmp_path / "s.gpkg") as store:
        assert install_pack(store, load_pack("none")) == {}
        assert store.meta("city")["key"] == "none"
        assert store.meta("metric_crs") is None
        assert set(store.rules_names()) >= ALWAYS
