"""The figures of a report as PNG pictures, the same bytes every time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.font_manager import FontProperties
from PIL import Image

from web.report.document import Document, Figure

_DPI = 200
_MM = 25.4
_COLOURS = 128  # enough for flat colours with smooth edges; a third of the bytes

Paint = Callable[[Figure], bytes]


@contextmanager
def painter(document: Document, font: bytes) -> Iterator[Paint]:
    """Give what paints the figures of a document with its font.

    Parameters
    ----------
    document
        The document.
    font
        The bytes of its font.
    """
    del document
    with tempfile.TemporaryDirectory(prefix="hatchmap-") as folder:
        file = Path(folder) / "font.ttf"
        file.write_bytes(font)

        def sized(size: float) -> FontProperties:
            return FontProperties(fname=str(file), size=size)

        yield lambda figure: _paint(figure, sized)


def _paint(figure: Figure, font: Callable[[float], Any]) -> bytes:
    size = (figure.width_mm / _MM, figure.height_mm / _MM)
    with rc_context({"hatch.linewidth": 0.6, "axes.unicode_minus": False}):
        canvas = Canvas(figsize=size, dpi=_DPI, layout=None)
        FigureCanvasAgg(canvas)
        figure.draw(canvas, font)
        for axes in canvas.axes:
            if axes.axison:
                axes.set_position(_room_for_labels(canvas, axes))
        drawn = BytesIO()
        canvas.savefig(drawn, format="png", metadata={"Software": None})
    with Image.open(drawn) as picture:
        flat = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    packed = BytesIO()
    flat.save(packed, "PNG", optimize=True)
    return packed.getvalue()


def _room_for_labels(canvas: Any, axes: Any) -> tuple[float, float, float, float]:
    """Return the place of axes that leaves room for their labels."""
    tight = axes.get_tightbbox(canvas.canvas.get_renderer())
    width, height = canvas.bbox.width, canvas.bbox.height
    box = axes.get_position()
    left = box.x0 + max(0.0, 0.01 - tight.x0 / width)
    bottom = box.y0 + max(0.0, 0.01 - tight.y0 / height)
    right = box.x1 - max(0.0, tight.x1 / width - 0.99)
    top = box.y1 - max(0.0, tight.y1 / height - 0.99)
    # Labels that leave room to spare give it to the bars.
    left -= max(0.0, tight.x0 / width - 0.01)
    right += max(0.0, 0.99 - tight.x1 / width)
    return (left, bottom, right - left, top - bottom)
