"""The public pages of a need for space: the form, the secret link, the need with its matches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from layers.catalog import Column, layer
from web.find import find_view
from web.frame import PageFrame, render
from web.maps import city_map
from web.mapview import MapView
from web.rows import Result, present, worded
from web.words import Words

Typed = Mapping[str, Any]
Said = Mapping[str, str]

_GROUPS: Mapping[str, tuple[str, ...]] = {
    "need": ("title", "industry", "industry_code", "stage", "kind", "team_size"),
    "size": ("min_area_m2", "max_area_m2", "max_rent_cny_m2_month", "start_on", "term_months"),
    "place": ("unit", "near", "minutes", "polygon"),
    "technical": ("clear_height_m", "floor_load_kn_m2", "power_kw", "lab_grade", "water", "gas",
                  "exhaust"),
    "life": ("services", "amenities"),
    "facts": (),
    "contact": ("contact_name", "contact_phone", "contact_email"),
}  # fmt: skip
_REQUIRED = ("industry", "min_area_m2")
_LONGEST = {"title": 100, "industry": 100, "industry_code": 20, "near": 100, "lab_grade": 40,
            "contact_name": 60, "contact_phone": 40, "contact_email": 254}  # fmt: skip
_TYPES = {"contact_phone": "tel", "contact_email": "email", "polygon": "area"}
_COMPLETE = {"contact_name": "name", "contact_phone": "tel", "contact_email": "email"}
_SHOWN = (
    "title", "industry", "industry_code", "stage", "kind", "team_size", "min_area_m2",
    "max_area_m2", "max_rent_cny_m2_month", "start_on", "term_months", "unit", "minutes", "space",
    "clear_height_m", "floor_load_kn_m2", "power_kw", "lab_grade", "water", "gas", "exhaust",
    "services", "amenities", "posted_on",
)  # fmt: skip
_MAP_SCRIPTS_LEFT_OUT = ("search.js", "reach.js", "hash.js")


def form_page(
    *,
    frame: PageFrame,
    view: MapView,
    offered: Result,
    typed: Typed,
    errors: Said,
    action: str,
    space: Result | None = None,
    refused: str = "",
) -> str:
    """Draw the form of a need, new or to be changed.

    Parameters
    ----------
    frame
        What the frame says.
    view
        What the map shows.
    offered
        What there is to choose from, as `FormChoices.to_json`.
    typed
        What stands in the fields.
    errors
        What is wrong, in words by field.
    action
        Where the form goes; below it, at `/check`, it is checked while one types.
    space
        The space asked for.
    refused
        Why what was sent is not taken now, though nothing is wrong with it.
    """
    w = frame.words
    groups = {
        key: [_field(name, offered, typed, errors, w) for name in names]
        for key, names in _GROUPS.items()
    }
    groups["facts"] = _facts(offered, typed, errors, w)
    labels = {one["name"]: one["label"] for fields in groups.values() for one in fields}
    drawn = city_map(find_view(view))
    return render(
        "demand_form.html",
        frame=frame,
        page="demand",
        groups=groups,
        summary=[
            (name, labels.get(name, w("demand.agree")), text) for name, text in errors.items()
        ],
        # Fields that hold nothing are empty.
        typed=defaultdict(str, typed),
        errors=defaultdict(str, errors),
        consent={key: w.pick(offered["consent"][key]) for key in ("purpose", "notice", "agree")},
        consent_version=offered["consent"]["version"],
        action=action,
        space=space,
        refused=refused,
        map=drawn,
        scripts=[
            url for url in drawn.scripts if not any(name in url for name in _MAP_SCRIPTS_LEFT_OUT)
        ],
    )


def posted_page(*, frame: PageFrame, link: str, path: str, secret: str, has_contact: bool) -> str:
    """Draw the secret link, which is shown this once.

    Parameters
    ----------
    frame
        What the frame says.
    link
        The whole address with the secret behind #.
    path
        The path of the need.
    secret
        The secret alone, for those whose browser runs no scripts.
    has_contact
        Whether a contact was left.
    """
    return render(
        "demand_posted.html", frame=frame, page="demand", link=link, path=path, secret=secret,
        has_contact=has_contact,
    )  # fmt: skip


def key_page(*, frame: PageFrame, path: str, wrong: bool = False) -> str:
    """Draw the door of a need: it opens by the link's script, or by the code typed in.

    Parameters
    ----------
    frame
        What the frame says.
    path
        The path of the need.
    wrong
        Whether what was given does not open it.
    """
    return render("demand_key.html", frame=frame, page="demand_key", path=path, wrong=wrong)


def gone_page(*, frame: PageFrame) -> str:
    """Draw what is left after a need was withdrawn: nothing, and that is said."""
    return render("demand_gone.html", frame=frame, page="demand_gone")


def demand_page(
    record: Result,
    *,
    frame: PageFrame,
    offered: Result,
    report: Result | None,
    deals: Sequence[Result],
    living: bool,
    staff: bool,
    unsure: bool = False,
) -> str:
    """Draw a need to its owner, or to the staff: its state, what suits it, change and withdraw.

    Parameters
    ----------
    record
        The need by column.
    frame
        What the frame says.
    offered
        What there was to choose from, for the words of services and amenities.
    report
        The spaces that suit, as plain values; None when it no longer looks for any.
    deals
        What became of it with single spaces.
    living
        Whether it can be changed.
    staff
        Whether the staff look at it.
    unsure
        Whether it was to be withdrawn without the box ticked.
    """
    w = frame.words
    return render(
        "demand.html",
        frame=frame,
        page="demand_view",
        record=record,
        path=f"/demands/{record['id']}",
        state=worded(_column("status"), record["status"], w),
        state_text=w(f"demand_state.{record['status']}"),
        facts=_shown(record, offered, w),
        has_contact=any(record.get(name) for name in _GROUPS["contact"]),
        matches=[_match(pair, offered, w) for pair in report["pairs"]] if report else [],
        cause=w.pick(report["unmatched"][0]) if report and report["unmatched"] else "",
        verdicts=[_verdict(one, w) for one in report["eligibility"]] if report else [],
        unsettled=any(one["outcome"] == "unknown" for one in (report or {}).get("eligibility", ())),
        notes=[w.pick(note) for note in report["notes"]] if report else [],
        deals=[_deal(one, w) for one in deals],
        living=living,
        staff=staff,
        unsure=unsure,
    )


def _deal(one: Result, w: Words) -> dict[str, Any]:
    """Return a deal as the company sees it: where it stands, without the notes of the staff."""
    return {
        "space": one["space"],
        "name": one.get("space_name") or one["space"],
        "state": worded(layer("deals").column("state"), one["state"], w),
        "area_m2": one["area_m2"],
        "changed_on": one["changed_on"] or one["proposed_on"],
    }


def _column(name: str) -> Column:
    return layer("demands").column(name)


def label_of(name: str, w: Words) -> str:
    """Return the label of a field: the form's own words, else those of the catalogue."""
    own = w.get(f"demand_field.{name}", "")
    return own or str(getattr(_column(name), w.lang))


def options_of(name: str, offered: Result, w: Words) -> list[tuple[str, str]]:
    """Return the values that a field offers, with their words."""
    named = {"industry": "industries", "unit": "units", "services": "services"}
    if name in named:
        return [(one["name"], w.pick(one, "name")) for one in offered[named[name]]]
    if name == "amenities":
        return [(one["key"], w.pick(one)) for one in offered["amenities"]]
    if name == "lab_grade":
        return [(grade, grade) for grade in offered["lab_grades"]]
    if name in ("near", "polygon") or name.startswith("facts."):
        return []
    return [(choice.value, str(getattr(choice, w.lang))) for choice in _column(name).choices]


def _field(name: str, offered: Result, typed: Typed, errors: Said, w: Words) -> dict[str, Any]:
    """Return a field as the template draws it."""
    column = None if name in ("near", "polygon") else _column(name)
    options = options_of(name, offered, w)
    kind = column.kind if column else "text"
    if kind in ("number", "integer", "date", "boolean"):
        shown = {"integer": "number", "boolean": "check"}.get(kind, kind)
    elif kind == "list":
        shown = "checks"
    elif options and name != "lab_grade":
        shown = "select"
    else:
        shown = _TYPES.get(name, "text")
    return {
        "name": name,
        "label": label_of(name, w),
        "hint": w.get(f"demand_hint.{name}", ""),
        "type": shown,
        "value": typed.get(name, [] if shown == "checks" else ""),
        "options": options,
        "error": errors.get(name, ""),
        "required": name in _REQUIRED,
        "minimum": column.minimum if column else None,
        "maximum": column.maximum if column else None,
        "step": "1" if kind == "integer" else "any",
        "longest": _LONGEST.get(name),
        "complete": _COMPLETE.get(name, "off"),
    }


def _facts(offered: Result, typed: Typed, errors: Said, w: Words) -> list[dict[str, Any]]:
    """Return the facts that the rules of entry read, as fields."""
    fields = []
    for one in offered["facts"]:
        name = f"facts.{one['key']}"
        flag = one["kind"] == "flag"
        unit = "%" if one["share"] else one["unit"]
        fields.append(
            {
                "name": name,
                "label": w.pick(one),
                "hint": "" if flag else w("demand.actual", unit=unit).replace("()", "").strip(),
                "type": "select" if flag else ("number" if one["kind"] == "number" else "text"),
                "value": typed.get(name, ""),
                "options": [("true", w("site.yes")), ("false", w("site.no"))] if flag else [],
                "error": errors.get(name, ""),
                "required": False,
                "minimum": 0,
                "maximum": 100 if one["share"] else None,
                "step": "any",
                "longest": 100,
                "complete": "off",
            }
        )
    return fields


def _shown(record: Result, offered: Result, w: Words) -> list[tuple[str, str]]:
    """Return what a need says, label by label."""
    said = []
    for name in _SHOWN:
        value = record.get(name)
        if not present(value) or value is False:
            continue
        words_of = dict(options_of(name, offered, w))
        values = value if isinstance(value, list) else [value]
        if any(str(one) in words_of for one in values):
            text = ("、" if w.lang == "zh" else ", ").join(
                words_of.get(str(one), str(one)) for one in values
            )
        else:
            text = worded(_column(name), value, w)
        said.append((label_of(name, w), text))
    place = record.get("geometry")
    if place is not None:
        point = place.geom_type == "Point"
        text = f"{place.x:.5f}, {place.y:.5f}" if point else w("demand.drawn")
        said.append((label_of("near" if point else "polygon", w), text))
    return said


def _match(pair: Result, offered: Result, w: Words) -> dict[str, Any]:
    """Return a space that suits: what is less than asked for part by part, and what is not known.

    The rules of entry are about the company and not the space; they stand once, below.
    """
    parts = [(w(f"part.{name}"), value) for name, value in pair["parts"].items()]
    comma = "、" if w.lang == "zh" else ", "
    return {
        **pair,
        "unit": dict(options_of("unit", offered, w)).get(pair["unit"], pair["unit"]),
        "full": comma.join(label for label, value in parts if value >= 1),
        "parts": [(label, value) for label, value in parts if value < 1],
        "unknown": comma.join(
            w.pick(one)
            for one in pair["reasons"]
            if one["outcome"] == "unknown" and not one["key"].startswith("rule.")
        ),
    }


def _verdict(one: Result, w: Words) -> dict[str, Any]:
    return {
        **one,
        "name": w.pick(one),
        "said": w(f"match.{one['outcome']}"),
        "reasons": [(w.pick(r), r["outcome"]) for r in one["reasons"] if r["outcome"] != "pass"],
    }


def demands_page(
    answer: Result,
    *,
    frame: PageFrame,
    offered: Result,
    held: Mapping[str, str],
    sorts: Sequence[str],
) -> str:
    """Draw the needs to the staff, with their contacts.

    Parameters
    ----------
    answer
        A page of needs as plain values, contacts among them.
    frame
        What the frame says.
    offered
        What there was to choose from, for filters and words.
    held
        What the filters hold: `status`, `unit`, `industry`, `text`, `sort`.
    sorts
        Columns that the list can be sorted by.
    """
    w = frame.words
    kept = {name: value for name, value in held.items() if value}
    states = [
        (choice.value, str(getattr(choice, w.lang)), answer["counts"].get(choice.value, 0))
        for choice in _column("status").choices
    ]
    return render(
        "demands.html",
        frame=frame,
        page="demands",
        total=answer["total"],
        rows=[_row(one, offered, w) for one in answer["demands"]],
        states=states,
        units=options_of("unit", offered, w),
        industries=options_of("industry", offered, w),
        held=held,
        orders=[(name, w(f"demands.sort_{name.replace('-', 'falling_')}")) for name in sorts],
        next=frame.link("/demands", **{**kept, "after": answer["next"]}) if answer["next"] else "",
        file=frame.link("/demands/export.xlsx", **kept),
        here=frame.link("/demands", **kept),
    )


def _row(one: Result, offered: Result, w: Words) -> dict[str, Any]:
    """Return a need as the table of the staff shows it."""
    industry = dict(options_of("industry", offered, w))
    return {
        **one,
        "title": one["title"] or w("demands.untitled"),
        "industry": industry.get(one["industry"], one["industry"]),
        "unit": dict(options_of("unit", offered, w)).get(one["unit"], one["unit"]),
        "kind": worded(_column("kind"), one["kind"], w),
        "state": worded(_column("status"), one["status"], w),
        "demo": one["provenance"] == "demo",
        "contact": [one[name] for name in _GROUPS["contact"] if one.get(name)],
        "consent": _consented(one.get("consent"), w),
    }


def _consented(record: str | None, w: Words) -> str:
    """Return a consent in words: which text was agreed to, and when."""
    if not record:
        return ""
    try:
        told = orjson.loads(record)
        return w("demands.consented", version=told["version"], at=str(told["at"])[:10])
    except (orjson.JSONDecodeError, TypeError, KeyError):
        return record  # of another program
