"""Chapter 3, 项目申报和计划管理, of plans and projects: needs, plan (arts. 11, 15), applications (13), no building first (16)."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta

from include.rules.deadlines import Window, in_window
from include.rules.law.chapter_3 import staleness
from include.rules.parameters import Parameters
from include.rules.recorded import (
    Approved,
    alive,
    approved,
    approved_by_city,
    attested,
    before_measures,
    began_before,
    by_attestation,
    design_handed_in,
    design_replied,
    happened,
    is_early,
    lacking,
    until_next,
)
from include.rules.records import Contract, Dossier, PlanYear, UpgradeTarget
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import earliest
from include.rules.verdict import Outcome

CENTRES = {"machine_room": "机房", "cloud_platform": "云平台", "data_centre": "实体数据中心"}
NATURES = {"new": "新建", "continued": "续建", "extended": "扩建", "rebuilt": "改建"}


def _last_of_month(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _month(name: str, year: int, done: date | None, p: Parameters, on: date) -> int:
    """Return the month that counted when a thing was done, or counts while it is not; at the latest that of the end of its year."""
    return p.at(name, min(happened(done, on) or on, date(year, 12, 31)))


@law("demand-collected-in-july")
def demand_collected_in_july(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 11: each July the bureau collects the needs of the next year."""
    before, called = facts.year - 1, facts.plan_year.needs_called_on
    month = _month("needs_call_month", before, called, p, on)
    return in_window(Window("征集建设需求", date(before, month, 1), _last_of_month(before, month), called), p, on)


def _attested_of_year(facts: Facts, matter: str, act: str, done: date | None, on: date) -> Judgement:
    """Judge what people attest of a plan once it is due: no term is set, so when the act is recorded or the plan is drawn up.

    A year that is over is judged no more, so that nobody has to attest it again and again.
    """
    plan: PlanYear = facts.plan_year
    if on.year > facts.year:
        return Judgement(Outcome.NOT_APPLICABLE, "year_over", (f"{facts.year} 年度已过",))
    begun, last = earliest(happened(done, on), happened(plan.drafted_on, on)), date(facts.year, 12, 31)
    ahead = until_next(on, done, plan.drafted_on)
    if begun is None:
        step = f"{act}:未记;计划编制:未记"
        return Judgement(Outcome.NOT_APPLICABLE, "not_due_yet", (step,), {}, earliest(ahead, last))
    found = by_attestation(facts.attestations, matter, on, Outcome.WARN)
    steps = (f"{act}:{happened(done, on) or '未记'};计划编制:{happened(plan.drafted_on, on) or '未记'}", *found.steps)
    return Judgement(found.outcome, found.reason, steps, found.figures, earliest(found.holds_until, ahead, last))


@law("guide-deliberated")
def guide_deliberated(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 12: the bureau draws up the guide for applications and lays it before the leading group; people attest that."""
    return _attested_of_year(facts, "guide_deliberated", "申报指南印发", facts.plan_year.guide_issued_on, on)


@law("applications-jointly-reviewed")
def applications_jointly_reviewed(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 14: the bureau reviews what is applied for, together with offices and experts; people attest that of a year's."""
    return _attested_of_year(facts, "jointly_reviewed", "联合审核", facts.plan_year.joint_reviewed_on, on)


@law("plan-ready-by-october")
def plan_ready_by_october(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 15: the plan is drawn up before the end of October; no term is set for issuing it."""
    before, drafted = facts.year - 1, facts.plan_year.drafted_on
    closes = _last_of_month(before, _month("plan_due_month", before, drafted, p, on))
    return in_window(Window("编制形成年度计划", None, closes, drafted), p, on)


@law("applications-within-unit-count")
def applications_within_unit_count(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 13 para. 1: a department applies for no more projects than it has budget units; exactly as many are allowed."""
    applications, units = facts.applications, facts.budget_units
    figures = {"applications": applications, "units": units}
    steps = (f"申报 {applications} 个,财政预算单位 {units} 个",)
    if applications > units:
        return Judgement(Outcome.FAIL, "too_many", steps, figures)
    return Judgement(Outcome.PASS, "within", steps, figures)


@law("no-own-data-centre")
def no_own_data_centre(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 13(1): no 新建或扩建 of rooms, cloud platforms and data centres; other natures people look at."""
    content, nature = facts.content_class, facts.nature
    if content not in CENTRES:
        return Judgement(Outcome.PASS, "no_centre", ("项目内容不是机房、云平台、实体数据中心",))
    if early := began_before(facts, p, on, by_application=True):
        return early
    figures = {"content": CENTRES[content]}
    steps = (f"项目内容:{CENTRES[content]},建设性质:{NATURES.get(nature, '未填或未读到')}",)
    if nature is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing", steps)
    if nature in ("new", "extended"):
        return Judgement(Outcome.FAIL, "own_centre", steps, figures)
    return Judgement(Outcome.WARN, "centre_renewed", steps, figures)


@law("upgrade-target-alive")
def upgrade_target_alive(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 13(3): what is upgraded is in step with business and kept up; releases tell, or a person attests."""
    return began_before(facts, p, on, by_application=True) or _target_alive(facts, p, on)


def _target_alive(facts: Facts, p: Parameters, on: date) -> Judgement:
    dossier: Dossier = facts.dossier
    if dossier.upgrades_system_code is None:
        if facts.nature == "rebuilt":
            return lacking("改建项目所升级的系统编码")
        return Judgement(Outcome.NOT_APPLICABLE, "no_upgrade", ("项目档案未填所升级的系统",))
    target: UpgradeTarget | None = facts.upgrade_target
    if target is None or facts.attestations is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing")
    figures = {"system": target.system_code, "days": p["stale_days"]}
    if target.status == "stopped":
        return Judgement(Outcome.FAIL, "target_stopped", (f"系统 {target.system_code} 已停用",), figures)
    said = attested(facts.attestations, "upgrade_target_alive", on)
    if said.is_met is not None:
        outcome, reason = (Outcome.PASS, "attested_alive") if said.is_met else (Outcome.FAIL, "attested_out_of_step")
        return Judgement(outcome, reason, said.steps, figures, said.until)
    is_stale, step = staleness(target.last_released_on, target.went_live_on, p, on)
    steps = (step, *said.steps)
    if is_stale is None:
        return lacking("所升级系统的最近更新维护日", steps, said.until)
    if is_stale:
        return Judgement(Outcome.FAIL, "target_stale", steps, figures, said.until)
    days = (d for d in (target.last_released_on, target.went_live_on) if d)
    last = max(days) + timedelta(days=p["stale_days"])
    return Judgement(Outcome.PASS, "target_kept_up", steps, figures, earliest(last, said.until))


@law("not-duplicating-existing")
def not_duplicating_existing(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 13(4): whether other projects can do what this one would, people say."""
    if early := began_before(facts, p, on, by_application=True):
        return early
    return by_attestation(facts.attestations, "not_duplicating", on, Outcome.FAIL)


@law("in-annual-plan-or-approved")
def in_annual_plan_or_approved(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 16: what is applied for stands in a plan, or the city government approved its money. Nothing of before the measures."""
    mine = alive(facts.approvals, "feasibility")
    days = [d for a in mine for d in (a.submitted_on, a.accepted_on, a.decided_on) if d]
    past = [d for d in days if d <= on]
    until = until_next(on, *days)
    if not past:
        if mine and not days:
            return lacking("可研申报和批复日期")
        return Judgement(Outcome.NOT_APPLICABLE, "not_applied", ("尚未报批可研",), {}, until)
    if is_early(max(past), p):
        return before_measures(f"可研最近一次申报或批复在 {max(past)}", p, until)
    places = facts.plan_places
    if places:
        years = "、".join(str(y) for y in sorted({place.plan_year for place in places}))
        return Judgement(Outcome.PASS, "in_plan", (f"列入 {years} 年度计划",), {"years": years})
    dossier: Dossier | None = facts.dossier
    if dossier is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing", ("未列入年度计划",))
    return _off_plan(dossier, on)


def _off_plan(dossier: Dossier, on: date) -> Judgement:
    number, day = dossier.off_plan_approval_no, dossier.off_plan_approved_on
    steps = ("未列入年度计划", f"计划外项目市政府批准文号:{number or '未填'},批准日期:{day or '未填'}")
    return approved_by_city(number, day, on, steps, ("approved_off_plan", "not_in_plan"))


@law("not-started-before-approval")
def not_started_before_approval(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 16: 不得未批先建. Building begins with works or the first contract; on the day of the approval is not before it."""
    dossier: Dossier = facts.dossier
    contracts: Sequence[Contract] | None = facts.contracts
    signed = [c.signed_on for c in contracts or ()]
    built, bound = happened(dossier.construction_started_on, on), earliest(*(happened(d, on) for d in signed))
    started = earliest(built, bound)
    until = until_next(on, dossier.construction_started_on, *signed)
    steps = (f"开工日期:{built or '未记'};最早合同签订:{'未读到' if contracts is None else bound or '未记'}",)
    blank = "合同签订日期" if None in signed else ""
    is_open = contracts is None or bool(blank)
    if started is None:
        if is_open:
            return lacking(blank, steps, until)
        return Judgement(Outcome.NOT_APPLICABLE, "not_started", steps, {}, until)
    if is_early(started, p):
        return before_measures(steps[0], p, until)
    found = _before(dossier, facts, started, is_contract=built != started, on=on, steps=steps)
    if is_open and found.outcome is Outcome.PASS:
        found = lacking(blank, found.steps, found.holds_until)
    return Judgement(found.outcome, found.reason, found.steps, found.figures, earliest(until, found.holds_until))


def _before(
    dossier: Dossier, facts: Facts, started: date, *, is_contract: bool, on: date, steps: tuple[str, ...]
) -> Judgement:
    """Return whether the approvals that building needs came no later than its first day."""
    act = "签订合同" if is_contract else "开工"
    feasible = approved(facts.approvals, "feasibility", on)
    figures = {"started": started, "act": act, "approved": feasible.day}
    if feasible.day is None:
        if feasible.lacks:
            return lacking(feasible.lacks, steps, feasible.until)
        if dossier.higher_approval_no:
            return _only_higher(dossier, "可研批复", steps, figures, feasible.until)
        return Judgement(Outcome.FAIL, "no_approval", (*steps, "未见可研批复"), figures, feasible.until)
    steps += (f"可研 {feasible.day} 批复",)
    if started < feasible.day:
        return Judgement(Outcome.FAIL, "contract_early" if is_contract else "started_early", steps, figures)
    if dossier.merged_ground and not design_handed_in(dossier, facts.approvals, on):
        ahead = until_next(on, dossier.design_submitted_on, dossier.design_reply_on)
        return Judgement(Outcome.PASS, "approved_first", (*steps, "合并审批,不另批初步设计"), figures, ahead)
    found = _after_design(dossier, design_replied(dossier, facts.approvals, on), started, steps, figures)
    if dossier.merged_ground and found.outcome is not Outcome.PASS:
        words = (*found.steps, "登记了合并审批情形,又有初步设计报审或批复")
        return Judgement(Outcome.UNKNOWN, "records_disagree", words, figures, found.holds_until)
    return found


def _only_higher(
    dossier: Dossier, absent: str, steps: tuple[str, ...], figures: dict[str, object], until: date | None
) -> Judgement:
    """Return that only the state or the province approved: art. 20 makes a project fit for review, and ends neither approval."""
    words = (*steps, f"国家或省批复:{dossier.higher_approval_no};未见{absent}")
    return Judgement(Outcome.WARN, "only_higher_approval", words, figures | {"absent": absent}, until)


def _after_design(
    dossier: Dossier, design: Approved, started: date, steps: tuple[str, ...], figures: dict[str, object]
) -> Judgement:
    figures = figures | {"approved": design.day}
    if design.lacks:
        return lacking(design.lacks, steps, design.until)
    if design.day is None and dossier.higher_approval_no:
        return _only_higher(dossier, "初步设计批复", steps, figures, design.until)
    if design.day is None:
        return Judgement(Outcome.FAIL, "no_design_reply", (*steps, "未见初步设计批复"), figures, design.until)
    steps += (f"初步设计 {design.day} 批复",)
    if started < design.day:
        return Judgement(Outcome.FAIL, "started_before_design", steps, figures)
    return Judgement(Outcome.PASS, "approved_first", steps, figures)
