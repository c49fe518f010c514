"""The staff's map of the shortage: units coloured by the area that demands ask for in vain."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from typing import Any

import folium
import geopandas as gpd

from layers.catalog import layer
from web.frame import PageFrame, number, render
from web.maps import MapParts, base_map, named, take_parts
from web.mapview import MapView
from web.rows import Result, worded
from web.words import Words

# ColorBrewer OrRd, safe for colour-blind readers; the first where nothing lacks.
COLOURS = ("#f0f0f0", "#fdd49e", "#fdbb84", "#fc8d59", "#e34a33", "#b30000")


def shortage_page(
    report: Result | None,
    *,
    frame: PageFrame,
    ground: gpd.GeoDataFrame | None,
    view: MapView,
    held: Mapping[str, str],
    job: Mapping[str, Any] | None,
) -> str:
    """Draw the shortage.

    Parameters
    ----------
    report
        The sums as plain values; None while the matching behind them is being made.
    frame
        What the frame says.
    ground
        The units with their sums.
    view
        What the map shows.
    held
        What the address holds: `industry`, `kind`, `job`.
    job
        The job that makes the matching, as its status says.
    """
    w = frame.words
    kinds = layer("demands").column("kind")
    drawn = None if report is None or ground is None else _map(ground, view, w)
    return render(
        "shortage.html",
        frame=frame,
        page="shortage",
        report=report,
        job=job,
        waiting=report is None and job is not None and job["status"] in ("accepted", "running"),
        held=held,
        map=drawn,
        legend=[] if ground is None else _legend(steps_of(ground["area_m2"].tolist()), w),
        units=[] if report is None else [_unit(one, w) for one in report["units"]],
        industries=_choices(report, "industries", held["industry"]),
        kinds=[
            (key, worded(kinds, key, w), count)
            for key, count in _choices(report, "kinds", held["kind"])
        ],
        words=w.section("match_js"),
    )


def steps_of(areas_m2: Sequence[float]) -> list[float]:
    """Return the lower limits of the colours above the first, at round figures.

    >>> steps_of([0.0, 480.0, 9_300.0])
    [0.0, 2000.0, 4000.0, 6000.0, 8000.0]
    """
    most = max(areas_m2, default=0.0)
    if most <= 0.0:
        return [0.0]
    raw = most / (len(COLOURS) - 1)
    unit = 10.0 ** math.floor(math.log10(raw))
    step = unit * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * unit >= raw)
    return [step * at for at in range(len(COLOURS) - 1) if step * at < most]


def colour_of(area_m2: float, steps: Sequence[float]) -> str:
    """Return the colour of an area.

    >>> colour_of(0.0, [0.0, 100.0]), colour_of(20.0, [0.0, 100.0]), colour_of(101.0, [0.0, 100.0])
    ('#f0f0f0', '#fdd49e', '#fdbb84')
    """
    return COLOURS[sum(area_m2 > limit for limit in steps)]


def _legend(steps: Sequence[float], w: Words) -> list[tuple[str, str]]:
    ends = [*steps[1:], None]
    spans = [
        w("shortage.over", low=number(low)) if high is None
        else w("shortage.between", low=number(low), high=number(high))
        for low, high in zip(steps, ends, strict=True)
    ]  # fmt: skip
    return [(COLOURS[0], w("shortage.nothing")), *zip(COLOURS[1:], spans, strict=False)]


def _map(ground: gpd.GeoDataFrame, view: MapView, w: Words) -> MapParts:
    """Draw the units with their figures."""
    drawn = base_map(view)
    steps = steps_of(ground["area_m2"].tolist())
    for row in ground.itertuples():
        area = float(row.area_m2)
        name = w.pick({"zh": row.unit, "en": row.name_en or row.unit})
        said = w("shortage.label", name=name, area=number(area), demands=row.demands)
        shape = folium.GeoJson(
            row.geometry.__geo_interface__,
            style_function=partial(_style, colour_of(area, steps)),
        )
        named(shape, f"unit_{row.Index}").add_to(drawn)
        named(folium.Tooltip(escape(said)), f"tip_{row.Index}").add_to(shape)
        if area:
            place = row.geometry.representative_point()
            icon = folium.DivIcon(
                html=f'<span class="shortage-label">{escape(number(area))}</span>',
                icon_size=(80, 20), icon_anchor=(40, 10), class_name="",
            )  # fmt: skip
            mark = named(folium.Marker((place.y, place.x), interactive=False), f"m_{row.Index}")
            named(icon, f"icon_{row.Index}").add_to(mark)
            mark.add_to(drawn)
    west, south, east, north = view.extent
    drawn.fit_bounds([[south, west], [north, east]])
    return take_parts(drawn, ("page.js",))


def _style(fill: str, _feature: Any) -> dict[str, Any]:
    return {"color": "#37474f", "weight": 1, "fillColor": fill, "fillOpacity": 0.85}


def _choices(report: Result | None, name: str, held: str) -> list[tuple[str, int]]:
    """Return what can be chosen, with counts; what was chosen stays, even where it counts none."""
    sums = {} if report is None else report[name]
    found = [(key, one["demands"]) for key, one in sums.items() if key]
    return found if not held or held in sums else [*found, (held, 0)]


def _unit(one: Result, w: Words) -> dict[str, Any]:
    return {**one, "unit": one["unit"] or w("shortage.nowhere"), "why": w(f"cause.{one['cause']}")}
