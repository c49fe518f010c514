import pandas as pd
import pytest

from geo.errors import InputError
from geo.lifecycle import parse_day, state_at, status_at
from tests.geo.worlds import TOWNS_RULE


def status(date, **record):
    return status_at(pd.DataFrame([record]), date).iloc[0]


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2023-12-31", "planned"),
        ("2024-01-01", "under_construction"),
        ("2025-03-01", "completed"),
        ("2025-06-01", "operating"),
        ("2026-12-30", "operating"),
        ("2026-12-31", "withdrawn"),
    ],
)
def test_a_whole_life_by_its_dates(date, expected):
    record = {
        "status": "withdrawn",
        "started_on": "2024-01-01",
        "completed_on": "2025-03-01",
        "opened_on": "2025-06-01",
        "closed_on": "2026-12-31",
    }
    assert status(date, **record) == expected


def test_without_dates_the_recorded_status_holds_on_every_day():
    for recorded in ("planned", "completed", "operating", "rectifying", "withdrawn"):
        assert status("2001-01-01", status=recorded) == recorded
        assert status("2050-01-01", status=recorded) == recorded


def test_before_its_opening_nothing_more_is_claimed_than_is_known():
    assert status("2025-01-01", status="operating", opened_on="2026-01-01") == "planned"


def test_an_opening_ahead_when_recorded_comes_true_on_its_day():
    record = {"status": "under_construction", "opened_on": "2027-05-01", "as_of": "2026-11-01"}
    assert status("2027-04-30", **record) == "under_construction"
    assert status("2027-05-01", **record) == "operating"


def test_a_missed_opening_does_not_open():
    record = {"status": "under_construction", "opened_on": "2026-05-01", "as_of": "2026-11-01"}
    assert status("2026-12-01", **record) == "under_construction"


def test_rectifying_stays_so_while_it_operates():
    record = {"status": "rectifying", "opened_on": "2025-01-01"}
    assert status("2026-01-01", **record) == "rectifying"
    assert status("2024-01-01", **record) == "planned"


def test_states_follow_the_rule():
    frame = pd.DataFrame({"status": ["operating", "rectifying", "completed", "withdrawn"]})
    assert state_at(frame, "2026-01-01", TOWNS_RULE).tolist() == [
        "operating",
        "operating",
        "planned",
        "none",
    ]
    strict = {**TOWNS_RULE, "operating_statuses": ["operating"]}
    assert state_at(frame, "2026-01-01", strict).tolist()[1] == "none"


def test_a_bad_date_is_named():
    with pytest.raises(InputError, match="'24/11/2026'"):
        parse_day("24/11/2026")
