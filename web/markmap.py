"""A small map inside a page: areas with a label, and marks that lead to a row of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from branca.element import MacroElement
from folium.template import Template

from web.maps import MapParts, base_map, named, take_parts
from web.mapview import MapView
from web.timemap import Ground, label_place, tight_extent


@dataclass(frozen=True)
class Mark:
    """A mark on the map: told by a sign as well as by colour; `href` is where a click leads."""

    lon: float
    lat: float
    sign: str
    colour: str
    text: str
    href: str = ""


@dataclass(frozen=True)
class AreaLook:
    """How an area looks: its colour, the label in it, and whether its edge is broken."""

    colour: str
    label: str = ""
    dashed: bool = False


class _Call(MacroElement):
    """Hands a map and data to one of our own functions."""

    _template = Template(
        """
        {% macro script(this, kwargs) %}
            hatchmap.{{ this.function }}({{ this._parent.get_name() }}, {{ this.data|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, function: str, data: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Call"
        self.function = function
        self.data = dict(data)


def call_map(
    view: MapView, function: str, data: Mapping[str, Any], *, script: str = "board.js"
) -> MapParts:
    """Draw a bare map and hand it to a function of one of our own scripts.

    Parameters
    ----------
    view
        Language and base map.
    function
        The function's name under `hatchmap`.
    data
        What it is given beside the map.
    script
        The file under `static/` that holds it.
    """
    drawn = base_map(view)
    named(_Call(function, data), "call").add_to(drawn)
    return take_parts(drawn, (script,))


def mark_map(
    ground: Ground, *, looks: Mapping[str, AreaLook], marks: Sequence[Mark] = ()
) -> MapParts:
    """Draw areas and marks.

    Parameters
    ----------
    ground
        The view, and the areas as GeoJSON, each feature with `properties.name`.
    looks
        How the area of each name looks; an area without is drawn as an outline.
    marks
        The marks.
    """
    features = []
    for feature in ground.outlines.get("features", ()):
        name = feature["properties"].get("name", "")
        look = looks.get(name)
        said = {
            "name": ground.names.get(name, name),
            "at": label_place(feature["geometry"]),
            **(asdict(look) if look else {"colour": "", "label": "", "dashed": False}),
        }
        features.append({**feature, "properties": said})
    data = {
        "data": {"type": "FeatureCollection", "features": features},
        "marks": [asdict(mark) for mark in marks],
        "extent": tight_extent(ground),
    }
    return call_map(ground.view, "markMap", data)
