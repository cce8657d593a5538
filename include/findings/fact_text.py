"""The value of a fact in words: fields under their Chinese titles, lists with their length, what is blank left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml

from include.sources.checked_yaml import SCHEMAS, PlainLoader
from include.sources.outlines import SHIPPED

SEVERAL: Mapping[str, str] = {
    "kind": "类别", "state": "状态", "status": "状态", "name": "名称", "unit_name": "单位", "issued_on": "日期",
    "conclusion": "结论", "ground": "依据", "amount_yuan": "金额(元)", "result": "结果", "document_no": "文号",
    "code": "代码", "description": "说明", "system_code": "系统编码",
}  # fmt: skip
"""Fields that entities call differently."""

OBSERVED: Mapping[str, str] = {
    "days": "窗口天数", "observed": "观测天数", "cpu_mean_bp": "CPU 均值(万分之一)",
    "cpu_max_mean_bp": "CPU 日峰值均值(万分之一)", "memory_max_bp": "内存峰值(万分之一)", "logins": "登录",
    "login_days": "登录天数", "active_users": "活跃用户", "calls": "被调用", "successes": "成功",
    "own_calls": "调用他方", "probe_calls": "探测调用", "last_success_on": "最近成功",
    "days_since_success": "距最近成功观测日", "last_failure_on": "最近失败", "is_flat": "疑似刷量", "probes": "探测",
    "failures": "失败", "inconclusive": "无结论", "services": "服务", "is_application": "登记应用",
    "is_planned_upgrade": "计划升级改造", "entries": "条目", "drafts": "草稿", "unlinked": "未关联系统",
    "shared": "应共享", "mounted": "已挂接", "withheld": "不予共享", "without_basis": "无依据",
    "share_unknown": "共享类型不详", "due": "应归集", "delivered": "已归集", "partly": "部分归集",
    "not_required": "无需归集", "collection_unknown": "归集不详", "timely": "及时", "overdue": "逾期",
    "uncycled": "无周期", "cycle_missing": "周期不详", "date_missing": "日期未填", "date_inexact": "日期不确切",
    "date_in_future": "日期在未来", "item_id": "事项编号", "submitted_on": "申报日期",
    "accepted_on": "受理日期", "decided_on": "办结日期", "planned_yuan": "计划投资(元)",
}  # fmt: skip
"""Fields that are counted or put together, and stand in no schema."""


@cache
def field_titles() -> dict[str, str]:
    """Return the Chinese title of every field that has only one, and of those above."""
    found: dict[str, set[str]] = {}
    for file in sorted((SCHEMAS / "sources").glob("*.json")):
        for name, spec in json.loads(file.read_text("utf-8"))["properties"].items():
            found.setdefault(name, set()).add(spec["title"])
    return {name: min(titles) for name, titles in found.items() if len(titles) == 1} | {**SEVERAL, **OBSERVED}


@cache
def value_words() -> dict[tuple[str, str], str]:
    """Return per field and value of an enumeration the first Chinese word that a shipped card reads as that value."""
    found = {("level", "city"): "市级", ("level", "county"): "县级"}
    for file in sorted(SHIPPED.glob("*.yaml")):
        card = yaml.load(file.read_text("utf-8"), Loader=PlainLoader)  # noqa: S506 - a safe loader
        for name, spec in card["fields"].items():
            for word, value in (spec.get("map", {}) if isinstance(spec, dict) else {}).items():
                if isinstance(value, str) and not str(word).isascii():
                    found.setdefault((name, value), str(word))
    return found


def fact_text(value: Any, lang: str = "zh", field: str = "") -> str:
    """Return a value in few words; `field` names it. In English fields and values keep their identifiers."""
    if isinstance(value, Mapping):
        titles = field_titles() if lang == "zh" else {}
        parts = ((name, part) for name, part in value.items() if part not in (None, [], {}))
        return ", ".join(f"{titles.get(name, name)} {fact_text(part, lang, name)}" for name, part in parts)
    if isinstance(value, list):
        return _listed([fact_text(part, lang, field) for part in value], lang)
    if value is None or isinstance(value, bool):
        words = {None: ("未填", "blank"), True: ("是", "yes"), False: ("否", "no")}
        return words[value][lang == "en"]
    return value_words().get((field, str(value)), str(value)) if lang == "zh" else str(value)


def _listed(parts: list[str], lang: str) -> str:
    if not parts:
        return "无" if lang == "zh" else "none"
    return f"{len(parts)}{' 项' if lang == 'zh' else ''}: {'; '.join(parts)}" if len(parts) > 1 else parts[0]
