"""Coordinates: the datums of Chinese maps, and metres to measure in.

Four readings of a longitude and latitude meet in China. *WGS-84* is what satellites give.
*CGCS2000* (EPSG:4490) is the official datum; PROJ takes it as equal to WGS-84, and so does this
module: the two differ by less than 1 m. *GCJ-02* (Amap, Tencent) is shifted by 300 to 700 m, and
*BD-09* (Baidu) is GCJ-02 shifted once more, about 1 km in all.

The shifts follow the formulas that are publicly known (`eviltransform`, `coordtransform` and many
others implement the same); their inverses have no closed form and are found by iteration, to far
less than 1 cm. Outside China both shifts are nothing. "China" is here a set of rectangles, drawn
so that every county seat of the mainland lies inside and the neighbours' capitals outside. Hong
Kong and Macau lie inside, because mainland map providers shift their data there too; data of Hong
Kong's or Macau's own offices are not shifted and must be declared as WGS-84. Taiwan lies outside.
Within about 700 m of a rectangle's edge a shifted pair cannot be read back with certainty.

All functions take and give longitude before latitude, whatever order an authority declares.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError, ProjError

from geo.errors import InputError

Array = npt.NDArray[np.float64]
Bounds = tuple[float, float, float, float]
Shift = Callable[[Array, Array], tuple[Array, Array]]

STORED_CRS = "EPSG:4490"  # CGCS2000 longitude, latitude: what every layer is stored in
DATUMS: tuple[str, ...] = ("wgs84", "cgcs2000", "gcj02", "bd09")

# The ellipsoid of the shift (Krasovsky 1940): semi-major axis in metres, squared eccentricity.
_AXIS_M = 6378245.0
_ECCENTRICITY2 = 0.00669342162296594323
_BAIDU = np.pi * 3000.0 / 180.0

# West, south, east, north in degrees: inside when in one of the first and none of the second.
_CHINA = (
    (79.0, 42.5, 96.5, 49.5),
    (109.4, 39.2, 135.1, 53.8),
    (73.1, 29.2, 124.6, 43.2),
    (82.6, 26.6, 97.3, 29.8),
    (97.0, 20.3, 124.5, 30.0),
    (107.9, 17.8, 111.9, 20.6),
    (110.5, 7.0, 116.7, 20.4),
)
_NOT_CHINA = (
    (119.2, 21.5, 123.0, 24.9),  # Taiwan
    (120.3, 24.9, 123.0, 25.6),
    (73.0, 29.0, 78.3, 31.3),  # north-west India
    (73.0, 41.4, 78.8, 43.3),  # Kyrgyzstan, with Bishkek
    (82.0, 26.0, 87.9, 27.85),  # Nepal, with Kathmandu
    (89.3, 26.0, 91.6, 27.75),  # Bhutan, with Thimphu
    (101.9, 20.0, 106.6, 22.3),  # Vietnam and Laos, with Hanoi
    (106.4, 20.0, 108.0, 21.4),
    (104.0, 45.2, 111.0, 54.0),  # Mongolia, with Ulaanbaatar
    (109.0, 50.6, 118.8, 54.0),  # Russia
    (128.0, 50.2, 135.4, 54.0),
    (131.6, 42.4, 135.4, 44.8),  # Vladivostok
)


def _in_china(lon: Array, lat: Array) -> npt.NDArray[np.bool_]:
    def in_any(boxes: tuple[Bounds, ...]) -> npt.NDArray[np.bool_]:
        inside = np.zeros(lon.shape, dtype=bool)
        for west, south, east, north in boxes:
            inside |= (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        return inside

    return in_any(_CHINA) & ~in_any(_NOT_CHINA)


def _gcj_shift(lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS-84 to GCJ-02, as if all the world were China."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    waves = 20.0 * np.sin(6.0 * np.pi * x) + 20.0 * np.sin(2.0 * np.pi * x)
    north_m = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north_m += (waves + 20.0 * np.sin(np.pi * y) + 40.0 * np.sin(np.pi * y / 3.0)) * 2.0 / 3.0
    north_m += (160.0 * np.sin(np.pi * y / 12.0) + 320.0 * np.sin(np.pi * y / 30.0)) * 2.0 / 3.0
    east_m = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east_m += (waves + 20.0 * np.sin(np.pi * x) + 40.0 * np.sin(np.pi * x / 3.0)) * 2.0 / 3.0
    east_m += (150.0 * np.sin(np.pi * x / 12.0) + 300.0 * np.sin(np.pi * x / 30.0)) * 2.0 / 3.0
    radians = np.radians(lat)
    curvature = 1.0 - _ECCENTRICITY2 * np.sin(radians) ** 2
    meridian_m = _AXIS_M * (1.0 - _ECCENTRICITY2) / curvature**1.5
    parallel_m = _AXIS_M / np.sqrt(curvature) * np.cos(radians)
    return lon + np.degrees(east_m / parallel_m), lat + np.degrees(north_m / meridian_m)


def _bd_shift(lon: Array, lat: Array) -> tuple[Array, Array]:
    """GCJ-02 to BD-09, as if all the world were China."""
    radius = np.hypot(lon, lat) + 0.00002 * np.sin(lat * _BAIDU)
    angle = np.arctan2(lat, lon) + 0.000003 * np.cos(lon * _BAIDU)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


def _both_shifts(lon: Array, lat: Array) -> tuple[Array, Array]:
    return _bd_shift(*_gcj_shift(lon, lat))


def _solve(shift: Shift, lon: Array, lat: Array) -> tuple[Array, Array]:
    """Find the pair that `shift` sends to (lon, lat).

    A shift changes by under 3 % of the way that one moves, so each step leaves under 3 % of the
    error: 1 km falls below a micrometre in six steps, and eight leave room.
    """
    x, y = lon, lat
    for _ in range(8):
        shifted_x, shifted_y = shift(x, y)
        x, y = x - (shifted_x - lon), y - (shifted_y - lat)
    return x, y


def _where_in_china(
    convert: Callable[[Array, Array], tuple[Array, Array, Array, Array]],
    lon: npt.ArrayLike,
    lat: npt.ArrayLike,
) -> tuple[Any, Any]:
    """Apply `convert` where its WGS-84 reading (its last two arrays) lies in China."""
    x, y = np.broadcast_arrays(np.asarray(lon, np.float64), np.asarray(lat, np.float64))
    # Far-off values and NaN must not reach the formulas: they would only make warnings.
    near = (np.abs(x - 105.0) < 40.0) & (np.abs(y - 30.0) < 30.0)
    new_x, new_y, wgs_x, wgs_y = convert(np.where(near, x, 105.0), np.where(near, y, 35.0))
    inside = near & _in_china(wgs_x, wgs_y)
    out_x, out_y = np.where(inside, new_x, x), np.where(inside, new_y, y)
    return (out_x, out_y) if out_x.ndim else (float(out_x), float(out_y))


def wgs84_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Any, Any]:
    """Shift WGS-84 to GCJ-02.

    Parameters
    ----------
    lon, lat
        Degrees: numbers, or arrays of any one shape. NaN stays NaN.

    Returns
    -------
    tuple
        Longitude and latitude in degrees, numbers or new arrays as given; unchanged outside China.

    Examples
    --------
    >>> lon, lat = wgs84_to_gcj02(120.963909, 28.091248)
    >>> round(lon, 5), round(lat, 5)
    (120.96792, 28.0879)
    """
    return _where_in_china(lambda x, y: (*_gcj_shift(x, y), x, y), lon, lat)


def gcj02_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Any, Any]:
    """Take the GCJ-02 shift back, exact to far less than 1 cm; arguments as `wgs84_to_gcj02`.

    >>> lon, lat = gcj02_to_wgs84(120.967922, 28.087898)
    >>> round(lon, 5), round(lat, 5)
    (120.96391, 28.09125)
    """

    def convert(x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
        wgs = _solve(_gcj_shift, x, y)
        return (*wgs, *wgs)

    return _where_in_china(convert, lon, lat)


def wgs84_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Any, Any]:
    """Shift WGS-84 to BD-09; arguments as `wgs84_to_gcj02`.

    >>> lon, lat = wgs84_to_bd09(116.404, 39.915)
    >>> round(lon, 4), round(lat, 4)
    (116.4166, 39.9227)
    """
    return _where_in_china(lambda x, y: (*_both_shifts(x, y), x, y), lon, lat)


def bd09_to_wgs84(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Any, Any]:
    """Take the BD-09 shift back, exact to far less than 1 cm; arguments as `wgs84_to_gcj02`."""

    def convert(x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
        wgs = _solve(_both_shifts, x, y)
        return (*wgs, *wgs)

    return _where_in_china(convert, lon, lat)


def gcj02_to_bd09(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Any, Any]:
    """Shift GCJ-02 to BD-09; arguments as `wgs84_to_gcj02`."""
    return _where_in_china(
        lambda x, y: (*_bd_shift(x, y), *_solve(_gcj_shift, x, y)),
        lon,
        lat,
    )


def bd09_to_gcj02(lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Any, Any]:
    """Take the shift from GCJ-02 to BD-09 back; arguments as `wgs84_to_gcj02`."""

    def convert(x: Array, y: Array) -> tuple[Array, Array, Array, Array]:
        gcj = _solve(_bd_shift, x, y)
        return (*gcj, *_solve(_gcj_shift, *gcj))

    return _where_in_china(convert, lon, lat)


_TO_WGS84 = {"gcj02": gcj02_to_wgs84, "bd09": bd09_to_wgs84}

_DATUM_WORDS = {
    "wgs84": ("wgs84", "wgs1984", "crs84", "ogc:crs84", "epsg:4326", "4326", "gps", "osm"),
    "cgcs2000": ("cgcs2000", "epsg:4490", "4490", "国家2000", "2000国家大地坐标系", "天地图"),
    "gcj02": ("gcj02", "gcj", "火星", "火星坐标", "火星坐标系", "高德", "腾讯", "amap"),
    "bd09": ("bd09", "bd09ll", "百度", "百度坐标", "baidu"),
}


def parse_datum(text: str) -> str:
    """Name the datum or coordinate system that a text means.

    Parameters
    ----------
    text
        A datum (`wgs84`, `cgcs2000`, `gcj02`, `bd09`, also as 高德, 百度 …) or `EPSG:n`.

    Returns
    -------
    str
        `wgs84`, `cgcs2000`, `gcj02`, `bd09` or `EPSG:n`.

    Raises
    ------
    InputError
        When the text names neither.

    Examples
    --------
    >>> parse_datum("GCJ-02"), parse_datum("EPSG:4490"), parse_datum("epsg:4549")
    ('gcj02', 'cgcs2000', 'EPSG:4549')
    """
    key = re.sub(r"[\s_-]", "", str(text)).lower()
    for datum, words in _DATUM_WORDS.items():
        if key in words:
            return datum
    number = re.fullmatch(r"(?:epsg:+)?(\d{4,6})", key)
    if number is None:
        raise InputError(
            f"datum {text!r} is not known; give one of {', '.join(DATUMS)} or an EPSG code such as "
            "EPSG:4549"
        )
    code = f"EPSG:{number[1]}"
    try:
        crs = CRS.from_user_input(code)
    except CRSError as error:
        raise InputError(f"{code} is not a coordinate system of the EPSG register") from error
    if not (crs.is_geographic or crs.is_projected):
        raise InputError(f"{code} ({crs.name}) has no horizontal coordinates; give another code")
    return code


@lru_cache(maxsize=64)
def _to_degrees(crs: str) -> Transformer:
    """Return the way from a coordinate system to CGCS2000 or WGS-84 degrees, taken as equal."""
    for degrees in (STORED_CRS, "EPSG:4326"):
        try:
            return Transformer.from_crs(crs, degrees, always_xy=True, allow_ballpark=False)
        except ProjError:
            continue
    raise InputError(
        f"the way from {crs} to CGCS2000 is not known to better than a hundred metres; have the "
        "data converted to CGCS2000 (EPSG:4490 or its zones) by the surveying office"
    )


def _transform_xy(x: Array, y: Array, *, source: str, target: str) -> tuple[Array, Array]:
    if source == target:
        return x, y
    lon, lat = _to_degrees(source).transform(x, y)
    return cast("tuple[Array, Array]", _to_degrees(target).transform(lon, lat, direction="INVERSE"))


def project_xy(
    x: npt.ArrayLike, y: npt.ArrayLike, *, source: str = STORED_CRS, target: str
) -> tuple[Array, Array]:
    """Transform coordinates from one coordinate system to another.

    Parameters
    ----------
    x, y
        Coordinates, x (longitude, easting) first whatever the authority declares.
    source, target
        Coordinate systems as `EPSG:n`. WGS-84 and CGCS2000 are taken as equal (below 1 m).

    Returns
    -------
    tuple
        x and y in `target`; infinite where the transformation is not defined.

    Raises
    ------
    InputError
        When PROJ knows the way only as a guess of a hundred metres (Xi'an 1980, for example).

    Examples
    --------
    >>> east, north = project_xy(120.6986, 27.9967, target="EPSG:4549")
    >>> round(float(east)), round(float(north))
    (568719, 3098273)
    """
    return _transform_xy(
        np.asarray(x, np.float64), np.asarray(y, np.float64), source=source, target=target
    )


def project(geometries: Any, *, source: str = STORED_CRS, target: str) -> Any:
    """Transform geometries from one coordinate system to another, as `project_xy`.

    Parameters
    ----------
    geometries
        One geometry, or an array or GeoSeries of them; None stays None, heights are dropped.

    Returns
    -------
    geometry or numpy.ndarray
        New geometries in `target`.
    """

    def convert(xy: Array) -> Array:
        return np.column_stack(_transform_xy(xy[:, 0], xy[:, 1], source=source, target=target))

    return shapely.transform(_geometries(geometries), convert)


def to_cgcs2000(geometries: Any, datum: str) -> Any:
    """Bring geometries of a declared datum to the stored one, EPSG:4490 longitude and latitude.

    Parameters
    ----------
    geometries
        One geometry, or an array or GeoSeries of them; None stays None, heights are dropped.
    datum
        As `parse_datum` takes it.

    Returns
    -------
    geometry or numpy.ndarray
        New geometries; of `wgs84` the very coordinates, since CGCS2000 differs by less than 1 m.

    Raises
    ------
    InputError
        When the datum is not known, or has no known way to CGCS2000.

    Examples
    --------
    >>> to_cgcs2000(shapely.Point(120.967922, 28.087898), "gcj02").distance(
    ...     shapely.Point(120.963909, 28.091248)) < 1e-5
    True
    """
    name = parse_datum(datum)
    if name.startswith("EPSG:"):
        return project(geometries, source=name, target=STORED_CRS)
    unshift = _TO_WGS84.get(name)
    if unshift is None:
        return shapely.force_2d(_geometries(geometries))
    return shapely.transform(
        _geometries(geometries), lambda xy: np.column_stack(unshift(xy[:, 0], xy[:, 1]))
    )


def _geometries(geometries: Any) -> Any:
    return geometries if isinstance(geometries, shapely.Geometry) else np.asarray(geometries)


def choose_metric_crs(bounds: Bounds) -> str:
    """Choose the coordinate system to measure an area in.

    In China the 3-degree Gauss-Krueger zone of CGCS2000 without zone prefix whose central meridian
    is nearest the middle of the area (EPSG:4534 for 75 degrees to EPSG:4554 for 135; GB/T 22021);
    UTM on WGS-84 elsewhere, and the polar stereographic systems beyond 84 north and 80 south.

    Parameters
    ----------
    bounds
        West, south, east, north in degrees.

    Returns
    -------
    str
        `EPSG:n`, in metres.

    Raises
    ------
    InputError
        When the bounds are not four finite degrees.

    Examples
    --------
    >>> choose_metric_crs((119.62, 27.04, 121.27, 28.61))
    'EPSG:4549'
    >>> choose_metric_crs((24.9, 60.1, 25.0, 60.2))
    'EPSG:32635'
    """
    west, south, east, north = bounds
    lon, lat = (west + east) / 2.0, (south + north) / 2.0
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        raise InputError(f"bounds {bounds!r} are not west, south, east, north in degrees")
    if _in_china(np.asarray(lon), np.asarray(lat)):
        zone = min(max(round(lon / 3.0), 25), 45)
        return f"EPSG:{4534 + zone - 25}"
    if lat >= 84.0:
        return "EPSG:32661"
    if lat <= -80.0:
        return "EPSG:32761"
    zone = min(int((lon + 180.0) // 6.0) + 1, 60)
    return f"EPSG:{(32600 if lat >= 0 else 32700) + zone}"
