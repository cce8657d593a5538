"""Chapter 8, 附则: projects of the counties (art. 40)."""

from __future__ import annotations

from datetime import date

from include.rules.parameters import Parameters
from include.rules.recorded import alive, approval_day, happened, is_early, lacking, until_next
from include.rules.records import Approval, Dossier
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import earliest
from include.rules.verdict import Outcome


@law("county-report-filed-first")
def county_report_filed_first(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 40: 报发改部门审批前应报市数据局审核备案, a county's feasibility report is filed with the city's bureau first.

    Read as: filed before the approval, else a fail; word by word, before it is handed in for approval, else a warning. Of one day
    dates do not tell which came first.
    """
    approvals: tuple[Approval, ...] = facts.approvals
    approved = approval_day(approvals, p, on)
    dossier: Dossier = facts.dossier
    filed, handed_in = happened(dossier.county_filed_on, on), _handed_in(approvals)
    until = until_next(on, dossier.county_filed_on, handed_in)
    submitted = happened(handed_in, on)
    steps = (f"可研申报:{submitted or '未记'};报市数据局审核备案:{filed or '未见'}",)
    figures: dict[str, object] = {"submitted": submitted, "filed": filed}
    if isinstance(approved, date):
        return _approved(approved, filed, submitted, p, (f"可研 {approved} 批复", *steps), figures, until)
    until = earliest(approved.holds_until, until)
    if approved.reason != "not_approved_yet":
        return Judgement(approved.outcome, approved.reason, approved.steps, approved.figures, until)
    if submitted is None:
        if filed is None and handed_in is None and alive(approvals, "feasibility"):
            return lacking("可研申报日期", steps, until)
        return Judgement(approved.outcome, approved.reason, (*approved.steps, *steps), figures, until)
    if filed is None:
        return Judgement(Outcome.WARN, "submitted_unfiled", steps, figures, until)
    return _filed(filed, submitted, p, steps, figures, until)


def _handed_in(approvals: tuple[Approval, ...]) -> date | None:
    """Return the first day on which the report was handed in for approval."""
    return earliest(*(a.submitted_on or a.accepted_on for a in alive(approvals, "feasibility")))


def _approved(
    approved: date, filed: date | None, submitted: date | None, p: Parameters, steps: tuple[str, ...],
    figures: dict[str, object], until: date | None,
) -> Judgement:  # fmt: skip
    figures = figures | {"approved": approved}
    if filed is None:
        return Judgement(Outcome.FAIL, "not_filed", steps, figures, until)
    if filed > approved:
        return Judgement(Outcome.FAIL, "filed_late", steps, figures, until)
    if filed == approved:
        return Judgement(Outcome.UNKNOWN, "filed_that_day", (*steps, "备案与批复同日,先后不明"), figures, until)
    return _filed(filed, submitted, p, steps, figures, until)


def _filed(
    filed: date, submitted: date | None, p: Parameters, steps: tuple[str, ...], figures: dict[str, object],
    until: date | None,
) -> Judgement:  # fmt: skip
    """Return what is to be said of a report that was filed and, by then, not approved; nobody asked for it before the measures."""
    if submitted and filed > submitted and not is_early(submitted, p):
        return Judgement(Outcome.WARN, "filed_after_submission", steps, figures, until)
    return Judgement(Outcome.PASS, "filed_first", steps, figures, until)
