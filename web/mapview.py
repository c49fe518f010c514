"""Map views: what a map shows, which layers it has, and the settings that its scripts read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import numpy as np

from geo.crs import wgs84_to_bd09, wgs84_to_gcj02
from layers.catalog import layer as catalog_layer
from web.words import Words, words

Extent = tuple[float, float, float, float]

# What every pop-up ends with: where the record comes from, when, and how exact its place is.
ALWAYS = ("source", "as_of", "provenance", "geom_precision")


@dataclass(frozen=True)
class MapLayer:
    """One layer of the map: how it is fetched, and which columns its pop-up shows."""

    name: str
    group: str
    kind: str  # geojson, cluster, tiles, circles
    shown: bool = False
    columns: tuple[str, ...] = ()
    swatch: str = ""


MAP_LAYERS: tuple[MapLayer, ...] = (
    MapLayer("reporting_units", "plan", "geojson", True, ("code",), "unit"),
    MapLayer("divisions", "plan", "tiles", False, ("code", "level"), "division"),
    MapLayer(
        "structure", "plan", "geojson", False,
        ("role", "version", "confidence", "note"), "structure",
    ),
    MapLayer("zones", "plan", "geojson", False, ("kind", "unit", "area_km2", "note"), "zone"),
    MapLayer(
        "industrial_towns", "incubation", "geojson", True,
        ("unit", "lead_industries", "status", "list_name", "list_date"), "town",
    ),
    MapLayer(
        "incubators", "incubation", "cluster", True,
        ("level", "kind", "status", "unit", "town", "address", "area_m2", "vacant_area_m2",
         "tenants", "lead_industries", "operator", "opened_on"), "incubator",
    ),
    MapLayer("circles", "incubation", "circles", False, (), "circle"),
    MapLayer(
        "spaces", "incubation", "tiles", False,
        ("incubator", "kind", "status", "area_m2", "rent_cny_m2_month", "floor"), "space",
    ),
    MapLayer(
        "projects", "incubation", "geojson", False, ("unit", "status", "year", "area_m2"), "project"
    ),
    MapLayer(
        "amenities", "life", "tiles", False, ("category", "cultural_kind", "unit"), "amenity"
    ),
    MapLayer("stations", "life", "geojson", False, ("lines", "unit"), "station"),
    MapLayer("access", "life", "surface", swatch="access"),
    MapLayer("streets", "life", "tiles", False, ("highway",), "street"),
)  # fmt: skip
# What a tile's features carry: what the pop-up and the style need, and nothing else.
TILE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    spec.name: ("id", "name", *spec.columns, *ALWAYS) for spec in MAP_LAYERS if spec.kind == "tiles"
}


@dataclass(frozen=True)
class Basemap:
    """The base map of the settings.

    Parameters
    ----------
    kind
        `none`, `tianditu`, or `url` for any tile address.
    url
        The address with `{z}`, `{x}`, `{y}` when `kind` is `url`.
    key
        The key of 天地图.
    datum
        The datum that the tiles are drawn in; tiles in GCJ-02 and BD-09 are shifted back.
    attribution
        Who made it.
    """

    kind: str = "none"
    url: str = ""
    key: str = ""
    datum: str = "wgs84"
    attribution: str = ""


@dataclass(frozen=True)
class MapView:
    """What a map shows.

    Parameters
    ----------
    lang
        The language.
    extent
        West, south, east, north of the city, degrees.
    counts
        Records by layer; layers without any are left out, the essential ones stay.
    city
        The city as its pack names it, with `roles`.
    states
        The coverage state of each industrial town by code.
    radii
        Radius of the compliance circle by setting, metres.
    categories
        The categories of amenities: `key`, `zh`, `en`, `group`.
    large_area_m2
        The area from which an incubator counts as large, for the legend.
    basemap, review_number, data_date
        As the settings and the store say.
    token
        The store's version; part of the addresses, so that answers can be cached.
    demo_counted
        Whether demo records are on the map.
    scenario
        The id of the scenario that the map shows; part of the addresses.
    """

    lang: str
    extent: Extent
    counts: Mapping[str, int] = field(default_factory=dict)
    city: Mapping[str, Any] = field(default_factory=dict)
    states: Mapping[str, str] = field(default_factory=dict)
    radii: Mapping[str, float] = field(default_factory=lambda: {"urban": 1000, "rural": 1500})
    categories: Sequence[Mapping[str, Any]] = ()
    large_area_m2: float | None = None
    basemap: Basemap = field(default_factory=Basemap)
    review_number: str = ""
    data_date: str = ""
    token: str = ""
    scenario: str = ""
    demo_counted: bool = False

    @property
    def layers(self) -> tuple[MapLayer, ...]:
        """The layers that this map has."""
        needs = {"access": "streets"}
        optional = {"access", "projects", "stations", "streets", "divisions", "zones", "structure"}
        return tuple(
            spec
            for spec in MAP_LAYERS
            if spec.name not in optional or self.counts.get(needs.get(spec.name, spec.name), 0) > 0
        )


def legend(view: MapView) -> dict[str, Any]:
    """Return what the legend says: colours and symbols with their words."""
    w = words(view.lang)
    incubators = catalog_layer("incubators")
    return {
        "states": state_words(w, view.large_area_m2),
        "levels": {c.value: getattr(c, view.lang) for c in incubators.column("level").choices},
        "statuses": {c.value: getattr(c, view.lang) for c in incubators.column("status").choices},
        "spaces": {
            c.value: getattr(c, view.lang) for c in catalog_layer("spaces").column("status").choices
        },
        "roles": _roles(view, w),
        "surface": [(c["key"], w.pick(c)) for c in view.categories]
        if view.counts.get("streets", 0) > 0
        else [],
    }


def state_words(w: Words, large_area_m2: float | None = None) -> dict[str, str]:
    """Return the words of the coverage states, the large one with its area when it is known.

    >>> state_words(words("en"), 20_000)["operating_large"]
    'Operating (≥ 20,000 m²)'
    """
    states = w.section("state")
    if large_area_m2:
        states["operating_large"] = w("state_large.label", area=f"{large_area_m2:,.0f}")
    return states


def layer_label(name: str, w: Words) -> str:
    """Return the name of a map layer: the words', else the catalogue's.

    >>> layer_label("incubators", words("en")), layer_label("circles", words("zh"))
    ('Incubators', '15分钟达标圈')
    """
    found = w.get(f"layer.{name}", "")
    return found or getattr(catalog_layer(name), w.lang)


def layer_address(spec: MapLayer, view: MapView) -> str:
    """Return where a layer is fetched from, with the store's version so that it can be cached."""
    asked = {"v": view.token, "scenario": view.scenario}
    query = urlencode({key: value for key, value in asked.items() if value})
    version = f"?{query}" if query else ""
    if spec.kind == "surface":
        return f"/tiles/access/{{category}}/{{z}}/{{x}}/{{y}}.png{version}"
    if spec.kind == "tiles":
        return f"/tiles/{spec.name}/{{z}}/{{x}}/{{y}}.mvt{version}"
    return f"/api/map/{spec.name}.geojson{version}"


def _roles(view: MapView, w: Words) -> dict[str, dict[str, Any]]:
    return {
        role["key"]: {"label": w.pick(role), "rank": rank, "colour": role.get("colour", "")}
        for rank, role in enumerate(view.city.get("roles") or ())
    }


def map_config(view: MapView, *, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return what the map's scripts read: words, addresses, columns, states, rules.

    Parameters
    ----------
    view
        What the map shows.
    data
        Layers as GeoJSON to carry inside the page, for a map without a server.
    """
    w = words(view.lang)
    layers: dict[str, Any] = {}
    choices: dict[str, Any] = {}
    for spec in view.layers:
        layers[spec.name] = {"label": layer_label(spec.name, w), "kind": spec.kind, "columns": []}
        if data is not None and spec.kind == "tiles":
            layers[spec.name]["kind"] = "geojson"
        if spec.kind in ("circles", "surface"):
            continue
        layers[spec.name]["url"] = layer_address(spec, view)
        columns = [catalog_layer(spec.name).column(name) for name in (*spec.columns, *ALWAYS)]
        layers[spec.name]["columns"] = [[c.name, getattr(c, w.lang)] for c in columns]
        choices[spec.name] = {
            c.name: {choice.value: getattr(choice, w.lang) for choice in c.choices}
            for c in columns
            if c.choices
        }
    spoken = {key: w(f"map.{key}") for key in (
        "label", "loading", "failed", "retry", "empty", "open", "points", "circle",
            "cluster",
        "search_none", "zoom_in", "zoom_out",
    )}  # fmt: skip
    spoken |= {
        ("measure" if key == "title" else f"measure_{key}"): text
        for key, text in w.section("measure").items()
    }
    spoken |= {f"reach_{key}": text for key, text in w.section("reach").items()}
    return {
        "lang": w.lang,
        "words": spoken | {"demo": w("provenance.demo"), "yes": w("site.yes"), "no": w("site.no")},
        "extent": list(view.extent),
        "layers": layers,
        "choices": choices,
        "states": dict(view.states),
        "stateLabels": state_words(w, view.large_area_m2),
        "radii": dict(view.radii),
        "categories": {
            c["key"]: {"label": w.pick(c), "group": c.get("group", "facility")}
            for c in view.categories
        },
        "roles": _roles(view, w),
        "hasBase": view.basemap.kind != "none",
        "basemap": {"shift": _shift_grid(view)},
        "offline": data is not None,
        "data": data,
    }


def _shift_grid(view: MapView) -> dict[str, Any] | None:
    """Return by how much the base map's datum moves places, on a grid over the city."""
    shift = {"gcj02": wgs84_to_gcj02, "bd09": wgs84_to_bd09}.get(view.basemap.datum)
    if shift is None or view.basemap.kind == "none":
        return None
    west, south, east, north = view.extent
    size = 9
    lon, lat = np.meshgrid(np.linspace(west, east, size), np.linspace(south, north, size))
    there_lon, there_lat = shift(lon, lat)
    return {
        "west": west, "south": south,
        "step_lon": (east - west) / (size - 1), "step_lat": (north - south) / (size - 1),
        "dlon": np.round(there_lon - lon, 7).tolist(),
        "dlat": np.round(there_lat - lat, 7).tolist(),
    }  # fmt: skip
