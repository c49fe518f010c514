"""The incubators of a query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import orjson
import pandas as pd

from layers.query import Query
from layers.store import ALL_RECORDS, Store
from web.features import collection

_PAGE = 100  # records of a page when the query sets no limit


@dataclass(frozen=True)
class IncubatorPage:
    """Some incubators, how many there are in all, and the cursor to go on (None at the end)."""

    frame: pd.DataFrame
    total: int | None
    next: str | None
    demo_counted: bool

    def to_json(self) -> dict[str, Any]:
        """Return a GeoJSON feature collection of the public columns."""
        features = collection("incubators", gpd.GeoDataFrame(self.frame))
        body: dict[str, Any] = orjson.loads(features)
        body |= {"total": self.total, "demo_counted": self.demo_counted}
        return body if self.next is None else {**body, "next": self.next}


def ask_incubators(store: Store, query: Query = ALL_RECORDS) -> IncubatorPage:
    """List the incubators of a query, a page at a time.

    Parameters
    ----------
    store
        The store.
    query
        Which incubators, in which order, and where the page goes on.

    Raises
    ------
    InputError
        When the query names what does not exist.
    """
    limit = query.limit or _PAGE
    page = store.page("incubators", Query(**{**vars(query), "limit": limit}))
    demo = bool((page.frame["provenance"] == "demo").any())
    return IncubatorPage(page.frame, page.total, page.next, demo)
