"""The command line: what each command answers, and how every mistake is told in one line."""

import os
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import orjson
import pytest

from api import cli
from api.settings import Settings
from geo.errors import HatchmapError
from tests.api.command import assert_refused, run

QUESTIONS = (
    ("coverage", "towns"),
    ("coverage", "industries"),
    ("coverage", "units"),
    ("amenities",),
    ("gaps",),
    ("reach", "-56.15", "-34.55"),
    ("structure",),
    ("targets",),
    ("incubators",),
    ("check",),
)


def start(*typed, **more):
    return subprocess.Popen(
        [sys.executable, "-m", "api", *map(str, typed)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **more,
    )


# --- help and mistakes ------------------------------------------------------------------------


def test_help_names_every_command():
    answer = run("--help")
    assert answer.code == 0
    for entry in cli.ENTRIES:
        assert entry.name in answer.out


def test_version():
    assert run("--version").out == f"hatchmap {version('hatchmap')}\n"


def test_no_arguments_show_help():
    assert run().out == run("--help").out


@pytest.mark.parametrize("entry", cli.ENTRIES, ids=lambda entry: entry.name)
def test_every_command_has_help(entry):
    answer = run(entry.name, "--help")
    assert answer.code == 0
    assert f"hatchmap {entry.name}" in answer.out


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from api.cli import main; main(['--help']); "
        "print([name for name in ('pandas', 'numpy', 'geopandas', 'fastapi', 'pydantic', 'numba') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")


@pytest.mark.parametrize(
    ("typed", "word"),
    [
        (("coverge",), "coverage"),
        (("coverage",), "Missing command"),
        (("coverage", "cities"), "cities"),
        (("init", "--bogus"), "--bogus"),
        (("import",), "'layer'"),
        (("reach", "a", "b"), "'a'"),
        (("targets", "--year", "soon"), "soon"),
        (("amenities", "--test", "other"), "compliance"),
        (("--lang", "fr", "settings"), "HATCHMAP_LANG"),
        (("coverage", "towns", "--date", "2026-02-30"), "YYYY-MM-DD"),
        (("coverage", "towns", "--store", "postgresql://host/db"), ".gpkg"),
    ],
)
def test_mistakes_are_one_line(typed, word):
    assert_refused(run(*typed), word)


def test_a_program_fault_is_one_line_too(monkeypatch):
    def fail(*_):
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr(cli, "_run", fail)
    assert_refused(run("check"), "ZeroDivisionError", "HATCHMAP_DEBUG", code=70)


def test_debug_shows_where(monkeypatch):
    def fail(*_):
        raise HatchmapError("known")

    monkeypatch.setattr(cli, "_run", fail)
    monkeypatch.setenv("HATCHMAP_DEBUG", "1")
    answer = run("check")
    assert answer.code == 2
    assert "Traceback" in answer.err


def test_ctrl_c_is_one_line(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_run", interrupt)
    assert_refused(run("check"), "interrupted", code=130)


# --- questions --------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("typed", QUESTIONS, ids=" ".join)
def test_every_question_has_a_table(city, typed, lang):
    answer = run(*typed, "--store", city, "--lang", lang)
    assert answer.code == (1 if typed == ("check",) and not run_check_ok(city) else 0)
    assert answer.err == ""
    assert len(answer.out.splitlines()) > 2
    assert not any(line.endswith(" ") for line in answer.out.splitlines())


def run_check_ok(city):
    return run("check", "--store", city, "--json").json["ok"]


@pytest.mark.parametrize("typed", QUESTIONS, ids=" ".join)
def test_every_question_has_json(city, typed):
    answer = run(*typed, "--store", city, "--json")
    assert isinstance(answer.json, dict)


def test_store_and_language_before_the_command(city):
    before = run("--store", city, "--lang", "en", "coverage", "towns")
    assert before.out == run("coverage", "towns", "--store", city, "--lang", "en").out
    assert before.code == 0


def test_store_before_the_command_does_not_stay(city, monkeypatch, tmp_path):
    monkeypatch.setenv("HATCHMAP_STORE", str(tmp_path / "none.gpkg"))
    assert run("--store", city, "structure").code == 0
    assert_refused(run("structure"), "hatchmap init")


def test_the_environment_names_the_store(city, monkeypatch):
    monkeypatch.setenv("HATCHMAP_STORE", str(city))
    assert run("coverage", "towns", "--json").json["summary"]["total"] == 5


def test_coverage_of_towns_in_figures(city):
    answer = run("coverage", "towns", "--store", city, "--json").json
    assert answer["demo_counted"] is True
    bare = run("coverage", "towns", "--store", city, "--json", "--no-demo").json
    assert bare["demo_counted"] is False
    assert bare["summary"] == {
        "total": 5,
        "operating_large": 0,
        "operating": 0,
        "planned_only": 0,
        "none": 5,
        "covered_share": 0.0,
    }
    one = run("coverage", "towns", "--store", city, "--json", "--unit", "Harbour").json
    assert [town["name"] for town in one["towns"]] == ["Harbour"]


def test_unknown_unit(city):
    assert_refused(run("coverage", "towns", "--store", city, "--unit", "Nowhere"), "Nowhere")


def test_demo_is_said(city):
    assert "示例数据" in run("coverage", "towns", "--store", city).out
    assert "示例数据" not in run("coverage", "towns", "--store", city, "--no-demo").out


def test_one_incubator(city):
    first = run("incubators", "--store", city, "--limit", 1, "--json").json
    key = first["features"][0]["id"]
    one = run("amenities", key, "--store", city, "--json").json
    assert [row["id"] for row in one["rows"]] == [key]
    assert key in run("amenities", key, "--store", city).out
    assert_refused(run("amenities", "no-such", "--store", city), "no-such")


def test_incubators_page_on(city):
    first = run("incubators", "--store", city, "--limit", 12, "--json").json
    second = run("incubators", "--store", city, "--limit", 12, "--after", first["next"], "--json")
    keys = [f["id"] for f in first["features"] + second.json["features"]]
    assert len(keys) == len(set(keys)) == first["total"] == 20


def test_reach_writes_geojson(city, tmp_path):
    out = tmp_path / "zones.geojson"
    typed = ("reach", "-56.15", "-34.55", "--store", city, "--minutes", "5,10")
    answer = run(*typed, "-o", out, "--json")
    assert [f["properties"]["minutes"] for f in answer.json["features"]] == [5, 10]
    assert out.read_text("utf-8").strip() == answer.out.strip()
    assert_refused(run(*typed, "-o", tmp_path / "no" / "zones.geojson"), "cannot be written")
    assert_refused(run(*typed[:-1], "5,x"), "5,x")
    assert_refused(run(*typed[:-1], "-5"), "-5")


def test_targets_by_unit_and_year(city):
    rows = run("targets", "--store", city, "--unit", "Harbour", "--year", 2026, "--json").json[
        "rows"
    ]
    assert {(row["unit"], row["year"]) for row in rows} == {("Harbour", 2026)}


def test_check_tells_by_its_exit_code(tmp_path):
    store = tmp_path / "town.gpkg"
    run("init", "--city", "none", "--store", store)
    csv = tmp_path / "two.csv"
    square = "POLYGON((1 1,2 1,2 2,1 2,1 1))"
    csv.write_text(f'code,name,level,wkt\n1,A,town,"{square}"\n2,B,town,"{square}"\n', "utf-8")
    assert run("check", "--store", store).code == 0
    assert run("import", "divisions", csv, "--datum", "wgs84", "--store", store).code == 0
    answer = run("check", "--store", store, "--lang", "en")
    assert answer.code == 1
    assert "overlap" in answer.out
    assert answer.err == ""


def test_map_opens_without_a_network(city, tmp_path):
    page = tmp_path / "map.html"
    assert run("map", "-o", page, "--store", city, "--layers", "incubators").code == 0
    html = page.read_text("utf-8")
    assert 'src="http' not in html
    assert "Harbour" not in html.partition("<script")[0]
    assert_refused(run("map", "-o", page, "--store", city, "--layers", "moon"), "moon")
    assert_refused(run("map", "-o", tmp_path, "--store", city), "is a folder")
    assert [path.name for path in tmp_path.iterdir()] == ["map.html"]


# --- lists ------------------------------------------------------------------------------------


def test_layers_and_columns():
    assert "incubators" in run("layers").out
    listed = run("layers", "--json").json
    assert {"name", "zh", "en", "columns"} <= set(listed[0])
    assert "area_m2" in run("layers", "incubators").out
    assert_refused(run("layers", "incubatorz"), "incubators")


def test_settings_lists_every_setting():
    listed = run("settings", "--json").json
    assert len(listed) == len(Settings.model_fields)
    assert "HATCHMAP_STORE" in run("settings").out


# --- as a process of its own ------------------------------------------------------------------


def test_module_and_exit_codes(city, tmp_path):
    missing = start("coverage", "towns", "--store", tmp_path / "none.gpkg")
    _, err = missing.communicate(timeout=60)
    assert missing.returncode == 2
    assert err.count("\n") == 1
    assert "hatchmap init" in err


@pytest.mark.parametrize("encoding", ["gbk", "ascii"])
def test_terminals_of_other_encodings(city, encoding):
    env = {**os.environ, "PYTHONIOENCODING": encoding}
    table = subprocess.run(
        [sys.executable, "-m", "api", "coverage", "units", "--store", city],
        capture_output=True, env=env, check=True,
    )  # fmt: skip
    assert b"Harbour" in table.stdout
    json = subprocess.run(
        [sys.executable, "-m", "api", "layers", "incubators", "--json"],
        capture_output=True, env=env, check=True,
    )  # fmt: skip
    assert orjson.loads(json.stdout)["zh"] == "孵化器"


def test_reader_that_goes_away(city):
    process = start("layers", "incubators")
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 141
    assert err == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_no_fault_of_the_program(city):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "api", "layers"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == cli.WRONG_INPUT
    assert done.stderr.startswith("hatchmap: the answer cannot be written")


def test_serve_refuses_without_a_store(tmp_path):
    assert_refused(run("serve", "--store", tmp_path / "none.gpkg", "--port", 0), "hatchmap init")


def test_serve_stops_on_ctrl_c(city, tmp_path):
    env = {**os.environ, "HATCHMAP_DATA": str(tmp_path)}
    process = start("serve", "--store", city, "--port", 0, env=env)
    assert process.stdout.readline().startswith("Hatchmap: http://127.0.0.1:")
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert err == ""
    assert process.returncode == 0


def test_serve_refuses_a_port_that_is_taken(city):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert_refused(run("serve", "--store", city, "--port", port), str(port), "--port")
    assert_refused(run("serve", "--store", city, "--host", "no such host"), "no such host")
    assert_refused(run("serve", "--store", city, "--port", 70000), "HATCHMAP_PORT")


def test_mistakes_are_told_in_the_language_typed(city):
    chinese = run("siting", "cover", "-p", "100000", "--store", city, "--lang", "zh")
    assert_refused(chinese, "100000", "请给")
    assert_refused(run("--lang", "zh", "sitting"), "没有命令", "sitting")
