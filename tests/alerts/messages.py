"""Messages for tests: plain ones, hostile ones and ones that are too large, each with what must be true of it."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime

from include.alerts.message import Item, Message, Reason, Section, message_id
from include.clock import SHANGHAI

AT = datetime(2026, 11, 23, 9, 30, tzinfo=SHANGHAI)
LINK = "https://shuheng.bureau.invalid/shuheng/findings?receiver=unit"

HOSTILE = {
    "markdown": "**粗** _斜_ `码` # 标题 [点我](http://evil.invalid/x) ![图](http://evil.invalid/a.png) ~~删~~ | 表 |",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)><b>某</b>&lt;系统&gt;\"'",
    "at": '<at id=all></at><at user_id="all">所有人</at> @all @所有人 <@zhangsan> @13900000000',
    "link": "http://evil.invalid/x javascript:alert(1) www.evil.com mailto:a@b.cn",
    "lines": "第一行\r\n# 标题\n> 引用\n- 列表\x0b\x0c\u2028末行\x85完",
    "control": "前\x00\x07\x1b[31m红\x7f后\ufeff\u200b\u00ad",
    "bidi": "系统\u202egnp.exe\u202c\u2066\u2069\u200f名",
    "emoji": "👨‍👩‍👧‍👦 👍🏽 🇨🇳🇨🇳 𠮷野家 é́́ ﷽",
    "formula": "=cmd|' /C calc'!A0",
    "marks": "h" + "\u0336\u0489\u0310" * 40 + "ello",
    "heading": "# 一级标题",
    "quote": "> 引用",
    "list": "- 项目",
    "rule": "---",
    "underline": "===",
}


def item(number: int = 0, text: str = "系统未接入市级共享交换平台", subject: str = "") -> Item:
    return Item(
        text=text, finding_id=f"{number:032x}", subject=subject or f"市教育局 · 智慧校园平台{number}号",
        clause="第八条第三款(原则上)",
        severity="重要", since="2026-11-02", due="市教育局:2026-11-30 前签收并处置", remedy="在交换平台注册并发布服务",
    )  # fmt: skip


def message(*sections: Section, content: str = "", **values: object) -> Message:
    """Return a message of the unit; its id follows from what it says."""
    made = Message(
        "", "test", "unit", "建设(使用)单位", "双鸭山市教育局", "数衡提示(双鸭山市教育局):新线索 1 条",
        "截至 2026-11-23 09:30,共 1 条", sections or (Section(Reason.OPENED, "互联互通", 1, (item(),), "请尽快处置"),), AT,
        objection="如有异议,可登记并说明理由。", link=LINK,
    )  # fmt: skip
    made = replace(made, **values)  # type: ignore[arg-type]
    return replace(
        made, message_id=message_id(made.receiver, made.department, made.channel, AT, content + made.dumps())
    )


def hostile(text: str) -> Message:
    """Return a message that has a text from outside wherever one can stand."""
    one = Item(text, "f" * 32, text, text, "high", "2026-11-02", text, text)
    return message(
        Section(Reason.OPENED, text, 1, (one,), text),
        title=text,
        lead=text,
        receiver_title=text,
        department=text,
        objection=text,
    )


def many(number: int, length: int = 60, items: int | None = None) -> Message:
    """Return a message of so many findings, of which `items` are named, each with a text of a length."""
    shown = tuple(
        item(i, text=("系统长期闲置,登录和调用均低于门槛" * (1 + length // 16))[:length])
        for i in range(items or number)
    )
    half = len(shown) // 2
    sections = [Section(Reason.ESCALATED, "使用情况", half, shown[:half])] if half else []
    sections.append(Section(Reason.OPENED, "上云", number - half, shown[half:]))
    return message(*sections, title=f"数衡提示:{number} 条", lead=f"共 {number} 条")


EMPTY = message(title="", lead="", objection="", link="", receiver_title="", department="")
EMPTY = replace(EMPTY, sections=())

BAD = {
    **{f"hostile_{name}": hostile(text) for name, text in HOSTILE.items()},
    "empty": EMPTY,
    "one_of_100_kB": message(Section(Reason.OPENED, "上云", 1, (item(text="长" * 34_000),))),
    "all_of_100_kB": hostile("𠮷<b>[长](http://x.invalid)*" * 4000),
    "many_of_100_kB": many(500, 60),
    "ten_thousand": many(10_000),
    "counted_only": message(Section(Reason.OPENED, "上云", 12_345)),
}
"""What every channel must take, or cut to what it takes."""


def total(one: Message) -> int:
    """Return how many findings a message is about."""
    return sum(max(s.count, len(s.items)) for s in one.sections)


def told(text: str) -> tuple[int, int]:
    """Return how many findings a text names, and how many it says there are besides."""
    named = len(re.findall(r"^\d+\. ", text, re.M))
    rest = re.findall(r"…另有 (\d+) 条", text)
    assert len(rest) <= 1, rest
    return named, int(rest[0]) if rest else 0
