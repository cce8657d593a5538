"""The treasury's table in the front-end database 前置库: payments, with corrections and withdrawals as rows that follow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Column, Date, DateTime, Engine, Integer, MetaData, Numeric, String, Table

from include.sandbox import words
from include.sandbox.dossier_lines import payments
from include.sandbox.dossiers import Dossiers
from include.sandbox.frontdb import WITHDRAWN, WRONG, Row, insert_numbered

METADATA = MetaData()
PAYMENTS = Table(
    "CZ_ZFXX",
    METADATA,
    Column("LSH", BigInteger, primary_key=True, autoincrement=False),
    Column("ZFDH", String(50), index=True),
    Column("XMDM", String(50)),
    Column("HTBH", String(50)),
    Column("KXLX", Integer),
    Column("ZFRQ", Date),
    Column("ZFJE", Numeric(18, 2)),
    Column("JBR", String(50)),
    Column("LXDH", String(50)),
    Column("MJ", String(20)),
    Column("GXSJ", DateTime),
    Column("SJYXBS", Integer),
    Column("SJWXYY", String(500)),
)
KINDS = {"预付款": 1, "进度款": 2, "尾款": 3}


def write_payments(engine: Engine, dossiers: Dossiers) -> None:
    """Make the table anew and fill it."""
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    rows = [row for number, payment in enumerate(_payments(dossiers)) for row in _history(number, payment)]
    rows += [row | {"MJ": "秘密", "ZFDH": "FK-X", "XMDM": _classified_code(dossiers)} for row in rows[:1]]
    with engine.begin() as connection:
        insert_numbered(connection, PAYMENTS, rows)


def payments_truth(dossiers: Dossiers) -> dict[str, Any]:
    """Return what a reader of the latest valid rows should find."""
    numbers = [row["ZFDH"] for row in _payments(dossiers)]
    gone = [number for place, number in enumerate(numbers) if is_withdrawn(place)]
    return {"valid": sorted(set(numbers) - set(gone)), "withdrawn": gone, "classified": int(bool(numbers))}


def is_withdrawn(place: int) -> bool:
    """Return whether the last row of a payment is an invalid one."""
    return place % 40 == 9


def _classified_code(dossiers: Dossiers) -> Any:
    lines = dossiers.classified.get("payments") or [{"项目代码": None}]
    return lines[0]["项目代码"]


def _payments(dossiers: Dossiers) -> Iterator[Row]:
    for project in dossiers.projects:
        days = {
            kind: project.life.day(step)
            for kind, step in (("预付款", "advance"), ("进度款", "progress"), ("尾款", "final"))
        }
        for line in payments(project):
            kind = line["款项类别"]
            yield {
                "ZFDH": line["付款编号"],
                "XMDM": line["项目代码"],
                "HTBH": line["合同编号"],
                "KXLX": KINDS[kind],
                "ZFRQ": days[kind],
                "ZFJE": Decimal(str(line["付款金额(元)"])),
                "JBR": words.SURNAMES[project.number % 12] + words.GIVEN_NAMES[project.number % 11],
                "LXDH": f"1380000{project.number % 10000:04d}",
                "MJ": "非密",
                "GXSJ": _noon(days[kind]),
                "SJYXBS": 1,
                "SJWXYY": None,
            }


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


def _history(place: int, row: Row) -> Iterator[Row]:
    hour = timedelta(hours=1)
    if place % 10 == 3:
        wrong = {**row, "ZFJE": row["ZFJE"] * 10, "GXSJ": row["GXSJ"] - 2 * hour}
        yield wrong
        yield {**wrong, "SJYXBS": 0, "SJWXYY": WRONG, "GXSJ": row["GXSJ"] - hour}
    yield row
    if is_withdrawn(place):
        yield {**row, "SJYXBS": 0, "SJWXYY": WITHDRAWN, "GXSJ": row["GXSJ"] + hour}
