"""Two small data sets over a table of the test's own, and a configuration that guards them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    delete,
    insert,
    inspect,
    text,
)

from include.clock import SHANGHAI
from include.datasets.definitions import Dataset
from include.ledger.types import Moment, Yuan

PROPERTIES: dict[str, Any] = {
    "code": {"type": "string", "title": "编码", "x-type": "text", "minLength": 1, "pattern": "^[^ ]"},
    "name": {"type": ["string", "null"], "title": "名称", "x-type": "text"},
    "kind": {"type": "string", "enum": ["data", "component"], "title": "类别", "x-type": "text"},
    "count": {"type": ["integer", "null"], "title": "数量", "x-type": "integer", "minimum": 0, "x-unit": "次"},
    "amount": {"type": ["string", "null"], "title": "金额(元)", "x-type": "decimal(18,2)", "x-unit": "元"},
    "is_open": {"type": ["boolean", "null"], "title": "是否公开", "x-type": "flag"},
    "issued_on": {"type": ["string", "null"], "title": "发布日期", "x-type": "date", "format": "date"},
    "seen_at": {"type": ["string", "null"], "title": "看到时间", "x-type": "moment", "format": "date-time"},
    "note": {"type": ["string", "null"], "title": "备注", "x-type": "json", "description": "Whatever stands in JSON."},
}
TYPES: dict[str, Any] = {
    "code": String(200), "name": Text, "kind": String(20), "count": Integer, "amount": Yuan, "is_open": Boolean,
    "issued_on": Date, "seen_at": Moment, "note": Text,
}  # fmt: skip
MADE = Table("made", MetaData(), *(Column(name, kind) for name, kind in TYPES.items()))
AT = datetime(2026, 11, 3, 8, 30, 1, tzinfo=SHANGHAI)


def made_dataset(name: str = "shops", version: int = 1, /, **changed: dict[str, Any]) -> Dataset:
    """Return a data set whose view is that of `plant`; `changed` replaces what its schema says of columns."""
    properties = {column: PROPERTIES[column] | changed.get(column, {}) for column in PROPERTIES}
    schema = {"title": f"数据集{name}", "type": "object", "required": list(properties), "additionalProperties": False,
              "x-key": ["code"], "properties": properties}  # fmt: skip
    return Dataset(name, version, schema["title"], schema, ("code",))


def row(code: str, **values: Any) -> dict[str, Any]:
    """Return a row with something in every column."""
    return {
        "code": code, "name": f"名称{code}", "kind": "data", "count": 3, "amount": Decimal("12.50"), "is_open": True,
        "issued_on": date(2026, 11, 2), "seen_at": AT, "note": json.dumps({"a": [1, "二"]}, ensure_ascii=False),
    } | values  # fmt: skip


def plant(engine: Engine, rows: Iterable[dict[str, Any]], views: Iterable[str] = ("shops",)) -> None:
    """Let the table hold these rows, and each of the views show them."""
    rows = list(rows)
    with engine.begin() as connection:
        MADE.create(connection, checkfirst=True)
        connection.execute(delete(MADE))
        if rows:
            connection.execute(insert(MADE), rows)
        for view in set(views) - set(inspect(connection).get_view_names()):
            connection.execute(text(f'CREATE VIEW "{view}" AS SELECT * FROM made'))


def guard_them(monkeypatch: pytest.MonkeyPatch, folder: Path, names: Iterable[str] = ("shops",), **guards: Any) -> None:
    """Lay guards over the shipped ones that know these data sets; they depend on no source unless it is said."""
    folder.mkdir(exist_ok=True)
    datasets = {name: {"depends_on": []} for name in names} | guards.pop("datasets", {})
    text = yaml.safe_dump({"datasets": datasets, **guards}, allow_unicode=True)
    (folder / "guards.yaml").write_text(text, "utf-8")
    monkeypatch.setenv("SHUHENG_CONFIG", str(folder))
