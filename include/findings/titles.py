"""What outcomes, events, roles and kinds of subjects are called: Chinese for departments, English for whoever does not read it.

Sentences of verdicts are recorded in Chinese and stay Chinese in either language.
"""

from __future__ import annotations

from collections.abc import Mapping

from include.rules.verdict import OUTCOME_WORDS, Outcome

Titles = Mapping[str, tuple[str, str]]
"""Name → what it is called in Chinese and in English."""

LANGUAGES = ("zh", "en")

SCOPES = {"interconnection": "互联互通", "catalogues": "资源目录", "systems": "信息系统", "regulation": "办法执行"}
"""Scopes of rules, in Chinese."""

_ENGLISH = {
    Outcome.PASS: "as it should be", Outcome.FAIL: "lead", Outcome.WARN: "hint", Outcome.UNKNOWN: "unknown",
    Outcome.NOT_APPLICABLE: "not applicable",
}  # fmt: skip
OUTCOMES: Titles = {o.value: (OUTCOME_WORDS[o], english) for o, english in _ENGLISH.items()} | {
    "none": ("无判定", "no verdict")
}

STATES: Titles = {"open": ("未了结", "open"), "settled": ("已处理结案", "settled"), "resolved": ("已了结", "resolved")}
"""Of a finding as it is shown: what the machine still sees and two people settled is no longer counted as open."""

HANDLING: Titles = {
    "new": ("尚无人处理", "nobody has taken it up"), "acknowledged": ("已签收", "acknowledged"),
    "rectifying": ("整改中", "being put right"), "waived": ("已豁免", "waived"), "disputed": ("有异议", "contested"),
    "attested": ("已人工认定", "attested by a person"), "settled": ("已处理结案", "settled: cannot be mended, was handled"),
}  # fmt: skip

KINDS: Titles = {
    "opened": ("出现", "opened"), "worsened": ("加重", "worsened"), "eased": ("减轻", "eased"),
    "reason_changed": ("原因变化", "another reason"), "resolved": ("了结", "resolved"),
    "reopened": ("再次出现", "reopened"), "unverified": ("证据不足,待核", "unverified"),
    "verified": ("重新核实", "verified"), "acknowledged": ("签收", "acknowledged"),
    "rectifying": ("整改", "being put right"), "waived": ("豁免", "waived"), "disputed": ("异议", "contested"),
    "attested": ("人工认定", "attested"), "settled": ("处理结案", "settled"), "withdrawn": ("撤回处置", "decision taken back"),
    "waiver_ended": ("豁免终止", "waiver ended"), "dispute_ended": ("异议到期", "dispute ended"),
    "attestation_ended": ("认定到期", "attestation ended"), "settlement_ended": ("结案终止", "settlement ended"),
    "rectification_overdue": ("整改逾期", "overdue"),
    "rule_changed": ("规则变更", "the rule changed"),
}  # fmt: skip
"""Events of findings."""

MODALITIES: Titles = {
    "must": ("应当", "must"), "in_principle": ("原则上", "in principle (原则上)"), "may": ("可以", "may"),
    "scope": ("适用范围", "scope"),
}  # fmt: skip

SEVERITIES: Titles = {
    "critical": ("特别重要", "critical"), "high": ("重要", "high"), "medium": ("一般", "medium"),
    "low": ("轻微", "low"),
}  # fmt: skip

CONFIRMED: Titles = {"confirmed": ("已确认", "confirmed"), "unconfirmed": ("待确认", "not confirmed yet")}

SUBJECTS: Titles = {
    "system": ("信息系统", "system"), "project": ("项目", "project"), "source": ("来源", "source"),
    "contract": ("合同", "contract"), "plan_entry": ("计划条目", "plan entry"),
    "plan_year": ("计划年度", "plan year"), "department_year": ("部门申报", "application of a department"),
    "rectification": ("整改通知", "notice to put right"), "calendar": ("工作日历", "working-day calendar"),
}  # fmt: skip

ROLES: Titles = {
    "unit": ("建设(使用)单位", "the unit"), "operator": ("流水线值班工程师", "the engineer on duty"),
    "bureau_cloud": ("市数据局(云平台)", "data bureau (cloud)"), "bureau_data": ("市数据局(数据资源)", "data bureau (data)"),
    "bureau_exchange": ("市数据局(共享交换)", "data bureau (exchange)"),
    "bureau_office": ("市数据局(办公室)", "data bureau (office)"),
    "bureau_projects": ("市数据局(项目管理)", "data bureau (projects)"),
    "bureau_security": ("市数据局(网络安全)", "data bureau (security)"),
    "drc": ("市发展改革委", "development and reform commission"), "finance": ("市财政局", "finance bureau"),
    "section_head": ("科室负责人", "head of section"), "bureau_leader": ("局领导", "head of the bureau"),
}  # fmt: skip
"""Who is told, by the roles of the cards and of the routes."""

UNITS: Titles = {
    "days": ("天", "days"), "workdays": ("个工作日", "working days"), "months": ("个月", "months"), "percent": ("%", "%"),
    "basis_points": ("/10000", "/10000"), "people": ("人", "people"), "calls": ("次", "calls"), "times": ("次", "times"),
    "yuan": ("元", "yuan"), "code": ("", ""), "day": ("", ""),
}  # fmt: skip


def counted(counts: Mapping[str, int]) -> str:
    """Return how many verdicts had which outcome, in Chinese."""
    return "、".join(f"{zh} {counts[name]}" for name, (zh, _) in OUTCOMES.items() if name in counts) or "没有对象"


def title(titles: Titles, name: str | None, lang: str) -> str:
    """Return what something is called in a language; its own name where nobody has given it one."""
    if name is None:
        return "—"
    return titles[name][LANGUAGES.index(lang)] if name in titles else name
