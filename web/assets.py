"""Assets: which files of which npm packages the pages use, and where our server keeps them.

Nothing is loaded from anyone else's server. Packages are named in `package.json`, locked, and
installed by set-up into `node_modules`; only the files listed here are served.
"""

from __future__ import annotations

import base64
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import orjson

from geo.errors import NotFoundError, StoreMissingError

HOME = Path(__file__).resolve().parent
PACKAGES = HOME / "node_modules"
STATIC = HOME / "static"

# What is served of each package: exact files, or folders with a closing slash.
SERVED: Mapping[str, tuple[str, ...]] = {
    "leaflet": ("dist/leaflet.js", "dist/leaflet.css", "dist/images/"),
    "leaflet-groupedlayercontrol": (
        "dist/leaflet.groupedlayercontrol.min.js",
        "dist/leaflet.groupedlayercontrol.min.css",
    ),
    "leaflet.fullscreen": (
        "Control.FullScreen.js",
        "Control.FullScreen.css",
        "icon-fullscreen.svg",
    ),
    "leaflet.markercluster": ("dist/leaflet.markercluster.js", "dist/MarkerCluster.css"),
    "leaflet.vectorgrid": ("dist/Leaflet.VectorGrid.bundled.min.js",),
    "swagger-ui-dist": (
        "swagger-ui-bundle.js",
        "swagger-ui.css",
        "favicon-32x32.png",
    ),
}


class Linked(Protocol):
    """A Folium element that names the scripts and styles it needs."""

    default_js: list[tuple[str, str]]
    default_css: list[tuple[str, str]]


def asset_path(name: str) -> Path:
    """Return the file of an asset such as `leaflet/dist/leaflet.js`.

    Raises
    ------
    NotFoundError
        When no page uses the file, or set-up has not installed it.

    >>> asset_path("leaflet/package.json")
    Traceback (most recent call last):
    geo.errors.NotFoundError: there is no asset 'leaflet/package.json'
    """
    package, _, file = name.partition("/")
    listed = any(
        file == entry or (entry.endswith("/") and file.startswith(entry))
        for entry in SERVED.get(package, ())
    )
    if not listed or ".." in file:
        raise NotFoundError(f"there is no asset {name!r}")
    path = PACKAGES / package / file
    if not path.is_file():
        raise NotFoundError(f"the asset {name!r} is not installed; run: make setup")
    return path


def static_path(name: str) -> Path:
    """Return the file of one of our own scripts, styles or images.

    Raises
    ------
    NotFoundError
        When there is none of that name.
    """
    path = (STATIC / name).resolve()
    if not path.is_relative_to(STATIC) or not path.is_file():
        raise NotFoundError(f"there is no file {name!r}")
    return path


def asset_url(name: str) -> str:
    """Return the address of an asset, with the package's version so that it can be cached.

    >>> asset_url("leaflet/dist/leaflet.js")
    '/assets/leaflet/dist/leaflet.js?v=1.9.4'
    """
    return f"/assets/{name}?v={_locked_versions()[name.partition('/')[0]]}"


def static_url(name: str) -> str:
    """Return the address of one of our own files, with a fingerprint of what is in it."""
    return f"/static/{name}?v={_digest(static_path(name), static_path(name).stat().st_mtime_ns)}"


def check_assets() -> None:
    """Check that set-up has installed every file that the pages use.

    Raises
    ------
    StoreMissingError
        When files are missing; the message says how to install them.
    """
    wanted = [(package, entry) for package, entries in SERVED.items() for entry in entries]
    missing = [f"{p}/{entry}" for p, entry in wanted if not (PACKAGES / p / entry).exists()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise StoreMissingError(
            f"the map's scripts are not installed ({missing[0]}{more}); run: make setup"
        )


def link(element: Linked, *, js: tuple[str, ...] = (), css: tuple[str, ...] = ()) -> Any:
    """Make a Folium element load its scripts and styles from our server; return the element.

    Folium's lists belong to the class, so the element gets its own.
    """
    element.default_js = [(name, asset_url(name)) for name in js]
    element.default_css = [(name, asset_url(name)) for name in css]
    return element


def inline(url: str) -> str:
    """Return the text behind an address of our own, with the images of a style sheet in it.

    Parameters
    ----------
    url
        An address as `asset_url` and `static_url` make them.
    """
    name = url.partition("?")[0]
    if name.startswith("/assets/"):
        path = asset_path(name.removeprefix("/assets/"))
    else:
        path = static_path(name.removeprefix("/static/"))
    text = path.read_text("utf-8")
    # A closing tag inside a script would end the page's own.
    return _with_images(text, path.parent) if path.suffix == ".css" else _in_script(text)


def _in_script(text: str) -> str:
    without_map = re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE)
    return without_map.replace("</script", r"<\/script")


def _with_images(css: str, folder: Path) -> str:
    def as_data(match: re.Match[str]) -> str:
        target = match[1].strip("'\"")
        image = folder / target
        if target.startswith(("data:", "#")) or not image.is_file():
            return match[0]
        kind = mimetypes.guess_type(image.name)[0] or "application/octet-stream"
        return f"url(data:{kind};base64,{base64.b64encode(image.read_bytes()).decode()})"

    return re.sub(r"url\(([^)]+)\)", as_data, css)


@cache
def _locked_versions() -> dict[str, str]:
    lock = orjson.loads((HOME / "package-lock.json").read_bytes())
    return {package: lock["packages"][f"node_modules/{package}"]["version"] for package in SERVED}


@cache
def _digest(path: Path, changed_ns: int) -> str:  # noqa: ARG001  the time makes the cache forget
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]
