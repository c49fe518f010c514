"""What the checks look at: the records of a store, each layer read once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from geo.crs import project
from geo.errors import NotFoundError
from layers.ingest.gazetteer import Gazetteer, read_gazetteer
from layers.store import Store

SHOWN = 5


@dataclass(frozen=True)
class Found:
    """One finding of a check; the fields are those of `layers.check.Finding`."""

    name: str
    level: Literal["error", "warning", "info"]
    layer: str
    ids: tuple[str, ...]
    detail_zh: str
    detail_en: str


class World:
    """The records of a store, read when first asked for.

    Parameters
    ----------
    store
        The store checked.
    today
        The day of the check.
    """

    def __init__(self, store: Store, today: pd.Timestamp) -> None:
        self.store = store
        self.today = today
        self._frames: dict[str, Any] = {}

    def frame(self, layer: str) -> Any:
        """Return all records of a layer."""
        if layer not in self._frames:
            self._frames[layer] = self.store.read(layer)
        return self._frames[layer]

    def rule(self, name: str) -> Mapping[str, Any]:
        """Return the rules of a name, nothing when there are none."""
        try:
            return self.store.rules(name).body
        except NotFoundError:
            return {}

    @cached_property
    def gazetteer(self) -> Gazetteer:
        """The names and polygons of the city."""
        return read_gazetteer(self.store)

    @cached_property
    def metric_crs(self) -> str:
        """The coordinate system to measure in."""
        return self.store.metric_crs.to_string()

    def metric(self, geometries: Any) -> npt.NDArray[np.object_]:
        """Project geometries to metres."""
        shapes: npt.NDArray[np.object_] = project(geometries, target=self.metric_crs)
        return shapes


def show(names: Iterable[Any]) -> str:
    """List the first few names.

    >>> show(["a", "b"]), show("abcdefg")
    ('a、b', 'a、b、c、d、e…')
    """
    listed = [str(name) for name in names]
    return "、".join(listed[:SHOWN]) + ("…" if len(listed) > SHOWN else "")
