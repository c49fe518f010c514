"""A city small enough to draw: two square units side by side, two towns in the eastern one.

28.10 +-----------+-----+-----+
      |           |     |     |
      |   西区     | 山镇 | 海镇 |    东区 = 山镇 + 海镇
      |           |     |     |
28.00 +-----------+-----+-----+
    120.60     120.70 120.75 120.80
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import pandas as pd
import shapely

from layers.store import Store, create_store, open_store

WEST, EAST = shapely.box(120.60, 28.0, 120.70, 28.1), shapely.box(120.70, 28.0, 120.80, 28.1)
HILL, COAST = shapely.box(120.70, 28.0, 120.75, 28.1), shapely.box(120.75, 28.0, 120.80, 28.1)
VALVES = {"key": "valves", "name": "泵阀", "name_en": "Valves", "aliases": ["阀门"]}
JOBS = {"key": "jobs", "zh": "新增就业", "en": "New jobs"}
CAFE = {"key": "cafe", "zh": "咖啡馆", "en": "Cafés", "group": "format"}
INDUSTRIES = {"industries": [VALVES | {"codes": ["C344"], "group": "pillar"}]}


def make_tiny(path: Path) -> Store:
    """Make a store of the tiny city, open for writing."""
    path.write_bytes(_template())
    return open_store(path, write=True)


@cache
def _template() -> bytes:
    """Build the store once; a copy is made in no time."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tiny.gpkg"
        with create_store(path) as store:
            _fill(store)
        return path.read_bytes()


def _fill(store: Store) -> None:
    units = pd.DataFrame(
        {
            "code": ["990101", "990102"],
            "name": ["西区", "东区"],
            "aliases": [["西"], ["东", "East"]],
            "division_codes": [["990101"], ["990102"]],
        }
    )
    divisions = pd.DataFrame(
        {
            "code": ["990101", "990102", "990102101", "990102102"],
            "name": ["西区", "东区", "山镇", "海镇"],
            "level": ["county", "county", "town", "town"],
            "parent_code": ["990100", "990100", "990102", "990102"],
        }
    )
    with store.edit("setup") as edit:
        edit.insert("reporting_units", place(units, [WEST, EAST]))
        edit.insert("divisions", place(divisions, [WEST, EAST, HILL, COAST]))
        edit.set_meta("city", {"key": "tiny", "name": "小城", "name_en": "Tiny"})
        edit.set_meta("metric_crs", "EPSG:4549")
        edit.set_rules(
            "targets", {"total_unit": "全市", "indicators": [JOBS]}, "drawn for the tests"
        )
        edit.set_rules("amenities", {"categories": [CAFE]}, "drawn for the tests")
        edit.set_rules("industries", INDUSTRIES, "drawn for the tests")


def place(frame: pd.DataFrame, shapes: list[shapely.Geometry]) -> gpd.GeoDataFrame:
    """Give records their geometry."""
    return gpd.GeoDataFrame(frame, geometry=shapes, crs="EPSG:4490")
