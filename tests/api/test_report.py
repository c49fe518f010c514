"""Reports: their figures are those of the questions, in every format, the same bytes every time."""

import errno
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import openpyxl
import pandas as pd
import pyogrio
import pypdf
import pytest

from api.commands import output
from api.questions.coverage import ask_town_coverage
from api.questions.report import ask_report
from api.questions.targets import ask_targets
from api.questions.unit_coverage import ask_unit_coverage
from geo.errors import CancelledError, InputError
from layers.store import Lens, open_store
from tests.api.command import assert_refused, run
from tests.api.conftest import TOKEN
from web.report.build import write_report
from web.report.pdf import wrap

ROOT = Path(__file__).resolve().parents[2]
STAFF = {"authorization": f"Bearer {TOKEN}"}
DAY = "2026-11-26"


@pytest.fixture(scope="module")
def store(city):
    with open_store(city) as opened:
        yield opened


@pytest.fixture(scope="module")
def report(store):
    everything = ["targets", "towns", "industries", "units", "amenities", "structure", "siting",
                  "match", "check", "sources"]  # fmt: skip
    return ask_report(store, sections=everything, as_of=DAY, staff=True)


@pytest.fixture(scope="module")
def book(report):
    return openpyxl.load_workbook(io.BytesIO(write_report(report, "xlsx", lang="en")))


@pytest.fixture(scope="module")
def paper(report):
    return pypdf.PdfReader(io.BytesIO(write_report(report, "pdf", review="浙S(2026)1号")))


def table(sheet, title):
    """Return a table of a sheet as a frame: the rows from under its title to the next gap."""
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    start = next(at for at, row in enumerate(rows) if row[0] == title) + 1
    body = []
    for row in rows[start + 1 :]:
        if not any(value is not None for value in row):
            break
        body.append(row)
    heads = [head for head in rows[start] if head is not None]
    return pd.DataFrame([row[: len(heads)] for row in body], columns=heads)


# --- contents -----------------------------------------------------------------------------------


def test_the_workbook_holds_the_answers_as_numbers(book, store):
    asked = ask_targets(store, as_of=DAY).to_json()["rows"]
    written = table(book["Progress against targets"], "All targets")
    assert len(written) == len(asked)
    assert written["Target"].tolist() == pytest.approx([row["target"] for row in asked])
    assert written["Value"].isna().sum() == sum(row["value"] is None for row in asked)
    shares = [row["share"] for row in asked if row["share"] is not None]
    assert written["Share"].dropna().tolist() == pytest.approx(shares)


def test_towns_and_units_are_those_of_the_questions(book, store):
    asked = ask_town_coverage(store, as_of=DAY).to_json()
    towns = table(book["Industrial towns"], "Industrial towns")
    # The sheet's own title stands first; the table of units comes before that of towns.
    units = table(book["Industrial towns"], "By reporting unit")
    assert units["Total"].sum() == asked["summary"]["total"]
    assert units["None"].sum() == asked["summary"]["none"]
    sheet = [cell.value for cell in book["Industrial towns"]["B"]]
    assert {row["name"] for row in asked["towns"]} <= set(sheet)
    assert len(towns) > 0
    each = table(book["Units and counted goals"], "Reporting units")
    rows = ask_unit_coverage(store, as_of=DAY).to_json()["units"]
    assert each["Operating"].tolist() == [row["operating"] for row in rows]
    assert each["Operating area (㎡)"].tolist() == [row["operating_area_m2"] for row in rows]


def test_every_sheet_says_that_demo_records_count_and_what_columns_mean(book):
    assert len(book.sheetnames) == 12  # a sheet a question, the cover, the definitions
    for name in book.sheetnames[1:-1]:
        said = " ".join(str(cell.value) for cell in book[name]["A"])
        assert "fictional demo records" in said
    meanings = [[cell.value for cell in row] for row in book["Definitions"].iter_rows()]
    assert any(row[2] == "Share" and row[4] == "value over target" for row in meanings)
    assert any(row[3] == "㎡" for row in meanings)


def test_the_pdf_is_laid_out_and_carries_its_font(paper, store):
    texts = [page.extract_text() for page in paper.pages]
    whole = "\n".join(texts)
    assert "进展报告" in texts[0]
    assert f"统计日期 {DAY}" in texts[0]
    assert "虚构的示例记录" in texts[0]
    assert "浙S(2026)1号" in texts[0]
    assert "目录" in texts[1]
    asked = ask_town_coverage(store, as_of=DAY).to_json()["summary"]
    covered = asked["operating_large"] + asked["operating"]
    assert f"{asked['total']} 个工业强镇中，{covered} 个已有运营" in whole
    assert "资料来源与规则" in whole
    assert "温政办" not in whole  # of another city
    assert all(f"— {number} —" in text for number, text in enumerate(texts[1:], 2))
    titles = [str(entry["/Title"]) for entry in paper.outline if not isinstance(entry, list)]
    assert len(titles) == 10
    fonts = [
        font.get_object()["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        for page in paper.pages
        for font in page["/Resources"]["/Font"].values()
    ]
    assert fonts
    assert all("/FontFile2" in font for font in fonts)
    assert paper.metadata.creation_date.date().isoformat() == DAY
    assert sum(len(page.images) for page in paper.pages) >= 5


def test_the_page_needs_nothing_from_elsewhere(report):
    page = write_report(report, "html", lang="en").decode()
    assert "<script" not in page
    assert "<link" not in page
    assert 'src="http' not in page
    assert "url(http" not in page
    assert page.count("data:image/png;base64,") >= 5
    assert "data:font/woff;base64," in page
    assert "fictional demo records" in page


def test_the_geopackage_holds_the_results(report, store, tmp_path):
    file = tmp_path / "report.gpkg"
    file.write_bytes(write_report(report, "gpkg"))
    assert {"units", "towns", "incubators", "targets", "report"} <= {
        name for name, _ in pyogrio.list_layers(file)
    }
    towns = pyogrio.read_dataframe(file, layer="towns")
    asked = ask_town_coverage(store, as_of=DAY).to_json()["summary"]
    assert (towns["state"] == "none").sum() == asked["none"]
    assert towns.crs.to_epsg() == 4490
    assert bool(pyogrio.read_dataframe(file, layer="report")["demo_counted"][0])


def test_a_unit_is_told_alone(store):
    units = store.read("reporting_units")["name"].tolist()
    report = ask_report(store, sections=["towns", "units"], unit=units[0], as_of=DAY, staff=True)
    book = openpyxl.load_workbook(io.BytesIO(write_report(report, "xlsx", lang="en")))
    rows = table(book["Units and counted goals"], "Reporting units")
    assert rows.iloc[:, 0].tolist() == store.read("reporting_units")["name_en"].tolist()[:1]
    assert set(report.places.towns["unit"]) <= {units[0]}


def test_a_unit_has_its_own_space_amenities_and_rank(store):
    unit = store.read("reporting_units")["name"].tolist()[0]
    sections = ["targets", "amenities", "structure"]
    report = ask_report(store, sections=sections, unit=unit, as_of=DAY)
    whole = ask_report(store, sections=sections, as_of=DAY)
    own = {key: one.to_json() for key, one in report.results.items()}
    city = {key: one.to_json() for key, one in whole.results.items()}
    [row] = [row for row in city["amenities"]["units"] if row["unit"] == unit]
    assert own["amenities"]["units"] == [row]
    assert own["amenities"]["summary"]["compliance"] == row["compliance"]
    areas = ask_unit_coverage(store, as_of=DAY, unit=unit).to_json()["units"]
    assert own["structure"]["city"]["area_m2"] == areas[0]["operating_area_m2"]
    assert own["structure"]["city"]["area_m2"] < city["structure"]["city"]["area_m2"]
    assert own["targets"]["ranking"] == city["targets"]["ranking"]


def test_ranks_and_forecasts_with_their_range_and_basis(book, report):
    sheet = book["Progress against targets"]
    told = report.results["targets"].to_json()
    title = next(cell.value for cell in sheet["A"] if str(cell.value).startswith("Units ranked"))
    ranks = table(sheet, title)
    assert ranks["Rank"].dropna().tolist()[:-1] == [  # under the rows stands what they mean
        one["rank"] for one in told["ranking"] if one["rank"] is not None
    ]
    goals = table(sheet, "Counted goals: progress and forecast")
    assert len(goals) == len(told["goals"])
    ahead = [one["forecast"] for one in told["goals"] if one["forecast"]]
    assert goals["Forecast, low"].notna().sum() == sum(one["low"] is not None for one in ahead)
    assert all(goals["Basis of the forecast"][goals["Forecast"].notna()])


def test_english_reports_call_units_by_their_english_names(book, report, store):
    units = store.read("reporting_units")
    called = dict(zip(units["name"], units["name_en"], strict=True))
    rows = table(book["Units and counted goals"], "Reporting units")
    asked = report.results["units"].to_json()["units"]
    assert rows.iloc[:, 0].tolist() == [called[row["unit"]] or row["unit"] for row in asked]
    assert set(report.places.units["name"]) <= set(called)  # what is asked stays as it is


def test_a_scenario_is_named_on_every_page(store, monkeypatch):
    monkeypatch.setattr(store, "lens", Lens("sc-1", "南部加密"))
    report = ask_report(store, sections=["units"], as_of=DAY)
    read = pypdf.PdfReader(io.BytesIO(write_report(report, "pdf")))
    assert all("南部加密" in page.extract_text() for page in read.pages)
    assert "Scenario: 南部加密" in write_report(report, "html", lang="en").decode()


def test_texts_of_records_stay_texts(city, tmp_path):
    path = tmp_path / "hostile.gpkg"
    shutil.copy(city, path)
    with open_store(path, write=True) as store:
        towns = store.read("industrial_towns")
        with store.edit("test") as edit:
            edit.update("industrial_towns", towns["id"][0], name='=HYPERLINK("http://x")')
            edit.update("industrial_towns", towns["id"][1], name="<script>alert(1)</script>")
        report = ask_report(store, sections=["towns"], as_of=DAY)
    page = write_report(report, "html").decode()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    book = openpyxl.load_workbook(io.BytesIO(write_report(report, "xlsx")))
    kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
    assert "f" not in kinds
    assert b"%PDF" in write_report(report, "pdf")[:10]


# --- the same bytes -----------------------------------------------------------------------------

WRITE = """
import sys
from layers.store import open_store
from api.questions.report import ask_report
from web.report.build import FORMATS, write_report
from pathlib import Path
with open_store(sys.argv[1]) as store:
    report = ask_report(store, sections=["targets", "towns", "structure"], as_of=sys.argv[3])
    for name in FORMATS:
        Path(sys.argv[2], f"report.{name}").write_bytes(write_report(report, name))
"""


def test_the_same_store_and_day_give_the_same_bytes_in_every_process(city, tmp_path):
    made = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        subprocess.run(
            [sys.executable, "-c", WRITE, city, folder, DAY],
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        made.append({file.name: file.read_bytes() for file in sorted(folder.iterdir())})
    assert len(made[0]) == 4
    assert {name for name in made[0] if made[0][name] != made[1][name]} == set()
    with ZipFile(io.BytesIO(made[0]["report.xlsx"])) as book:
        assert {entry.date_time[0] for entry in book.infolist()} == {1980}


# --- wrong input and stopping -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("-o", "{tmp}/report.doc"), ".gpkg"),
        (("-o", "{tmp}/report"), "names no format"),
        (("-o", "{tmp}/report.pdf", "--sections", "weather"), "weather"),
        (("-o", "{tmp}/report.pdf", "--sections", "match", "--public"), "for staff"),
        (("-o", "{tmp}/report.pdf", "--unit", "Nowhere"), "Nowhere"),
        (("-o", "{tmp}/report.pdf", "--date", "2026-02-30"), "2026-02-30"),
        (("-o", "{tmp}/none/report.xlsx", "--sections", "towns"), "cannot be written"),
        (("-o", "{tmp}", "--sections", "towns"), "names no format"),
    ],
)
def test_what_cannot_be_is_one_line(city, tmp_path, typed, said):
    words = [word.format(tmp=tmp_path) for word in typed]
    assert_refused(run("--store", city, "report", *words), said)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_report(city, tmp_path, monkeypatch):
    file = tmp_path / "report.xlsx"
    asked = ("--store", city, "report", "-o", file, "--sections", "sources", "--json")
    assert run(*asked).json["sections"] == ["sources"]
    before = file.read_bytes()

    class Full(io.BytesIO):
        def write(self, _body):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(output.os, "fdopen", lambda handle, mode: os.close(handle) or Full())
    assert_refused(run(*asked), str(file), "No space left on device")
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["report.xlsx"]
    assert file.read_bytes() == before


def test_a_report_stops_between_its_sections_and_while_it_is_written(store, report):
    told = []
    with pytest.raises(CancelledError):
        ask_report(
            store,
            as_of=DAY,
            progress=lambda section, _: told.append(section),
            cancel=lambda: len(told) >= 2,
        )
    assert told == ["targets", "towns"]
    with pytest.raises(CancelledError):
        write_report(report, "pdf", cancel=lambda: True)
    with pytest.raises(InputError, match="format"):
        write_report(report, "doc")


def test_lines_break_as_chinese_does():
    lines = list(wrap("覆盖率达到（百分之七十），其余 34 个 https://a.b/cdefghijkl", 6, len))
    assert all(len(line.rstrip()) <= 7 for line in lines)
    assert not any(line[0] in "，。）" for line in lines)
    assert not any(line.rstrip().endswith("（") for line in lines)
    assert "".join(lines) == "覆盖率达到（百分之七十），其余 34 个 https://a.b/cdefghijkl"


# --- over HTTP ----------------------------------------------------------------------------------


def test_a_report_is_a_job_and_the_same_one_is_there_at_once(client):
    asked = {"format": "xlsx", "sections": ["towns", "sources"], "date": DAY}
    first = client.post("/api/report", json=asked, headers={"prefer": "respond-async"})
    assert first.status_code == 201
    place = first.headers["location"]
    events = client.get(f"{place}/events").text
    assert '"successful"' in events
    result = client.get(f"{place}/results")
    assert f'filename="hatchmap-report-{DAY}.xlsx"' in result.headers["content-disposition"]
    names = openpyxl.load_workbook(io.BytesIO(result.content)).sheetnames
    assert "一镇一器" in names
    again = client.post("/api/report", json=asked, headers={"prefer": "respond-async"})
    assert again.json()["status"] == "successful"
    link = f"/api/report?format=xlsx&sections=sources&sections=towns&date={DAY}"
    assert client.get(link).content == result.content


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"format": "doc"}, "doc"),
        ({"sections": ["match"]}, "staff"),
        ({"sections": ["check"]}, "staff"),
        ({"sections": ["weather"]}, "weather"),
        ({"sections": []}, "none is given"),
        ({"lang": "fr"}, "lang"),
        ({"sections": ["towns"], "unit": "Nowhere"}, "Nowhere"),
        ({"sections": ["towns"], "date": "2026-02-30"}, "2026-02-30"),
        ({"staff": True}, "staff"),
    ],
)
def test_a_report_that_cannot_be_is_one_problem(client, asked, said):
    answer = client.post("/api/report", json={"format": "xlsx", **asked})
    assert answer.status_code in (404, 422)
    assert said in json.dumps(answer.json())


def test_what_staff_may_see_is_for_staff(client):
    asked = {"format": "html", "sections": ["check"], "date": DAY}
    made = client.post(
        "/api/report", json=asked, headers={**STAFF, "prefer": "respond-async"}
    ).json()
    assert client.get(f"/api/jobs/{made['jobID']}").status_code == 401
    assert 'value="check"' not in client.get("/reports").text
    assert 'value="check"' in client.get("/reports", headers=STAFF).text
