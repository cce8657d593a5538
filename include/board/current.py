"""The record that counts where several sources have one: that of the highest authority, as the views `current_…` choose.

Only the columns that are shown are ranked: the views sort whole records, which takes ten times as long.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Select, Subquery, Table, any_, cast, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, TEXT

from include.ledger.tables import source_authority

UNRANKED = 100
"""The authority of a source that has none."""


def current(entity: Table, code: str, names: Iterable[str], *where: ColumnElement[bool], label: str) -> Subquery:
    """Return the current records of an entity with the columns `names` of it; `code` is the column that tells records apart."""
    a = source_authority
    place = func.row_number().over(
        partition_by=entity.c[code], order_by=(func.coalesce(a.c.authority, UNRANKED), entity.c.source, entity.c.record_key)
    )  # fmt: skip
    ranked = (
        select(*(entity.c[name] for name in dict.fromkeys((code, *names))), place.label("place"))
        .select_from(entity.outerjoin(a, a.c.source == entity.c.source))
        .where(entity.c.tombstoned_at.is_(None), entity.c[code].is_not(None), *where)
        .subquery(f"{label}_ranked")
    )
    columns = [c for c in ranked.c if c.name != "place"]
    return select(*columns).where(ranked.c.place == 1).subquery(label)


def counted(query: Select[Any]) -> Select[Any]:
    """Return a query whose every row says, as `of`, how many rows there are without its limit."""
    return query.add_columns(func.count().over().label("of"))


def among(column: ColumnElement[Any], values: Iterable[str], dialect: str) -> ColumnElement[bool]:
    """Return whether a column has one of any number of values: as one parameter, for databases admit only so many."""
    wanted = sorted(values)
    if dialect == "postgresql":
        return column == any_(cast(literal(wanted, ARRAY(TEXT)), ARRAY(TEXT)))
    listed = func.json_each(orjson.dumps(wanted).decode()).table_valued("value")
    return column.in_(select(listed.c.value))
