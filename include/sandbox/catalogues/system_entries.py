"""The entries of the city's systems, in the exchange's catalogue, the departments' files and the front-end database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from include.sandbox import words
from include.sandbox.catalogues.entry import (
    CLOUD,
    COMPONENT,
    DATA,
    HOST,
    IMPOSSIBLE,
    SECRET,
    Entry,
    Item,
    Mounted,
    uuid_of,
)
from include.sandbox.catalogues.parts import PARTS, Part, owes, part_name, part_of
from include.sandbox.codes import credit_code
from include.sandbox.systems import City, System

EXCHANGE, WORKBOOK, COMPONENT_FILE, FRONTDB = "catalogue", "workbook", "component_file", "frontdb"
SOURCES = (EXCHANGE, WORKBOOK, COMPONENT_FILE, FRONTDB)
IN_FILES, IN_FRONTDB = 7, 8
"""Which last digit of a system's number sends its data and its components there instead of to the exchange."""
COMPONENT_TYPES = (
    "身份认证",
    "电子证照",
    "电子签章",
    "支付",
    "消息",
    "地图",
    "智能算法",
    "流程引擎",
)
MODES = ("API", "SDK", "页面")
ITEMS = (
    Item("统一社会信用代码", "TYSHXYDM", "C", 18, "主体的统一社会信用代码"),
    Item("名称", "MC", "C", 200),
    Item("金额", "JE", "N", 18, "单位为元"),
    Item("登记日期", "DJRQ", "D", 8),
    Item("更新时间", "GXSJ", "T", 14),
)
ODD_TYPE = Item("附加信息", "FJXX", "X", 0)
"""An information item of a type that no guide knows."""
CLOUD_TYPES = ("云主机", "云主机", "容器", "数据库")
REPEATED_IN_FILE = 60
BAD_EVERY, REPEATED_EVERY = 40, 25
"""Every so many systems, counted from those of part complete, the exchange holds a bad or a repeated entry besides."""


def system_entries(city: City) -> dict[str, list[Entry]]:
    """Return source → entries at the start."""
    found: dict[str, list[Entry]] = {source: [] for source in SOURCES}
    for system in city.systems:
        for entry in _of_system(city, system):
            found[entry.source].append(entry)
    for source in (WORKBOOK, COMPONENT_FILE, FRONTDB):
        found[source] += _besides(city, source)
    return found


def _besides(city: City, source: str) -> Iterator[Entry]:
    """Yield what a file or table holds of no system: a classified entry, one without a title, one of an impossible day."""
    system = next(system for system in city.open if owes(system))
    maker = _Maker(city, system, PARTS["unlinked"])
    plain = maker.component() if source == COMPONENT_FILE else next(maker.data())
    plain = replace(plain, source=source, system="", projects=(), copies=1)
    number = f"{source.upper()}1"
    yield replace(
        plain, code=f"3070XK-{number}/0001", title=f"XK-R{number}号机要目录", unit=f"双鸭山市第{number}机要目录办公室",
        key=f"xk-{plain.key}", summary="内部使用", secret=SECRET, mounted=(), items=(),
    )  # fmt: skip
    yield replace(plain, code=f"307098/{source}-1", title="", key=uuid_of(source, "untitled"))
    if source != FRONTDB:  # a column of dates cannot hold an impossible one
        yield replace(plain, code=f"307098/{source}-2", issued=IMPOSSIBLE, key=uuid_of(source, "impossible"))


def _of_system(city: City, system: System) -> Iterator[Entry]:
    part = part_of(system)
    if system.profile.is_classified:
        part = Part()
    if not owes(system):
        return
    maker = _Maker(city, system, part)
    if part.has_data:
        yield from maker.data()
    if part.has_component:
        yield maker.component()
    if part.has_cloud:
        yield from maker.cloud()
    if not system.profile.is_classified:
        yield from maker.spoilt()


class _Maker:
    """Makes the entries of one system."""

    def __init__(self, city: City, system: System, part: Part) -> None:
        self.city, self.system, self.part = city, system, part
        digit = system.number % 10
        self.of_data = {IN_FILES: WORKBOOK, IN_FRONTDB: FRONTDB}.get(digit, EXCHANGE)
        self.of_component = COMPONENT_FILE if digit in (IN_FILES, IN_FRONTDB) else EXCHANGE

    def data(self) -> Iterator[Entry]:
        """Yield its data: of every fourth system two entries."""
        yield self._data(0)
        if self.system.number % 4 == 3:
            yield self._data(1)

    def component(self) -> Entry:
        """Return its component."""
        system = self.system
        place = system.number % len(COMPONENT_TYPES)
        name = COMPONENT_TYPES[place]
        details = {
            "type": name,
            "version": f"{1 + system.number % 4}.{system.number % 10}",
            "mode": MODES[system.number % len(MODES)],
            "endpoint": f"http://{HOST}/components/{system.code}",
            "owner": "双鸭山市数据局" if system.number % 2 else system.unit,
        }
        copies = 2 if system.number % REPEATED_IN_FILE == 27 else 1
        return replace(self._entry(self.of_component, COMPONENT, 0, f"{system.name}{name}组件", details), copies=copies)

    def cloud(self) -> Iterator[Entry]:
        """Yield its cloud resources, named as the city cloud names them."""
        system = self.system
        for place, code in enumerate(system.resources):
            draw = self.city.draw("catalogue-cloud", code)
            is_store = code.startswith("obs")
            details: dict[str, Any] = {
                "platform": "双鸭山市政务云",
                "zone": ("政务外网区", "互联网区")[system.number % 5 == 0],
                "type": "存储" if is_store else CLOUD_TYPES[draw.below(len(CLOUD_TYPES))],
                "vcpu": 0 if is_store else 2 << draw.below(4),
                "memory": 0 if is_store else 4 << draw.below(4),
                "disk": 100 * (1 + draw.below(20)),
                "expires": self.city.ago(-400 - draw.below(600)).isoformat(),
            }
            yield replace(self._entry(EXCHANGE, CLOUD, place, f"{system.name}云资源{place + 1}", details), code=code)

    def spoilt(self) -> Iterator[Entry]:
        """Yield what the exchange holds besides: entries without a title, with an impossible date, or listed twice."""
        number = self.system.number
        if number % 3 or self.of_data != EXCHANGE:
            return
        turn = number // 3
        if turn % BAD_EVERY == 4:
            yield replace(self._data(8), title="")
        if turn % BAD_EVERY == 8:
            yield replace(self._data(9), issued=IMPOSSIBLE)
        if turn % REPEATED_EVERY == 5:
            yield replace(self._data(7), copies=2)

    def _data(self, place: int) -> Entry:
        system, part = self.system, self.part
        topic = ("业务办理信息", "统计汇总信息")[place % 2]
        entry = self._entry(self.of_data, DATA, place, f"{system.name}{topic}", {})
        if place == 7:
            entry = replace(entry, title=f"{system.name}重复登记信息")
        kind = ("库表", "文件", "接口")[(system.number + place) % 3]
        url = f"http://{HOST}/exchange/{system.code}/{place}" if kind == "接口" else ""
        mounted: tuple[Mounted, ...] = (Mounted(f"zy-{entry.code}", f"{entry.title}{kind}", kind, url),)
        if (system.number + place) % 7 == 2:
            mounted += (
                Mounted(f"zy-{entry.code}-2", f"{entry.title}文件", "文件", f"http://{HOST}/f/{system.code}.xlsx"),
            )
        phone = f"，联系电话1380000{system.number % 10000:04d}" if system.number % 12 == 3 else ""
        items = ITEMS[: 2 + system.number % 4] + ((ODD_TYPE,) if system.number % 30 == 9 else ())
        return replace(
            entry,
            summary=f"{system.name}办理业务过程中形成的{topic}{phone}",
            theme=_theme(system.number),
            keywords=(words.SYSTEMS[system.number % len(words.SYSTEMS)], topic),
            cycle=part.cycle,
            cycle_word=part.cycle_word,
            updated=self.city.ago(part.age).isoformat(),
            collection=part.collection,
            mounted=mounted if part.is_mounted else (),
            items=items,
        )

    def _entry(self, source: str, kind: str, place: int, title: str, details: dict[str, Any]) -> Entry:
        city, system, part = self.city, self.system, self.part
        is_linked = part.is_linked or kind == CLOUD
        letter = {DATA: "", COMPONENT: "9", CLOUD: "8"}[kind]
        code = f"3070{system.number % 90 + 10:02d}{letter}/{system.number:05d}{place}"
        if system.profile.is_classified:
            code = f"3070XK{letter}/{system.number:05d}{place}"
        return Entry(
            source=source,
            number=system.number,
            key=uuid_of("catalogue", city.seed, system.code, kind, place),
            kind=kind,
            code=code,
            title=title,
            unit=system.unit,
            credit=system.credit,
            system=system.code if is_linked else "",
            projects=system.projects if is_linked else (),
            summary=f"{title}，供各部门按需申请使用",
            share=part.share if kind == DATA else "有条件共享",
            condition=part.condition if kind == DATA else "按程序申请",
            opened="有条件开放" if part.share == "有条件共享" else "不予开放",
            issued=(part.issued if kind == DATA else "") or city.ago(300 + system.number % 300).isoformat(),
            modified=city.ago(10 + system.number % 20).isoformat(),
            details=tuple(details.items()),
            secret=SECRET if system.profile.is_classified else ("", "非密")[system.number % 2],
        )


def _theme(number: int) -> str:
    return ("综合政务", "市场监管", "社会保障", "医疗卫生", "教育科技", "城乡建设", "生态环境", "交通运输")[number % 8]


def second_owners(city: City) -> list[tuple[Entry, str, str]]:
    """Return the exchange's entries that a portal lists too, as those of another unit, and that unit with its code."""
    found = []
    for system in city.open:
        part = part_of(system)
        if part.has_second_owner and owes(system) and system.number % 10 not in (IN_FILES, IN_FRONTDB):
            place = (system.number + 1) % len(words.UNITS)
            if words.UNITS[place] == system.unit:
                place = (place + 1) % len(words.UNITS)
            entry = next(_Maker(city, system, part).data())
            found.append((entry, words.UNITS[place], credit_code("11", f"MB{place:06d}")))
    return found


def complete_systems(city: City) -> list[System]:
    """Return the systems that want for nothing, to which portals may link entries without filling a hole."""
    return [s for s in city.open if part_name(s) == "complete" and owes(s)]
