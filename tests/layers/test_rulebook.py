"""Rules as text: written and read back as they are, and refused by line where unreadable."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import ConflictError, InputError
from layers.pack import load_pack, pack_names
from layers.rulebook import differ, line_of, list_versions, put_rules, read_rules, write_rules
from layers.store import Rules, create_store

HELD = Rules(
    "towns",
    3,
    {
        "large_area_m2": 20000,
        "lead_share": 0.6,
        "names": ["a"],
        "walk": {"speed_km_h": 4.0, "on": True},
        "list": [{"key": "x", "n": 1}, {"key": "y", "n": 2}],
    },
    "§1",
)
TEXT = write_rules(HELD.body, HELD.source)


@pytest.mark.parametrize("city", [*pack_names(), "tinytown"])
def test_every_bundled_rule_is_read_back_as_it_is(city):
    folder = Path(__file__).parent.parent / "cities" / city
    pack = load_pack(folder if folder.is_dir() else city)
    for name, (body, source) in pack.rules.items():
        text = write_rules(body, source)
        assert read_rules(text, Rules(name, 1, body, source)) == (body, source), name


SCALAR = st.one_of(st.booleans(), st.integers(-(2**53), 2**53), st.text(max_size=8))
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5).filter(lambda key: key != "source"), VALUE, max_size=4))
def test_any_table_is_written_as_toml(body):
    assert tomllib.loads(write_rules(body, "s")) == {"source": "s", **body}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("large_area_m2 = 20000", "large_area_m2 = -1", "line 2, large_area_m2: is below 0"),
        ("large_area_m2 = 20000", "large_area_m2 = inf", "line 2, large_area_m2: is not finite"),
        ("large_area_m2 = 20000", 'large_area_m2 = "20000"', "is a text"),
        ("large_area_m2 = 20000", "large_area_m3 = 20000", "large_area_m2: is missing"),
        ("large_area_m2 = 20000", "large_area_m2 = 20000 m2", "line 2: is not TOML"),
        ("lead_share = 0.6", "lead_share = 60", "line 3, lead_share: is above 1"),
        ("speed_km_h = 4.0", "speed_km_h = -4.0", "line 7, walk.speed_km_h: is below 0"),
        ("n = 2", "n = -2", "line 16, list.y.n: is below 0"),
        ('key = "y"', 'key = "x"', "list.x: is given twice"),
        ('source = "§1"', 'source = ""', "line 1, source: is missing or empty"),
        ('names = ["a"]', "names = [1]", "line 4, names: holds a number"),
    ],
)
def test_what_programs_could_not_read_is_refused_by_line(old, new, said):
    assert old in TEXT
    with pytest.raises(InputError, match=said):
        read_rules(TEXT.replace(old, new), HELD)


def test_values_and_entries_may_change():
    text = TEXT.replace("20000", "25000").replace('key = "y"', 'key = "z"').replace("§1", "§2")
    body, source = read_rules(text, HELD)
    assert (body["large_area_m2"], body["list"][1], source) == (25000, {"key": "z", "n": 2}, "§2")
    assert differ(TEXT, TEXT) == []
    assert ("+", "large_area_m2 = 25000") in differ(TEXT, text)
    assert line_of(TEXT, ("nowhere",)) == 1


def test_versions_go_up_and_come_again(tmp_path):
    with create_store(tmp_path / "s.gpkg") as store:
        with store.edit("setup") as edit:
            edit.set_rules("towns", HELD.body, HELD.source)
        first = list_versions(store, "towns")[0].text
        text = first.replace("20000", "25000")
        put = put_rules(store, "towns", text, version=1, who="li", note="stricter")
        assert (put.version, store.rules("towns").body["large_area_m2"]) == (2, 25000)
        with pytest.raises(ConflictError, match="version 2 came into force"):
            put_rules(store, "towns", first, version=1, who="zhou", note="")
        put_rules(store, "towns", first, version=2, who="li", note="back")
        assert store.rules("towns").body == HELD.body
        versions = list_versions(store, "towns")
        assert [(one.version, one.who) for one in versions] == [(3, "li"), (2, "li"), (1, "setup")]
        assert versions[1].note == "stricter"
