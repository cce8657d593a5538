"""What judging rests on: evidence that is whole, fresh and steady. One failing source is one finding, never thousands."""

from __future__ import annotations

from datetime import date, timedelta

from include.rules.catalogued import without_entries
from include.rules.facts import Catalogued
from include.rules.freshness import AGE_UNKNOWN
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
    is_old = (on - last).days > limit
    steps = (f"{what} {last},距今{'超过' if is_old else '不超过'} {limit} 天",)
    if is_old:
        return Judgement(Outcome.FAIL, "out_of_date", steps, figures)
    return Judgement(Outcome.PASS, "current", steps, figures, last + timedelta(days=limit))


@law("records-steady")
def records_steady(facts: Facts, p: Parameters, on: date) -> Judgement:
    """The records of a register do not come and go; however many do, it is one thing to talk to its platform about."""
    count = facts.unsteady
    figures = {"count": count, "days": p["flapping_window_days"], "returns": p["flapping_returns"]}
    steps = (f"近 {figures['days']} 天内注销后又恢复 {figures['returns']} 次以上的记录 {count} 条",)
    return Judgement(Outcome.WARN if count else Outcome.PASS, "unsteady" if count else "steady", steps, figures, on)


@law("entries-updated-in-time")
def entries_updated_in_time(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Data are as fresh as their own entry promises. No clause sets a term, so the unit's word is all that is held against it."""
    found: Catalogued = facts.data_entries
    if empty := without_entries(found):
        return empty
    unknown = {name.value: getattr(found, name.value) for name in AGE_UNKNOWN}
    figures = {"overdue": found.overdue, "cycled": found.overdue + found.timely, "grace": p["catalogue_grace_percent"]}
    steps = (
        f"有固定更新周期的数据目录:按期 {found.timely} 条,逾期 {found.overdue} 条(超过周期的 {figures['grace']}%)",
        f"不定期等不计 {found.uncycled} 条;更新日期晚于读取日 {unknown['date_in_future']} 条、为占位日期或只有年月 "
        f"{unknown['date_inexact']} 条、未填 {unknown['date_missing']} 条,更新周期不详 {unknown['cycle_missing']} 条",
    )
    if found.overdue:
        return Judgement(Outcome.WARN, "overdue", steps, figures)
    for reason, count in unknown.items():
        if count:
            return Judgement(Outcome.UNKNOWN, reason, steps, {"count": count})
    return Judgement(Outcome.PASS, "timely" if found.timely else "uncycled", steps, figures)


CALENDAR_DUE_DAY = 15


@law("calendar-loaded")
def calendar_loaded(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Terms that reach a year without its calendar cannot be judged: the notice for the next year is loaded when it comes out."""
    year, before = facts.year, facts.year - 1
    warns, due = date(before, p["calendar_warn_month"], 1), date(before, p["calendar_due_month"], CALENDAR_DUE_DAY)
    figures = {"year": year, "warns": warns, "due": due}
    if facts.is_covered:
        return Judgement(Outcome.PASS, "covered", (f"{year} 年放假安排已载入",), figures)
    steps = (f"{year} 年放假安排未载入;{warns} 起提示,{due} 起应已载入",)
    if on < warns:
        return Judgement(Outcome.NOT_APPLICABLE, "not_due", steps, figures, warns - timedelta(days=1))
    if on < due:
        return Judgement(Outcome.WARN, "not_loaded", steps, figures, due - timedelta(days=1))
    return Judgement(Outcome.FAIL, "long_not_loaded", steps, figures)
