"""Rates over verdicts, each with numerator, denominator, unknown and exempt beside it: a rate without them says too little.

Definitions: facts §9.2 and §9.3. Systems that a rule does not apply to (in building, stopped) are in no part of it; exempt ones
are out of numerator and denominator both; unknown ones are out of both and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from include.rules.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate; `share_bp` in hundredths of a percent, None where the denominator is zero."""

    name: str
    title: str
    numerator: int
    denominator: int
    unknown: int
    exempt: int

    @property
    def share_bp(self) -> int | None:
        """Return the share, rounded half up."""
        return (self.numerator * 20_000 // self.denominator + 1) // 2 if self.denominator else None

    def summary(self) -> dict[str, Any]:
        """Return it for the ledger and for programs."""
        return asdict(self) | {"share_bp": self.share_bp}

    def line(self) -> str:
        """Return it as people read it."""
        share = "无分母" if self.share_bp is None else f"{self.share_bp // 100}.{self.share_bp % 100:02d}%"
        return f"{self.title} {share}({self.numerator}/{self.denominator}),未知 {self.unknown},豁免 {self.exempt}"


_JUDGED = (Outcome.PASS.value, Outcome.WARN.value, Outcome.FAIL.value)

RATES: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("connected_rate", "联通率", "interconnected-with-exchange", (Outcome.PASS.value,)),
    ("cloud_rate", "上云率", "deployed-on-city-cloud", (Outcome.PASS.value,)),
    ("idle_rate", "闲置率", "resources-not-idle", (Outcome.FAIL.value,)),
    ("rare_use_rate", "低频使用率", "system-in-regular-use", (Outcome.FAIL.value,)),
    ("project_rate", "项目关联率", "system-has-project", (Outcome.PASS.value,)),
)
"""Name, Chinese title, rule, and the outcomes that make the numerator."""


def rates_of(outcomes: Mapping[str, Mapping[str, int]], reasons: Mapping[str, Mapping[str, int]]) -> list[Rate]:
    """Return the rates of the rules that were judged; `reasons` counts by "outcome:reason"."""
    return [
        Rate(
            name, title, sum(outcomes[rule].get(o, 0) for o in counted), sum(outcomes[rule].get(o, 0) for o in _JUDGED),
            outcomes[rule].get(Outcome.UNKNOWN.value, 0), reasons[rule].get(f"{Outcome.NOT_APPLICABLE.value}:exempt", 0),
        )
        for name, title, rule, counted in RATES
        if rule in outcomes
    ]  # fmt: skip


def availability(probes: int, successes: int, inconclusive: int) -> Rate:
    """Return 接口可用率: successful ÷ all probes that could conclude something."""
    return Rate("availability_rate", "接口可用率", successes, probes - inconclusive, inconclusive, 0)
