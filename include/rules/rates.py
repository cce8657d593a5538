"""Rates over verdicts and over entries of catalogues, each with numerator, denominator, unknown and exempt beside it.

Definitions: facts §9.2 and §9.3. Systems that a rule does not apply to (in building, stopped) are in no part of it; exempt ones
are out of numerator and denominator both; unknown ones are out of both and shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from include.rules.facts import Catalogued
from include.rules.freshness import AGE_UNKNOWN
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
    ("compiled_rate", "目录编制率", "data-catalogue-compiled", (Outcome.PASS.value,)),
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


def rates_of_entries(data: Catalogued, linked: int, *, are_known: bool) -> list[Rate]:
    """Return the rates over all data entries; where the catalogues are not known whole, every entry is unknown.

    挂接率: shared entries with something mounted ÷ shared entries; withheld ones (不予共享) are exempt, and whether what is mounted
    works is not seen. 归集率: delivered ÷ due, those delivered in part among the due. 更新及时率: updated within cycle and grace ÷
    entries with a cycle; 不定期 and the like are exempt. 目录关联系统率: entries joined to a system ÷ all.
    """
    undated = sum(getattr(data, name.value) for name in AGE_UNKNOWN)
    rates = [
        Rate("mounted_rate", "目录挂接率", data.mounted, data.shared, data.share_unknown, data.withheld),
        Rate("collected_rate", "数据归集率", data.delivered, data.due, data.collection_unknown, data.not_required),
        Rate("updated_rate", "更新及时率", data.timely, data.timely + data.overdue, undated, data.uncycled),
        Rate("linked_rate", "目录关联系统率", linked, data.entries, 0, 0),
    ]
    return rates if are_known else [Rate(r.name, r.title, 0, 0, data.entries, 0) for r in rates]
