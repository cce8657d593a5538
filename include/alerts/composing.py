"""From notices to the message that people read: counts first, then the findings, the heaviest first, with clause and remedy.

Words are 线索 and 提示, never 违规: what a finding comes to is for people to say. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from urllib.parse import quote

from include.alerts.concern import Concern
from include.alerts.deciding import Notice
from include.alerts.holds import Hold
from include.alerts.message import REASON_WORDS, Item, Message, Reason, Section, message_id
from include.alerts.routing import Routing
from include.alerts.subjects import Subjects
from include.clock import SHANGHAI
from include.findings.story import Handling
from include.findings.titles import SCOPES, SEVERITIES
from include.rules.rule import Rule
from include.rules.rule_book import SEVERITIES as HEAVIEST_FIRST
from include.rules.workdays import Workdays

ACKNOWLEDGE_WORKDAYS = 5
"""Working days within which somebody is asked to take a finding up, where no escalation says so."""

MEASURES = "双政办发〔2024〕39号"
"""The regulation whose clauses are quoted without its number."""

_NOTES = {
    Reason.ESCALATED: "以下线索已提示责任单位,逾期未见签收或了结", Reason.OVERDUE: "已登记的整改期限已过,尚未见整改结果",
    Reason.WAIVER_ENDED: "豁免、异议、人工认定或处理结案已到期、撤回,或因情况变化终止,线索恢复为未处置",
    Reason.REMINDER: "此前已提示,至今未了结",
    Reason.RULE_CHANGED: "条文、参数或判定方法有调整,以下变化由规则引起,不是单位情况变化",
    Reason.MOVED: "对象现登记在其他单位名下,线索已改由该单位处置,贵单位无需处理",
    Reason.RESOLVED: "最新数据已符合要求或对象已撤下,线索了结,无需处理",
}  # fmt: skip


_OVER = (Reason.RESOLVED, Reason.MOVED)
"""With these nothing is left for the receiver to do."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What is at hand to write with."""

    routing: Routing
    rules: Mapping[str, Rule]
    subjects: Subjects
    workdays: Workdays
    at: datetime
    public_url: str | None = None
    not_arrived: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """(finding, receiver) → what became of a message that has not arrived, of the findings that are escalated."""

    def missed(self, concern: Concern) -> list[str]:
        """Return the titles of those who should know of a finding and whose last message about it has not arrived."""
        late = [r for r in concern.receivers if (concern.finding_id, r) in self.not_arrived]
        return [self.routing.receivers[receiver].title for receiver in late]

    @property
    def day(self) -> date:
        """Return the day on which is written, in Asia/Shanghai."""
        return self.at.astimezone(SHANGHAI).date()


@dataclass(frozen=True, slots=True)
class Digest:
    """All that a receiver is told in a pass, and of which department if each has its own; notices by topic."""

    receiver: str
    department: str
    notices: Mapping[str, Sequence[Notice]]
    holds: Sequence[Hold] = ()


def compose(digest: Digest, desk: Desk) -> list[Message]:
    """Return a message for every channel over which the receiver can be reached; equal but for the channel."""
    sections = (*_held(digest.holds, desk), *_sections(digest, desk))
    receiver = desk.routing.receivers[digest.receiver]
    told = [c for notices in digest.notices.values() for n in notices for reason, c in n.news if reason not in _OVER]
    is_urgent = bool(digest.holds) or any(n.is_urgent for notices in digest.notices.values() for n in notices)
    content = repr(sections)
    return [
        Message(
            message_id(digest.receiver, digest.department, card.id, desk.at, content), card.id, digest.receiver, receiver.title,
            digest.department, _title(sections, digest.department), _lead(sections, told, desk), sections, desk.at, is_urgent,
            _advice(sections, desk.routing, is_unit=receiver.is_per_department), _link(digest, desk), address,
        )
        for card, address in desk.routing.ways_to(digest.receiver, digest.department)
    ]  # fmt: skip


def _sections(digest: Digest, desk: Desk) -> Iterable[Section]:
    """Yield a section for every reason and topic, in the order in which people should read them."""
    order = [topic for topic in desk.routing.topics if topic in digest.notices]
    for reason in Reason:
        for topic in order:
            found = [concern for notice in digest.notices[topic] for concern in notice.of(reason)]
            if found:
                title, note = desk.routing.topics[topic].title, _note(found, reason, desk)
                items = (
                    _rule_items(found, desk) if reason is Reason.RULE_CHANGED else _items(found, reason, desk, digest)
                )
                yield Section(reason, title, len(found), tuple(items), note)


def _note(found: Sequence[Concern], reason: Reason, desk: Desk) -> str:
    """Return what is said of a section as a whole; who did not get a message is not said to have been told."""
    missed = sum(bool(desk.missed(concern)) for concern in found) if reason is Reason.ESCALATED else 0
    if not missed:
        return _NOTES.get(reason, "")
    return f"以下线索逾期未见签收或了结;其中 {missed} 条的提示尚未送达(注明在各条要求中),请先确认对方已知悉"


def _items(found: Sequence[Concern], reason: Reason, desk: Desk, digest: Digest) -> Iterable[Item]:
    first = sorted(found, key=lambda c: (HEAVIEST_FIRST.index(c.severity), c.first_seen_on, c.finding_id))
    return [_item(concern, reason, desk, digest) for concern in first]


def _item(concern: Concern, reason: Reason, desk: Desk, digest: Digest) -> Item:
    is_over = reason in _OVER
    rule = desk.rules[concern.rule]
    name = desk.subjects.name(concern.subject_type, concern.subject)
    whose = "" if digest.department else concern.department
    due = _due(concern, desk)
    if reason is Reason.ESCALATED and (missed := desk.missed(concern)):
        due = f"{due};最近一次提示尚未送达:{'、'.join(missed)}"
    return Item(
        concern.message, concern.finding_id, f"{whose} · {name}" if whose else name, clause(rule),
        SEVERITIES[concern.severity][0], concern.first_seen_on.isoformat(), "" if is_over else due,
        "" if is_over else rule.remedy,
    )  # fmt: skip


def clause(rule: Rule) -> str:
    """Return the clause of a rule as people quote it, with 原则上 where it says so."""
    article = rule.article
    number = article.number if article.source == MEASURES else f"{article.source} {article.number}"
    return f"{number}(原则上)" if article.modality == "in_principle" else number


def _due(concern: Concern, desk: Desk) -> str:
    """Return who must do what by when."""
    who = concern.department or "、".join(desk.routing.receivers[r].title for r in concern.receivers[:1])
    until = concern.handled_until.isoformat() if concern.handled_until else ""
    if concern.handling == Handling.RECTIFYING:
        return f"{who}:整改期限 {until} 已过,请尽快完成并反馈" if concern.is_overdue else f"{who}:{until} 前完成整改"
    if concern.handling == Handling.ACKNOWLEDGED:
        return f"{who}:已签收,{until + ' 前' if until else '请尽快'}办结"
    since = concern.told_since or desk.day
    last = desk.workdays.after(since, _acknowledge_within(desk.routing)).earliest
    return f"{who}:{last.isoformat()} 前签收并处置" if last > desk.day else f"{who}:尚未签收,请尽快处置"


def _acknowledge_within(routing: Routing) -> int:
    terms = (receiver.escalation.unacknowledged_workdays for receiver in routing.later if receiver.escalation)
    return min((term for term in terms if term), default=ACKNOWLEDGE_WORKDAYS)


def _rule_items(found: Sequence[Concern], desk: Desk) -> Iterable[Item]:
    """Return one item a rule, with counts."""
    by_rule: dict[str, list[Concern]] = {}
    for concern in found:
        by_rule.setdefault(concern.rule, []).append(concern)
    for name, mine in sorted(by_rule.items(), key=lambda one: (-len(one[1]), one[0])):
        is_open = sum(concern.is_open for concern in mine)
        counts = "、".join(
            part
            for part in (
                is_open and f"新增或加重 {is_open} 条",
                len(mine) > is_open and f"了结 {len(mine) - is_open} 条",
            )
            if part
        )
        rule = desk.rules[name]
        yield Item(f"“{rule.title}”:{counts}", clause=clause(rule))


def _held(holds: Sequence[Hold], desk: Desk) -> Iterable[Section]:
    """Yield what the operator reads of each hold, and how it is released."""
    for hold in holds:
        items = tuple(
            Item(f"“{desk.rules[rule].title}”:{count} 条", clause=clause(desk.rules[rule]))
            for rule, count in hold.by_rule.items()
        )
        note = (
            f"一次新增超过上限(上限 {hold.allowed} 条,评判对象 {hold.subjects} 个),全部暂缓发送,尚未通知任何单位。"
            f"请先核实来源和规则是否正常;确属实情的,在“登记处置决定”中选“放行”,填写暂缓编号 {hold.hold_id},由第二人批准"
        )
        yield Section(Reason.HELD, SCOPES.get(hold.scope, hold.scope), len(hold.finding_ids), items, note)


def _title(sections: Sequence[Section], department: str) -> str:
    counts = Counter[Reason]()
    for section in sections:
        counts[section.reason] += section.count
    words = "、".join(f"{REASON_WORDS[reason]} {counts[reason]} 条" for reason in Reason if counts[reason])
    return f"数衡提示{f'({department})' if department else ''}:{words}"


def _lead(sections: Sequence[Section], told: Sequence[Concern], desk: Desk) -> str:
    """Return what stands first: how many, how important, as of when."""
    total = sum(section.count for section in sections)
    weights = Counter(concern.severity for concern in told if concern.is_open)
    words = "、".join(f"{SEVERITIES[name][0]} {weights[name]}" for name in HEAVIEST_FIRST if weights[name])
    when = desk.at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
    return f"截至 {when},共 {total} 条" + (f",其中未了结:{words}" if words else "")


def _advice(sections: Sequence[Section], routing: Routing, *, is_unit: bool) -> str:
    """Return how to act and how to object; who has nothing to act on is not told."""
    if all(section.reason in (*_OVER, Reason.HELD) for section in sections):
        return ""
    return f"{routing.how}{routing.objection}" if is_unit else routing.how


def _link(digest: Digest, desk: Desk) -> str:
    if not desk.public_url:
        return ""
    if digest.holds:
        return f"{desk.public_url}/shuheng/alerts"
    asked = f"?department={quote(digest.department)}" if digest.department else ""
    return f"{desk.public_url}/shuheng/findings{asked}"
