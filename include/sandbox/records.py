"""One project as the provincial platform writes it, made from (seed, index) alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from include.sandbox import words
from include.sandbox.approvals import item, life_items
from include.sandbox.codes import GUIDING_DEPARTMENTS, credit_code, old_project_code, project_code, spoilt
from include.sandbox.layout import COMPARED, Kind, Layout
from include.sandbox.lives import county_life, live

BASE_DAY = datetime.fromisoformat("2026-11-20")
FIRST_UPDATE = datetime.fromisoformat("2024-11-20")
SPAN_SECONDS = int((BASE_DAY - FIRST_UPDATE).total_seconds()) - 86400

APPLIED_WITHIN = 300 * 86400
OLD_FORM_START = datetime.fromisoformat("2016-01-01")
USUAL_STATES = ("ITEM_BJ", "ITEM_BJ", "ITEM_BJ", "ITEM_SL", "ITEM_SH", "ITEM_SQ", "ITEM_BZ", "ITEM_ZT")

MARKS = {
    Kind.VOID_DIGITAL: ("A00001", "A00009"),
    Kind.FILED_DIGITAL: ("A00003", "A00009"),
    Kind.COUNTY_DIGITAL: ("A00001", "A00009"),
    Kind.CLASSIFIED: ("A00001", "A00009"),
    Kind.HIGH_TECH: ("A00003", "A00008"),
}
"""Records near the edge of what is compared: one mark each keeps them out of it."""

Record = dict[str, Any]


class Draw:
    """Numbers below given bounds, drawn from one digest; same parts, same numbers."""

    __slots__ = ("_pool",)

    def __init__(self, *parts: object) -> None:
        key = "/".join(map(str, parts)).encode()
        self._pool = int.from_bytes(blake2b(key).digest(), "little")

    def below(self, bound: int) -> int:
        """Return the next number in 0 … bound-1."""
        self._pool, rest = divmod(self._pool, bound)
        return rest

    def of(self, choices: Any) -> Any:
        """Return one of the choices."""
        self._pool, rest = divmod(self._pool, len(choices))
        return choices[rest]


class Recorder:
    """Makes the records of one world."""

    def __init__(self, seed: int, layout: Layout) -> None:
        self.seed = seed
        self.layout = layout

    def updated(self, index: int) -> datetime:
        """Return the UPDATETIME of a record of the start; it grows with the index."""
        return FIRST_UPDATE + timedelta(seconds=index * SPAN_SECONDS // self.layout.size)

    def code(self, index: int, updated: datetime) -> str:
        """Return the code of a record."""
        draw = Draw(self.seed, index)
        kind = self.layout.kind(index)
        applied = _applied(draw, kind, updated)
        return self._code(index, kind, applied, self._division(index, kind, draw))

    def record(self, index: int, updated: datetime | None = None) -> Record:
        """Return a whole record."""
        updated = updated or self.updated(index)
        kind, identity = self.layout.kind(index), self.layout.identity(index)
        own = Draw(self.seed, index)
        applied = _applied(own, kind, updated)
        division = self._division(index, kind, own)
        code = self._code(index, kind, applied, division)
        draw = Draw(self.seed, identity, "facts")
        compared = kind in COMPARED
        if compared:
            unit, credit, name = self._digital_name(identity)
            project_type, industry, managed = "A00001", "6510", "A00009"
        else:
            project_type = ("A00003", "A00001", "A00002", "A00088")[_weighted(draw, (55, 30, 12, 3))]
            unit, credit = self._unit(draw, project_type, kind)
            name = self._name(identity, division[1], draw)
            industry, managed = draw.of(words.INDUSTRIES), f"A0000{1 + draw.below(7)}"
        project_type, managed = MARKS.get(kind, (project_type, managed))
        if kind is Kind.CLASSIFIED:
            unit, credit = f"双鸭山市第{index}专项工程办公室", credit_code("11", f"XM{index:06d}"[:8])
            name = f"XK-{index}号专项信息工程"
        if kind is Kind.MISSING_NAME:
            name = ""
        reason = "项目代码变更" if kind is Kind.OLD_CODE else "单位申请撤销"
        void = kind in (Kind.VOID, Kind.VOID_DIGITAL, Kind.OLD_CODE)
        start_year = applied.year + draw.below(2)
        record: Record = {
            "REPORT_CODE": f"SB{applied.isoformat()[:10].replace('-', '')}{index:07d}",
            "PROJECT_CODE": code,
            "OLD_PROJECT_CODE": self._former_code(index) if kind is Kind.NEW_CODE else "",
            "PROJECT_NAME": name,
            "PROJECT_TYPE": project_type,
            "PROJECT_NATURE": "9" if kind is Kind.ODD_NATURE else "0001223"[draw.below(7)],
            "DIVISION_CODE": division[0],
            "DIVISION_NAME": division[1],
            "PLACE_CODE": division[0],
            "PLACE_CODE_DETAIL_NAME": f"{division[1]}{draw.of(words.TOWNS)}",
            "INDUSTRY": industry,
            "THE_INDUSTRY": managed,
            "TOTAL_MONEY": _money(draw, kind, compared),
            "TOTAL_MONEY_EXPLAIN": "",
            "SCALE_CONTENT": self._scale(draw, kind, identity),
            "START_YEAR": str(start_year),
            "END_YEAR": str(start_year + 1 + draw.below(3)),
            "APPLY_DATE": "2026-13-45 00:00:00.0" if kind is Kind.BAD_DATE else f"{applied}.0",
            "CREATETIME": (applied + timedelta(minutes=3)).isoformat(),
            "UPDATETIME": updated.isoformat(),
            "PERMIT_ITEM_CODE": f"23{draw.below(9000) + 1000}" if project_type == "A00002" else "",
            "VALIDITY_FLAG": "0" if void else "1",
            "INVALID_REASON": reason if void else "",
            "FOREIGN_ABROAD_FLAG": "1" if draw.below(100) == 0 else "0",
            "IS_MAJOR": "1" if draw.below(20) == 0 else "0",
            "IS_COUNTRY_SECURITY": "1" if kind is Kind.CLASSIFIED else "0",
            "FUND_SOURCE": words.FUNDS[0] if compared else draw.of(words.FUNDS),
            "SECRET_FLAG": "1" if kind is Kind.CLASSIFIED else "0",
            "DATA_BATCH_NO": f"B{updated.isoformat()[:7]}-{index % 4}",
            "ENTERPRISE": {
                "ENTERPRISENAME": unit,
                "LEREPCERTTYPE": "16",
                "LEREPCERTNO": credit,
                "CONTACTNAME": draw.of(words.SURNAMES) + draw.of(words.GIVEN_NAMES),
                "CONTACTPHONE": f"1380000{draw.below(10000):04d}",
            },
            "ITEMS": [],
        }
        if kind is not Kind.OLD_CODE:
            record["ITEMS"] = self._items(own, index, kind, project_type, applied, updated)
        return record

    def _division(self, index: int, kind: Kind, draw: Draw) -> tuple[str, str]:
        """Return where a project is; the second draw of every record."""
        number = draw.below(12)
        if kind is Kind.NEW_CODE:
            former = Draw(self.seed, self.layout.former(index))
            former.below(APPLIED_WITHIN)
            number = former.below(12)
        if kind in COMPARED or kind is Kind.VOID_DIGITAL:
            return words.CITY
        if kind is Kind.COUNTY_DIGITAL:
            return words.COUNTIES[number % 8]
        return words.COUNTIES[number] if number < 8 else words.CITY

    def _code(self, index: int, kind: Kind, applied: datetime, division: tuple[str, str]) -> str:
        if kind is Kind.OLD_FORM:
            serial = index * 700297 + self.seed * 31337
            return old_project_code(applied.year, division[0], "47", f"0{1 + index % 3}", serial)
        department = GUIDING_DEPARTMENTS[index // 100000 % len(GUIDING_DEPARTMENTS)]
        kind_digits = "04" if kind in COMPARED else f"0{(1, 2, 3, 5)[index % 4]}"
        serial = index % 100000 * 70297 + self.seed * 31337 + 12345
        code = project_code(
            f"{applied.year % 100:02d}{applied.month:02d}", division[0], department, kind_digits, serial
        )
        return spoilt(code) if kind is Kind.FAILED_CHECK else code

    def _former_code(self, index: int) -> str:
        former = self.layout.former(index)
        return self.code(former, self.updated(former))

    def _digital_name(self, index: int) -> tuple[str, str, str]:
        ordinal = index // self.layout.step
        if ordinal % 10 == 4:
            unit, number, turn = words.HEALTH, len(words.UNITS), ordinal // 10
            system = words.SYSTEMS[turn % 40]
        else:
            number, turn = ordinal % 30, ordinal // 30
            unit, system = words.UNITS[number], words.SYSTEMS[(turn + ordinal * 7) % 40]
        phase = words.PHASES[turn // 40 % 10]
        return unit, credit_code("11", f"MB{number:06d}"), f"{unit}{system}{phase}"

    def _unit(self, draw: Draw, project_type: str, kind: Kind) -> tuple[str, str]:
        if project_type == "A00001" and kind is not Kind.FILED_DIGITAL:
            number = draw.below(len(words.UNITS))
            return words.UNITS[number], credit_code("11", f"MB{number:06d}")
        number = draw.below(4800)
        first, rest = divmod(number, 240)
        second, trade = divmod(rest, 12)
        name = f"双鸭山{words.SYLLABLES[first]}{words.SYLLABLES[second]}{words.TRADES[trade]}有限公司"
        return name, credit_code("91", f"MA{number:06d}")

    def _name(self, index: int, place: str, draw: Draw) -> str:
        """Return a name that no other project has: the index is in it."""
        work = draw.of(words.WORKS).format(index // 12 + 1)
        return f"{place}{words.TOWNS[index % 12]}{work}项目"

    def _scale(self, draw: Draw, kind: Kind, identity: int) -> str:
        size = draw.below(20000) + 200
        if kind in COMPARED:
            text = f"建设应用系统{size % 9 + 1}套、数据库{size % 5 + 1}个，完成等保三级测评和密码应用改造"
        else:
            text = f"总建筑面积{size}平方米，建设主体工程及给排水、供电、绿化等设施"
        has_phone = kind is Kind.PHONE or (kind is Kind.DIGITAL and identity // self.layout.step % 20 == 7)
        return f"{text}，联系电话1380000{identity % 10000:04d}。" if has_phone else f"{text}。"

    def _items(
        self, draw: Draw, index: int, kind: Kind, project_type: str, applied: datetime, updated: datetime
    ) -> list[Record]:
        if kind in COMPARED:
            return life_items(index, live(index // self.layout.step, self.layout, updated), draw)
        if kind is Kind.COUNTY_DIGITAL:
            return life_items(index, county_life(index, updated), draw)
        count = 1 if kind is Kind.ODD_STATE else _weighted(draw, (56, 24, 11, 5, 3, 1))
        choices = words.APPROVALS if project_type == "A00001" else words.FILINGS
        room = max(86400, int((updated - applied).total_seconds()))
        items = []
        for position in range(count):
            state = draw.of(USUAL_STATES)
            if position == 0 and kind is Kind.ODD_STATE:
                state = "ITEM_XX"
            elif draw.below(40) == 0:
                state = draw.of(("ITEM_BYTG", "ITEM_CH", "ITEM_CX"))
            begin = applied + timedelta(seconds=room * position // (count + 1))
            items.append(item(index, position, choices[position], state, begin, draw))
        return items


def _applied(draw: Draw, kind: Kind, updated: datetime) -> datetime:
    """Return when a project was applied for; the first draw of every record."""
    seconds = draw.below(APPLIED_WITHIN) + 7200
    if kind is Kind.OLD_FORM:
        return OLD_FORM_START + timedelta(seconds=seconds * 6)
    if kind in COMPARED or kind is Kind.COUNTY_DIGITAL:
        seconds = 99 * 86400 + seconds // 80  # before the first step of its life
    return updated - timedelta(seconds=seconds)


def _weighted(draw: Draw, weights: tuple[int, ...]) -> int:
    number = draw.below(sum(weights))
    for position, weight in enumerate(weights):
        number -= weight
        if number < 0:
            return position
    raise AssertionError("weights do not cover the draw")


def _money(draw: Draw, kind: Kind, compared: bool) -> str:
    cents = (2000 + draw.below(100000)) if compared else (1000 + draw.below(5000000))
    form = draw.below(10)
    if kind is Kind.NEGATIVE_MONEY:
        return f"-{cents / 100:.2f}"
    if form < 6:
        return f"{cents / 100:.2f}"
    if form < 9:
        return f"{cents / 100:,.1f}"
    return f"{cents / 100:.1f}万元"


def wan_yuan(text: str) -> Decimal:
    """Return a TOTAL_MONEY of ours as 万元."""
    return Decimal(text.removesuffix("万元").replace(",", ""))
