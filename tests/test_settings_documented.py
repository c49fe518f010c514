"""The administrators' page tells every setting as declared; the docs tell every command."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.cli import ENTRIES, make_command
from api.settings import list_settings

ROOT = Path(__file__).resolve().parent.parent
ADMINISTRATORS = (ROOT / "docs/administrators.md").read_text("utf-8")
DOCS = "\n".join(path.read_text("utf-8") for path in sorted(ROOT.glob("docs/*.md")))


def _documented() -> dict[str, list[str]]:
    """Cells of the settings table by variable."""
    lines = re.findall(r"^\| `(HATCHMAP_\w+)` \|(.*)\|$", ADMINISTRATORS, re.MULTILINE)
    return {variable: [cell.strip() for cell in rest.split("|")] for variable, rest in lines}


def _commands() -> Iterator[tuple[str, Any]]:
    """Every command as it is typed, with the real one behind it."""
    with make_command().make_context("hatchmap", ["settings"]) as context:
        for entry in ENTRIES:
            command = _real(entry.name, context)
            parts = getattr(command, "commands", None)
            # The longer first: a command may also stand alone before its parts.
            yield from ((f"{entry.name} {name}", part) for name, part in (parts or {}).items())
            if parts is None or command.invoke_without_command:
                yield entry.name, command


def _real(name: str, context: Any) -> Any:
    """Return the command behind a name: its module is imported when it is called."""
    return context.command.commands[name].make_context(name, [], resilient_parsing=True).command


COMMANDS = list(_commands())


@pytest.mark.parametrize("row", list(list_settings()), ids=lambda row: row.variable)
def test_setting_is_documented_as_declared(row):
    default, what, *_ = _documented().get(row.variable, ["", ""])
    assert (default.strip("`"), what) == (row.default, row.what)


def test_no_setting_is_documented_that_there_is_not():
    assert list(_documented()) == [row.variable for row in list_settings()]


@pytest.mark.parametrize("name", [name for name, _ in COMMANDS])
def test_command_is_documented(name):
    assert re.search(rf"hatchmap (--\S+ \S+ )*{name}\b", DOCS), f"no page shows `hatchmap {name}`"


def test_documented_options_exist():
    known = {name: {flag for item in real.params for flag in item.opts} for name, real in COMMANDS}
    for typed in re.findall(r"^(?:\S+=\S+ |\.venv/bin/)*hatchmap ([a-z].*)$", DOCS, re.MULTILINE):
        name = next((name for name in known if f"{typed} ".startswith(f"{name} ")), None)
        assert name, f"`hatchmap {typed}` is no command"
        wrong = set(re.findall(r"(?<= )--?[a-z][a-z0-9-]*", typed)) - known[name]
        assert not wrong, f"`hatchmap {typed}`: {sorted(wrong)}"
