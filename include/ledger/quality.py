"""Quality warnings of a catalogue entry: what its owner should mend although the entry is taken. Pure.

A check runs only for a source whose card maps what it looks at: a source without a field for cycles is not told 800 times that
the cycle is missing. Keywords are no core metadata (发改高技术〔2017〕1272号) and blank in most of what cities publish: no warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from include.ledger.links import has_bad_link
from include.sources.mapping import Mapped
from include.sources.project_code import uscc_check

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class QualityWarning:
    """What a warning code says to the owner of an entry, and what to do."""

    title: str
    fix: str


@dataclass(frozen=True, slots=True)
class Check:
    """A warning with its test.

    `fields`: canonical fields that the card must map, all of them, `a|b` one of them. `kinds`: entries that it is about.
    """

    warning: QualityWarning
    fields: tuple[str, ...]
    is_doubtful: Callable[[Record], bool]
    kinds: tuple[str, ...] = ("data", "component", "cloud_resource")


_DATA, _SHARED = ("data",), ("data", "component")
_SIGNS = ' .,;:!?。，；：！？、·…—_"“”‘’（）()《》【】[]-'
_OF_TIME = re.compile(r"[年月日天周旬季时分秒期次新0-9A-Za-z]")
"""What a word for an update cycle has at least one of; 牲畜饲养 has slipped in from another column."""


_IMPRECISE = re.compile(r"(?!0|1900|9999)\d{4}\s*(?:年|[-/.年]\s*\d{1,2}\s*月?|0[1-9]|1[0-2])?")
"""A year or a month instead of a day."""


def _blank(name: str) -> Callable[[Record], bool]:
    return lambda record: record[name] is None


def _is_title_again(record: Record) -> bool:
    said, title = record["description"], record["title"]
    return said is not None and (said == title or said.strip(_SIGNS) == title.strip(_SIGNS))


def _is_unplaced_cycle(record: Record) -> bool:
    raw = record["update_cycle_raw"]
    return record["update_cycle"] is None and raw is not None and _OF_TIME.search(raw) is not None


def _is_no_cycle(record: Record) -> bool:
    raw = record["update_cycle_raw"]
    return record["update_cycle"] is None and raw is not None and _OF_TIME.search(raw) is None


def _is_without_cycle(record: Record) -> bool:
    return record["update_cycle"] is None and record["update_cycle_raw"] is None


def _is_conditional(record: Record) -> bool:
    return record["share_type"] == "conditional" and record["share_condition"] is None


def _is_refused(record: Record) -> bool:
    return record["share_type"] == "none" and record["share_basis"] is None


def _is_open(record: Record) -> bool:
    return record["open_type"] == "unconditional" and record["license"] is None


def _unread_dates(record: Record) -> Iterator[str]:
    """Yield the dates that are written and could not be taken for a day."""
    for name in ("issued", "modified", "data_updated"):
        raw = record[f"{name}_raw"]
        if raw is not None and record[f"{name}_on"] is None:
            yield raw


def _has_placeholder(record: Record) -> bool:
    return any(not _IMPRECISE.fullmatch(raw) for raw in _unread_dates(record))


def _is_imprecise(record: Record) -> bool:
    return any(_IMPRECISE.fullmatch(raw) for raw in _unread_dates(record))


def _is_turned_round(record: Record) -> bool:
    issued, modified = record["issued_on"], record["modified_on"]
    return issued is not None and modified is not None and issued > modified


def _is_miscounted(record: Record) -> bool:
    code = record["provider_uscc"]
    return code is not None and uscc_check(code) == "failed"


def _is_unmounted(record: Record) -> bool:
    return record["distributions"] is None and record["share_type"] in ("conditional", "unconditional")


def _is_unnamed(record: Record) -> bool:
    return record["system_code"] is None and record["system_name"] is None


CHECKS: dict[str, Check] = {
    "no_description": Check(
        QualityWarning("没有信息资源摘要", "用一两句话写明内容、范围和用途"), ("description",), _blank("description")
    ),
    "description_is_title": Check(
        QualityWarning("摘要只是重复名称", "摘要写明内容、范围和用途,不要照抄名称"), ("description",), _is_title_again
    ),
    "no_update_cycle": Check(
        QualityWarning("没有更新周期", "补填更新周期,例如每日、每月、每年、不定期"), ("update_cycle",), _is_without_cycle, _DATA
    ),
    "unmapped_cycle": Check(
        QualityWarning("更新周期的写法未识别", "改用规定的写法,例如每日、每月、每季度、每年、不定期"),
        ("update_cycle",), _is_unplaced_cycle, _DATA,
    ),
    "wrong_cycle": Check(
        QualityWarning("更新周期一栏填的不是周期", "核对是否错列,改填更新周期,例如每月、每年、不定期"),
        ("update_cycle",), _is_no_cycle, _DATA,
    ),
    "no_share_type": Check(
        QualityWarning("没有共享类型,或其写法未识别", "填写无条件共享、有条件共享或不予共享"),
        ("share_type",), _blank("share_type"), _SHARED,
    ),
    "conditional_without_condition": Check(
        QualityWarning("有条件共享但没有共享条件", "补填共享条件,写明谁在什么情形下可以使用"),
        ("share_type", "share_condition"), _is_conditional, _SHARED,
    ),
    "not_shared_without_basis": Check(
        QualityWarning("不予共享但没有依据", "补填法律、行政法规或党中央、国务院政策依据;没有依据的改为可共享"),
        ("share_type", "share_basis"), _is_refused, _SHARED,
    ),
    "open_without_license": Check(
        QualityWarning("向社会开放但没有写明许可", "补填使用许可"), ("open_type", "license"), _is_open, _DATA
    ),
    "placeholder_date": Check(
        QualityWarning("日期是占位的(如 1900-01-01)", "改填真实日期;不知道的留空"), (), _has_placeholder
    ),
    "imprecise_date": Check(QualityWarning("日期只有年或年月", "写成年-月-日,例如 2026-11-03"), (), _is_imprecise),
    "issued_after_modified": Check(
        QualityWarning("发布日期晚于更新日期", "核对两个日期是否填反"), ("issued_on", "modified_on"), _is_turned_round
    ),
    "no_provider_code": Check(
        QualityWarning("没有提供方代码", "补填提供方的统一社会信用代码"), ("provider_uscc",), _blank("provider_uscc")
    ),
    "uscc_check": Check(
        QualityWarning("提供方代码的校验位不符", "对照登记证书核对 18 位代码;早期发放的代码确有不符的,核实无误可不改"),
        ("provider_uscc",), _is_miscounted,
    ),
    "not_mounted": Check(
        QualityWarning("可共享但没有挂接资源", "挂接库表、文件或接口"), ("distributions", "share_type"), _is_unmounted, _DATA
    ),
    "bad_address": Check(
        QualityWarning("详情页或挂接资源的地址无法使用", "改填以 http:// 或 https:// 开头、使用者能够访问的完整网址"),
        (), has_bad_link,
    ),
    "unnamed_system": Check(
        QualityWarning("没有写明所属系统", "补填所属系统的编码或名称"), ("system_code|system_name",), _is_unnamed
    ),
}  # fmt: skip

WARNINGS: dict[str, QualityWarning] = {code: check.warning for code, check in CHECKS.items()} | {
    "no_items": QualityWarning("没有信息项", "补填信息项的名称和类型"),
    "shapes": QualityWarning("不完全符合来源的形状约定", "按约定补全或更正该条目的属性"),
}
"""Every code with what to say of it; what stands behind the checks comes from outside, as a doubt."""


class Quality:
    """The checks that make sense for a card that maps `fields`."""

    def __init__(self, fields: Iterable[str]) -> None:
        mapped = set(fields)
        checks = [
            (code, check)
            for code, check in CHECKS.items()
            if all(not mapped.isdisjoint(name.split("|")) for name in check.fields)
        ]
        self._checks = {
            kind: tuple((code, check.is_doubtful) for code, check in checks if kind in check.kinds)
            for kind in ("data", "component", "cloud_resource")
        }

    def warnings_of(self, record: Record, doubts: Iterable[str] = ()) -> str | None:
        """Return the codes of what is doubtful in an entry, sorted, with commas; None where nothing is."""
        found = [code for code, is_doubtful in self._checks[record["kind"]] if is_doubtful(record)]
        return ",".join(sorted({*found, *doubts})) or None


def doubts_of_items(mapped: Mapped) -> tuple[str, ...]:
    """Return `no_items` for a data entry that came with a list of information items, and with none in it."""
    if "resource_item" not in mapped.listed or mapped.record["kind"] != "data":
        return ()
    return () if any(entity == "resource_item" for entity, _, _ in mapped.children) else ("no_items",)
