"""The form of one record, made from the catalogue: a field a column, its faults beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from layers.catalog import Column, layer
from layers.query import GEOMETRY
from layers.templates import template_columns
from web.assets import asset_url
from web.entering import DATUMS, column_labels, doubt_words, place_word, told, value_word
from web.frame import PageFrame, render
from web.history import batch_row
from web.rows import worded
from web.words import Words

_LONG = frozenset({"note", "definition", "constraints", "evidence"})
_ORIGIN = ("source", "as_of")
_PLACE = ("geom_precision",)
_SELECTED = 60  # more options than this are typed, with the options as suggestions


@dataclass(frozen=True)
class Filled:
    """A form as it is filled in, and what is to be said about that.

    Attributes
    ----------
    values
        What the fields hold, by column; None for what the store has.
    why
        The note for the history.
    datum
        The datum chosen for the place.
    faults
        What is wrong, by column.
    doubts
        What deserves a look before it is saved: `kind`, `row`, `values`.
    clash
        Values that somebody else changed since the form was opened.
    said
        What has just been done, as a key of the words under `entry`.
    """

    values: Mapping[str, Any] | None = None
    why: str = ""
    datum: str = ""
    faults: Sequence[Any] = ()
    doubts: Sequence[Any] = ()
    clash: Sequence[Any] = ()
    said: str = ""


def entry_page(
    form: Any,
    filled: Filled,
    *,
    frame: PageFrame,
    values: Mapping[str, Any],
    place_map: Mapping[str, Any],
) -> str:
    """Draw the form of a record.

    Parameters
    ----------
    form
        The layer, its record where there is one, and what a form of it needs.
    filled
        How it is filled in.
    frame
        What the frame says.
    values
        What the fields hold: as typed, else as the store has it.
    place_map
        The `extent` of the small map of the place, and the `tiles` under it.
    """
    w, declared = frame.words, form.layer
    labels = column_labels(declared, w)
    wrong: dict[str, list[str]] = {}
    for fault in filled.faults:
        what, fix = (told(text, labels, w) for text in (fault.what, fault.fix))
        wrong.setdefault(fault.column, []).append(f"{what}{w('entry.stop')}{fix}" if fix else what)
    columns = [column for column in template_columns(declared) if column.name != "id"]
    groups: dict[str, list[dict[str, Any]]] = {"main": [], "place": [], "origin": []}
    for column in columns:
        group = "main"
        if column.name in _ORIGIN:
            group = "origin"
        elif column.name in _PLACE:
            group = "place"
        field = _field(column, values, form.vocabularies, w)
        groups[group].append(field | {"errors": wrong.pop(column.name, [])})
    place_errors = wrong.pop(GEOMETRY, [])
    shape = form.record.get(GEOMETRY) if form.record else None
    return render(
        "entry.html",
        frame=frame,
        page="entry",
        layer={"name": declared.name, "label": labels_of(declared, w),
               "spatial": declared.spatial},
        key=form.key,
        groups=groups,
        place={
            "lon": values.get("lon", ""),
            "lat": values.get("lat", ""),
            "datum": filled.datum or values.get("datum") or "wgs84",
            "errors": place_errors,
            "outline": shape is not None and shape.geom_type != "Point",
            "by_incubator": any(column.name == "incubator" for column in columns),
        },
        datums=DATUMS,
        demo=bool(form.record) and form.record.get("provenance") == "demo",
        other_errors=[f"{labels.get(name, name)}{w('entry.colon')}{text}"
                      for name, texts in wrong.items() for text in texts],
        summary=[(name, labels.get(name, name))
                 for name in dict.fromkeys(fault.column for fault in filled.faults)],
        tag=form.tag,
        why=filled.why,
        doubts=doubt_words(filled.doubts, w),
        clash=[
            {"column": labels.get(one.column, one.column),
             **{name: _shown(columns, one.column, getattr(one, name), form.vocabularies, w)
                for name in ("opened", "now", "typed")}}
            for one in filled.clash
        ],
        history=[_edit(change, labels, w) for change in reversed(form.history)],
        earlier=[_report(report, form, w) for report in form.earlier],
        figures=[_figure(one, w) for one in form.figures],
        targets=[_target(one, w) for one in form.targets],
        confirmable=form.key and any(column.name == "confirmed_on" for column in columns),
        said=filled.said,
        leaflet_css=asset_url("leaflet/dist/leaflet.css"),
        leaflet_js=asset_url("leaflet/dist/leaflet.js"),
        place_config={**place_map, "words": {
            "none": w("entry.map_none"), "shifted": w("entry.map_shifted"),
        }},
    )  # fmt: skip


def labels_of(declared: Any, w: Words) -> str:
    """Return what a layer is called in the language of the page."""
    return str(getattr(declared, w.lang))


def values_of(record: Mapping[str, Any], columns: Sequence[Column]) -> dict[str, Any]:
    """Return a record as the fields of its form hold it.

    >>> from layers.catalog import layer
    >>> area = [layer("spaces").column("area_m2"), layer("spaces").column("services")]
    >>> values_of({"area_m2": 50.0, "services": ["a", "b"]}, area)
    {'area_m2': '50', 'services': 'a、b'}
    """
    return {column.name: _typed(column, record.get(column.name)) for column in columns}


def _typed(column: Column, value: Any) -> Any:
    if value is None:
        return ""
    if column.kind == "list":
        return list(value) if column.choices else "、".join(map(str, value))
    if column.kind == "boolean":
        return "true" if value else "false"
    if column.kind in ("number", "integer"):
        return f"{value:.15g}"
    return str(value)


def _field(
    column: Column, values: Mapping[str, Any], vocabularies: Mapping[str, Any], w: Words
) -> dict[str, Any]:
    """Describe the field of a column: what kind of input, its options, what helps to fill it."""
    value = values.get(column.name, "")
    options = _options(column, vocabularies, w)
    kind = _kind(column, options)
    if kind == "select" and value and value not in dict(options):
        known = vocabularies.get(column.name)
        value = known.words.get(value, value) if known is not None else value
        if value not in dict(options):
            options = [*options, (value, str(value))]  # what does not fit is shown all the same
    if kind == "suggest" and value:
        value = dict(options).get(value, value)
    help_text = column.help[0 if w.lang == "zh" else 1] if column.help else ""
    if column.kind == "list" and not column.choices:
        help_text = "".join(filter(None, (help_text, w("entry.stop") if help_text else "",
                                          w("entry.several"))))  # fmt: skip
    return {
        "name": column.name,
        "label": getattr(column, w.lang),
        "kind": kind,
        "required": column.required,
        "value": value,
        "options": options,
        "help": help_text,
        "staff": column.staff,
        "wide": kind == "long",
    }


def _kind(column: Column, options: Sequence[tuple[str, str]]) -> str:
    if column.kind == "list" and column.choices:
        return "several"
    if column.kind == "date":
        return "date"
    if column.kind in ("number", "integer"):
        return "number"
    if options:
        return "select" if len(options) <= _SELECTED else "suggest"
    return "long" if column.name in _LONG else "text"


def _options(column: Column, vocabularies: Mapping[str, Any], w: Words) -> list[tuple[str, str]]:
    if column.choices:
        return [(choice.value, getattr(choice, w.lang)) for choice in column.choices]
    if column.kind == "boolean":
        return [("true", w("site.yes")), ("false", w("site.no"))]
    known = vocabularies.get(column.name)
    if known is None or column.kind != "text":
        return []
    return [(value, label[0 if w.lang == "zh" else 1]) for value, label in known.labels.items()]


def _shown(
    columns: Sequence[Column], name: str, value: Any, vocabularies: Mapping[str, Any], w: Words
) -> str:
    if name == GEOMETRY:
        return place_word(value, w)
    column = next((c for c in columns if c.name == name), None)
    return str(value) if column is None else value_word(column, value, vocabularies, w)


def _edit(change: Any, labels: Mapping[str, str], w: Words) -> dict[str, Any]:
    """Return one edit of the record's life as the table shows it."""
    before, after = change.before or {}, change.after or {}
    columns = [
        labels[name]
        for name in dict.fromkeys([*before, *after])
        if name in labels and before.get(name) != after.get(name)
    ]
    told = batch_row({"at": change.at, "layer": ""}, w)
    return {
        "at": told["at"],
        "who": change.who,
        "note": change.note,
        "action": w(f"history.{change.action}"),
        "columns": columns if change.action == "update" else [],
    }


def _report(report: Mapping[str, Any], form: Any, w: Words) -> dict[str, Any]:
    """Return an earlier report of the same figure as the table shows it."""
    return {
        name: worded(form.layer.column(name), report.get(name), w)
        for name in ("reported_on", "value", "definition", "evidence")
    } | {"id": report["id"]}


def _figure(indicator: Mapping[str, Any], w: Words) -> dict[str, Any]:
    """Return an indicator of the plan with its unit and definition."""
    ending = "" if w.lang == "zh" else "_en"
    unit = indicator.get(f"unit{ending}") or indicator.get("unit") or ""
    return {
        "key": indicator["key"],
        "label": w.pick(indicator),
        "unit": w("entry.unit_of", unit=unit) if unit else "",
        "definition": indicator.get(f"definition{ending}") or indicator.get("definition") or "",
    }


def _target(target: Mapping[str, Any], w: Words) -> dict[str, Any]:
    """Return what an issuer asks of the figure."""
    declared = layer("plan_targets")
    names = ("issuer", "kind", "value", "definition", "clause")
    return {name: worded(declared.column(name), target.get(name), w) for name in names}
