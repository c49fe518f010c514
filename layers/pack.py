"""City packs: what a place brings along, read from a folder of TOML, CSV and GeoJSON.

A pack is a folder with `city.toml` (name, issuer, plan, structure roles), optional `rules/*.toml`
and `industries.toml`, and `layers/*.csv` or `*.geojson` named after their layer. Every record and
every rule cites its source. The rules of the folder `default` fill what a pack leaves out: a key
of the pack replaces the default's, and lists of tables with a `key` are merged by that key.

In CSV, lists are written with `;` between their parts, and points as columns `lon` and `lat` in
CGCS2000 (WGS-84 is taken as equal). GeoJSON is WGS-84 by its standard.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
from pyogrio.errors import DataSourceError

from geo.crs import STORED_CRS, parse_datum
from geo.errors import Fault, InputError
from layers.catalog import Layer, layers
from layers.schema import examine
from layers.store import Store

NONE = "none"  # the name of the pack of no place at all: default rules, no records
_BUNDLED = Path(str(files("layers"))) / "bundled"
_DEFAULT_RULES = _BUNDLED / "default" / "rules"
_CITY_KEYS = ("key", "name", "name_en", "issuer")

Body = dict[str, Any]


@dataclass(frozen=True)
class Pack:
    """What a place brings along.

    `rules` maps a name to its body and the citation of its source; `frames` a layer to its
    records, as `layers.schema.conform` shapes them; `industries` are those of the rule of that
    name.
    """

    key: str
    name: str
    name_en: str
    metric_crs: str | None = None
    issuer: str = ""
    plan: Body = field(default_factory=dict)
    roles: list[Body] = field(default_factory=list)
    rules: Mapping[str, tuple[Body, str]] = field(default_factory=dict)
    frames: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    industries: list[Body] = field(default_factory=list)

    @property
    def city(self) -> Body:
        """What a store remembers of the place, as JSON can hold it."""
        return {
            "key": self.key,
            "name": self.name,
            "name_en": self.name_en,
            "issuer": self.issuer,
            "plan": self.plan,
            "roles": self.roles,
        }


def pack_names() -> list[str]:
    """Names of the packs that come with the program, `none` included.

    >>> "none" in pack_names()
    True
    """
    return [*sorted(path.parent.name for path in _BUNDLED.glob("*/city.toml")), NONE]


def load_pack(name_or_folder: str | Path) -> Pack:
    """Read a city pack and check every record of it.

    Parameters
    ----------
    name_or_folder
        A name of `pack_names()`, or the path of a folder.

    Returns
    -------
    Pack
        The rules merged over the defaults, the frames conformed and free of faults.

    Raises
    ------
    InputError
        When there is no such pack, or it is faulty; all faults found are listed.

    Examples
    --------
    >>> pack = load_pack("none")
    >>> pack.name_en, pack.rules["towns"][0]["large_area_m2"], len(pack.frames)
    ('Unnamed place', 20000, 0)
    """
    if str(name_or_folder) == NONE:
        return Pack(NONE, "未命名地区", "Unnamed place", rules=_merge_rules({}))
    folder = _find_folder(name_or_folder)
    city = _read_toml(folder / "city.toml")
    faults = list(_check_city(city, folder / "city.toml"))
    own_rules = dict(_read_rules(_rule_paths(folder)))
    frames, frame_faults = _read_frames(folder / "layers")
    faults += frame_faults
    if faults:
        raise InputError(
            f"city pack {folder.name}: {len(faults)} faults; the first: {faults[0]}", faults
        )
    rules = _merge_rules(own_rules)
    return Pack(
        key=city["key"],
        name=city["name"],
        name_en=city["name_en"],
        metric_crs=city.get("metric_crs"),
        issuer=city["issuer"],
        plan=_jsonable(city.get("plan", {})),
        roles=_jsonable(city.get("roles", [])),
        rules=rules,
        frames=frames,
        industries=rules["industries"][0]["industries"],
    )


def install_pack(store: Store, pack: Pack, *, who: str = "setup") -> dict[str, int]:
    """Write a pack into a store, all or nothing.

    Parameters
    ----------
    store
        An empty store, open for writing.
    pack
        As `load_pack` gives it.
    who
        The name that the history of the records shows.

    Returns
    -------
    dict
        How many records each layer got.

    Raises
    ------
    InputError
        When the store has records with the ids of the pack: it was installed before.
    """
    with store.edit(who, f"城市资料包 · city pack {pack.key}") as edit:
        edit.set_meta("city", pack.city)
        if pack.metric_crs:
            edit.set_meta("metric_crs", pack.metric_crs)
        for name, (body, source) in pack.rules.items():
            edit.set_rules(name, body, source)
        return {layer: len(edit.insert(layer, frame)) for layer, frame in pack.frames.items()}


def _find_folder(name_or_folder: str | Path) -> Path:
    bundled = _BUNDLED / str(name_or_folder)
    if str(name_or_folder) in pack_names():
        return bundled
    folder = Path(name_or_folder)
    if (folder / "city.toml").is_file():
        return folder
    what = "has no city.toml" if folder.is_dir() else "is neither a folder nor the name of a pack"
    raise InputError(
        f"city {str(name_or_folder)!r} {what}; give one of {', '.join(pack_names())} or the folder "
        "of a city pack"
    )


def _check_city(city: Mapping[str, Any], path: Path) -> Iterator[Fault]:
    for key in _CITY_KEYS:
        value = city.get(key)
        if not isinstance(value, str) or not value.strip():
            yield Fault(f"{path.name}, {key}", "is missing or not a text", value, "give a text")
    if city.get("metric_crs") is not None:
        try:
            parse_datum(city["metric_crs"])
        except InputError as error:
            yield Fault(f"{path.name}, metric_crs", str(error), city["metric_crs"])


# --- rules ------------------------------------------------------------------------------------


def _read_toml(path: Path) -> Body:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not TOML in UTF-8: {error}") from error


def _rule_paths(folder: Path) -> list[Path]:
    industries = folder / "industries.toml"
    return sorted((folder / "rules").glob("*.toml")) + [industries] * industries.is_file()


def _read_rules(paths: Iterable[Path]) -> Iterator[tuple[str, tuple[Body, str]]]:
    for path in paths:
        body = _jsonable(_read_toml(path))
        source = body.pop("source", "")
        if not isinstance(source, str) or not source.strip():
            raise InputError(f"{path.name} has no `source`; cite where the rule comes from")
        yield path.stem, (body, source)


def _merge_rules(own: Mapping[str, tuple[Body, str]]) -> dict[str, tuple[Body, str]]:
    """Lay the rules of a pack over the defaults."""
    merged = dict(_read_rules(sorted(_DEFAULT_RULES.glob("*.toml"))))
    for name, (body, source) in own.items():
        default, default_source = merged.get(name, ({}, ""))
        inherits = any(key not in body for key in default)
        merged[name] = (
            {**default, **{key: _merge_value(default.get(key), body[key]) for key in body}},
            f"{source}; {default_source}" if inherits and default_source else source,
        )
    return merged


def _merge_value(default: Any, own: Any) -> Any:
    """Merge lists of tables by `key` and tables by name; anything else is replaced.

    >>> _merge_value([{"key": "a", "n": 1}, {"key": "b"}], [{"key": "a", "n": 2}, {"key": "c"}])
    [{'key': 'a', 'n': 2}, {'key': 'b'}, {'key': 'c'}]
    """
    if isinstance(default, dict) and isinstance(own, dict):
        return {**default, **own}
    if _is_keyed(default) and _is_keyed(own):
        tables = {table["key"]: table for table in default}
        for table in own:
            tables[table["key"]] = {**tables.get(table["key"], {}), **table}
        return list(tables.values())
    return own


def _is_keyed(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(item, dict) and "key" in item for item in value
    )


def _jsonable(value: Any) -> Any:
    """Turn what TOML can hold into what JSON can: dates become texts."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_jsonable(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


# --- records ----------------------------------------------------------------------------------


def _read_frames(folder: Path) -> tuple[dict[str, pd.DataFrame], list[Fault]]:
    frames: dict[str, pd.DataFrame] = {}
    faults: list[Fault] = []
    known = layers()
    for path in sorted([*folder.glob("*.csv"), *folder.glob("*.geojson")]):
        if path.stem not in known:
            faults.append(
                Fault(path.name, "is not named after a layer", path.stem, f"one of {list(known)}")
            )
        elif path.stem in frames:
            faults.append(Fault(path.name, "is a second file of its layer", fix="keep one"))
        else:
            frames[path.stem], found = _read_frame(path, known[path.stem])
            faults += found
    return frames, faults


def _read_frame(path: Path, layer: Layer) -> tuple[pd.DataFrame, list[Fault]]:
    raw = _read_csv(path, layer) if path.suffix == ".csv" else _read_geojson(path)
    names = {column.name for column in layer.columns} | {"geometry"}
    unknown = [name for name in raw.columns if name not in names]
    if unknown:
        fault = Fault(path.name, "has unknown columns", unknown, f"{layer.name} has {names}")
        return raw, [fault]
    given = raw["provenance"] if "provenance" in raw.columns else pd.Series(None, raw.index, str)
    frame, found = examine(
        layer.name, _split_lists(raw.assign(provenance=given.fillna("sourced")), layer)
    )
    faults = [
        Fault(
            f"{path.name}, record {fault.row + 1}, {fault.column}",
            fault.what,
            fault.value,
            fault.fix,
        )
        for fault in found
    ]
    uncited = frame.index[frame["source"].isna() | (frame["source"].str.strip() == "")]
    faults += [
        Fault(f"{path.name}, record {row + 1}, source", "is empty", fix="cite its source")
        for row in uncited
    ]
    return frame, faults


def _read_csv(path: Path, layer: Layer) -> pd.DataFrame:
    try:
        raw = pd.read_csv(path, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    except (ValueError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not a CSV table in UTF-8: {error}") from error
    raw = raw.replace("", None)
    if not (layer.spatial and {"lon", "lat"} <= set(raw.columns)):
        return raw
    lon, lat = (pd.to_numeric(raw[name], errors="coerce") for name in ("lon", "lat"))
    points = gpd.GeoSeries.from_xy(lon, lat, crs=STORED_CRS)
    frame: pd.DataFrame = gpd.GeoDataFrame(
        raw.drop(columns=["lon", "lat"]), geometry=points.where(lon.notna() & lat.notna(), None)
    )
    return frame


def _read_geojson(path: Path) -> pd.DataFrame:
    try:
        raw = gpd.read_file(path)
    except DataSourceError as error:
        raise InputError(f"{path.name} is not GeoJSON: {error}") from error
    placed: pd.DataFrame = raw.set_crs(STORED_CRS, allow_override=True)
    return placed


def _split_lists(raw: pd.DataFrame, layer: Layer) -> pd.DataFrame:
    lists = [c.name for c in layer.columns if c.kind == "list" and c.name in raw.columns]
    cells = {name: pd.Series([_split(cell) for cell in raw[name]], raw.index) for name in lists}
    return raw.assign(**cells)


def _split(cell: Any) -> list[str]:
    if isinstance(cell, str):
        return [part.strip() for part in cell.split(";") if part.strip()]
    return list(cell) if isinstance(cell, (list, tuple)) else []
