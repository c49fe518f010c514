"""Records entered by template in the browser: upload, preview, confirm; and what goes wrong."""

import io
import re
import shutil
from pathlib import Path

import openpyxl
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import load_settings
from api.uploads import UploadRoom
from geo.errors import InputError, NotFoundError
from layers.store import open_store
from tests.api.command import assert_refused, run
from tests.api.conftest import TOKEN
from web.messages import say
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


def spaces(path):
    with open_store(path) as store:
        return store.records("spaces")


def template(door, changes, *, layer="spaces", **query):
    """Download a template, set cells by row and heading, and return it as a file."""
    answer = door.get(f"/api/records/{layer}/template.xlsx", params=query)
    assert answer.status_code == 200, answer.text
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    at = {cell.value.removesuffix("(必填)"): cell.column for cell in sheet[1]}
    for (row, name), value in changes.items():
        sheet.cell(row, at[name], value)
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


def upload(door, content, *, layer="spaces", name="空间.xlsx", lang="zh", **data):
    return door.post(
        f"/admin/{layer}/uploads?lang={lang}", files={"file": (name, content)}, data=data
    )


def waiting(store):
    folder = store.parent / "uploads"
    return list(folder.iterdir()) if folder.is_dir() else []


def count(page, key):
    return int(re.search(rf'data-count="{key}">([\d,]+)<', page)[1].replace(",", ""))


def test_only_staff(door):
    door.headers.pop("Authorization")
    for path in ("/admin/data", "/admin/spaces", "/api/records/spaces/template.xlsx"):
        assert door.get(path).status_code == 401
    assert upload(door, b"x").status_code == 401


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_from_template_to_undo(door, store, lang):
    before = spaces(store)
    unit = next(iter(before.values()))["unit"]
    some = [key for key, record in before.items() if record["unit"] == unit]
    content = template(door, {(3, "租金(元/㎡/月)"): 77}, filled=True, unit=unit)
    sent = upload(door, content, lang=lang)
    assert sent.status_code == 303
    preview = door.get(sent.headers["location"]).text
    assert [count(preview, key) for key in ("new", "changed", "unchanged", "faulty")] == [
        0,
        1,
        len(some) - 1,
        0,
    ]
    assert "<ins>77</ins>" in preview
    assert spaces(store) == before
    token = re.search(r'name="token" value="([^"]+)"', preview)[1]
    where = sent.headers["location"].partition("?")[0]
    done = door.post(f"{where}/confirm?lang={lang}", data={"token": token, "note": "十月"})
    assert done.status_code == 303
    after = spaces(store)
    assert [key for key in after if after[key] != before[key]] == some[:1]
    assert waiting(store) == []
    page = door.get(done.headers["location"]).text
    assert "十月" in page
    number = int(re.search(r"/admin/history/(\d+)", done.headers["location"])[1])
    assert words(lang)("batch.done", number=number) in page
    assert door.post(f"/admin/history/{number}/undo").status_code == 303
    assert spaces(store) == before
    assert door.get(where).status_code == 404


def test_faults_are_told_beside_row_and_column(door, store):
    before = spaces(store)
    content = template(
        door,
        {(3, "面积(㎡)"): "很大", (4, "状态"): "<b>拆了</b>", (5, "名称"): "新名"},
        filled=True,
    )
    where = upload(door, content).headers["location"]
    page = door.get(where).text
    rows = re.findall(
        r'<tr><td class="num">(\d+)</td><th scope="row">(.+?)</th><td class="bad">(.+?)</td>', page
    )
    assert rows == [
        ("3", "面积(㎡)", say("is not a number", "zh")),
        ("4", "状态", say("is none of the allowed values", "zh")),
    ]
    assert "<b>拆了" not in page
    path, token = where.partition("?")[0], re.search(r'name="token" value="([^"]+)"', page)[1]
    assert door.post(f"{path}/confirm", data={"token": token}).status_code == 422
    assert spaces(store) == before
    done = door.post(f"{path}/confirm", data={"token": token, "skip_faulty": "1"})
    assert done.status_code == 303
    assert sum(before[key] != record for key, record in spaces(store).items()) == 1


def test_a_preview_that_others_overtook_is_shown_anew(door, store):
    content = template(door, {(3, "名称"): "新名"}, filled=True)
    where = upload(door, content).headers["location"].partition("?")[0]
    token = re.search(r'name="token" value="([^"]+)"', door.get(where).text)[1]
    key = next(iter(spaces(store)))
    with open_store(store, write=True) as opened, opened.edit("zhou") as edit:
        edit.update("spaces", key, name="别人的名")
    again = door.post(f"{where}/confirm?lang=zh", data={"token": token})
    assert again.status_code == 409
    assert words("zh")("preview.stale") in again.text
    assert "<del>别人的名</del>" in again.text
    assert spaces(store)[key]["name"] == "别人的名"
    fresh = re.search(r'name="token" value="([^"]+)"', again.text)[1]
    assert door.post(f"{where}/confirm", data={"token": fresh}).status_code == 303
    assert spaces(store)[key]["name"] == "新名"


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (b"", "a.xlsx", "文件是空的"),
        (b"PK no zip", "a.xlsx", "损坏"),
        (bytes.fromhex("d0cf11e0a1b11ae1"), "锁.xlsx", "锁.xlsx有密码"),
        (b"MZ", "a.exe", "不是.xlsx或.csv"),
        ("楼长\n王\n".encode(), "../../a.csv", "表头"),
    ],
)
def test_files_that_cannot_be_read_are_not_kept(door, store, content, name, said):
    answer = upload(door, content, name=name)
    assert answer.status_code == 422
    assert said in answer.text
    assert str(store.parent) not in answer.text
    assert waiting(store) == []


def test_the_template_of_another_layer(door, store):
    answer = upload(door, template(door, {}, layer="incubators", filled=True))
    assert answer.status_code == 422
    assert "是“孵化器”的模板，不是“可用空间”的" in answer.text
    assert waiting(store) == []


def test_an_upload_can_be_discarded_and_is_of_one_layer(door, store):
    where = upload(door, template(door, {(3, "名称"): "x"}, filled=True)).headers["location"]
    path = where.partition("?")[0]
    assert door.get(path.replace("spaces", "sites")).status_code == 404
    assert door.post(f"{path}/discard").status_code == 303
    assert waiting(store) == []
    assert door.get("/admin/spaces/uploads/..%2f..%2fcity").status_code == 404


def test_uploads_do_not_wait_for_ever(tmp_path):
    room = UploadRoom(tmp_path / "uploads")
    old = room.put(b"1", layer="spaces", name="..\\..\\a.xlsx", datum="")
    assert (old.name, old.path.name, old.path.read_bytes()) == ("a.xlsx", "file.xlsx", b"1")
    room.clear(max_age_s=-1)
    with pytest.raises(NotFoundError, match="upload the file again"):
        room.get(old.key)
    for _ in range(100):
        room.put(b"1", layer="spaces", name="a.csv", datum="")
    with pytest.raises(InputError, match="100 files wait"):
        room.put(b"1", layer="spaces", name="a.csv", datum="")


def test_tables_are_searched_sorted_and_paged(door, store):
    held = spaces(store)
    first = door.get("/admin/spaces?lang=en&sort=-area_m2").text
    largest = max(held.values(), key=lambda record: record["area_m2"])
    assert f"/admin/spaces/{largest['id']}" in first.partition("<tbody>")[2].partition("</tr>")[0]
    more = re.search(r'href="(/admin/spaces\?[^"]*after=[^"]*)"', first)[1].replace("&amp;", "&")
    assert door.get(more).status_code == 200
    assert words("en")("listing.empty") in door.get("/admin/spaces?lang=en&text=nowhere").text
    assert "kind=lab" in door.get("/admin/spaces?lang=en&kind=lab").text
    for layer in ("streets", "nothing", "demands"):
        assert door.get(f"/admin/{layer}").status_code == 404
    page = door.get("/admin/data?lang=en").text
    assert page.count('scope="row"') == 16


def test_command(store, tmp_path):
    file = tmp_path / "t.xlsx"
    assert run("template", "spaces", file, "--filled", "--store", store).code == 0
    tried = run("import", "spaces", file, "--replace", "--dry-run", "--store", store, "--json")
    assert (tried.json["rows"], tried.json["faults"]) == (len(spaces(store)), [])
    assert_refused(run("template", "streets", file, "--store", store), "not entered by form")
    assert_refused(run("template", "spaces", tmp_path / "t.csv", "--store", store), "an .xlsx")
    refused = run("template", "spaces", file, "--incubator", "nobody", "--store", store)
    assert_refused(refused, "no incubator 'nobody'")
