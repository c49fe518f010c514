"""Assets come from our own server, and only those that pages use."""

import re

import pytest

from geo.errors import NotFoundError, StoreMissingError
from web import assets


def test_listed_files_are_installed():
    assets.check_assets()


def test_missing_files_say_how_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "PACKAGES", tmp_path)
    with pytest.raises(StoreMissingError, match="make setup"):
        assets.check_assets()
    with pytest.raises(NotFoundError, match="make setup"):
        assets.asset_path("leaflet/dist/leaflet.js")


@pytest.mark.parametrize(
    "name",
    [
        "leaflet/package.json",
        "leaflet/dist/images/../../package.json",
        "leaflet/../../assets.py",
        "../assets.py",
        "no-such/package.js",
        "",
    ],
)
def test_other_files_are_not_served(name):
    with pytest.raises(NotFoundError):
        assets.asset_path(name)


@pytest.mark.parametrize("name", ["../assets.py", "/etc/passwd", "nothing.js", ""])
def test_static_files_stay_in_their_folder(name):
    with pytest.raises(NotFoundError):
        assets.static_path(name)


def test_images_of_styles_are_listed():
    css = assets.asset_path("leaflet/dist/leaflet.css").read_text("utf-8")
    for image in re.findall(r"url\((images/[^)]+)\)", css):
        assert assets.asset_path(f"leaflet/dist/{image}").is_file()


def test_inlined_styles_carry_their_images():
    css = assets.inline(assets.asset_url("leaflet/dist/leaflet.css"))
    assert "data:image/png;base64," in css
    assert "url(images" not in css


def test_inlined_scripts_cannot_end_the_page(monkeypatch, tmp_path):
    (tmp_path / "evil.js").write_text('const a = "</script>";')
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    assert "</script" not in assets.inline("/static/evil.js?v=1")


def test_addresses_change_with_the_file(monkeypatch, tmp_path):
    file = tmp_path / "a.js"
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    file.write_text("1")
    first = assets.static_url("a.js")
    file.write_text("2")
    assert first.startswith("/static/a.js?v=")
    assert assets.static_url("a.js") != first


def test_lock_names_no_registry():
    lock = (assets.HOME / "package-lock.json").read_text("utf-8")
    assert '"resolved"' not in lock
