"""What judging rests on: evidence that is whole and fresh. One failing source is one finding, never thousands."""

from __future__ import annotations

from datetime import date, timedelta

from include.rules.parameters import Parameters
from include.rules.rule import Facts, Judgement, law
from include.rules.verdict import Outcome


@law("evidence-current")
def evidence_current(facts: Facts, p: Parameters, on: date) -> Judgement:
    """A daily series was read until yesterday; a register was read whole within its limit."""
    is_series = facts.kind == "series"
    last = facts.trusted_until if is_series else facts.read_on
    limit = p["evidence_max_age_days"] if is_series else p["register_max_age_days"]
    what = "最近可信日" if is_series else "最近完整读取"
    figures = {"last": last, "limit": limit}
    if last is None:
        return Judgement(Outcome.FAIL, "never_read", (f"{what}:从未",), figures)
    steps = (f"{what} {last},距评判日 {(on - last).days} 天,允许 {limit} 天",)
    if (on - last).days > limit:
        return Judgement(Outcome.FAIL, "out_of_date", steps, figures)
    return Judgement(Outcome.PASS, "current", steps, figures, last + timedelta(days=limit))
