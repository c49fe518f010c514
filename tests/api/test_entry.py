"""Records entered one by one: by form and over HTTP, never over somebody else's change."""

import html
import re
import shutil
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import load_settings
from geo.crs import bd09_to_wgs84
from layers.store import open_store
from tests.api.conftest import TOKEN
from web.words import words

STAFF = {"Authorization": f"Bearer {TOKEN}"}
PAGE = {**STAFF, "Accept": "text/html"}
HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def store(city, tmp_path):
    return Path(shutil.copy(city, tmp_path / "city.gpkg"))


@pytest.fixture
def door(store):
    app = create_app(load_settings(store=store, data=store.parent, staff_token=TOKEN))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        client.headers.update(PAGE)
        yield client


def records(path, layer):
    with open_store(path) as store:
        return store.records(layer)


def first(path, layer="spaces"):
    return next(iter(records(path, layer).values()))


def fields(page):
    """What the form of a page would send."""
    form = re.search(r'<form class="entry".*?</form>', page, re.DOTALL)[0]
    found = {}
    for tag in re.findall(r"<(?:input|select|textarea)[^>]*>", form):
        name = re.search(r'\bname="([^"]+)"', tag)[1]
        value = re.search(r'\bvalue="([^"]*)"', tag)
        if 'type="checkbox"' in tag:
            if " checked" in tag:
                found.setdefault(name, []).append(html.unescape(value[1]))
        elif tag.startswith("<select"):
            inner = form[form.index(tag) :].partition("</select>")[0]
            chosen = re.search(r'value="([^"]*)" selected', inner)
            found[name] = html.unescape(chosen[1]) if chosen else ""
        elif tag.startswith("<textarea"):
            inner = form[form.index(tag) + len(tag) :].partition("</textarea>")[0]
            found[name] = html.unescape(inner)
        else:
            found[name] = html.unescape(value[1]) if value else ""
    return found


def errors(page):
    return set(re.findall(r'class="error(?: bad)?" id="e-(\w+)"', page))


# --- forms ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["spaces", "incubators", "progress", "sites", "industrial_towns"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_saving_a_form_as_it_is_changes_nothing(door, store, layer, lang):
    record = first(store, layer)
    page = door.get(f"/admin/{layer}/{record['id']}?lang={lang}").text
    with open_store(store) as opened:
        count = len(opened.batches())
    answer = door.post(f"/admin/{layer}/{record['id']}", data=fields(page))
    assert answer.status_code == 303, errors(answer.text)
    assert records(store, layer)[record["id"]] == record
    with open_store(store) as opened:
        assert len(opened.batches()) == count


def test_a_new_space_by_the_name_of_its_incubator(door, store):
    incubator = first(store, "incubators")
    typed = fields(door.get("/admin/spaces/new?lang=zh").text) | {
        "name": HOSTILE,
        "incubator": incubator["name"],
        "area_m2": "0.05万㎡",
        "stages": ["nursery", "incubation"],
        "water": "true",
        "services": "法务、财务",
        "_why": "开业",
    }
    answer = door.post("/admin/spaces/new?lang=zh", data=typed)
    assert answer.status_code == 303
    key = answer.headers["location"].split("/")[-1].partition("?")[0]
    made = records(store, "spaces")[key]
    assert made["incubator"] == incubator["id"]
    assert (made["area_m2"], made["water"], made["stages"], made["services"]) == (
        500.0,
        True,
        ["nursery", "incubation"],
        ["法务", "财务"],
    )
    assert (made["provenance"], made["geometry"]) == ("entered", incubator["geometry"])
    page = door.get(answer.headers["location"]).text
    assert HOSTILE not in page
    assert words("zh")("entry.saved") in page
    assert "开业" in page.partition('id="life"')[2]


def test_a_place_of_another_datum_is_converted_and_its_pair_kept(door, store):
    key = first(store)["id"]
    typed = fields(door.get(f"/admin/spaces/{key}").text)
    shape = records(store, "spaces")[key]["geometry"]
    pair = (shape.x + 0.006, shape.y + 0.006)
    typed |= {"lon": f"{pair[0]!r}", "lat": f"{pair[1]!r}", "_datum": "bd09"}
    assert door.post(f"/admin/spaces/{key}", data=typed).status_code == 303
    after = records(store, "spaces")[key]
    assert (after["declared_datum"], after["declared_x"], after["declared_y"]) == ("bd09", *pair)
    expected = [float(value) for value in bd09_to_wgs84(*pair)]
    assert (after["geometry"].x, after["geometry"].y) == pytest.approx(expected, abs=1e-9)
    shown = fields(door.get(f"/admin/spaces/{key}").text)
    assert (float(shown["lon"]), float(shown["lat"]), shown["_datum"]) == (*pair, "bd09")


def test_every_fault_stands_beside_its_field_and_nothing_typed_is_lost(door, store):
    before = records(store, "spaces")
    typed = fields(door.get("/admin/spaces/new?lang=zh").text) | {
        "incubator": "nowhere",
        "area_m2": HOSTILE,
        "min_term_months": "12",
        "max_term_months": "6",
        "available_from": "2026-02-30",
        "confirmed_on": "2999-01-01",
        "address": "长" * 10_000,
        "lon": "abc",
        "lat": "28",
        "_why": "想好了",
    }
    page = door.post("/admin/spaces/new?lang=zh", data=typed)
    assert page.status_code == 422
    assert errors(page.text) >= {
        *("incubator", "area_m2", "min_term_months", "available_from", "confirmed_on", "address"),
        "place",
    }
    held = fields(page.text)
    assert {name: held[name] for name in typed} == typed
    assert HOSTILE not in page.text
    assert "大于最长租期(月)（6）" in page.text
    assert records(store, "spaces") == before


def test_two_people_at_one_record(door, store):
    key = first(store)["id"]
    mine = fields(door.get(f"/admin/spaces/{key}").text)
    with open_store(store, write=True) as opened, opened.edit("zhou") as edit:
        edit.update("spaces", key, name="Theirs", floor="9")
    page = door.post(f"/admin/spaces/{key}?lang=en", data=mine | {"name": "Mine"})
    assert page.status_code == 409
    held = fields(page.text)
    assert (held["name"], held["floor"]) == ("Mine", "9")  # theirs where mine was left alone
    table = page.text.partition('id="clash"')[2].partition("</table>")[0]
    assert "Theirs" in table
    assert "Mine" in table
    assert records(store, "spaces")[key]["name"] == "Theirs"
    assert door.post(f"/admin/spaces/{key}", data=held).status_code == 303
    after = records(store, "spaces")[key]
    assert (after["name"], after["floor"]) == ("Mine", "9")


def test_a_record_that_is_gone_keeps_what_was_typed(door, store):
    key = first(store)["id"]
    mine = fields(door.get(f"/admin/spaces/{key}").text)
    with open_store(store, write=True) as opened, opened.edit("zhou") as edit:
        edit.delete("spaces", key)
    page = door.post(f"/admin/spaces/{key}?lang=en", data=mine | {"name": "Mine"})
    assert page.status_code == 409
    assert words("en")("entry.gone") in page.text
    assert fields(page.text)["name"] == "Mine"
    assert door.get(f"/admin/spaces/{key}").status_code == 404


def test_delete_and_undo(door, store):
    key = first(store)["id"]
    tag = fields(door.get(f"/admin/spaces/{key}").text)["_tag"]
    stale = door.post("/admin/spaces/delete", data={"id": key, "_tag": "old"})
    assert stale.status_code == 409
    gone = door.post("/admin/spaces/delete", data={"id": key, "_tag": tag, "_why": "重复"})
    assert key not in records(store, "spaces")
    assert door.get(gone.headers["location"]).status_code == 200
    batch = re.search(r"deleted=(\d+)", gone.headers["location"])[1]
    assert door.post(f"/admin/history/{batch}/undo").status_code == 303
    assert key in records(store, "spaces")


def test_many_are_confirmed_at_once(door, store):
    keys = list(records(store, "spaces"))[:3]
    sent = door.post("/admin/spaces/confirm?lang=en", data={"id": keys})
    page = door.get(sent.headers["location"]).text
    assert words("en")("listing.confirmed", count=3) in page
    with open_store(store) as opened:
        days = {opened.get("spaces", key)["confirmed_on"] for key in keys}
        assert len(days) == 1
        assert opened.batches()[-1].rows <= 3
    none = door.post("/admin/spaces/confirm?lang=en", data={})
    assert words("en")("listing.confirmed_none") in door.get(none.headers["location"]).text
    assert door.post("/admin/sites/confirm", data={"id": keys}).status_code == 422


def test_progress_shows_what_was_and_doubts_what_falls(door, store):
    with open_store(store, write=True) as opened, opened.edit("setup") as edit:
        edit.clear("progress")
    unit = next(iter(records(store, "reporting_units").values()))["name"]
    with open_store(store) as opened:
        indicators = opened.rules("targets").body["indicators"]
    indicator = next(one["key"] for one in indicators if not one.get("cumulative"))
    base = {
        "unit": unit,
        "year": "2026",
        "indicator": indicator,
        "value": "50",
        "reported_on": "2026-05-31",
        "evidence": "https://example.org/report",
        "definition": "报表",
    }
    assert door.post("/admin/progress/new", data=base).status_code == 303
    query = {name: base[name] for name in ("unit", "year", "indicator")}
    page = door.get("/admin/progress/new", params=query).text
    assert "2026-05-31" in page.partition('id="earlier"')[2]
    later = base | {"value": "40", "reported_on": "2026-06-30", "definition": ""}
    asked = door.post("/admin/progress/new?lang=zh", data=later)
    assert asked.status_code == 422
    assert "小于 2026-05-31 填报的 50" in asked.text
    assert "口径与 2026-05-31 填报时不同" in asked.text
    assert len(records(store, "progress")) == 1
    sure = door.post("/admin/progress/new", data=later | {"_sure": "1"})
    assert sure.status_code == 303
    assert len(records(store, "progress")) == 2


# --- over HTTP --------------------------------------------------------------------------------


def test_crud_with_entity_tags(door, store):
    door.headers.pop("Accept")
    incubator = first(store, "incubators")["id"]
    values = {"incubator": incubator, "area_m2": 80, "services": ["a", "b"]}
    made = door.post("/api/records/spaces", json={"values": values, "why": "new"})
    assert made.status_code == 201
    where, tag = made.headers["location"], made.headers["etag"]
    record = door.get(where)
    assert (record.headers["etag"], record.json()["services"]) == (tag, ["a", "b"])
    change = {"values": {"area_m2": 90}}
    assert door.patch(where, json=change).status_code == 428
    assert door.patch(where, json=change, headers={"If-Match": '"other"'}).status_code == 412
    done = door.patch(where, json=change, headers={"If-Match": tag})
    assert (done.status_code, done.json()["area_m2"]) == (200, 90)
    assert done.headers["etag"] != tag
    assert door.delete(where, headers={"If-Match": tag}).status_code == 412
    life = door.get(f"{where}/history").json()["edits"]
    assert [edit["action"] for edit in life] == ["insert", "update"]
    assert life[0]["note"] == "new"
    assert door.delete(where, headers={"If-Match": done.headers["etag"]}).status_code == 204
    assert door.get(where).status_code == 404
    assert len(door.get(f"{where}/history").json()["edits"]) == 3
    assert door.get("/api/records/spaces/never/history").status_code == 404


def test_lists_and_faults_over_http(door, store):
    door.headers.pop("Accept")
    page = door.get("/api/records/spaces", params={"limit": 7, "sort": "-area_m2"}).json()
    more = door.get("/api/records/spaces", params={"limit": 7, "sort": "-area_m2",
                                                   "after": page["next"]}).json()  # fmt: skip
    areas = [record["area_m2"] for record in (*page["records"], *more["records"])]
    assert areas == sorted(areas, reverse=True)
    assert page["total"] == len(records(store, "spaces"))
    bad = door.post("/api/records/spaces", json={"values": {"area_m2": -1, "batch": 3}})
    assert bad.status_code == 422
    assert bad.json()["errors"][0]["where"] == "batch"
    bad = door.post("/api/records/spaces", json={"values": {"area_m2": -1, "incubator": "x"}})
    assert {error["where"] for error in bad.json()["errors"]} >= {"area_m2", "incubator"}
    assert door.post("/api/records/streets", json={"values": {}}).status_code == 404
    assert door.post("/api/records/spaces", json={"values": []}).status_code == 422
    place = {"lon": 120.66, "lat": 28.01, "datum": "gcj02"}
    assert door.get("/api/records/place", params=place).json()["lon"] < 120.66
    assert door.get("/api/records/place", params=place | {"datum": "x"}).status_code == 422


def test_only_staff(door):
    door.headers.pop("Authorization")
    for method, path in (
        ("GET", "/api/records/spaces"),
        ("POST", "/api/records/spaces"),
        ("GET", "/api/records/spaces/a"),
        ("PATCH", "/api/records/spaces/a"),
        ("DELETE", "/api/records/spaces/a"),
        ("GET", "/api/records/spaces/a/history"),
        ("GET", "/admin/spaces/new"),
        ("POST", "/admin/spaces/new"),
        ("POST", "/admin/spaces/confirm"),
        ("POST", "/admin/spaces/delete"),
        ("POST", "/admin/spaces/a"),
    ):
        assert door.request(method, path).status_code == 401, (method, path)
