"""The page of siting: the question as a form, the map, and room for the answer.

The answer is drawn in the browser while the solver works; see `static/siting.js`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from web.frame import PageFrame, render
from web.maps import city_map
from web.mapview import MAP_LAYERS, MapLayer, MapView

_SHOWN_LAYERS = ("reporting_units", "industrial_towns", "incubators", "streets", "zones")
_SCRIPTS_LEFT_OUT = ("search.js", "reach.js")


@dataclass(frozen=True)
class SitingView(MapView):
    """The map behind the sites: what is there already."""

    @property
    def layers(self) -> tuple[MapLayer, ...]:
        """The layers that this map has."""
        kept = super().layers
        return tuple(spec for spec in MAP_LAYERS if spec in kept and spec.name in _SHOWN_LAYERS)


def siting_view(view: MapView) -> SitingView:
    """Return the map of siting for a city map."""
    return SitingView(**{one.name: getattr(view, one.name) for one in fields(view)})


def siting_page(
    *,
    frame: PageFrame,
    view: MapView,
    units: Sequence[str] = (),
    years: Sequence[int] = (),
    profiles: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Draw the form, the map and an empty answer.

    Parameters
    ----------
    frame
        What the frame says.
    view
        What the map shows.
    units
        Names of the reporting units.
    years
        Years of the plan that may still be programmed.
    profiles
        Who may walk, as in the rules.
    """
    w = frame.words
    drawn = city_map(siting_view(view))
    return render(
        "siting.html",
        frame=frame,
        page="siting",
        map=drawn,
        scripts=[url for url in drawn.scripts if not any(no in url for no in _SCRIPTS_LEFT_OUT)],
        units=units,
        years=years,
        profiles=[(one["key"], w.pick(one)) for one in profiles],
        words=w.section("siting_js"),
    )
