"""A rule: a checked card and the pure function of the same id.

Functions are registered by `@law("rule-id")` in `include/rules/law/`, whose files are ordered as the law's chapters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from include.rules.parameters import Parameters
from include.rules.records import Part
from include.rules.verdict import Fact, Outcome


@dataclass(frozen=True, slots=True)
class Article:
    """A clause of the law; `modality` is must, in_principle, may or scope."""

    id: str
    source: str
    number: str
    modality: str
    text: str
    reading: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a function decides: outcome, a reason that the card has a sentence for, and the steps, in Chinese.

    `figures` fill the sentence. `holds_until` is the last day on which it stands if nothing changes.
    """

    outcome: Outcome
    reason: str
    steps: tuple[str, ...] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    holds_until: date | None = None


class Facts:
    """The facts of one subject, as a function sees them: a fact that is not known is None, and is remembered as missing.

    So is one whose evidence reaches no further than before `oldest`; None takes evidence of any age.
    """

    __slots__ = ("__dict__", "_facts", "_oldest", "excepted", "missing", "parts", "stale", "used")

    def __init__(self, facts: Mapping[str, Fact], oldest: date | None = None) -> None:
        self._facts, self._oldest = facts, oldest
        self.used: dict[str, Fact] = {}
        self.missing: set[str] = set()
        self.excepted: set[str] = set()
        """What was missing when the exceptions had been asked."""
        self.parts: tuple[Part, ...] = ()
        self.stale: dict[str, date] = {}

    def __getattr__(self, name: str) -> Any:
        """Return the value of a fact, or None; asked again only for one that is not there."""
        fact = self._facts.get(name)
        if fact is None:
            self.missing.add(name)
            return None
        if self._oldest and fact.seen_until and fact.seen_until < self._oldest:
            self.missing.add(name)
            self.stale[name] = fact.seen_until
            return None
        self.used[name] = fact
        value = self.__dict__[name] = fact.value  # card, exceptions and function each ask for it
        return value

    def looked(self) -> Looked:
        """Return what was looked at so far."""
        return dict(self.used), set(self.missing), dict(self.stale)

    def look_as(self, looked: Looked) -> None:
        """Look at what was looked at in another subject with the same facts."""
        used, missing, stale = looked
        self.used, self.missing, self.stale = dict(used), set(missing), dict(stale)
        self.__dict__.update([(name, fact.value) for name, fact in used.items()])


Looked = tuple[dict[str, Fact], set[str], dict[str, date]]
"""What was looked at and is there, what is missing, and what of it is too old."""

Function = Callable[[Facts, Parameters, date], Judgement]
"""A rule's function: three to ten lines over facts, parameters and the day judged; reads nothing else."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as its card has it, with its function; see `schemas/config/rule.v1.json`."""

    id: str
    scope: str
    subject: str
    article: Article
    title: str
    severity: Mapping[str, str]
    applies: Mapping[str, tuple[Any, ...]]
    excludes: Mapping[str, tuple[Any, ...]]
    """Fact → values for which the rule does not bear; a fact that is not known excludes nothing."""
    exceptions: tuple[str, ...]
    needs: Mapping[str, str]
    weighs: Mapping[str, str]
    parameters: tuple[str, ...]
    fresh_within: str | None
    """The parameter that says how many days old evidence may be; None where days that were not seen age nothing."""
    messages: Mapping[str, str]
    remedy: str
    told: tuple[str, ...]
    is_waivable: bool
    function: Function
    counts_workdays: bool
    parts: tuple[Rule, ...]
    """The rules of the same subject that a roll-up rests on."""
    digest: str
    """Hash of the card and of the code that decides; with the parameters of a day it makes the rule's version."""
    past_mending: tuple[str, ...] = ()
    """Reasons with which nothing that anybody still does makes the verdict pass; only these can be settled (处理结案)."""


FUNCTIONS: dict[str, Function] = {}


def law(rule_id: str) -> Callable[[Function], Function]:
    """Register the function of a rule."""

    def register(function: Function) -> Function:
        if rule_id in FUNCTIONS and FUNCTIONS[rule_id].__module__ != function.__module__:
            raise ValueError(f"two functions for the rule {rule_id}")
        FUNCTIONS[rule_id] = function
        return function

    return register
