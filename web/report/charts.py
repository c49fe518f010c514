"""The charts of a report: bars that carry their figures, in colours that all eyes tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# ColorBrewer, safe for the colour-blind; hatches tell states apart in black and white.
INK, MUTED, BLUE, RULE = "#1d2b31", "#5b6b72", "#2b6c94", "#c9d3d6"
STATE_COLOURS: Mapping[str, str] = {
    "operating_large": "#1b7837",
    "operating": "#7fbf7b",
    "planned_only": "#fdb863",
    "none": "#b2182b",
}
STATE_HATCHES: Mapping[str, str] = {
    "operating_large": "",
    "operating": "//",
    "planned_only": "..",
    "none": "xx",
}


def draw_shares(
    figure: Any,
    font: Any,
    shares: Mapping[str, float | None],
    expected: float | None,
    titles: tuple[str, str],
) -> None:
    """Draw shares as bars, with a line where they should be by now.

    Parameters
    ----------
    figure
        The matplotlib figure to draw on.
    font
        Makes the font of a size.
    shares
        Share of 1 by label; None is shown as not known.
    expected
        The share that is due; None for no line.
    titles
        Of the axis, and of the line.
    """
    axes = _axes(figure)
    values = [value or 0.0 for value in shares.values()]
    at = range(len(values))
    axes.barh(at, values, color=BLUE, height=0.62)
    for row, value in enumerate(shares.values()):
        label = "—" if value is None else f"{value:.0%}"
        axes.text((value or 0) + 0.01 * max(*values, 0.5), row, label, va="center",
                  fontproperties=font(8), color=INK)  # fmt: skip
    if expected is not None:
        axes.axvline(expected, color="#b35806", linewidth=1.4, linestyle="--")
        axes.text(expected, -0.95, f"{titles[1]} {expected:.0%}", ha="center", va="bottom",
                  fontproperties=font(8), color="#b35806")  # fmt: skip
    axes.set_xlim(0, max(*values, expected or 0, 0.1) * 1.12)
    axes.xaxis.set_major_formatter(lambda value, _at: f"{value:.0%}")
    _label(axes, font, list(shares), titles[0])


def draw_bars(figure: Any, font: Any, values: Mapping[str, float], title: str) -> None:
    """Draw amounts as bars, each with its figure."""
    axes = _axes(figure)
    axes.barh(range(len(values)), list(values.values()), color=BLUE, height=0.62)
    most = max(values.values(), default=1) or 1
    for row, value in enumerate(values.values()):
        axes.text(value + most * 0.01, row, f"{value:,.0f}", va="center", color=INK,
                  fontproperties=font(8))  # fmt: skip
    axes.set_xlim(0, most * 1.14)
    axes.xaxis.set_major_formatter(lambda value, _at: f"{value:,.0f}")
    _label(axes, font, list(values), title)


def draw_stack(
    figure: Any, font: Any, rows: Mapping[str, Sequence[int]], states: Mapping[str, str]
) -> None:
    """Draw counts by state, one bar a row, parted into states."""
    axes = _axes(figure)
    left = [0] * len(rows)
    for at, (state, label) in enumerate(states.items()):
        counts = [values[at] for values in rows.values()]
        axes.barh(
            range(len(rows)), counts, left=left, label=label, height=0.66,
            color=STATE_COLOURS[state], hatch=STATE_HATCHES[state], edgecolor="white",
        )  # fmt: skip
        for row, (start, count) in enumerate(zip(left, counts, strict=True)):
            if count:
                axes.text(start + count / 2, row, str(count), ha="center", va="center",
                          fontproperties=font(8), color="#111",
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8})  # fmt: skip
        left = [start + count for start, count in zip(left, counts, strict=True)]
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.legend(prop=font(8), loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, frameon=False)
    _label(axes, font, list(rows), "")


def _axes(figure: Any) -> Any:
    axes = figure.add_subplot()
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(RULE)
    axes.grid(axis="x", color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    return axes


def _label(axes: Any, font: Any, labels: Sequence[str], title: str) -> None:
    axes.set_yticks(range(len(labels)), labels, fontproperties=font(8.5))
    axes.tick_params(length=0, colors=INK)
    axes.invert_yaxis()
    for tick in axes.get_xticklabels():
        tick.set_fontproperties(font(8))
    axes.set_xlabel(title, fontproperties=font(8), color=MUTED)
