"""Scenarios: named sets of changes over the real layers, never copies of them.

A change says of one record of one layer what is added, altered or gone, with what stood there
before. Changes keep their order, and each can be undone and done again. What counts in the end is
their net effect, one a record; `see_scenario` returns the store as it would be with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, NamedTuple

import geopandas as gpd
import orjson
import pandas as pd
import shapely

from geo.crs import STORED_CRS
from geo.errors import InputError, NotFoundError, StoreError
from layers.casting import list_series
from layers.catalog import layer as find_layer
from layers.geopackage import GeoPackageStore
from layers.overlay import OverlayStore, overlay_store
from layers.query import GEOMETRY, Query
from layers.rule_values import put_values, take_values
from layers.store import Edit, Lens, Store

Action = Literal["insert", "update", "delete"]
State = Literal["draft", "archived", "adopted"]
Values = Mapping[str, Any]  # plain values by column, the geometry as GeoJSON

RULES = "rules"  # the layer of a change to a rule: the record is its name, columns are paths
MOST_CHANGES = 2_000  # of one scenario


@dataclass(frozen=True)
class ScenarioChange:
    """One change: of which record, what, and what stood there before.

    Parameters
    ----------
    layer, record
        The layer and the record's id; of a rule, `rules` and its name.
    action
        `insert`, `update` or `delete`.
    before, after
        The columns concerned; of a rule, values by path. `before` of an insert and `after` of a
        delete are empty.
    id
        The change's own id once it is kept.
    undone
        Whether it is left out for now.
    at, who
        When and by whom it was made.
    """

    layer: str
    record: str
    action: Action
    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)
    id: str = ""
    undone: bool = False
    at: str = ""
    who: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**vars(self), "before": dict(self.before), "after": dict(self.after)}


@dataclass(frozen=True)
class Scenario:
    """A named set of changes.

    Parameters
    ----------
    id, name, note, who, made_on
        What it is called, what for, by whom and on which day.
    state
        `draft`, `archived` or `adopted`.
    base
        The version token of the real layers when it began.
    shared
        Whether a link to it is out.
    share_hash
        What the secret of that link hashes to.
    changes
        Its changes in order, those undone too.
    """

    id: str
    name: str
    note: str = ""
    who: str = ""
    made_on: str = ""
    state: State = "draft"
    base: str = ""
    share_hash: str = ""
    changes: tuple[ScenarioChange, ...] = ()

    @property
    def net(self) -> tuple[ScenarioChange, ...]:
        """The net effect of its changes, one a record."""
        return net_changes(self.changes)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, without the hash of the secret."""
        plain = {key: value for key, value in vars(self).items() if key != "share_hash"}
        changes = [change.to_json() for change in self.changes]
        return {**plain, "shared": bool(self.share_hash), "changes": changes}


class Stale(NamedTuple):
    """A change that has nothing to hold on to any more, and why."""

    change: ScenarioChange
    why: str


def read_scenarios(store: Store) -> list[Scenario]:
    """Read all scenarios, the newest last."""
    frame = store.read("scenarios")
    if frame.empty:
        return []
    changes = _read_changes(store, Query())
    return [
        replace(_scenario(row), changes=tuple(changes.get(str(row["id"]), ())))
        for row in frame.to_dict("records")
    ]


def find_scenario(store: Store, word: str) -> Scenario:
    """Return the scenario of an id or name.

    Raises
    ------
    NotFoundError
        When there is none; the message lists those that exist.
    """
    for where in ({"id": word}, {"name": word}):
        frame = store.read("scenarios", Query(where=where, limit=1))
        if len(frame):
            found = _scenario(frame.to_dict("records")[0])
            changes = _read_changes(store, Query(where={"scenario": found.id}))
            return replace(found, changes=tuple(changes.get(found.id, ())))
    names = store.read("scenarios", Query(columns=["name"]))["name"].tolist()
    known = "、".join(map(str, names)) or "none yet"
    raise NotFoundError(f"there is no scenario {word[:60]!r}; scenarios: {known}")


def _scenario(row: Mapping[Any, Any]) -> Scenario:
    held = {key: value for key, value in row.items() if not pd.isna(value)}
    made_on = held.get("made_on")
    return Scenario(
        id=str(held["id"]),
        name=str(held["name"]),
        note=str(held.get("note", "")),
        who=str(held.get("who", "")),
        made_on="" if made_on is None else made_on.date().isoformat(),
        state=held["state"],
        base=str(held.get("base", "")),
        share_hash=str(held.get("share_hash", "")),
    )


def _read_changes(store: Store, query: Query) -> dict[str, list[ScenarioChange]]:
    frame = store.read("scenario_changes", query)
    made = {batch.number: batch for batch in store.batches()} if len(frame) else {}
    found: dict[str, list[ScenarioChange]] = {}
    for row in frame.to_dict("records"):
        batch = None if pd.isna(row["batch"]) else made.get(int(row["batch"]))
        change = ScenarioChange(
            layer=row["layer"],
            record=row["record"],
            action=row["action"],
            before=row["before"] or {},
            after=row["after"] or {},
            id=row["id"],
            undone=bool(row["undone"]),
            at=batch.at if batch else "",
            who=batch.who if batch else "",
        )
        found.setdefault(str(row["scenario"]), []).append(change)
    return found


def net_changes(changes: Iterable[ScenarioChange]) -> tuple[ScenarioChange, ...]:
    """Fold changes to their net effect: at most one a record, in the order of first touch.

    >>> added = ScenarioChange("sites", "a", "insert", after={"name": "A"})
    >>> named = ScenarioChange("sites", "a", "update", {"name": "A"}, {"name": "B"})
    >>> [(one.action, one.after) for one in net_changes([added, named])]
    [('insert', {'name': 'B'})]
    >>> net_changes([added, ScenarioChange("sites", "a", "delete", {"name": "A"})])
    ()
    """
    folded: dict[tuple[str, str], ScenarioChange | None] = {}
    for change in changes:
        if change.undone:
            continue
        key = (change.layer, change.record)
        earlier = folded.get(key)
        folded[key] = change if earlier is None else _fold(earlier, change)
    kept = (_without_idle(change) for change in folded.values() if change is not None)
    return tuple(change for change in kept if change.action != "update" or change.after)


def _fold(earlier: ScenarioChange, change: ScenarioChange) -> ScenarioChange | None:
    """Put one change after another of the same record; None when nothing is left."""
    if change.action == "delete":
        if earlier.action == "insert":
            return None
        return replace(change, before={**change.before, **earlier.before})
    if earlier.action == "delete":
        return change
    after = {**earlier.after, **change.after}
    return replace(earlier, before={**change.before, **earlier.before}, after=after)


def _without_idle(change: ScenarioChange) -> ScenarioChange:
    """Leave out the columns that an update brings back to what they were."""
    if change.action != "update":
        return change
    moved = {
        name: value for name, value in change.after.items() if change.before.get(name) != value
    }
    return replace(change, after=moved, before={name: change.before.get(name) for name in moved})


def see_scenario(base: Store, scenario: Scenario) -> SeenScenario:
    """Return the real store seen through the changes of a scenario.

    A change whose record has gone, or that the layer does not allow any more, is left out and
    listed as stale.

    Raises
    ------
    StoreError
        When the store is of a kind that cannot be seen through changes.
    """
    if not isinstance(base, GeoPackageStore):
        raise StoreError(f"store {base.url}: scenarios need a GeoPackage")
    changes, stale = _holding(base, scenario.net)

    def change(edit: Edit) -> None:
        stale.extend(apply_changes(edit, changes, base))

    store = overlay_store(
        base,
        change,
        marks=_marks(changes),
        lens=Lens(scenario.id, scenario.name),
        who=scenario.who or "scenario",
    )
    return SeenScenario(scenario, store, tuple(stale))


@dataclass(frozen=True, eq=False)
class SeenScenario:
    """A scenario, the store as it would be with it, and the changes that are left out."""

    scenario: Scenario
    store: OverlayStore
    stale: tuple[Stale, ...]


def _marks(changes: Sequence[ScenarioChange]) -> dict[str, str]:
    """Sum up the changes of each layer: equal changes give equal texts."""
    by_layer: dict[str, list[Any]] = {}
    for one in changes:
        by_layer.setdefault(one.layer, []).append([one.record, one.action, dict(one.after)])
    return {name: f" {_digest(held)}" for name, held in by_layer.items()}


def _digest(value: Any) -> str:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(text, digest_size=9).hexdigest()


def _holding(
    base: Store, changes: Iterable[ScenarioChange]
) -> tuple[list[ScenarioChange], list[Stale]]:
    """Part the changes that find their record from those that do not."""
    holding: list[ScenarioChange] = []
    stale: list[Stale] = []
    for name, group in _by_layer(changes).items():
        if name == RULES:
            known = set(base.rules_names())
        else:
            ids = tuple(change.record for change in group)
            known = set(base.read(name, Query(ids=ids, columns=["id"]))["id"])
        for change in group:
            if change.action != "insert" and change.record not in known:
                stale.append(Stale(change, "the record is no longer there"))
            elif change.action == "insert" and change.record in known:
                stale.append(Stale(change, "the record is there already"))
            else:
                holding.append(change)
    return holding, stale


def _by_layer(changes: Iterable[ScenarioChange]) -> dict[str, list[ScenarioChange]]:
    groups: dict[str, list[ScenarioChange]] = {}
    for change in changes:
        groups.setdefault(change.layer, []).append(change)
    return groups


def apply_changes(edit: Edit, changes: Sequence[ScenarioChange], base: Store) -> list[Stale]:
    """Write net changes in an edit; what is not allowed is left out and returned.

    Parameters
    ----------
    edit
        Takes the changes.
    changes
        Net changes whose records are there.
    base
        The store that they are over, for the rules as they are.
    """
    stale: list[Stale] = []
    for name, group in _by_layer(changes).items():
        if name == RULES:
            stale += _apply_rules(edit, group, base)
            continue
        gone = [change.record for change in group if change.action == "delete"]
        if gone:
            edit.delete(name, gone)
        shapes: dict[tuple[str, ...], list[ScenarioChange]] = {}
        for change in group:
            if change.action != "delete":
                added = change.action == "insert"
                columns = () if added else tuple(sorted(change.after))
                shapes.setdefault((change.action, *columns), []).append(change)
        # Changes before additions: a value that must be unique may be handed on.
        for alike in sorted(shapes.values(), key=lambda alike: alike[0].action == "insert"):
            stale += _write(edit, name, alike)
    return stale


def _write(edit: Edit, layer: str, changes: Sequence[ScenarioChange]) -> list[Stale]:
    """Write changes of one shape together; where one is not allowed, each by itself."""
    put = edit.insert if changes[0].action == "insert" else edit.upsert
    try:
        put(layer, change_frame(layer, changes))
    except InputError as error:
        if len(changes) == 1:
            return [Stale(changes[0], str(error))]
        return [stale for change in changes for stale in _write(edit, layer, [change])]
    return []


def _apply_rules(edit: Edit, changes: Iterable[ScenarioChange], base: Store) -> list[Stale]:
    stale = []
    for change in changes:
        rules = base.rules(change.record)
        try:
            edit.set_rules(change.record, put_values(rules.body, change.after), rules.source)
        except InputError as error:
            stale.append(Stale(change, str(error)))
    return stale


def change_frame(layer: str, changes: Sequence[ScenarioChange]) -> pd.DataFrame:
    """Return the values of changes as a frame of their layer.

    >>> change = ScenarioChange("sites", "a", "update", after={"capacity_m2": 5.0})
    >>> change_frame("sites", [change]).to_dict("records")
    [{'id': 'a', 'capacity_m2': 5.0}]
    """
    names = dict.fromkeys(name for change in changes for name in change.after)
    columns = {
        name: list_series([change.after.get(name) for change in changes])
        for name in names
        if name not in ("id", GEOMETRY)
    }
    frame = pd.DataFrame({"id": [change.record for change in changes], **columns})
    if GEOMETRY not in names or not find_layer(layer).spatial:
        return frame
    shapes = [read_shape(change.after.get(GEOMETRY)) for change in changes]
    placed: pd.DataFrame = gpd.GeoDataFrame(frame, geometry=shapes, crs=STORED_CRS)
    return placed


def read_shape(value: Any) -> shapely.Geometry | None:
    """Read a GeoJSON geometry in degrees; None for nothing.

    Raises
    ------
    InputError
        When it is none.

    >>> read_shape({"type": "Point", "coordinates": [120.6, 28]})
    <POINT (120.6 28)>
    """
    if value is None:
        return None
    try:
        return shapely.from_geojson(orjson.dumps(value))
    except (shapely.GEOSException, TypeError, ValueError) as error:
        raise InputError(
            'geometry: is not GeoJSON; give {"type": "Point", "coordinates": [lon, lat]}'
        ) from error


def write_shape(shape: shapely.Geometry | None) -> Any:
    """Write a geometry as GeoJSON; None for nothing."""
    return None if shape is None else orjson.loads(shapely.to_geojson(shape))


def current_values(store: Store, change: ScenarioChange) -> dict[str, Any] | None:
    """Return what stands now in the columns of a change; None when the record is not there."""
    if change.layer == RULES:
        try:
            return take_values(store.rules(change.record).body, tuple(change.after))
        except NotFoundError:
            return None
    try:
        record = plain_record(change.layer, store.get(change.layer, change.record))
    except NotFoundError:
        return None
    return record if change.action == "delete" else {n: record.get(n) for n in change.after}


def plain_record(layer: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is public of a record as JSON holds it, what is missing left out."""
    names = {column.name for column in find_layer(layer).public_columns} - {"batch"} | {GEOMETRY}
    plain = {
        name: value
        for name, value in record.items()
        if name in names and value not in (None, [], "")
    }
    if GEOMETRY in plain:
        plain[GEOMETRY] = write_shape(plain[GEOMETRY])
    return plain
