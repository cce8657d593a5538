"""Chapter 7, 监督管理和责任追究: rectification (art. 33), what upkeep money depends on (36), procedures gone through (37).

What follows from a finding, for money and for people, others decide: a roll-up gathers leads (线索).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from include.rules.catalogued import BEFORE_ACCEPTANCE, Due, compiled, without_entries
from include.rules.deadlines import Window, in_window
from include.rules.facts import Catalogued, PendingProject
from include.rules.law.chapter_5 import OTHER_METHOD, result_filed
from include.rules.parameters import Parameters
from include.rules.recorded import Attested, attested, before_measures, happened, is_early, lacking, until_next
from include.rules.records import Contract, Part, Rectification
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import earliest
from include.rules.verdict import OUTCOME_WORDS, Outcome


@law("data-catalogue-compiled")
def data_catalogue_compiled(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 36: a system that is run on public money, of whatever age, is in the catalogue of data resources."""
    due = Due(Outcome.FAIL, "在用系统未纳入数据资源目录的,不予安排运行维护经费")
    return compiled(facts.data_entries, BEFORE_ACCEPTANCE if facts.status == "trial" else due)


@law("shared-entries-mounted")
def shared_entries_mounted(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 36: an entry that is called shared can be had, through a table, a file or an interface mounted on it."""
    found: Catalogued = facts.data_entries
    if empty := without_entries(found):
        return empty
    figures = {"shared": found.shared, "mounted": found.mounted, "left": found.shared - found.mounted}
    steps = (f"可共享目录 {found.shared} 条,已挂接 {found.mounted} 条;共享类型不详 {found.share_unknown} 条",)
    if found.mounted < found.shared:
        if found.mounted:
            return Judgement(Outcome.WARN, "partly_mounted", steps, figures)
        return Judgement(Outcome.FAIL, "none_mounted", steps, figures)
    if found.share_unknown:
        return Judgement(Outcome.UNKNOWN, "share_type_unstated", steps, {"count": found.share_unknown})
    return Judgement(Outcome.PASS, "mounted" if found.shared else "nothing_shared", steps, figures)


@law("rectified-in-time-or-funds-paused")
def rectified_in_time_or_funds_paused(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 33 para. 2: what an office finds is put right and reported in time; else money is held back until it is."""
    notice: Rectification = facts.rectification
    dates = (notice.issued_on, notice.reported_on, notice.funds_paused_on, notice.funds_resumed_on)
    until = until_next(on, *dates)
    steps = (f"{notice.issued_on} {notice.issued_by}下达,整改期限 {notice.due_on}",)
    if notice.issued_on > on:
        return Judgement(Outcome.NOT_APPLICABLE, "not_issued_yet", steps, {}, until)
    if is_early(notice.issued_on, p):
        return before_measures(steps[0], p)
    if min(notice.due_on, notice.reported_on or notice.due_on) < notice.issued_on:
        return Judgement(Outcome.UNKNOWN, "dates_disagree", (*steps, "期限或报告早于下达"), {}, until)
    found = _rectified(notice, p, on)
    if found.outcome is Outcome.FAIL and _is_paused(notice, on):
        found = Judgement(
            Outcome.WARN, "paused", (*found.steps, f"{notice.funds_paused_on} 起暂缓资金安排"), found.figures
        )
    figures = {"due": notice.due_on, "reported": notice.reported_on, "paused": notice.funds_paused_on, **found.figures}
    held = earliest(found.holds_until, until)
    return Judgement(found.outcome, found.reason, (*steps, *found.steps), figures, held)


def _rectified(notice: Rectification, p: Parameters, on: date) -> Judgement:
    """Return whether a notice was answered, money aside."""
    reported = happened(notice.reported_on, on)
    if reported is None:
        if notice.result and notice.reported_on is None:
            return lacking("整改报告日期", (f"已登记整改结果“{_RESULTS[notice.result]}”",))
        return in_window(Window("完成整改并报告", None, notice.due_on, None), p, on)
    is_late = reported > notice.due_on
    steps = (f"{reported} 报告整改结果,{'晚于期限' if is_late else '按期'};审核结果:{_RESULTS[notice.result]}",)
    if notice.result == "rejected":
        return Judgement(Outcome.FAIL, "rejected", steps)
    if is_late:
        return Judgement(Outcome.WARN, "rectified_late" if notice.result else "reported_late", steps)
    return Judgement(Outcome.PASS, "rectified" if notice.result else "reported", steps)


_RESULTS = {"accepted": "符合要求", "rejected": "不符合要求", None: "未填"}


def _is_paused(notice: Rectification, on: date) -> bool:
    """Return whether money is held back on a day; on the day it is released it no longer is."""
    return bool(happened(notice.funds_paused_on, on)) and not happened(notice.funds_resumed_on, on)


def _of(parts: Iterable[Part], outcome: Outcome) -> list[str]:
    return [part.title for part in parts if part.outcome is outcome]


def _steps(parts: Iterable[Part]) -> tuple[str, ...]:
    return tuple(f"{OUTCOME_WORDS[part.outcome]}:{part.title}——{part.sentence}" for part in parts)


@law("om-funding-eligible")
def om_funding_eligible(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 36: leads on systems that share no data, collect them again, are in no catalogue, or are not safe; who pays decides.

    That data are collected again no register shows: it counts where a person attested it.
    """
    parts: Sequence[Part] = facts.parts
    records = facts.attestations
    unread = Attested(None, ("人工认定未读到",), None)
    said = unread if records is None else attested(records, "no_duplicate_collection", on)
    steps = (*_steps(parts), *(f"数据不重复采集:{step}" for step in said.steps))
    adverse = _of(parts, Outcome.FAIL) + (["数据不重复采集"] if said.is_met is False else [])
    kinds = (
        (adverse, Outcome.WARN, "not_eligible"), (_of(parts, Outcome.UNKNOWN), Outcome.UNKNOWN, "eligibility_unknown"),
        (_of(parts, Outcome.WARN), Outcome.WARN, "to_look_at"),
    )  # fmt: skip
    for titles, outcome, reason in kinds:
        if titles:
            return Judgement(outcome, reason, steps, {"which": "、".join(titles)}, said.until)
    return Judgement(Outcome.PASS, "eligible", steps, {}, said.until)


BARRED = ("new", "rebuilt", "extended")
"""Natures of the projects that art. 36 bars: 新建、改建、扩建; where the nature is not known it may be one of them."""


@law("no-new-project-while-not-eligible")
def no_new_project_while_not_eligible(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 36: who owns a system that gets no upkeep money builds none anew: a lead on what its unit has applied for."""
    every: Sequence[PendingProject] = facts.pending_projects
    until = until_next(on, *(x.applied_on for x in every))
    applied = [x for x in every if x.applied_on <= on and x.nature in (*BARRED, None)]
    titles = "、".join(f"{x.name}({x.code})" for x in applied)
    if not applied:
        return Judgement(
            Outcome.NOT_APPLICABLE, "nothing_applied_for", ("同单位没有待批的新建、改建、扩建项目",), {}, until
        )
    found = om_funding_eligible(facts, p, on)
    until = earliest(until, found.holds_until)
    steps = (f"同单位待批项目:{titles}", *found.steps)
    figures = {**found.figures, "projects": titles}
    if found.reason == "eligibility_unknown":
        return Judgement(Outcome.UNKNOWN, "eligibility_unknown", steps, figures, until)
    if found.reason != "not_eligible":
        return Judgement(Outcome.PASS, "builder_eligible", steps, figures, until)
    if all(x.nature is None for x in applied):
        return lacking("待批项目的建设性质", steps, until)
    return Judgement(Outcome.WARN, "builder_not_eligible", steps, figures, until)


@law("procedures-completed")
def procedures_completed(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 37: leads on procedures of approval, filing and acceptance that were not gone through; what follows people decide.

    The results of procurement (art. 24) are filed contract by contract, so that its contracts are looked at beside the rules on the
    project. That a line of the plan is reported on the platform (art. 18) needs no look: what is judged here stands on it.
    Where nothing that falls short can be made good any more, the reason says so: then the lead can be settled as a whole.
    """
    contracts: Sequence[Contract] | None = facts.contracts
    parts = [*facts.parts, *_filings(contracts, p, on)]
    steps, until = _steps(parts), earliest(*(part.holds_until for part in parts))
    short = [part for part in parts if part.outcome in (Outcome.FAIL, Outcome.WARN)]
    is_past = all(part.is_past_mending for part in short)
    kinds = (
        (Outcome.FAIL, "past_mending" if is_past else "not_completed"), (Outcome.UNKNOWN, "not_known"),
        (Outcome.WARN, "past_mending" if is_past else "to_look_at"),
    )  # fmt: skip
    for outcome, reason in kinds:
        if titles := _of(parts, outcome):
            return Judgement(outcome, reason, steps, {"which": "、".join(dict.fromkeys(titles))}, until)
    return Judgement(Outcome.PASS, "completed", steps, {}, until)


def _filings(contracts: Sequence[Contract] | None, p: Parameters, on: date) -> Iterator[Part]:
    """Yield what is to be said of the filing of each contract's result, worded by the last step of how it was judged."""
    rule, title = "tender-result-filed", "采购结果报市数据局备案"
    if contracts is None:
        yield Part(rule, title, Outcome.UNKNOWN, "evidence_missing", "合同未读到")
    for contract in contracts or ():
        found = result_filed(contract, p, on)
        blank = found.figures.get("missing")
        said = f"缺少{blank}" if blank else found.steps[-1]
        sentence = f"合同 {contract.contract_no}:{said}"
        is_past = found.reason == OTHER_METHOD
        named = f"{title}({contract.contract_no})"
        yield Part(rule, named, found.outcome, found.reason, sentence, found.holds_until, is_past)
