"""The form of one record: what it holds, its life, and what deserves a look before it is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from geo.doubts import Doubt, find_progress_doubts
from geo.errors import InputError
from layers.catalog import Layer
from layers.entries import EntryPlan
from layers.ingest.gazetteer import Vocabulary, read_gazetteer
from layers.query import GEOMETRY, Query
from layers.records import plan_record, record_tag
from layers.store import Change, Store
from layers.templates import desk_layer

PROGRESS = "progress"
_REPORT_KEYS = ("unit", "year", "indicator")


@dataclass(frozen=True)
class EntryForm:
    """What the form of a record needs.

    Attributes
    ----------
    layer
        The layer.
    key, record, tag
        The record and its state; None and empty for a new one.
    history
        Its edits, oldest first.
    vocabularies
        Words of the columns that refer to something.
    earlier
        Of progress: what was reported of the same figure before, the latest first.
    figures
        Of progress: the indicators of the plan that are reported year by year.
    targets
        Of progress: what the plan asks of this figure, by issuer.
    """

    layer: Layer
    key: str | None
    record: Mapping[str, Any] | None
    tag: str
    history: tuple[Change, ...]
    vocabularies: Mapping[str, Vocabulary]
    earlier: tuple[Mapping[str, Any], ...] = ()
    figures: tuple[Mapping[str, Any], ...] = ()
    targets: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Clash:
    """A value that somebody else changed: as the form was opened, as it is now, as typed."""

    column: str
    opened: Any
    now: Any
    typed: Any


def ask_entry(
    store: Store,
    layer_name: str,
    key: str | None = None,
    *,
    values: Mapping[str, Any] | None = None,
) -> EntryForm:
    """Return what the form of a record needs.

    Parameters
    ----------
    store
        The store.
    layer_name
        A layer of the desk.
    key
        Id of the record; None for a new one.
    values
        What is typed already: earlier reports of that figure are looked up by it.

    Raises
    ------
    NotFoundError
        When there is no such record.
    """
    layer = desk_layer(layer_name)
    record = None if key is None else store.get(layer_name, key)
    form = EntryForm(
        layer,
        key,
        record,
        "" if record is None else record_tag(record),
        () if key is None else tuple(store.history(layer_name, key)),
        read_gazetteer(store).vocabularies,
    )
    return _about_figure(store, form, values or record or {}) if layer_name == PROGRESS else form


def ask_place(record: Mapping[str, Any], *, datums: Sequence[str]) -> dict[str, str]:
    """Return the place of a record as a form holds it: `lon`, `lat` and their `datum`.

    The pair that was declared stands where it can; an outline has none.
    """
    shape = record.get(GEOMETRY)
    if shape is None or shape.geom_type != "Point":
        return {"lon": "", "lat": "", "datum": "wgs84"}
    declared = record.get("declared_datum")
    if declared in datums and record.get("declared_x") is not None:
        pair = record["declared_x"], record["declared_y"]
        return {"lon": repr(pair[0]), "lat": repr(pair[1]), "datum": str(declared)}
    return {"lon": f"{shape.x:.8f}", "lat": f"{shape.y:.8f}", "datum": "cgcs2000"}


def ask_doubts(store: Store, layer_name: str, plan: EntryPlan) -> list[Doubt]:
    """Find what deserves a look in entries that are without fault; for progress only."""
    if layer_name != PROGRESS:
        return []
    fresh = {**plan.new, **plan.changed}
    held = store.records(PROGRESS) if fresh else {}
    rule = store.rules("targets").body if "targets" in store.rules_names() else {}
    return find_progress_doubts(fresh, list(held.values()), rule)


def ask_clash(
    store: Store, layer_name: str, key: str, values: Mapping[str, Any], *, tag: str, datum: str
) -> list[Clash]:
    """Tell where somebody else has changed a record since its form was opened.

    Parameters
    ----------
    store, layer_name, key
        The record.
    values, datum
        As typed.
    tag
        The state of the record when the form was opened.

    Returns
    -------
    list of Clash
        Every column that is now neither as it was opened nor as typed, or that saving would put
        back.
    """
    opened = opened_record(store, layer_name, key, tag)
    now = store.get(layer_name, key)
    try:
        plan = plan_record(store, layer_name, values, key=key, datum=datum)
    except InputError:
        return []
    typed = next(iter(plan.changed.values()), now)
    return [
        Clash(name, (opened or {}).get(name), value, typed.get(name))
        for name, value in now.items()
        if name not in ("batch", "id")
        and typed.get(name) != value
        and (opened is None or opened.get(name) != value)
    ]


def opened_record(store: Store, layer_name: str, key: str, tag: str) -> dict[str, Any] | None:
    """Return the record as it was when its state had this tag; None when no edit tells."""
    current = store.get(layer_name, key)
    blank: dict[str, Any] = {
        name: [] if isinstance(value, list) else None for name, value in current.items()
    }
    for change in reversed(store.history(layer_name, key)):
        for state in (change.after, change.before):
            if state is not None and record_tag({**blank, **state}) == tag:
                return {**blank, **state}
    return None


def _about_figure(store: Store, form: EntryForm, said: Mapping[str, Any]) -> EntryForm:
    """Add to a form of progress what is known of its figure, and offer yearly indicators only."""
    rule = store.rules("targets").body if "targets" in store.rules_names() else {}
    yearly = [one for one in rule.get("indicators", ()) if not one.get("cumulative")]
    indicator = form.vocabularies["indicator"]
    keys = {one["key"] for one in yearly}
    labels = {key: label for key, label in indicator.labels.items() if key in keys}
    words = {**form.vocabularies, "indicator": replace(indicator, labels=labels)}
    return replace(
        form,
        vocabularies=words,
        figures=tuple(yearly),
        earlier=tuple(
            sorted(
                (one for one in _of_figure(store, PROGRESS, said) if one["id"] != form.key),
                key=lambda report: str(report["reported_on"]),
                reverse=True,
            )
        ),
        targets=tuple(_of_figure(store, "plan_targets", said)),
    )


def _of_figure(store: Store, layer_name: str, said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Read the records of a layer about one unit, year and indicator."""
    where = {name: said.get(name) for name in _REPORT_KEYS}
    if not all(where.values()):
        return []
    try:
        return list(store.records(layer_name, Query(where=where)).values())
    except InputError:  # a year that is none
        return []


def ask_records(
    store: Store,
    layer_name: str,
    *,
    text: str = "",
    sort: str = "",
    limit: int = 100,
    after: str = "",
) -> dict[str, Any]:
    """List records of a layer with every column, by pages.

    Raises
    ------
    InputError
        When the sort column or the cursor makes no sense.
    """
    query = Query(
        text=text or None,
        order_by=sort.removeprefix("-") or None,
        descending=sort.startswith("-"),
        limit=limit,
        after=after or None,
    )
    page = store.page(layer_name, query)
    found = store.records(layer_name, Query(ids=tuple(page.frame["id"])))
    told: dict[str, Any] = {
        "total": page.total,
        "records": [record_json(found[key]) for key in page.frame["id"] if key in found],
    }
    return told | ({"next": page.next} if page.next else {})


def ask_record_history(store: Store, layer_name: str, key: str) -> dict[str, Any]:
    """List the edits of a record, oldest first, deleted ones too.

    Raises
    ------
    NotFoundError
        When there never was one of that id.
    """
    life = store.history(layer_name, key)
    if not life:
        store.get(layer_name, key)
    return {
        "edits": [
            {
                "at": change.at,
                "who": change.who,
                "note": change.note,
                "action": change.action,
                "before": change.before and record_json(change.before),
                "after": change.after and record_json(change.after),
            }
            for change in life
        ]
    }


def record_json(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record as JSON can hold it, its place as GeoJSON."""
    plain = dict(record)
    shape = plain.get(GEOMETRY)
    if shape is not None:
        plain[GEOMETRY] = shape.__geo_interface__
    return plain
