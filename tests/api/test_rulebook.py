"""The pages of rules: a look at the difference, then in force; old versions restored."""

import html
import re
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import load_settings
from layers.store import open_store
from tests.api.conftest import TOKEN
from web.words import words

PAGE = {"Authorization": f"Bearer {TOKEN}", "Accept": "text/html"}


@pytest.fixture
def store(city, tmp_path):
    return Path(shutil.copy(city, tmp_path / "city.gpkg"))


@pytest.fixture
def door(store):
    app = create_app(load_settings(store=store, data=store.parent, staff_token=TOKEN))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        client.headers.update(PAGE)
        yield client


def text_of(page):
    inner = re.search(r'<textarea id="f-text".*?>(.*?)</textarea>', page, re.DOTALL)[1]
    return html.unescape(inner)


def in_force(path):
    with open_store(path) as store:
        return store.rules("towns")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_edit_look_confirm_restore(door, store, lang):
    w, held = words(lang), in_force(store)
    assert "/admin/rules/towns" in door.get(f"/admin/rules?lang={lang}").text
    address = f"/admin/rules/towns?lang={lang}"
    text = text_of(door.get(address).text)
    area = held.body["large_area_m2"]
    edited = text.replace(f"large_area_m2 = {area}", "large_area_m2 = 12345")
    sent = {"text": edited.replace("\n", "\r\n"), "version": held.version, "why": "<b>试</b>"}
    look = door.post(address, data=sent)
    assert look.status_code == 200
    assert f"<del>- large_area_m2 = {area}</del>" in look.text
    assert "<ins>+ large_area_m2 = 12345</ins>" in look.text
    assert in_force(store) == held
    assert door.post(address, data=sent | {"sure": "1"}).status_code == 303
    assert in_force(store).body["large_area_m2"] == 12345
    page = door.get(f"{address}&said=saved").text
    assert w("rule.saved", version=held.version + 1) in page
    assert "<b>试" not in page
    stale = door.post(address, data=sent | {"sure": "1"})
    assert stale.status_code == 409
    old = door.get(f"{address}&version={held.version}").text
    assert text_of(old) == text
    same = door.post(address, data={"text": edited, "version": held.version + 1})
    assert w("rule.same") in same.text
    back = {"text": text_of(old), "version": held.version + 1, "sure": "1"}
    assert door.post(address, data=back).status_code == 303
    assert (in_force(store).body, in_force(store).version) == (held.body, held.version + 2)


def test_faults_name_their_line_and_the_text_stays(door, store):
    held = in_force(store)
    text = text_of(door.get("/admin/rules/towns").text) + "\nbroken = = 1\n"
    page = door.post("/admin/rules/towns?lang=zh", data={"text": text, "version": held.version})
    assert page.status_code == 422
    assert re.search(r"第\d+行", page.text)
    assert text_of(page.text).strip() == text.strip()
    assert in_force(store) == held
    assert door.get("/admin/rules/nothing").status_code == 404
    assert door.get("/admin/rules/towns?version=99").status_code == 404
    door.headers.pop("Authorization")
    assert door.get("/admin/rules").status_code == 401
    assert door.post("/admin/rules/towns", data={"text": "", "version": 1}).status_code == 401
