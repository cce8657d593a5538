"""Chapter 4, 项目审批和资金管理: review, reply and design (arts. 17–19), merged approval (20), filing (21), what is spent (23)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from include.rules.deadlines import Term, by_deadline
from include.rules.parameters import Parameters
from include.rules.recorded import (
    approval_day,
    approved,
    before_measures,
    design_handed_in,
    design_replied,
    happened,
    is_early,
    lacking,
    until_next,
)
from include.rules.records import Approval, Contract, Dossier, Suspension
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import earliest
from include.rules.verdict import Outcome

GROUNDS = {
    "extension": "部分扩建、改建",
    "urgent": "重大事件或紧急建设",
    "simple": "内容单一、规模小、技术简单或单纯设备购置",
}
HALTED = {"correction": "补正", "suspended": "中止"}
"""States of an item in which, the platform says, its term does not run."""


def _of(clock: str, suspensions: Iterable[Suspension]) -> tuple[Suspension, ...]:
    return tuple(s for s in suspensions if s.clock == clock)


@law("review-within-15-working-days")
def review_within_15_working_days(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 17 para. 2: the bureau gives its opinion on a unit's feasibility report in 15 working days."""
    dossier: Dossier = facts.dossier
    started = dossier.review_requested_on
    if started and is_early(started, p):
        return before_measures(f"市数据局 {started} 收到可研报告", p)
    term = Term(
        "市数据局收到可研报告", "出具评审意见", p.at("review_working_days", started), started, dossier.review_opinion_on,
        _of("review", facts.suspensions),
    )  # fmt: skip
    return by_deadline(term, p, on)


@law("review-opinion-before-approval")
def review_opinion_before_approval(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 17 para. 2: the opinion is a 必备要件 of the approval; one of the same day came before it."""
    day = approval_day(facts.approvals, p, on)
    if isinstance(day, Judgement):
        return day
    dossier: Dossier = facts.dossier
    opinion = dossier.review_opinion_on
    steps = (f"评审意见:{opinion or '未见'}({dossier.review_opinion_no or '无文号'});可研 {day} 批复",)
    figures = {"opinion": opinion, "approved": day}
    if opinion is None:
        return Judgement(Outcome.FAIL, "no_opinion", steps, figures)
    if opinion > day:
        return Judgement(Outcome.FAIL, "opinion_after_approval", steps, figures)
    return Judgement(Outcome.PASS, "opinion_first", steps, figures)


@law("reported-on-provincial-platform")
def reported_on_provincial_platform(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 18: what stands in a plan is reported on the provincial platform; found there by its code, never by its name."""
    code = facts.project_code
    if code is None:
        return Judgement(Outcome.WARN, "no_code", ("年度计划未填项目代码",))
    is_there = facts.is_on_platform
    if is_there is None:
        return Judgement(Outcome.UNKNOWN, "evidence_missing", (f"项目代码 {code}",))
    if not is_there:
        return Judgement(Outcome.FAIL, "not_on_platform", (f"项目代码 {code},平台未查到",), {"project": code})
    if facts.is_void:
        return Judgement(Outcome.WARN, "code_void", (f"项目代码 {code},平台已作废",), {"project": code})
    return Judgement(Outcome.PASS, "on_platform", (f"项目代码 {code},平台可查",), {"project": code})


@law("reply-within-8-working-days")
def reply_within_8_working_days(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 18: the reply to a feasibility report comes within 8 working days of its acceptance on the platform.

    Of several items the newest is judged. Without a time of acceptance that of handing in stands for it, marked provisional.
    """
    items = [a for a in facts.approvals if a.kind == "feasibility" and a.state not in ("draft", "withdrawn")]
    until = until_next(on, *(_start(a) for a in items))
    item = max(items, key=lambda a: (happened(_start(a), on) or date.min, a.item_id), default=None)
    started = _start(item) if item else None
    if item is None or started is None or started > on:
        return Judgement(Outcome.NOT_APPLICABLE, "not_begun", ("平台没有可研受理或申报日期",), {}, until)
    if is_early(started, p):
        return before_measures(f"可研报告 {started} 受理或申报", p, until)
    steps = () if item.accepted_on else (f"平台未记受理日期,以申报日期 {item.submitted_on} 暂代,结果暂定",)
    if item.decided_on is None and item.state in ("approved", "rejected", "revoked"):
        return lacking("可研批复日期", steps, until)
    pauses = _of("reply", facts.suspensions)
    if item.state in HALTED and not any(_runs(s, on) for s in pauses) and not happened(item.decided_on, on):
        words = (*steps, f"平台办理状态为“{HALTED[item.state]}”,未登记中止起止日期")
        ahead = until_next(on, item.decided_on, *(s.begun_on for s in pauses))
        return Judgement(Outcome.UNKNOWN, "suspension_unrecorded", words, {}, earliest(until, ahead))
    days = p.at("reply_working_days", started)
    found = by_deadline(Term("市发展改革委受理可研报告", "批复可研报告", days, started, item.decided_on, pauses), p, on)
    held = earliest(found.holds_until, until)
    return Judgement(found.outcome, found.reason, (*steps, *found.steps), found.figures, held)


def _start(item: Approval) -> date | None:
    return item.accepted_on or item.submitted_on


def _runs(pause: Suspension, on: date) -> bool:
    return pause.begun_on <= on and (pause.ended_on is None or pause.ended_on > on)


@law("design-reply-within-20-working-days")
def design_reply_within_20_working_days(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 19: the bureau replies to the preliminary design in 20 working days; art. 20: not where it was merged."""
    dossier: Dossier = facts.dossier
    started, ground = dossier.design_submitted_on, dossier.merged_ground
    if ground:
        return _merged(dossier, on)
    if started and is_early(started, p):
        return before_measures(f"市数据局 {started} 收到初步设计", p)
    term = Term(
        "市数据局收到初步设计材料", "出具评审批复意见", p.at("design_working_days", started), started,
        dossier.design_reply_on, _of("design", facts.suspensions),
    )  # fmt: skip
    return by_deadline(term, p, on)


def _merged(dossier: Dossier, on: date) -> Judgement:
    """Return that no term runs where the approval was merged; or that the records contradict that."""
    steps = (f"合并审批({GROUNDS[str(dossier.merged_ground)]}),仅审批可研",)
    until = until_next(on, dossier.design_submitted_on, dossier.design_reply_on)
    if design_handed_in(dossier, (), on):
        return Judgement(Outcome.UNKNOWN, "records_disagree", (*steps, "另有初步设计报审或批复"), {}, until)
    return Judgement(Outcome.NOT_APPLICABLE, "merged", steps, {}, until)


@law("merged-approval-has-ground")
def merged_approval_has_ground(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 20: only some projects have their feasibility report approved alone. 投资规模小 has no figure: people judge it."""
    day = approval_day(facts.approvals, p, on)
    if isinstance(day, Judgement):
        return day
    dossier: Dossier = facts.dossier
    ahead, ground = until_next(on, dossier.design_submitted_on, dossier.design_reply_on), dossier.merged_ground
    if design_handed_in(dossier, facts.approvals, on):
        if ground:
            words = (f"登记合并审批情形:{GROUNDS[ground]}", "另有初步设计报审或批复")
            return Judgement(Outcome.UNKNOWN, "records_disagree", words)
        return Judgement(Outcome.NOT_APPLICABLE, "not_merged", ("另有初步设计报审",))
    steps: tuple[str, ...] = (f"可研 {day} 批复,未见初步设计报审",)
    if dossier.higher_approval_no:
        steps += (f"国家或省批复:{dossier.higher_approval_no},不免初步设计评审",)
    if ground is None:
        return Judgement(Outcome.WARN, "no_ground", (*steps, "未登记合并审批情形"), {}, ahead)
    figures, steps = {"ground": GROUNDS[ground]}, (*steps, f"合并审批情形:{GROUNDS[ground]}")
    if ground == "extension" and facts.nature not in ("extended", "rebuilt"):
        if facts.nature is None:
            return lacking("", steps, ahead)
        return Judgement(Outcome.WARN, "ground_disputed", (*steps, "建设性质不是扩建、改建"), figures, ahead)
    return Judgement(Outcome.PASS, "merged_on_ground", steps, figures, ahead)


@law("approvals-filed-with-bureau")
def approvals_filed_with_bureau(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 21: who builds itself files both approvals with the bureau. No term is set, so that nothing is late."""
    dossier: Dossier = facts.dossier
    first = approved(facts.approvals, "feasibility", on)
    second = design_replied(dossier, facts.approvals, on)
    both = (("可研批复", first, dossier.feasibility_filed_on), ("初步设计批复", second, dossier.design_filed_on))
    due = [(name, found.day, filed) for name, found, filed in both if found.day and not is_early(found.day, p)]
    until = earliest(first.until, second.until, until_next(on, *(filed for _, _, filed in due)))
    steps = tuple(f"{name} {day},备案:{happened(filed, on) or '未见'}" for name, day, filed in due)
    left = "、".join(name for name, _, filed in due if not happened(filed, on))
    if left:
        return Judgement(Outcome.WARN, "not_filed", steps, {"left": left}, until)
    if any(filed and filed < day for _, day, filed in due):
        return Judgement(Outcome.UNKNOWN, "dates_disagree", (*steps, "备案早于批复"), {}, until)
    if lacks := first.lacks or second.lacks:
        return lacking(lacks, steps, until)
    if due:
        return Judgement(Outcome.PASS, "filed", steps, {}, until)
    if first.day or second.day:
        return before_measures(f"可研批复:{first.day or '未见'},初步设计批复:{second.day or '未见'}", p, until)
    return Judgement(Outcome.NOT_APPLICABLE, "not_approved_yet", ("可研、初步设计尚未批复",), {}, until)


@law("contracts-within-approved-investment")
def contracts_within_approved_investment(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 23: what is procured stays within what was approved; of money this is the sum of the contracts.

    What was all signed before the measures is not judged; what was, counts into the sum where more was signed since.
    """
    contracts: tuple[Contract, ...] = facts.contracts
    signed = [c for c in contracts if c.signed_on is None or c.signed_on <= on]
    until = until_next(on, *(c.signed_on for c in contracts))
    if not signed:
        return Judgement(Outcome.NOT_APPLICABLE, "no_contract", ("没有已签订的合同",), {}, until)
    newest = max((c.signed_on for c in signed if c.signed_on), default=None)
    is_blank = any(c.signed_on is None for c in signed)
    if newest and is_early(newest, p) and not is_blank:
        return before_measures(f"最近一份合同 {newest} 签订", p, until)
    total = sum((c.amount_yuan for c in signed), Decimal(0))
    dossier: Dossier = facts.dossier
    limit = dossier.approved_investment_yuan
    step = f"合同 {len(signed)} 份,合计 {total:,.2f} 元"
    if limit is None:
        return lacking("批复概算", (step,), until)
    if total > limit and newest and is_early(newest, p):
        return lacking("合同签订日期", (step,), until)
    figures = {"total": f"{total:,.2f}", "limit": f"{limit:,.2f}", "over": f"{total - limit:,.2f}"}
    outcome, reason = (Outcome.WARN, "over") if total > limit else (Outcome.PASS, "within")
    return Judgement(outcome, reason, (step, f"批复概算 {limit:,.2f} 元"), figures, until)
