"""`spaces`: search for space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import orjson
import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, NoDemo, Store, read_day, settings_with
from api.commands.output import (
    number,
    pick,
    print_json,
    print_line,
    print_table,
    print_written,
)
from api.params import read_bbox
from api.questions.space_files import write_spaces
from api.questions.space_search import SpaceSearch
from api.questions.spaces import SpacePage, ask_spaces
from api.routes.spaces import read_must, read_place
from geo.errors import InputError
from layers.catalog import layer as find_layer
from web.rows import worded
from web.words import words

_COLUMNS = ("name", "unit", "kind", "area_m2", "rent_cny_m2_month", "status", "available_from")
Several = list[str] | None


def spaces(  # noqa: PLR0913 - options of one command
    *,
    text: Annotated[
        str, typer.Option("--text", metavar="T", help="名称、产业、地址、拼音 · Words or pinyin")
    ] = "",
    kind: Annotated[Several, typer.Option("--kind", metavar="K", help="类型 · Kind")] = None,
    stage: Annotated[Several, typer.Option("--stage", metavar="S", help="阶段 · Stage")] = None,
    industry: Annotated[
        Several, typer.Option("--industry", metavar="I", help="产业 · Industry")
    ] = None,
    unit: Annotated[Several, typer.Option("--unit", metavar="U", help="责任单位 · Unit")] = None,
    town: Annotated[Several, typer.Option("--town", metavar="T", help="镇街 · Town")] = None,
    role: Annotated[
        Several, typer.Option("--role", metavar="R", help="空间结构 · Role in the structure")
    ] = None,
    zone: Annotated[Several, typer.Option("--zone", metavar="Z", help="功能片区 · Zone")] = None,
    incubator: Annotated[
        Several, typer.Option("--incubator", metavar="ID", help="孵化器 · Incubator")
    ] = None,
    level: Annotated[Several, typer.Option("--level", metavar="L", help="级别 · Level")] = None,
    status: Annotated[Several, typer.Option("--status", metavar="S", help="状态 · Status")] = None,
    service: Annotated[
        Several, typer.Option("--service", metavar="S", help="服务（都要有） · All of these")
    ] = None,
    min_area_m2: Annotated[float | None, typer.Option("--min-area", help="最小面积 · m²")] = None,
    max_area_m2: Annotated[float | None, typer.Option("--max-area", help="最大面积 · m²")] = None,
    min_rent: Annotated[
        float | None, typer.Option("--min-rent", help="最低租金 元/㎡/月 · CNY/m²/month")
    ] = None,
    max_rent: Annotated[
        float | None, typer.Option("--max-rent", help="最高租金 元/㎡/月 · CNY/m²/month")
    ] = None,
    min_height_m: Annotated[float | None, typer.Option("--min-height", help="净高 · m")] = None,
    min_load_kn_m2: Annotated[float | None, typer.Option("--min-load", help="荷载 · kN/m²")] = None,
    min_power_kw: Annotated[float | None, typer.Option("--min-power", help="供电 · kW")] = None,
    water: Annotated[bool, typer.Option("--water", help="有给排水 · With water")] = False,
    gas: Annotated[bool, typer.Option("--gas", help="有燃气 · With gas")] = False,
    exhaust: Annotated[bool, typer.Option("--exhaust", help="有排风 · With exhaust")] = False,
    lab_grade: Annotated[
        Several, typer.Option("--lab-grade", metavar="G", help="实验室等级 · Laboratory grade")
    ] = None,
    term_months: Annotated[int | None, typer.Option("--term", help="租期月数 · Months")] = None,
    available_by: Annotated[
        str | None, typer.Option("--available-by", metavar="YYYY-MM-DD", help="入驻日期 · Day")
    ] = None,
    bbox: Annotated[
        str | None, typer.Option("--bbox", metavar="W,S,E,N", help="范围 · A box of degrees")
    ] = None,
    polygon: Annotated[
        Path | None, typer.Option("--polygon", metavar="FILE", help="GeoJSON 多边形 · An area")
    ] = None,
    near: Annotated[
        str | None, typer.Option("--near", metavar="LON,LAT", help="地点 · A place")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option("--minutes", help="步行分钟内 · Walking minutes")
    ] = None,
    radius_m: Annotated[float | None, typer.Option("--radius", help="直线米内 · Metres")] = None,
    must: Annotated[
        Several, typer.Option("--must", metavar="KEY:MIN", help="必有配套 · Amenity within")
    ] = None,
    sort: Annotated[str, typer.Option("--sort", metavar="COLUMN", help="排序 · - falls")] = "id",
    limit: Annotated[int, typer.Option("--limit", metavar="N", help="条数 · At most")] = 50,
    after: Annotated[
        str | None, typer.Option("--after", metavar="NEXT", help="续页 · Go on from a page")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="全部结果存为 .xlsx .geojson .gpkg · The whole"),
    ] = None,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """找空间 · Search for space."""
    settings = settings_with(store=store, lang=lang)
    search = SpaceSearch(
        text=text,
        area_m2=(min_area_m2, max_area_m2),
        rent_cny_m2_month=(min_rent, max_rent),
        clear_height_m=(min_height_m, None),
        floor_load_kn_m2=(min_load_kn_m2, None),
        power_kw=(min_power_kw, None),
        kind=tuple(kind or ()),
        stage=tuple(stage or ()),
        industry=tuple(industry or ()),
        unit=tuple(unit or ()),
        town=tuple(town or ()),
        role=tuple(role or ()),
        zone=tuple(zone or ()),
        incubator=tuple(incubator or ()),
        level=tuple(level or ()),
        status=tuple(status or ()),
        service=tuple(service or ()),
        lab_grade=tuple(lab_grade or ()),
        water=_asked(water),
        gas=_asked(gas),
        exhaust=_asked(exhaust),
        term_months=term_months,
        available_by=read_day(available_by),
        bbox=read_bbox(bbox),
        polygon=_read_polygon(polygon),
        near=read_place(near),
        minutes=minutes,
        radius_m=radius_m,
        must=dict(map(read_must, must or ())),
        sort=sort,
        limit=limit,
        after=after,
        demo=not no_demo,
    )
    with open_store(settings.store_path) as opened:
        if out is not None:
            print_written(write_spaces(opened, search, out), settings.lang, as_json=as_json)
            return
        page = ask_spaces(opened, search)
    if as_json:
        print_json(page)
        return
    _print(page, settings.lang)


def _asked(flag: bool) -> tuple[str, ...]:  # noqa: FBT001 - of an option
    return ("true",) if flag else ()


def _read_polygon(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--polygon {path}: cannot be read; give a GeoJSON file") from error


def _print(page: SpacePage, lang: str) -> None:
    w, declared = words(lang), find_layer("spaces")
    columns = [declared.column(name) for name in _COLUMNS]
    records = [orjson.loads(feature)["properties"] for feature in page.features]
    walked = [("步行(分钟)", "Walk (min)")] if page.minutes is not None else []
    scored = [("生活配套(%)", "Daily life (%)")] if page.scores is not None else []
    print_table(
        [("编号", "Id"), *((column.zh, column.en) for column in columns), *walked, *scored],
        [
            [
                record["id"],
                *(worded(column, record.get(column.name), w) for column in columns),
                *([] if page.minutes is None else [number(page.minutes[row], 1)]),
                *([] if page.scores is None else [number(page.scores[row], 0)]),
            ]
            for row, record in enumerate(records)
        ],
        lang=lang,
    )
    said = (f"{len(records)} / {page.total} 条", f"{len(records)} of {page.total} spaces")
    print_line()
    print_line(pick(said, lang) + (f"; --after {page.next}" if page.next else ""))
    for one in page.relax:
        names = ", ".join(one.filters)
        print_line(
            pick((f"放宽 {names}：{one.count} 条", f"without {names}: {one.count} spaces"), lang)
        )
    for note in page.notes:
        print_line(note[lang])
    if page.demo_counted:
        print_line(f"[{w('site.demo')}] {w('site.demo_title')}")
