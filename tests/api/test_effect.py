"""The effect of a change is the difference of the full answers, and what is kept is true."""

import shutil

import pandas as pd
import pytest
import shapely

from api.questions import coverage, targets
from api.questions.board import ask_board
from api.questions.check import ask_check
from api.questions.common import plan_of, read_layer, read_rule, today
from api.questions.coverage import ask_industry_coverage, ask_town_coverage
from api.questions.effect import ask_effect
from api.questions.match import ask_match
from api.questions.siting import ask_town_sites
from api.questions.targets import ask_targets
from geo.coverage import cover_industries, cover_towns
from geo.targets import measure_indicators, track_targets
from layers.scenario_checks import Wish, check_wishes
from layers.scenarios import Scenario, apply_changes, see_scenario
from layers.store import open_store


@pytest.fixture(scope="module")
def store(city, tmp_path_factory):
    """The small city with targets that the layers can tell, one of them reported."""
    path = tmp_path_factory.mktemp("effect") / "hatchmap.gpkg"
    shutil.copy(city, path)
    with open_store(path, write=True) as opened:
        rule, held = opened.rules("targets"), opened.read("plan_targets")
        old, new = rule.body["indicators"][0]["key"], "incubation_area_10k_m2"
        first = {**rule.body["indicators"][0], "key": new}
        report = {"unit": "Northbank", "year": today().year, "indicator": new, "value": 2.0,
                  "reported_on": today()}  # fmt: skip
        with opened.edit("test") as edit:
            body = {**rule.body, "indicators": [first, *rule.body["indicators"][1:]]}
            edit.set_rules("targets", body, rule.source)
            wanted = held.assign(indicator=held["indicator"].replace(old, new))
            edit.upsert("plan_targets", wanted[["id", "indicator"]])
            edit.insert("progress", pd.DataFrame([report]))
    with open_store(path) as opened:
        yield opened


def full_towns(store):
    """一镇一器 of whole layers, read anew."""
    return cover_towns(
        store.read("industrial_towns"),
        store.read("incubators"),
        units=store.read("reporting_units"),
        rule=read_rule(store, "towns"),
        as_of=today(),
        metric_crs=store.metric_crs,
        divisions=store.read("divisions"),
    )


def full_targets(store):
    """The targets of whole layers, read anew, with what the layers themselves tell."""
    measured = measure_indicators(
        store.read("incubators"),
        store.read("tenants"),
        units=store.read("reporting_units"),
        towns_rule=read_rule(store, "towns"),
        as_of=today(),
    )
    report = track_targets(
        store.read("plan_targets"),
        store.read("progress"),
        store.read("baselines"),
        as_of=today(),
        rule=read_rule(store, "targets"),
        plan=plan_of(store),
        measured=measured,
    )
    return report, {(one.unit, one.year, one.indicator): one.value for one in measured}


def full_effect(before, after):
    """What `ask_effect` must say, worked out of the full answers."""
    old, new = ({row.code: row.state for row in full_towns(one).towns} for one in (before, after))
    towns = {code: (old[code], new[code]) for code in old if old[code] != new[code]}
    (was, counted), (becomes, recounted) = full_targets(before), full_targets(after)
    more = {
        cell: recounted.get(cell, 0.0) - counted.get(cell, 0.0) for cell in {*counted, *recounted}
    }
    total = was.rule["total_unit"]
    shares = {}
    for one, other in zip(was.rows, becomes.rows, strict=True):
        share = other.share
        if other.value_basis != "layers" and share is not None and other.target:
            units = [
                amount
                for (unit, year, indicator), amount in more.items()
                if (year, indicator) == (other.year, other.indicator)
                and other.unit in (total, unit)
            ]
            share += sum(units) / other.target
        if one.share != share and (one.share is None or abs(share - one.share) > 1e-9):
            shares[other.unit, other.year, other.indicator, other.issuer] = (one.share, share)
    return towns, shares


def wishes(store):
    """Changes of every kind that the editor makes."""
    town = next(row for row in full_towns(store).towns if row.state in ("none", "planned_only"))
    here = {"type": "Point", "coordinates": [town.lon, town.lat]}
    held = store.read("incubators")
    running = held[held["status"] == "operating"]
    first, second = running["id"].tolist()[:2]
    values = {"name": "Hall", "status": "operating", "opened_on": f"{today().year}-01-01"}
    target = store.read("plan_targets")["id"].iloc[0]
    return {
        "add": Wish("incubators", "add", wanted={**values, "area_m2": 30_000, "geometry": here}),
        "move": Wish("incubators", "change", first, {"geometry": here}),
        "close": Wish("incubators", "change", first, {"status": "withdrawn"}),
        "resize": Wish("incubators", "change", second, {"area_m2": 90_000}),
        "remove": Wish("incubators", "remove", second),
        "target": Wish("plan_targets", "change", target, {"value": 12}),
        "rule": Wish("rules", "change", "towns", {"large_area_m2": 10**8}),
        "amenity": Wish("amenities", "add", wanted={"name": "Bus", "category": "transit",
                                                    "geometry": here}),
    }  # fmt: skip


KINDS = ("add", "move", "close", "resize", "remove", "target", "rule", "amenity")


@pytest.mark.parametrize("kind", KINDS)
def test_an_effect_is_the_difference_of_the_full_answers(store, tmp_path, kind):
    seen = see_scenario(store, Scenario("s1", "Plan"))
    wanted = wishes(store)[kind]
    if kind == "amenity":  # of this city's own categories
        key = store.rules("amenities").body["categories"][0]["key"]
        wanted = Wish("amenities", "add", wanted={**wanted.wanted, "category": key})
    changes, after = check_wishes(store, seen, [wanted])
    effect = ask_effect(seen.store, after.store)
    path = tmp_path / "hatchmap.gpkg"  # the same made for good, in a store of its own
    shutil.copy(store.url, path)
    with open_store(path, write=True) as edited:
        with edited.edit("test") as edit:
            assert apply_changes(edit, changes, edited) == []
        towns, shares = full_effect(store, edited)
    assert {town.code: (town.before, town.after) for town in effect.towns} == towns
    assert effect.covered.difference == sum(town.won for town in effect.towns) - sum(
        town.lost for town in effect.towns
    )
    found = {row.key[:4]: (row.before, row.after) for row in effect.targets}
    assert found.keys() == shares.keys()
    for key, (before, share) in shares.items():
        assert found[key] == (pytest.approx(before), pytest.approx(share))
    if kind in ("add", "rule"):
        assert towns
    if kind in ("add", "target"):
        assert shares


def test_answers_rest_on_no_other_layer_than_they_are_kept_by(store, monkeypatch):
    read = set()

    class Watched:
        """A store that notes what is read of it."""

        def __init__(self, inner):
            self.inner, self.url = inner, "watched"  # nothing is kept under this address yet

        def __getattr__(self, name):
            if name == "metric_crs":
                read.add("meta")
            return getattr(self.inner, name)

        def read(self, layer, *query):
            read.add(layer)
            return self.inner.read(layer, *query)

        def rules(self, name):
            read.add("rules")
            return self.inner.rules(name)

        def meta(self, key):
            read.add("meta")
            return self.inner.meta(key)

    for ask, layers in (
        (ask_town_coverage, coverage._TOWN_LAYERS),
        (ask_industry_coverage, coverage._INDUSTRY_LAYERS),
        (ask_targets, targets._LAYERS),
    ):
        read.clear()
        monkeypatch.setattr("api.questions.common._frames.recall", lambda _key, make: make())
        ask(Watched(store))
        assert read == set(layers), ask


def test_counted_columns_tell_as_much_as_whole_records(store):
    assert ask_town_coverage(store).to_json() == full_towns(store).to_json()
    assert ask_targets(store).to_json() == full_targets(store)[0].to_json()
    industries = cover_industries(
        store.read("incubators"),
        units=store.read("reporting_units"),
        rule=read_rule(store, "industries"),
        towns_rule=read_rule(store, "towns"),
        as_of=today(),
    )
    assert ask_industry_coverage(store).to_json() == industries.to_json()


def test_what_is_kept_of_a_layer_is_not_changed_by_who_reads_it(store):
    once = read_layer(store, "incubators")
    once["name"] = "spoiled"
    once.loc[0, "area_m2"] = -1.0
    again = read_layer(store, "incubators")
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(store.read("incubators")))


def test_an_edit_is_seen_at_once(store, tmp_path):
    path = tmp_path / "hatchmap.gpkg"
    shutil.copy(store.url, path)
    with open_store(path, write=True) as own:
        town = next(row for row in ask_town_coverage(own).towns if row.state == "none")
        with own.edit("test") as edit:
            frame = own.read("incubators").head(1)
            frame = frame.assign(
                id=["new"], status=["operating"], opened_on=[pd.Timestamp("2024-01-01")],
                closed_on=[pd.NaT], town_code=[town.code], town=[town.name], unit=[town.unit],
            )  # fmt: skip
            frame.geometry = [shapely.Point(town.lon, town.lat)]
            edit.insert("incubators", frame.drop(columns=["batch"]))
        after = {row.code: row.state for row in ask_town_coverage(own).towns}
    assert after[town.code] in ("operating", "operating_large")


def test_the_long_questions_of_a_scenario_without_changes_are_those_of_the_layers(store):
    seen = see_scenario(store, Scenario("s9", "Empty")).store
    for ask in (ask_match, ask_town_sites, ask_board, ask_check):
        real, other = (ask(one).to_json() for one in (store, seen))
        for answer in (real, other):
            answer.pop("seconds", None)
        assert other == real, ask
