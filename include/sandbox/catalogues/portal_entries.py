"""The entries of the open portals: each made from its number alone, with planted faults; every second one names a system."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from include.sandbox import words
from include.sandbox.catalogues.entry import (
    COMPONENT,
    CYCLE_DAYS,
    DATA,
    HOST,
    IMPOSSIBLE,
    PLACEHOLDER,
    SECRET,
    Entry,
    Mounted,
    uuid_of,
)
from include.sandbox.catalogues.system_entries import complete_systems, second_owners
from include.sandbox.codes import credit_code
from include.sandbox.systems import City, System

CKAN, DCAT, DATAJSON, DATAJSON3, MUNICIPAL = "ckan", "dcat", "datajson", "datajson3", "municipal"
SOURCES = (CKAN, DCAT, DATAJSON, DATAJSON3, MUNICIPAL)
WITH_SERVICES = (CKAN, DCAT, DATAJSON3)
DEFAULT_NUMBER, MOST_MUNICIPAL = 50, 5000
THEMES = ("财税金融", "教育科技", "医疗卫生", "社会保障", "交通运输", "生态环境", "农业农村", "市场监管")
TOPICS = (
    "行政许可信息",
    "行政处罚信息",
    "机构基本信息",
    "统计年报",
    "公共场所名录",
    "监测数据",
    "办事指南",
    "补贴发放情况",
)
FORMS = (("xls", "csv"), ("json", "xml", "csv"), ("xlsx",), ("csv",))
FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"
ISO_CYCLES: dict[str, tuple[str, ...]] = {
    "daily": ("R/P1D",),
    "weekly": ("R/P1W",),
    "monthly": ("R/P1M",),
    "quarterly": ("R/P3M",),
    "yearly": ("R/P1Y",),
    "two_yearly": ("R/P2Y",),
    "irregular": ("irregular",),
}
CHINESE_CYCLES: dict[str, tuple[str, ...]] = {
    "daily": ("每天", "每日"),
    "weekly": ("每周",),
    "monthly": ("每月", "月"),
    "quarterly": ("每季度",),
    "half_yearly": ("每半年",),
    "yearly": ("每年", "年", "按年更新"),
    "two_yearly": ("每两年",),
    "irregular": ("不定期",),
}
CYCLES: dict[str, dict[str, tuple[str, ...]]] = {
    CKAN: CHINESE_CYCLES,
    MUNICIPAL: CHINESE_CYCLES,
    DATAJSON: ISO_CYCLES,
    DATAJSON3: ISO_CYCLES,
    DCAT: {
        "daily": (f"{FREQUENCY}DAILY",),
        "weekly": (f"{FREQUENCY}WEEKLY",),
        "monthly": (f"{FREQUENCY}MONTHLY",),
        "quarterly": (f"{FREQUENCY}QUARTERLY",),
        "half_yearly": (f"{FREQUENCY}ANNUAL_2",),
        "yearly": (f"{FREQUENCY}ANNUAL",),
        "two_yearly": (f"{FREQUENCY}BIENNIAL",),
        "irregular": (f"{FREQUENCY}IRREG",),
    },
}
"""Source → cycle → the words it writes for it."""
UNMAPPED = {
    CKAN: "按学期",
    MUNICIPAL: "财税金融",  # a theme in the column of the cycle
    DATAJSON: "R/P9W",
    DATAJSON3: "R/P9W",
    DCAT: f"http://{HOST}/cycles/semester",
}
AWKWARD = '含"引号"、\\反斜线\\、<尖括号>&连接符，\r\n\t换行与制表，联系电话{phone}'
PART_OF_TWENTY = 20
CLASSIFIED, SPOILT, REPEATED, PLACEHELD, UNDATED, UNMAPPED_WORD, WORDY, UNMOUNTED = 5, 9, 11, 3, 13, 16, 1, 15
OVERDUE = (7, 17)
"""Which of every twenty entries plays which part; those of an even number stay as they should be, or name no system."""


def portal_entries(city: City, source: str, number: int) -> list[Entry]:
    """Return the entries of a portal at the start; on CKAN those of second owners come besides."""
    linked = complete_systems(city)
    entries = [
        _entry(city, source, n, linked[n // 2 % len(linked)] if linked and n % 2 == 0 else None) for n in range(number)
    ]
    if source == CKAN:
        entries += [
            replace(
                _entry(city, CKAN, 2), number=number + n, key=uuid_of(source, city.seed, "owner", n), unit=unit,
                credit=credit, code=theirs.code, title=theirs.title, summary=theirs.summary,
            )
            for n, (theirs, unit, credit) in enumerate(second_owners(city))
        ]  # fmt: skip
    return entries


def numbers(wanted: int) -> dict[str, int]:
    """Return source → how many entries, where the portals are wanted with so many each."""
    return {
        CKAN: wanted,
        DCAT: wanted,
        DATAJSON: wanted,
        DATAJSON3: max(6, wanted // 3),
        MUNICIPAL: min(wanted, MOST_MUNICIPAL),
    }


def fresh_entry(city: City, source: str, number: int) -> Entry:
    """Return an entry that appears later: nothing is wrong with it."""
    return _plain(city, source, number)


def _entry(city: City, source: str, n: int, system: System | None = None) -> Entry:
    entry = _plain(city, source, n, system)
    part = n % PART_OF_TWENTY
    if part == CLASSIFIED:
        number = f"{source.upper()}{n}"
        return replace(
            entry, title=f"XK-R{number}号机要目录", unit=f"双鸭山市第{number}机要目录办公室", code=f"3070XK-{number}/0001",
            key=f"xk-{uuid_of(source, city.seed, n)}", secret=SECRET, mounted=(),
        )  # fmt: skip
    if part in OVERDUE:
        cycle = ("monthly", "yearly")[n // 10 % 2]
        age = city.ago(CYCLE_DAYS[cycle] * 3 + 10).isoformat()
        entry = replace(entry, cycle=cycle, cycle_word=CYCLES[source][cycle][0], modified=age, updated=age)
    return _with_flaw(entry, n, part)


def _with_flaw(entry: Entry, n: int, part: int) -> Entry:
    if n % 60 == 14:
        return replace(entry, issued=IMPOSSIBLE)
    # In one graph a repeated subject is no second entry, so DCAT repeats none.
    repeats = 1 if entry.source == DCAT else 2
    # Without identifiers an entry without a title could not be told from any other, so none could be missed.
    spoilt = {"issued": IMPOSSIBLE} if entry.source == MUNICIPAL else {"title": ""}
    changes: dict[int, Mapping[str, object]] = {
        SPOILT: spoilt,
        REPEATED: {"copies": repeats},
        PLACEHELD: {"issued": PLACEHOLDER},
        UNDATED: {"issued": "", "modified": "", "updated": ""},
        UNMAPPED_WORD: {"cycle": "", "cycle_word": UNMAPPED[entry.source]},
        WORDY: {"summary": AWKWARD.format(phone=f"1380000{n % 10000:04d}")},
        UNMOUNTED: {"mounted": ()},
    }
    return replace(entry, **changes.get(part, {}))  # type: ignore[arg-type]


def _plain(city: City, source: str, n: int, system: System | None = None) -> Entry:
    draw = city.draw("portal", source, n)
    place = draw.below(len(words.UNITS))
    unit = system.unit if system else words.UNITS[place]
    theme, topic = draw.of(THEMES), draw.of(TOPICS)
    cycle, cycle_word = _cycle(source, n)
    kind = COMPONENT if n % 12 == 4 and source in WITH_SERVICES else DATA
    key = uuid_of(source, city.seed, n)
    modified = city.ago(_age(cycle)).isoformat()
    title = f"{unit}{topic}（{n + 1}）"
    return Entry(
        source=source,
        number=n,
        key=key,
        kind=kind,
        code=f"2{draw.below(90) + 10}0{draw.below(90) + 10}/{source}{n:06d}",
        title=title,
        unit=unit,
        credit=system.credit if system else credit_code("11", f"MB{place:06d}"),
        system=system.code if system else "",
        summary=f"{title}，按{theme}领域目录发布",
        theme=theme,
        keywords=(theme, topic, unit),
        share=("无条件共享", "有条件共享")[n % 2],
        condition="按需申请" if n % 2 else "",
        opened=("无条件开放", "有条件开放", "无条件开放")[n % 3],
        cycle=cycle,
        cycle_word=cycle_word,
        issued=city.ago(400 + draw.below(400)).isoformat(),
        modified=modified,
        updated=modified,
        collection="已归集" if source == CKAN else "",
        mounted=_mounted(key, title, n),
        details=(("endpoint", f"http://{HOST}/api/{key}"),) if kind == COMPONENT else (),
        secret="",
    )


def _mounted(key: str, title: str, n: int) -> tuple[Mounted, ...]:
    return tuple(
        Mounted(f"{key}-{form}", f"{title}.{form}", "文件", f"http://{HOST}/download/{key}.{form}", form)
        for form in FORMS[n % len(FORMS)]
    )


def _cycle(source: str, n: int) -> tuple[str, str]:
    """Return a cycle and a word for it, so that every word of the source comes in turn."""
    pairs = [(cycle, word) for cycle, known in CYCLES[source].items() for word in known]
    return pairs[(n + n // len(pairs)) % len(pairs)]


def _age(cycle: str) -> int:
    """Return an age of data that is far from overdue; what is never overdue is old."""
    return CYCLE_DAYS[cycle] // 2 if cycle in CYCLE_DAYS else 2000
