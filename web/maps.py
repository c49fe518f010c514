"""Maps: the city on a Folium map whose every script, style and layer comes from our own server.

Folium declares the map, its layers and controls; large layers are not in the page but are fetched
when they are first shown (GeoJSON, or vector tiles above a few thousand features). `offline_map`
puts everything into one file instead, for a disk without a network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import folium
import folium.plugins
import geopandas as gpd
import orjson
from branca.element import CssLink, Element, JavascriptLink, MacroElement
from folium.map import CustomPane
from folium.template import Template

from web.assets import inline, link, static_url
from web.features import MAP_TOLERANCE_DEG, collection
from web.frame import PageFrame, render
from web.mapview import (
    ALWAYS,
    MAP_LAYERS,
    Basemap,
    MapLayer,
    MapView,
    layer_address,
    layer_label,
    legend,
    map_config,
)
from web.words import Words, words

__all__ = ["Basemap", "MapParts", "MapView", "city_map", "legend", "offline_map"]

plugins: Any = folium.plugins  # most of them carry no types

MAX_ZOOM = 18
_COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)  # plugins' remarks need not travel
SCRIPTS = (
    "styles.js",
    "popup.js",
    "page.js",
    "measure.js",
    "search.js",
    "hash.js",
    "reach.js",
    "map.js",
)


@dataclass(frozen=True)
class MapParts:
    """A map in the parts that a page puts in their places.

    Parameters
    ----------
    styles, scripts
        Addresses on our own server, in the order that they are needed.
    body
        The element that the map is drawn in.
    script
        What draws it.
    config
        What our own scripts read, as JSON.
    """

    styles: tuple[str, ...]
    scripts: tuple[str, ...]
    body: str
    script: str
    config: Mapping[str, Any]


class _Attach(MacroElement):
    """Hands Folium's layers to our scripts, which fill each when it is first shown."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            {%- if this.shifted %}
            hatchmap.config.basemap.shift &&
                [{{ this.shifted|join(", ") }}].forEach(
                    (layer) => hatchmap.shiftTiles(layer, hatchmap.config.basemap.shift));
            {%- endif %}
            hatchmap.attach({{ this._parent.get_name() }}, {
                {%- for name, variable in this.layers.items() %}
                {{ name|tojson }}: {{ variable }},
                {%- endfor %}
            }, hatchmap.config);
        {% endmacro %}
        """
    )

    def __init__(self, layers: Mapping[str, str], shifted: Sequence[str]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Attach"
        self.layers = dict(layers)
        self.shifted = list(shifted)


class _Measure(MacroElement):
    """The measuring tool: Folium's own plugin compiles text as code, which our pages forbid."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            hatchmap.measure.control().addTo({{ this._parent.get_name() }});
        {% endmacro %}
        """
    )

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Measure"


def city_map(view: MapView, *, data: Mapping[str, Any] | None = None) -> MapParts:
    """Draw the city map.

    Parameters
    ----------
    view
        What it shows.
    data
        Layers as GeoJSON to carry inside the page instead of fetching them.
    """
    w = words(view.lang)
    drawn = base_map(view)
    groups: dict[str, list[Any]] = {}
    names: dict[str, str] = {}
    for spec in view.layers:
        if spec.kind == "surface" and not view.categories:
            continue
        if data is not None and spec.name != "circles" and spec.name not in data:
            continue
        element = named(_layer_element(spec, view, w, inlined=data is not None), spec.name)
        element.add_to(drawn)
        groups.setdefault(w(f"group.{spec.group}"), []).append(element)
        names[spec.name] = element.get_name()
    _add_controls(drawn, groups, w)
    tiles = [child.get_name() for child in children(drawn) if isinstance(child, folium.TileLayer)]
    base = [name for name in tiles if name not in names.values()]
    named(_Attach(names, base), "layers").add_to(drawn)
    parts = take_parts(drawn, SCRIPTS)
    script = _COMMENT.sub("", parts.script)
    return replace(parts, script=script, config=map_config(view, data=data))


def take_parts(drawn: folium.Map, scripts: Sequence[str]) -> MapParts:
    """Return a map in the parts that a page puts in their places.

    Parameters
    ----------
    drawn
        The map.
    scripts
        Our own files under `static/`, run after those that the map links.
    """
    figure: Any = drawn.get_root()
    figure.render()
    links = children(figure.header)
    return MapParts(
        styles=tuple(child.url for child in links if isinstance(child, CssLink)),
        scripts=(
            *(child.url for child in links if isinstance(child, JavascriptLink)),
            *(static_url(name) for name in scripts),
        ),
        body=figure.html.render(),
        script=figure.script.render(),
        config={},
    )


def offline_map(view: MapView, *, data: Mapping[str, gpd.GeoDataFrame | Mapping[str, Any]]) -> str:
    """Draw the city map as one file that opens from disk without any network.

    Parameters
    ----------
    view
        What it shows; a base map is left out.
    data
        The layers, as frames or as GeoJSON.
    """
    alone = replace(view, basemap=Basemap())
    layers = {name: _geojson(name, layer) for name, layer in data.items()}
    parts = city_map(alone, data=layers)
    frame = PageFrame(
        lang=view.lang, demo_counted=view.demo_counted, review_number=view.review_number,
        data_date=view.data_date, city=view.city,
    )  # fmt: skip
    return render(
        "offline.html",
        frame=frame,
        page="home",
        map=parts,
        legend=legend(view),
        styles=[inline(url) for url in (*parts.styles, static_url("site.css"))],
        scripts=[inline(url) for url in parts.scripts],
    )


def base_map(view: MapView) -> folium.Map:
    """Return a map with its base tiles and panes and nothing on it yet."""
    w = words(view.lang)
    west, south, east, north = view.extent
    drawn: folium.Map = named(
        folium.Map(
            location=((south + north) / 2, (west + east) / 2),
            tiles=None,
            control_scale=True,
            zoom_start=9,
            zoom_snap=0.5,
            attribution_control=view.basemap.kind != "none",
        ),
        "city",
    )
    drawn.options["max_zoom"] = MAX_ZOOM  # the parameter of the same name is for tiles only
    link(drawn, js=("leaflet/dist/leaflet.js",), css=("leaflet/dist/leaflet.css",))
    for tiles in base_tiles(view.basemap, w):
        tiles.add_to(drawn)
    named(CustomPane("grids", z_index=450, pointer_events=True), "grids").add_to(drawn)
    named(CustomPane("labels", z_index=560), "labels").add_to(drawn)
    named(CustomPane("zones-reach", z_index=440), "zones").add_to(drawn)
    return drawn


def base_tiles(basemap: Basemap, w: Words) -> list[folium.TileLayer]:
    """Return the tiles of a base map, none where there is none."""
    common: dict[str, Any] = {"overlay": True, "control": False, "max_zoom": MAX_ZOOM}
    if basemap.kind == "tianditu":
        address = (
            "https://t{{s}}.tianditu.gov.cn/{layer}_w/wmts?SERVICE=WMTS&REQUEST=GetTile"
            "&VERSION=1.0.0&LAYER={layer}&STYLE=default&TILEMATRIXSET=w&FORMAT=tiles"
            "&TILEMATRIX={{z}}&TILEROW={{y}}&TILECOL={{x}}&tk={key}"
        )
        attribution = basemap.attribution or w("basemap.tianditu")
        return [
            named(
                folium.TileLayer(
                    address.format(layer=layer, key=quote(basemap.key, safe="")),
                    attr=attribution, subdomains="01234567", name=layer, **common,
                ),
                layer,
            )
            for layer in ("vec", "cva")
        ]  # fmt: skip
    if basemap.kind == "url":
        attribution = basemap.attribution or w("basemap.custom")
        tiles = folium.TileLayer(basemap.url, attr=attribution, name="base", **common)
        return [named(tiles, "base")]
    return []


def plain_tiles(basemap: Basemap, w: Words) -> dict[str, Any] | None:
    """Return the tiles under a small map: addresses, sub-domains, attribution.

    None without a base map, or where its datum is shifted: a place picked there would be wrong.
    """
    if basemap.kind == "none" or basemap.datum not in ("wgs84", "cgcs2000"):
        return None
    layers = base_tiles(basemap, w)
    return {
        "urls": [layer.tiles for layer in layers],
        "subdomains": str(layers[0].options.get("subdomains", "abc")),
        "attribution": basemap.attribution,
    }


def children(element: Element) -> list[Any]:
    """Return what an element holds."""
    return list(element._children.values())  # noqa: SLF001  branca has no public way


def _layer_element(spec: MapLayer, view: MapView, w: Words, *, inlined: bool) -> Any:
    name = f'<span class="swatch swatch-{spec.swatch}"></span>{layer_label(spec.name, w)}'
    shown: dict[str, Any] = {"name": name, "show": spec.shown}
    if spec.kind == "cluster":
        cluster = plugins.MarkerCluster(
            **shown,
            icon_create_function="hatchmap.clusterIcon",
            max_cluster_radius=42,
            show_coverage_on_hover=False,
            disable_clustering_at_zoom=15,
            chunked_loading=True,
        )
        return link(
            cluster,
            js=("leaflet.markercluster/dist/leaflet.markercluster.js",),
            css=("leaflet.markercluster/dist/MarkerCluster.css",),
        )
    if spec.kind == "tiles" and not inlined:
        grid = plugins.VectorGridProtobuf(
            layer_address(spec, view),
            options=f'hatchmap.gridOptions("{spec.name}", hatchmap.config)',
            **shown,
        )
        return link(grid, js=("leaflet.vectorgrid/dist/Leaflet.VectorGrid.bundled.min.js",))
    if spec.kind == "surface":
        first = view.categories[0]["key"]
        return folium.TileLayer(
            layer_address(spec, view), attr=" ", overlay=True, category=first, pane="grids", **shown
        )
    return folium.FeatureGroup(**shown)


def _add_controls(drawn: folium.Map, groups: Mapping[str, list[Any]], w: Words) -> None:
    full = plugins.Fullscreen(
        title=w("map.full_screen"), title_cancel=w("map.full_screen_exit"),
        force_separate_button=True,
    )  # fmt: skip
    link(
        full, js=("leaflet.fullscreen/Control.FullScreen.js",),
        css=("leaflet.fullscreen/Control.FullScreen.css",),
    ).add_to(drawn)  # fmt: skip
    named(_Measure(), "measure").add_to(drawn)
    control = plugins.GroupedLayerControl(groups, exclusive_groups=False, collapsed=False)
    folder = "leaflet-groupedlayercontrol/dist/leaflet.groupedlayercontrol.min"
    link(control, js=(f"{folder}.js",), css=(f"{folder}.css",)).add_to(drawn)


def named(element: Any, name: str) -> Any:
    """Give an element a name instead of a random one, so that equal maps are equal bytes."""
    element._id = name  # noqa: SLF001  branca has no public way
    return element


def _geojson(name: str, layer: gpd.GeoDataFrame | Mapping[str, Any]) -> Any:
    if not isinstance(layer, gpd.GeoDataFrame):
        return layer
    spec = next(spec for spec in MAP_LAYERS if spec.name == name)
    columns = ["name", "name_en", *spec.columns, *ALWAYS]
    columns += {
        "incubators": ["setting"],
        "industrial_towns": ["code"],
        "reporting_units": ["centre_lon", "centre_lat"],
    }.get(name, [])
    text = collection(name, layer, columns=columns, tolerance_deg=MAP_TOLERANCE_DEG)
    return orjson.Fragment(text)
