"""The form of a need for space: one reading and one check for the API, the pages and as one types.

Types are read by pydantic, ranges and choices are the catalogue's, and what the city decides
(industries, units, services, facts of the rules, the words of consent) is the store's. Every fault
is found in one go, each with its field and a key that pages and problems put into words.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
import shapely
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.days import parse_day
from api.questions.demand_choices import OTHER_INDUSTRY, FactAsked, FormChoices
from geo.areas import MAX_TEXT as MAX_AREA_TEXT
from geo.areas import read_area
from geo.errors import Fault, InputError
from geo.industry_codes import read_code
from layers.catalog import Column
from layers.catalog import layer as find_layer
from layers.query import Bounds
from web.words import words

CONTACT = ("contact_name", "contact_phone", "contact_email")
LATEST_YEARS = 5  # a start later than so many years from now is a slip of the finger
_REQUIRED = ("industry", "min_area_m2")
_FREE_TEXTS = ("title", "industry", "lab_grade")
_PHONE = re.compile(r"\+?[\d\s()-]{5,30}(?:(?:转|ext\.?)\s*\d{1,6})?", re.IGNORECASE)
_MAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+\.[^\s@<>\"]{2,}")
# In a text that everyone can read: an address of e-mail, or as many digits as a telephone has.
_CONTACT_IN_TEXT = re.compile(r"@\S+\.|\d{7,}|(?<!\d)1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u2028-\u202e\ufeff\ud800-\udfff]")
# Keys of the words by pydantic's types of errors; what else there is says "not understood".
_KEYS = {
    "extra_forbidden": "unknown", "string_too_long": "long", "too_long": "many",
    "finite_number": "number", "float_parsing": "number", "float_type": "number",
    "int_parsing": "integer", "int_type": "integer", "int_from_float": "integer",
    "int_parsing_size": "integer", "bool_parsing": "flag", "bool_type": "flag",
    "string_type": "text", "string_unicode": "text",
}  # fmt: skip


def _text(most: int, what: str) -> Any:
    return Field(None, max_length=most, description=what)


class DemandForm(BaseModel):
    """A need for space; only `industry` and `min_area_m2` must be given."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, allow_inf_nan=False)

    title: str | None = _text(100, "In a few words; public, so without a contact")
    industry: str | None = _text(100, "A key industry of the city by name, key or alias, or 其他")
    industry_code: str | None = _text(20, "GB/T 4754-2017, as C38")
    stage: str | None = _text(40, "nursery, incubation, acceleration or industrialisation")
    kind: str | None = _text(40, "rd, production, suite, desk, pilot or lab")
    team_size: int | None = None
    min_area_m2: float | None = None
    max_area_m2: float | None = None
    max_rent_cny_m2_month: float | None = None
    start_on: str | None = _text(40, "Day, YYYY-MM-DD; not past")
    term_months: int | None = None
    unit: str | None = _text(100, "Reporting unit wished for")
    near: str | None = _text(100, "longitude,latitude of the place wished for, WGS-84")
    polygon: str | dict[str, Any] | None = Field(
        None, description="GeoJSON Polygon of the area wished for, WGS-84; instead of `near`"
    )
    minutes: float | None = Field(None, description="Walking minutes from the place")
    space: str | None = _text(200, "Id of a space wished for")
    clear_height_m: float | None = None
    floor_load_kn_m2: float | None = None
    power_kw: float | None = None
    water: bool | None = None
    gas: bool | None = None
    exhaust: bool | None = None
    lab_grade: str | None = _text(40, "Grade of laboratory needed")
    services: Annotated[list[str], Field(max_length=50)] = []
    amenities: Annotated[list[str], Field(max_length=50)] = []
    facts: dict[str, Any] = Field({}, description="Facts that the rules of entry read; not public")
    contact_name: str | None = _text(60, "Seen by staff only; needs consent")
    contact_phone: str | None = _text(40, "Seen by staff only; needs consent")
    contact_email: str | None = _text(254, "Seen by staff only; needs consent")
    consent: bool = Field(
        default=False, description="That the contact is processed for the purpose told"
    )


@dataclass(frozen=True)
class FormFault:
    """What is wrong with a field: the key of its words and the values in them."""

    where: str
    key: str
    values: Mapping[str, Any] = field(default_factory=dict)
    given: Any = None

    def said(self, lang: str) -> str:
        """Return the fault in words."""
        return words(lang)(f"demand_fault.{self.key}", **self.values)


class FormError(InputError):
    """A need cannot be taken; `form_faults` has every field that is wrong."""

    def __init__(self, faults: Sequence[FormFault], lang: str = "en") -> None:
        said = [
            Fault(one.where, one.said(lang), None if one.where in CONTACT else _short(one.given))
            for one in faults
        ]
        super().__init__("; ".join(map(str, said)), said)
        self.form_faults = tuple(faults)


@dataclass(frozen=True)
class Draft:
    """A need that may be written: its public columns and facts, its place, and the contact."""

    columns: Mapping[str, Any]
    place: shapely.Geometry | None
    contact: Mapping[str, str | None]

    @property
    def has_contact(self) -> bool:
        """Whether there is anything of a contact."""
        return any(self.contact.values())


def read_draft(
    given: Mapping[str, Any],
    choices: FormChoices,
    *,
    day: dt.date,
    held_start: dt.date | None = None,
) -> Draft:
    """Read and check a need.

    Parameters
    ----------
    given
        Fields of `DemandForm`; texts as typed will do, empty ones are as none.
    choices
        What the store offers.
    day
        Today.
    held_start
        The start that the need has already: it may have passed since.

    Raises
    ------
    FormError
        With every fault of every field.
    """
    form, faults = _parse(given)
    wrong = {fault.where for fault in faults}
    found = {fault.where: fault for fault in _check(form, choices) if fault.where not in wrong}
    start, late = _start(form, day, held_start)
    place, misplaced = _place(form, choices)
    facts, unfit = _facts(form.facts, choices.facts)
    for fault in (*late, *misplaced, *unfit):
        if fault.where not in wrong:
            found.setdefault(fault.where, fault)
    faults += found.values()
    if faults:
        order = {name: number for number, name in enumerate(DemandForm.model_fields)}
        raise FormError(sorted(faults, key=lambda one: order.get(one.where.split(".")[0], 99)))
    industry = _industry(form.industry, choices)
    public = {
        name: getattr(form, name)
        for name in DemandForm.model_fields
        if name not in (*CONTACT, "consent", "near", "polygon", "facts", "start_on")
    }
    columns = public | {
        "industry": industry,
        "industry_code": read_code(form.industry_code) if form.industry_code else None,
        "unit": choices.units.find(form.unit),
        "start_on": start,
        "facts": facts or None,
        "title": form.title or make_title(industry, form.min_area_m2, form.max_area_m2),
    }
    return Draft(columns, place, {name: getattr(form, name) for name in CONTACT})


def _short(given: Any) -> Any:
    """Return what was given as an error repeats it; nothing of what has parts."""
    if isinstance(given, str):
        return given[:80]
    return given if isinstance(given, int | float) else None


def make_title(industry: str | None, least: float | None, most: float | None) -> str:
    """Return the title of a need that has none of its own.

    >>> make_title("电气", 300.0, 500.0), make_title("鞋业", 80.5, None)
    ('电气 300–500 ㎡', '鞋业 80.5 ㎡')
    """
    area = f"{least:.6g}" if most in (None, least) else f"{least:.6g}–{most:.6g}"
    return f"{industry} {area} ㎡"


def _parse(given: Mapping[str, Any]) -> tuple[DemandForm, list[FormFault]]:
    """Read the types; fields that cannot be read are faults and left out."""
    plain = {
        name: value
        for name, value in given.items()
        if value is not None and not (isinstance(value, str) and not value.strip())
    }
    try:
        return DemandForm.model_validate(plain), []
    except ValidationError as error:
        faults: dict[str, FormFault] = {}
        for one in error.errors(include_url=False):
            name = str(one["loc"][0])
            limits = {"max": (one.get("ctx") or {}).get("max_length")}
            key = _KEYS.get(one["type"], "form")
            values = limits if key in ("long", "many") else {}
            faults.setdefault(name, FormFault(name, key, values, one["input"]))
        rest = {name: value for name, value in plain.items() if name not in faults}
        return DemandForm.model_validate(rest), list(faults.values())


def _check(form: DemandForm, choices: FormChoices) -> Iterator[FormFault]:
    """Find what is missing, out of range, not offered, or at odds; the first of a field counts."""
    for name in _REQUIRED:
        if getattr(form, name) is None:
            yield FormFault(name, "missing")
    for column in find_layer("demands").columns:
        yield from _check_column(column, getattr(form, column.name, None))
    if form.industry and _industry(form.industry, choices) is None:
        yield FormFault("industry", "choice", given=form.industry)
    yield from _check_code(form, choices)
    if form.unit and choices.units.find(form.unit) is None:
        yield FormFault("unit", "choice", given=form.unit)
    yield from _check_lists(form, choices)
    least, most = form.min_area_m2, form.max_area_m2
    if least is not None and most is not None and most < least:
        yield FormFault("max_area_m2", "reversed", {"min": f"{least:.6g}"}, most)
    if form.space and not choices.has_space(form.space):
        yield FormFault("space", "choice", given=form.space)
    yield from _check_contact(form)


def _check_lists(form: DemandForm, choices: FormChoices) -> Iterator[FormFault]:
    for name, offered in (("services", "name"), ("amenities", "key")):
        known = {one[offered] for one in getattr(choices, name)}
        strange = [value for value in getattr(form, name) if value not in known]
        if strange:
            yield FormFault(name, "choice", given=strange[0])


def _check_column(column: Column, value: Any) -> Iterator[FormFault]:
    """Hold a value against what the catalogue allows."""
    if isinstance(value, str):
        if column.choices and value not in {choice.value for choice in column.choices}:
            yield FormFault(column.name, "choice", given=value)
        if _CONTROL.search(value):
            yield FormFault(column.name, "text")
    if isinstance(value, int | float) and column.kind in ("number", "integer"):
        if column.minimum is not None and value < column.minimum:
            yield FormFault(column.name, "below", {"min": f"{column.minimum:,.10g}"}, value)
        if column.maximum is not None and value > column.maximum:
            yield FormFault(column.name, "above", {"max": f"{column.maximum:,.10g}"}, value)


def _check_code(form: DemandForm, choices: FormChoices) -> Iterator[FormFault]:
    if form.industry_code:
        try:
            read_code(form.industry_code)
        except InputError:
            yield FormFault("industry_code", "code", given=form.industry_code)
    elif form.industry and _industry(form.industry, choices) == OTHER_INDUSTRY["name"]:
        yield FormFault("industry_code", "code_missing")


def _check_contact(form: DemandForm) -> Iterator[FormFault]:
    """Check a contact, and that none stands where everyone reads."""
    for name in _FREE_TEXTS:
        if _CONTACT_IN_TEXT.search(getattr(form, name) or ""):
            yield FormFault(name, "contact_in_text")
    if form.contact_phone and not _PHONE.fullmatch(form.contact_phone):
        yield FormFault("contact_phone", "phone")
    if form.contact_email and not _MAIL.fullmatch(form.contact_email):
        yield FormFault("contact_email", "email")
    if any(getattr(form, name) for name in CONTACT) and not form.consent:
        yield FormFault("consent", "consent")


def _industry(asked: str | None, choices: FormChoices) -> str | None:
    """Return the name of the industry that a name, key or alias means; any where none is offered.

    None when it is none of those offered.
    """
    if asked is None or not choices.industries:
        return asked
    wanted = "".join(asked.split()).casefold()
    for one in choices.industries:
        called = (one["key"], one["name"], one.get("name_en") or "", *one.get("aliases", ()))
        if wanted in {"".join(name.split()).casefold() for name in called}:
            return str(one["name"])
    return None


def _start(
    form: DemandForm, day: dt.date, held: dt.date | None
) -> tuple[dt.date | None, list[FormFault]]:
    try:
        start = parse_day(form.start_on, "start_on")
    except InputError:
        return None, [FormFault("start_on", "day", given=form.start_on)]
    if start is None or start == held:
        return start, []
    if start < day:
        return None, [FormFault("start_on", "past", {"day": day.isoformat()}, form.start_on)]
    if start.year > day.year + LATEST_YEARS:
        return None, [FormFault("start_on", "far", {"years": LATEST_YEARS}, form.start_on)]
    return start, []


def _place(
    form: DemandForm, choices: FormChoices
) -> tuple[shapely.Geometry | None, list[FormFault]]:
    if form.near and form.polygon:
        return None, [FormFault("near", "two_places", given=form.near)]
    if form.minutes is not None and not (form.near or form.polygon):
        return None, [FormFault("minutes", "no_place", given=form.minutes)]
    name = "near" if form.near else "polygon"
    try:
        shape = _point(form.near) if form.near else _area(form.polygon)
    except (InputError, ValueError):
        key = "point" if form.near else "area"
        return None, [FormFault(name, key, {"max": MAX_AREA_TEXT}, form.near)]
    if shape is not None and choices.around and not _meets(shape, choices.around):
        return None, [FormFault(name, "outside", given=form.near)]
    return shape, []


def _meets(shape: shapely.Geometry, box: Bounds) -> bool:
    return bool(shapely.intersects(shape, shapely.box(*box)))


def _point(text: str) -> shapely.Point:
    lon, lat = (float(part) for part in text.replace("，", ",").split(","))
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        raise ValueError(text)
    return shapely.Point(lon, lat)


def _area(given: str | dict[str, Any] | None) -> shapely.Geometry | None:
    if not given:
        return None
    return read_area(given if isinstance(given, str) else orjson.dumps(given).decode())


def _facts(
    given: Mapping[str, Any], asked: Sequence[FactAsked]
) -> tuple[dict[str, Any], list[FormFault]]:
    """Read the facts that were given, each as the rules ask it."""
    known = {one.key: one for one in asked}
    facts: dict[str, Any] = {}
    faults = []
    for key, value in given.items():
        name = f"facts.{key[:60]}"
        if value is None or value == "":
            continue
        if key not in known:
            faults.append(FormFault(name, "unknown"))
            continue
        read, wrong = _fact(known[key], value)
        if wrong:
            faults.append(FormFault(name, wrong, given=value))
        else:
            facts[key] = read
    return facts, faults


class _Fact(BaseModel):
    """A fact of each kind."""

    model_config = ConfigDict(allow_inf_nan=False)

    flag: bool = False
    number: Annotated[float, Field(ge=0, le=1e15)] = 0.0
    text: Annotated[str, Field(max_length=100)] = ""


def _fact(asked: FactAsked, value: Any) -> tuple[Any, str]:
    """Return a fact as the rules read it, or the key of what is wrong."""
    try:
        read = getattr(_Fact.model_validate({asked.kind: value}), asked.kind)
    except ValidationError:
        return None, asked.kind
    if asked.is_share and read > 1:
        return None, "share"
    return read, ""
