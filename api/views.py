"""Views: what the pages' frame and map need to know of the store and the settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import geopandas as gpd
import orjson

from api.questions.common import name_units
from api.questions.coverage import ask_town_coverage
from api.questions.kept import Kept, state_key
from api.settings import Settings
from geo.frames import lists, texts
from geo.readings import outline_parts
from geo.units import index_units, short_code
from layers.catalog import layers
from layers.query import Query
from layers.store import Store
from web.features import collection
from web.frame import PageFrame
from web.mapview import MAP_LAYERS, Basemap, Extent, MapView
from web.timemap import Ground
from web.words import words

_WORLD: Extent = (-170.0, -60.0, 170.0, 75.0)
_EVERYWHERE = (-180.0, -90.0, 180.0, 90.0)
_CITY_MAP_DEG = 0.003  # about 300 m: less than a pixel of a map of the whole city
_DEMO = Query(where={"provenance": "demo"})
NO_COVERAGE: Mapping[str, Any] = {"towns": (), "rule": {}}

_counts = Kept[tuple[int, int]](200)


def read_basemap(settings: Settings) -> Basemap:
    """Return the base map of the settings.

    >>> from api.settings import Settings
    >>> read_basemap(Settings(basemap="tianditu")).kind  # no key: nothing could be shown
    'none'
    """
    if settings.basemap in ("", "none"):
        return Basemap()
    if settings.basemap == "tianditu":
        if not settings.tianditu_key:
            return Basemap()
        return Basemap(
            kind="tianditu",
            key=settings.tianditu_key,
            datum="cgcs2000",
            attribution=settings.basemap_attribution,
        )
    return Basemap(
        kind="url",
        url=settings.basemap,
        datum=settings.basemap_datum,
        attribution=settings.basemap_attribution,
    )


def has_demo(store: Store, *names: str) -> bool:
    """Tell whether one of the layers (all by default) holds demo records."""
    return any(store.count(name, _DEMO) for name in names or layers())


def read_city(store: Store) -> Mapping[str, Any]:
    """Return the city as its pack names it; empty for a store of no city."""
    city: Mapping[str, Any] = store.meta("city") or {}
    return {} if city.get("key") == "none" else city


def page_frame(
    store: Store,
    settings: Settings,
    *,
    lang: str,
    url: str,
    demo_counted: bool = False,
    version: str = "",
    title: str = "",
) -> PageFrame:
    """Return what the frame of a page says."""
    return PageFrame(
        lang=lang,
        title=title,
        demo_counted=demo_counted,
        review_number=settings.review_number,
        basemap=read_basemap(settings).kind,
        version=version,
        data_date=data_date(store),
        url=url,
        city=read_city(store),
        lens=store.lens,
        unit_names={} if lang == "zh" else _called_units(store, lang),
    )


def _called_units(store: Store, lang: str) -> dict[str, str]:
    w = words(lang)
    return {unit["name"]: w.pick(unit, "name") for unit in name_units(store)}


def data_date(store: Store) -> str:
    """Return the day of the last edit that counts; empty for a store without any."""
    days = [batch.at[:10] for batch in store.batches() if not _aside(batch.layer)]
    return days[-1] if days else ""


def _aside(name: str) -> bool:
    """Tell whether a layer is work on the side of the map."""
    declared = layers().get(name)
    return declared is not None and declared.aside


def map_view(
    store: Store, settings: Settings, *, lang: str, coverage: Mapping[str, Any] | None = None
) -> MapView:
    """Return what the city map shows.

    Parameters
    ----------
    coverage
        The answer of the industrial towns as plain values; asked for where not given. A map that
        does not show them takes `NO_COVERAGE`.
    """
    answer = ask_town_coverage(store).to_json() if coverage is None else coverage
    rules = store.rules("amenities").body
    counted = {spec.name: _count(store, spec.name) for spec in MAP_LAYERS if spec.name in layers()}
    counts = {name: placed for name, (placed, _) in counted.items()}
    return MapView(
        lang=lang,
        extent=store.extent("reporting_units") or store.extent() or _WORLD,
        counts=counts,
        city=read_city(store),
        states={row["code"]: row["state"] for row in answer["towns"] if row.get("code")},
        radii={
            "urban": rules["compliance"]["urban_radius_m"],
            "rural": rules["compliance"]["rural_radius_m"],
        },
        categories=rules["categories"],
        large_area_m2=answer["rule"].get("large_area_m2"),
        basemap=read_basemap(settings),
        review_number=settings.review_number,
        data_date=data_date(store),
        token=store.token(),
        scenario=store.lens.id if store.lens else "",
        demo_counted=any(demo for _, demo in counted.values()),
    )


def _count(store: Store, name: str) -> tuple[int, int]:
    """Count the records of a layer that have a place, and its demo records; again when it changes.

    A layer whose records have no place is not on the map.
    """
    return _counts.recall(
        state_key(store, (name,), name),
        lambda: (store.count(name, Query(bbox=_EVERYWHERE)), store.count(name, _DEMO)),
    )


def ground(
    store: Store, settings: Settings, *, lang: str, outlines: Mapping[str, Any] | None = None
) -> Ground:
    """Return what small maps lie on: the base map and outlines, of the units where not given."""
    # The states of towns are not drawn there, so they need not be asked for.
    view = map_view(store, settings, lang=lang, coverage=NO_COVERAGE)
    drawn = unit_outlines(store) if outlines is None else outlines
    return Ground(view, drawn, {} if lang == "zh" else _called_units(store, lang))


def version_of(answer: Mapping[str, Any]) -> str:
    """Return the version of the rules that an answer used, as the frame prints it."""
    rule = answer.get("rule") or {}
    return f"{rule['name']} {rule['version']}" if "name" in rule and "version" in rule else ""


def unit_outlines(store: Store) -> dict[str, Any]:
    """Return the reporting units as GeoJSON, fine enough for a map of the whole city."""
    frame = gpd.GeoDataFrame(store.read("reporting_units"))
    text = collection("reporting_units", frame, columns=["name"], tolerance_deg=_CITY_MAP_DEG)
    found: dict[str, Any] = orjson.loads(text)
    return found


def part_outlines(store: Store, version: str) -> dict[str, Any]:
    """Return the parts of a version of the structure as GeoJSON, put together where not drawn."""
    frame = gpd.GeoDataFrame(store.read("structure", Query(where={"version": version})))
    parts = outline_parts(frame, store.read("divisions"), store.read("reporting_units"))
    drawn = frame.set_geometry(gpd.GeoSeries(parts, index=frame.index, crs=frame.crs))
    text = collection("structure", drawn, columns=["name", "role"], tolerance_deg=_CITY_MAP_DEG)
    found: dict[str, Any] = orjson.loads(text)
    return found


def part_rows(store: Store, version: str | None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what a reading can be made of, with the role that a version gives each.

    Returns
    -------
    tuple
        Units and their towns as rows of `code`, `name`, `unit`, `level`, `role`, `part`; and the
        drawn parts as GeoJSON.
    """
    frame = gpd.GeoDataFrame(store.read("structure", Query(where={"version": version or ""})))
    held = {
        short_code(code): (role, name)
        for codes, role, name in zip(
            lists(frame, "division_codes"),
            texts(frame, "role"),
            texts(frame, "name"),
            strict=True,
        )
        for code in codes
    }
    index = index_units(store.read("reporting_units"))
    rows = [
        {"code": index.own_codes.get(name, name), "name": name, "unit": name, "level": "unit"}
        for name in index.names
    ]
    own = {row["code"] for row in rows}
    divisions = store.read("divisions", Query(columns=["code", "name"]))
    rows += [
        {
            "code": short_code(code),
            "name": name or code,
            "unit": index.find_by_code(code) or "",
            "level": "town",
        }
        for code, name in zip(texts(divisions, "code"), texts(divisions, "name"), strict=True)
        if code is not None and short_code(code) not in own
    ]
    known = {row["code"] for row in rows}
    rows += [
        {"code": code, "name": code, "unit": "", "level": "town"}
        for code in held
        if code not in known
    ]
    rows.sort(key=lambda row: (index.rank(row["unit"]), row["level"] != "unit", row["code"]))
    for row in rows:
        role, name = held.get(row["code"], (None, None))
        row["role"], row["part"] = role or "", name or ""
    # A part made of divisions carries their outline too; only what nothing else tells is drawn.
    alone = frame.loc[[not codes for codes in lists(frame, "division_codes")], :]
    text = collection("structure", alone, columns=["name", "role"])
    drawn: dict[str, Any] = orjson.loads(text)
    return rows, drawn
