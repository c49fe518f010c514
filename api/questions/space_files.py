"""The whole result of a search as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from api.questions.space_search import SpaceSearch
from api.questions.spaces import hunt_spaces
from geo.errors import InputError
from layers.query import Query
from layers.store import Store

if TYPE_CHECKING:
    from layers.export import ExportReport

MAX_EXPORT = 20_000


def write_spaces(store: Store, search: SpaceSearch, path: Path) -> ExportReport:
    """Write every space that suits to a file, whatever the page size.

    Parameters
    ----------
    store
        The store.
    search
        What is asked.
    path
        The file; its ending says the format. Places are in WGS-84.

    Raises
    ------
    InputError
        When the question or the ending makes no sense, or too many spaces suit.
    """
    hunt = hunt_spaces(store, search)
    if hunt.found.total > MAX_EXPORT:
        raise InputError(
            f"{hunt.found.total} spaces suit; a file holds at most {MAX_EXPORT}: add a filter"
        )
    # Imported here: what writes sheets costs the start of the server time.
    from layers.export import export_layer  # noqa: PLC0415

    ids = tuple(hunt.table.columns.ids[row] for row in hunt.rows.tolist())
    return export_layer(store, "spaces", path, query=Query(ids=ids), datum="wgs84")
