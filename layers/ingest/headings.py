"""Which heading of a file means which column of a layer: by name, label, alias or the user."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from geo.errors import InputError
from layers.catalog import Layer
from layers.ingest.units import plain, split_unit, unit_factor

# What the import settles itself; headings of these names are not read.
SETTLED = frozenset({"declared_datum", "declared_x", "declared_y", "batch"})

# Where a table keeps the place of a record. Easting and northing have many names: Chinese surveyors
# call the northing X, so a plain x and y count as across and up, and the values are checked.
PLACE_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "lon": (
        *("lon", "lng", "long", "longitude", "经度", "东经", "x", "x坐标", "坐标x", "pointx"),
        *(
            "coordx",
            "xcoord",
            "easting",
            "east",
            "横坐标",
            "东坐标",
            "经度坐标",
            "经度(e)",
            "经度(°)",
        ),
    ),
    "lat": (
        *("lat", "latitude", "纬度", "北纬", "y", "y坐标", "坐标y", "pointy", "coordy", "ycoord"),
        *("northing", "north", "纵坐标", "北坐标", "纬度坐标", "纬度(n)", "纬度(°)"),
    ),
    "lonlat": (
        "坐标",
        "经纬度",
        "经纬度坐标",
        "location",
        "lonlat",
        "lnglat",
        "coordinates",
        "位置坐标",
    ),
    "wkt": ("wkt", "geometry", "geom", "thegeom", "几何", "shape"),
}

# Headings that many offices use for a column of any layer that has it.
_COMMON_ALIASES: Mapping[str, tuple[str, ...]] = {
    "parent_code": ("county_code", "county_adcode", "上级区划代码", "父级代码", "parent", "pid"),
    "unit": ("区县", "所属区县", "所在区县", "县区", "行政区", "district"),
    "note": ("说明", "备注"),
    "source": ("资料来源",),
}


DBF_NAME_BYTES = 10  # what a Shapefile can keep of a heading


def cut_names(names: Sequence[str]) -> dict[str, str]:
    """Cut names to ten bytes, each still unlike the others.

    >>> cut_names(["name", "vacant_area_m2", "vacant_area_km2"])
    {'name': 'name', 'vacant_area_m2': 'vacant_are', 'vacant_area_km2': 'vacant_ar2'}
    """
    cut: dict[str, str] = {}
    for name in names:
        short, number = name[:DBF_NAME_BYTES], 1
        while short in cut.values():
            number += 1
            short = f"{name[: DBF_NAME_BYTES - len(str(number))]}{number}"
        cut[name] = short
    return cut


@dataclass(frozen=True)
class Match:
    """A heading's column, and the factor from the unit that the heading states to the column's."""

    column: str
    factor: float = 1.0


@dataclass(frozen=True)
class HeadingMatch:
    """How the headings of a file were read.

    Attributes
    ----------
    columns
        Heading to column, for those that mean one.
    place
        `lon`, `lat`, `lonlat` or `wkt` to the heading that holds it.
    ignored
        Headings that mean nothing here.
    notes
        Readings that a user should look at.
    """

    columns: dict[str, Match]
    place: dict[str, str]
    ignored: tuple[str, ...]
    notes: list[str] = field(default_factory=list)


def match_headings(
    layer: Layer,
    headings: Sequence[str],
    *,
    columns: Mapping[str, str] | None = None,
    placed: bool = False,
) -> HeadingMatch:
    """Match the headings of a file with the columns of a layer.

    Parameters
    ----------
    layer
        The layer that the records are for.
    headings
        As they stand in the file.
    columns
        What the user said: heading and column, either way round; beats every other match.
    placed
        Whether the file has geometries, so that headings of coordinates are not needed.

    Returns
    -------
    HeadingMatch
        The reading; every heading is in one of its parts.

    Raises
    ------
    InputError
        When the user named what does not exist, two headings mean one column, or a heading states
        a unit that its column cannot have.

    Examples
    --------
    >>> from layers.catalog import layer
    >>> match = match_headings(layer("incubators"), ["孵化器名称", "建筑面积（万㎡）", "楼长"])
    >>> {heading: (match.column, match.factor) for heading, match in match.columns.items()}
    {'孵化器名称': ('name', 1.0), '建筑面积（万㎡）': ('area_m2', 10000.0)}
    >>> match.ignored
    ('楼长',)
    """
    told = _told(layer, headings, columns or {})
    places = {} if placed else _find_place(headings, told)
    taken = {*told, *places.values()}
    index = _index(layer)
    wanted = {
        heading: matches
        for heading in headings
        if heading not in taken and (matches := _candidates(heading, index))
    }
    known = [match.column for match in told.values()]
    matched, notes = _assign(wanted, [name for name in known if name not in PLACE_HEADINGS])
    place = places | {
        match.column: h for h, match in told.items() if match.column in PLACE_HEADINGS
    }
    columns_told = {h: match for h, match in told.items() if match.column not in PLACE_HEADINGS}
    used = columns_told | matched
    ignored = tuple(h for h in headings if h not in used and h not in place.values())
    ordered = {heading: used[heading] for heading in headings if heading in used}
    return HeadingMatch(ordered, place, ignored, notes)


Index = Mapping[str, Sequence[tuple[int, str]]]


def _index(layer: Layer) -> Index:
    """Every plain spelling of every column, with how well it names it (0 is best)."""
    index: dict[str, list[tuple[int, str]]] = defaultdict(list)
    cut = cut_names([column.name for column in layer.columns])

    def add(rank: int, words: Iterable[str], column: str) -> None:
        for word in words:
            if word and (rank, column) not in index[plain(word)]:
                index[plain(word)].append((rank, column))

    for column in layer.columns:
        if column.name in SETTLED:
            continue
        aliases = (*column.aliases, *_COMMON_ALIASES.get(column.name, ()))
        add(0, [column.name], column.name)
        add(1, [column.zh, column.en], column.name)
        add(2, aliases, column.name)
        bases = [_base(word, column.name) for word in (column.zh, column.en, *aliases)]
        add(3, bases, column.name)
        add(4, [cut[column.name]], column.name)
    return index


def _base(label: str, column: str) -> str:
    """Take the unit off a label; nothing when what stands in brackets is no unit."""
    base, unit = split_unit(label)
    return base if unit is not None and unit_factor(unit, column) is not None else ""


def _candidates(heading: str, index: Index) -> list[Match]:
    """List what a heading may mean, the best first.

    A heading whose name fits a column but whose unit does not is an error: reading its numbers
    would be a guess.
    """
    heading_text = heading.removesuffix("(必填)").removesuffix("（必填）")
    full = sorted(index.get(plain(heading_text), ()))
    if full:
        # A column's own name or label leaves no doubt; an alias may be that of several.
        sure = [name for rank, name in full if rank <= 1]
        return list(dict.fromkeys(Match(name) for name in sure or [name for _, name in full]))
    base, unit = split_unit(heading_text)
    named = sorted(index.get(plain(base), ())) if unit else []
    matches = [
        Match(name, factor)
        for _, name in named
        if unit is not None and (factor := unit_factor(unit, name)) is not None
    ]
    if named and not matches and any(name.endswith(("_m2", "_cny", "_month")) for _, name in named):
        raise InputError(
            f"heading {heading!r} states the unit {unit!r}, which {named[0][1]} cannot be read in; "
            "convert the column, or rename the heading"
        )
    return list(dict.fromkeys(matches))


def _assign(
    wanted: Mapping[str, list[Match]], taken: Iterable[str]
) -> tuple[dict[str, Match], list[str]]:
    """Give each heading one column: those with a single meaning first."""
    matched: dict[str, Match] = {}
    notes: list[str] = []
    owner = dict.fromkeys(taken, "")
    for heading, matches in sorted(
        wanted.items(), key=lambda item: len({m.column for m in item[1]})
    ):
        free = [match for match in matches if match.column not in owner]
        if not free:
            column = matches[0].column
            if owner[column]:
                raise InputError(
                    f"headings {owner[column]!r} and {heading!r} both mean {column}; say which by "
                    f"HEADING={column}"
                )
            continue
        matched[heading] = free[0]
        owner[free[0].column] = heading
        others = ", ".join(sorted({m.column for m in free[1:]} - {free[0].column}))
        if others:
            notes.append(
                f"heading {heading!r} was read as {free[0].column}; it may also mean {others}: say "
                f"which by {heading}=COLUMN"
            )
    return matched, notes


def _find_place(headings: Sequence[str], told: Mapping[str, Match]) -> dict[str, str]:
    """Find the headings of coordinates: a pair, else one cell with both, else WKT."""
    found: dict[str, str] = {}
    said = {match.column for match in told.values()}
    if said & PLACE_HEADINGS.keys():
        return found
    spelled = {plain(heading): heading for heading in reversed(headings) if heading not in told}
    for part, words in PLACE_HEADINGS.items():
        heading = next((spelled[plain(word)] for word in words if plain(word) in spelled), None)
        if heading is not None:
            found[part] = heading
    if {"lon", "lat"} <= found.keys():
        return {part: found[part] for part in ("lon", "lat")}
    for part in ("lonlat", "wkt"):
        if part in found:
            return {part: found[part]}
    return {}


def _told(layer: Layer, headings: Sequence[str], columns: Mapping[str, str]) -> dict[str, Match]:
    """Read what the user said: heading and column, either way round."""
    spelled = {plain(heading): heading for heading in reversed(headings)}
    targets = {plain(name): name for name in PLACE_HEADINGS}
    targets |= {plain(column.zh): column.name for column in reversed(layer.columns)}
    targets |= {plain(column.name): column.name for column in layer.columns}
    told: dict[str, Match] = {}
    for left, right in columns.items():
        pairs = [(plain(left), plain(right)), (plain(right), plain(left))]
        pair = next(((h, t) for h, t in pairs if h in spelled and t in targets), None)
        if pair is None:
            raise InputError(_untold(layer, left, right, headings, known=(spelled, targets)))
        heading, name = spelled[pair[0]], targets[pair[1]]
        if name in SETTLED:
            raise InputError(f"{left}={right}: the import itself fills {name}")
        if heading in told or name in {match.column for match in told.values()}:
            raise InputError(f"{left}={right}: {heading!r} or {name} is mapped twice; give it once")
        unit = split_unit(heading)[1]
        factor = unit_factor(unit, name) if unit else None
        told[heading] = Match(name, 1.0 if factor is None else factor)
    return told


def _untold(
    layer: Layer,
    left: str,
    right: str,
    headings: Sequence[str],
    *,
    known: tuple[Mapping[str, str], Mapping[str, str]],
) -> str:
    """Say why a pair of the user's means nothing."""
    spelled, targets = known
    if plain(left) not in spelled and plain(right) not in spelled:
        return f"{left}={right}: the file has neither heading; it has: {', '.join(headings)}"
    names = ", ".join([*(c.name for c in layer.columns if c.name not in SETTLED), *PLACE_HEADINGS])
    missing = left if plain(left) not in targets else right
    return f"{left}={right}: {layer.name} has no column {missing!r}; it has: {names}"
