"""Running the command in this process, as if it had been typed."""

import contextlib
import io
from dataclasses import dataclass

import orjson

from api.cli import main


@dataclass(frozen=True)
class Answer:
    """What a run of the command left."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return orjson.loads(self.out)


def run(*typed):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main([str(word) for word in typed])
    return Answer(code, out.getvalue(), err.getvalue())


def assert_refused(answer, *words, code=2):
    """Hold a refusal to one clear line."""
    assert answer.code == code, answer
    assert answer.err.count("\n") == 1, answer.err
    assert answer.err.startswith("hatchmap: ")
    assert "Traceback" not in answer.err
    for word in words:
        assert word in answer.err
