"""Chapter 6, 项目验收和绩效管理, for projects: the conditions of acceptance (art. 29).

They are judged as a gate, on the day of the acceptance that counts. What should have come before it and came after is a warning,
for it cannot be mended; what is still not there is a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from include.rules.accepted import Accepted, accepted
from include.rules.facts import Catalogued
from include.rules.law.chapter_5 import money
from include.rules.law.chapter_5_security import REPORTS, due_reports, ends_on, is_adverse, is_concluded
from include.rules.parameters import Parameters
from include.rules.recorded import happened, lacking, until_next
from include.rules.records import Assessment, Contract, Dossier
from include.rules.rule import Facts, Judgement, law
from include.rules.shapes import earliest
from include.rules.verdict import Outcome
from include.rules.workdays import months_after


@law("trial-run-one-month")
def trial_run_one_month(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 29(1): what the contract asks for is done, and the trial run took a month or more before the acceptance."""
    dossier: Dossier = facts.dossier
    started, ended = dossier.trial_started_on, dossier.trial_ended_on
    gate = accepted(facts.acceptances, p, on)
    if isinstance(gate, Judgement):
        return _not_accepted(gate, started, on)
    months = p.at("trial_run_months", gate.day)
    figures = {"started": started, "accepted": gate.day, "months": months}
    steps: tuple[str, ...] = (f"{gate.day} 通过验收;试运行自 {started or '未记'} 至 {ended or '未记'}",)
    if started is None or started > gate.day:
        return Judgement(Outcome.WARN, "no_trial", (*steps, "验收前未见试运行"), figures, gate.until)
    if dossier.is_scope_completed is False:
        return Judgement(Outcome.WARN, "scope_incomplete", (*steps, "合同约定内容未完成"), figures, gate.until)
    if ended and ended < started:
        return Judgement(Outcome.UNKNOWN, "dates_disagree", (*steps, "结束早于开始"), figures, gate.until)
    full, last = months_after(started, months), min(ended or gate.day, gate.day)
    steps += (f"满 {months} 个月为 {full},验收前试运行至 {last}",)
    if last < full:
        return Judgement(Outcome.WARN, "trial_short", steps, figures | {"last": last}, gate.until)
    if dossier.is_scope_completed is None:
        return lacking("是否完成合同约定内容", steps, gate.until)
    return Judgement(Outcome.PASS, "trial_run", steps, figures, gate.until)


def _not_accepted(gate: Judgement, started: date | None, on: date) -> Judgement:
    """Return what is to be said of a trial before there is an acceptance that counts."""
    if gate.reason != "not_accepted_yet":
        return gate
    until = earliest(gate.holds_until, until_next(on, started))
    if happened(started, on):
        steps = (*gate.steps, f"试运行自 {started} 开始")
        return Judgement(Outcome.NOT_APPLICABLE, "trial_running", steps, {"started": started}, until)
    return Judgement(gate.outcome, gate.reason, gate.steps, {}, until)


@law("assessments-before-acceptance")
def assessments_before_acceptance(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 29(2): reports on protection level, cipher and risk, as far as the grades of the systems ask for them.

    By acceptance there is one of each that is valid on that day and not adverse. A report that names no system is on all that the
    project built.
    """
    gate = accepted(facts.acceptances, p, on)
    if isinstance(gate, Judgement):
        return gate
    reports: tuple[Assessment, ...] = facts.assessments
    systems, levels = facts.systems, facts.protection_levels
    graded = list(zip(systems, levels or (None,) * len(systems), strict=True)) if systems else [(None, None)]
    found = [one for system, level in graded for one in _reports(system, level, reports, gate, p, on)]
    until = earliest(gate.until, until_next(on, *(r.issued_on for r in reports)))
    steps = (f"{gate.day} 通过验收", *(f"{title}:{said}" for title, said in found))
    kinds = (
        ((ABSENT, EXPIRED), Outcome.FAIL, "not_assessed"), ((ADVERSE,), Outcome.WARN, "assessed_adverse"),
        ((OPEN, UNSTATED), Outcome.UNKNOWN, ""), ((LATE,), Outcome.WARN, "assessed_late"),
    )  # fmt: skip
    for said, outcome, reason in kinds:
        if (titles := _named(found, *said)) and outcome is Outcome.UNKNOWN:
            return lacking(_blank(found), steps, until)
        if titles:
            return Judgement(outcome, reason, steps, {"reports": titles}, until)
    return Judgement(Outcome.PASS, "assessed", steps, {}, until)


ABSENT, LATE, OPEN, DONE = "未见报告", "验收后才出具", "等保级别不详,验收前未见有效报告", "验收前已出具"
EXPIRED, ADVERSE, UNSTATED = "验收时已过有效期", "验收前的报告不符合或有重大风险", "验收前的报告未填有效期或结论"


def _reports(
    system: str | None, level: int | None, reports: Iterable[Assessment], gate: Accepted, p: Parameters, on: date
) -> Iterator[tuple[str, str]]:
    """Yield the reports that a system needs, or may need, with what there is of each."""
    due = due_reports(level)
    terms = due if level is not None else {"protection": None, "cipher": "cipher_days"} | due
    for kind, title in REPORTS.items():
        if level is not None and kind not in due:
            continue
        mine = [r for r in reports if r.kind == kind and (system is None or r.system_code in (None, system))]
        name = terms[kind]
        said = _stood(mine, p.at(name, gate.day) if name else None, gate, on)
        if kind not in due and said in (ABSENT, EXPIRED, LATE):
            said = OPEN
        yield f"系统 {system} {title}" if system else title, said


def _stood(reports: Iterable[Assessment], days: int | None, gate: Accepted, on: date) -> str:
    """Return how the newest report of a kind stood on the day of the acceptance, a later one aside."""
    ordered = sorted((r for r in reports if r.issued_on <= on), key=lambda r: (r.issued_on, r.report_no))
    past = [r for r in ordered if r.issued_on <= gate.day]
    absent = LATE if len(past) < len(ordered) else EXPIRED if past else ABSENT
    if not past:
        return absent
    ends = ends_on(past[-1], days)
    if ends and ends < gate.day:
        return absent
    if is_adverse(past[-1]):
        return ADVERSE
    return DONE if ends and is_concluded(past[-1]) else UNSTATED


def _blank(found: Iterable[tuple[str, str]]) -> str:
    pairs = list(found)
    graded, unstated = _named(pairs, OPEN), _named(pairs, UNSTATED)
    words = (graded and f"等保级别,据以判断是否须有{graded}", unstated and f"报告有效期或结论:{unstated}")
    return ";".join(filter(None, words))


def _named(found: Iterable[tuple[str, str]], *wanted: str) -> str:
    return "、".join(title for title, said in found if said in wanted)


@law("third-party-test-if-million")
def third_party_test_if_million(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 29(3): 超过100万元(含), read as a contract of 1 000 000 yuan or more; by contract, not by project."""
    gate = accepted(facts.acceptances, p, on)
    if isinstance(gate, Judgement):
        return gate
    contracts: tuple[Contract, ...] = facts.contracts
    mine = [c for c in contracts if c.signed_on is None or c.signed_on <= gate.day]
    if not mine:
        return lacking("验收前签订的合同", (f"{gate.day} 通过验收",), gate.until)
    limit = p.at("third_party_test_yuan", gate.day)
    largest = min(mine, key=lambda c: (-c.amount_yuan, c.contract_no))
    figures = {"contract": largest.contract_no, "amount": money(largest.amount_yuan), "limit": money(limit)}
    steps: tuple[str, ...] = (
        f"{gate.day} 通过验收;最大合同 {largest.contract_no} {figures['amount']},限额 {money(limit)}(含)",
    )
    if largest.amount_yuan < limit:
        return Judgement(Outcome.NOT_APPLICABLE, "below_limit", steps, figures, gate.until)
    days = [r.issued_on for r in facts.assessments if r.kind == "acceptance_test"]
    first, until = earliest(*(happened(day, on) for day in days)), earliest(gate.until, until_next(on, *days))
    steps += (f"第三方验收测评报告:{first or '未见'}",)
    if first is None:
        return Judgement(Outcome.FAIL, "not_tested", steps, figures, until)
    if first > gate.day:
        return Judgement(Outcome.WARN, "tested_late", steps, figures | {"tested": first}, until)
    return Judgement(Outcome.PASS, "tested", steps, figures | {"tested": first}, until)


@law("catalogue-and-data-delivered")
def catalogue_and_data_delivered(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 29(4): catalogues of data, components and cloud resources, and data collected; as the catalogues stand now.

    Whether there are components or cloud resources to catalogue at all only the unit knows, so that their absence is a warning.
    """
    gate = accepted(facts.acceptances, p, on)
    if isinstance(gate, Judgement):
        return gate
    data: Catalogued | None = facts.data_entries
    kinds = (
        ("数据目录", data, True),
        ("组件目录", facts.component_entries, False),
        ("云资源目录", facts.cloud_entries, False),
    )
    found = [_catalogued(*kind) for kind in kinds] + ([_collected(data)] if data and data.entries else [])
    steps = (f"{gate.day} 通过验收", *(step for one in found for step in one.steps))
    for outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.WARN):
        for one in found:
            if one.outcome is outcome:
                return Judgement(outcome, one.reason, steps, one.figures, gate.until)
    return Judgement(Outcome.PASS, "delivered", steps, {}, gate.until)


def _catalogued(title: str, found: Catalogued | None, is_sure: bool) -> Judgement:
    if found is None:
        return lacking("", (f"{title}未读到",))
    steps = (f"{title} {found.entries} 条,其中未注册 {found.drafts} 条;同单位未关联系统 {found.unlinked} 条",)
    figures = {"kind": title, "unlinked": found.unlinked}
    if found.entries > found.drafts:
        return Judgement(Outcome.PASS, "delivered", steps)
    if found.entries:
        return Judgement(Outcome.WARN, "only_drafts", steps, figures)
    if found.unlinked:
        return Judgement(Outcome.UNKNOWN, "unlinked_entries", steps, figures)
    if is_sure:
        return Judgement(Outcome.FAIL, "not_compiled", steps, figures)
    return Judgement(Outcome.WARN, "not_seen", steps, figures)


def _collected(found: Catalogued) -> Judgement:
    left = found.due - found.delivered - found.partly
    steps: tuple[str, ...] = (
        f"应归集 {found.due} 条:已归集 {found.delivered} 条,部分归集 {found.partly} 条,未归集 {left} 条",
    )
    figures = {"due": found.due, "left": left, "partly": found.partly, "count": found.collection_unknown}
    if left:
        return Judgement(Outcome.FAIL, "not_collected", steps, figures)
    if found.collection_unknown:
        steps += (f"归集状态不详 {found.collection_unknown} 条",)
        return Judgement(Outcome.UNKNOWN, "collection_unstated", steps, figures)
    if found.partly:
        return Judgement(Outcome.WARN, "partly_collected", steps, figures)
    return Judgement(Outcome.PASS, "delivered", steps)


@law("users-tested-public-service")
def users_tested_public_service(facts: Facts, p: Parameters, on: date) -> Judgement:
    """Art. 29(5): those served by a public service tested it, and it was improved."""
    gate = accepted(facts.acceptances, p, on)
    if isinstance(gate, Judgement):
        return gate
    dossier: Dossier = facts.dossier
    tested, is_improved = happened(dossier.users_tested_on, on), dossier.is_improved
    until = earliest(gate.until, until_next(on, dossier.users_tested_on))
    steps = (f"{gate.day} 通过验收;服务对象测试:{tested or '未见'};修改完善:{_DONE[is_improved]}",)
    if tested is None:
        return Judgement(Outcome.FAIL, "not_tested", steps, {}, until)
    if is_improved is False:
        return Judgement(Outcome.FAIL, "not_improved", steps, {"tested": tested}, until)
    if is_improved is None:
        return lacking("是否按测试意见修改完善", steps, until)
    outcome, reason = (Outcome.WARN, "tested_late") if tested > gate.day else (Outcome.PASS, "tested")
    return Judgement(outcome, reason, steps, {"tested": tested}, until)


_DONE = {True: "已完成", False: "未完成", None: "未填"}
