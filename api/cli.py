"""The command `hatchmap`: which commands there are, and how every error becomes one line.

A command's module is imported when it is called, so that help and mistakes answer at once.
Exit codes: 0 done, 1 a check found errors, 2 wrong input, 70 a fault of the program.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

OK, FOUND, WRONG_INPUT, PROGRAM_FAULT, INTERRUPTED, PIPE_CLOSED = 0, 1, 2, 70, 130, 141


class Entry(NamedTuple):
    """A command: its name, where it is, and what it does."""

    name: str
    target: str
    what: str
    panel: str


_RUN, _ASK, _DATA = "运行 · Run", "提问 · Ask", "数据 · Data"
ENTRIES = (
    Entry("serve", "serving:serve", "启动地图网站 · Serve the map", _RUN),
    Entry("init", "setting_up:init", "新建数据库 · Make a store", _RUN),
    Entry("jobs", "jobs:app", "长任务 · Long work: list, cancel", _RUN),
    Entry("settings", "serving:settings", "列出设置 · List the settings", _RUN),
    Entry("coverage", "coverage:app", "一镇一器、一产一器、各单位 · Coverage", _ASK),
    Entry("amenities", "amenities:amenities", "15分钟圈配套 · 15-minute tests", _ASK),
    Entry("gaps", "amenities:gaps", "配套缺口与补点 · What is missing in walking reach", _ASK),
    Entry("reach", "reach:reach", "某点步行可达范围 · Walking reach of a place", _ASK),
    Entry("structure", "structure:structure", "空间结构 · Sums by role and zone", _ASK),
    Entry("targets", "targets:targets", "目标进度 · Targets and progress", _ASK),
    Entry("siting", "siting:app", "选址与逐年方案 · Where new space should go", _ASK),
    Entry("scenario", "scenario:app", "情景：试算、比较、采纳 · Scenarios over the layers", _ASK),
    Entry("incubators", "incubators:incubators", "孵化器列表 · List incubators", _ASK),
    Entry("spaces", "spaces:spaces", "找空间 · Search for space", _ASK),
    Entry("demands", "demands:app", "空间需求：列出、发布 · Needs for space", _ASK),
    Entry("match", "match:match", "供需匹配 · Match demands and spaces", _ASK),
    Entry("shortage", "shortage:shortage", "空间缺口 · Where space is lacking", _ASK),
    Entry("deals", "deals:app", "对接 · Deals, from proposal to signing", _ASK),
    Entry("check", "checking:check", "核对数据 · Check the data", _ASK),
    Entry("report", "report:report", "报告文件 · Write the figures as a report", _ASK),
    Entry("map", "mapping:draw_map", "离线地图 · Write the map to one file", _ASK),
    Entry("layers", "listing:layers", "图层与字段 · List layers and columns", _DATA),
    Entry("import", "importing:import_layer", "导入文件 · Import a file", _DATA),
    Entry("export", "exporting:export", "导出图层 · Export a layer", _DATA),
    Entry("template", "template:template", "录入模板 · Write an XLSX to fill in", _DATA),
    Entry("history", "history:history", "修改历史 · List what was changed", _DATA),
    Entry("undo", "history:undo", "撤销一批修改 · Take back one batch", _DATA),
    Entry("fetch", "fetching:app", "下载数据 · Download data", _DATA),
    Entry("demo", "demo:app", "示例数据 · Demo data", _DATA),
    Entry("backup", "keeping:backup", "备份 · Copy the store", _DATA),
    Entry("restore", "keeping:restore", "恢复 · Put a copy in the store's place", _DATA),
)


# Commands that can ask a scenario.
_ASKING = frozenset({e.name for e in ENTRIES if e.panel == _ASK} - {"scenario"} | {"export"})


class _Later(TyperCommand):
    """A command whose module is imported when it is called."""

    def __init__(self, entry: Entry) -> None:
        super().__init__(
            name=entry.name,
            help=entry.what,
            rich_help_panel=entry.panel,
        )
        self._entry = entry

    def make_context(
        self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any
    ) -> Any:
        """Begin the real command."""
        return _load(self._entry).make_context(info_name, args, parent, **extra)


def _load(entry: Entry) -> Any:
    """Return the command of an entry: a group of the module, or one of its functions."""
    module, _, name = entry.target.partition(":")
    found = getattr(import_module(f"api.commands.{module}"), name)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)
    else:
        app = typer.Typer(add_completion=False)
        # A number below zero is an argument, not an option.
        app.command(context_settings={"ignore_unknown_options": entry.name == "reach"})(found)
        command = typer.main.get_command(app)
    command.name, command.help = entry.name, command.help or entry.what
    return command


def _print_version(asked: bool) -> None:  # noqa: FBT001 - as typer calls it
    if asked:
        sys.stdout.write(f"hatchmap {version('hatchmap')}\n")
        raise typer.Exit


def _root(
    context: typer.Context,
    store: Annotated[
        str | None, typer.Option("--store", metavar="PATH", help="数据库文件 · The store")
    ] = None,
    lang: Annotated[
        str | None, typer.Option("--lang", metavar="zh|en", help="语言 · Language")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="NAME", help="按此情景回答 · Ask a scenario instead"),
    ] = None,
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", help="版本 · Version", is_eager=True, callback=_print_version),
    ] = False,
) -> None:
    """Hatchmap 孵化空间数字地图: a planning tool and public map of startup-incubator space."""
    # Imported here: it costs time that `--help` need not spend.
    from api.commands.options import GIVEN, SCENARIO, scenario_refused  # noqa: PLC0415

    if scenario is not None and context.invoked_subcommand not in _ASKING:
        raise scenario_refused()
    SCENARIO.set(scenario)
    given = {"store": store, "lang": lang}
    GIVEN.set({key: value for key, value in given.items() if value is not None})


@cache
def make_command() -> Any:
    """Return the whole command."""
    app = typer.Typer(cls=TyperGroup, add_completion=False, rich_markup_mode="rich")
    app.callback()(_root)
    group = typer.main.get_group(app)
    for entry in ENTRIES:
        group.add_command(_Later(entry))
    return group


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command.

    Parameters
    ----------
    arguments
        What was typed after the command's name; those of the process where not given.

    Returns
    -------
    int
        The exit code.
    """
    typed = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        # A terminal of another encoding shows what it can.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        code = _run(typed or ["--help"])
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has gone: nothing more to say, nor at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except KeyboardInterrupt:
        return _fail("interrupted; nothing half-done was kept", INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback for users
        return _explain(error)
    return code


def _run(typed: list[str]) -> int:
    command = make_command()
    try:
        with command.make_context("hatchmap", typed) as context:
            command.invoke(context)
    except typer.Exit as end:
        return end.exit_code
    return OK


def _explain(error: Exception) -> int:
    """Say in one line what went wrong, and return the exit code."""
    # Imported here: the error classes are needed only now.
    from geo.errors import CancelledError, HatchmapError  # noqa: PLC0415

    if os.environ.get("HATCHMAP_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, TyperException):
        return _fail(_usage(error), WRONG_INPUT)
    if isinstance(error, CancelledError):
        return _fail(str(error), INTERRUPTED)
    if isinstance(error, HatchmapError):
        return _fail(str(error), WRONG_INPUT, getattr(error, "faults", ()))
    if isinstance(error, OSError) and error.filename is not None:
        return _fail(f"{error.filename}: {error.strerror}", WRONG_INPUT)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EIO):
        return _fail(f"the answer cannot be written: {error.strerror}", WRONG_INPUT)
    what = f"{type(error).__name__}: {error}"
    return _fail(f"a fault of the program: {what} (HATCHMAP_DEBUG=1 shows where)", PROGRAM_FAULT)


def _usage(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if context is not None else "hatchmap"
    # What pydantic, which reads the values for typer, says of one does not repeat it.
    told: list[Any] = getattr(error.__cause__, "errors", list)()
    value = f" ({told[0]['input']!r})" if told else ""
    return f"{error.format_message().rstrip('.')}{value}; see {path} --help"


def _fail(message: str, code: int, faults: Sequence[Any] = ()) -> int:
    # Imported here: only what fails has something to say.
    from api.commands.options import typed_lang  # noqa: PLC0415
    from web.messages import say_all  # noqa: PLC0415

    line = say_all(" ".join(message.split()), faults, typed_lang())
    sys.stderr.write(f"hatchmap: {line}\n")
    return code
