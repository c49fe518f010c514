"""`fetch osm`: an OpenStreetMap extract from the address in the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlsplit

import typer

from api.commands.options import Json, Lang, settings_with
from api.commands.output import number, pick, print_json, print_line, show_progress
from geo.errors import InputError
from layers.fetch import fetch_file

app = typer.Typer(help="下载数据 · Download data")


@app.callback()
def _group() -> None:
    """下载数据 · Download data."""


@app.command()
def osm(
    *,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="地址 · Address")] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", metavar="HEX", help="校验和 · Checksum")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="保存为 · File")
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """下载 OpenStreetMap 数据，可续传 · Download an OpenStreetMap extract; resumes."""
    settings = settings_with(lang=lang)
    address = url or settings.osm_url
    if not address:
        raise InputError(
            "there is no address to fetch from: give --url, or set HATCHMAP_OSM_URL to that of an "
            ".osm.pbf extract; without a network, bring one here and import it: hatchmap import "
            "streets FILE.osm.pbf"
        )
    name = unquote(Path(urlsplit(address).path).name) or "extract.osm.pbf"
    target = output or settings.data / name
    if output is None:
        settings.data.mkdir(parents=True, exist_ok=True)
    # The checksum of the settings belongs to the address of the settings.
    wanted = sha256 or (settings.osm_sha256 if address == settings.osm_url else "")
    with show_progress() as tell:
        report = fetch_file(address, target, sha256=wanted or None, progress=tell)
    if as_json:
        print_json(report)
        return
    size = number(report.size_bytes / 1e6, 1)
    said = (
        f"{report.path}：{size} MB，sha256 {report.sha256}",
        f"{report.path}: {size} MB, sha256 {report.sha256}",
    )
    print_line(pick(said, settings.lang))
    for layer in ("streets", "amenities"):
        print_line(f"  hatchmap import {layer} {report.path}")
