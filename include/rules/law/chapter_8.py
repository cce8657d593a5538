"""Chapter 8, 附则: projects of the counties (art. 40)."""

from __future__ import annotations

from datetime import date

from include.rules.parameters import Parameters
from include.rules.recorded import approval_day, happened, until_next
from include.rules.records import Dossier
from include.rules.rule import Facts, Judgement, law
from include.rules.verdict import Outcome


@law("county-report-filed-first")
def county_report_filed_first(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 40: a county's feasibility report is filed with the city's bureau before its approval; the same day is not after it."""
    day = approval_day(facts.approvals, p, on)
    if isinstance(day, Judgement):
        return day
    dossier: Dossier = facts.dossier
    filed, until = happened(dossier.county_filed_on, on), until_next(on, dossier.county_filed_on)
    steps = (f"可研 {day} 批复;报市数据局审核备案:{filed or '未见'}",)
    figures = {"approved": day, "filed": filed}
    if filed is None:
        return Judgement(Outcome.FAIL, "not_filed", steps, figures, until)
    if filed > day:
        return Judgement(Outcome.WARN, "filed_late", steps, figures, until)
    return Judgement(Outcome.PASS, "filed_first", steps, figures, until)
