"""What a judging brought, for people: counts, rates, causes, and what came up or was settled. Chinese; 线索, never 违规."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from include.findings.door import NOTICE_DAYS
from include.findings.story import Kind
from include.findings.titles import SCOPES, counted
from include.rules.verdict import Outcome

if TYPE_CHECKING:
    from include.findings.judging import Judged

MOST = 20
"""Lines of one kind that are written out; of more there is a count."""

UNKNOWN = {
    "evidence_missing": "证据不足", "exceptions_conflict": "例外矛盾", "suspect_traffic": "疑似程序刷量",
    "register_unread": "交换平台登记未读全", "calls_unread": "调用日志未读全", "called_but_not_listed": "有调用而未登记",
    "exemptions_unread": "豁免登记未读全", "declared_not_found": "申报与资源清单矛盾", "deployment_undeclared": "未申报部署方式",
    "unlinked_entries": "目录未关联系统", "share_type_unstated": "共享类型不详", "collection_unstated": "归集状态不详",
    "date_in_future": "更新日期在未来", "date_inexact": "更新日期不是确切的日", "date_missing": "未填更新日期",
    "cycle_missing": "更新周期不详",
    "calendar_unpublished": "放假安排未公布", "dates_disagree": "日期相互矛盾", "records_disagree": "记录相互矛盾",
    "paid_on_day_of_failure": "付款与验收未通过同日", "filed_that_day": "备案与批复同日", "suspension_unrecorded": "中止未登记",
    "not_attested": "待人工认定", "eligibility_unknown": "运维经费条件未知", "not_known": "程序履行情况未知",
}  # fmt: skip
"""Why a verdict is unknown, in a few words."""

_SECTIONS: tuple[tuple[str, tuple[Kind, ...]], ...] = (
    ("新线索", (Kind.OPENED, Kind.REOPENED)), ("加重", (Kind.WORSENED,)), ("减轻", (Kind.EASED,)),
    ("原因变化", (Kind.REASON_CHANGED,)), ("规则调整,轻重或措辞有变", (Kind.RULE_CHANGED,)), ("已了结", (Kind.RESOLVED,)),
    ("证据不足,待核", (Kind.UNVERIFIED,)), ("重新核实", (Kind.VERIFIED,)), ("豁免终止", (Kind.WAIVER_ENDED,)),
    ("情况变化,处理结案终止", (Kind.SETTLEMENT_ENDED,)), ("异议到期", (Kind.DISPUTE_ENDED,)),
    ("人工认定到期或被证据推翻", (Kind.ATTESTATION_ENDED,)),
    ("整改逾期", (Kind.RECTIFICATION_OVERDUE,)), ("对象不再评判,处置终止", (Kind.WITHDRAWN,)),
)  # fmt: skip


def report_lines(judged: Judged) -> list[str]:
    """Return the whole report, a line a thing."""
    lines = [_heading(judged), *_rules(judged), *(rate.line() for rate in judged.rates)]
    lines += [
        f"规则异常,未作判定:{judged.titles.get(rule, rule)} ({crash})" for rule, crash in sorted(judged.crashed.items())
    ]
    if judged.is_replay:
        return [*lines, replay_line(judged)]
    for title, kinds in _SECTIONS:
        found = judged.settled.of(*kinds)
        if not found:
            continue
        lines.append(f"{title} {len(found)} 条")
        lines += [f"  {change.message}" for change in found[:MOST]]
        if len(found) > MOST:
            lines.append(f"  …… 另有 {len(found) - MOST} 条")
    return [*lines, *_moved(judged), _standing(judged)]


def _moved(judged: Judged) -> list[str]:
    """Return one line for all rules that judge by a new version: what they brought is not each time news of the world."""
    titles = [judged.titles.get(rule, rule) for rule in sorted(judged.settled.moved)]
    return [f"规则或参数已调整 {len(titles)} 条,自本次起按新版评判:{'、'.join(titles)}"] if titles else []


def _standing(judged: Judged) -> str:
    settled = judged.settled
    line = f"现有线索和提示 {settled.open} 条,其中待核 {settled.unverified} 条"
    if settled.waived:
        line += f"、已豁免 {settled.waived} 条" + (
            f"({settled.ending} 条将在 {NOTICE_DAYS} 天内到期)" if settled.ending else ""
        )
    return line + (f";另有已处理结案 {settled.handled} 条" if settled.handled else "")


def _heading(judged: Judged) -> str:
    how = "重放" if judged.is_replay else "补评" if judged.is_backfill else "评判"
    news = "" if judged.is_replay or judged.is_new else ",与上次一致,未写入"
    scope = SCOPES.get(judged.scope, judged.scope)
    return f"{scope} {judged.day} {how}(第 {judged.revision} 版),判定 {judged.tally.verdicts} 项{news};摘要 {judged.digest[:16]}"


def _rules(judged: Judged) -> list[str]:
    lines = []
    for rule, counts in judged.tally.outcomes.items():
        line = f"{judged.titles.get(rule, rule)}:{counted(counts)}"
        if causes := _causes(judged.tally.reasons[rule]):
            line += f"(未知原因 {causes})"
        lines.append(line)
    return lines


def _causes(reasons: Mapping[str, int]) -> str:
    """Return why verdicts are unknown, the commonest first."""
    found = [(n, r.partition(":")[2]) for r, n in reasons.items() if r.startswith(f"{Outcome.UNKNOWN.value}:")]
    return "、".join(f"{UNKNOWN.get(reason, reason)} {n}" for n, reason in sorted(found, key=lambda f: (-f[0], f[1])))


def replay_line(judged: Judged) -> str:
    """Return how a replay compares with what is kept."""
    if judged.is_equal:
        return "重放结果与当时逐字节一致"
    if judged.rules_version != judged.stored_version:
        return f"重放结果与当时不同:规则或参数已变({judged.stored_version} → {judged.rules_version})"
    return "重放结果与当时不同:规则未变,当时的证据已不完整(记录被依法清除,或探测数据有变),请核查"
