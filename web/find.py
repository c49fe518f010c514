"""The pages of the search: filters with counts, the list and map in step, one space, some beside.

The list and the counts are drawn here for the page and for every later step of it alike: the
script of the page only puts the new part in the place of the old one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any
from urllib.parse import urlencode

from layers.catalog import Column, layer
from layers.spaceparts import DERIVED
from web.around import around_view
from web.frame import PageFrame, render
from web.maps import city_map
from web.mapview import MAP_LAYERS, MapLayer, MapView
from web.nearest import nearest_step
from web.rows import Result, place_hash, present, worded
from web.words import Words

Asked = Mapping[str, Sequence[str]]
Labels = Mapping[str, Mapping[str, str]]

_SHOWN_LAYERS = (
    "reporting_units", "divisions", "zones", "stations", "amenities", "access", "streets",
)  # fmt: skip
_SCRIPTS_LEFT_OUT = ("search.js", "reach.js")
# Column counted → the field of the form.
FACETS: Mapping[str, str] = {
    "kind": "kind", "stages": "stage", "industries": "industry", "unit": "unit", "town": "town",
    "role": "role", "zones": "zone", "level": "level", "status": "status", "services": "service",
    "lab_grade": "lab_grade", "water": "water", "gas": "gas", "exhaust": "exhaust",
}  # fmt: skip
_OPEN = ("kind",)
_CHOICES_SHOWN = 24
_CARD = ("kind", "area_m2", "rent_cny_m2_month", "clear_height_m", "available_from", "status")
_NUMBERS = (
    ("min_area_m2", "max_area_m2"), ("min_rent_cny_m2_month", "max_rent_cny_m2_month"),
)  # fmt: skip
_NEEDS = ("min_clear_height_m", "min_floor_load_kn_m2", "min_power_kw")
_SORTS = (
    "id", "rent_cny_m2_month", "-rent_cny_m2_month", "area_m2", "-area_m2", "available_from",
    "-score",
)  # fmt: skip
_MUST_MINUTES = 10
# What the script of the page says.
_SPOKEN = (
    "at_place", "at_places", "busy", "corners", "draw_hint", "failed", "few", "four", "offline",
    "only_here", "pick_hint", "range", "server", "slow",
)  # fmt: skip
# Names of faults → the field of the form that they stand beside.
_FIELDS = {name.removeprefix("min_"): name for name in (*dict(_NUMBERS), *_NEEDS)}
_NOT_FILTERS = {
    "sort", "limit", "after", "from", "lang", "part", "facets", "format", "v", "scenario",
}  # fmt: skip
_OF_PAGE = {"after", "from", "part"}  # of one page of a result, not of the question
_SECTIONS: Mapping[str, tuple[str, ...]] = {
    "facts": ("kind", "floor", "area_m2", "min_area_m2", "vacant_area_m2", "rent_cny_m2_month",
              "status", "stages", "industries", "services"),
    "technical": ("clear_height_m", "floor_load_kn_m2", "power_kw", "water", "gas", "exhaust",
                  "lab_grade"),
    "terms": ("available_from", "min_term_months", "max_term_months", "confirmed_on"),
    "place": ("unit", "town", "address"),
    "provenance": ("id", "source", "as_of", "provenance", "geom_precision"),
}  # fmt: skip


@dataclass(frozen=True)
class FindView(MapView):
    """The map beside the list: the city without the records that the list itself shows."""

    @property
    def layers(self) -> tuple[MapLayer, ...]:
        """The layers that this map has."""
        kept = super().layers
        return tuple(spec for spec in MAP_LAYERS if spec in kept and spec.name in _SHOWN_LAYERS)


def find_view(view: MapView) -> FindView:
    """Return the map of the search for a city map."""
    return FindView(**{one.name: getattr(view, one.name) for one in fields(view)})


def find_page(
    answer: Result,
    *,
    frame: PageFrame,
    view: MapView,
    asked: Asked,
    labels: Labels,
    categories: Sequence[Result] = (),
    errors: Sequence[Result] = (),
) -> str:
    """Draw the search.

    Parameters
    ----------
    answer
        A page of spaces as plain values, with `places`.
    frame
        What the frame says.
    view
        What the map shows.
    asked
        The query of the address, every field with its values.
    labels
        Words of values by column, where the catalogue has none.
    categories
        The categories of amenities.
    errors
        What is wrong with the query.
    """
    drawn = city_map(find_view(view))
    scripts = [url for url in drawn.scripts if not any(name in url for name in _SCRIPTS_LEFT_OUT)]
    part = _part(answer, frame=frame, asked=asked, labels=labels, errors=errors)
    return render(
        "find.html",
        frame=frame,
        page="find",
        map=drawn,
        scripts=scripts,
        config={name: frame.words(f"find.{name}") for name in _SPOKEN},
        **part,
        **_fields(frame.words, asked, categories),
    )


def find_part(
    answer: Result,
    *,
    frame: PageFrame,
    asked: Asked,
    labels: Labels,
    errors: Sequence[Result] = (),
) -> str:
    """Draw only what another query changes: counts, chips, list. Arguments as `find_page`."""
    part = _part(answer, frame=frame, asked=asked, labels=labels, errors=errors)
    return render("find_part.html", frame=frame, page="find", **part)


def _part(
    answer: Result, *, frame: PageFrame, asked: Asked, labels: Labels, errors: Sequence[Result]
) -> dict[str, Any]:
    w = frame.words
    minutes = answer.get("minutes") or [None] * len(answer["features"])
    scores = answer.get("scores") or [None] * len(answer["features"])
    cards = [
        {**_card(feature, walk, w), "score": score}
        for feature, walk, score in zip(answer["features"], minutes, scores, strict=True)
    ]
    query = [(name, value) for name, values in asked.items() for value in values if value]
    filters = [(name, value) for name, value in query if name not in _NOT_FILTERS]
    files = [(name, value) for name, value in query if name not in {*_OF_PAGE, "limit"}]
    first = _first(asked)
    return {
        "total": answer["total"],
        "first": first,
        "last": first + len(cards) - 1,
        "cards": cards,
        "facets": _facets(answer.get("facets") or {}, asked, labels, w),
        "chips": [_chip(name, value, query, labels, w) for name, value in filters],
        "clear": frame.link("/find"),
        "relax": [_relax(one, query, labels, frame) for one in answer.get("relax") or ()],
        "notes": [w.pick(note) for note in answer.get("notes") or ()],
        "more": _address(query, frame, after=answer["next"], **{"from": str(first + len(cards))})
        if answer.get("next")
        else "",
        "files": {
            kind: "/api/spaces?" + urlencode([*files, ("format", kind)])
            for kind in ("xlsx", "geojson", "gpkg")
        },
        "places": answer.get("places") or [],
        "demo_counted": answer.get("demo_counted", False),
        "faults": [_fault(one, labels, w) for one in errors],
    }


def _first(asked: Asked) -> int:
    """Return the number of the first space of the page; the address only says it for people."""
    said = (asked.get("from") or ("",))[0]
    return int(said) if said.isascii() and said.isdecimal() and len(said) <= len("1000000") else 1


def _fault(error: Result, labels: Labels, w: Words) -> dict[str, str]:
    """Return a fault with the field that it stands beside, and its words."""
    where = error["where"].rpartition(" ")[2]
    value = f" ({error['value']})" if error.get("value") not in (None, "") else ""
    stop, comma = ("：", "；") if w.lang == "zh" else (": ", "; ")
    text = f"{error['what']}{value}" + (f"{comma}{error['fix']}" if error["fix"] else "")
    label = _filter_name(where.removeprefix("min_").removeprefix("max_"), labels, w)
    return {"field": _FIELDS.get(where, where), "text": text, "said": f"{label}{stop}{text}"}


def _fields(w: Words, asked: Asked, categories: Sequence[Result]) -> dict[str, Any]:
    """Return what the fields of the form hold."""
    # Fields that the address does not fill are empty.
    held = defaultdict(str, {name: values[0] for name, values in asked.items() if values})
    # A must keeps the minutes that the address has.
    musts = {value.partition(":")[0]: value for value in asked.get("must", ())}
    return {
        "held": held,
        "ranges": [(low, high, _label(low.removeprefix("min_"), w)) for low, high in _NUMBERS],
        "needs": [(name, _label(name.removeprefix("min_"), w)) for name in _NEEDS],
        "sorts": [(name, w(f"find.sort_{_plain(name)}")) for name in _SORTS],
        "musts": [
            (musts.get(key, f"{key}:{_MUST_MINUTES}"), w.pick(one), key in musts)
            for one in categories
            for key in (one["key"],)
        ],
        "must_minutes": _MUST_MINUTES,
    }


def _plain(name: str) -> str:
    return name.replace("-", "falling_")


def _declared(column: str) -> Column:
    """Return a column of the spaces, their own or one that they take over."""
    taken = next((one for one in DERIVED if one.name == column), None)
    return taken or layer("spaces").column(column)


def _label(column: str, w: Words) -> str:
    return str(getattr(_declared(column), w.lang))


def _said(column: str, value: str, labels: Labels, w: Words) -> str:
    """Return the words of a value of a column."""
    declared = _declared(column)
    if declared.kind == "boolean":
        return w("site.yes" if value == "true" else "site.no")
    choices = {choice.value: str(getattr(choice, w.lang)) for choice in declared.choices}
    return choices.get(value) or labels.get(column, {}).get(value) or value


def _facets(
    counts: Mapping[str, Mapping[str, int]], asked: Asked, labels: Labels, w: Words
) -> list[dict[str, Any]]:
    found = []
    for column, field in FACETS.items():
        chosen = set(asked.get(field, ()))
        values = dict(counts.get(column, {}))
        values |= {value: 0 for value in chosen if value not in values}
        if not values:
            continue
        found.append(
            {
                "field": field,
                "label": _label(column, w),
                "open": column in _OPEN or bool(chosen),
                "choices": [
                    {
                        "value": value,
                        "label": _said(column, value, labels, w),
                        "count": count,
                        "chosen": value in chosen,
                    }
                    for place, (value, count) in enumerate(values.items())
                    if place < _CHOICES_SHOWN or value in chosen
                ],
            }
        )
    return found


def _card(feature: Result, minutes: float | None, w: Words) -> dict[str, Any]:
    record = feature["properties"]
    declared = layer("spaces")
    point = (feature.get("geometry") or {}).get("coordinates")
    return {
        "id": feature["id"],
        "name": record.get("name") or feature["id"],
        "incubator": record.get("incubator"),
        "incubator_name": record.get("incubator_name") or record.get("incubator"),
        "unit": " · ".join(filter(None, (record.get("unit"), record.get("town")))),
        "facts": [
            (str(getattr(declared.column(name), w.lang)), worded(declared.column(name), value, w))
            for name in _CARD
            if present(value := record.get(name))
        ],
        "minutes": minutes,
        "demo": record.get("provenance") == "demo",
        "point": ",".join(map(str, point)) if point else "",
    }


def _chip(
    name: str, value: str, query: Sequence[tuple[str, str]], labels: Labels, w: Words
) -> dict[str, str]:
    column = next((column for column, field in FACETS.items() if field == name), "")
    if column:
        text = _said(column, value, labels, w)
        text = f"{_label(column, w)}：{text}" if column in ("water", "gas", "exhaust") else text
    elif name.startswith(("min_", "max_")):
        sign = "≥" if name.startswith("min_") else "≤"
        text = f"{_label(name[4:], w)} {sign} {value}"
    elif name == "must":
        key, _, minutes = value.partition(":")
        text = w("find.chip_must", name=labels["must"].get(key, key), minutes=minutes)
    else:
        shown = value if len(value) <= 30 else ""
        text = w(f"find.chip_{name}", value=shown) if f"find.chip_{name}" in set(w) else value
    rest = [pair for pair in query if pair != (name, value) and pair[0] not in _OF_PAGE]
    return {"text": text, "href": "/find?" + urlencode(rest), "name": name, "value": value}


def _relax(
    one: Result, query: Sequence[tuple[str, str]], labels: Labels, frame: PageFrame
) -> dict[str, str]:
    """Return one way out of an empty result: the nearest value that would do, and going without."""
    w = frame.words
    gone = {f"{end}{name}" for name in one["filters"] for end in ("", "min_", "max_")}
    musts = {name.removeprefix("must.") for name in one["filters"] if name.startswith("must.")}
    rest = [
        (name, value)
        for name, value in query
        if name not in gone and not (name == "must" and value.partition(":")[0] in musts)
    ]
    names = [_filter_name(name, labels, w) for name in one["filters"]]
    said = w("find.relax_one", filter=w("find.and").join(names), count=f"{one['count']:,}")
    way = {"text": said, "href": _address(rest, frame), "nearer": "", "near": ""}
    step = (
        None
        if one.get("nearest") is None
        else nearest_step(one["filters"][0], one["nearest"], query)
    )
    if step is not None:
        changed = [step.new if pair == step.old else pair for pair in query]
        way["near"] = _address(changed, frame)
        way["nearer"] = w(
            f"find.nearer_{step.way}", filter=names[0], was=step.was, value=step.value, by=step.by
        )
    return way


def _filter_name(name: str, labels: Labels, w: Words) -> str:
    if name.startswith("must."):
        key = name.removeprefix("must.")
        return labels["must"].get(key, key)
    column = next((column for column, field in FACETS.items() if field == name), name)
    known = {declared.name for declared in (*layer("spaces").columns, *DERIVED)}
    return _label(column, w) if column in known else w.get(f"find.filter_{name}", name)


def _address(query: Sequence[tuple[str, str]], frame: PageFrame, **more: str) -> str:
    kept = [pair for pair in query if pair[0] not in {*_OF_PAGE, "lang", *more}]
    return "/find?" + urlencode([*kept, *more.items(), ("lang", frame.lang)])


def space_page(
    found: Result,
    *,
    frame: PageFrame,
    spots: Sequence[Result],
    categories: Sequence[Result],
    history: Sequence[Result] = (),
) -> str:
    """Draw everything public about one space.

    Parameters
    ----------
    found
        The space as a GeoJSON feature, with what lies around it.
    frame
        What the frame says.
    spots
        The amenities within the longest zone.
    categories
        The categories of amenities.
    history
        Its edits: `at`, `action`, `note`.
    """
    w, record = frame.words, found["properties"]
    point = (found.get("geometry") or {}).get("coordinates")
    near = f"{point[0]},{point[1]}" if point else ""
    name = str(record.get("name") or found["id"])
    return render(
        "space.html",
        frame=frame,
        page="space",
        record=record,
        sections={key: _facts(record, names, w) for key, names in _SECTIONS.items()},
        place=place_hash(found),
        near=frame.link("/find", near=near, minutes=15) if near else "",
        around=around_view(found, spots, name=name, categories=categories, w=w),
        photos=[url for url in record.get("photos", ()) if url.startswith(("https://", "http://"))],
        history=list(history),
        stale_days=found["unconfirmed_days"] if found["stale"] else None,
    )


def _facts(record: Result, names: Sequence[str], w: Words) -> list[tuple[str, str]]:
    declared = layer("spaces")
    return [
        (str(getattr(declared.column(name), w.lang)), worded(declared.column(name), value, w))
        for name in names
        if present(value := record.get(name))
    ]


def compare_page(features: Sequence[Result], *, frame: PageFrame) -> str:
    """Draw up to four spaces side by side, with what differs marked.

    Parameters
    ----------
    features
        The spaces as GeoJSON features.
    frame
        What the frame says.
    """
    w, declared = frame.words, layer("spaces")
    records = [feature["properties"] for feature in features]
    rows = []
    for key, names in _SECTIONS.items():
        if key == "provenance":
            continue
        for name in names:
            column = declared.column(name)
            said = [worded(column, record.get(name), w) for record in records]
            if any(present(record.get(name)) for record in records):
                label = str(getattr(column, w.lang))
                rows.append({"label": label, "values": said, "differs": len(set(said)) > 1})
    return render("compare.html", frame=frame, page="compare", records=records, rows=rows)
