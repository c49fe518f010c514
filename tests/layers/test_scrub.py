"""Erased personal data leave no bytes in the file, nor in the logs beside it."""

import pandas as pd

from layers.store import create_store, open_store

NAMES = [f"王小明-{number:03d}-私" for number in range(60)]


def bytes_of(folder) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_no_trace_is_left_while_a_reader_is_open(tmp_path):
    path = tmp_path / "city.gpkg"
    create_store(path).close()
    count = len(NAMES)
    frame = pd.DataFrame(
        {
            "industry": ["电气"] * count,
            "min_area_m2": [1.0] * count,
            "title": ["需求" * 40] * count,
            "contact_name": NAMES,
        }
    )
    with open_store(path) as reader:
        with open_store(path, write=True) as store:
            with store.edit("tests") as edit:
                ids = edit.insert("demands", frame)
            for number, key in enumerate(ids):  # move the cells about
                with store.edit("tests") as edit:
                    edit.update("demands", key, contact_name=f"{NAMES[number]}改", title="短")
            assert reader.count("demands") == count
            assert NAMES[0].encode() in bytes_of(tmp_path)
            with store.edit("tests") as edit:
                edit.erase("demands", ids[:1], ["contact_name"])
            assert reader.get("demands", ids[0])["contact_name"] is None
            left = bytes_of(tmp_path)
            assert NAMES[0].encode() not in left
            assert NAMES[1].encode() in left
            with store.edit("tests") as edit:
                edit.erase("demands", ids, ["contact_name"])
        left = bytes_of(tmp_path)
        assert not any(name.encode() in left for name in NAMES)


def test_errors_of_the_database_do_not_repeat_values(tmp_path):
    path = tmp_path / "city.gpkg"
    with create_store(path) as store, store.edit("tests") as edit:
        engine = edit._connection.engine
    assert engine.hide_parameters
