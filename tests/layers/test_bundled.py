"""The bundled facts of Wenzhou: complete, cited, in place, and adding up."""

import pandas as pd
import pytest
import shapely

from layers import tianditu
from layers.catalog import layers
from layers.pack import load_pack
from layers.schema import find_faults

YEARLY = 7 * 3


@pytest.fixture(scope="module")
def pack():
    return load_pack("wenzhou")


@pytest.fixture(scope="module")
def annex2(pack):
    targets = pack.frames["plan_targets"]
    return targets[targets["clause"] == "附件2"]


def test_frames_have_no_fault_and_cite_a_source(pack):
    for layer, frame in pack.frames.items():
        assert find_faults(layer, frame) == []
        assert frame["source"].str.len().gt(0).all()
        assert frame["provenance"].eq("sourced").all()
        if layers()[layer].spatial and frame.geometry.notna().any():
            assert frame.loc[frame.geometry.notna(), "geom_precision"].notna().all()


def test_thirteen_units_of_which_one_lies_inside_another(pack):
    units = pack.frames["reporting_units"].set_index("name")
    assert len(units) == 13
    zone = units.loc["温州海经区"]
    assert (zone["code"], zone["inside"]) == ("WZ-HJQ", "洞头区")
    assert zone["division_codes"] == ["330305002", "330305006"]
    assert not units.loc["龙港市", "has_towns"]
    assert units["has_towns"].sum() == 12


def test_annex_2_is_the_plan_own_table(annex2, shared_data):
    theirs = pd.read_csv(shared_data / "plan_targets.csv")
    ours = annex2[["unit", "year", "indicator", "value"]].rename(columns={"value": "target"})
    keys = ["unit", "year", "indicator"]
    both = theirs.merge(ours, on=keys, how="outer", suffixes=("_theirs", "_ours"), indicator=True)
    assert (both["_merge"] == "both").all()
    same = both["target_theirs"].eq(both["target_ours"]) | both[
        ["target_theirs", "target_ours"]
    ].isna().all(axis=1)
    assert same.all()
    assert len(both) == 14 * YEARLY


def test_units_sum_to_the_city_in_all_columns(annex2):
    table = annex2.pivot_table(index="unit", columns=["year", "indicator"], values="value")
    city = table.loc["全市"]
    assert table.drop("全市").sum().sub(city).abs().max() == 0
    assert len(city) == YEARLY


def test_annex_1_equals_annex_2(pack, annex2):
    totals = pack.rules["targets"][0]["city_totals"]
    city = annex2[annex2["unit"] == "全市"]
    for row in city.itertuples():
        assert totals[row.indicator][str(row.year)] == row.value
    targets = pack.frames["plan_targets"]
    annex1 = targets[targets["clause"] == "附件1"].set_index("indicator")["value"]
    sums = city.groupby("indicator")["value"].sum()
    assert annex1.rename(lambda key: key.removesuffix("_total")).to_dict() == sums.to_dict()


def test_a_county_plan_stands_beside_the_city_plan(pack):
    own = pack.frames["plan_targets"].query("issuer == '平阳县人民政府办公室'")
    assert set(own["unit"]) == {"平阳县"}
    assert set(own["kind"]) == {"floor", "goal", "stretch"}
    firms = own[own["indicator"] == "tenant_firms"]
    assert firms["value"].tolist() == [200.0, 200.0, 200.0]


def test_every_indicator_used_is_declared(pack):
    declared = {i["key"] for i in pack.rules["targets"][0]["indicators"]}
    assert set(pack.frames["plan_targets"]["indicator"]) <= declared
    assert set(pack.frames["progress"]["indicator"]) <= declared


def test_jobs_are_ten_times_the_tenants(pack, annex2):
    table = annex2.pivot_table(index=["unit", "year"], columns="indicator", values="value")
    ratio = pack.rules["targets"][0]["jobs_per_tenant"]
    assert (table["jobs"] == ratio * table["tenant_firms"]).all()


def test_points_lie_in_the_unit_that_they_name(pack):
    units = pack.frames["reporting_units"]
    shapes = tianditu.read_divisions(units["code"]).set_index("name").geometry
    for layer in ("industrial_towns", "incubators", "platforms"):
        for row in pack.frames[layer].itertuples():
            assert shapely.covers(shapes[row.unit], row.geometry), (layer, row.name)


def test_units_named_are_units(pack):
    names = set(pack.frames["reporting_units"]["name"])
    for layer in ("industrial_towns", "incubators", "zones", "projects", "progress"):
        assert set(pack.frames[layer]["unit"].dropna()) <= names


def test_towns_are_a_proxy_list_not_an_official_one(pack):
    towns = pack.frames["industrial_towns"]
    assert len(towns) == 34
    assert set(towns["status"]) == {"proxy", "planner"}
    unconfirmed = towns[towns["source"].str.contains("未核实")]
    assert (unconfirmed["lead_industries"].str.len() == 0).all()


def test_carriers_hold_only_what_a_source_says(pack):
    incubators = pack.frames["incubators"]
    known = {industry["name"] for industry in pack.industries}
    assert {name for names in incubators["lead_industries"] for name in names} <= known
    assert incubators["geom_precision"].isin(["unit", "town"]).all()
    assert incubators["tenants"].isna().all()  # firms of a report are not tenants by definition


def test_structure_is_a_reading_that_covers_every_county_once(pack):
    structure = pack.frames["structure"]
    assert structure["confidence"].eq(0.55).all()
    assert len(set(structure["version"])) == 1
    assert set(structure["role"]) == {role["key"] for role in pack.roles}
    codes = structure["division_codes"].explode().tolist()
    units = pack.frames["reporting_units"]
    assert sorted(codes) == sorted(units.loc[units["inside"].isna(), "code"])


def test_industries_are_five_and_five(pack):
    groups = [industry["group"] for industry in pack.industries]
    assert (groups.count("pillar"), groups.count("emerging")) == (5, 5)
    assert len({industry["key"] for industry in pack.industries}) == 10


def test_goals_are_t1_to_t27_and_ask_for_data_that_can_be_held(pack):
    goals = pack.rules["goals"][0]["goals"]
    assert [goal["id"] for goal in goals] == [f"T{number}" for number in range(1, 28)]
    for goal in goals:
        assert goal["clause"]
        for need in goal["data"]:
            layer, _, column = need.partition(".")
            assert layer in layers()
            if column:
                layers()[layer].column(column)


def test_eligibility_rules_are_whole(pack):
    rules = pack.rules["eligibility"][0]["rules"]
    keys = {rule["key"] for rule in rules}
    assert {
        "national_incubator",
        "graduation",
        "tenant_general",
        "municipal_filing_general",
    } <= keys
    for rule in rules:
        assert rule["clause"]
        assert rule["subject"] in {"incubator", "tenant", "demand"}
        assert set(rule.get("requires", [])) <= keys
        conditions = [*rule["all"], *rule.get("any", [])]
        assert conditions
        assert {condition["op"] for condition in conditions} <= {"ge", "gt", "le", "lt", "is"}


def test_twelve_categories_in_two_groups(pack):
    groups = [category["group"] for category in pack.rules["amenities"][0]["categories"]]
    assert (groups.count("facility"), groups.count("format")) == (6, 6)


def test_wanting_baselines_are_named_not_guessed(pack):
    baselines = pack.frames["baselines"]
    wanting = baselines[baselines["value"].isna()]
    assert "provincial_incubators" in set(wanting["indicator"])
    at_reply = baselines[baselines["source"] == "温科提复〔2024〕89号"].set_index("indicator")[
        "value"
    ]
    assert at_reply["incubation_area_10k_m2"] == 542
    assert at_reply["innovative_projects"] == 6600
