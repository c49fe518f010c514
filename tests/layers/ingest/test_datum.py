"""The datum vote: each reading of shifted points against units, streets and a second pair."""

import numpy as np
import pandas as pd
import pytest
import shapely

from geo.crs import wgs84_to_bd09, wgs84_to_gcj02
from layers.ingest.datum import Evidence, vote_datums, weigh_votes

SHIFTS = {"wgs84": lambda x, y: (x, y), "gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}
# A grid of 600 m cells, each a unit of its own: a point in the middle leaves it by any shift that
# is not the true one.
STEP = 0.006
CELLS = [(120.70 + STEP * i, 28.00 + STEP * j) for i in range(4) for j in range(4)]
AREAS = {
    str(number): shapely.box(x - STEP / 2, y - STEP / 2, x + STEP / 2, y + STEP / 2)
    for number, (x, y) in enumerate(CELLS)
}
NAMES = list(AREAS)
X, Y = (np.array(axis) for axis in zip(*CELLS, strict=True))
STREETS = np.array([shapely.LineString([(x, 27.99), (x, 28.04)]) for x in X[::4]], dtype=object)


def vote(true, declared, **evidence):
    x, y = SHIFTS[true](X, Y)
    known = Evidence(**({"areas": AREAS, "named": NAMES} | evidence))
    return vote_datums(x, y, known, declared=declared, metric_crs="EPSG:4549")


@pytest.mark.parametrize("true", SHIFTS)
@pytest.mark.parametrize("declared", SHIFTS)
@pytest.mark.parametrize("kind", ["units", "streets", "pair"])
def test_the_true_datum_wins_by_each_kind_of_evidence(true, declared, kind):
    evidence = {
        "units": {},
        "streets": {"areas": {}, "streets": STREETS},
        "pair": {"areas": {}, "pair": SHIFTS["gcj02" if true != "gcj02" else "wgs84"](X, Y)},
    }[kind]
    votes = vote(true, declared, **evidence)
    assert votes[0].datum == true
    assert votes[0].score == 1.0
    assert votes[0].beats_declared == (true != declared)
    said = weigh_votes(votes, declared)
    assert (said is None) == (true == declared)
    if said:
        assert f"declared as {declared} but fit {true} better: {true} 100%" in said


def test_cgcs2000_is_wgs84():
    assert not vote("wgs84", "cgcs2000")[0].beats_declared
    assert vote("gcj02", "cgcs2000")[0].beats_declared


def test_without_evidence_there_is_no_vote():
    assert vote("wgs84", "wgs84", areas={}) == []
    assert weigh_votes([], "wgs84") is None


def test_outside_china_there_is_no_vote():
    votes = vote_datums(
        [2.35], [48.85], Evidence({}, ["x"]), declared="wgs84", metric_crs="EPSG:32631"
    )
    assert votes == []


def test_two_records_are_too_few_and_a_tie_is_told():
    known = Evidence(AREAS, NAMES[:2])
    x, y = wgs84_to_gcj02(X[:2], Y[:2])
    votes = vote_datums(x, y, known, declared="wgs84", metric_crs="EPSG:4549")
    assert votes[0].datum == "gcj02"
    assert not votes[0].beats_declared
    assert "cannot tell whether the datum is wgs84 (gcj02 100%" in weigh_votes(votes, "wgs84")


def test_records_without_a_place_or_name_do_not_vote():
    x, y = X.copy(), Y.copy()
    x[0] = np.nan
    known = Evidence(AREAS, [None, "nowhere", *NAMES[2:]])
    votes = vote_datums(x, y, known, declared="wgs84", metric_crs="EPSG:4549")
    assert votes[0].evidence == len(NAMES) - 2


@pytest.mark.parametrize(("used", "other"), [("", "_gcj"), ("_gcj", "")])
def test_the_metro_file_tells_by_its_second_pair(shared_data, used, other):
    stations = pd.read_csv(shared_data / "wenzhou_metro_stations.csv")
    pair = tuple(stations[f"{axis}{other}"].to_numpy() for axis in ("lon", "lat"))
    known = Evidence({}, [], pair=pair)
    votes = vote_datums(
        stations[f"lon{used}"],
        stations[f"lat{used}"],
        known,
        declared="gcj02" if used == "" else "wgs84",
        metric_crs="EPSG:4549",
    )
    assert votes[0].datum == ("wgs84" if used == "" else "gcj02")
    assert votes[0].pair_share == 1.0
    assert votes[0].beats_declared
