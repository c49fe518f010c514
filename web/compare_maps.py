"""Maps side by side that move together, and one of what differs.

Folium declares them; `static/compare_maps.js` draws towns and incubators on each from plain values.
"""

from __future__ import annotations

from typing import Any

import folium
import folium.plugins
from branca.element import CssLink, Figure, JavascriptLink, MacroElement
from folium.template import Template

from web.assets import link, static_url
from web.maps import MAX_ZOOM, MapParts, base_tiles
from web.mapview import MapView
from web.words import words

plugins: Any = folium.plugins
_NAMES = ("one", "two", "three")
_SCRIPTS = ("styles.js", "popup.js", "sync_maps.js", "compare_maps.js")


class _Together(MacroElement):
    """Lets a map move with others, as Folium's DualMap does for two."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            {%- for other in this.others %}
            {{ this.map }}.sync({{ other }});
            {{ other }}.sync({{ this.map }});
            {%- endfor %}
        {% endmacro %}
        """
    )

    def __init__(self, drawn: folium.Map, others: list[folium.Map]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name, self._id = "Together", "together"
        self.map = drawn.get_name()
        self.others = [other.get_name() for other in others]


class _Show(MacroElement):
    """Hands the maps to our script."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            hatchmap.compare.{{ this.what }}(
                [{{ this.maps|join(", ") }}], {{ this.extent|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, what: str, maps: list[folium.Map], view: MapView) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name, self._id = "Show", what
        self.what = what
        self.maps = [drawn.get_name() for drawn in maps]
        self.extent = list(view.extent)


def compare_maps(view: MapView, count: int) -> MapParts:
    """Draw two or three maps that move together.

    Parameters
    ----------
    view
        Extent and base map.
    count
        How many.
    """
    dual = plugins.DualMap(**_options(view))
    link(dual, js=())  # our server has its script beside the others
    figure: Any = dual._parent  # noqa: SLF001  DualMap has no public way
    maps = [dual.m1, dual.m2]
    if count > len(maps):
        third = folium.Map(**_options(view))
        figure.add_child(third)
        maps.append(third)
    for name, drawn in zip(_NAMES, maps, strict=False):
        _prepare(drawn, name, view)
    dual._id = "pair"  # noqa: SLF001  as in web.maps
    if count > 2:
        figure.add_child(_Together(maps[2], maps[:2]))
    figure.add_child(_Show("all", maps, view))
    return _parts(figure)


def difference_map(view: MapView) -> MapParts:
    """Draw one map for what differs."""
    figure = Figure()
    drawn = folium.Map(**_options(view))
    figure.add_child(drawn)
    _prepare(drawn, "difference", view)
    figure.add_child(_Show("differences", [drawn], view))
    return _parts(figure)


def _options(view: MapView) -> dict[str, Any]:
    west, south, east, north = view.extent
    return {
        "location": ((south + north) / 2, (west + east) / 2),
        "tiles": None,
        "zoom_start": 9,
        "control_scale": True,
        "zoom_snap": 0.5,
    }


def _prepare(drawn: folium.Map, name: str, view: MapView) -> None:
    drawn._id = name  # noqa: SLF001  as in web.maps
    drawn.options["max_zoom"] = MAX_ZOOM
    drawn.options["attribution_control"] = view.basemap.kind != "none"
    link(drawn, js=("leaflet/dist/leaflet.js",), css=("leaflet/dist/leaflet.css",))
    for tiles in base_tiles(view.basemap, words(view.lang)):
        tiles._id = f"{tiles._id}_{name}"  # noqa: SLF001  as in web.maps
        tiles.add_to(drawn)


def _parts(figure: Any) -> MapParts:
    figure.render()
    links = list(figure.header._children.values())  # noqa: SLF001  branca has no public way
    return MapParts(
        styles=tuple(child.url for child in links if isinstance(child, CssLink)),
        scripts=(
            *(child.url for child in links if isinstance(child, JavascriptLink)),
            *(static_url(name) for name in _SCRIPTS),
        ),
        body=figure.html.render(),
        script=figure.script.render(),
        config={},
    )
