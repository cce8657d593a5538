"""The approvals of the projects on the platforms (arts. 18, 19): which items are which, told by words in their names.

An item that names both is both: a merged approval (art. 20). Its times are days in Shanghai.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Row, or_, select

from include.rules.dossier_facts import Kept, grouped
from include.rules.parameters import REGULATION
from include.rules.records import Approval
from include.rules.register_facts import Registers
from include.settings import load_settings
from include.sources.checked_yaml import read_checked

FILE = "approval_items.yaml"


@dataclass(frozen=True)
class ApprovalKinds:
    """Kind of approval → the words of which one stands in the name of its items."""

    words: Mapping[str, tuple[str, ...]]

    @classmethod
    def load(cls) -> ApprovalKinds:
        """Read `include/regulation/approval_items.yaml`, and the kinds that `$SHUHENG_CONFIG` words otherwise."""
        config = load_settings().config_dir
        words: dict[str, tuple[str, ...]] = {}
        for file in [REGULATION / FILE] + ([config / FILE] if config else []):
            if file.is_file():
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
    "item_id", "item_name", "state", "submitted_at", "accepted_at", "decided_at", "document_no", "project_code", "changed_batch",
    "source", "record_key",
)  # fmt: skip


def approvals(registers: Registers, present: Callable[[str], str], kinds: ApprovalKinds) -> dict[str, list[Kept]]:
    """Return the approvals of each project in order of kind and item; what two platforms list of one item is one approval."""
    items = registers.known.rows("approval_item")
    named = or_(*(items.c.item_name.contains(word, autoescape=True) for word in kinds.every_word))
    query = select(*(items.c[name] for name in _COLUMNS)).where(items.c.tombstoned_at.is_(None), named)
    found: dict[tuple[str, str, str], Kept] = {}
    rows = registers.known.connection.execute(query).all()
    for row in sorted(rows, key=lambda r: (registers.authority(r.source), r.source, r.record_key)):
        project = present(row.project_code)
        for kind in kinds.of(row.item_name):
            key = (project, kind, row.item_id)
            found.setdefault(key, Kept(_approval(row, kind), key, project, None, (row.changed_batch,)))
    return grouped((key[0], found[key]) for key in sorted(found))


def _approval(row: Row[Any], kind: str) -> Approval:
    days = (_day(row.submitted_at), _day(row.accepted_at), _day(row.decided_at))
    return Approval(row.item_id, kind, row.state, *days, row.document_no)


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None  # the ledger gives moments in Shanghai
