"""Pages of needs without scripts: the form, the door, the need, and the list of the staff."""

import io
import re

import openpyxl
import pandas as pd
import pytest

from geo.errors import StoreBusyError
from layers.store import open_store
from tests.api.demanding import CONTACT, STAFF, bearer, need, serve, with_contact

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serve(tmp_path_factory.mktemp("pages"), posts_per_minute=500) as client:
        yield client


@pytest.fixture(autouse=True)
def fresh(server):
    server.cookies.clear()


def form(**changes):
    typed = {"industry": "Boats", "min_area_m2": "20", **changes}
    return {name: value for name, value in typed.items() if value}


def post(server, **changes):
    return server.post("/demands/new?lang=en", data=form(**changes))


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(server):
    hostile = '"><script>alert(1)</script>'
    answer = server.post(
        "/demands/new?lang=zh",
        data=form(title=hostile, max_area_m2="1", near="there", services=["融资"], kind="barn"),
    )
    assert answer.status_code == 422
    assert answer.headers["cache-control"] == "no-store"
    page = answer.text
    assert "<script>alert" not in page
    assert 'value="&#34;&gt;&lt;script&gt;' in page
    for name, said in (("max_area_m2", "不能小于最小面积 20"), ("near", "经度"), ("kind", "列表")):
        line = re.search(rf'id="e-{name}">([^<]+)<', page)
        assert line, name
        assert said in line[1]
        assert f'href="#f-{name}"' in page
    assert re.search(r'value="融资" checked', page)
    assert re.search(r'<option value="barn" selected>', page)


def test_the_check_while_typing_is_the_same_check(server):
    typed = form(max_area_m2="1", near="there", title="a@b.cn")
    shown = server.post("/demands/new/check?lang=en", data=typed).json()["errors"]
    posted = server.post("/api/demands", json=typed).json()["errors"]
    assert shown == {one["where"]: one["what"] for one in posted}
    assert set(shown) == {"max_area_m2", "near", "title"}
    assert server.post("/demands/new/check", data=form()).json() == {"errors": {}}


def test_a_form_that_starts_from_a_space(server):
    with open_store(server.app.state.store.path) as store:
        spaces = store.read("spaces")
    space = spaces[spaces["status"] == "vacant"].iloc[0]
    assert f"space={space['id']}" in server.get(f"/spaces/{space['id']}?lang=en").text
    page = server.get(f"/demands/new?lang=en&space={space['id']}").text
    assert f'name="space" value="{space["id"]}"' in page
    assert f'<option value="{space["kind"]}" selected>' in page
    assert server.get("/demands/new?space=moon", headers=HTML).status_code == 404


def test_the_link_is_shown_once_and_opens_by_code(server):
    answer = post(server)
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    link = re.search(r'value="http://testserver(/demands/(demands-\d+)#key=([\w-]+))"', answer.text)
    path, key = f"/demands/{link[2]}", link[3]
    cookie = answer.headers["set-cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=strict", f"Path={path}"))
    mine = server.get(f"{path}?lang=en")
    assert "My need" in mine.text
    assert key not in mine.text
    server.cookies.clear()
    door = server.get(f"{path}?lang=en")
    assert "key-form" in door.text
    assert "Boats" not in door.text
    wrong = server.post(f"{path}/open?lang=en", data={"key": "no"})
    assert wrong.status_code == 403
    assert "cannot be regained" in wrong.text
    opened = server.post(f"{path}/open?lang=en", data={"key": key}, follow_redirects=False)
    assert opened.status_code == 303
    assert key not in opened.headers["location"]
    assert "My need" in server.get(f"{path}?lang=en").text
    server.post(f"{path}/forget")
    server.cookies.clear()  # as a browser does when told
    assert "key-form" in server.get(path).text


def test_doors_of_needs_that_are_not_there_look_the_same(server):
    posted = server.post("/api/demands", json=need()).json()["id"]
    there, absent = (server.get(f"/demands/{key}?lang=en").text for key in (posted, "demands-999"))
    assert there.replace(posted, "") == absent.replace("demands-999", "")


def test_others_cannot_make_a_browser_write(server):
    posted = server.post("/api/demands", json=need()).json()
    path = f"/demands/{posted['id']}"
    server.post(f"{path}/open", data={"key": posted["secret"]})
    foreign = {"Origin": "https://evil.example"}
    answer = server.post(f"{path}/withdraw", data={"sure": "true"}, headers=foreign)
    assert "key-form" in answer.text
    with open_store(server.app.state.store.path) as store:
        assert store.get("demands", posted["id"])["status"] == "open"


def test_change_and_withdraw(server):
    posted = server.post("/api/demands", json=with_contact()).json()
    path = f"/demands/{posted['id']}"
    server.post(f"{path}/open", data={"key": posted["secret"]})
    page = server.get(f"{path}/change?lang=en").text
    assert all(f'value="{contact}"' in page for contact in CONTACT.values())
    wrong = server.post(f"{path}/change", data=form(min_area_m2="-1"))
    assert wrong.status_code == 422
    done = server.post(f"{path}/change?lang=en", data=form(min_area_m2="33"))
    assert "33" in done.text
    with open_store(server.app.state.store.path) as store:
        record = store.get("demands", posted["id"])
    # A form is the whole: what was emptied is gone, the contact too.
    assert (
        record["contact_name"] is record["kind"] is record["geometry"] is record["consent"] is None
    )
    unsure = server.post(f"{path}/withdraw?lang=en", data={})
    assert unsure.status_code == 422
    assert "Tick the box" in unsure.text
    gone = server.post(f"{path}/withdraw?lang=en", data={"sure": "true"})
    assert "Need withdrawn" in gone.text


def test_a_limit_or_a_busy_store_loses_nothing(tmp_path, monkeypatch):
    with serve(tmp_path, posts_per_minute=1) as server:
        assert post(server, title="First").status_code == 201
        answer = post(server, title="Second one")
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) > 0
        assert 'value="Second one"' in answer.text
        server.app.state.post_limit.take = lambda _: 0

        def busy(*_args, **_more):
            raise StoreBusyError("busy")

        monkeypatch.setattr(server.app.state.store, "edit", busy)
        answer = post(server, title="Third one")
        assert answer.status_code == 503
        assert 'value="Third one"' in answer.text


def test_too_many_fields_or_bytes(server):
    many = "&".join(f"a{number}=1" for number in range(500))
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.post("/demands/new", content=many, headers=kind).status_code == 422
    assert (
        server.post("/demands/new", content="title=" + "a" * 300_000, headers=kind).status_code
        == 413
    )


@pytest.fixture(scope="module")
def needs(server):
    made = [
        server.post("/api/demands", json=with_contact(title=title, min_area_m2=area)).json()
        for title, area in (("<b>bold</b>", 11), ("=1+1", 12), ("third", 13))
    ]
    return [one["id"] for one in made]


def test_the_list_of_the_staff(server, needs):
    page = server.get("/demands?lang=en&status=open&text=bold", headers=STAFF).text
    assert "&lt;b&gt;bold" in page
    assert "1 needs" in page
    assert CONTACT["contact_phone"] in page
    assert f"/match?demand={needs[0]}" in page
    listed = server.get("/demands?lang=en&sort=-min_area_m2", headers=STAFF).text
    after = re.search(r'rel="next" href="([^"]+)"', listed)
    assert after is None  # all on one page
    assert "No need fits" in server.get("/demands?lang=en&text=nowhere", headers=STAFF).text
    for query in ("sort=colour", "status=lost", "after=zzz"):
        assert server.get(f"/demands?{query}", headers=STAFF | HTML).status_code == 422


def test_pages_of_the_list_hold_each_need_once(server, needs, monkeypatch):
    monkeypatch.setattr("api.routes.demand_desk.PAGE_SIZE", 4)
    url, seen = "/demands?lang=en&sort=industry", []
    while url:
        page = server.get(url, headers=STAFF).text
        seen += re.findall(r'<th scope="row"><a href="/demands/([\w-]+)\?', page)
        more = re.search(r'rel="next" href="([^"]+)"', page)
        url = more and more[1].replace("&amp;", "&")
    with open_store(server.app.state.store.path) as store:
        assert sorted(seen) == sorted(store.read("demands")["id"])


def test_the_sheet_holds_texts_and_no_formulas(server, needs):
    answer = server.get("/demands/export.xlsx?status=open&text=1%2B1", headers=STAFF)
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).worksheets[0]
    rows = list(sheet.iter_rows(values_only=False))
    title = next(cell for cell in rows[1] if "1+1" in str(cell.value))
    assert title.data_type == "s"
    assert len(rows) == 2
    assert server.get("/demands/export.xlsx").status_code == 401


def test_staff_close_open_and_withdraw_for_a_company(server, needs):
    path = f"/demands/{needs[2]}"

    def state():
        with open_store(server.app.state.store.path) as store:
            return store.get("demands", needs[2])

    assert server.post(f"{path}/status", data={"status": "closed"}).status_code == 401
    assert state()["status"] == "open"
    server.post(f"{path}/status", data={"status": "closed"}, headers=STAFF)
    assert state()["status"] == "closed"
    wrong = server.post(f"{path}/status", data={"status": "gone"}, headers=STAFF | HTML)
    assert wrong.status_code == 422
    server.post(f"{path}/status", data={"status": "open"}, headers=STAFF)
    assert state()["status"] == "open"
    server.post(f"{path}/withdraw", data={"sure": "true"}, headers=STAFF)
    assert state()["contact_name"] is None
    with open_store(server.app.state.store.path) as store:
        assert {change.who for change in store.history("demands", needs[2])} == {"founder", "staff"}
    again = server.post(f"{path}/status", data={"status": "open"}, headers=STAFF | HTML)
    assert again.status_code == 422


def test_a_closed_need_can_be_withdrawn_but_not_changed(server):
    posted = server.post("/api/demands", json=need()).json()
    path = f"/demands/{posted['id']}"
    server.post(f"{path}/status", data={"status": "closed"}, headers=STAFF)
    owner = bearer(posted["secret"])
    changed = server.patch(f"/api{path}", json={"team_size": 3}, headers=owner)
    assert changed.status_code == 422
    assert server.delete(f"/api{path}", headers=owner).status_code == 204


def test_a_founder_sees_how_far_things_are_but_no_notes_of_the_staff(server):
    posted = server.post("/api/demands", json=need()).json()
    pairs = server.get(f"/api/demands/{posted['id']}/matches", headers=STAFF).json()["pairs"]
    with server.app.state.store.edit("proposed") as edit:
        deal = {
            "demand": posted["id"], "space": pairs[0]["space"], "area_m2": 21.0,
            "state": "visited", "note": "haggles", "changed_on": "2026-11-20",
        }  # fmt: skip
        edit.insert("deals", pd.DataFrame([deal]))
    server.post(f"/demands/{posted['id']}/open", data={"key": posted["secret"]})
    page = server.get(f"/demands/{posted['id']}?lang=en").text
    table = page[page.index('id="deals"') : page.index("</table>")]
    assert "Visited" in table
    assert "2026-11-20" in table
    assert "haggles" not in page


def test_a_browser_is_sent_on_so_that_loading_again_posts_nothing(server):
    server.get("/demands/new?lang=en")
    sent = server.post("/demands/new?lang=en", data=form(), follow_redirects=False)
    assert sent.status_code == 303
    where = sent.headers["location"]
    key = where.split("/")[2]
    shown = server.get(where)
    assert shown.status_code == 200
    secret = re.search(rf"/demands/{key}#key=([\w-]+)", shown.text)[1]
    assert server.get(where).text == shown.text
    assert server.get(f"/api/demands/{key}", headers=bearer(secret)).status_code == 200
    # Another browser, and this one later, is shown the need or its door, never the secret.
    server.cookies.delete("hatchmap_posted")
    assert secret not in server.get(where).text
    server.cookies.clear()
    assert secret not in server.get(where).text
