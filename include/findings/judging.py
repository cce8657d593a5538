"""Judge a scope for a day, in one transaction: evaluation, changes of the verdicts, findings. DAGs and command line call this.

Today may be judged as often as one likes: what says nothing new writes nothing. A past day that was judged is replayed from what
was known then, compared, and never written. A past day that never was is judged late, and leaves the findings alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping

from include.clock import SHANGHAI, now
from include.collection import no_collection
from include.errors import ConfigurationError
from include.findings.door import Settled, end_decisions, settle
from include.findings.held import Tell
from include.findings.rule_titles import sync_rule_titles
from include.findings.watch_report import report_lines
from include.ledger.snapshot import FINDINGS, snapshot
from include.rules import timeline
from include.rules.evaluation import (
    SCOPES,
    Judging,
    Knowledge,
    keep,
    knowledge,
    knowledge_of,
    last_evaluation,
    neighbours,
    rules_of,
)
from include.rules.parameters import ParameterBook
from include.rules.rates import Rate
from include.rules.rule import Rule
from include.rules.rule_book import load_rules
from include.rules.tally import RuleVerdicts, Tally
from include.rules.verdict import Subject, Verdict


@dataclass(slots=True)
class Judged:
    """What a judging brought. Of a replay: whether it gave what it gave then, and under which version of the rules."""

    scope: str
    day: date
    revision: int
    digest: str
    rules_version: str
    known: Knowledge
    tally: Tally
    rates: Sequence[Rate]
    titles: Mapping[str, str]
    settled: Settled = field(default_factory=Settled)
    is_new: bool = False
    is_replay: bool = False
    is_backfill: bool = False
    is_newest: bool = False
    stored_digest: str | None = None
    stored_version: str | None = None

    @property
    def crashed(self) -> dict[str, str]:
        """Return the rules that broke, with how."""
        return self.tally.crashed

    @property
    def is_equal(self) -> bool:
        """Return whether this judging says, to the byte, what the kept one of the day says."""
        return self.digest == self.stored_digest

    def summary(self) -> dict[str, Any]:
        """Return counts, rates and digests; never names."""
        return {
            "scope": self.scope, "day": self.day.isoformat(), "revision": self.revision, "digest": self.digest,
            "rules_version": self.rules_version, "verdicts": self.tally.verdicts, "outcomes": self.tally.outcomes,
            "rates": [rate.summary() for rate in self.rates], "crashed": sorted(self.crashed),
            "findings": self.settled.counts(), "open": self.settled.open, "settled": self.settled.handled,
            "unverified": self.settled.unverified,
            "is_new": self.is_new, "is_replay": self.is_replay, "is_backfill": self.is_backfill,
            "is_equal": self.is_equal if self.is_replay else None,
        }  # fmt: skip

    def lines(self) -> list[str]:
        """Return the report for people, in Chinese."""
        return report_lines(self)


@no_collection()
def judge(
    engine: Engine,
    scope: str,
    day: date,
    *,
    replay: bool | None = None,
    full: bool = False,
    at: datetime | None = None,
    tell: Tell | None = None,
) -> Judged:
    """Judge all rules of a scope (one of `SCOPES`) for a day and keep what is new.

    `replay` asks for a comparison with what is kept (True), or for a new judging from what is known now (False); by default a
    past day that was judged is replayed. `at` is the moment of the judging, now by default. Raises `ConfigurationError` for a day
    to come, an unknown scope, or a replay of a day that was never judged. `full` judges what still holds, too, to
    the same result. `tell` is called at the end of the transaction where the findings were brought to a day, which is the newest.
    """
    at = (at or now()).replace(microsecond=0)
    today = at.astimezone(SHANGHAI).date()
    if day > today:
        raise ConfigurationError(f"{day} has not begun; the last day that can be judged is {today}")
    book = ParameterBook.load()
    every = load_rules(book)
    rules = rules_of(every, scope)
    if not rules:
        raise ConfigurationError(f"no rule has the scope {scope!r}; use one of {', '.join(SCOPES)}")
    with snapshot(engine, FINDINGS) as connection:
        judged = _Session(connection, scope, rules, book, day, today, at).run(replay, is_full=full)
        if judged.is_newest and not judged.is_replay:
            sync_rule_titles(connection, every)
        if tell and judged.is_newest and not judged.is_replay:
            tell(connection, at)
    return judged


class _Session:
    """One judging inside its transaction."""

    def __init__(
        self,
        connection: Connection,
        scope: str,
        rules: list[Rule],
        book: ParameterBook,
        day: date,
        today: date,
        at: datetime,
    ) -> None:
        self.connection, self.scope, self.rules, self.book = connection, scope, rules, book
        self.day, self.today, self.at = day, today, at
        self.kept = last_evaluation(connection, scope, day)
        self.following, self.newest = neighbours(connection, scope, day)

    def run(self, replay: bool | None, *, is_full: bool = False) -> Judged:
        is_past = self.day < self.today
        if replay is None:
            replay = is_past and self.kept is not None
        if not replay:
            return self._judge(is_backfill=is_past, is_full=is_full)
        if self.kept is None:
            raise ConfigurationError(
                f"{self.day} was never judged, so there is nothing to compare with; leave replay out"
            )
        return self._replay(self.kept)

    def _judging(self, known: Knowledge, **how: bool) -> Judging:
        return Judging(self.connection, self.scope, self.rules, self.book, self.day, known, **how)

    def _replay(self, kept: RowMapping) -> Judged:
        judging, tally = self._judging(Knowledge.read(kept["known"])), Tally()
        for one in judging.run():
            tally.add(one)
        judged = self._judged(judging, tally, kept["revision"])
        judged.is_replay = True
        return judged

    def _judge(self, *, is_backfill: bool, is_full: bool) -> Judged:
        is_first = self.kept is None and is_backfill
        is_newest = self.newest is None or self.day >= self.newest
        known = knowledge_of(self.connection, self.day) if is_first else knowledge(self.connection)
        judging = self._judging(known, is_keeping=is_newest, is_full=is_full)
        gone = judging.facts.gone() if is_newest else {}
        tally, settled = Tally(), Settled()
        past_mending = {(rule.id, reason) for rule in self.rules for reason in rule.past_mending}
        for group in _groups(judging):
            for one in group:
                tally.add(one)
            rules = [one.rule.id for one in group if not one.crash]
            if not rules:
                continue
            verdicts = [verdict for one in group for verdict in one.verdicts]
            subject_type = group[0].rule.subject
            self._record(rules, verdicts, judging.kept.changed(subject_type) if judging.kept else None)
            only = _moved(judging, subject_type)
            if is_newest:
                now_so = settle(
                    self.connection, verdicts, rules, self.day, self.at, gone, self.scope, only, past_mending
                )
                settled.add(now_so)
        settled.changes.sort(key=lambda change: change.rule)
        if is_newest:
            settled.changes += end_decisions(self.connection, self.day, self.at)
        if judging.kept:
            tally.hold(judging.kept.marks, judging.kept.counts)
            broken = {rule.subject for rule in self.rules if rule.id in tally.crashed}
            judging.kept.write(tally, broken, judging.grounds, known.batches, judging.linked)
        judged = self._judged(judging, tally, self.kept["revision"] if self.kept else 0)
        judged.settled, judged.is_backfill, judged.is_newest = settled, is_backfill, is_newest
        if not judged.is_equal or judged.rules_version != judged.stored_version:
            judged.is_new, judged.revision = True, judged.revision + 1
            rates = [rate.summary() for rate in judged.rates]
            keep(self.connection, self.scope, self.day, judged.revision, judging, tally, judged.digest, rates, self.at)
        return judged

    def _record(self, rules: list[str], verdicts: list[Verdict], changed: list[Subject] | None) -> None:
        """Write the stretches that begin or end; only of what changed, where all others are known to go on."""
        if changed is not None:
            named = set(changed)
            verdicts = [v for v in verdicts if (v.subject_type, v.subject) in named]
        timeline.record(self.connection, self.scope, rules, verdicts, self.day, self.following, changed)

    def _judged(self, judging: Judging, tally: Tally, revision: int) -> Judged:
        return Judged(
            self.scope, self.day, revision, tally.digest, judging.rules_version, judging.known, tally,
            judging.rates(tally), {rule.id: rule.title for rule in self.rules},
            stored_digest=self.kept["digest"] if self.kept else None,
            stored_version=self.kept["rules_version"] if self.kept else None,
        )  # fmt: skip


def _groups(judging: Judging) -> Iterator[list[RuleVerdicts]]:
    """Yield what the rules say, those of one subject type together; rule by rule where everything is looked at, for its memory."""
    if not (judging.kept and judging.kept.looked):
        yield from ([one] for one in judging.run())
        return
    of_type: dict[str, list[RuleVerdicts]] = {}
    for one in judging.run():
        of_type.setdefault(one.rule.subject, []).append(one)
    yield from of_type.values()


def _moved(judging: Judging, subject_type: str) -> list[Subject] | None:
    """Return the subjects of a type that can say something else than before; None where that may be any."""
    found = judging.kept.moved(subject_type) if judging.kept else None
    return None if found is None else [(subject_type, subject) for subject in found]
