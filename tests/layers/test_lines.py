import geopandas as gpd
import pandas as pd
import pytest
import shapely

from geo.errors import InputError
from layers.ingest.lines import read_lines
from layers.pack import load_pack
from layers.schema import find_faults

ROADS = gpd.GeoDataFrame(
    {"name": ["人民路", "绕城高速", "沿江快速路", None], "width": [1, 2, 3, 4]},
    geometry=[shapely.LineString([(120 + i, 28), (120 + i, 28.01)]) for i in range(4)],
    crs="EPSG:4326",
)
CITY_RULES = {"exclude_name_contains": ["高速", "快速"]}


@pytest.fixture
def save(tmp_path):
    def write(frame, name="roads.gpkg"):
        frame.to_file(tmp_path / name)
        return tmp_path / name

    return write


def test_names_of_the_rules_are_left_out(save):
    streets = read_lines(save(ROADS), rules=CITY_RULES)
    assert [None if pd.isna(name) else name for name in streets["name"]] == ["人民路", None]
    assert not find_faults("streets", streets.assign(id=["a", "b"]))


def test_without_rules_of_a_city_every_line_stays(save):
    assert len(read_lines(save(ROADS))) == 4


def test_columns_are_known_by_name_and_by_chinese_label(save):
    frame = ROADS.rename(columns={"name": "路名"}).assign(steps=[True, False, True, False])
    streets = read_lines(save(frame), rules=CITY_RULES)
    assert streets.loc[0, "name"] == "人民路"
    assert list(streets["steps"]) == [True, False]


def test_metre_coordinates_come_back_to_degrees(save):
    streets = read_lines(save(ROADS.to_crs("EPSG:4549")))
    assert streets.crs.to_epsg() == 4490
    assert streets.geometry[0].equals_exact(ROADS.geometry[0], 1e-7)


def test_a_declared_datum_is_converted(save):
    streets = read_lines(save(ROADS), datum="gcj02")
    shift = streets.geometry[0].distance(ROADS.geometry[0])
    assert 0.001 < shift < 0.01


def test_missing_and_empty_lines_are_left_out(save):
    frame = ROADS.copy()
    frame.loc[0, "geometry"] = None
    assert len(read_lines(save(frame))) == 3


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (
            ROADS.set_geometry(shapely.buffer(ROADS.geometry.to_numpy(), 0.1), crs=4326),
            "are no lines",
        ),
        (ROADS.set_crs(None, allow_override=True), "declare the datum"),
        (ROADS.iloc[1:2], "holds no street"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_holds_no_streets_is_refused(save, frame, said):
    with pytest.raises(InputError, match=said):
        read_lines(save(frame), rules=CITY_RULES)


def test_what_is_no_file_of_lines_is_refused(tmp_path):
    (tmp_path / "roads.gpkg").write_bytes(b"nothing")
    (tmp_path / "roads.csv").write_text("name\nA\n")
    for name in ("roads.gpkg", "roads.csv", "absent.gpkg"):
        with pytest.raises(InputError, match=name):
            read_lines(tmp_path / name)


def test_the_real_roads_of_the_city_lose_their_motorways(shared_data):
    rules = load_pack("wenzhou").rules["streets"][0]
    streets = read_lines(shared_data / "wenzhou_roads_wgs84.gpkg", rules=rules)
    assert 51_000 < len(streets) < 53_124
    assert not streets["name"].str.contains("高速|高架").any()
