import numpy as np
import pytest

from geo.amenities import plan_walks, report_amenities, with_planning
from geo.amenity_board import AmenityBoard, Passed, Site, list_checks, standing_of
from geo.circles import Encircled
from tests.geo import worlds
from tests.geo.test_amenities import HERE, RULE, place
from tests.geo.worlds import METRIC, incubator, incubators

# Three incubators: one lacks nothing, one stands far out, one is placed at its unit only.
FRAME = incubators(
    incubator("a", *HERE, unit="North"),
    incubator("b", 120.6, 28.2, unit="Port"),
    incubator("c", *HERE, unit="North", geom_precision="unit"),
)
PLACES = worlds.frame(
    [
        place("v1", 400, cultural_kind="venue"),
        place("s1", 100, cultural_kind="space"),
        place("s2", 900, cultural_kind="space"),
    ]
)
SITES = {"a": Site("North", 120.5, 28.0), "b": Site("Port", 120.6, 28.2), "c": Site("North", 1, 2)}


def board(counts):
    """The board where walks reach so many of housing, cafe and cinema."""
    report = report_amenities(FRAME, PLACES, rule=RULE, metric_crs=METRIC, planning={})
    minutes = np.where(np.array(counts) > 0, 6.04, np.nan)
    walks = plan_walks(["a", "b", "c"], counts, minutes, rule=RULE)
    return AmenityBoard(with_planning(report, walks), SITES, ["Port", "North"])


def test_units_stand_in_their_order_and_both_tests_are_counted_apart():
    port, north = board([[1, 1, 1], [2, 0, 0], [0, 0, 0]]).by_unit
    assert (port.unit, north.unit) == ("Port", "North")
    assert (north.total, north.approximate) == (2, 1)
    assert north.compliance == north.planning == Passed(1, 1, 1.0)
    assert port.compliance == port.planning == Passed(1, 0, 0.0)
    assert port.lacking == {"housing": 0, "cafe": 1, "cinema": 1}
    assert port.mean_score == pytest.approx(1 / 3, abs=1e-4)


def test_checks_count_all_but_the_approximate():
    found = {row.key: row for row in board([[1, 1, 0], [2, 1, 0], [3, 0, 0]]).by_check}
    assert list(found) == ["venues", "spaces", "housing", "cafe", "cinema"]
    assert found["venues"].passed == Passed(2, 1, 0.5)
    assert found["spaces"].needed == 2
    assert found["cafe"].passed == Passed(2, 2, 1.0)
    assert found["cafe"].median_minutes == 6.0
    assert found["cinema"].passed.ok == 0
    assert found["cinema"].median_minutes is None
    assert found["venues"].median_m is not None


def test_the_spread_counts_incubators_by_what_they_lack():
    assert board([[1, 1, 1], [2, 0, 0], [0, 0, 0]]).spread == (1, 0, 1, 0)


@pytest.mark.parametrize(("counts", "standing"), [([1, 1, 1], "both"), ([1, 1, 0], "compliance")])
def test_an_incubator_stands_by_both_tests(counts, standing):
    rows = {row.id: row for row in board([counts, counts, counts]).report.rows}
    assert standing_of(rows["a"]) == standing
    assert standing_of(rows["b"]) == ("planning" if standing == "both" else "neither")
    assert standing_of(rows["c"]) is None


def test_what_is_not_reached_on_foot_is_told_in_a_straight_line():
    row = board([[1, 0, 0]] * 3).report.rows[0]
    straight = {"cafe": Encircled(0, 1240.0, "a9"), "housing": Encircled(1, 10.0, "h0")}
    checks = {one.key: one for one in list_checks(row, SITES["a"], rule=RULE, straight=straight)}
    assert (checks["housing"].minutes, checks["housing"].metres) == (6.0, None)
    cafe = checks["cafe"]
    assert (cafe.ok, cafe.minutes, cafe.metres, cafe.nearest) == (False, None, 1240.0, "a9")
    assert (checks["cinema"].metres, checks["cinema"].nearest) == (None, None)
    assert checks["venues"].nearest == "v1"


def test_without_streets_the_circle_is_checked_and_named():
    report = report_amenities(FRAME, PLACES, rule=RULE, metric_crs=METRIC)
    told = AmenityBoard(report, SITES).to_json()
    assert told["walked"] is False
    assert {row["test"] for row in told["checks"]} == {"compliance", "circle"}
    assert [row["unit"] for row in told["units"]] == ["North", "Port"]
    assert told["rows"][0]["lon"] == 120.5


def test_no_incubators_give_an_empty_board():
    report = report_amenities(FRAME.iloc[:0], PLACES, rule=RULE, metric_crs=METRIC)
    told = AmenityBoard(report, {}).to_json()
    assert told["units"] == told["checks"] == told["rows"] == []
    assert told["spread"] == [0, 0, 0, 0]
