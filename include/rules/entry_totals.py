"""All entries of a kind of catalogue, counted without reading each: alike ones are counted in the database, and looked at once.

For days on which only some systems are looked at: the rates over all entries rest on every one of them. What an entry counts as is
told by the same code as of single entries (`catalogue_facts.marks`); entries that several sources list are put together one by one.
Which of them are joined to a system is not asked: on such a day no entry and no system has another place than before.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, false, func, or_, select

from include.ledger.as_known import AsKnown
from include.rules.catalogue_facts import Catalogues, marks
from include.rules.excerpt import Excerpt, Looked
from include.rules.facts import Catalogued
from include.rules.register_facts import Combined, Registers

_ALIKE = ("source", "state", "share_type", "open_type", "collection", "update_cycle", "data_updated_on", "modified_on")
"""Fields whose values tell entries apart."""

_FILLED = {"share_basis": ("share_basis", "share_condition"), "data_updated_raw": ("data_updated_raw", "modified_raw")}
"""Field that stands for some of which only that one is filled matters."""


def entry_totals(registers: Registers, grace_percent: int, kind: str = "data") -> tuple[Catalogued, bool]:
    """Return all entries of a kind, and whether they are known whole."""
    whole = registers.whole
    entries = whole.known.rows("resource")
    mine = and_(entries.c.kind == kind, entries.c.tombstoned_at.is_(None))
    is_shared = _is_in_several(whole, entries, mine, kind)

    part = Registers(_Part(whole.known, mine & is_shared), whole.day, whole.most_days, whole.groups)
    # Which of them are joined to a system is not asked, so neither is who names which project.
    found, _, is_known = Catalogues(part, grace_percent, lambda codes: dict.fromkeys(codes, ())).totals(kind)
    total = Counter({name: getattr(found, name) for name in Catalogued.__slots__})

    filled = [_is_filled(entries, names).label(name) for name, names in _FILLED.items()]
    has_files = case((entries.c.distribution_count != 0, 1), else_=0).label("distribution_count")
    columns = [*(entries.c[name] for name in _ALIKE), *filled, has_files]
    query = select(*columns, func.count().label("times")).where(mine, ~is_shared).group_by(*columns)
    for row in whole.known.connection.execute(query).mappings():
        if row["state"] != "withdrawn":
            for name in marks(Combined((_OTHERS | dict(row),)), whole, grace_percent):
                total[name] += row["times"]
    return Catalogued(**total), is_known


_OTHERS: dict[str, Any] = {name: None for names in _FILLED.values() for name in names}


def _is_filled(entries: FromClause, names: tuple[str, ...]) -> ColumnElement[Any]:
    return case((or_(*(func.coalesce(entries.c[name], "") != "" for name in names)), "+"))


def _is_in_several(whole: Registers, entries: FromClause, mine: ColumnElement[bool], kind: str) -> ColumnElement[bool]:
    """Return whether several sources list entries of one code: these may be one entry."""
    if len({source for listed, source in whole.known.listings if listed == kind}) < 2:
        return false()
    several = (
        select(entries.c.code)
        .where(mine, entries.c.code.is_not(None))
        .group_by(entries.c.code)
        .having(func.min(entries.c.source) != func.max(entries.c.source))
    )
    return func.coalesce(entries.c.code.in_(several), False)


class _Part(Excerpt):
    """The ledger with some entries of the catalogues, and nothing of anything else."""

    def __init__(self, known: AsKnown, mine: ColumnElement[bool]) -> None:
        super().__init__(known, Looked())
        self._mine = mine

    def rows(self, entity: str) -> FromClause:
        """Return what stands for the table of an entity."""
        if entity != "resource":
            return super().rows(entity)
        table = self._ledger.rows(entity)
        return select(table).where(self._mine).subquery(entity)
