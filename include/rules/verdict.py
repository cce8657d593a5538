"""What a rule says of a subject on a day: one of five outcomes, and everything that led to it.

Equal inputs give byte-identical verdicts: no clock, no floating point, no order that could differ.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import orjson

KEY = ("rule", "subject_type", "subject", "occurrence")
"""What names a verdict, and with it a finding: the names of `Verdict.key`."""

Key = tuple[str, str, str, str]
Subject = tuple[str, str]
"""Subject type and subject."""


class Outcome(StrEnum):
    """The five outcomes. Missing, stale or contradictory evidence is `unknown`: never pass, never fail."""

    PASS = "pass"  # noqa: S105  the name of an outcome
    WARN = "warn"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not_applicable"


OUTCOME_WORDS = {
    Outcome.PASS: "符合", Outcome.FAIL: "线索", Outcome.WARN: "提示", Outcome.UNKNOWN: "未知", Outcome.NOT_APPLICABLE: "不适用",
}  # fmt: skip
"""What people read."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A value with where it comes from; a fact that is not known has none, one known to be empty has an empty value.

    `seen_until` is the last day that the evidence reaches to, `evidence` the batches or sweeps it was read in.
    """

    value: Any
    source: str
    seen_until: date | None = None
    evidence: tuple[str, ...] = ()
    _digest: bytes | None = field(default=None, init=False, compare=False, repr=False)

    def like(self, value: Any) -> Fact:
        """Return another value with the same provenance."""
        return Fact(value, self.source, self.seen_until, self.evidence)

    def digest(self) -> bytes:
        """Return the hash of the value and where it comes from, but for how far the evidence reaches; made once."""
        if self._digest is None:
            text = orjson.dumps((self.value, self.source, self.evidence), default=plain)
            object.__setattr__(self, "_digest", hashlib.blake2b(text, digest_size=16).digest())
        assert self._digest is not None  # noqa: S101 - just made
        return self._digest


class Used(dict[str, Fact]):
    """The facts that a rule looked at, by their names, in order; of subjects that are alike the same ones."""

    __slots__ = ("_digest",)

    def digest(self) -> bytes:
        """Return the names and hashes of all; made once."""
        try:
            return self._digest
        except AttributeError:
            parts = [name.encode() + (fact._digest or fact.digest()) for name, fact in self.items()]
            self._digest: bytes = b"".join(parts)
            return self._digest


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of one rule on one subject. `reason` is a code, `message` and `steps` are Chinese.

    `facts_used` holds per fact its value, source, reach and evidence; `parameters_used` value and source of each threshold.
    `holds_until` is the last day on which the verdict stands if nothing changes; None where nothing but new facts can change it.
    """

    rule: str
    subject_type: str
    subject: str
    occurrence: str
    outcome: Outcome
    reason: str
    message: str
    steps: tuple[str, ...]
    facts_used: Used
    parameters_used: dict[str, Any]
    clause: str
    severity: str | None
    rule_version: str
    as_of: date
    holds_until: date | None

    @property
    def input_hash(self) -> str:
        """Return the hash of what was judged, and when: the rule's version, the day, and the facts that were used."""
        whole = hashlib.blake2b(f"{self.rule_version} {self.as_of}".encode(), digest_size=16)
        for fact in self.facts_used.values():
            whole.update(fact.digest())
        return whole.hexdigest()

    @property
    def key(self) -> Key:
        """Return what names it."""
        return self.rule, self.subject_type, self.subject, self.occurrence

    def canonical(self) -> bytes:
        """Return the verdict as canonical JSON: the same bytes for the same inputs, on any machine.

        The hash of the inputs comes last: few verdicts are written, so it is made for these only.
        """
        body = orjson.dumps(self, default=plain, option=orjson.OPT_SORT_KEYS)
        return body.removesuffix(b"}") + f',"input_hash":"{self.input_hash}"}}'.encode()

    def said(self) -> bytes:
        """Return the hash of all that it says, but for the day it was judged on and how far its evidence reached then.

        So what is judged again while it holds has the same. The parameters are part of the rule's version.
        """
        parts = (
            self.rule, self.subject_type, self.subject, self.occurrence, self.outcome, self.reason, self.message, self.steps,
            self.clause, self.severity, self.rule_version, self.holds_until,
        )  # fmt: skip
        return hashlib.blake2b(orjson.dumps(parts) + self.facts_used.digest(), digest_size=16).digest()


def plain(value: Any) -> Any:
    """Return what JSON has no form for as it is written in canonical JSON: amounts as their digits."""
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no canonical form")
