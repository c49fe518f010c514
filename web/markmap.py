"""A small map inside a page: areas with a label, and marks that lead to a row of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from branca.element import CssLink, JavascriptLink, MacroElement
from folium.template import Template

from web.assets import static_url
from web.maps import MapParts, base_map, children, named
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


class _Marks(MacroElement):
    _template = Template(
        """
        {% macro script(this, kwargs) %}
            hatchmap.markMap({{ this._parent.get_name() }}, {{ this.drawn|tojson }});
        {% endmacro %}
        """
    )

    def __init__(self, drawn: Mapping[str, Any]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._name = "Marks"
        self.drawn = dict(drawn)


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
        look = looks.get(feature["properties"].get("name", ""))
        said = {
            "name": feature["properties"].get("name", ""),
            "at": label_place(feature["geometry"]),
            **(asdict(look) if look else {"colour": "", "label": "", "dashed": False}),
        }
        features.append({**feature, "properties": said})
    drawn = base_map(ground.view)
    layer = _Marks(
        {
            "data": {"type": "FeatureCollection", "features": features},
            "marks": [asdict(mark) for mark in marks],
            "extent": tight_extent(ground),
        }
    )
    named(layer, "marks").add_to(drawn)
    figure: Any = drawn.get_root()
    figure.render()
    links = children(figure.header)
    return MapParts(
        styles=tuple(child.url for child in links if isinstance(child, CssLink)),
        scripts=(
            *(child.url for child in links if isinstance(child, JavascriptLink)),
            static_url("board.js"),
        ),
        body=figure.html.render(),
        script=figure.script.render(),
        config={},
    )
