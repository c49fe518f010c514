"""The small map of one place: its walking zones and what is in them, as a drawing in the page.

Drawn here and not by a script: it prints, needs nothing to be loaded, and says in words what it
shows to those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

_WIDTH, _HEIGHT, _EDGE = 480.0, 360.0, 14.0
_LEAST_M = 400.0  # half the height of the ground shown, at least
_METRES = 111_320.0  # a degree of latitude
_STEPS = ("5", "10", "15")
Point = tuple[float, float]


class _Sheet:
    """Turns degrees round a place into the units of the drawing."""

    def __init__(self, lon: float, lat: float, half_m: float) -> None:
        self._lon, self._lat = lon, lat
        self._across = _METRES * math.cos(math.radians(lat))
        self.scale = (_HEIGHT / 2 - _EDGE) / half_m  # units a metre

    def put(self, lon: float, lat: float) -> Point:
        x = (lon - self._lon) * self._across * self.scale
        y = (lat - self._lat) * _METRES * self.scale
        return round(_WIDTH / 2 + x, 1), round(_HEIGHT / 2 - y, 1)


def draw_minimap(
    zones: Mapping[str, Any],
    *,
    groups: Mapping[str, str],
    spots: Sequence[Mapping[str, Any]],
    label: str,
    here: str,
) -> Markup:
    """Draw the zones of a place and the amenities in them.

    Parameters
    ----------
    zones
        The zones as GeoJSON, with `origin`.
    groups
        The group of each category, for the colour of its dots.
    spots
        Amenities: `lon`, `lat`, `category`.
    label
        What the drawing shows, in words.
    here
        What stands at the place.
    """
    lon, lat = zones["origin"]["lon"], zones["origin"]["lat"]
    rings = [
        (number, [ring for part in zone["geometry"]["coordinates"] for ring in part])
        for number, zone in enumerate(zones["features"], 1)
    ]
    across = math.cos(math.radians(lat))
    reach = max(
        (
            max(abs(x - lon) * across * _HEIGHT / _WIDTH, abs(y - lat)) * _METRES
            for _, outlines in rings
            for ring in outlines
            for x, y in ring
        ),
        default=0.0,
    )
    sheet = _Sheet(lon, lat, max(reach, _LEAST_M))
    drawn = [
        f'<path class="zone zone-{number}" fill-rule="evenodd" d="{_outline(outlines, sheet)}"/>'
        for number, outlines in reversed(rings)
    ]
    for spot in spots:
        x, y = sheet.put(spot["lon"], spot["lat"])
        group = escape(groups.get(spot["category"], ""))
        drawn.append(f'<circle class="spot spot-{group}" cx="{x}" cy="{y}" r="3"/>')
    x, y = sheet.put(lon, lat)
    drawn.append(f'<circle class="here" cx="{x}" cy="{y}" r="6"/>')
    drawn.append(f'<text class="here-name" x="{x + 10}" y="{y - 8}">{escape(here)}</text>')
    drawn.append(_bar(sheet))
    return Markup(  # noqa: S704 - numbers, and texts escaped above
        f'<svg class="minimap" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" role="img" '
        f'aria-label="{escape(label)}">{"".join(drawn)}</svg>'
    )


def _outline(rings: Iterable[Sequence[Sequence[float]]], sheet: _Sheet) -> str:
    parts = []
    for ring in rings:
        places = dict.fromkeys(sheet.put(x, y) for x, y in ring)
        parts.append("M" + "L".join(f"{x} {y}" for x, y in places) + "Z")
    return "".join(parts)


def _bar(sheet: _Sheet) -> str:
    """Draw a scale bar of a round length."""
    metres = next(
        m for m in (2000, 1000, 500, 200, 100) if m * sheet.scale < _WIDTH / 3 or m == 100
    )
    x, y, length = _EDGE, _HEIGHT - _EDGE, round(metres * sheet.scale, 1)
    return (
        f'<path class="scale" d="M{x} {y - 4}V{y}H{x + length}V{y - 4}"/>'
        f'<text class="scale-name" x="{x + length + 6}" y="{y}">{metres} m</text>'
    )
