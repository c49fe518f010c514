"""The maps of a report, drawn in metres: outlines, points by state, legend, scale and north."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import floor, log10
from typing import Any

import geopandas as gpd

from geo.crs import STORED_CRS
from geo.report import ReportPlaces
from web.report.charts import INK, MUTED, STATE_COLOURS
from web.words import Words

_MARKERS: Mapping[str, str] = {
    "operating_large": "o",
    "operating": "s",
    "planned_only": "^",
    "none": "X",
}
_CLASSES = (0.0, 0.25, 0.5, 0.75, 1.0)
_SHADES = ("#edf8fb", "#b3cde3", "#8c96c6", "#8856a7", "#810f7c")  # ColorBrewer BuPu
_HALO = 2.0


def draw_units(
    figure: Any, font: Any, places: ReportPlaces, shares: Mapping[str, float | None], w: Words
) -> None:
    """Draw the units shaded by a share of their target.

    Parameters
    ----------
    figure, font
        The matplotlib figure, and what makes the font of a size.
    places
        The outlines.
    shares
        Share of 1 by unit; None where it is not known.
    w
        The words of the legend.
    """
    from matplotlib.patches import Patch  # noqa: PLC0415 - matplotlib is slow to begin

    axes = _axes(figure)
    for name, outline in zip(places.units["name"], places.units.geometry, strict=True):
        share = shares.get(name)
        colour = "#ffffff" if share is None else _SHADES[_class_of(share)]
        gpd.GeoSeries([outline]).plot(
            ax=axes, color=colour, edgecolor="#4d5b61", linewidth=0.6,
            hatch="///" if share is None else None,
        )  # fmt: skip
    _name_units(axes, font, places, shares)
    legend = [
        Patch(facecolor=shade, edgecolor="#4d5b61", label=_class_label(at))
        for at, shade in enumerate(_SHADES)
    ]
    legend.append(
        Patch(facecolor="white", edgecolor="#4d5b61", hatch="///", label=w("report_map.unknown"))
    )
    _furnish(axes, font, places.units, legend, w)


def draw_towns(
    figure: Any, font: Any, places: ReportPlaces, states: Mapping[str, str], w: Words
) -> None:
    """Draw the industrial towns by state, and the incubators beneath."""
    from matplotlib.lines import Line2D  # noqa: PLC0415

    axes = _axes(figure)
    _ground(axes, places)
    dots = places.incubators.geometry
    axes.scatter(dots.x, dots.y, s=3, color="#9fb0b6", linewidths=0, zorder=2)
    for state in states:
        towns = places.towns.loc[places.towns["state"] == state].geometry
        axes.scatter(
            towns.x, towns.y, s=42, marker=_MARKERS[state], color=STATE_COLOURS[state],
            edgecolors="white", linewidths=0.8, zorder=3,
        )  # fmt: skip
    _name_points(axes, font, places.towns["name"], places.towns.geometry)
    legend = [
        Line2D(
            [],
            [],
            linestyle="",
            marker=_MARKERS[state],
            color=STATE_COLOURS[state],
            markersize=6.5,
            markeredgecolor="white",
            label=label,
        )
        for state, label in states.items()
    ]
    legend.append(
        Line2D(
            [],
            [],
            linestyle="",
            marker="o",
            color="#9fb0b6",
            markersize=3,
            label=w("report_map.incubators"),
        )
    )
    _furnish(axes, font, places.units, legend, w)


def draw_sites(
    figure: Any, font: Any, places: ReportPlaces, chosen: Sequence[Mapping[str, Any]], w: Words
) -> None:
    """Draw the sites chosen, and the towns that have no operating incubator."""
    from matplotlib.lines import Line2D  # noqa: PLC0415

    axes = _axes(figure)
    _ground(axes, places)
    bare = places.towns.loc[places.towns["state"].isin(["none", "planned_only"])]
    axes.scatter(bare.geometry.x, bare.geometry.y, s=46, marker="X", color=STATE_COLOURS["none"],
                 edgecolors="white", linewidths=0.8, zorder=3)  # fmt: skip
    points = gpd.GeoSeries(
        gpd.points_from_xy([row["lon"] for row in chosen], [row["lat"] for row in chosen]),
        crs=STORED_CRS,
    ).to_crs(places.crs)
    axes.scatter(points.x, points.y, s=52, marker="D", color="#2166ac", edgecolors="white",
                 linewidths=0.8, zorder=4)  # fmt: skip
    _name_points(axes, font, [str(row["name"]) for row in chosen], points)
    legend = [
        Line2D([], [], linestyle="", marker="D", color="#2166ac", label=w("report_map.chosen")),
        Line2D(
            [],
            [],
            linestyle="",
            marker="X",
            color=STATE_COLOURS["none"],
            label=w("report_map.bare"),
        ),
    ]
    _furnish(axes, font, places.units, legend, w)


def _class_of(share: float) -> int:
    return sum(share >= bound for bound in _CLASSES) - 1 if share >= 0 else 0


def _class_label(at: int) -> str:
    if at == len(_CLASSES) - 1:
        return "≥ 100%"
    return f"{_CLASSES[at]:.0%} – {_CLASSES[at + 1]:.0%}"


def _axes(figure: Any) -> Any:
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_aspect("equal")
    return axes


def _ground(axes: Any, places: ReportPlaces) -> None:
    if len(places.units):
        places.units.plot(ax=axes, color="#f4f6f4", edgecolor="#8a989d", linewidth=0.6, zorder=1)


def _name_units(
    axes: Any, font: Any, places: ReportPlaces, shares: Mapping[str, float | None]
) -> None:
    for name, at in zip(
        places.units["name"], places.units.geometry.representative_point(), strict=True
    ):
        share = shares.get(name)
        text = name if share is None else f"{name}\n{share:.0%}"
        axes.text(at.x, at.y, text, ha="center", va="center", fontproperties=font(7.5), color=INK,
                  path_effects=_halo(), zorder=5)  # fmt: skip


def _name_points(axes: Any, font: Any, names: Any, points: gpd.GeoSeries) -> None:
    for name, at in zip(names, points, strict=True):
        axes.annotate(
            name, (at.x, at.y), xytext=(4, 3), textcoords="offset points", color=INK,
            fontproperties=font(6.2), path_effects=_halo(), zorder=6,
        )  # fmt: skip


def _halo() -> list[Any]:
    from matplotlib.patheffects import withStroke  # noqa: PLC0415

    return [withStroke(linewidth=_HALO, foreground="white")]


def _furnish(axes: Any, font: Any, units: gpd.GeoDataFrame, legend: list[Any], w: Words) -> None:
    """Add legend, scale bar and north arrow, inside the extent drawn."""
    axes.legend(handles=legend, prop=font(8), loc="lower left", frameon=True, framealpha=0.94,
                edgecolor="#c9d3d6")  # fmt: skip
    if len(units):
        west, south, east, north = units.total_bounds
        axes.set_xlim(west - 0.28 * (east - west), east + 0.05 * (east - west))
        axes.set_ylim(south - 0.04 * (north - south), north + 0.04 * (north - south))
    width = axes.get_xlim()[1] - axes.get_xlim()[0]
    length_m = _round_length(width / 6)
    label = f"{length_m / 1000:g} km" if length_m >= 1000 else f"{length_m:g} m"
    share, x, y = length_m / width, 0.95, 0.05
    axes.plot([x - share, x], [y, y], transform=axes.transAxes, color=INK, linewidth=2.4,
              solid_capstyle="butt")  # fmt: skip
    axes.text(x - share / 2, y + 0.012, label, transform=axes.transAxes, ha="center", va="bottom",
              fontproperties=font(8), color=INK, path_effects=_halo())  # fmt: skip
    axes.annotate(
        w("report_map.north"), xy=(0.95, 0.97), xytext=(0.95, 0.88), xycoords="axes fraction",
        ha="center", va="center", fontproperties=font(9), color=INK,
        arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.6},
    )  # fmt: skip
    axes.text(0.95, 0.02, w("report_map.metres"), transform=axes.transAxes, ha="right", va="bottom",
              fontproperties=font(6), color=MUTED)  # fmt: skip


def _round_length(length_m: float) -> float:
    """Return the largest of 1, 2 and 5 times a power of ten that is not longer.

    >>> _round_length(17_300), _round_length(630)
    (10000.0, 500.0)
    """
    power = 10.0 ** floor(log10(max(length_m, 1.0)))
    return max(step * power for step in (1.0, 2.0, 5.0) if step * power <= max(length_m, 1.0))
