"""Every message that the program raises has its Chinese, with the same values."""

import ast
import re
from pathlib import Path

import pytest

from geo.errors import Fault
from web.messages import read_messages, say, say_fault

ROOT = Path(__file__).resolve().parents[2]
# Who tells people what is wrong: the errors and faults, and the function that answers problems.
TELLERS = re.compile(r"(Input|NotFound|Cancelled|Store\w*)Error|\w*Fault|CellError|answer_problem")
# What stands in a variable before it is told.
NAMES = {"what", "fix", "why", "hint", "doubt"}


def templates(node):
    """Yield the texts of an expression with `{0}`, `{1}`, … where a value stands."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr(values=pieces):
            number = iter(range(len(pieces)))
            yield "".join(
                piece.value if isinstance(piece, ast.Constant) else f"{{{next(number)}}}"
                for piece in pieces
            )
        case ast.IfExp(body=body, orelse=other):
            yield from templates(body)
            yield from templates(other)


def raised():
    """Return every message of the sources, and where it stands."""
    found = {}
    for room in ("geo", "layers", "web", "api"):
        for path in sorted((ROOT / room).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                said = []
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    if TELLERS.fullmatch(name):
                        said = [*node.args, *(keyword.value for keyword in node.keywords)]
                elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in NAMES:
                    said = [node.value]
                for expression in said:
                    for text in templates(expression):
                        if " " in text.strip() and re.search("[a-z]{2}", text):
                            found[text] = path.relative_to(ROOT).as_posix()
    return found


def test_every_message_has_its_chinese():
    known = set(read_messages())
    missing = {text: where for text, where in raised().items() if text not in known}
    assert missing == {}, "add them to a file of web/words/messages/"


@pytest.mark.parametrize(("english", "chinese"), sorted(read_messages().items()))
def test_chinese_keeps_the_values(english, chinese):
    slots = re.compile(r"\{\d\}")
    assert sorted(slots.findall(chinese)) == sorted(slots.findall(english))
    values = [f"v{number}" for number in range(len(slots.findall(english)))]
    told = say(slots.sub(lambda slot: values[int(slot[0][1])], english), "zh")
    assert all(value in told for value in values)
    assert told != english


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (
            "row 3, area_m2: is below 0 (-5.0); give 0 to 100",
            "第3行，area_m2：小于0（-5.0）；请给0到100",
        ),
        (
            "layer spaces: row 1, kind: is missing (+2)",
            "图层spaces：第1行，kind：缺失",
        ),
        ("something else that nobody foresaw", "something else that nobody foresaw"),
        ("", ""),
    ],
)
def test_parts_are_told_each_for_itself(message, told):
    assert say(message, "zh").startswith(told)
    assert say(message, "en") == message


def test_hostile_text_stays_as_it_is():
    long = "x: " * 5_000
    assert say(long, "zh") == long
    fault = say_fault(Fault("row 1", "is no <b>{0}</b>", "<script>", "give {1}"), "zh")
    assert fault.value == "<script>"
    assert "<b>{0}</b>" in fault.what
