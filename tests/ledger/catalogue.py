"""A made-up catalogue: its card, its entries in the portal's own form, and the ledger's state in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import Engine, select

from include.ledger.tables import resource, resource_item
from include.sources.card import Card
from include.sources.card_files import read_card

Row = dict[str, Any]

CARD: dict[str, Any] = {
    "source": "city_catalogue",
    "title": "市政务数据目录",
    "group": "catalogues",
    "entity": "resource",
    "reader": "http",
    "connection": "city_catalogue",
    "request": {"path": "/catalogue"},
    "paging": {"style": "page", "size": "pageSize", "page_size": 10},
    "envelope": {"rows": "data.list", "total": {"path": "data.total"}, "code": "code"},
    "key": ["resource_id"],
    "classified": [{"field": "secret", "open": ["0", None]}],
    "fields": {
        "resource_id": "id", "code": "code", "title": "title", "provider_name": "unit", "provider_uscc": "uscc",
        "description": "about", "record_count": "rows", "updated_at": "mtime",
    },
    "constants": {"kind": "data"},
    "nested": [{
        "entity": "resource_item", "rows": "items", "key": ["resource_id", "name"], "parent": {"resource_id": "resource_id"},
        "fields": {"name": "name", "description": "about"},
    }],
    "ignore": ["secret"],
}  # fmt: skip


def write_catalogue_card(folder: Path, **changed: Any) -> Card:
    """Write the card, with some blocks replaced, and read it."""
    folder.mkdir(parents=True, exist_ok=True)
    data = CARD | changed
    file = folder / f"{data['source']}.yaml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), "utf-8")
    return read_card(file)


def entry(number: int, **changed: Any) -> Row:
    """Return an entry as the portal writes it; `changed` replaces raw fields."""
    return {
        "id": f"R{number}", "code": f"307010{number}", "title": f"行政许可信息{number}", "unit": "市市场监督管理局",
        "about": "许可结果", "rows": 1000 + number, "items": [item("名称"), item("日期")],
    } | changed  # fmt: skip


def item(name: str, about: str = "信息项") -> Row:
    """Return an information item of an entry."""
    return {"name": name, "about": about}


def renamed(row: Row) -> Row:
    """Return the same entry under an identifier coined anew."""
    return row | {"id": f"new-{row['id']}"}


def living(engine: Engine, source: str = "city_catalogue") -> dict[str, str]:
    """Return record key → identifier of the living entries of a source."""
    query = select(resource.c.record_key, resource.c.resource_id).where(
        resource.c.source == source, resource.c.tombstoned_at.is_(None)
    )
    with engine.connect() as connection:
        return dict(connection.execute(query).tuples().all())


def living_items(engine: Engine) -> dict[str, str]:
    """Return record key → owner of the living information items."""
    query = select(resource_item.c.record_key, resource_item.c.resource_id).where(
        resource_item.c.tombstoned_at.is_(None)
    )
    with engine.connect() as connection:
        return dict(connection.execute(query).tuples().all())
