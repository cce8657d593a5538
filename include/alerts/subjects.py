"""Whose department a subject is, and what people call it: the view `subject_unit`, and the cards of the sources."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, text

from include.rules.evaluation import SCOPE_OF_GROUP, SYSTEMS
from include.sources.outlines import Outline

UNREGISTERED = "未登记单位"
"""The department of what no register gives one."""

WITHOUT_DEPARTMENT = frozenset(("source", "calendar", "plan_year"))
"""Kinds of subjects that no department has."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """The subjects of the ledger: (subject type, subject) → (department, name). `sources` are the enabled ones by scope."""

    known: Mapping[tuple[str, str], tuple[str, str]] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def load(cls, connection: Connection, cards: Iterable[Outline]) -> Subjects:
        """Read them all at once: a view over a register costs the same for one."""
        known = {
            (kind, subject): ((unit or "").strip() or UNREGISTERED, name or subject)
            for kind, subject, unit, name in connection.execute(text("SELECT * FROM subject_unit"))
        }
        sources: dict[str, tuple[str, ...]] = {}
        for card in cards:
            known["source", card.source] = "", card.title
            scope = SCOPE_OF_GROUP.get(card.group, SYSTEMS)
            sources[scope] = (*sources.get(scope, ()), *((card.source,) if card.is_enabled else ()))
        return cls(known, sources)

    def department(self, subject_type: str, subject: str) -> str:
        """Return the unit of a subject; empty where such subjects have none."""
        if subject_type in WITHOUT_DEPARTMENT:
            return ""
        return self.known.get((subject_type, subject), (UNREGISTERED, ""))[0]

    def name(self, subject_type: str, subject: str) -> str:
        """Return what people call it, its code where it has no name."""
        return self.known.get((subject_type, subject), ("", subject))[1]
