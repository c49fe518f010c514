"""A small made-up city in a store, for the tests of every door."""

from pathlib import Path

from layers.boundaries import refresh_units
from layers.demo import add_demo
from layers.pack import install_pack, load_pack
from layers.store import create_store

TINYTOWN = Path(__file__).resolve().parent.parent / "cities" / "tinytown"
SIZES = {
    "incubators": 20,
    "spaces": 120,
    "amenities": 400,
    "demands": 30,
    "population": 60,
    "sites": 6,
    "projects": 5,
    "streets": 2000,
}


def make_city(path: Path) -> Path:
    """Make tinytown with a little demo data."""
    with create_store(path) as store:
        install_pack(store, load_pack(TINYTOWN), who="setup")
        refresh_units(store)
        add_demo(store, **SIZES)
    return path
