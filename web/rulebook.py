"""The pages of rules: those in force, and one as text with its versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from web.frame import PageFrame, render
from web.history import batch_row
from web.messages import say, say_fault
from web.rows import Result


@dataclass(frozen=True)
class RuleEdit:
    """An edit of a rule under way.

    Attributes
    ----------
    text
        As edited; None for the rule in force.
    why
        The note for the history.
    version
        The version that was edited; 0 for the one in force.
    faults, conflict
        What stands against it.
    change
        What it changes, line by line.
    previewed
        Whether the change is shown to be confirmed.
    restored
        The older version that the text is of; 0 for none.
    said
        What has just been done, as a key of the words under `rule`.
    """

    text: str | None = None
    why: str = ""
    version: int = 0
    faults: Sequence[Any] = ()
    conflict: str = ""
    change: tuple[tuple[str, str], ...] = ()
    previewed: bool = False
    restored: int = 0
    said: str = ""


def rules_page(rules: Sequence[Result], *, frame: PageFrame) -> str:
    """Draw the rules in force.

    Parameters
    ----------
    rules
        Each with `name`, `version`, `source`, `clause`, `at`, `who`.
    frame
        What the frame says.
    """
    w = frame.words
    rows = [
        {**rule, "label": w.get(f"rules.name_{rule['name']}", rule["name"]),
         "at": str(rule["at"])[:16].replace("T", " ")}
        for rule in rules
    ]  # fmt: skip
    return render("rules.html", frame=frame, page="rules", rules=rows)


def rule_page(sheet: Any, edit: RuleEdit, *, frame: PageFrame) -> str:
    """Draw one rule to be edited.

    Parameters
    ----------
    sheet
        The rule in force, as the question answers.
    edit
        The edit under way.
    frame
        What the frame says.
    """
    w = frame.words
    return render(
        "rule.html",
        frame=frame,
        page="rule",
        sheet=sheet,
        label=w.get(f"rules.name_{sheet.name}", sheet.name),
        edit=edit,
        text=sheet.text if edit.text is None else edit.text,
        version=edit.version if edit.previewed else sheet.version,
        conflict=say(edit.conflict, w.lang),
        faults=[say_fault(fault, w.lang) for fault in edit.faults],
        versions=[
            {
                "version": one.version,
                "who": one.who,
                "note": one.note,
                "at": batch_row({"at": one.at, "layer": ""}, w)["at"],
            }
            for one in sheet.versions
        ],
    )
