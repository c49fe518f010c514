"""Stores: where the records of every layer live; the interface, and how one is opened.

Whatever the store, the same calls give the same answers; `tests/contract` holds each to that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pandas as pd
from pyproj import CRS

from geo.crs import choose_metric_crs
from geo.errors import InputError, NotFoundError
from layers.query import Bounds, Query

ALL_RECORDS = Query()
WORLD_METRIC_CRS = "EPSG:6933"  # equal area, for a store that holds no place yet


@dataclass(frozen=True)
class Page:
    """Some records of a query in order, how many there are in all, and the cursor to go on.

    `total` is as counted for the first page; `next` is None at the end, and only there.
    """

    frame: pd.DataFrame
    total: int | None
    next: str | None


@dataclass(frozen=True)
class Change:
    """One edit of one record: the instant in UTC, by whom, why, and the record around it.

    `action` is `insert`, `update`, `delete` or `erase`; `before` and `after` hold every column that
    had a value, `before` of an insert and `after` of a delete are None. What was erased is in
    neither, at no time.
    """

    at: str
    who: str
    note: str
    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True)
class Batch:
    """What one edit did to one layer, and to how many records."""

    number: int
    layer: str
    at: str
    who: str
    note: str
    rows: int


@dataclass(frozen=True)
class Trace:
    """What the history keeps of what a batch did to one record.

    Of an update the columns that it changed, before and after, of a delete the whole record; None
    marks a column without a value. Records that a batch inserted have no trace: they say its number
    in their column `batch`.
    """

    id: str
    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True)
class Rules:
    """A set of rules in force: name, version counted from 1, the rules, and where they stand."""

    name: str
    version: int
    body: dict[str, Any]
    source: str


@dataclass(frozen=True)
class Bookmark:
    """How far the edits of a layer had come: writes counted, the last batch, its instant."""

    version: int
    batch: int
    last_change: str


class Edit(ABC):
    """Changes that are written together or not at all.

    Made by `Store.edit`. Frames are conformed and validated (`layers.schema`); an `InputError`
    lists all faults of a frame, and nothing of the edit is written.
    """

    @abstractmethod
    def read(self, layer: str, query: Query = ALL_RECORDS) -> pd.DataFrame:
        """Read records as this edit would leave them; as `Store.read`.

        While the edit lasts nobody else writes, so what is read stays true until it is written.
        """

    @abstractmethod
    def get(self, layer: str, id: str) -> dict[str, Any]:  # noqa: A002 - the column's name
        """Return one record as this edit would leave it; as `Store.get`."""

    @abstractmethod
    def insert(self, layer: str, frame: pd.DataFrame) -> list[str]:
        """Add records and return their ids in order; missing ids are made, none may exist yet."""

    @abstractmethod
    def upsert(self, layer: str, frame: pd.DataFrame) -> list[str]:
        """Add records, or change those whose id exists in the columns that `frame` has."""

    @abstractmethod
    def update(self, layer: str, id: str, **columns: Any) -> None:  # noqa: A002 - the column's name
        """Change columns of one record; `NotFoundError` when there is none of that id."""

    @abstractmethod
    def delete(self, layer: str, ids: str | Iterable[str]) -> int:
        """Remove records and return how many; `NotFoundError` when one does not exist."""

    @abstractmethod
    def clear(self, layer: str, where: Mapping[str, Any] | None = None) -> int:
        """Remove the records that meet `where` as in `Query` (all by default); return how many."""

    @abstractmethod
    def erase(self, layer: str, ids: str | Iterable[str], columns: Iterable[str]) -> int:
        """Forget what columns of records hold and ever held, in the history too.

        The history then tells that something was erased, never what. Records that were deleted
        are erased from it as well. Returns for how many records.

        Raises
        ------
        NotFoundError
            When neither the layer nor its history knows one of the ids.
        InputError
            When a column is required, or is the id.
        """

    @abstractmethod
    def set_meta(self, key: str, value: Any) -> None:
        """Set a fact about the store, any value that JSON can hold."""

    @abstractmethod
    def set_rules(self, name: str, body: Mapping[str, Any], source: str) -> Rules:
        """Put rules in force; the version goes up when body or source changed."""


@dataclass(frozen=True)
class Lens:
    """The scenario that a store is seen through: its id and name."""

    id: str
    name: str


class Store(ABC):
    """Records of every layer, their history, facts about the store and the rules in force.

    A context manager that closes itself. Reading is safe from several threads at once.

    Attributes
    ----------
    url
        Where the store is: a path or a database address without password.
    lens
        The scenario that it is seen through; None for the layers as they are.
    """

    url: str
    lens: Lens | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def close(self) -> None:
        """Let go of the store; closing twice does no harm."""

    @abstractmethod
    def read(self, layer: str, query: Query = ALL_RECORDS) -> pd.DataFrame:
        """Read the records of a query as a frame in the form of `layers.schema.empty`.

        A GeoDataFrame in EPSG:4490 where the layer has geometry (and `columns` keeps it).
        """

    @abstractmethod
    def page(self, layer: str, query: Query) -> Page:
        """Read the next `query.limit` records after `query.after`, and the cursor to go on."""

    @abstractmethod
    def count(self, layer: str, query: Query = ALL_RECORDS) -> int:
        """Count the records of a query, whatever its limit and cursor."""

    @abstractmethod
    def get(self, layer: str, id: str) -> dict[str, Any]:  # noqa: A002 - the column's name
        """Return one record by column: missing values None, dates as ISO text, lists as lists.

        The geometry stands under `geometry`.

        Raises
        ------
        NotFoundError
            When the layer has no record of that id.
        """

    @abstractmethod
    def records(self, layer: str, query: Query = ALL_RECORDS) -> dict[str, dict[str, Any]]:
        """Return the records of a query by id, in order, each as `get` returns it."""

    @abstractmethod
    def extent(self, layer: str | None = None) -> Bounds | None:
        """Return west, south, east, north of a layer or of all; None where nothing has a place.

        Never smaller than the records' own, and at most two metres larger.
        """

    @abstractmethod
    def token(self, *layers: str) -> str:
        """Return a text that changes whenever one of the layers does.

        Without names: whenever anything does that answers rest on, which leaves out the layers
        on the side of the map. `meta` and `rules` can be named too.
        """

    @abstractmethod
    def bookmark(self, layer: str) -> Bookmark:
        """Return how far the edits of a layer have come, for `changed_since`."""

    @abstractmethod
    def changed_since(self, layer: str, bookmark: Bookmark) -> tuple[str, ...] | None:
        """Return the ids of the records added, changed or removed since a bookmark.

        None where that cannot be told, as after another program wrote to the layer: then read it
        anew.
        """

    @abstractmethod
    def history(self, layer: str, id: str) -> list[Change]:  # noqa: A002 - the column's name
        """List the edits of one record, oldest first; of `rules` by name and `meta` by key too."""

    @abstractmethod
    def batches(self) -> list[Batch]:
        """List every edit by layer, oldest first."""

    @abstractmethod
    def traces(self, batch: int) -> list[Trace]:
        """List what the history keeps of a batch, in the order in which it was done."""

    @abstractmethod
    def meta(self, key: str, default: Any = None) -> Any:
        """Return a fact about the store."""

    @abstractmethod
    def rules(self, name: str) -> Rules:
        """Return the rules in force; `NotFoundError` when there are none of that name."""

    @abstractmethod
    def rules_names(self) -> list[str]:
        """List the names of the rules in force, sorted."""

    @abstractmethod
    def edit(self, who: str, note: str = "") -> AbstractContextManager[Edit]:
        """Begin changes by `who`, written together at the end of the `with` block.

        Raises
        ------
        StoreReadOnlyError
            When the store was not opened for writing.
        StoreBusyError
            When another writer holds the store for longer than a short wait.
        """

    @abstractmethod
    def backup(self, path: str | PathLike[str]) -> None:
        """Write a complete copy of the store, while it is in use, to a file that is new."""

    @property
    def metric_crs(self) -> CRS:
        """The coordinate system to measure in: of the city, else chosen from the extent."""
        declared = self.meta("metric_crs")
        if declared:
            return CRS.from_user_input(declared)
        extent = self.extent()
        return CRS.from_user_input(choose_metric_crs(extent) if extent else WORLD_METRIC_CRS)


def open_store(url_or_path: str | PathLike[str], *, write: bool = False) -> Store:
    """Open a store.

    Parameters
    ----------
    url_or_path
        Path of a GeoPackage made by `create_store`.
    write
        Whether `edit` may be used; layers and columns new in the catalogue are then added.

    Raises
    ------
    StoreMissingError, StoreCorruptError, StoreBusyError, StoreReadOnlyError
        When it cannot be opened so; the message names the way out.
    """
    from layers.geopackage import GeoPackageStore  # noqa: PLC0415 - it builds on this module

    return GeoPackageStore.open(_path(url_or_path), write=write)


def create_store(path: str | PathLike[str]) -> Store:
    """Create an empty store and open it for writing; never over a file that exists.

    Raises
    ------
    InputError
        When something is at that path already.
    StoreReadOnlyError
        When the folder cannot be written to.
    """
    from layers.geopackage import GeoPackageStore  # noqa: PLC0415 - it builds on this module

    return GeoPackageStore.create(_path(path))


def _path(url_or_path: str | PathLike[str]) -> Path:
    if isinstance(url_or_path, str) and "://" in url_or_path:
        scheme = url_or_path.partition("://")[0]
        raise InputError(
            f"store {scheme}://…: this kind of store is not known; give the path of a .gpkg file"
        )
    return Path(url_or_path)


def no_record(layer: str, key: str) -> NotFoundError:
    """Say that a layer has no record of that id."""
    return NotFoundError(f"layer {layer} has no record with id {key!r}")
