"""What a judging came to, counted: outcomes and reasons by rule, and the digest that says whether two judgings were the same.

The digest is the sum of one mark a subject, the hash of what all rules said of it, so that subjects whose verdicts still hold add
to it what they added when they were last judged, and nobody has to look at each of them for that.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from include.rules.rule import Rule
from include.rules.verdict import Subject, Verdict

Said = tuple[str, str, str]
"""Rule, outcome and reason: what verdicts are counted by."""


@dataclass(frozen=True, slots=True)
class RuleVerdicts:
    """What one rule said of the subjects that were judged, in their order; or how it broke."""

    rule: Rule
    verdicts: Sequence[Verdict]
    crash: str | None = None


@dataclass(slots=True)
class Tally:
    """Counts and digest of the verdicts so far; `judged` are those that were worked out anew, the others still hold."""

    crashed: dict[str, str] = field(default_factory=dict)
    verdicts: int = 0
    judged: int = 0
    _counts: dict[str, Counter[tuple[str, str]]] = field(default_factory=dict)
    _said: dict[Subject, bytes] = field(default_factory=dict)
    _held: int = 0

    def add(self, one: RuleVerdicts) -> None:
        """Count the verdicts of one more rule."""
        if one.crash:
            self.crashed[one.rule.id] = one.crash
            return
        counts, said = self._counts.setdefault(one.rule.id, Counter()), self._said
        for (outcome, reason), times in Counter([(v.outcome, v.reason) for v in one.verdicts]).items():
            counts[outcome.value, reason] += times
        for verdict in one.verdicts:
            subject = verdict.subject_type, verdict.subject
            said[subject] = said.get(subject, b"") + verdict.said()
        self.verdicts += len(one.verdicts)
        self.judged += len(one.verdicts)

    def hold(self, marks: int, counts: Mapping[Said, int]) -> None:
        """Count subjects that were not judged again: the sum of their marks, and how many verdicts they have of which kind."""
        self._held = marks
        for (rule, outcome, reason), times in counts.items():
            self.verdicts += times
            self._counts.setdefault(rule, Counter())[outcome, reason] += times

    def said(self, subject: Subject) -> str:
        """Return the hash of what all rules so far said of a subject that was judged."""
        return hashlib.blake2b(self._said.get(subject, b""), digest_size=_BYTES).hexdigest()

    @property
    def outcomes(self) -> dict[str, dict[str, int]]:
        """Return by rule how many verdicts had which outcome."""
        return {rule: _summed((o, n) for (o, _), n in counts.items()) for rule, counts in sorted(self._counts.items())}

    @property
    def reasons(self) -> dict[str, dict[str, int]]:
        """Return by rule how many verdicts had which outcome and reason, as `fail:overdue`."""
        named = ((rule, ((f"{o}:{r}", n) for (o, r), n in c.items())) for rule, c in sorted(self._counts.items()))
        return {rule: _summed(found) for rule, found in named}

    @property
    def digest(self) -> str:
        """Return the hash of the verdicts so far."""
        return written(self._held + sum(mark(subject, self.said(subject)) for subject in self._said))


_BYTES = 20
"""Of the hash of what is said of a subject, of its mark, and of the sum of marks."""

FORM = 2
"""Of the digest. It is part of the rules' version: a replay of a day with a digest of another form does not call evidence gone."""


def mark(subject: Subject, said: str) -> int:
    """Return what a subject adds to the digest; sums of it tell sets apart, in whatever order they are taken."""
    text = f"{subject[0]}\x1f{subject[1]}\x1f{said}".encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=_BYTES).digest())


def written(marks: int) -> str:
    """Return a sum of marks as it is kept."""
    return f"{marks % (1 << 8 * _BYTES):0{2 * _BYTES}x}"


def _summed(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for name, count in found:
        total[name] += count
    return dict(sorted(total.items()))
