"""Edits on SQL: changes in one transaction, checked before and remembered after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import orjson
import pandas as pd
import shapely
from sqlalchemy import Connection, Table, bindparam, func, insert, select, update

from geo.errors import InputError
from layers import changes, schema
from layers.casting import RowFault, list_series
from layers.catalog import Layer
from layers.catalog import layer as find_layer
from layers.query import GEOMETRY, Query, check_query
from layers.rows import store_column
from layers.store import ALL_RECORDS, Edit, Rules, no_record
from layers.tables import SHAPE

if TYPE_CHECKING:
    from layers.sqlstore import SqlStore

Mask = npt.NDArray[np.bool_]
Image = dict[str, Any] | None  # values of a record for the history
Stored = dict[str, list[Any]]  # stored values by column of a table, record by record


class SqlEdit(Edit):
    """Changes in the transaction of one connection.

    Parameters
    ----------
    store, connection
        The store, and a connection to it that locks out other writers.
    who, note
        Who makes the changes, and why.
    """

    def __init__(self, store: SqlStore, connection: Connection, *, who: str, note: str) -> None:
        self._store = store
        self._connection = connection
        self._who = who
        self._note = note
        self._at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        self._batches: dict[str, int] = {}
        self._rows: dict[str, int] = {}
        self.erased = False

    def read(self, layer: str, query: Query = ALL_RECORDS) -> pd.DataFrame:
        """Read records as this edit would leave them."""
        return self._store.read_by(self._connection, layer, query)

    def get(self, layer: str, id: str) -> dict[str, Any]:  # noqa: A002 - the column's name
        """Return one record as this edit would leave it."""
        return self._store.get_by(self._connection, layer, id)

    def insert(self, layer: str, frame: pd.DataFrame) -> list[str]:
        """Add records and return their ids in order."""
        declared = find_layer(layer)
        conformed, faults = schema.examine(layer, frame)
        faults += self._taken(declared, conformed, among=("id", *_unique(declared)))
        if faults:
            raise schema.reject(layer, faults)
        return self._add(declared, conformed)

    def upsert(self, layer: str, frame: pd.DataFrame) -> list[str]:
        """Add records, or change those whose id exists in the columns that `frame` has."""
        declared = find_layer(layer)
        conformed = schema.conform(layer, frame)
        given = _given(conformed, frame)
        known = np.isin(
            conformed["id"].to_numpy(dtype=object),
            self._existing(declared, "id", conformed["id"].dropna().tolist()),
        )
        # What known records hold beside stays, and where no other is new need not be read.
        looked_at = ("id", *given) if known.all() else None
        merged = conformed if looked_at else self._overlay(declared, conformed, known, given)
        faults = [
            fault
            for fault in schema.find_faults(layer, merged, columns=looked_at)
            if not known[fault.row] or fault.column in ("id", *given)
        ]
        faults += self._taken(declared, merged, among=_unique(declared))
        if faults:
            raise schema.reject(layer, faults)
        ids = merged["id"].to_numpy(dtype=object)
        self._change(declared, merged[known].reset_index(drop=True), given)
        ids[~known] = self._add(declared, merged[~known].reset_index(drop=True))
        return [str(key) for key in ids]

    def update(self, layer: str, id: str, **columns: Any) -> None:  # noqa: A002 - the column's name
        """Change columns of one record."""
        declared = find_layer(layer)
        if not self._existing(declared, "id", [id]):
            raise no_record(layer, id)
        row = {name: list_series([value]) for name, value in columns.items()}
        self.upsert(layer, pd.DataFrame({"id": [id], **row}))

    def delete(self, layer: str, ids: str | Iterable[str]) -> int:
        """Remove records and return how many."""
        declared = find_layer(layer)
        wanted = list(dict.fromkeys([ids] if isinstance(ids, str) else ids))
        gone = self._remove(declared, Query(ids=tuple(wanted)))
        if len(gone) < len(wanted):
            raise no_record(layer, next(key for key in wanted if key not in gone))
        return len(gone)

    def clear(self, layer: str, where: Mapping[str, Any] | None = None) -> int:
        """Remove the records that meet `where`; return how many."""
        declared = find_layer(layer)
        return len(self._remove(declared, check_query(declared, Query(where=where or {}))))

    def erase(self, layer: str, ids: str | Iterable[str], columns: Iterable[str]) -> int:
        """Forget what columns of records hold and ever held, in the history too."""
        declared = find_layer(layer)
        names = list(columns)
        kept = [name for name in names if not _erasable(declared, name)]
        if kept:
            raise InputError(f"layer {layer}: {kept[0]} is required and cannot be erased")
        wanted = list(dict.fromkeys([ids] if isinstance(ids, str) else ids))
        held = self._existing(declared, "id", wanted)
        known = {*held, *self._forget(layer, wanted, names)}
        missing = [key for key in wanted if key not in known]
        if missing:
            raise no_record(layer, missing[0])
        if not wanted or not names:
            return 0
        table = self._store.tables.layers[layer]
        blank = dict.fromkeys(SHAPE if name == GEOMETRY else name for name in names)
        these = self._store.dialect.among(table.c.id, held)
        self._connection.execute(update(table).where(these).values(blank))
        nothing = dict.fromkeys(names)  # which columns, never what
        self._remember(layer, "erase", wanted, [(nothing, nothing)] * len(wanted))
        self.erased = True
        return len(wanted)

    def set_meta(self, key: str, value: Any) -> None:
        """Set a fact about the store."""
        table = self._store.tables.meta
        text = _json(value, f"meta {key}")
        row = self._connection.execute(select(table.c.value).where(table.c.key == key)).first()
        if row is not None and row.value == text:
            return
        self._put(table, "key", key, value=text)
        before = None if row is None else {"value": orjson.loads(row.value)}
        self._remember_fact("meta", key, before, {"value": value})

    def set_rules(self, name: str, body: Mapping[str, Any], source: str) -> Rules:
        """Put rules in force; the version goes up when body or source changed."""
        table = self._store.tables.rules
        text = _json(dict(body), f"rules {name}")
        held = self._connection.execute(select(table).where(table.c.name == name)).first()
        if held is not None and (held.body, held.source) == (text, source):
            return Rules(name, held.version, orjson.loads(text), source)
        version = 1 if held is None else held.version + 1
        self._put(table, "name", name, version=version, body=text, source=source)
        before = None
        if held is not None:
            before = _rules_state(held.version, held.body, held.source)
        self._remember_fact("rules", name, before, _rules_state(version, text, source))
        return Rules(name, version, orjson.loads(text), source)

    def finish(self) -> None:
        """Write what belongs to the whole edit: sizes of its batches and versions of its layers."""
        batches, versions = self._store.tables.batches, self._store.tables.versions
        foreign = changes.written_elsewhere(self._store, self._connection, self._batches)
        for layer, number in self._batches.items():
            self._connection.execute(
                update(batches).where(batches.c.number == number).values(rows=self._rows[layer])
            )
            self._connection.execute(
                update(versions)
                .where(versions.c.name == layer)
                .values(version=versions.c.version + (2 if layer in foreign else 1))
            )
        self._store.touch(self._connection, tuple(self._batches), self._at)

    def _add(self, layer: Layer, frame: pd.DataFrame) -> list[str]:
        """Insert valid records, with ids and provenance where they have none."""
        if frame.empty:
            return []
        batch = self._batch(layer.name, len(frame))
        ids = self._numbered(layer, frame["id"])
        stored = self._stored(layer, frame, list(frame.columns))
        stored |= {"id": ids, "batch": [batch] * len(frame)}
        stored["provenance"] = [value or "entered" for value in stored["provenance"]]
        self._store.write_rows(self._connection, self._store.tables.layers[layer.name], stored)
        return ids

    def _overlay(
        self, layer: Layer, conformed: pd.DataFrame, known: Mask, given: Sequence[str]
    ) -> pd.DataFrame:
        """Complete the rows of known records with what the store holds of them."""
        if not known.any():
            return conformed
        fresh = conformed[known].reset_index(drop=True)
        held = self._held(layer, fresh["id"].tolist(), None)
        whole = held.assign(**{name: fresh[name] for name in given})
        if known.all():
            return whole
        places = np.argsort(np.concatenate((np.flatnonzero(known), np.flatnonzero(~known))))
        both = pd.concat([whole, conformed[~known]], ignore_index=True)
        return both.iloc[places].reset_index(drop=True)

    def _held(
        self, layer: Layer, ids: Sequence[str], columns: tuple[str, ...] | None
    ) -> pd.DataFrame:
        """Read records in the order of their ids."""
        query = Query(ids=tuple(ids), columns=columns)
        held = self._store.read_by(self._connection, layer.name, query)
        place = {key: row for row, key in enumerate(held["id"])}
        ordered: pd.DataFrame = held.iloc[[place[key] for key in ids]].reset_index(drop=True)
        return ordered

    def _change(self, layer: Layer, frame: pd.DataFrame, given: Sequence[str]) -> None:
        """Update records whose stored values differ in the columns given."""
        if frame.empty or not given:
            return
        ids = frame["id"].tolist()
        held = self._held(layer, ids, tuple(given))
        old, new = self._stored(layer, held, given), self._stored(layer, frame, given)
        changed = [row for row in range(len(ids)) if any(old[n][row] != new[n][row] for n in new)]
        if not changed:
            return
        table = self._store.tables.layers[layer.name]
        values: dict[str, Any] = {name: bindparam(f"_to_{name}") for name in new}
        self._connection.execute(
            update(table).where(table.c.id == bindparam("_of_id")).values(values),
            [
                {"_of_id": ids[row], **{f"_to_{name}": new[name][row] for name in new}}
                for row in changed
            ],
        )
        before, after = _images(held, old, changed), _images(frame, new, changed)
        images = [_difference(*pair) for pair in zip(before, after, strict=True)]
        self._remember(layer.name, "update", [ids[row] for row in changed], images)

    def _remove(self, layer: Layer, query: Query) -> list[str]:
        """Remove the records of a query, their whole images kept in the history."""
        states = self._store.states(self._connection, layer.name, query)
        if states:
            statements = self._store.statements(layer)
            table = self._store.tables.layers[layer.name]
            conditions = statements.conditions(query) if statements is not None else []
            self._store.remove_rows(self._connection, table, conditions)
            images = [(state, None) for state in states.values()]
            self._remember(layer.name, "delete", list(states), images)
        return list(states)

    def _forget(self, layer: str, ids: Sequence[str], names: Sequence[str]) -> set[str]:
        """Take columns out of the images that the history keeps of records; return whose it has."""
        kept = self._store.tables.history
        mine = (kept.c.layer == layer) & self._store.dialect.among(kept.c.record, ids)
        rows = self._connection.execute(
            select(kept.c.number, kept.c.record, kept.c.before, kept.c.after).where(mine)
        ).all()
        for row in rows:
            images = {"before": row.before, "after": row.after}
            without = {side: _without(text, names) for side, text in images.items()}
            if without != images:
                this = update(kept).where(kept.c.number == row.number)
                self._connection.execute(this.values(without))
        return {row.record for row in rows}

    def _stored(self, layer: Layer, frame: pd.DataFrame, names: Iterable[str]) -> Stored:
        """Turn columns of a frame into stored values, the geometry under its stored name."""
        stored = {
            name: store_column(layer.column(name), frame[name])
            for name in names
            if name != GEOMETRY
        }
        if layer.spatial and (GEOMETRY in names):
            shapes = np.asarray(frame[GEOMETRY], dtype=object)
            stored[SHAPE] = self._store.dialect.write_shapes(layer, shapes)
        return stored

    def _existing(self, layer: Layer, column: str, values: Sequence[str]) -> list[str]:
        """Return those of the values that a column holds in the store."""
        return list(self._owners(layer, column, values))

    def _owners(self, layer: Layer, column: str, values: Sequence[str]) -> dict[str, str]:
        """Return the ids of the records that hold the values, by value."""
        if not values:
            return {}
        table = self._store.tables.layers[layer.name]
        held = self._store.dialect.among(table.c[column], values)
        rows = self._connection.execute(select(table.c[column], table.c.id).where(held))
        return {row[0]: row[1] for row in rows}

    def _taken(self, layer: Layer, frame: pd.DataFrame, *, among: Iterable[str]) -> list[RowFault]:
        """Find values that must be unique and belong to another record of the store."""
        faults = []
        for name in among:
            owners = self._owners(layer, name, frame[name].dropna().tolist())
            ids = [None] * len(frame) if name == "id" else frame["id"].tolist()
            faults += [
                RowFault(row, name, "is in the store already", value, "change or leave out one")
                for row, (value, key) in enumerate(zip(frame[name], ids, strict=True))
                if value in owners and owners[value] != key
            ]
        return faults

    def _numbered(self, layer: Layer, ids: pd.Series) -> list[str]:
        """Give ids to the records without: the layer's name and a number never used before."""
        versions = self._store.tables.versions
        this = versions.c.name == layer.name
        last = self._connection.execute(select(versions.c.numbered).where(this)).scalar_one()
        own = ids.str.extract(rf"^{layer.name}-(\d{{1,15}})$", expand=False).dropna()
        last = max(last, int(own.astype("int64").max())) if len(own) else last
        missing = ids.isna().to_numpy()
        given = ids.to_numpy(dtype=object)
        given[missing] = [f"{layer.name}-{last + 1 + step}" for step in range(missing.sum())]
        self._connection.execute(
            update(versions).where(this).values(numbered=last + int(missing.sum()))
        )
        return [str(key) for key in given]

    def _batch(self, layer: str, rows: int) -> int:
        """Return the number of this edit's batch for a layer, and count rows to it."""
        if layer not in self._batches:
            batches = self._store.tables.batches
            last = self._connection.execute(select(func.max(batches.c.number))).scalar_one()
            number = 1 + (last or 0)  # nobody else numbers batches before this edit ends
            row = {"layer": layer, "at": self._at, "who": self._who, "note": self._note, "rows": 0}
            self._connection.execute(insert(batches).values(number=number, **row))
            self._batches[layer] = number
            self._rows[layer] = 0
        self._rows[layer] += rows
        return self._batches[layer]

    def _remember(
        self, layer: str, action: str, ids: Sequence[str], images: Sequence[tuple[Image, Image]]
    ) -> None:
        """Keep what became of records."""
        count = len(ids)
        pairs = [[None if image is None else _dumped(image) for image in pair] for pair in images]
        self._store.write_rows(
            self._connection,
            self._store.tables.history,
            {
                "layer": [layer] * count,
                "record": list(ids),
                "batch": [self._batch(layer, count)] * count,
                "action": [action] * count,
                "before": [before for before, _ in pairs],
                "after": [after for _, after in pairs],
            },
        )

    def _put(self, table: Table, key: str, name: str, **values: Any) -> None:
        """Set the row of one of the store's own tables."""
        this = table.c[key] == name
        if self._connection.execute(select(table.c[key]).where(this)).first() is None:
            self._connection.execute(insert(table).values({key: name, **values}))
        else:
            self._connection.execute(update(table).where(this).values(**values))

    def _remember_fact(self, layer: str, name: str, before: Image, after: Image) -> None:
        action = "insert" if before is None else "update"
        self._remember(layer, action, [name], [(before, after)])


def _unique(layer: Layer) -> tuple[str, ...]:
    return tuple(column.name for column in layer.columns if column.unique)


def _erasable(layer: Layer, name: str) -> bool:
    if name == GEOMETRY and layer.spatial:
        return not layer.geometry_required
    return not (layer.column(name).required or name in ("id", "batch"))


def _given(conformed: pd.DataFrame, frame: pd.DataFrame) -> list[str]:
    """Name the columns that a caller gave, but for the id and what the store itself sets."""
    names = set(frame.columns)
    if isinstance(frame, gpd.GeoDataFrame) and frame.active_geometry_name is not None:
        names.add(GEOMETRY)
    return [name for name in conformed.columns if name in names and name not in ("id", "batch")]


def _images(frame: pd.DataFrame, stored: Stored, rows: Sequence[int]) -> list[dict[str, Any]]:
    """Make images of rows for the history: stored values, the geometry as WKB in hex."""
    columns = {name: [values[row] for row in rows] for name, values in stored.items()}
    if columns.pop(SHAPE, None) is not None:
        shapes = np.asarray(frame[GEOMETRY], dtype=object)[list(rows)]
        columns[GEOMETRY] = shapely.to_wkb(shapes, hex=True).tolist()
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def _difference(
    before: dict[str, Any], after: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    names = [name for name, value in before.items() if after[name] != value]
    return {name: before[name] for name in names}, {name: after[name] for name in names}


def _without(image: str | None, names: Sequence[str]) -> str | None:
    """Return an image of the history without some columns; the same text where it has none."""
    held = {} if image is None else orjson.loads(image)
    if held.keys().isdisjoint(names):
        return image
    return _dumped({name: value for name, value in held.items() if name not in names})


def _rules_state(version: int, body: str, source: str) -> dict[str, Any]:
    return {"version": version, "body": orjson.loads(body), "source": source}


def _json(value: Any, what: str) -> str:
    try:
        return _dumped(value)
    except orjson.JSONEncodeError as error:
        raise InputError(f"{what}: JSON cannot hold this value ({error})") from error


def _dumped(value: Any) -> str:
    return orjson.dumps(value).decode()
