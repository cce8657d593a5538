"""The catalogue tables of the front-end database: ML_ZYML and its information items ML_XXX, by the convention of SPGL_*."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Engine, Integer, MetaData, String, Table, Text

from include.sandbox import words
from include.sandbox.catalogues.entry import KIND_WORDS, Entry, Mounted
from include.sandbox.catalogues.system_entries import FRONTDB
from include.sandbox.catalogues.world import CatalogueWorld
from include.sandbox.codes import credit_code
from include.sandbox.frontdb import WITHDRAWN, WRONG, follow, insert_numbered

METADATA = MetaData()
ENTRIES = Table(
    "ML_ZYML",
    METADATA,
    Column("LSH", BigInteger, primary_key=True, autoincrement=False),
    Column("ZYBM", String(200), index=True),
    Column("ZYMC", String(500)),
    Column("ZYZY", Text),
    Column("ZYLX", String(20)),
    Column("TGF", String(200)),
    Column("TGFDM", String(18)),
    Column("XTBM", String(50)),
    Column("XMDM", String(500)),
    Column("GXLX", String(20)),
    Column("GXTJ", String(500)),
    Column("GXZQ", String(20)),
    Column("FBRQ", DateTime),
    Column("SJGXRQ", DateTime),
    Column("GJZT", String(20)),
    Column("GJMC", String(500)),
    Column("GJLX", String(20)),
    Column("GJDZ", String(500)),
    Column("MJ", String(20)),
    Column("GXSJ", DateTime, index=True),
    Column("SJYXBS", Integer),
    Column("SJWXYY", String(500)),
)
ITEMS = Table(
    "ML_XXX",
    METADATA,
    Column("LSH", BigInteger, primary_key=True, autoincrement=False),
    Column("ZYBM", String(200), index=True),
    Column("XXXBM", String(200), index=True),
    Column("XXXMC", String(300)),
    Column("SJLX", String(20)),
    Column("CD", Integer),
    Column("GXSJ", DateTime),
    Column("SJYXBS", Integer),
    Column("SJWXYY", String(500)),
)
VOID = 4
"""How many entries there are besides whose last row is an invalid one; no system and no list knows them."""
Row = dict[str, Any]


def void_codes() -> list[str]:
    """Return the codes of the entries that have been withdrawn."""
    return [f"307099/9000{number}" for number in range(VOID)]


def write_catalogue(engine: Engine, world: CatalogueWorld) -> None:
    """Make both tables anew and fill them with the entries and their history."""
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    entries = world.entries(FRONTDB)
    rows = [row for entry in entries for row in _history(entry)]
    rows += [row for number, code in enumerate(void_codes()) for row in _withdrawn(world, number, code)]
    with engine.begin() as connection:
        insert_numbered(connection, ENTRIES, rows)
        insert_numbered(connection, ITEMS, [row for entry in entries for row in _item_rows(entry)])


def append_catalogue(engine: Engine, world: CatalogueWorld, codes: Iterable[str]) -> None:
    """Write changed entries as rows that follow."""
    wanted = set(codes)
    moment = datetime.combine(world.city.start, time()) + timedelta(minutes=10 * world.version)
    with engine.begin() as connection:
        for entry in world.entries(FRONTDB):
            if entry.code in wanted:
                follow(connection, ENTRIES, "ZYBM", _row(entry) | {"GXSJ": moment})


def _row(entry: Entry) -> Row:
    mounted = entry.mounted[0] if entry.mounted else Mounted("", "", "", "")
    return {
        "ZYBM": entry.code,
        "ZYMC": entry.title or None,
        "ZYZY": entry.summary,
        "ZYLX": KIND_WORDS[entry.kind],
        "TGF": entry.unit,
        "TGFDM": entry.credit,
        "XTBM": entry.system or None,
        "XMDM": ",".join(entry.projects) or None,
        "GXLX": entry.share,
        "GXTJ": entry.condition or None,
        "GXZQ": entry.cycle_word,
        "FBRQ": _moment(entry.issued),
        "SJGXRQ": _moment(entry.updated),
        "GJZT": entry.collection,
        "GJMC": mounted.title or None,
        "GJLX": mounted.access or None,
        "GJDZ": mounted.url or None,
        "MJ": entry.secret or None,
        "GXSJ": datetime.combine(datetime.fromisoformat(entry.modified), time(12)),
        "SJYXBS": 1,
        "SJWXYY": None,
    }


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _history(entry: Entry) -> Iterator[Row]:
    row = _row(entry)
    if entry.number % 20 == 8:
        hours = timedelta(hours=1)
        wrong = {**row, "ZYMC": f"{row['ZYMC']}（填错）", "GXSJ": row["GXSJ"] - 2 * hours}
        yield wrong
        yield {**wrong, "SJYXBS": 0, "SJWXYY": WRONG, "GXSJ": row["GXSJ"] - hours}
    yield row


def _withdrawn(world: CatalogueWorld, number: int, code: str) -> Iterator[Row]:
    moment = datetime.combine(world.city.ago(30 + number), time(12))
    row: Row = dict.fromkeys((column.name for column in ENTRIES.columns if column.name != "LSH"), None)
    row |= {
        "ZYBM": code,
        "ZYMC": f"{words.UNITS[number]}已撤销目录{number + 1}",
        "ZYLX": "数据",
        "TGF": words.UNITS[number],
        "TGFDM": credit_code("11", f"MB{number:06d}"),
        "GXLX": "有条件共享",
        "GXTJ": "按程序申请",
        "GXZQ": "每年",
        "GXSJ": moment,
        "SJYXBS": 1,
    }
    yield row
    yield {**row, "SJYXBS": 0, "SJWXYY": WITHDRAWN, "GXSJ": moment + timedelta(hours=1)}


def _item_rows(entry: Entry) -> Iterator[Row]:
    for item in entry.items:
        yield {
            "ZYBM": entry.code,
            "XXXBM": f"{entry.code}-{item.code}",
            "XXXMC": item.name,
            "SJLX": item.type,
            "CD": item.length,
            "GXSJ": datetime.combine(datetime.fromisoformat(entry.modified), time(12)),
            "SJYXBS": 1,
            "SJWXYY": None,
        }
