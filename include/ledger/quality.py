"""Quality warnings of a catalogue entry: what its owner should mend although the entry is taken. Pure.

A check runs only for a source whose card maps what it looks at: a source without a field for cycles is not told 800 times that
the cycle is missing. Keywords are no core metadata (发改高技术〔2017〕1272号) and blank in most of what cities publish: no warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from include.ledger.links import has_bad_link, have_good_links
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

    `fields`: canonical fields that the card must map, all of them, `a|b` one of them. `reads`: canonical fields whose values
    the test is given, in their order. `kinds`: entries that it is about. `acquits`: whether no entry can be doubtful, told from
    the columns of many, which costs less than to test each.
    """

    warning: QualityWarning
    fields: tuple[str, ...]
    reads: tuple[str, ...]
    is_doubtful: Callable[..., bool]
    kinds: tuple[str, ...] = ("data", "component", "cloud_resource")
    acquits: Callable[..., bool] = lambda *_: False


_DATA, _SHARED = ("data",), ("data", "component")
_SIGNS = ' .,;:!?。，；：！？、·…—_"“”‘’（）()《》【】[]-'
_OF_TIME = re.compile(r"[年月日天周旬季时分秒期次新0-9A-Za-z]")
"""What a word for an update cycle has at least one of; 牲畜饲养 has slipped in from another column."""


_IMPRECISE = re.compile(r"(?!0|1900|9999)\d{4}\s*(?:年|[-/.年]\s*\d{1,2}\s*月?|0[1-9]|1[0-2])?")
"""A year or a month instead of a day."""


def _is_blank(value: str | None) -> bool:
    return value is None


def _are_filled(column: list[str | None]) -> bool:
    return None not in column


def _are_blank(*values: str | None) -> bool:
    return all(value is None for value in values)


def _is_title_again(said: str | None, title: str) -> bool:
    return said is not None and (said == title or said.strip(_SIGNS) == title.strip(_SIGNS))


def _is_unplaced_cycle(cycle: str | None, raw: str | None) -> bool:
    return cycle is None and raw is not None and _OF_TIME.search(raw) is not None


def _is_no_cycle(cycle: str | None, raw: str | None) -> bool:
    return cycle is None and raw is not None and _OF_TIME.search(raw) is None


def _is_conditional(share_type: str | None, condition: str | None) -> bool:
    return share_type == "conditional" and condition is None


def _is_refused(share_type: str | None, basis: str | None) -> bool:
    return share_type == "none" and basis is None


def _is_open(open_type: str | None, licence: str | None) -> bool:
    return open_type == "unconditional" and licence is None


def _unread(*dates: str | None) -> Iterator[str]:
    """Yield the dates that are written and could not be taken for a day; each is given with its writing behind it."""
    return (raw for day, raw in zip(dates[::2], dates[1::2], strict=True) if raw is not None and day is None)


def _has_placeholder(*dates: str | None) -> bool:
    return any(not _IMPRECISE.fullmatch(raw) for raw in _unread(*dates))


def _is_imprecise(*dates: str | None) -> bool:
    return any(_IMPRECISE.fullmatch(raw) for raw in _unread(*dates))


def _are_all_read(*columns: list[str | None]) -> bool:
    """Return whether no date of many entries is unread."""
    pairs = zip(columns[::2], columns[1::2], strict=True)
    return all(None not in days or raws.count(None) == len(raws) for days, raws in pairs)


def _is_turned_round(issued: str | None, modified: str | None) -> bool:
    return issued is not None and modified is not None and issued > modified


def _is_miscounted(code: str | None) -> bool:
    return code is not None and uscc_check(code) == "failed"


def _is_unmounted(files: str | None, share_type: str | None) -> bool:
    return files is None and share_type in ("conditional", "unconditional")


_CYCLE, _CYCLES = ("update_cycle",), ("update_cycle", "update_cycle_raw")
_DATES = tuple(f"{name}_{part}" for name in ("issued", "modified", "data_updated") for part in ("on", "raw"))

CHECKS: dict[str, Check] = {
    "no_description": Check(
        QualityWarning("没有信息资源摘要", "用一两句话写明内容、范围和用途"), ("description",), ("description",), _is_blank,
        acquits=_are_filled,
    ),
    "description_is_title": Check(
        QualityWarning("摘要只是重复名称", "摘要写明内容、范围和用途,不要照抄名称"),
        ("description",), ("description", "title"), _is_title_again
    ),
    "no_update_cycle": Check(
        QualityWarning("没有更新周期", "补填更新周期,例如每日、每月、每年、不定期"), _CYCLE, _CYCLES, _are_blank, _DATA
    ),
    "unmapped_cycle": Check(
        QualityWarning("更新周期的写法未识别", "改用规定的写法,例如每日、每月、每季度、每年、不定期"),
        _CYCLE, _CYCLES, _is_unplaced_cycle, _DATA,
    ),
    "wrong_cycle": Check(
        QualityWarning("更新周期一栏填的不是周期", "核对是否错列,改填更新周期,例如每月、每年、不定期"),
        _CYCLE, _CYCLES, _is_no_cycle, _DATA,
    ),
    "no_share_type": Check(
        QualityWarning("没有共享类型,或其写法未识别", "填写无条件共享、有条件共享或不予共享"),
        ("share_type",), ("share_type",), _is_blank, _SHARED, _are_filled,
    ),
    "conditional_without_condition": Check(
        QualityWarning("有条件共享但没有共享条件", "补填共享条件,写明谁在什么情形下可以使用"),
        ("share_type", "share_condition"), ("share_type", "share_condition"), _is_conditional, _SHARED,
    ),
    "not_shared_without_basis": Check(
        QualityWarning("不予共享但没有依据", "补填法律、行政法规或党中央、国务院政策依据;没有依据的改为可共享"),
        ("share_type", "share_basis"), ("share_type", "share_basis"), _is_refused, _SHARED,
    ),
    "open_without_license": Check(
        QualityWarning("向社会开放但没有写明许可", "补填使用许可"),
        ("open_type", "license"), ("open_type", "license"), _is_open, _DATA
    ),
    "placeholder_date": Check(
        QualityWarning("日期是占位的(如 1900-01-01)", "改填真实日期;不知道的留空"),
        (), _DATES, _has_placeholder, acquits=_are_all_read
    ),
    "imprecise_date": Check(
        QualityWarning("日期只有年或年月", "写成年-月-日,例如 2026-11-03"),
        (), _DATES, _is_imprecise, acquits=_are_all_read,
    ),
    "issued_after_modified": Check(
        QualityWarning("发布日期晚于更新日期", "核对两个日期是否填反"),
        ("issued_on", "modified_on"), ("issued_on", "modified_on"), _is_turned_round
    ),
    "no_provider_code": Check(
        QualityWarning("没有提供方代码", "补填提供方的统一社会信用代码"), ("provider_uscc",), ("provider_uscc",), _is_blank,
        acquits=_are_filled,
    ),
    "uscc_check": Check(
        QualityWarning("提供方代码的校验位不符", "对照登记证书核对 18 位代码;早期发放的代码确有不符的,核实无误可不改"),
        ("provider_uscc",), ("provider_uscc",), _is_miscounted,
    ),
    "not_mounted": Check(
        QualityWarning("可共享但没有挂接资源", "挂接库表、文件或接口"),
        ("distributions", "share_type"), ("distributions", "share_type"), _is_unmounted, _DATA
    ),
    "bad_address": Check(
        QualityWarning("详情页或挂接资源的地址无法使用", "改填以 http:// 或 https:// 开头、使用者能够访问的完整网址"),
        (), ("open_type", "landing_page", "distributions"), has_bad_link, acquits=have_good_links,
    ),
    "unnamed_system": Check(
        QualityWarning("没有写明所属系统", "补填所属系统的编码或名称"),
        ("system_code|system_name",), ("system_code", "system_name"), _are_blank
    ),
}  # fmt: skip

WARNINGS: dict[str, QualityWarning] = {code: check.warning for code, check in CHECKS.items()} | {
    "no_items": QualityWarning("没有信息项", "补填信息项的名称和类型"),
    "shapes": QualityWarning("不完全符合来源的形状约定", "按约定补全或更正该条目的属性"),
}
"""Every code with what to say of it; what stands behind the checks comes from outside, as a doubt."""


_MOST_FINE = 500
"""Values that a check keeps in mind as fine from page to page; one with more of them hardly meets the same again."""


class Quality:
    """The checks that make sense for a card that maps `fields`."""

    def __init__(self, fields: Iterable[str]) -> None:
        mapped = set(fields)
        self._checks = {
            code: check
            for code, check in CHECKS.items()
            if all(not mapped.isdisjoint(name.split("|")) for name in check.fields)
        }
        self._fine: dict[str, set[tuple[Any, ...]]] = {code: set() for code in self._checks}

    def warnings_of(self, record: Record, doubts: Iterable[str] = ()) -> str | None:
        """Return the codes of what is doubtful in an entry, sorted, with commas; None where nothing is."""
        found = [
            code
            for code, check in self._checks.items()
            if record["kind"] in check.kinds and check.is_doubtful(*[record[name] for name in check.reads])
        ]
        return ",".join(sorted({*found, *doubts})) or None

    def warnings_of_many(self, column: Callable[[str], list[Any]], doubts: list[list[str]]) -> list[str | None]:
        """Return what `warnings_of` says of each of many entries that stand in columns; `doubts` are added to."""
        kinds = column("kind")
        for code, check in self._checks.items():
            columns = list(map(column, check.reads))
            if not check.acquits(*columns):
                for i in self._doubtful(code, check, [kinds, *columns]):
                    doubts[i].append(code)
        return [",".join(sorted(codes)) or None for codes in doubts]

    def _doubtful(self, code: str, check: Check, columns: list[list[Any]]) -> list[int]:
        """Return the places of doubtful entries, each of the values that repeat being tested once."""
        fine, values = self._fine[code], list(zip(*columns, strict=True))
        new = set(values) - fine
        bad = {one for one in new if one[0] in check.kinds and check.is_doubtful(*one[1:])}
        if len(fine) < _MOST_FINE:
            fine |= new - bad
        return [i for i, one in enumerate(values) if one in bad] if bad else []


def doubts_of_items(mapped: Mapped) -> tuple[str, ...]:
    """Return `no_items` for a data entry that came with a list of information items, and with none in it."""
    if "resource_item" not in mapped.listed or mapped.record["kind"] != "data":
        return ()
    return () if any(entity == "resource_item" for entity, _, _ in mapped.children) else ("no_items",)
