"""Eligibility: rules that are data, judged pass, fail or not known, each with its reason.

What is not known is kept apart from what is not met: a missing fact never turns anyone away, and
never lets anyone claim that a rule is met.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from geo.errors import InputError

Outcome = Literal["pass", "fail", "unknown"]

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "ge": operator.ge,
    "gt": operator.gt,
    "le": operator.le,
    "lt": operator.lt,
    "eq": operator.eq,
    "is": lambda found, wanted: bool(found) is bool(wanted),
    "in": lambda found, wanted: found in wanted,
}


@dataclass(frozen=True)
class Reason:
    """One condition: what it asks, what was found, and whether that will do."""

    fact: str
    outcome: Outcome
    zh: str
    en: str
    value: Any = None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "fact": self.fact,
            "outcome": self.outcome,
            "zh": self.zh,
            "en": self.en,
            "value": self.value,
        }


@dataclass(frozen=True)
class Verdict:
    """What a rule says of someone's facts.

    Parameters
    ----------
    rule
        Its key.
    outcome
        Whether it is met.
    zh, en
        Its name.
    clause
        Where it is written.
    gate
        Whether one must meet it; the others are classes that one may belong to.
    reasons
        Its conditions one by one.
    """

    rule: str
    outcome: Outcome
    zh: str
    en: str
    clause: str
    gate: bool
    reasons: tuple[Reason, ...]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "rule": self.rule,
            "outcome": self.outcome,
            "zh": self.zh,
            "en": self.en,
            "clause": self.clause,
            "gate": self.gate,
            "reasons": [reason.to_json() for reason in self.reasons],
        }


def judge(
    rules: Sequence[Mapping[str, Any]], facts: Mapping[str, Any] | None, *, subject: str
) -> tuple[Verdict, ...]:
    """Judge facts by every rule about a subject.

    Parameters
    ----------
    rules
        The rules `eligibility`: `key`, `subject`, `all`, `any` with `any_min`, `requires`.
    facts
        What is known, by name.
    subject
        Whose facts they are.

    Returns
    -------
    tuple of Verdict
        In the order of the rules.

    Raises
    ------
    InputError
        When a rule asks in a way that is not known, or requires itself.

    Examples
    --------
    >>> rule = {"key": "young", "subject": "demand", "zh": "初创", "en": "Young", "clause": "一",
    ...     "all": [{"fact": "years", "op": "le", "value": 5, "zh": "5年内", "en": "5 years"}]}
    >>> cases = ({"years": 3}, {"years": 9}, {})
    >>> found = [judge([rule], facts, subject="demand") for facts in cases]
    >>> [verdicts[0].outcome for verdicts in found]
    ['pass', 'fail', 'unknown']
    """
    by_key = {rule["key"]: rule for rule in rules if rule.get("subject") == subject}
    known = dict(facts or {})
    return tuple(
        Verdict(
            rule=key,
            outcome=_settle(key, by_key, known, ()),
            zh=str(rule.get("zh", key)),
            en=str(rule.get("en", key)),
            clause=str(rule.get("clause", "")),
            gate=not rule.get("requires"),
            reasons=tuple(
                _reason(condition, known)
                for condition in (*rule.get("all", ()), *rule.get("any", ()))
            ),
        )
        for key, rule in by_key.items()
    )


def admits(verdicts: Sequence[Verdict]) -> Outcome:
    """Tell whether someone is let in: every gate met, one failed, or not known.

    >>> admits([])
    'pass'
    """
    return _all([verdict.outcome for verdict in verdicts if verdict.gate])


def _settle(
    key: str,
    rules: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Any],
    asked: tuple[str, ...],
) -> Outcome:
    if key in asked:
        raise InputError(f"eligibility rule {key!r} requires itself: {' → '.join((*asked, key))}")
    if key not in rules:
        raise InputError(f"eligibility rule {asked[-1]!r} requires {key!r}, which does not exist")
    rule = rules[key]
    parts = [_settle(other, rules, facts, (*asked, key)) for other in rule.get("requires", ())]
    parts += [_reason(condition, facts).outcome for condition in rule.get("all", ())]
    some = [_reason(condition, facts).outcome for condition in rule.get("any", ())]
    if some:
        parts.append(_some(some, int(rule.get("any_min", 1))))
    return _all(parts)


def _all(outcomes: Sequence[Outcome]) -> Outcome:
    if "fail" in outcomes:
        return "fail"
    return "unknown" if "unknown" in outcomes else "pass"


def _some(outcomes: Sequence[Outcome], least: int) -> Outcome:
    met = outcomes.count("pass")
    if met >= least:
        return "pass"
    return "unknown" if met + outcomes.count("unknown") >= least else "fail"


def _reason(condition: Mapping[str, Any], facts: Mapping[str, Any]) -> Reason:
    fact, op = str(condition["fact"]), str(condition["op"])
    if op not in _COMPARE:
        raise InputError(f"eligibility: op {op!r} is not known; give one of {', '.join(_COMPARE)}")
    found = facts.get(fact)
    outcome: Outcome
    try:
        met = None if found is None else _COMPARE[op](found, condition["value"])
    except TypeError:
        met = None  # a fact of another kind says nothing
    outcome = "unknown" if met is None else ("pass" if met else "fail")
    return Reason(
        fact, outcome, str(condition.get("zh", fact)), str(condition.get("en", fact)), found
    )
