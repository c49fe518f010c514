"""`reach`: where one gets on foot from a place."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, Profile, Store, settings_with
from api.commands.output import (
    number,
    pick,
    print_json,
    print_line,
    print_table,
    show_progress,
    write_whole,
)
from api.questions.reach import ask_reach
from geo.errors import InputError
from web.words import words


def reach(
    lon: Annotated[float, typer.Argument(help="经度 WGS-84 · Longitude, degrees")],
    lat: Annotated[float, typer.Argument(help="纬度 · Latitude")],
    *,
    minutes: Annotated[
        str, typer.Option("--minutes", metavar="5,10,15", help="分钟 · Walking minutes")
    ] = "5,10,15",
    profile: Profile = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE.geojson", help="写入 · File")
    ] = None,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """某点步行可达范围及其中配套 · Walking reach of a place, and what lies in it."""
    settings = settings_with(store=store, lang=lang)
    limits = read_minutes(minutes)
    with open_store(settings.store_path) as opened, show_progress() as tell:
        tell("walking", 0.0)
        answer = ask_reach(opened, lon, lat, minutes=limits, profile=profile)
        categories = opened.rules("amenities").body["categories"]
    result = answer.to_json()
    if output is not None:
        write_whole(output, orjson.dumps(result).decode())
    if as_json:
        print_json(result)
        return
    w = words(settings.lang)
    keys = list(answer.zones[0].amenities) if answer.zones else []
    labels = {c["key"]: w.pick(c) for c in categories}
    print_table(
        [("分钟", "Minutes"), ("面积(㎡)", "Area (m²)"), ("人口", "People")]
        + [(labels.get(key, key), labels.get(key, key)) for key in keys],
        [
            [f"{zone.minutes:g}", number(zone.area_m2), number(zone.population)]
            + [number(zone.amenities[key]) for key in keys]
            for zone in answer.zones
        ],
        lang=settings.lang,
    )
    snap = "—" if answer.snap_m is None else f"{answer.snap_m:.0f} m"
    said = (
        f"{answer.profile}，{answer.speed_km_h:g} km/h；到路网 {snap}",
        f"{answer.profile}, {answer.speed_km_h:g} km/h; to the street {snap}",
    )
    print_line(pick(said, settings.lang))
    for warned in result["warnings"]:
        print_line(f"! {w.pick(warned)}")
    if answer.demo_counted:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")


def read_minutes(text: str) -> tuple[float, ...]:
    """Read walking limits.

    >>> read_minutes("5, 10")
    (5.0, 10.0)
    """
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise InputError(f"--minutes: {text!r} are not numbers; give such as 5,10,15") from error
