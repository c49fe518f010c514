"""The tiny city as a site: what a server would answer, without one."""

import base64
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qs

import orjson
import shapely

from geo.errors import NotFoundError
from tests.web import world
from web.assets import asset_path, static_path
from web.features import collection
from web.mapview import TILE_COLUMNS
from web.tiles import TileSource, tile

ORIGIN = "http://hatchmap.test"
# The smallest PNG: one transparent pixel.
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
Answer = tuple[int, str, bytes]


class Site:
    """Answers of the tiny city by path."""

    def __init__(self) -> None:
        self.pages = {lang: world.all_pages(lang) for lang in ("zh", "en")}
        self.layers = {
            "incubators": collection("incubators", world.incubators()),
            "industrial_towns": collection("industrial_towns", world.squares()),
            "reporting_units": collection("reporting_units", world.squares()),
        }
        self.tiles = {
            name: TileSource.from_frame(frame, name=name, columns=TILE_COLUMNS[name])
            for name, frame in {
                "amenities": world.amenities(),
                "spaces": world.amenities(6_000, seed=3),
                "divisions": world.squares(),
            }.items()
        }
        self.broken: set[str] = set()
        self.asked: list[str] = []

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Break one layer, or the walking zones, for a while."""
        self.broken.add(name)
        try:
            yield
        finally:
            self.broken.discard(name)

    def answer(self, path: str, query: str) -> Answer:
        """Status, media type and body of one address."""
        self.asked.append(path)
        match path.strip("/").split("/"):
            case ["assets", *rest]:
                return self._file(asset_path, "/".join(rest))
            case ["static", *rest]:
                return self._file(static_path, "/".join(rest))
            case ["tiles", "access", *_]:
                return 200, "image/png", PIXEL
            case ["tiles", name, z, x, y]:
                return self._tile(name, int(z), int(x), int(y.removesuffix(".mvt")))
            case ["api", "reach"]:
                return self._reach(query)
        lang = parse_qs(query).get("lang", ["zh"])[0]
        if path.startswith("/api/map/"):
            name, kind = path[9:].removesuffix(".geojson"), "application/geo+json"
            body = None if name in self.broken else self.layers.get(name)
        else:
            page = self.pages[lang].get(path)
            body, kind = page and page.encode(), "text/html; charset=utf-8"
        return (200, kind, body) if body else (404, "text/plain", b"not found")

    def _tile(self, name: str, z: int, x: int, y: int) -> Answer:
        body = tile(self.tiles[name], z, x, y) if name in self.tiles else b""
        return 200 if body else 204, "application/vnd.mapbox-vector-tile", body

    @staticmethod
    def _file(find, name: str) -> Answer:
        try:
            path = find(name)
        except NotFoundError as error:
            return 404, "text/plain", str(error).encode()
        return 200, mimetypes.guess_type(path.name)[0] or "text/plain", path.read_bytes()

    def _reach(self, query: str) -> Answer:
        asked = {key: values[0] for key, values in parse_qs(query).items()}
        centre = shapely.Point(float(asked["lon"]), float(asked["lat"]))
        zones = [
            {
                "type": "Feature",
                "properties": {
                    "minutes": minutes,
                    "area_m2": minutes * 1e5,
                    "population": minutes * 100,
                    "amenities": {"cafe": minutes},
                },
                "geometry": shapely.geometry.mapping(centre.buffer(minutes * 0.0006)),
            }
            for minutes in map(int, asked["minutes"].split(","))
        ]
        body = {
            "type": "FeatureCollection",
            "features": zones,
            "snap_m": 12.3,
            "network": True,
            "warnings": [f"profile {asked['profile']}", world.HOSTILE],
        }
        status = 503 if "reach" in self.broken else 200
        return status, "application/geo+json", orjson.dumps(body)
