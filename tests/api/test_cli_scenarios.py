"""The command of scenarios: made, changed, asked, compared, adopted; and `--scenario`."""

import ast
import shutil
from pathlib import Path

import pytest

from layers.store import open_store
from tests.api.command import assert_refused, run

COMMANDS = Path(__file__).resolve().parents[2] / "api" / "commands"
# Their stores are the real ones by their nature.
REAL = {"opening.py", "scenario.py", "keeping.py"}


@pytest.fixture
def store(city, tmp_path):
    path = tmp_path / "hatchmap.gpkg"
    shutil.copy(city, path)
    return path


def ask(store, *typed):
    done = run("--store", store, *typed, "--json")
    assert done.code == 0, done.err
    return done.json


def test_from_a_name_to_the_real_layers(store):
    with open_store(store) as opened:
        seats = opened.read("industrial_towns").set_index("code").geometry
    town = next(
        one
        for one in ask(store, "coverage", "towns")["towns"]
        if one["state"] in ("none", "planned_only")
    )
    seat = seats[town["code"]]
    ask(store, "scenario", "new", "North", "--note", "why")
    typed = ("name=Hall", "status=operating", "opened_on=2026-01-01", "area_m2=30000")
    sets = [word for one in typed for word in ("--set", one)]
    place = f"--at={seat.x},{seat.y}"
    done = ask(store, "scenario", "change", "North", "add", "incubators", place, *sets)
    assert [one["code"] for one in done["effect"]["won"]] == [town["code"]]
    rule = ("--set", "large_area_m2=10")
    ask(store, "scenario", "change", "North", "change", "rules/towns", *rule)
    seen = ask(store, "--scenario", "North", "coverage", "towns")
    row = next(one for one in seen["towns"] if one["code"] == town["code"])
    assert row["state"] == "operating_large"
    assert seen["rule"]["large_area_m2"] == 10
    compared = ask(store, "scenario", "compare", "base", "North")
    assert [one["change"] for one in compared["towns"]] != []
    table = run("--store", store, "--lang", "en", "scenario", "compare", "base", "North")
    assert "Real layers" in table.out
    assert ask(store, "scenario", "adopt", "North")["written"] == {"incubators": 1, "rules": 1}
    after = ask(store, "coverage", "towns")
    assert after["summary"] == seen["summary"]
    (listed,) = ask(store, "scenario", "list")["scenarios"]
    assert (listed["name"], listed["state"]) == ("North", "adopted")


def test_mistakes_are_one_line(store):
    run("--store", store, "scenario", "new", "North")
    change = ("--store", store, "--lang", "en", "scenario", "change", "North")
    assert_refused(run(*change, "add", "incubators", "--at", "1;2"), "LON,LAT")
    assert_refused(run(*change, "add", "incubators", "--set", "name"), "COLUMN=VALUE")
    assert_refused(run(*change, "change", "incubators/none", "--set", "name=x"), "none")
    english = ("--store", store, "--lang", "en")
    assert_refused(run(*english, "--scenario", "South", "coverage", "towns"), "South", "North")
    for refused in (("demo", "remove"), ("backup", store.with_name("b.gpkg"))):
        answer = run(*english, "--scenario", "North", *refused)
        assert_refused(answer, "real layers")


@pytest.mark.parametrize("path", sorted(COMMANDS.glob("*.py")), ids=lambda path: path.name)
def test_commands_open_the_store_that_was_asked(path):
    if path.name in REAL:
        return
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "layers.store":
            assert "open_store" not in {one.name for one in node.names}
