"""Needs for space: posted, opened by their secret, changed, withdrawn, and listed for the staff."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import geopandas as gpd
import orjson
import shapely

from api.questions.common import today
from api.questions.demand_choices import Consent, FormChoices
from api.questions.demand_form import CONTACT, DemandForm, Draft, make_title, read_draft
from geo.demands import DemandList
from geo.errors import InputError, NotFoundError
from layers.catalog import layer as find_layer
from layers.query import Query
from layers.store import Edit, Store

LAYER = "demands"
MAX_LIMIT = 500
LIVING = ("open", "matched")  # states in which a need can be changed and looks for space
STATES = tuple(choice.value for choice in find_layer(LAYER).column("status").choices)
# What withdrawing forgets: whom to call, what was told in confidence, and free words.
FORGOTTEN = (*CONTACT, "secret_hash", "facts", "title")
_FROM_SPACE = (
    "kind", "unit", "clear_height_m", "floor_load_kn_m2", "power_kw", "water", "gas", "exhaust",
    "lab_grade",
)  # fmt: skip
_SORTS = ("posted_on", "industry", "unit", "min_area_m2", "max_rent_cny_m2_month", "start_on", "id")


@dataclass(frozen=True)
class Posted:
    """A need just posted: its id, and the secret that is told once and never kept."""

    id: str
    secret: str

    @property
    def path(self) -> str:
        """The path of the secret link: browsers send what follows # to nobody."""
        return f"/demands/{self.id}#key={self.secret}"

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"id": self.id, "secret": self.secret, "link": self.path}


def post_demand(edit: Edit, draft: Draft, consent: Consent) -> Posted:
    """Write a need; only a hash of its secret is kept.

    Parameters
    ----------
    edit
        An edit of the store.
    draft
        The need, checked.
    consent
        What was agreed to, recorded where the need has a contact.
    """
    # A token of 256 random bits cannot be guessed, so that one round of a hash hides it well.
    secret = secrets.token_urlsafe(32)
    record = {
        **draft.columns,
        **_contact(draft, consent),
        "status": "open",
        "posted_on": today(),
        "as_of": today(),
        "source": "企业自行发布",
        "provenance": "entered",
        "secret_hash": _hash(secret),
    }
    (key,) = edit.insert(LAYER, _frame(record, draft.place))
    return Posted(key, secret)


def change_demand(
    edit: Edit, store: Store, key: str, draft: Draft, consent: Consent
) -> dict[str, Any]:
    """Put another draft in the place of a need; return what was changed away, by column.

    A contact that is no longer given is taken out of the history too.

    Raises
    ------
    NotFoundError
        When there is no such need.
    InputError
        When it no longer looks for space.
    """
    held = store.get(LAYER, key)
    if held["status"] not in LIVING:
        raise InputError(f"demand {key} is {held['status']}: it can no longer be changed")
    changed: dict[str, Any] = {**draft.columns, "geometry": draft.place}
    if {name: held[name] for name in CONTACT} != dict(draft.contact):
        if any(held[name] for name in CONTACT):
            edit.erase(LAYER, key, CONTACT)
        changed |= _contact(draft, consent)
    edit.update(LAYER, key, **changed)
    return held


def withdraw_demand(edit: Edit, key: str) -> None:
    """Withdraw a need, and forget whom it was of: in the record and in its whole history.

    Raises
    ------
    NotFoundError
        When there is no such need.
    """
    edit.update(LAYER, key, status="withdrawn")
    edit.erase(LAYER, key, FORGOTTEN)


def set_demand_status(edit: Edit, store: Store, key: str, status: str) -> None:
    """Close a need for a company, or open it again.

    Raises
    ------
    NotFoundError
        When there is no such need.
    InputError
        When the state is not one of these, or the need was withdrawn.
    """
    if status not in ("open", "closed"):
        raise InputError(f"status {status!r}: give open or closed")
    if store.get(LAYER, key)["status"] == "withdrawn":
        raise InputError(f"demand {key} was withdrawn: its contact is gone; post it anew")
    edit.update(LAYER, key, status=status)


def owns_demand(store: Store, key: str, secret: str) -> bool:
    """Tell whether a secret is that of a need; in a time that tells nothing about it."""
    held = store.read(LAYER, Query(ids=[key], columns=["secret_hash"]))["secret_hash"]
    known = held.iloc[0] if len(held) and isinstance(held.iloc[0], str) else ""
    return secrets.compare_digest(known, _hash(secret)) and bool(known)


def ask_demand(store: Store, key: str) -> dict[str, Any]:
    """Return one need by column, for its owner or the staff; never the hash of its secret.

    Raises
    ------
    NotFoundError
        When there is no such need.
    """
    record = store.get(LAYER, key)
    return {name: value for name, value in record.items() if name != "secret_hash"}


def to_form(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the form that a need would be posted by.

    >>> to_form({"industry": "电气", "title": "电气 80 ㎡", "min_area_m2": 80.0,
    ...          "geometry": shapely.Point(120.5, 28)})
    {'industry': '电气', 'min_area_m2': 80.0, 'near': '120.5,28'}
    """
    fields = {
        name: record[name]
        for name in DemandForm.model_fields
        if name != "consent" and record.get(name) not in (None, [], {})
    }
    own = make_title(record["industry"], record["min_area_m2"], record.get("max_area_m2"))
    if fields.get("title") == own:
        del fields["title"]
    if record.get("consent") and any(record.get(name) for name in CONTACT):
        fields["consent"] = True
    place = record.get("geometry")
    if isinstance(place, shapely.Point):
        fields["near"] = f"{place.x:.8g},{place.y:.8g}"
    elif place is not None:
        fields["polygon"] = orjson.loads(shapely.to_geojson(place))
    return fields


def merge_form(record: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put changes over the form of a need; None empties a field, a new place replaces the old.

    >>> record = {"industry": "电气", "min_area_m2": 80.0, "geometry": shapely.Point(120, 28)}
    >>> merge_form(record, {"min_area_m2": 90, "near": "121,28"})
    {'industry': '电气', 'min_area_m2': 90, 'near': '121,28'}
    """
    fields = to_form(record)
    if changes.get("near") or changes.get("polygon"):
        fields.pop("near", None)
        fields.pop("polygon", None)
    return {**fields, **changes}


def from_space(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a form starts from when a space is asked for: its kind, area, unit and facts.

    >>> from_space({"id": "s1", "kind": "lab", "area_m2": 300.0, "vacant_area_m2": 200.0,
    ...             "min_area_m2": 50.0, "water": True, "gas": False})
    {'space': 's1', 'kind': 'lab', 'water': True, 'min_area_m2': 50.0, 'max_area_m2': 200.0}
    """
    fields = {"space": record["id"]} | {
        name: record[name] for name in _FROM_SPACE if record.get(name)
    }
    most = record.get("vacant_area_m2") or record["area_m2"]
    fields |= {"min_area_m2": record.get("min_area_m2") or most, "max_area_m2": most}
    return fields


def read_change(record: Mapping[str, Any], given: Mapping[str, Any], choices: FormChoices) -> Draft:
    """Read the form of a need that exists: a start that it has already may have passed.

    Raises
    ------
    FormError
        With every fault of every field.
    """
    start = record.get("start_on")
    held = dt.date.fromisoformat(start) if start else None
    return read_draft(given, choices, day=today(), held_start=held)


def ask_demands(
    store: Store,
    *,
    where: Mapping[str, Any] | None = None,
    text: str | None = None,
    sort: str = "-posted_on",
    limit: int = 50,
    after: str | None = None,
    demo: bool = True,
    contacts: bool = False,
) -> DemandList:
    """List needs for the staff.

    Parameters
    ----------
    store
        The store.
    where
        Values by column, of `status`, `unit`, `industry`.
    text
        Part of the title.
    sort
        Column, `-` before it for falling.
    limit, after
        How many, and the cursor of the page before.
    demo
        Whether demo records count.
    contacts
        Whether contacts are wanted.

    Raises
    ------
    InputError
        When a filter, the order, the limit or the cursor makes no sense.
    """
    if sort.removeprefix("-") not in _SORTS:
        raise InputError(f"sort {sort[:40]!r} is not known; give one of {', '.join(_SORTS)}")
    if not 1 <= limit <= MAX_LIMIT:
        raise InputError(f"limit: {limit} is out of range; give 1 to {MAX_LIMIT}")
    chosen = {name: value for name, value in (where or {}).items() if value}
    status = chosen.get("status")
    if status and status not in STATES:
        raise InputError(f"status {status[:40]!r} is not known; give one of {', '.join(STATES)}")
    columns = [one.name for one in find_layer(LAYER).public_columns]
    if contacts:
        columns += [*CONTACT, "consent"]
    query = Query(
        where=chosen, text=text or None, order_by=sort.removeprefix("-"), limit=limit,
        descending=sort.startswith("-"), after=after, demo=demo, columns=columns,
    )  # fmt: skip
    page = store.page(LAYER, query)
    others = {name: value for name, value in chosen.items() if name != "status"}
    counts = {
        state: store.count(LAYER, Query(where={**others, "status": state}, text=text, demo=demo))
        for state in STATES
    }
    demo_counted = bool((page.frame["provenance"] == "demo").any())
    total = page.total if page.total is not None else len(page.frame)
    return DemandList(_rows(page.frame, columns), total, page.next, counts, demo_counted)


def find_demand(store: Store, key: str) -> str:
    """Return the id of a need.

    Raises
    ------
    NotFoundError
        When there is no such need.
    """
    if not store.count(LAYER, Query(ids=[key])):
        raise NotFoundError(f"there is no demand with id {key!r}")
    return key


def _contact(draft: Draft, consent: Consent) -> dict[str, Any]:
    """Return the contact as it is stored, with what was agreed to and when."""
    agreed = None
    if draft.has_contact:
        at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        told = {"version": consent.version, "at": at, "purpose": consent.purpose["zh"]}
        agreed = orjson.dumps(told).decode()
    return {**draft.contact, "consent": agreed}


def _frame(record: Mapping[str, Any], place: shapely.Geometry | None) -> gpd.GeoDataFrame:
    columns = {name: [value] for name, value in record.items()}
    return gpd.GeoDataFrame(columns, geometry=[place], crs="EPSG:4490")


def _rows(frame: Any, columns: Sequence[str]) -> tuple[dict[str, Any], ...]:
    """Return records as plain values; what is missing is None."""
    kinds = {one.name: one.kind for one in find_layer(LAYER).columns}
    return tuple(
        {"id": row["id"]} | {name: _plain(row[name], kinds[name]) for name in columns}
        for row in frame.to_dict("records")
    )


def _plain(value: Any, kind: str) -> Any:
    if kind in ("list", "json"):
        return value
    if value is None or value != value or str(value) in ("NaT", "<NA>"):  # noqa: PLR0124  NaN
        return None
    return str(value)[:10] if kind == "date" else value


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
