"""Output: answers as tables for people or JSON for programs, and progress of what takes long."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from geo.errors import InputError

if TYPE_CHECKING:
    from layers.export import ExportReport

Tell = Callable[[str, float], None]
Heading = tuple[str, str]  # Chinese, English

_PLAIN_WIDTH = 10_000  # in a pipe nothing is folded or cut


class Result(Protocol):
    """A typed result of a question."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""


def print_json(value: Any) -> None:
    """Print plain values, or a result, as one line of JSON, in UTF-8 wherever it goes."""
    plain = value.to_json() if hasattr(value, "to_json") else value
    body = orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS) + b"\n"
    raw = getattr(sys.stdout, "buffer", None)
    if raw is None:
        sys.stdout.write(body.decode())
        return
    sys.stdout.flush()
    raw.write(body)


def print_table(
    headings: Sequence[Heading], rows: Iterable[Sequence[Any]], *, lang: str, title: str = ""
) -> None:
    """Print a table; numbers to the right, in a pipe without folding."""
    cells = [[_text(cell) for cell in row] for row in rows]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title=title or None)
    table.title_justify = "left"
    raw = list(zip(*cells, strict=True)) or [()] * len(headings)
    for heading, column in zip(headings, raw, strict=True):
        numeric = any(column) and all(_is_number(cell) for cell in column)
        table.add_column(
            Text(pick(heading, lang)), justify="right" if numeric else "left", overflow="fold"
        )
    for row in cells:
        # As text, not markup: names may hold anything.
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if console.is_terminal:
        console.print(table)
        return
    drawn = StringIO()
    Console(width=_PLAIN_WIDTH, no_color=True, file=drawn).print(table)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in drawn.getvalue().splitlines()))


def print_line(text: str = "") -> None:
    """Print a line as it is."""
    sys.stdout.write(text + "\n")


def print_written(report: ExportReport, lang: str, *, as_json: bool) -> None:
    """Print what was written to a file, and what its format could not keep."""
    if as_json:
        print_json(report)
        return
    rows = number(report.rows)
    said = (
        f"{report.path}：{rows} 条记录 ({report.format})",
        f"{report.path}: {rows} records ({report.format})",
    )
    print_line(pick(said, lang))
    for note in report.notes:
        print_line(f"! {note}")


def print_note(text: str) -> None:
    """Print a line beside the answer, on the error stream."""
    sys.stderr.write(text + "\n")


def pick(words: Heading, lang: str) -> str:
    """Return the words of a language.

    >>> pick(("镇", "Town"), "en")
    'Town'
    """
    return words[1] if lang == "en" else words[0]


def number(value: Any, digits: int = 0) -> str:
    """Write a number as people read it; a dash where there is none.

    >>> number(21000.4), number(None), number(0.25, 2)
    ('21,000', '—', '0.25')
    """
    return "—" if value is None else f"{value:,.{digits}f}"


def percent(value: float | None) -> str:
    """Write a share as people read it.

    >>> percent(0.5), percent(None)
    ('50.0%', '—')
    """
    return "—" if value is None else f"{value:.1%}"


def mark(value: bool | None) -> str:  # noqa: FBT001 - the value shown
    """Write yes, no or unknown as one sign."""
    return "—" if value is None else ("✓" if value else "✗")


@contextmanager
def show_progress() -> Iterator[Tell]:
    """Show a bar on the error stream while work goes on; nothing where nobody watches.

    Yields
    ------
    callable
        Takes the name of the stage and the share done, 0 to 1.
    """
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _tell_nobody
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("…", total=1.0)
        yield lambda stage, share: bar.update(task, description=stage, completed=share)


def _tell_nobody(stage: str, share: float) -> None:
    del stage, share


def write_whole(path: str | Path, body: str | bytes) -> None:
    """Write a file beside its place, then put it there; never half of it.

    Raises
    ------
    InputError
        When the file cannot be written.
    """
    target = Path(path)
    if target.is_dir():
        raise InputError(f"{target} is a folder; name a file in it")
    try:
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".", suffix=".part")
    except OSError as error:
        raise InputError(f"{target} cannot be written: {error.strerror or error}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(body.encode() if isinstance(body, str) else body)
        Path(draft).chmod(0o666 & ~_umask())
        Path(draft).replace(target)
    except OSError as error:
        Path(draft).unlink(missing_ok=True)
        raise InputError(f"{target} cannot be written: {error.strerror or error}") from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _text(cell: Any) -> str:
    if cell is None or cell == "":
        return "—"
    if isinstance(cell, list | tuple):
        return "、".join(map(str, cell)) or "—"
    return " ".join(str(cell).split())


def _is_number(cell: str) -> bool:
    return cell.strip("—%").replace(",", "").replace(".", "").replace("-", "").isdigit() or (
        cell == "—"
    )
