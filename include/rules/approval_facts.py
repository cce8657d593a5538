"""The approvals of the projects on the platforms (arts. 18, 19): which items are which, told by words in their names.

An item that names both is both: a merged approval (art. 20). Its times are days in Shanghai.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from sqlalchemy import or_, select

from include.rules.dossier_facts import Kept, grouped
from include.rules.records import Approval
from include.rules.register_facts import Registers
from include.rules.regulation_files import laid_over
from include.sources.checked_yaml import read_checked

FILE = "approval_items.yaml"


@dataclass(frozen=True)
class ApprovalKinds:
    """Kind of approval → the words of which one stands in the name of its items."""

    words: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls) -> ApprovalKinds:
        """Read `include/regulation/approval_items.yaml`, and the kinds that `$SHUHENG_CONFIG` words otherwise."""
        words: dict[str, tuple[str, ...]] = {}
        for file in laid_over(FILE):
            data, _ = read_checked(file, "approval_items.v1.json", f"include/regulation/{FILE}")
            words |= {kind: tuple(found) for kind, found in data["kinds"].items()}
        return cls(words)

    @cached_property
    def every_word(self) -> list[str]:
        """Return the words of all kinds."""
        return sorted({word for words in self.words.values() for word in words})

    def of(self, name: str) -> list[str]:
        """Return the kinds of an item by its name; none for an item that is no concern of the measures."""
        return [kind for kind, words in sorted(self.words.items()) if any(word in name for word in words)]


_COLUMNS = (
    "project_code", "item_id", "item_name", "state", "submitted_at", "accepted_at", "decided_at", "document_no", "changed_batch",
    "source", "record_key",
)  # fmt: skip


def approvals(registers: Registers, aliases: Mapping[str, str], kinds: ApprovalKinds) -> dict[str, list[Kept]]:
    """Return the approvals of each project in order of kind and item; what two platforms list of one item is one approval."""
    items = registers.known.rows("approval_item")
    named = or_(*(items.c.item_name.contains(word, autoescape=True) for word in kinds.every_word))
    query = select(*(items.c[name] for name in _COLUMNS)).where(items.c.tombstoned_at.is_(None), named)
    rows = registers.known.connection.execute(query).all()
    if len({row.source for row in rows}) > 1:
        rows = sorted(rows, key=lambda row: (registers.authority(row.source), row.source, row.record_key))
    kinds_of: dict[str, list[str]] = {}
    found: dict[tuple[str, str, str], Kept] = {}
    for code, item, name, state, submitted, accepted, decided, document, batch, *_ in rows:
        project = aliases.get(code, code)
        if name not in kinds_of:
            kinds_of[name] = kinds.of(name)
        for kind in kinds_of[name]:
            if (key := (project, kind, item)) not in found:
                record = Approval(item, kind, state, _day(submitted), _day(accepted), _day(decided), document)
                found[key] = Kept(record, key, project, None, (batch,))
    return grouped((key[0], found[key]) for key in sorted(found))


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None  # the ledger gives moments in Shanghai
