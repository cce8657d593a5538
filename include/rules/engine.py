"""Judge one subject by one rule: applies → exceptions → needs → function → sentence.

Nothing here reads a clock, a database or Airflow: equal facts, parameters and day give an equal verdict, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any

import orjson

from include.errors import RuleCrashed
from include.rules.exceptions import EXCEPTIONS, Excepted
from include.rules.parameters import ParameterBook, Parameters
from include.rules.rule import Facts, Judgement, Rule
from include.rules.verdict import Fact, Outcome, Verdict

MISSING = "evidence_missing"
CONFLICT = "exceptions_conflict"
NOT_SUBJECT = "does_not_apply"


class Bench:
    """The rules of one day: parameters looked up and versions made once, for any number of subjects."""

    def __init__(self, book: ParameterBook, on: date) -> None:
        self.on = on
        self.parameters = book.on(on)
        self._made: dict[str, tuple[dict[str, Any], str]] = {}

    def judge(self, rule: Rule, facts: Mapping[str, Fact], occurrence: str = "") -> Verdict:
        """Return the verdict of a rule on a subject; raise `RuleCrashed` where its function breaks."""
        seen = Facts(facts)
        try:
            judgement = _decide(rule, seen, self.parameters, self.on)
            message = _message(rule, judgement, facts)
        except Exception as error:
            subject = facts[f"{rule.subject}_code"].value if f"{rule.subject}_code" in facts else "?"
            raise RuleCrashed(
                f"rule {rule.id} broke on {rule.subject} {subject}: {type(error).__name__}: {error}"
            ) from error
        used = {name: seen.used[name] for name in sorted(seen.used)}
        parameters, version = self._of(rule)
        inputs = orjson.dumps([used, version, self.on], option=orjson.OPT_SORT_KEYS)
        return Verdict(
            rule.id, rule.subject, facts[f"{rule.subject}_code"].value, occurrence, judgement.outcome, judgement.reason,
            message, judgement.steps, used, parameters, rule.article.id, rule.severity.get(judgement.outcome.value), version,
            self.on, judgement.holds_until, hashlib.blake2b(inputs, digest_size=16).hexdigest(),
        )  # fmt: skip

    def _of(self, rule: Rule) -> tuple[dict[str, Any], str]:
        """Return the parameters of a rule and its version: card, code and the day's parameter values."""
        if rule.id not in self._made:
            used = self.parameters.used(rule.parameters)
            text = orjson.dumps([rule.digest, used], option=orjson.OPT_SORT_KEYS)
            self._made[rule.id] = used, hashlib.blake2b(text, digest_size=8).hexdigest()
        return self._made[rule.id]


def judge(rule: Rule, facts: Mapping[str, Fact], book: ParameterBook, on: date) -> Verdict:
    """Judge one subject by one rule; many subjects of a day are judged faster by one `Bench`."""
    return Bench(book, on).judge(rule, facts)


def _decide(rule: Rule, facts: Facts, parameters: Parameters, on: date) -> Judgement:
    unknown_scope = []
    for name, values in rule.applies.items():
        value = getattr(facts, name)
        if value is None:
            unknown_scope.append(name)
        elif value not in values:
            return Judgement(
                Outcome.NOT_APPLICABLE, NOT_SUBJECT, (f"{rule.needs.get(name, name)}为“{shown(value)}”,本规则不适用",)
            )
    excepted = [e for name in rule.exceptions if (e := EXCEPTIONS[name](facts, parameters, on))]
    settled = _except(excepted)
    if settled:
        return settled
    notes = tuple(step for e in excepted for step in e.steps)
    missing = [
        *unknown_scope,
        *(name for name in rule.needs if name not in unknown_scope and getattr(facts, name) is None),
    ]
    if missing:
        return _unknown(rule, missing, notes)
    judgement = rule.function(facts, parameters, on)
    if judgement.outcome is Outcome.UNKNOWN and judgement.reason == MISSING:
        lacking = [name for name in rule.weighs if name in facts.missing]
        return _unknown(rule, lacking, (*notes, *judgement.steps), judgement.figures)
    if notes:
        return Judgement(
            judgement.outcome, judgement.reason, (*notes, *judgement.steps), judgement.figures, judgement.holds_until
        )
    return judgement


def _except(excepted: list[Excepted]) -> Judgement | None:
    """Return what the exceptions that apply decide together; two that disagree decide nothing."""
    applying = [e for e in excepted if e.outcome is not None]
    if not applying:
        return None
    steps = tuple(step for e in applying for step in e.steps)
    if len({e.outcome for e in applying}) > 1:
        return Judgement(Outcome.UNKNOWN, CONFLICT, steps)
    first = applying[0]
    ends = [e.until for e in applying]
    until = None if None in ends else max(e for e in ends if e)
    return Judgement(first.outcome or Outcome.UNKNOWN, first.reason, steps, first.figures, until)


def _unknown(
    rule: Rule, missing: list[str], steps: tuple[str, ...], figures: Mapping[str, Any] | None = None
) -> Judgement:
    titles = {**rule.needs, **rule.weighs}
    named = "、".join(titles.get(name, name) for name in missing) or "足够的观测日"
    return Judgement(Outcome.UNKNOWN, MISSING, (*steps, f"缺少:{named}"), {**(figures or {}), "missing": named})


_GENERAL = {
    MISSING: "“{name}”证据不足,不能判定:缺少{missing}",
    CONFLICT: "“{name}”适用的例外相互矛盾,不能判定,请核实",
    NOT_SUBJECT: "“{name}”不属本规则适用范围",
}


def _message(rule: Rule, judgement: Judgement, facts: Mapping[str, Fact]) -> str:
    template = rule.messages.get(judgement.reason) or _GENERAL.get(judgement.reason)
    if template is None:
        raise KeyError(f"the card has no sentence for the reason {judgement.reason!r}")
    subject = facts[f"{rule.subject}_code"].value
    name = facts["name"].value if "name" in facts else subject
    return template.format_map({"name": name, "code": subject, **judgement.figures})


def shown(value: Any) -> str:
    """Return a value as people read it."""
    return {"in_use": "在用", "trial": "试运行", "building": "在建", "stopped": "停用"}.get(str(value), str(value))
