"""What the rules on catalogues share: what is owed at acceptance and since when, and what unlinked entries leave open."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from include.rules.facts import Catalogued
from include.rules.parameters import Parameters
from include.rules.rule import Judgement
from include.rules.verdict import Outcome


@dataclass(frozen=True, slots=True)
class Due:
    """How a hole weighs for a system, and why; `reason` stands in for the rule's own where it is not due yet."""

    outcome: Outcome
    step: str
    reason: str | None = None


def due_at_acceptance(status: str, live: date | None, p: Parameters) -> Due:
    """Return how art. 29(4) bears on a system: on trial it is still to come, before the measures nobody asked for it."""
    if status == "trial":
        return BEFORE_ACCEPTANCE
    if live is not None and live >= p.day("regulation_effective_on"):
        return Due(Outcome.FAIL, f"{live} 上线,在办法施行之后,验收时应已完成")
    return Due(Outcome.WARN, "办法施行前上线或上线日期不详,验收时尚无此要求")


BEFORE_ACCEPTANCE = Due(Outcome.WARN, "试运行中,验收前须完成(第二十九条第四项)", "due_at_acceptance")


def compiled(found: Catalogued, due: Due) -> Judgement:
    """Return whether a catalogue holds entries of a system; one that may hold them under its unit alone proves no hole."""
    steps: tuple[str, ...] = (
        f"关联到本系统的目录 {found.entries} 条,其中未注册 {found.drafts} 条",
        f"同单位未关联系统的目录 {found.unlinked} 条",
    )
    figures = {"entries": found.entries, "unlinked": found.unlinked}
    if found.entries > found.drafts:
        return Judgement(Outcome.PASS, "compiled", steps, figures)
    if found.entries:
        return Judgement(Outcome.WARN, "only_drafts", steps, figures)
    if found.unlinked:
        return Judgement(Outcome.UNKNOWN, "unlinked_entries", steps, figures)
    return Judgement(due.outcome, due.reason or "not_compiled", (*steps, due.step), figures)


def without_entries(found: Catalogued) -> Judgement | None:
    """Return what is to be said of a system that no entry names; None where there are some to look at."""
    if found.entries:
        return None
    if found.unlinked:
        step = f"同单位有未关联系统的数据目录 {found.unlinked} 条,或属本系统"
        return Judgement(Outcome.UNKNOWN, "unlinked_entries", (step,), {"unlinked": found.unlinked})
    return Judgement(Outcome.NOT_APPLICABLE, "no_entries", ("数据目录中没有本系统的条目,另行提示编制",))
