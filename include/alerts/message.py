"""A message before it has a form: what one receiver is told at one time over one channel. Pure data, kept as JSON in the outbox.

Words are Chinese and already complete; texts come from outside and are hostile: every renderer escapes for its own form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

MOST_ITEMS = 20
"""Items of a section that people are shown in a message; all of them stand in the CSV that goes with it."""


class Reason(StrEnum):
    """Why something is told, in the order of what people read first."""

    ESCALATED = "escalated"
    OVERDUE = "overdue"
    OPENED = "opened"
    REOPENED = "reopened"
    WORSENED = "worsened"
    WAIVER_ENDED = "waiver_ended"
    REMINDER = "reminder"
    RULE_CHANGED = "rule_changed"
    MOVED = "moved"
    RESOLVED = "resolved"
    HELD = "held"
    PIPELINE = "pipeline"


REASON_WORDS = {
    Reason.ESCALATED: "上报", Reason.OVERDUE: "整改逾期", Reason.OPENED: "新增线索、提示", Reason.REOPENED: "再次出现",
    Reason.WORSENED: "加重", Reason.WAIVER_ENDED: "豁免等处置到期", Reason.REMINDER: "催办", Reason.RULE_CHANGED: "规则调整",
    Reason.MOVED: "已移交其他单位", Reason.RESOLVED: "已了结", Reason.HELD: "提示暂缓发送", Reason.PIPELINE: "流水线运行",
}  # fmt: skip
"""What people read."""


@dataclass(frozen=True, slots=True)
class Item:
    """One finding, or one thing about the pipelines, as the receiver reads it.

    `text` is the sentence of the verdict; `clause` as 第十三条第二项, with 原则上 where the clause says so; `due` says who must do
    what by when; `remedy` how to put it right; `finding_id` is empty where it is about no finding.
    """

    text: str
    finding_id: str = ""
    subject: str = ""
    clause: str = ""
    severity: str = ""
    since: str = ""
    due: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """What is told for one reason about one topic; `count` is of all findings, of which `items` may be the first ones only."""

    reason: Reason
    topic: str
    count: int
    items: tuple[Item, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """All that a receiver is told at one time over one channel; `receiver` is its id, `receiver_title` what people call it.

    `department` is the unit whose digest it is, empty for receivers that see all units. `address` is where the channel delivers it
    if it can choose (mail addresses of the unit), else empty. `objection` says how to object, `link` where to look.
    """

    message_id: str
    channel: str
    receiver: str
    receiver_title: str
    department: str
    title: str
    lead: str
    sections: tuple[Section, ...]
    decided_at: datetime
    is_urgent: bool = False
    objection: str = ""
    link: str = ""
    address: tuple[str, ...] = ()

    @property
    def number(self) -> str:
        """Return the short number that people quote."""
        return self.message_id[:8]

    @property
    def finding_ids(self) -> list[str]:
        """Return the findings that are named, each once."""
        return list(dict.fromkeys(i.finding_id for s in self.sections for i in s.items if i.finding_id))

    @property
    def is_long(self) -> bool:
        """Return whether people are shown fewer findings than it has."""
        return any(_is_long(section) for section in self.sections)

    @property
    def abridged(self) -> Message:
        """Return it as people are shown it: the first items of each section, of the others the count."""
        short = (replace(s, items=s.items[:MOST_ITEMS]) if _is_long(s) else s for s in self.sections)
        return replace(self, sections=tuple(short))

    def dumps(self) -> str:
        """Return it as the outbox keeps it."""
        return orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS).decode()

    @classmethod
    def loads(cls, text: str) -> Message:
        """Return what the outbox kept."""
        data: dict[str, Any] = orjson.loads(text)
        sections = tuple(_section(s) for s in data["sections"])
        moment = datetime.fromisoformat(data["decided_at"])
        return cls(**{**data, "sections": sections, "decided_at": moment, "address": tuple(data["address"])})


def _is_long(section: Section) -> bool:
    """Return whether a section is shown in part; of changed rules, a few lines with counts, all are."""
    return section.reason is not Reason.RULE_CHANGED and len(section.items) > MOST_ITEMS


def _section(data: Mapping[str, Any]) -> Section:
    return Section(**{**data, "reason": Reason(data["reason"]), "items": tuple(Item(**i) for i in data["items"])})


def message_id(receiver: str, department: str, channel: str, decided_at: datetime, content: str) -> str:
    """Return the id of a message: the same decision taken again has the same."""
    name = "\x1f".join((receiver, department, channel, decided_at.isoformat(), content))
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
