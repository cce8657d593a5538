"""What a person should look at, gathered once a night: what runs out, what nobody needs any more, what waits for an answer.

Reads the ledger and the cards and writes nothing. Sentences are Chinese, for the operator; names of persons and subjects stay out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, String, cast, func, select

from include.findings.settlement import settleable, unfounded
from include.findings.waivers import Waiver, decisions_of, ending_waivers, useless_waivers
from include.house.retention import Retention, load_retention
from include.ledger.alert_tables import DEAD, alert_hold, outbox, rule_title
from include.ledger.snapshot import glance
from include.ledger.tables import attestation, question, verdict
from include.rules.parameters import ParameterBook, Value
from include.rules.rule_book import load_rules

SOON = timedelta(days=30)
"""How long before its end something is listed."""
HOLD_WORKDAYS = 2
"""Working days after which a held alert is listed that nobody has released."""
CALENDAR_FROM = (11, 1)
"""Month and day from which next year's calendar should be there: the State Council's notice comes out about then."""

TITLES = {
    "calendar": "工作日日历", "parameters": "阈值复核", "useless_waivers": "可撤回的豁免", "ending_waivers": "将到期的豁免",
    "settleable": "可处理结案的线索", "unfounded_settlements": "应复核的处理结案",
    "not_attested": "待人工认定", "ending_attestations": "将到期的人工认定",
    "dead_letters": "未能送达的消息", "held_alerts": "暂缓发送的提示", "questions": "待核问题", "legal_holds": "将到期的留存令",
}  # fmt: skip
"""Kinds of remarks, in the order in which they are told."""

QUESTIONS = {
    "plan_not_on_platform": "计划内项目平台未查到", "platform_not_in_plan": "平台项目不在计划中",
    "plan_without_code": "计划项目未填代码", "amount_disagrees": "金额不一致", "name_disagrees": "名称不一致",
    "code_check_failed": "代码校验位不符", "same_project_two_codes": "同一项目多个代码", "void_code_in_plan": "计划所填代码已作废",
    "unmapped_field": "字段未映射", "unmapped_value": "值未映射", "vanishing_held": "缺失过多,未注销",
    "recoined_identifier": "标识疑似重编,已搁置", "two_owners": "一码两主", "count_mismatch": "条数对不上",
}  # fmt: skip


NOT_ATTESTED = "not_attested"
"""The reason of verdicts that wait for a person's word."""

MATTERS = {
    "shared_across_levels": "一级建设、多级共用", "not_duplicating": "不重复建设", "archive_kept": "档案管理",
    "upgrade_target_alive": "原系统仍在用", "no_duplicate_collection": "无重复采集", "shareable_data": "可共享数据已共享",
    "guide_deliberated": "申报指南已审议", "jointly_reviewed": "申报材料已联合审核",
    "acceptance_supervised": "履约验收已监督", "post_evaluated": "已开展后评价",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to look at: its kind, the sentence, what to do, and how many it is about."""

    kind: str
    text: str
    remedy: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Review:
    """All that there is to look at on a day, by kind in the order of `TITLES`."""

    on: date
    remarks: tuple[Remark, ...]

    def summary(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"on": self.on.isoformat(), "remarks": [asdict(remark) for remark in self.remarks]}

    def lines(self) -> list[str]:
        """Return it for people."""
        if not self.remarks:
            return ["复核: 没有需要处理的"]
        return [f"复核 {TITLES[remark.kind]}: {remark.text};{remark.remedy}" for remark in self.remarks]


def review(engine: Engine, today: date) -> Review:
    """Return what a person should look at. Raises `CardError` where a card that is looked at is wrong."""
    book = ParameterBook.load()
    remarks = [*_calendar(book, today), *_parameters(book, today)]
    with glance(engine) as connection:
        remarks += [*_waivers(connection, today), *_settlements(connection, book)]
        remarks += [*_dead(connection), *_held(connection, book, today)]
        remarks += [*_not_attested(connection), *_attestations(connection, today), *_questions(connection)]
    remarks += _legal_holds(load_retention(), today)
    return Review(today, tuple(remarks))


def _calendar(book: ParameterBook, today: date) -> Iterator[Remark]:
    year = today.year + 1
    if (today.month, today.day) >= CALENDAR_FROM and not book.workdays.covers(date(year, 12, 31)):
        yield Remark(
            "calendar", f"{year} 年工作日日历尚未载入,到期日落在该年的按区间推算,不作线索",
            f"国务院放假通知发布后补 calendar/{year}.yaml",
        )  # fmt: skip


def _parameters(book: ParameterBook, today: date) -> Iterator[Remark]:
    for value in book.overdue(today + SOON):
        if value.review_by:
            yield Remark(
                "parameters", _of_value(value, value.review_by, today), "复核后在 parameters.yaml 更新数值或复核日"
            )


def _of_value(value: Value, review_by: date, today: date) -> str:
    when = "已过" if review_by < today else f"还有 {(review_by - today).days} 天"
    return f"阈值“{value.title}”({value.name})复核日 {review_by} {when}"


def _waivers(connection: Connection, today: date) -> Iterator[Remark]:
    for kind, found in (
        ("useless_waivers", useless_waivers(connection, today)), ("ending_waivers", ending_waivers(connection, today)),
    ):  # fmt: skip
        last = {waiver.decision_id: waiver for waiver in found}
        for decision_id, findings in decisions_of(found).items():
            yield Remark(kind, *_of_waiver(kind, last[decision_id], len(findings)), len(findings))


def _of_waiver(kind: str, waiver: Waiver, count: int) -> tuple[str, str]:
    said = f"豁免 {waiver.decision_id} 涉及线索 {count} 条,期限 {waiver.until}"
    if kind == "useless_waivers":
        return f"{said},线索了结已满 30 天", "不再需要的,用 record_decision 撤回"
    return said, "需要延续的,到期前重新申请;否则到期次日恢复提示"


def _settlements(connection: Connection, book: ParameterBook) -> Iterator[Remark]:
    """Say which leads only a settlement can end, and which settlements their cards no longer allow."""
    rules = {rule.id: rule for rule in load_rules(book)}
    for rule, count in settleable(connection, rules):
        yield Remark(
            "settleable", f"“{rules[rule].title}”有 {count} 条线索已不能补正,仍在催办",
            "已处理的,用 record_decision 登记处理结案(两人)", count,
        )  # fmt: skip
    for rule, count in unfounded(connection, rules):
        title = rules[rule].title if rule in rules else rule
        yield Remark(
            "unfounded_settlements", f"“{title}”有 {count} 条已处理结案的线索,按现行规则不再属于不能补正的情形",
            "复核后仍须整改的,用 record_decision 撤回", count,
        )  # fmt: skip


def _not_attested(connection: Connection) -> Iterator[Remark]:
    """Say what only people can tell and nobody does, or does any more: unknown opens no finding."""
    title = func.coalesce(func.max(rule_title.c.title), verdict.c.rule)
    query = (
        select(title, func.count())
        .outerjoin(rule_title, rule_title.c.rule == verdict.c.rule)
        .where(verdict.c.until_day.is_(None), verdict.c.reason == NOT_ATTESTED)
        .group_by(verdict.c.rule)
        .order_by(verdict.c.rule)
    )
    for name, count in connection.execute(query).tuples():
        yield Remark(
            "not_attested", f"“{name}”有 {count} 个对象没有有效的人工认定(未认定或已到期),不能判定",
            "由主管单位认定,填入台账的人工认定表", count,
        )  # fmt: skip


def _attestations(connection: Connection, today: date) -> Iterator[Remark]:
    year = cast(attestation.c.plan_year, String)
    subject = func.coalesce(attestation.c.project_code, attestation.c.system_code, year)
    last = (
        select(attestation.c.matter, func.max(attestation.c.expires_on).label("last"))
        .where(attestation.c.tombstoned_at.is_(None))
        .group_by(attestation.c.matter, subject)
        .subquery()
    )
    query = (
        select(last.c.matter, func.count(), func.min(last.c.last))
        .where(last.c.last.between(today, today + SOON))
        .group_by(last.c.matter)
        .order_by(last.c.matter)
    )
    for matter, count, first in connection.execute(query).tuples():
        yield Remark(
            "ending_attestations", f"“{MATTERS.get(matter, matter)}”的人工认定 {count} 项 30 天内到期,最早 {first}",
            "仍然属实的,到期前重新认定;否则转为待认定", count,
        )  # fmt: skip


def _dead(connection: Connection) -> Iterator[Remark]:
    query = select(outbox.c.channel, func.count()).where(outbox.c.state == DEAD)
    for channel, count in connection.execute(query.group_by(outbox.c.channel).order_by(outbox.c.channel)):
        yield Remark(
            "dead_letters", f"通道 {channel} 有 {count} 条消息未能送达", "查明原因后重投:deliver --retry", count
        )


def _held(connection: Connection, book: ParameterBook, today: date) -> Iterator[Remark]:
    query = (
        select(alert_hold).where(alert_hold.c.state == "held").order_by(alert_hold.c.raised_at, alert_hold.c.hold_id)
    )
    for row in connection.execute(query).mappings():
        raised = row["raised_at"].date()
        if book.workdays.after(raised, HOLD_WORKDAYS).earliest < today:
            yield Remark(
                "held_alerts", f"{raised} 起暂缓发送的提示 {row['findings']} 条(编号 {row['hold_id'][:8]})",
                "核对后用 record_decision 放行,或查明来源数据", row["findings"],
            )  # fmt: skip


def _questions(connection: Connection) -> Iterator[Remark]:
    query = select(question.c.kind, func.count()).where(question.c.closed_at.is_(None)).group_by(question.c.kind)
    for kind, count in sorted(connection.execute(query).tuples()):
        yield Remark("questions", f"{QUESTIONS.get(kind, kind)} {count} 条", f"查看:questions --kind {kind}", count)


def _legal_holds(retention: Retention, today: date) -> Iterator[Remark]:
    for hold in retention.holds_on(today):
        if hold.until <= today + SOON:
            yield Remark(
                "legal_holds", f"留存令“{hold.ground}”{hold.until} 到期", "需要继续留存的,在 retention.yaml 改期限"
            )


def by_kind(found: Review) -> Mapping[str, int]:
    """Return how many remarks there are of each kind, for what may lie in Airflow's own database."""
    return dict(Counter(remark.kind for remark in found.remarks))
