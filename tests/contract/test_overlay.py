"""A store seen through changes reads like a store that was edited so."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from geopandas.testing import assert_geodataframe_equal
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geo.errors import StoreError, StoreReadOnlyError
from layers.overlay import overlay_store
from layers.query import Query, Range
from layers.store import Lens, create_store, open_store
from tests.contract.test_queries import brute, queries
from tests.contract.worlds import UNITS, make_spaces

LENS = Lens("s1", "Plan")
QUERIES = (
    Query(),
    Query(bbox=(120.2, 27.2, 120.6, 27.7)),
    Query(where={"unit": "North"}),
    Query(where={"area_m2": Range(100, 300), "services": "lab"}),
    Query(order_by="rent_cny_m2_month", descending=True, limit=7),
    Query(text="hall 1", demo=False),
    Query(ids=("s0001", "new-1"), columns=("name", "geometry")),
)
IDS = [f"s{number:04d}" for number in range(12)]

places = st.builds(shapely.Point, st.floats(120, 121), st.floats(27, 28))
columns = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["Hall 1", "Nave"]),
        "unit": st.sampled_from([*UNITS, None]),
        "area_m2": st.floats(1, 500),
        "services": st.sampled_from([["lab"], []]),
        "geometry": places,
    },
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.sampled_from(["new-1", "new-2"]), columns),
        st.tuples(st.just("update"), st.sampled_from([*IDS, "new-1"]), columns),
        st.tuples(st.just("delete"), st.sampled_from([*IDS, "new-2"]), st.just({})),
    ),
    max_size=6,
)


def row(key, values) -> pd.DataFrame:
    frame = pd.DataFrame({"id": [key], "incubator": ["i1"], "area_m2": [5.0]})
    for name, value in values.items():
        if name != "geometry":
            frame[name] = pd.Series([value], dtype=object)
    shape = values.get("geometry", shapely.Point(120.5, 27.5))
    return gpd.GeoDataFrame(frame, geometry=[shape], crs="EPSG:4490")


def play(edit, plan):
    """Make the steps that make sense, in their order."""
    there = set(IDS)
    for action, key, values in plan:
        if action == "insert" and key not in there:
            edit.insert("spaces", row(key, values))
            there.add(key)
        elif action == "update" and key in there and values:
            edit.update("spaces", key, **values)
        elif action == "delete" and key in there:
            edit.delete("spaces", key)
            there.discard(key)
    edit.set_rules("towns", {"large_area_m2": len(plan)}, "tests")


@cache
def template() -> bytes:
    """Make the store once; a copy of its file is made in no time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "city.gpkg"
        with create_store(path) as store, store.edit("tests") as edit:
            edit.insert("spaces", make_spaces(12))
            edit.set_rules("towns", {"large_area_m2": 1}, "tests")
        return path.read_bytes()


def make(folder: Path):
    path = folder / "city.gpkg"
    path.write_bytes(template())
    return open_store(path, write=True)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=steps)
def test_any_edits_read_the_same_through_an_overlay(tmp_path_factory, plan):
    folder = tmp_path_factory.mktemp("pair")
    with make(folder) as store:
        before = store.token()
        seen = overlay_store(
            store,
            lambda edit: play(edit, plan),
            marks={"spaces": " a", "rules": " a"},
            lens=LENS,
            who="tests",
        )
        seen_frames = [seen.read("spaces", query) for query in QUERIES]
        counts = [seen.count("spaces", query) for query in QUERIES]
        extent, rules = seen.extent("spaces"), seen.rules("towns")
        lives = [[one.action for one in seen.history("spaces", key)] for key in (*IDS, "new-1")]
        # The file itself is as it was.
        assert store.token() == before
        assert store.read("spaces")["id"].tolist() == make_spaces(12)["id"].tolist()
        with store.edit("tests") as edit:
            play(edit, plan)
        for query, frame, count in zip(QUERIES, seen_frames, counts, strict=True):
            assert_geodataframe_equal(frame, store.read("spaces", query), check_geom_type=True)
            assert count == store.count("spaces", query)
        assert rules == store.rules("towns")
        assert lives == [
            [one.action for one in store.history("spaces", key)] for key in (*IDS, "new-1")
        ]
        real = store.extent("spaces")
        assert (extent is None) == (real is None)
        assert extent is None or extent == pytest.approx(real, abs=2e-5)


@pytest.fixture(scope="module")
def unchanged(spaces):
    """The store of the queries' contract, seen through no changes at all."""
    return overlay_store(spaces, lambda _edit: None, marks={"spaces": ""}, lens=LENS, who="tests")


@settings(max_examples=25)
@given(query=queries)
def test_without_changes_every_query_answers_as_the_store(spaces, unchanged, query):
    assert_geodataframe_equal(unchanged.read("spaces", query), brute(query), check_geom_type=True)
    assert unchanged.token() == spaces.token()


def test_pages_go_on_through_changed_rows(tmp_path):
    with make(tmp_path) as store:
        plan = [("update", "s0003", {"area_m2": 77.0}), ("insert", "new-1", {})]
        seen = overlay_store(
            store, lambda edit: play(edit, plan), marks={"spaces": " a"}, lens=LENS, who="tests"
        )
        got, after = [], None
        while True:
            page = seen.page("spaces", Query(order_by="area_m2", limit=5, after=after))
            got += page.frame["id"].tolist()
            after = page.next
            if after is None:
                break
        assert got == seen.read("spaces", Query(order_by="area_m2"))["id"].tolist()
        assert len(got) == 13


def test_only_what_changes_has_another_token(tmp_path):
    with make(tmp_path) as store:
        seen = overlay_store(
            store,
            lambda edit: play(edit, [("delete", "s0001", {})]),
            marks={"spaces": " a", "rules": " a"},
            lens=LENS,
            who="tests",
        )
        assert seen.token("spaces") != store.token("spaces")
        assert seen.token("incubators") == store.token("incubators")
        assert seen.token() != store.token()


def test_it_cannot_be_written_to_or_copied(tmp_path):
    with make(tmp_path) as store:
        seen = overlay_store(store, lambda _edit: None, marks={}, lens=LENS, who="tests")
        with pytest.raises(StoreReadOnlyError, match="adopt"), seen.edit("tests"):
            pass
        with pytest.raises(StoreError, match="no file of its own"):
            seen.backup(tmp_path / "copy.gpkg")
        assert not (tmp_path / "copy.gpkg").exists()
