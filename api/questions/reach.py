"""Where one gets on foot from a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from geo.catchment import Catchment, circle_catchment, walk_catchment
from layers.store import Store
from layers.walking import walk_world

DEFAULT_MINUTES = (5.0, 10.0, 15.0)


def ask_reach(
    store: Store,
    lon: float,
    lat: float,
    *,
    minutes: Sequence[float] = DEFAULT_MINUTES,
    profile: str | None = None,
) -> Catchment:
    """Draw what a place reaches on foot, and count the amenities and people in it.

    Over the streets of the store; by circles, and saying so, where it has none.

    Parameters
    ----------
    store
        The store.
    lon, lat
        The place, in WGS-84 degrees.
    minutes
        Walking limits.
    profile
        Who walks, by its key in the rules `amenities`; as they say where not given.

    Raises
    ------
    InputError
        When place, limits or profile make no sense.
    """
    world = walk_world(store)
    if world.network is None:
        found = circle_catchment(
            lon,
            lat,
            crs=world.crs,
            profile=world.profile(profile),
            minutes=minutes,
            amenities=world.amenities,
            population=world.population,
        )
    else:
        found = walk_catchment(
            world.network,
            world.costs(profile),
            lon,
            lat,
            minutes=minutes,
            max_snap_m=world.max_snap_m,
            amenities=world.amenities,
            population=world.population,
        )
    return replace(found, demo_counted=world.demo_counted)
