"""What is wrong with a value and how to mend it, in words that the clerk of a department understands.

By converter and by keyword of JSON Schema: `problem` is said of a field (its title goes in front), `fix` is the remedy.
Does not find problems.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Advice:
    """What to say of a field whose value was not taken."""

    problem: str
    fix: str


_CODE = "20 位,形如 2611-230500-04-04-000018"
CONVERTERS: dict[str, Advice] = {
    "text": Advice("不是一段文字", "填写一段文字,不要填嵌套的列表或对象"),
    "identifier": Advice("不是可用的标识", "填写一个不变且不重复的编号或网址"),
    "names": Advice("不是名称列表", "把名称依次列出,中间用顿号或逗号隔开,不要再嵌套列表"),
    "objects": Advice("不是条目列表", "按接口约定逐条提供,每条的各个字段只填一个值"),
    "integer": Advice("不是整数", "只填阿拉伯数字,不带小数、单位和说明,例如 12"),
    "count": Advice("不是整数", "只填阿拉伯数字,不带小数、单位和说明,例如 1200"),
    "year": Advice("不是能读懂的年份", "填写四位数的年份,例如 2026"),
    "flag": Advice("看不出是或否", "只填“是”或“否”"),
    "yuan": Advice("不是能读懂的金额", "以元为单位填写一个数,不为负,最多两位小数,小于 10 万亿元,例如 1234567.80"),
    "wan_yuan": Advice("不是能读懂的金额", "以万元为单位填写一个数,不为负,精确到分(最多六位小数),小于 10 万亿元,例如 123.45"),
    "partial_date": Advice("不是能读懂的日期", "写成年-月-日,且日历上确有这一天,例如 2026-11-03"),
    "date": Advice("不是能读懂的日期", "写成年-月-日,且日历上确有这一天,例如 2026-11-03"),
    "datetime": Advice("不是能读懂的时间", "写成年-月-日 时:分:秒,且日历上确有这一天,例如 2026-11-03 09:00:00"),
    "project_code": Advice("不是项目代码", f"填写投资项目统一代码:{_CODE}"),
    "project_codes": Advice("含有不是项目代码的内容", f"只填投资项目统一代码({_CODE}),多个用逗号隔开,没有的填“无”"),
    "uscc": Advice("不是统一社会信用代码", "填写 18 位统一社会信用代码(数字和大写字母,没有 I、O、S、V、Z),例如 11230500MB1234567C"),
    "document_no": Advice("不是文号", "写成一个文号,例如 双发改〔2026〕5号"),
    "season": Advice("不是能读懂的时段", "写成起止月日,例如 6月1日至8月31日;多段用逗号隔开,全年的填“全年”"),
    "hourly_rate": Advice("不是能读懂的调用频率", "写成次数和时间,例如 1000次/小时;不限制的填“不限”"),
    "basis_points": Advice("不是 0 到 100 之间的百分数", "填写 0 到 100 之间的百分数,例如 3.25"),
    "present": Advice("填的是一组值", "只填一个值,没有的填“无”"),
    "enum": Advice("不是规定的取值", "只填一个规定的取值"),
}  # fmt: skip
"""By the name in a card's `as:`."""

_ONE_VALUE = Advice("填的是一组值,而这里只能有一个", "只填一个值,其余的移到相应的字段")
_LISTS_ALLOWED = frozenset({"text", "identifier", "names", "objects", "project_code", "project_codes", "document_no"})
_OBJECTS_ALLOWED = frozenset({"names", "objects"})
_DIGITS = re.compile(r"\^\[0-9\]\{(\d+)\}\$")
_MISSING = "没有填写"
_UNKNOWN = Advice("不符合规定", "对照该项的填写说明更正")
_KEYWORDS: dict[str, Advice] = {
    "minLength": Advice("不足 {limit} 个字", "至少填写 {limit} 个字"),
    "maxLength": Advice("超过 {limit} 个字", "缩减到 {limit} 个字以内"),
    "minimum": Advice("小于 {limit}", "填写不小于 {limit} 的数"),
    "maximum": Advice("大于 {limit}", "填写不大于 {limit} 的数"),
    "additionalProperties": Advice("含有规定之外的字段", "删去规定之外的字段,或请数据局先登记该字段"),
}


def advise_value(converter: str, value: object) -> Advice:
    """Return what to say of a raw value that a converter could not read."""
    is_one_too_many = (isinstance(value, dict) and converter not in _OBJECTS_ALLOWED) or (
        isinstance(value, (list, tuple)) and converter not in _LISTS_ALLOWED
    )
    return _ONE_VALUE if is_one_too_many else CONVERTERS[converter]


def advise_missing(spec: dict[str, Any]) -> Advice:
    """Return what to say of a required field that is blank; `spec` is its canonical schema."""
    kind = spec.get("x-kind", "text")
    return Advice(_MISSING, "补填该项" if kind in ("text", "enum") else f"补填该项:{CONVERTERS[kind].fix}")


def advise_unplaced(words: Iterable[str]) -> Advice:
    """Return what to say of a word that stands for none of the values; `words` are those that do."""
    listed = "、".join(words)
    return Advice("的写法未识别", f"改为以下之一:{listed};确有其他写法的,请数据局补充")


def advise_none_of(titles: Iterable[str]) -> Advice:
    """Return what to say where one of several fields must be filled and none is; said of the first."""
    others = "".join(f"“{title}”" for title in titles)
    return Advice(f"{others}都没有填写", "至少补填其中一项")


def advise_keyword(keyword: str, limit: object, spec: dict[str, Any], words: Iterable[str] = ()) -> Advice:
    """Return what to say of a value that breaks a keyword of its canonical schema.

    `limit` is the keyword's value, `spec` the schema of the field, `words` what may stand there.
    """
    if keyword in ("enum", "const"):
        listed = "、".join(words) or "、".join(str(v) for v in spec.get("enum", ()) if v is not None)
        return Advice(CONVERTERS["enum"].problem, f"改为以下之一:{listed}")
    if keyword in ("pattern", "format", "type"):
        kind = spec.get("x-kind", "text")
        digits = _DIGITS.fullmatch(str(limit))
        return Advice(f"不是 {digits[1]} 位数字", f"只填 {digits[1]} 位阿拉伯数字") if digits else CONVERTERS[kind]
    advice = _KEYWORDS.get(keyword, _UNKNOWN)
    return Advice(advice.problem.format(limit=limit), advice.fix.format(limit=limit))
