"""A tiny made-up city for the pages: results as the questions give them, and a few layers."""

import geopandas as gpd
import numpy as np
import shapely

from web.amenities import amenities_page
from web.board import targets_page
from web.coverage import coverage_page
from web.mapview import MapView
from web.pages import (
    PageFrame,
    about_page,
    error_page,
    home_page,
    incubator_page,
)
from web.structure import structure_page

HOSTILE = "<img src=x onerror=alert(1)><b>甲</b>"
CITY = {
    "key": "jia",
    "name": "甲市",
    "name_en": "Jia",
    "roles": [{"key": "主", "zh": "主城", "en": "Main"}, {"key": "点", "zh": "点", "en": "Spot"}],
}
CATEGORIES = [
    {"key": "commerce", "zh": "商业", "en": "Shops", "group": "facility"},
    {"key": "cafe", "zh": "咖啡", "en": "Café", "group": "format"},
]
TOWNS = {
    "rule": {"name": "towns", "version": 3, "large_area_m2": 20000, "clause": "第一条"},
    "as_of": "2026-11-22",
    "demo_counted": True,
    "summary": {
        "total": 4,
        "operating_large": 1,
        "operating": 1,
        "planned_only": 1,
        "none": 1,
        "covered_share": 0.5,
    },
    "towns": [
        {
            "code": f"9900001{n}",
            "name": name,
            "unit": "东区" if n < 2 else "西区",
            "status": "proxy",
            "state": state,
            "evidence": "polygon",
            "incubators": ["incubator-1"] if n == 0 else [],
            "nearest": {
                "id": "incubator-1",
                "distance_m": 1000.0 * n,
                "walk_minutes": 19.5 * n,
                "drive_minutes": 2.0 * n,
            },
        }
        for n, (name, state) in enumerate(
            [
                ("一镇", "operating_large"),
                ("二镇", "operating"),
                (HOSTILE, "planned_only"),
                ("四镇", "none"),
            ]
        )
    ],
}
INDUSTRIES = {
    "rule": {"version": 1},
    "industries": [
        {
            "key": "pumps",
            "name": "泵阀",
            "name_en": "Pumps",
            "state": "operating",
            "incubators": ["incubator-1"],
            "units": {"东区": {"state": "operating", "incubators": ["incubator-1"]}},
        },
        {"key": "toys", "name": "教玩具", "name_en": "Toys", "state": "none", "units": {}},
    ],
}
UNITS = {
    "units": [
        {
            "unit": "东区",
            "operating": 1,
            "planned": 0,
            "operating_area_m2": 25000.0,
            "chain_leader_built": 0,
            "chain_leader_ok": False,
            "twenty": 1,
            "twenty_years": [{"year": 2026, "count": 1, "ok": True}],
            "towns": TOWNS["summary"],
            "industries": None,
        }
    ],
    "goals": [
        {
            "id": "T1",
            "zh": HOSTILE,
            "en": HOSTILE,
            "unit": "家",
            "target": 3.0,
            "value": 1.0,
            "ok": False,
            "missing": ["基数"],
            "demo": True,
            "clause": "二(一)",
        }
    ],
}
INDICATORS = [{"key": "space", "zh": "新增孵化空间", "en": "New space", "unit": "万㎡"}]
TARGETS = {
    "rows": [
        {
            "unit": unit,
            "year": 2026,
            "indicator": "space",
            "issuer": "甲市",
            "target": target,
            "value": value,
            "share": None if value is None else value / target,
            "pace": None if value is None else value / target / 0.9,
            "missing": [] if value is not None else ["progress:南区", "baseline:space:2024-12-31"],
        }
        for unit, target, value in [("东区", 40.0, 44.0), ("西区", 20.0, 5.5), ("南区", 10.0, None)]
    ],
    "checks": [
        {"name": "sum:space:2026", "ok": True, "detail": "40 + 20 + 10 = 70", "detail_en": "=70"}
    ],
}
STRUCTURE = {
    "roles": [
        {"role": "主", "incubators": 2, "area_m2": 30000.0, "share": 0.75, "tenants": 80},
        {"role": "点", "incubators": 1, "area_m2": 10000.0, "share": 0.25, "tenants": 10},
    ],
    "zones": [
        {"name": "科创带", "mapped": True, "incubators": 1, "area_m2": 9000.0, "share": 0.2},
        {"name": HOSTILE, "mapped": False},
    ],
    "concentration": {"hhi": 0.625},
}
AMENITIES = {
    "rows": [
        {
            "id": "incubator-1",
            "name": HOSTILE,
            "compliance": {"radius_m": 1000, "venues": 1, "spaces": 2, "ok": True},
            "planning": None,
            "circle": {"commerce": 3, "cafe": 0},
        }
    ]
}


def squares(count: int = 4) -> gpd.GeoDataFrame:
    """Squares of 0.1° side by side, as reporting units or towns."""
    boxes = [shapely.box(120 + 0.1 * n, 28, 120.1 + 0.1 * n, 28.1) for n in range(count)]
    names = ["一镇", "二镇", HOSTILE, "四镇"]
    return gpd.GeoDataFrame(
        {
            "id": [f"town-{n}" for n in range(count)],
            "code": [f"9900001{n}" for n in range(count)],
            "name": names[:count],
            "provenance": ["sourced"] * count,
        },
        geometry=boxes,
        crs="EPSG:4490",
    )


def incubators(count: int = 60, seed: int = 1) -> gpd.GeoDataFrame:
    """Incubators of every level and status, the first with a hostile name."""
    random = np.random.default_rng(seed)
    levels = ["national", "provincial", "municipal", "county", "unrated"]
    statuses = ["operating", "under_construction", "planned", "completed", "withdrawn"]
    lon, lat = random.uniform(120, 120.4, count), random.uniform(28, 28.1, count)
    return gpd.GeoDataFrame(
        {
            "id": [f"incubator-{n}" for n in range(count)],
            "name": [HOSTILE] + [f"甲孵化器{n}" for n in range(1, count)],
            "level": [levels[n % 5] for n in range(count)],
            "status": [statuses[n % 5] for n in range(count)],
            "setting": ["urban" if n % 2 else "rural" for n in range(count)],
            "area_m2": random.integers(1000, 50000, count).astype(float),
            "contact": ["secret"] * count,
            "source": [HOSTILE] * count,
            "provenance": ["demo"] * count,
        },
        geometry=gpd.points_from_xy(lon, lat),
        crs="EPSG:4490",
    )


def amenities(count: int = 20_000, seed: int = 2) -> gpd.GeoDataFrame:
    """Many amenities, denser in the middle."""
    random = np.random.default_rng(seed)
    lon = np.clip(random.normal(120.2, 0.08, count), 120, 120.4)
    lat = np.clip(random.normal(28.05, 0.02, count), 28, 28.1)
    return gpd.GeoDataFrame(
        {
            "id": [f"amenity-{n}" for n in range(count)],
            "name": [f"店{n}" for n in range(count)],
            "category": ["commerce" if n % 2 else "cafe" for n in range(count)],
            "provenance": ["demo"] * count,
        },
        geometry=gpd.points_from_xy(lon, lat),
        crs="EPSG:4490",
    )


def view(lang: str = "zh", **changes: object) -> MapView:
    """The map of the tiny city."""
    values = {
        "extent": (120.0, 27.95, 120.4, 28.15),
        "counts": {"streets": 1, "divisions": 1},
        "city": CITY,
        "states": {row["code"]: row["state"] for row in TOWNS["towns"]},
        "categories": CATEGORIES,
        "large_area_m2": 20_000,
        "review_number": "甲S(2026)1号",
        "data_date": "2026-11-22",
        "token": "t1",
        "demo_counted": True,
    }
    return MapView(lang, **(values | changes))


def frame(lang: str = "zh", **changes: object) -> PageFrame:
    """The frame of the tiny city's pages."""
    values = {
        "demo_counted": True,
        "version": "3",
        "data_date": "2026-11-22",
        "city": CITY,
        "review_number": "甲S(2026)1号",
    }
    return PageFrame(lang, **(values | changes))


def found_incubator() -> dict[str, object]:
    """The answer about one incubator, hostile in every text."""
    ring = [[120.69, 27.99], [120.71, 27.99], [120.71, 28.01], [120.69, 27.99]]
    key = CATEGORIES[0]["key"]
    zone = {
        "properties": {"minutes": 15.0, "area_m2": 9e5, "amenities": {key: 2}, "population": None},
        "geometry": {"type": "MultiPolygon", "coordinates": [[ring]]},
    }
    near = {"id": "a1", "name": HOSTILE, "metres": 1234, "minutes": None}
    record = incubators().iloc[0].drop("geometry").dropna().to_dict()
    unit = {"id": HOSTILE, "name": HOSTILE, "area_m2": 120.0, "kind": "rd"}
    return {
        "id": "incubator-0",
        "properties": record,
        "geometry": {"type": "Point", "coordinates": [120.7, 28.0]},
        "vacant": {"features": [{"properties": unit}]},
        "compliance": AMENITIES["rows"][0]["compliance"],
        "approximate": False,
        "unconfirmed_days": 200,
        "stale": True,
        "around": {
            "zones": {"origin": {"lon": 120.7, "lat": 28.0}, "warnings": [], "features": [zone]},
            "planning": {"minutes": 15.0, "missing": [key]},
            "nearest": {key: {**near, "minutes": 3.5}},
            "station": {**near, "lines": [HOSTILE]},
            "platforms": [{**near, "industries": [HOSTILE], "suits": True, "rough": True}],
        },
    }


def all_pages(lang: str = "zh") -> dict[str, str]:
    """Every page of the tiny city by its path."""
    names = {"incubator-1": HOSTILE}

    def framed(path: str) -> PageFrame:
        return frame(lang, url=f"{path}?lang={lang}")

    return {
        "/": home_page(TOWNS, view=view(lang), frame=framed("/")),
        "/coverage": coverage_page(
            TOWNS, INDUSTRIES, UNITS, frame=framed("/coverage"), names=names
        ),
        "/targets": targets_page(
            TARGETS, frame=framed("/targets"), indicators=INDICATORS, chosen={"year": 2026}
        ),
        "/structure": structure_page(
            STRUCTURE, frame=framed("/structure"), roles=CITY["roles"], confidence=0.55
        ),
        "/amenities": amenities_page(AMENITIES, frame=framed("/amenities"), categories=CATEGORIES),
        "/incubators/incubator-0": incubator_page(
            found_incubator(),
            frame=frame(lang, title=HOSTILE, url="/incubators/incubator-0"),
            spots=[{"lon": 120.701, "lat": 28.001, "category": CATEGORIES[0]["key"]}],
            categories=CATEGORIES,
            history=[{"at": "2026-11-01T08:00:00", "note": HOSTILE, "action": "update"}],
        ),
        "/about": about_page(
            {
                "counts": {"incubators": 60},
                "demo": {"incubators": 60},
                "sources": [
                    {"layer": "incubators", "source": HOSTILE, "as_of": "2026", "records": 60}
                ],
                "rules": [{"name": "towns", "version": 3, "source": HOSTILE}],
            },
            frame=framed("/about"),
        ),
        "/error": error_page(
            422,
            detail=HOSTILE,
            frame=framed("/error"),
            errors=[{"where": "row 3", "what": "is negative", "value": -5, "fix": HOSTILE}],
        ),
    }
