"""`report`: the plan's questions as one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.commands.opening import open_store
from api.commands.options import Day, Json, Lang, NoDemo, Store, Unit, read_day, settings_with
from api.commands.output import pick, print_json, print_line, show_progress, write_whole
from api.questions.report import ask_report
from geo.errors import InputError
from geo.report import SECTIONS
from web.report.build import FORMATS, write_report

_ASKING = 0.7


def report(  # noqa: PLR0913 - as typer calls it
    file: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="文件 · .pdf .xlsx .html .gpkg")
    ],
    *,
    sections: Annotated[
        str | None,
        typer.Option(metavar="A,B", help=f"章节 · Sections, of {', '.join(SECTIONS)}"),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="公开报告 · Leave out what only staff may see")
    ] = False,
    unit: Unit = None,
    date: Day = None,
    no_demo: NoDemo = False,
    store: Store = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """把各项统计写成一份报告 · Write the figures as one report."""
    settings = settings_with(store=store, lang=lang)
    kind = file.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        endings = ", ".join(f".{name}" for name in FORMATS)
        raise InputError(f"{file}: the ending names no format; give one of {endings}")
    chosen = None if sections is None else [part.strip() for part in sections.split(",")]
    with open_store(settings.store_path) as opened, show_progress() as tell:
        answers = ask_report(
            opened,
            sections=chosen,
            unit=unit,
            as_of=read_day(date),
            demo=not no_demo,
            staff=not public,
            progress=lambda stage, share: tell(stage, _ASKING * share),
        )
        body = write_report(
            answers,
            kind,
            lang=settings.lang,
            review=settings.review_number,
            progress=lambda stage, share: tell(stage, _ASKING + (1 - _ASKING) * share),
        )
        write_whole(file, body)
    if as_json:
        print_json(
            {
                "path": str(file),
                "size_bytes": len(body),
                "as_of": answers.as_of,
                "sections": list(answers.results),
                "demo_counted": answers.demo_counted,
            }
        )
        return
    print_line(pick((f"已写入 {file}", f"Written to {file}"), settings.lang))
