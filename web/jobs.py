"""The staff's page of jobs: what is under way, how far, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from web.frame import PageFrame, render
from web.words import Words

KINDS = ("siting", "match", "compare", "report")
_SAID = (
    "stop", "stopping", "remove", "result", "cleaned", "failed", "accepted", "running",
    "successful", "failed_state", "dismissed", *KINDS,
)  # fmt: skip


# What a job was asked, by kind: the inputs that tell it from others, in their order.
_MAIN = {
    "siting": ("model", "p", "minutes", "demand", "source", "unit", "from_year", "demo"),
    "match": ("mode", "demand", "space", "declined", "demo"),
    "compare": ("names",),
    "report": ("format", "sections", "unit", "date", "lang", "demo"),
}
_CHOICES = ("model", "mode", "source", "lang")
_ONLY_OF_COVER = ("p", "minutes", "demand")


def asked_text(kind: str, inputs: Mapping[str, Any], w: Words) -> str:
    """Return what a job was asked: the question and its main inputs, in words.

    >>> from web.words import words
    >>> asked_text("report", {"format": "pdf", "sections": ["towns"], "unit": "东区",
    ...                       "date": "2026-11-26", "lang": "zh", "demo": False}, words("zh"))
    'PDF；一镇一器；东区；2026-11-26；中文；不计示例'
    >>> asked_text("siting", {"model": "cover", "p": 3, "minutes": 15.0}, words("en"))
    'A given number of sites, where they serve most; sites 3; 15 minutes on foot'
    """
    said = []
    for name in _MAIN.get(kind, ()):
        value = inputs.get(name)
        if kind == "siting" and name in _ONLY_OF_COVER and inputs.get("model") != "cover":
            continue
        if text := _input_text(kind, name, value, w):
            said.append(text)
    if scenario := inputs.get("_scenario"):
        said.append(w("jobs.of_scenario", scenario=scenario))
    return ("；" if w.lang == "zh" else "; ").join(said)


def _input_text(kind: str, name: str, value: Any, w: Words) -> str:
    """Return one input in words; empty where it is not given or as usual."""
    if name == "demo":
        return w("jobs.no_demo") if value is False else ""
    if name == "mode":
        value = value or "best"
    if value in (None, "", [], False, "auto"):
        return ""
    text = str(value)
    comma = "、" if w.lang == "zh" else ", "
    if name == "sections":
        text = comma.join(w.get(f"report.{one}", str(one)) for one in value)
    elif name == "names":
        text = comma.join(one or w("jobs.as_it_is") for one in value)
    elif name == "format":
        text = text.upper()
    elif name in _CHOICES:
        text = w.get(f"jobs.{name}_{value}", text)
    elif name == "demand" and kind == "siting":
        text = w.get(f"siting.demand_{value}", text)
    elif name not in ("unit", "date"):
        text = w(f"jobs.input_{name}", value=f"{value:g}" if isinstance(value, float) else value)
    return text


def jobs_page(jobs: Sequence[Mapping[str, Any]], *, frame: PageFrame) -> str:
    """Draw the page; its script draws the rows, and again as they change.

    Parameters
    ----------
    jobs
        The status of every job, with what it was asked in words (`asked`).
    frame
        What the frame says.
    """
    config = {
        "lang": frame.lang,
        "jobs": list(jobs),
        "words": {key: frame.words(f"jobs.{key}", count="{count}") if key == "cleaned"
                  else frame.words(f"jobs.{key}") for key in _SAID},
    }  # fmt: skip
    return render("jobs.html", frame=frame, page="jobs", config=config)
