"""Coverage of industries (一产一器): which of them have an operating incubator."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geo.frames import lists
from geo.plain import plain
from geo.states import Fleet, Member, Tally, muster, operating_area_m2, state_of, tally
from geo.units import UnitIndex, assign_units, index_units


@dataclass(frozen=True)
class IndustryCell:
    """One industry in one unit: its state and the incubators behind it."""

    state: str
    incubators: tuple[str, ...]


@dataclass(frozen=True)
class IndustryRow:
    """One industry in the whole city, and in each of its units."""

    key: str
    name: str
    name_en: str | None
    group: str | None
    state: str
    incubators: tuple[str, ...]
    operating_area_m2: float
    units: Mapping[str, IndustryCell]


@dataclass(frozen=True)
class UnitIndustries:
    """The industries in one unit by key, and how many are in each state."""

    unit: str
    summary: Tally
    industries: Mapping[str, IndustryCell]


@dataclass(frozen=True)
class UnknownIndustry:
    """An incubator whose lead industry is none of the key industries."""

    id: str
    industry: str


@dataclass(frozen=True)
class IndustryCoverage:
    """一产一器 on a day: for the city, and the matrix of units and industries."""

    rule: Mapping[str, Any]
    as_of: pd.Timestamp
    demo_counted: bool
    summary: Tally
    industries: tuple[IndustryRow, ...]
    units: tuple[UnitIndustries, ...]
    unit_names: tuple[str, ...]
    unknown: tuple[UnknownIndustry, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON holds it."""
        answer: dict[str, Any] = plain(self)
        return answer


def match_industries(
    incubators: pd.DataFrame, industries: Sequence[Mapping[str, Any]]
) -> list[frozenset[str]]:
    """Tell the key industries of each incubator.

    Parameters
    ----------
    incubators
        Records with `lead_industries` (names) and `industry_codes` (GB/T 4754).
    industries
        Each with `key`, `name`, and where given `name_en`, `aliases`, `codes`: a code means all
        codes that begin with it.

    Returns
    -------
    list
        The keys of each incubator's industries.

    Examples
    --------
    >>> shoes = {"key": "shoes", "name": "Shoes", "aliases": ["Footwear"], "codes": ["C195"]}
    >>> frame = pd.DataFrame({"lead_industries": [["footwear"], []],
    ...                       "industry_codes": [[], ["1951"]]})
    >>> match_industries(frame, [shoes])
    [frozenset({'shoes'}), frozenset({'shoes'})]
    """
    keys_of = _keys_by_word(industries)
    codes = [(_digits(code), item["key"]) for item in industries for code in item.get("codes", ())]
    return [
        frozenset(key for name in names for key in keys_of.get(_word(name), ()))
        | {key for held in held_codes for code, key in codes if _digits(held).startswith(code)}
        for names, held_codes in zip(
            lists(incubators, "lead_industries"), lists(incubators, "industry_codes"), strict=True
        )
    ]


def _word(name: str) -> str:
    return "".join(name.split()).casefold()


def _digits(code: str) -> str:
    """Return a code without its letter: the letter is the section, the digits say it again."""
    return code.strip().lstrip("ABCDEFGHIJKLMNOPQRSTabcdefghijklmnopqrst")


def _keys_by_word(industries: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    keys: dict[str, set[str]] = {}
    for item in industries:
        words = (item["key"], item["name"], item.get("name_en") or "", *item.get("aliases", ()))
        for word in words:
            keys.setdefault(_word(word), set()).add(item["key"])
    return keys


def cover_industries(
    incubators: pd.DataFrame,
    *,
    units: pd.DataFrame,
    rule: Mapping[str, Any],
    towns_rule: Mapping[str, Any],
    as_of: Any,
) -> IndustryCoverage:
    """Tell which key industries have an incubator, in the city and in each unit.

    Parameters
    ----------
    incubators
        Records of `incubators`.
    units
        Records of `reporting_units`.
    rule
        The rule `industries`.
    towns_rule
        The rule `towns`: what counts as operating, planned and large is the same there.
    as_of
        The day asked about.

    Returns
    -------
    IndustryCoverage
        Industries in the order of the rule, units in theirs.
    """
    index = index_units(units)
    fleet = muster(incubators, as_of=as_of, rule=towns_rule)
    industries = list(rule["industries"])
    held = match_industries(fleet.frame, industries)
    places = assign_units(fleet.frame, units, index=index)
    counted = [
        (fleet.members[key], keys, unit)
        for key, keys, unit in zip(fleet.frame["id"].tolist(), held, places, strict=True)
        if key in fleet.members
    ]
    matrix = tuple(_unit_rows(industries, counted, index, towns_rule))
    rows = tuple(_industry_row(item, counted, matrix, towns_rule) for item in industries)
    return IndustryCoverage(
        rule=rule,
        as_of=fleet.as_of,
        demo_counted=any(member.demo for member, keys, _ in counted if keys),
        summary=tally(row.state for row in rows),
        industries=rows,
        units=matrix,
        unit_names=index.names,
        unknown=tuple(_find_unknown(fleet, industries)),
    )


_Counted = Sequence[tuple[Member, frozenset[str], str | None]]


def _industry_row(
    item: Mapping[str, Any],
    counted: _Counted,
    matrix: Sequence[UnitIndustries],
    rule: Mapping[str, Any],
) -> IndustryRow:
    members = [member for member, keys, _ in counted if item["key"] in keys]
    return IndustryRow(
        key=item["key"],
        name=item["name"],
        name_en=item.get("name_en"),
        group=item.get("group"),
        state=state_of(members, rule),
        incubators=tuple(member.id for member in members),
        operating_area_m2=operating_area_m2(members),
        units={row.unit: row.industries[item["key"]] for row in matrix},
    )


def _unit_rows(
    industries: Sequence[Mapping[str, Any]],
    counted: _Counted,
    index: UnitIndex,
    rule: Mapping[str, Any],
) -> Iterable[UnitIndustries]:
    for unit in index.names:
        here = [(member, keys) for member, keys, place in counted if place == unit]
        cells = {}
        for item in industries:
            members = [member for member, keys in here if item["key"] in keys]
            ids = tuple(member.id for member in members)
            cells[item["key"]] = IndustryCell(state_of(members, rule), ids)
        yield UnitIndustries(unit, tally(cell.state for cell in cells.values()), cells)


def _find_unknown(
    fleet: Fleet, industries: Sequence[Mapping[str, Any]]
) -> Iterable[UnknownIndustry]:
    known = _keys_by_word(industries)
    names = lists(fleet.frame, "lead_industries")
    for key, leads in zip(fleet.frame["id"].tolist(), names, strict=True):
        if key in fleet.members:
            yield from (UnknownIndustry(key, lead) for lead in leads if _word(lead) not in known)
