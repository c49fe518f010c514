"""The check of a store: each contradiction is found once, and a sound store has none."""

from datetime import date

import pandas as pd
import pytest
import shapely

from layers.check import check_store
from layers.store import create_store
from tests.layers.tiny import HILL, make_tiny, place

TODAY = date(2026, 11, 24)
IN_WEST, IN_EAST = shapely.Point(120.65, 28.05), shapely.Point(120.72, 28.05)


@pytest.fixture
def store(tmp_path):
    with make_tiny(tmp_path / "tiny.gpkg") as made:
        yield made


def add(store, layer, shapes=None, **columns):
    frame = pd.DataFrame(columns)
    with store.edit("t") as edit:
        edit.insert(layer, frame if shapes is None else place(frame, shapes))


def incubator(store, shape=IN_WEST, **columns):
    sound = {"name": "甲园", "status": "operating", "unit": "西区", "lead_industries": ["泵阀"]}
    add(store, "incubators", [shape], **{k: [v] for k, v in (sound | columns).items()})


def found(store):
    report = check_store(store, today=TODAY)
    return [(one.name, one.level, one.layer) for one in report.findings]


def test_a_sound_store(store):
    incubator(store, area_m2=100.0, occupied_area_m2=60.0, vacant_area_m2=40.0)
    report = check_store(store, today=TODAY)
    assert report.ok
    assert report.findings == []
    assert report.to_json() == {"ok": True, "findings": []}


@pytest.mark.parametrize(("share", "level"), [(0.5, "error"), (0.05, "warning"), (0.001, None)])
def test_overlaps_by_their_share(store, share, level):
    west, south, _, north = HILL.bounds
    shape = shapely.box(west - 0.05 * (1 - share), south, west + 0.05 * share, north)
    add(
        store, "divisions", [shape], code=["990101101"], name=["河镇"], level=["town"],
        parent_code=["990101"],
    )  # fmt: skip
    overlaps = [one for one in found(store) if one[0] == "overlap"]
    assert overlaps == ([("overlap", level, "divisions")] if level else [])


def test_the_overlap_names_both_and_the_area(store):
    add(store, "divisions", [HILL], code=["990102-1"], name=["旧山镇"], level=["town"])
    report = check_store(store, today=TODAY)
    assert not report.ok
    detail = report.findings[0].detail_en
    assert "山镇 (990102101)" in detail
    assert "旧山镇 (990102-1)" in detail
    assert "54.5 km², 100% of the smaller" in detail  # 4.9 km by 11.1 km


def test_a_division_in_another_parent(store):
    add(
        store, "divisions", [shapely.box(120.61, 28.01, 120.62, 28.02)], code=["990102103"],
        name=["飞镇"], level=["town"], parent_code=["990102"],
    )  # fmt: skip
    assert found(store) == [("outside_parent", "warning", "divisions")]
    assert "飞镇(东区→西区)" in check_store(store).findings[0].detail_zh


@pytest.mark.parametrize(
    ("columns", "finding"),
    [
        ({"unit": "北区"}, ("unknown_unit", "error")),
        ({"town_code": "990101999"}, ("unknown_town", "warning")),
        ({"shape": IN_EAST}, ("outside_unit", "warning")),
        ({"area_m2": 10.0, "occupied_area_m2": 8.0, "vacant_area_m2": 3.0}, ("areas", "warning")),
        ({"vacant_area_m2": 3.0, "ready_area_m2": 4.0}, ("areas", "warning")),
        ({"lead_industries": ["a", "b", "c"]}, ("lead_industries", "warning")),
        ({"lead_industries": []}, ("lead_industries", "info")),
        (
            {"started_on": pd.Timestamp("2025-01-01"), "opened_on": pd.Timestamp("2024-01-01")},
            ("dates", "warning"),
        ),
        ({"opened_on": pd.Timestamp("2027-01-01")}, ("dates", "warning")),
        ({"closed_on": pd.Timestamp("2026-01-01")}, ("dates", "warning")),
    ],
)
def test_contradictions_of_incubators(store, columns, finding):
    incubator(store, **columns)
    assert found(store) == [(*finding, "incubators")]


def test_a_point_known_only_to_its_unit_or_just_over_the_border_is_no_finding(store):
    incubator(store, IN_EAST, geom_precision="unit")
    incubator(store, shapely.Point(120.702, 28.05), name="乙园")  # 200 m east of the border
    assert found(store) == []


def test_duplicates_and_orphans(store):
    incubator(store)
    incubator(store)
    add(store, "spaces", [IN_WEST], incubator=["nobody"], area_m2=[5.0], vacant_area_m2=[9.0])
    assert found(store) == [
        ("unknown_incubator", "error", "spaces"),
        ("areas", "warning", "spaces"),
        ("duplicate", "warning", "incubators"),
    ]


def test_an_empty_store_of_no_place(tmp_path):
    with create_store(tmp_path / "none.gpkg") as store:
        assert check_store(store).ok
