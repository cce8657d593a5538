"""What a judging came to, counted: outcomes and reasons by rule, and the digest that says whether two judgings were the same.

The digest is taken over the subjects in their order, each with what all rules said of it, so that a subject whose verdicts still
hold adds to it what it added when it was last judged.
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
    _said: dict[Subject, list[bytes]] = field(default_factory=dict)

    def add(self, one: RuleVerdicts) -> None:
        """Count the verdicts of one more rule."""
        if one.crash:
            self.crashed[one.rule.id] = one.crash
            return
        counts = self._counts.setdefault(one.rule.id, Counter())
        for verdict in one.verdicts:
            counts[verdict.outcome.value, verdict.reason] += 1
            self._said.setdefault((verdict.subject_type, verdict.subject), []).append(verdict.said())
        self.verdicts += len(one.verdicts)
        self.judged += len(one.verdicts)

    def hold(self, said: Mapping[Subject, str], counts: Mapping[Said, int]) -> None:
        """Count subjects that were not judged again: what each said, and how many verdicts they have of which kind."""
        for subject, digest in said.items():
            self._said[subject] = [bytes.fromhex(digest)]
        for (rule, outcome, reason), times in counts.items():
            self.verdicts += times
            self._counts.setdefault(rule, Counter())[outcome, reason] += times

    def said(self, subject: Subject) -> str:
        """Return the hash of what all rules so far said of a subject."""
        parts = self._said.get(subject, [])
        if len(parts) == 1 and len(parts[0]) == _WHOLE:
            return parts[0].hex()
        return hashlib.blake2b(b"".join(parts), digest_size=_WHOLE).hexdigest()

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
        whole = hashlib.sha256()
        for subject in sorted(self._said):
            whole.update(f"{subject[0]}\x1f{subject[1]}\x1f{self.said(subject)}\n".encode())
        return whole.hexdigest()


_WHOLE = 20
"""Bytes of the hash of all that is said of a subject; that of a single verdict has another length."""


def _summed(found: Iterable[tuple[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for name, count in found:
        total[name] += count
    return dict(sorted(total.items()))
