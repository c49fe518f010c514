"""A server of a small city that may be written to, and a need for it."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from api.app import create_app
from api.questions.common import today
from api.settings import load_settings
from tests.api.city import make_city
from tests.api.conftest import TOKEN

STAFF = {"Authorization": f"Bearer {TOKEN}"}
CONTACT = {
    "contact_name": "欧阳试题",
    "contact_phone": "13712345678",
    "contact_email": "ouyang@example.org",
}
TRACES = (*CONTACT.values(), "3712345678", "ouyang")


def need(**changes: Any) -> dict[str, Any]:
    """A need for tinytown in which everything is said."""
    fields = {
        "title": "A bench for boats",
        "industry": "Boats",
        "industry_code": "C373",
        "stage": "incubation",
        "kind": "rd",
        "team_size": 7,
        "min_area_m2": 10,
        "max_area_m2": 5000,
        "max_rent_cny_m2_month": 500,
        "start_on": (today() + timedelta(days=40)).isoformat(),
        "term_months": 24,
        "near": "-56.15,-34.55",
        "minutes": 20,
        "water": False,
        "services": ["融资"],
        "amenities": ["cafe"],
        "facts": {},
    }
    return {**fields, **changes}


def with_contact(**changes: Any) -> dict[str, Any]:
    return need(**CONTACT, consent=True, **changes)


def serve(folder: Path, **settings: Any) -> TestClient:
    """A client of a new small city in a folder."""
    store = make_city(folder / "hatchmap.gpkg")
    loaded = load_settings(store=store, data=folder, staff_token=TOKEN, **settings)
    return TestClient(
        create_app(loaded), raise_server_exceptions=False, base_url="http://testserver"
    )


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}
