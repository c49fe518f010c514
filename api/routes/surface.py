"""The city surface: streets painted by the minutes to the nearest amenity of a category."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.answers import respond
from api.questions.gaps import ask_street_minutes
from geo.errors import InputError
from layers.store import Store
from layers.walking import walk_world
from web.surface import Surface, make_surface, paint_tile

router = APIRouter(tags=["map"])

MAX_ZOOM = 18
_KEPT = 6


class _Surfaces:
    """The last few surfaces, by category, walker and state of the walking world."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[int, str, str], Surface] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, store: Store, category: str, profile: str) -> Surface:
        key = (id(walk_world(store)), category, profile)
        with self._lock:
            if key not in self._kept:
                pieces = ask_street_minutes(store, category, profile=profile or None)
                self._kept[key] = make_surface(*pieces)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return self._kept[key]


_surfaces = _Surfaces()


@router.get("/tiles/access/{category}/{z}/{x}/{y}.png")
def get_access_tile(
    request: Request,
    category: Annotated[str, Path(max_length=50)],
    z: int,
    x: int,
    y: int,
    profile: str = "",
) -> Response:
    """Paint one tile: streets by walking minutes to the nearest amenity of a category."""
    if not (0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z):
        raise InputError(f"tile {z}/{x}/{y}: is outside the world; zoom levels are 0 to {MAX_ZOOM}")
    return respond(
        request,
        lambda store: paint_tile(_surfaces.get(store, category, profile), z, x, y),
        media_type="image/png",
    )
