"""Which layers exist: the declaration of every layer and column, read from `catalog.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from geo.errors import NotFoundError

Kind = Literal["text", "integer", "number", "boolean", "date", "list", "json"]


@dataclass(frozen=True)
class Choice:
    """One allowed value of a column, with its words."""

    value: str
    zh: str
    en: str


@dataclass(frozen=True)
class Column:
    """One column of a layer; the unit of a number stands at the end of its name.

    `past` marks a date that no entry may put into the future, `not_above` names a column whose
    value this one's may not exceed, `help` says what is meant, in Chinese and in English.
    """

    name: str
    kind: Kind
    zh: str
    en: str
    required: bool = False
    unique: bool = False
    staff: bool = False
    personal: bool = False
    minimum: float | None = None
    maximum: float | None = None
    past: bool = False
    not_above: str = ""
    help: tuple[str, ...] = ()
    choices: tuple[Choice, ...] = ()
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Layer:
    """One layer: its name, words, geometry and columns (the common ones first).

    `aside` is work on the side of the map, on which no answer rests.
    `staff` layers are for the staff's eyes only; `desk` layers are entered at their desk.
    """

    name: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    geometry: tuple[str, ...] = ()
    geometry_required: bool = True
    staff: bool = False
    aside: bool = False
    desk: bool = False

    @property
    def spatial(self) -> bool:
        """Whether records of the layer can have a geometry."""
        return bool(self.geometry)

    @property
    def personal_columns(self) -> tuple[str, ...]:
        """The names of the columns that are about a person, who can have them erased."""
        return tuple(column.name for column in self.columns if column.personal)

    @property
    def public_columns(self) -> tuple[Column, ...]:
        """The columns that anyone may see."""
        return tuple(column for column in self.columns if not column.staff)

    def column(self, name: str) -> Column:
        """Return the column of that name.

        Raises
        ------
        NotFoundError
            When the layer has no such column; the message lists those that it has.
        """
        for column in self.columns:
            if column.name == name:
                return column
        names = ", ".join(column.name for column in self.columns)
        raise NotFoundError(f"layer {self.name!r} has no column {name!r}; it has: {names}")


def _column(declared: Mapping[str, Any]) -> Column:
    choices = tuple(Choice(*choice) for choice in declared.get("choices", ()))
    texts = {name: tuple(declared.get(name, ())) for name in ("aliases", "help")}
    return Column(**{**declared, "choices": choices, **texts})


@cache
def layers() -> Mapping[str, Layer]:
    """Every layer by name, in the order of the map.

    >>> list(layers())[:3]
    ['reporting_units', 'divisions', 'structure']
    >>> layers()["incubators"].column("area_m2").zh
    '总面积(㎡)'
    """
    declared = tomllib.loads(files("layers").joinpath("catalog.toml").read_text("utf-8"))
    common = tuple(_column(column) for column in declared["common"])
    return {
        name: Layer(
            name=name,
            zh=layer["zh"],
            en=layer["en"],
            columns=common + tuple(_column(column) for column in layer["columns"]),
            geometry=tuple(layer.get("geometry", ())),
            geometry_required=layer.get("geometry_required", True),
            staff=layer.get("staff", False),
            aside=layer.get("aside", False),
            desk=layer.get("desk", False),
        )
        for name, layer in declared["layers"].items()
    }


def layer(name: str) -> Layer:
    """Return the layer of that name.

    Raises
    ------
    NotFoundError
        When no layer has the name; the message lists those that exist.

    >>> layer("incubatorz")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    geo.errors.NotFoundError: there is no layer 'incubatorz'; did you mean 'incubators'? layers: ...
    """
    found = layers().get(name)
    if found is None:
        close = get_close_matches(name, layers(), n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        raise NotFoundError(f"there is no layer {name!r}; {hint}layers: {', '.join(layers())}")
    return found
