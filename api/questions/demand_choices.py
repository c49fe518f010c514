"""What the form of a need offers: names and rules of the store, for page, API and checks alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from geo.errors import NotFoundError
from geo.units import UnitIndex, index_units
from layers.columns import space_table
from layers.pack import NONE, load_pack
from layers.query import Bounds
from layers.store import Rules, Store

# For a company that is none of the city's key industries; its code then says what it does.
OTHER_INDUSTRY = {"key": "other", "name": "其他", "name_en": "Other", "codes": (), "aliases": ()}
_BESIDE_THE_CITY_DEG = 0.3  # about 30 km: a place farther out is a mistake

FactKind = Literal["flag", "number", "text"]


@dataclass(frozen=True)
class FactAsked:
    """One fact that the rules of entry read: how it is asked, and what it may be."""

    key: str
    kind: FactKind
    zh: str
    en: str
    unit: str = ""

    @property
    def is_share(self) -> bool:
        """Whether it is a share, 0 to 1; people say it in percent."""
        return self.key.endswith("_share")


@dataclass(frozen=True)
class Consent:
    """What is said before a contact is taken: the rule's version, the purpose and the words."""

    version: int
    purpose: Mapping[str, str]
    notice: Mapping[str, str]
    agree: Mapping[str, str]
    source: str


@dataclass(frozen=True)
class FormChoices:
    """What the form offers, and what its checks hold answers against.

    Parameters
    ----------
    industries, services, amenities
        As the rules name them.
    units
        The reporting units.
    unit_names_en
        Their English names.
    lab_grades
        Grades of laboratories that spaces have.
    facts
        What the rules of entry ask of a company.
    consent
        What is said before a contact is taken.
    around
        The box, in degrees, that places may lie in; None for a store without places.
    has_space
        Tells whether there is a space of an id.
    """

    industries: Sequence[Mapping[str, Any]]
    services: Sequence[Mapping[str, Any]]
    amenities: Sequence[Mapping[str, Any]]
    units: UnitIndex
    unit_names_en: Mapping[str, str]
    lab_grades: Sequence[str]
    facts: Sequence[FactAsked]
    consent: Consent
    around: Bounds | None
    has_space: Callable[[str], bool]

    def to_json(self) -> dict[str, Any]:
        """Return what a page offers, as plain values."""
        return {
            "industries": [dict(one) for one in self.industries],
            "services": [dict(one) for one in self.services],
            "amenities": [dict(one) for one in self.amenities],
            "units": [
                {"name": name, "name_en": self.unit_names_en.get(name)} for name in self.units.names
            ],
            "lab_grades": list(self.lab_grades),
            "facts": [{**asdict(one), "share": one.is_share} for one in self.facts],
            "consent": asdict(self.consent),
        }


def read_choices(store: Store) -> FormChoices:
    """Read what the form offers from a store."""
    industries = tuple(store.rules("industries").body.get("industries", ()))
    units = store.read("reporting_units")
    spaces = space_table(store).columns
    english = zip(units["name"], units["name_en"], strict=True)
    return FormChoices(
        industries=(*industries, OTHER_INDUSTRY) if industries else (),
        services=tuple(store.rules("services").body.get("services", ())),
        amenities=tuple(store.rules("amenities").body["categories"]),
        units=index_units(units),
        unit_names_en={name: other for name, other in english if isinstance(other, str)},
        lab_grades=spaces.coded["lab_grade"].choices(),
        facts=_facts(store.rules("eligibility").body["rules"]),
        consent=_consent(store),
        around=_around(store.extent("reporting_units") or store.extent("spaces")),
        has_space=lambda key: spaces.row_of(key) is not None,
    )


def _facts(rules: Sequence[Mapping[str, Any]]) -> tuple[FactAsked, ...]:
    """List the facts that rules about a demand read, each once."""
    kinds: Mapping[str, FactKind] = {"is": "flag", "in": "text"}
    asked: dict[str, FactAsked] = {}
    for rule in rules:
        if rule.get("subject") != "demand":
            continue
        for one in (*rule.get("all", ()), *rule.get("any", ())):
            kind = kinds.get(str(one["op"]), "number")
            fact = FactAsked(
                str(one["fact"]), kind, str(one.get("zh", one["fact"])),
                str(one.get("en", one["fact"])), str(one.get("unit", "")),
            )  # fmt: skip
            asked.setdefault(fact.key, fact)
    return tuple(asked.values())


def _consent(store: Store) -> Consent:
    """Read the words of consent; those of the program for a store older than them."""
    try:
        rules = store.rules("consent")
    except NotFoundError:
        body, source = load_pack(NONE).rules["consent"]
        rules = Rules("consent", 0, dict(body), source)
    body = rules.body
    return Consent(rules.version, body["purpose"], body["notice"], body["agree"], rules.source)


def _around(extent: Bounds | None) -> Bounds | None:
    if extent is None:
        return None
    west, south, east, north = extent
    more = _BESIDE_THE_CITY_DEG
    return west - more, south - more, east + more, north + more
