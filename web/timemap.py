"""The map with a time slider: areas coloured by a share, one colouring a year.

Folium's TimeSliderChoropleth holds the data; our own script draws it, because the plugin's builds
its slider outside the page's frame, shows bare dates and needs three libraries more.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import folium
import folium.plugins
import shapely
import shapely.geometry
from folium.template import Template

from web.maps import MapParts, base_map, named, take_parts
from web.mapview import MapView

plugins: Any = folium.plugins

# ColorBrewer YlGnBu, safe for colour-blind readers: shares below each limit, then the rest.
STEPS: tuple[tuple[float, str], ...] = (
    (0.25, "#ffffcc"), (0.5, "#a1dab4"), (0.75, "#41b6c4"), (1.0, "#2c7fb8"),
    (float("inf"), "#253494"),
)  # fmt: skip
UNKNOWN = "#f0f0f0"


@dataclass(frozen=True)
class Ground:
    """What a map of areas lies on: the view (language, extent, base map), and the outlines.

    `names` is how areas are called in the page's language, where that differs from their name.
    """

    view: MapView
    outlines: Mapping[str, Any]
    names: Mapping[str, str] = field(default_factory=dict)


class _TimeSlider(plugins.TimeSliderChoropleth):
    """Folium's layer, handed to our script."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            const {{ this.get_name() }} = hatchmap.timeSlider({{ this._parent.get_name() }}, {
                data: {{ this.data|tojson }},
                styles: {{ this.styledict|tojson }},
                times: {{ this.timestamps|tojson }},
                labels: {{ this.labels|tojson }},
                years: {{ this.years|tojson }},
                extent: {{ this.extent|tojson }},
                start: {{ this.init_timestamp }},
            });
        {% endmacro %}
        """
    )
    default_js: Sequence[Any] = ()

    def __init__(
        self,
        data: Mapping[str, Any],
        styledict: dict[str, Any],
        *,
        labels: Mapping[str, Sequence[str]],
        years: Sequence[int],
        extent: Sequence[float],
        start: int,
    ) -> None:
        super().__init__(data, styledict, init_timestamp=start)
        self.labels = labels
        self.years = list(years)
        self.extent = list(extent)


def colour_of(share: float | None) -> str:
    """Return the colour of a share.

    >>> colour_of(0.3), colour_of(1.2), colour_of(None)
    ('#a1dab4', '#253494', '#f0f0f0')
    """
    if share is None:
        return UNKNOWN
    return next(colour for limit, colour in STEPS if share < limit)


def time_map(
    ground: Ground,
    shares: Mapping[str, Mapping[int, float | None]],
    *,
    years: Sequence[int],
    start: int,
    labels: Mapping[str, Mapping[int, str]] | None = None,
) -> MapParts:
    """Draw areas coloured by a share, with a slider over the years.

    Parameters
    ----------
    ground
        The view, and the areas as GeoJSON, each feature with `properties.name`.
    shares
        The share of each area by name and year; None or absent where it is not known.
    years
        The years of the slider, in order.
    start
        The year shown first.
    labels
        What stands in an area instead of its share in percent, by name and year.
    """
    features = [
        {
            **feature,
            "id": str(at),
            "properties": {
                "name": feature["properties"].get("name", ""),
                "at": label_place(feature["geometry"]),
            },
        }
        for at, feature in enumerate(ground.outlines.get("features", ()))
    ]
    # The plugin counts time in seconds; a year stands for its first day of UTC.
    stamps = {year: str(int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp())) for year in years}
    styles, texts, said = {}, {}, labels or {}
    for feature in features:
        name = feature["properties"]["name"]
        feature["properties"]["name"] = ground.names.get(name, name)
        own = shares.get(name, {})
        styles[feature["id"]] = {
            stamps[year]: {
                "color": colour_of(own.get(year)),
                "opacity": 0.8 if own.get(year) is not None else 0.35,
            }
            for year in years
        }
        worded = said.get(name, {})
        texts[feature["id"]] = [worded.get(year) or _percent(own.get(year)) for year in years]
    drawn = base_map(ground.view)
    layer = _TimeSlider(
        {"type": "FeatureCollection", "features": features},
        styles,
        labels=texts,
        years=years,
        extent=tight_extent(ground),
        start=list(years).index(start) if start in years else 0,
    )
    named(layer, "shares").add_to(drawn)
    return take_parts(drawn, ("board.js",))


def _percent(share: float | None) -> str:
    return "—" if share is None else f"{share:.0%}"


def tight_extent(ground: Ground) -> list[float]:
    """Return west, south, east, north of the largest part of each area: far islets draw no map."""
    shapes = [shapely.geometry.shape(dict(one["geometry"])) for one in ground.outlines["features"]]
    parts = [max(shapely.get_parts(one), key=lambda part: part.area) for one in shapes]
    return [float(edge) for edge in shapely.total_bounds(parts)] if parts else [*ground.view.extent]


def label_place(geometry: Mapping[str, Any]) -> list[float]:
    """Return latitude and longitude inside the largest part, so that islands draw no label away."""
    parts = shapely.get_parts(shapely.geometry.shape(dict(geometry)))
    largest = max(parts, key=lambda part: part.area)
    middle = largest.centroid if largest.contains(largest.centroid) else largest.point_on_surface()
    return [round(middle.y, 5), round(middle.x, 5)]
