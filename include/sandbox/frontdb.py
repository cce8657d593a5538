"""The front-end database 前置库: the first projects as SPGL tables, corrections as rows that follow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    DateTime,
    Engine,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    func,
    insert,
    select,
)

from include.sandbox.layout import BAD, Kind
from include.sandbox.records import Record, wan_yuan
from include.sandbox.truth import is_classified
from include.sandbox.world import World

METADATA = MetaData()
PROJECTS = Table(
    "SPGL_XMJBXXB",
    METADATA,
    Column("LSH", BigInteger, primary_key=True, autoincrement=False),
    Column("XMDM", String(50), index=True),
    Column("YXMDM", String(50)),
    Column("XMMC", String(500)),
    Column("LXLX", Integer),
    Column("JSXZ", Integer),
    Column("XZQHDM", String(12)),
    Column("XMDWMC", String(200)),
    Column("XMDWDM", String(18)),
    Column("GBHY", String(10)),
    Column("ZTZE", Numeric(18, 4)),
    Column("JSGM", Text),
    Column("NKGSJ", String(20)),
    Column("NJCSJ", String(20)),
    Column("SBSJ", DateTime),
    Column("LXR", String(50)),
    Column("LXDH", String(50)),
    Column("MJ", String(20)),
    Column("GXSJ", DateTime, index=True),
    Column("SJYXBS", Integer),
    Column("SJWXYY", String(500)),
    Column("SJSCZT", Integer),
)
ITEMS = Table(
    "SPGL_XMSPSXBLXXB",
    METADATA,
    Column("LSH", BigInteger, primary_key=True, autoincrement=False),
    Column("XMDM", String(50), index=True),
    Column("SPSXSLBM", String(50), index=True),
    Column("SPSXBM", String(50)),
    Column("SPSXMC", String(200)),
    Column("SPBMMC", String(200)),
    Column("BLZT", Integer),
    Column("SLSJ", DateTime),
    Column("BJSJ", DateTime),
    Column("PFWH", String(200)),
    Column("GXSJ", DateTime),
    Column("SJYXBS", Integer),
    Column("SJWXYY", String(500)),
)
TYPES = {"A00001": 1, "A00002": 2, "A00003": 3, "A00088": 9}
NATURES = {"0": 1, "1": 2, "2": 3, "3": 4, "9": 9}
STATES = {
    "ITEM_SQ": 1,
    "ITEM_SL": 3,
    "ITEM_BZ": 5,
    "ITEM_SH": 8,
    "ITEM_ZT": 8,
    "ITEM_BJ": 11,
    "ITEM_BYTG": 13,
    "ITEM_CH": 14,
    "ITEM_CX": 14,
    "ITEM_XX": 99,
}
WRONG, WITHDRAWN = "填报有误", "项目撤回"
Row = dict[str, Any]


def project_row(record: Record) -> Row:
    """Return a project as one row, without its serial number."""
    enterprise, is_valid = record["ENTERPRISE"], record["VALIDITY_FLAG"] == "1"
    return {
        "XMDM": record["PROJECT_CODE"],
        "YXMDM": record["OLD_PROJECT_CODE"] or None,
        "XMMC": record["PROJECT_NAME"],
        "LXLX": TYPES[record["PROJECT_TYPE"]],
        "JSXZ": NATURES[record["PROJECT_NATURE"]],
        "XZQHDM": record["DIVISION_CODE"],
        "XMDWMC": enterprise["ENTERPRISENAME"],
        "XMDWDM": enterprise["LEREPCERTNO"],
        "GBHY": record["INDUSTRY"],
        "ZTZE": wan_yuan(record["TOTAL_MONEY"]),
        "JSGM": record["SCALE_CONTENT"],
        "NKGSJ": record["START_YEAR"],
        "NJCSJ": record["END_YEAR"],
        "SBSJ": _moment(record["APPLY_DATE"].removesuffix(".0")),
        "LXR": enterprise["CONTACTNAME"],
        "LXDH": enterprise["CONTACTPHONE"],
        "MJ": "秘密" if is_classified(record) else "非密",
        "GXSJ": _moment(record["UPDATETIME"]),
        "SJYXBS": int(is_valid),
        "SJWXYY": None if is_valid else record["INVALID_REASON"],
        "SJSCZT": 3,
    }


def item_rows(record: Record) -> list[Row]:
    """Return the approval items of a project as rows, without serial numbers."""
    return [
        {
            "XMDM": record["PROJECT_CODE"],
            "SPSXSLBM": item["SENDID"],
            "SPSXBM": item["ITEM_CODE"],
            "SPSXMC": item["ITEM_NAME"],
            "SPBMMC": item["DEPT_NAME"],
            "BLZT": STATES[item["DEAL_STATE"]],
            "SLSJ": _moment(item["ACCEPT_TIME"]),
            "BJSJ": _moment(item["DEAL_TIME"]),
            "PFWH": item["FILE_NO"] or None,
            "GXSJ": _moment(record["UPDATETIME"]),
            "SJYXBS": 1,
            "SJWXYY": None,
        }
        for item in record["ITEMS"]
    ]


def _moment(text: str) -> datetime | None:
    """Return a moment; a column of a database cannot hold an impossible one, so that is NULL."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def is_corrected(index: int) -> bool:
    """Return whether the start holds a valid row, its withdrawal and a new valid row of this project."""
    return index % 10 == 3


def is_withdrawn(index: int) -> bool:
    """Return whether the last row of this project at the start is an invalid one."""
    return index % 50 == 9


def _history(index: int, row: Row) -> Iterator[Row]:
    before = {"GXSJ": row["GXSJ"] - timedelta(hours=2), "SJYXBS": 1, "SJWXYY": None}
    withdrawal = {"GXSJ": row["GXSJ"] - timedelta(hours=1), "SJYXBS": 0}
    if is_corrected(index):
        wrong = {**row, **before, "XMMC": f"{row['XMMC']}（填错）"}
        yield wrong
        yield {**wrong, **withdrawal, "SJWXYY": WRONG}
    if is_withdrawn(index):
        yield {**row, **before}
        yield {**row, "SJYXBS": 0, "SJWXYY": WITHDRAWN}
    else:
        yield row


def _item_history(index: int, rows: list[Row]) -> Iterator[Row]:
    for position, row in enumerate(rows):
        if index % 10 == 4 and position == 0:
            wrong = {**row, "BLZT": 3, "BJSJ": None, "PFWH": None, "GXSJ": row["GXSJ"] - timedelta(hours=2)}
            yield wrong
            yield {**wrong, "SJYXBS": 0, "SJWXYY": WRONG}
        yield row


def write_frontdb(engine: Engine, world: World, limit: int) -> None:
    """Make both tables anew and fill them with the first projects of the world."""
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    projects: list[Row] = []
    items: list[Row] = []
    for index in range(min(limit, world.size)):
        record = world.recorder.record(index)
        projects += _history(index, project_row(record))
        items += _item_history(index, item_rows(record))
    with engine.begin() as connection:
        insert_numbered(connection, PROJECTS, projects)
        insert_numbered(connection, ITEMS, items)


def append_changes(engine: Engine, world: World, indexes: Iterable[int]) -> None:
    """Write what time changed as rows that follow: the last one withdrawn, then the new one."""
    with engine.begin() as connection:
        for index in sorted(indexes):
            record = world.current(index)
            follow(connection, PROJECTS, "XMDM", project_row(record))
            for row in item_rows(record):
                follow(connection, ITEMS, "SPSXSLBM", row)


def follow(connection: Connection, table: Table, key: str, row: Row) -> None:
    """Write a changed row after the one it takes the place of, which is withdrawn before it."""
    newest = select(table).where(table.c[key] == row[key]).order_by(table.c.LSH.desc()).limit(1)
    last = connection.execute(newest).mappings().first()
    if last is not None and all(last[name] == value for name, value in row.items() if name != "GXSJ"):
        return
    rows = [row]
    if last is not None and last["SJYXBS"] == 1 and row["SJYXBS"] == 1:
        rows.insert(0, {**last, "SJYXBS": 0, "SJWXYY": "数据更正", "GXSJ": row["GXSJ"] - timedelta(minutes=5)})
    insert_numbered(connection, table, rows)


def insert_numbered(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Write rows with the serial numbers that come next."""
    serial = connection.execute(select(func.coalesce(func.max(table.c.LSH), 0))).scalar_one()
    numbered = [{**row, "LSH": serial + number} for number, row in enumerate(rows, 1)]
    if numbered:
        connection.execute(insert(table), numbered)


def frontdb_truth(engine: Engine, world: World, limit: int) -> dict[str, Any]:
    """Return what a reader of the latest rows should find."""
    indexes = range(min(limit, world.size))
    records = {index: world.current(index) for index in indexes}
    opened = {index: record for index, record in records.items() if not is_classified(record)}
    # A NULL date is no error, so only the other two kinds of bad records are bad here.
    bad = [i for i in opened if world.layout.kind(i) in BAD - {Kind.BAD_DATE}]
    with engine.connect() as connection:
        rows = connection.execute(select(func.count()).select_from(PROJECTS)).scalar_one()
        latest = select(func.max(PROJECTS.c.LSH)).group_by(PROJECTS.c.XMDM)
        void = select(PROJECTS.c.XMDM).where(PROJECTS.c.LSH.in_(latest), PROJECTS.c.SJYXBS == 0)
        void_codes = set(connection.execute(void.order_by(PROJECTS.c.XMDM)).scalars())
    codes = {record["PROJECT_CODE"] for record in opened.values()}
    return {
        "rows": rows,
        "listed": len(records),
        "classified": len(records) - len(opened),
        "unclassified": len(opened),
        "bad": len(bad),
        "bad_codes": sorted(opened[i]["PROJECT_CODE"] for i in bad),
        "good": len(opened) - len(bad),
        "items": sum(len(record["ITEMS"]) for record in opened.values()),
        "good_items": sum(len(record["ITEMS"]) for i, record in opened.items() if i not in bad),
        "void": len(void_codes & codes),
        "void_codes": sorted(void_codes & codes),
    }
