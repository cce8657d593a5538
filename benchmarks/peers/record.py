"""The flat form of a record that peers write: every field as the platform sent it, owner fields beside it, items as JSON."""

from __future__ import annotations

from typing import Any

KEY = "PROJECT_CODE"
CURSOR = "UPDATETIME"
PLAIN = (
    "PROJECT_CODE", "REPORT_CODE", "OLD_PROJECT_CODE", "PROJECT_NAME", "PROJECT_TYPE", "PROJECT_NATURE",
    "DIVISION_CODE", "DIVISION_NAME", "PLACE_CODE", "PLACE_CODE_DETAIL_NAME", "INDUSTRY", "THE_INDUSTRY",
    "TOTAL_MONEY", "TOTAL_MONEY_EXPLAIN", "SCALE_CONTENT", "START_YEAR", "END_YEAR", "APPLY_DATE", "CREATETIME",
    "UPDATETIME", "PERMIT_ITEM_CODE", "VALIDITY_FLAG", "INVALID_REASON", "FOREIGN_ABROAD_FLAG", "IS_MAJOR",
    "IS_COUNTRY_SECURITY", "FUND_SOURCE", "SECRET_FLAG", "DATA_BATCH_NO",
)  # fmt: skip
OWNER = ("ENTERPRISENAME", "LEREPCERTTYPE", "LEREPCERTNO", "CONTACTNAME", "CONTACTPHONE")
COLUMNS = (*(name.lower() for name in (*PLAIN, *OWNER)), "items")
"""35 columns: 29 of the record, 5 of its owner, the approval items as JSON text."""

ITEM = (
    "SENDID", "ITEM_CODE", "ITEM_NAME", "DEPT_NAME", "DEAL_STATE", "DEAL_STATE_NAME", "APPLY_TIME", "ACCEPT_TIME",
    "DEAL_TIME", "FILE_NO", "DEAL_USER",
)  # fmt: skip
ITEM_COLUMNS = (*(name.lower() for name in ITEM), "project_code")


def flatten(record: dict[str, Any], items: str | None) -> tuple[Any, ...]:
    """Return the values of `COLUMNS`."""
    owner = record.get("ENTERPRISE") or {}
    get, own = record.get, owner.get
    return (*[get(name) for name in PLAIN], *[own(name) for name in OWNER], items)


def flatten_item(item: dict[str, Any], code: str) -> tuple[Any, ...]:
    """Return the values of `ITEM_COLUMNS`."""
    return (*[item.get(name) for name in ITEM], code)


def table_ddl(name: str, columns: tuple[str, ...], key: str, more: str = "") -> str:
    """Return CREATE TABLE with text columns and a primary key."""
    body = ", ".join(f"{column} text{' NOT NULL PRIMARY KEY' if column == key else ''}" for column in columns)
    return f"CREATE TABLE IF NOT EXISTS {name} ({body}{more})"
