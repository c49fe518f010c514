"""`check`: what in the data contradicts itself, the map or the plan."""

from __future__ import annotations

import typer

from api.commands.opening import open_store
from api.commands.options import Json, Lang, Store, settings_with
from api.commands.output import pick, print_json, print_line, print_table, show_progress
from api.questions.check import ask_check

_FOUND = 1  # the exit code that tells of errors
_MOST_IDS = 3
_LEVELS = {"error": ("错误", "error"), "warning": ("警告", "warning"), "info": ("提示", "info")}


def check(*, store: Store = None, lang: Lang = None, as_json: Json = False) -> None:
    """核对数据；有错误时退出码为 1 · Check the data; exit code 1 when there are errors."""
    settings = settings_with(store=store, lang=lang)
    with open_store(settings.store_path) as opened, show_progress() as tell:
        tell("checking", 0.0)
        report = ask_check(opened)
    if as_json:
        print_json(report)
    else:
        print_table(
            [
                ("级别", "Level"),
                ("核对", "Check"),
                ("图层", "Layer"),
                ("说明", "Detail"),
                ("记录", "Records"),
            ],
            [
                [
                    pick(_LEVELS[one.level], settings.lang),
                    one.name,
                    one.layer,
                    pick((one.detail_zh, one.detail_en), settings.lang),
                    _ids(one.ids),
                ]
                for one in report.findings
            ],
            lang=settings.lang,
        )
        counts = ", ".join(
            f"{pick(words, settings.lang)} {sum(one.level == level for one in report.findings)}"
            for level, words in _LEVELS.items()
        )
        print_line(f"\n{counts}")
    if not report.ok:
        raise typer.Exit(_FOUND)


def _ids(ids: tuple[str, ...]) -> str:
    more = f" +{len(ids) - _MOST_IDS}" if len(ids) > _MOST_IDS else ""
    return ", ".join(ids[:_MOST_IDS]) + more
