"""A small city behind a real application."""

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import load_settings
from tests.api.city import make_city

TOKEN = "a-token-for-tests"


@pytest.fixture(scope="session")
def city(tmp_path_factory):
    """The store of the small city; do not write to it."""
    return make_city(tmp_path_factory.mktemp("city") / "hatchmap.gpkg")


@pytest.fixture(scope="session")
def client(city):
    app = create_app(load_settings(store=city, data=city.parent, staff_token=TOKEN))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client
