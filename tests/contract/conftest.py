"""Every store that there is, empty and filled; each test of the contract runs on each."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from layers.store import Store, create_store, open_store
from tests.contract.worlds import make_spaces


class GeoPackages:
    """Make and reopen stores in one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def create(self) -> Store:
        return create_store(self.folder / "city.gpkg")

    def open(self, *, write: bool = False) -> Store:
        return open_store(self.folder / "city.gpkg", write=write)


KINDS: dict[str, Callable[[Path], GeoPackages]] = {"geopackage": GeoPackages}


@pytest.fixture(params=KINDS)
def place(request, tmp_path) -> GeoPackages:
    return KINDS[request.param](tmp_path)


@pytest.fixture
def store(place) -> Iterator[Store]:
    with place.create() as made:
        yield made


@pytest.fixture(scope="module", params=KINDS)
def spaces(request, tmp_path_factory) -> Iterator[Store]:
    """A store with a few hundred spaces, for reading only."""
    with KINDS[request.param](tmp_path_factory.mktemp("spaces")).create() as made:
        with made.edit("tests") as edit:
            edit.insert("spaces", make_spaces(300))
        yield made
