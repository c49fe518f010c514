"""The board of the 15-minute tests through its doors, asked of the small city."""

import csv
import io

import openpyxl
import pytest

from api.questions.amenity_board import ask_amenity_records
from geo.errors import InputError, NotFoundError
from layers.store import open_store


@pytest.fixture(scope="module")
def board(client):
    return client.get("/api/amenities/board").json()


def records(client, **query):
    return client.get("/api/amenities/records", params=query).json()


def test_units_and_checks_add_up_to_the_summary(board):
    known = board["summary"]
    for test, tested, ok in (
        ("compliance", known["compliance"]["tested"], known["compliance"]["ok"]),
        ("planning", known["categories"]["tested"], known["categories"]["complete"]),
    ):
        assert sum(unit[test]["tested"] for unit in board["units"]) == tested
        assert sum(unit[test]["ok"] for unit in board["units"]) == ok
    lacking = {row["key"]: row["passed"]["tested"] - row["passed"]["ok"] for row in board["checks"]}
    for key, count in known["categories"]["lacking"].items():
        assert lacking[key] == count
    assert sum(board["spread"]) == known["categories"]["tested"]
    assert board["demo_counted"] is True


def test_the_checks_behind_a_figure_give_it(client, board):
    for unit in board["units"][:2]:
        for test in ("compliance", "planning"):
            found = records(client, test=test, unit=unit["unit"])
            assert found["passed"] == unit[test]
    for row in board["checks"][::5]:
        found = records(client, category=row["key"])
        counted = [one for one in found["checks"] if not one["approximate"]]
        assert found["passed"] == row["passed"]
        assert sum(one["ok"] for one in counted) == row["passed"]["ok"]


def test_one_incubator_has_a_check_for_everything_and_its_nearest(client, board):
    row = next(row for row in board["rows"] if row["planning"])
    found = records(client, incubator=row["id"])
    assert len(found["checks"]) == 2 + len(row["planning"]["categories"])
    walked = [one for one in found["checks"] if one["minutes"] is not None]
    assert walked
    for one in walked:
        held = row["planning"]["categories"][one["key"]]
        assert (one["minutes"], one["nearest"]) == (held["nearest_minutes"], held["nearest"])
        assert one["nearest_name"]
        assert one["source"]


def test_other_walkers_reach_less(client, board):
    older = client.get("/api/amenities/board?profile=older").json()
    assert sum(older["spread"][1:]) >= sum(board["spread"][1:])
    assert client.get("/api/amenities/board?profile=horse").status_code == 422


@pytest.mark.parametrize("map_", ["standing", "cafe", "no-such-key"])
def test_the_page_draws_map_tables_and_links(client, map_):
    page = client.get("/amenities", params={"lang": "zh", "map": map_}).text
    assert 'id="amenity-units"' in page
    assert "/amenities/records?test=compliance" in page
    assert "hatchmap.markMap(" in page
    assert "示例数据" in page


def test_the_page_of_checks_links_back_and_to_files(client, board):
    key = board["rows"][0]["id"]
    page = client.get("/amenities/records", params={"incubator": key, "lang": "en"}).text
    assert f"/incubators/{key}" in page
    assert "/amenities/records/export" in page
    empty = client.get("/amenities/records", params={"category": "cafe", "unit": "丙港"})
    assert empty.status_code in (200, 404)


def test_files_hold_what_the_board_says(client, board):
    book = openpyxl.load_workbook(io.BytesIO(client.get("/amenities/export?lang=zh").content))
    assert len(book.sheetnames) == 3
    assert book.worksheets[0].max_row == len(board["rows"]) + 1
    assert book.worksheets[1].max_row == len(board["units"]) + 1
    assert book.worksheets[2].max_row == len(board["checks"]) + 1
    text = client.get("/amenities/export?format=csv").content.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(text)))) == len(board["rows"]) + 1
    features = client.get("/amenities/export?format=geojson").json()["features"]
    assert [one["id"] for one in features] == [row["id"] for row in board["rows"]]
    told = features[0]["properties"]
    assert told["cafe_count"] == board["rows"][0]["planning"]["categories"]["cafe"]["count"]
    assert features[0]["geometry"]["coordinates"] == [
        board["rows"][0]["lon"],
        board["rows"][0]["lat"],
    ]
    file = client.get("/amenities/records/export?category=cafe&lang=en").content
    sheet = openpyxl.load_workbook(io.BytesIO(file)).active
    assert sheet.max_row == len(records(client, category="cafe")["checks"]) + 1


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ({"category": "zoo"}, NotFoundError, "there is no category 'zoo'"),
        ({"unit": "nowhere"}, NotFoundError, "there is no reporting unit 'nowhere'"),
        ({"incubator": "none-such"}, NotFoundError, "there is no incubator"),
        ({"test": "other"}, InputError, "test 'other' is not known"),
        ({"test": "planning", "category": "venues"}, InputError, "is of the test compliance"),
    ],
)
def test_what_is_not_there_is_said(city, asked, error, words):
    with open_store(city) as store, pytest.raises(error, match=words):
        ask_amenity_records(store, **asked)
