"""What changed cards, thresholds, clauses or calendars would alter: a day judged twice over the same knowledge, kept nowhere.

A folder stands where `SHUHENG_CONFIG` stands, so a bureau looks at a branch of its own configuration before it is merged.
Code is the same on both sides: what a changed function would alter, the cases of the law show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from include.clock import now
from include.errors import ConfigurationError
from include.ledger.snapshot import glance
from include.rules.evaluation import (
    SCOPES,
    Judging,
    Knowledge,
    knowledge,
    knowledge_of,
    last_evaluation,
    rules_of,
)
from include.rules.parameters import ParameterBook
from include.rules.rule import Rule
from include.rules.rule_book import load_rules
from include.rules.tally import RuleVerdicts
from include.rules.verdict import Verdict
from include.settings import with_config

SHOWN = 20
"""Subjects of one rule that are shown; of more there is a count."""

CONFIG = ("rules", "parameters.yaml", "articles.yaml", "approval_items.yaml", "calendar", "sources")
"""What of a configuration bears on verdicts."""

Key = tuple[str, str, str]
Load = tuple[ParameterBook, tuple[Rule, ...]]


@dataclass(frozen=True, slots=True)
class Said:
    """What a side says of a subject."""

    outcome: str
    reason: str
    severity: str | None
    message: str


@dataclass(frozen=True, slots=True)
class Move:
    """A subject of which the sides say different things; None where a side has no verdict of it."""

    subject_type: str
    subject: str
    occurrence: str
    old: Said | None
    new: Said | None

    @property
    def is_outcome(self) -> bool:
        """Return whether outcome or reason differ, not only wording or severity."""
        old, new = ((said.outcome, said.reason) if said else None for said in (self.old, self.new))
        return old != new


@dataclass(slots=True)
class RuleDifference:
    """How one rule would judge otherwise: `state` is kept, added or removed, `old` and `new` count outcomes.

    `changed` verdicts have another outcome or reason; `moves` counts them by (old outcome, new outcome), `shown` are the first.
    `reworded` ones differ only in sentence or severity; `sample` is the first of them.
    """

    rule: str
    title: str
    state: str
    old: dict[str, int] = field(default_factory=dict)
    new: dict[str, int] = field(default_factory=dict)
    changed: int = 0
    reworded: int = 0
    moves: Counter[tuple[str, str]] = field(default_factory=Counter)
    shown: list[Move] = field(default_factory=list)
    sample: Move | None = None
    crash_before: str | None = None
    crash: str | None = None

    @property
    def is_different(self) -> bool:
        """Return whether anything that people see would differ."""
        return bool(self.state != "kept" or self.changed or self.reworded or self.crash != self.crash_before)

    def summary(self) -> dict[str, Any]:
        """Return it for programs."""
        moves = [{"old": old, "new": new, "count": n} for (old, new), n in sorted(self.moves.items())]
        return asdict(self) | {"moves": moves}


@dataclass(slots=True)
class Difference:
    """What a folder would alter on a day; per scope the rules that were judged on either side."""

    day: date
    folder: str
    scopes: dict[str, list[RuleDifference]] = field(default_factory=dict)

    @property
    def is_different(self) -> bool:
        """Return whether anything would differ."""
        return any(rule.is_different for rules in self.scopes.values() for rule in rules)

    def summary(self) -> dict[str, Any]:
        """Return it for programs, rules without a difference left out."""
        found = {s: [r.summary() for r in rules if r.is_different] for s, rules in self.scopes.items()}
        judged = {s: sum(sum(r.new.values()) for r in rules) for s, rules in self.scopes.items()}
        return {
            "day": self.day.isoformat(), "folder": self.folder, "is_different": self.is_different, "judged": judged,
            "scopes": found,
        }  # fmt: skip


def differences(engine: Engine, scopes: Sequence[str], day: date, folder: Path) -> Difference:
    """Judge a day with today's configuration and with a folder's, over the same knowledge, and write nothing.

    Raises `ConfigurationError` for a folder that bears on no verdict, or with a card that cannot be used.
    """
    _require_config(folder)
    if day > now().date():
        raise ConfigurationError(f"{day} has not begun; give today or a past day")
    old = _load(None)
    new = _load(folder)
    found = Difference(day, str(folder))
    with glance(engine) as connection:
        for scope in scopes:
            mine = [rules_of(rules, scope) for _, rules in (old, new)]
            if not any(mine):
                continue
            known = _known(connection, scope, day)
            sides = [
                _Side(connection, scope, rules, book, day, known, config)
                for rules, (book, _), config in zip(mine, (old, new), (None, folder), strict=True)
            ]
            found.scopes[scope] = list(_compared(*sides))
    if not found.scopes:
        raise ConfigurationError(f"no rule has the scope {', '.join(scopes)}; use some of {', '.join(SCOPES)}")
    return found


def _require_config(folder: Path) -> None:
    if not folder.is_dir():
        raise ConfigurationError(f"--diff names {folder}, which is not a folder")
    if not any((folder / name).exists() for name in CONFIG):
        raise ConfigurationError(
            f"{folder} holds none of {', '.join(CONFIG)}, so it would alter nothing; name the folder that SHUHENG_CONFIG would name"
        )


def _under(config: Path | None) -> AbstractContextManager[None]:
    return with_config(config) if config else nullcontext()


def _load(config: Path | None) -> Load:
    with _under(config):
        book = ParameterBook.load()
        return book, load_rules(book)


def _known(connection: Connection, scope: str, day: date) -> Knowledge:
    """Return what a judging of the day knew; of a day that was never judged, what was known by its end."""
    if day == now().date():
        return knowledge(connection)
    kept = last_evaluation(connection, scope, day)
    return Knowledge.read(kept["known"]) if kept else knowledge_of(connection, day)


class _Side:
    """One of the two judgings: gives the verdicts of one rule after another, in order of their ids."""

    def __init__(
        self,
        connection: Connection,
        scope: str,
        rules: list[Rule],
        book: ParameterBook,
        day: date,
        known: Knowledge,
        config: Path | None,
    ) -> None:
        self.titles, self._config = {rule.id: rule.title for rule in rules}, config
        with _under(config):
            self._verdicts = Judging(connection, scope, rules, book, day, known).run() if rules else iter(())
        self.at: RuleVerdicts | None = None
        self.step()

    def step(self) -> None:
        """Judge the next rule; `at` is None behind the last one."""
        with _under(self._config):
            self.at = next(self._verdicts, None)


def _compared(old: _Side, new: _Side) -> Iterator[RuleDifference]:
    """Step through both sides side by side, so that the verdicts of one rule are held at a time."""
    while old.at or new.at:
        rule = min(side.at.rule.id for side in (old, new) if side.at)
        was, is_now = (side.at if side.at and side.at.rule.id == rule else None for side in (old, new))
        yield _rule_difference(rule, new.titles.get(rule) or old.titles[rule], was, is_now)
        if was:
            old.step()
        if is_now:
            new.step()


def _rule_difference(rule: str, title: str, old: RuleVerdicts | None, new: RuleVerdicts | None) -> RuleDifference:
    state = "kept" if old and new else "removed" if old else "added"
    found = RuleDifference(rule, title, state, _counts(old), _counts(new))
    found.crash_before, found.crash = old.crash if old else None, new.crash if new else None
    if found.state != "kept" or found.crash or found.crash_before:
        return found
    for move in _moves(_by_subject(old), _by_subject(new)):
        if not move.is_outcome:
            found.reworded += 1
            found.sample = found.sample or move
            continue
        found.changed += 1
        found.moves[(_outcome(move.old), _outcome(move.new))] += 1
        if len(found.shown) < SHOWN:
            found.shown.append(move)
    return found


def _counts(side: RuleVerdicts | None) -> dict[str, int]:
    return dict(sorted(Counter(v.outcome.value for v in side.verdicts).items())) if side else {}


def _by_subject(side: RuleVerdicts | None) -> dict[Key, Verdict]:
    return {(v.subject_type, v.subject, v.occurrence): v for v in side.verdicts} if side else {}


def _moves(old: Mapping[Key, Verdict], new: Mapping[Key, Verdict]) -> Iterator[Move]:
    for key in sorted(old.keys() | new.keys()):
        was, is_now = (_said(side.get(key)) for side in (old, new))
        if was != is_now:
            yield Move(*key, was, is_now)


def _said(verdict: Verdict | None) -> Said | None:
    if verdict is None:
        return None
    return Said(verdict.outcome.value, verdict.reason, verdict.severity, verdict.message)


def _outcome(said: Said | None) -> str:
    return said.outcome if said else "none"
