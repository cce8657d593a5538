"""What people read on the board for names that the ledger writes in English; findings' own words are `include.findings.titles`."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from include.alerts.incidents import CAUSE_WORDS, Cause
from include.alerts.message import REASON_WORDS, Reason
from include.findings.fact_text import fact_text
from include.findings.settlement import RESULTS
from include.findings.titles import HANDLING, KINDS, MODALITIES, OUTCOMES, ROLES, SCOPES, SEVERITIES, STATES, SUBJECTS
from include.findings.titles import title as titled

RECEIVERS = {role: words[0] for role, words in ROLES.items()} | {
    "section_head": "科室负责人", "bureau_leader": "局领导",
}  # fmt: skip

GROUPS = {
    "projects": "项目审批与计划", "exchange": "共享交换平台", "register": "信息系统登记", "systems": "上云与使用",
    "catalogues": "资源目录", "dossiers": "项目档案",
}  # fmt: skip
"""Groups of source cards."""

MESSAGE_STATES = {"pending": "待发送", "sent": "已发送", "dead": "未能送达"}
HOLD_STATES = {"held": "待放行", "released": "已放行"}
PROBES = {"up": "正常", "down": "不通", "unknown": "未定"}
ATTEMPTS = {"sent": "已送达", "refused": "被拒", "throttled": "被限流", "unreachable": "无应答"}

QUESTIONS = {
    "amount_disagrees": "平台与计划金额不一", "code_check_failed": "项目代码校验不符", "name_disagrees": "平台与计划名称不一",
    "plan_not_on_platform": "计划项目平台未查到", "plan_without_code": "计划项目未填代码",
    "platform_not_in_plan": "平台项目不在计划", "same_project_two_codes": "疑似同一项目两个代码", "two_owners": "一条记录两个归属",
    "unmapped_field": "未映射的字段", "unmapped_value": "未映射的取值",
}  # fmt: skip

CLOCKS = {
    "in_time": "按期完成", "late": "超期完成", "running": "计时中", "due_soon": "临近期限", "overdue": "已过期限",
    "probably_overdue": "应已过期", "suspended": "中止中", "suspended_long": "中止过久",
    "calendar_unpublished": "放假安排未载入", "not_begun": "未起算", "dates_disagree": "日期矛盾",
}  # fmt: skip
"""How a term of the law stands, by the reason of its verdict."""

VALUES = {
    ("state", "draft"): "草稿", ("state", "submitted"): "已申请", ("state", "accepted"): "已受理", ("state", "correction"): "补正",
    ("state", "in_review"): "审核中", ("state", "suspended"): "中止", ("state", "approved"): "已办结(通过)",
    ("state", "rejected"): "不予通过", ("state", "revoked"): "已撤销", ("project_type", "non_fixed_asset"): "非固定资产投资",
    ("managed_industry", "informatization"): "信息化", ("managed_industry", "high_tech"): "高技术",
    ("managed_industry", "other"): "其他",
    ("kind", "data"): "数据资源", ("kind", "component"): "组件", ("kind", "cloud_resource"): "云资源",
}  # fmt: skip
"""Values that the shipped cards read from codes, not from words."""

_OF = {
    "outcome": OUTCOMES, "state": STATES, "handling": HANDLING, "kind": KINDS, "modality": MODALITIES, "severity": SEVERITIES,
    "subject": SUBJECTS,
}  # fmt: skip
_PLAIN = {
    "scope": SCOPES, "receiver": RECEIVERS, "group": GROUPS, "message": MESSAGE_STATES, "hold": HOLD_STATES, "probe": PROBES,
    "attempt": ATTEMPTS, "question": QUESTIONS, "clock": CLOCKS, "reason": {r.value: REASON_WORDS[r] for r in Reason},
    "cause": {c.value: CAUSE_WORDS[c] for c in Cause}, "result": {r.value: title for r, (title, _) in RESULTS.items()},
}  # fmt: skip


def word(name: str | None, of: str) -> str:
    """Return what a name of some kind is called; the name itself where nobody has given it a word."""
    if name is None:
        return "—"
    return titled(_OF[of], name, "zh") if of in _OF else _PLAIN[of].get(name, name)


def choices(of: str) -> dict[str, str]:
    """Return every name of a kind with its word, for a form."""
    return {n: w[0] for n, w in _OF[of].items()} if of in _OF else dict(_PLAIN[of])


def percent(share_bp: int | None) -> str:
    """Return basis points as people read them."""
    return "—" if share_bp is None else f"{share_bp // 100}.{share_bp % 100:02d}%"


def yuan(amount: Decimal | None) -> str:
    """Return an amount: from ten thousand yuan on in 万元."""
    if amount is None:
        return "—"
    if abs(amount) >= 10_000:
        return f"{amount / 10_000:,.2f} 万元"
    return f"{amount:,.2f} 元"


def moment(value: datetime | date | None) -> str:
    """Return a moment to the minute, or a day."""
    if value is None:
        return "—"
    return value.strftime("%Y-%m-%d %H:%M") if isinstance(value, datetime) else value.isoformat()


def visible(text: Any) -> str:
    """Return a text whose control and direction characters are written out, so that a hostile name cannot turn a line round."""
    return "".join(
        ch if ch.isprintable() or ch in "\n\u3000" else " " if ch == "\t" else f"\\u{ord(ch):04x}" for ch in str(text)
    )


def field(value: Any, name: str) -> str:
    """Return the value of a canonical field in words; amounts as amounts, texts of registers as they are."""
    if value is None:
        return "—"
    if isinstance(value, Decimal):
        return yuan(value)
    return VALUES.get((name, str(value))) or fact_text(value, "zh", name)
