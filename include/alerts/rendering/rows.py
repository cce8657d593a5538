"""A message as lines of CSV: one a finding, for whoever works on in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from include.alerts.message import REASON_WORDS, Item, Message, Section
from include.alerts.rendering.cut import total
from include.alerts.rendering.form import severity_word
from include.alerts.rendering.harmless import inert, one_line
from include.clock import SHANGHAI

HEADER = (
    "消息编号", "时间", "接收", "单位", "缘由", "主题", "线索编号", "对象", "内容", "依据", "程度", "起始", "要求", "整改",
)  # fmt: skip
_LONGEST_CELL = 32_000
"""A spreadsheet's cell takes 32,767 characters."""


def as_csv(message: Message) -> bytes:
    """Return all items as CSV (UTF-8 with BOM, CRLF): what a section has beyond its items is one line that counts it."""
    sink = io.StringIO(newline="")
    writer = csv.writer(sink, lineterminator="\r\n")
    writer.writerow(HEADER)
    writer.writerows(_rows(message))
    return b"\xef\xbb\xbf" + sink.getvalue().encode()


def safe_cell(text: str) -> str:
    """Return a text on one line, as long as a cell takes it, that no spreadsheet computes."""
    return inert(one_line(text[:_LONGEST_CELL]))


def _rows(message: Message) -> Iterator[list[str]]:
    moment = f"{message.decided_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    start = [message.number, moment, message.receiver_title, message.department]
    for section in message.sections:
        of_section = [*start, REASON_WORDS[section.reason], section.topic]
        for item in section.items:
            yield [safe_cell(text) for text in (*of_section, *_cells(item))]
        left = total(section) - len(section.items)
        if left > 0 or not section.items:
            yield [safe_cell(text) for text in (*of_section, "", "", _counted(message, section, left), *[""] * 5)]


def _cells(item: Item) -> tuple[str, ...]:
    severity = severity_word(item.severity)
    return item.finding_id, item.subject, item.text, item.clause, severity, item.since, item.due, item.remedy


def _counted(message: Message, section: Section, left: int) -> str:
    rest = f"…另有 {left} 条" + (f",见 {message.link}" if message.link else "") if left > 0 else ""
    return " ".join(filter(None, (section.note, rest)))
