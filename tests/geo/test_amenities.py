import numpy as np
import pyproj
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import amenities as subject
from geo.amenities import NO_STREETS, NOT_ON_STREETS, plan_walks, report_amenities, with_planning
from geo.errors import InputError
from tests.geo import worlds
from tests.geo.worlds import METRIC, incubator, incubators

CATEGORIES = ("housing", "cafe", "cinema")
RULE = {
    "compliance": {
        "urban_radius_m": 1000,
        "rural_radius_m": 1500,
        "min_venues": 1,
        "min_spaces": 2,
    },
    "planning": {"minutes": 15, "min_count": 1, "default_profile": "adult", "max_snap_m": 200},
    "profiles": [{"key": "adult", "speed_km_h": 4.0}, {"key": "older", "speed_km_h": 3.2}],
    "categories": [{"key": key, "min_count": 1} for key in CATEGORIES],
}
GEOD = pyproj.Geod(ellps="GRS80")
HERE = (120.5, 28.0)


def place(key, metres, *, azimuth=30.0, **columns):
    """An amenity so many metres from HERE on the ellipsoid."""
    lon, lat, _ = GEOD.fwd(*HERE, azimuth, metres)
    defaults = {"category": None, "cultural_kind": None, "provenance": "imported"}
    return {"id": key, **defaults, **columns, "geometry": shapely.Point(lon, lat)}


def culture(venues, spaces):
    kinds = [("venue", at) for at in venues] + [("space", at) for at in spaces]
    return worlds.frame(
        [place(f"a{n}", at, cultural_kind=kind) for n, (kind, at) in enumerate(kinds)]
    )


def comply(places, rule=RULE, **columns):
    frame = incubators(incubator("i1", *HERE, **columns))
    [row] = subject.test_compliance(frame, places, rule=rule["compliance"], metric_crs=METRIC)
    return row.compliance


def test_one_venue_and_two_spaces_within_a_kilometre():
    found = comply(culture([990], [10, 995]))
    assert (found.radius_m, found.venues, found.spaces, found.ok) == (1000.0, 1, 2, True)
    assert found.nearest_venue_m == pytest.approx(990, rel=5e-4)
    assert found.missing == ()


def test_just_outside_does_not_count_in_town_but_does_in_the_country():
    places = culture([1010], [10, 1490])
    urban, rural = comply(places, setting="urban"), comply(places, setting="rural")
    assert (urban.venues, urban.spaces, urban.ok) == (0, 1, False)
    assert urban.missing == ("venues", "spaces")
    assert (rural.radius_m, rural.venues, rural.spaces, rural.ok) == (1500.0, 1, 2, True)


def test_an_unknown_setting_takes_the_smaller_circle_and_says_so():
    found = comply(culture([1], [1]).iloc[:0])
    assert (found.setting, found.setting_known, found.radius_m) == ("urban", False, 1000.0)
    assert found.nearest_venue_m is None


def test_venues_do_not_stand_in_for_spaces():
    assert comply(culture([1, 2, 3, 4], [5])).missing == ("spaces",)


def test_the_counts_are_parameters():
    one_and_one = {**RULE, "compliance": {**RULE["compliance"], "min_spaces": 1}}
    assert comply(culture([1], [5]), rule=one_and_one).ok


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.sampled_from(["venue", "space", None]), st.floats(1, 2500), st.floats(0, 360)),
        max_size=30,
    ),
    st.sampled_from(["urban", "rural"]),
)
def test_the_same_as_counting_on_the_ellipsoid(drawn, setting):
    radius = 1000 if setting == "urban" else 1500
    # The projection stretches by up to 0.04 %: places so near the rim may fall to either side.
    drawn = [spec for spec in drawn if abs(spec[1] / radius - 1) > 5e-4]
    records = [
        place(f"a{n}", metres, azimuth=azimuth, cultural_kind=kind)
        for n, (kind, metres, azimuth) in enumerate(drawn)
    ]
    places = worlds.frame(records) if records else culture([1], [1]).iloc[:0]
    found = comply(places, setting=setting)
    for kind, count in (("venue", found.venues), ("space", found.spaces)):
        assert count == sum(k == kind and metres <= radius for k, metres, _ in drawn)


def full_report(**options):
    frame = incubators(
        incubator("i1", *HERE, provenance="demo"),
        incubator("i2", 121.5, 28.5, geom_precision="unit"),
    )
    places = worlds.frame(
        [
            place("a1", 500, category="cafe", cultural_kind="venue"),
            place("a2", 1200, category="cinema"),
            place("a3", 300, category="housing"),
            place("a4", 310, category="something else"),
        ]
    )
    return report_amenities(frame, places, rule=RULE, metric_crs=METRIC, **options)


def test_without_streets_a_circle_stands_in_and_is_named():
    row = full_report().to_json()["rows"][0]
    assert row["planning"] is None
    assert row["planning_note"] == NO_STREETS
    circle = row["circle"]
    assert (circle["network"], circle["radius_m"]) == (False, 1000.0)
    assert circle["categories"]["cafe"] == {
        "count": 1, "nearest_m": pytest.approx(500, rel=5e-4), "nearest": "a1",
    }  # fmt: skip
    assert circle["missing"] == ["cinema"]
    assert circle["score"] == pytest.approx(2 / 3, abs=1e-4)


def test_the_summary_leaves_out_incubators_without_a_place_of_their_own():
    answer = full_report().to_json()
    assert answer["demo_counted"] is True
    assert answer["summary"]["total"] == 2
    assert answer["summary"]["approximate"] == 1
    assert answer["summary"]["compliance"] == {"tested": 1, "ok": 0, "ok_share": 0.0}
    assert answer["summary"]["categories"]["lacking"] == {"housing": 0, "cafe": 0, "cinema": 1}


def test_planning_rows_have_the_shape_that_clients_rely_on():
    plans = plan_walks(
        ["i1"],
        [[2, 1, 0]],
        [[1.0, 14.96, np.inf]],
        rule=RULE,
        snap_m=[12.3],
        nearest_ids=[["h1", "c7", None]],
    )
    answer = with_planning(full_report(), plans).to_json()
    planning = answer["rows"][0]["planning"]
    assert {"minutes", "speed_km_h", "network", "categories", "missing", "score"} <= set(planning)
    assert (planning["minutes"], planning["speed_km_h"], planning["network"]) == (15, 4.0, True)
    assert planning["categories"]["cafe"] == {
        "count": 1, "nearest_minutes": 15.0, "nearest": "c7",
    }  # fmt: skip
    assert planning["categories"]["cinema"] == {
        "count": 0, "nearest_minutes": None, "nearest": None,
    }  # fmt: skip
    assert planning["missing"] == ["cinema"]
    assert answer["rows"][0]["circle"] is None
    assert answer["rows"][1]["planning_note"] == NOT_ON_STREETS
    assert answer["summary"]["categories"]["network"] is True


def test_an_incubator_on_no_street_gets_no_planning():
    plans = plan_walks(["a", "b"], [[1] * 3] * 2, [[1.0] * 3] * 2, rule=RULE, snap_m=[5, np.nan])
    assert list(plans) == ["a"]
    older = plan_walks(["a"], [[1] * 3], [[1.0] * 3], rule=RULE, profile="older")
    assert older["a"].speed_km_h == 3.2


def test_arrays_that_do_not_fit_and_unknown_walkers_are_refused():
    with pytest.raises(InputError, match="do not fit 1 incubators and 3 categories"):
        plan_walks(["a"], [[1, 2]], [[1.0, 2.0]], rule=RULE)
    with pytest.raises(InputError, match="'horse' is not known; give one of adult, older"):
        plan_walks(["a"], [[1] * 3], [[1.0] * 3], rule=RULE, profile="horse")


def test_each_test_alone():
    compliance = full_report(tests=("compliance",)).rows[0]
    assert compliance.compliance is not None
    assert compliance.circle is None
    planning = full_report(tests=("planning",)).rows[0]
    assert planning.compliance is None
    assert planning.circle is not None
    assert (planning.id, planning.demo) == ("i1", True)


def test_no_amenities_and_no_incubators():
    nothing = culture([1], [1]).iloc[:0]
    answer = report_amenities(incubators(), nothing, rule=RULE, metric_crs=METRIC).to_json()
    assert answer["rows"] == []
    assert answer["summary"]["compliance"]["ok_share"] is None
