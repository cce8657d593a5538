"""Projects with the whole of their lives in the ledger: platforms, plan, dossiers, contracts, reports, notices."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, insert

from include.ledger.as_known import AsKnown
from include.ledger.tables import project_alias
from include.rules.facts_of_day import FactsOfDay
from include.rules.parameters import ParameterBook
from include.rules.source_facts import Sources
from include.rules.verdict import Fact
from tests.rules.evidence import DAY, Evidence, at

FULL, BARE, ROAD = "2611-230500-04-04-000018", "2607-230500-04-04-123459", "2511-230500-04-04-908767"
"""A project with all records, one with none, and one that is no digital project."""

FORMER = "2019-330391-47-03-831266"
"""The code that the full project went by before."""

SOURCES = {
    "platform": "project", "annual_plan": "plan_entry", "system_register": "system", "dossiers": "project_dossier",
    "suspensions": "suspension", "contracts": "contract", "payments": "payment", "acceptances": "acceptance",
    "assessments": "assessment", "reviews": "performance_review", "rectifications": "rectification",
    "plan_years": "plan_year", "department_years": "department_year", "attestations": "attestation",
}  # fmt: skip
"""Source → entity; each is read whole on the day."""

ALL = (
    "dossier", "approvals", "plan_places", "contracts", "payments", "acceptances", "assessments", "reviews", "suspensions",
    "attestations", "upgrade_target", "level", "total_investment_yuan", "contract", "siblings", "rectification", "plan_year",
    "budget_units", "applications", "is_on_platform", "is_void", "is_covered", "protection_level",
)  # fmt: skip
"""Everything that a scope may want."""

BOOK = ParameterBook.load()
STANDING = {"code_form": "gb40058", "code_check": "ok"}


class Lives(Evidence):
    """The sources, all read on the day; three projects, of which two concern us."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        with self.together():
            self.last = {source: self.batch(source, entity, at(DAY, 2)) for source, entity in SOURCES.items()}
            common = {"unit_name": "市教育局", "division_code": "230500", **STANDING}
            self.add("platform", [
                {"project_code": FULL, "name": "全项目", "managed_industry": "informatization", "nature": "extended",
                 "total_investment_yuan": Decimal("1234567.80"), **common},
                {"project_code": BARE, "name": "空项目", "managed_industry": "informatization", **common},
                {"project_code": ROAD, "name": "道路", "managed_industry": "other", **common},
            ])  # fmt: skip

    def add(self, source: str, rows: list[dict[str, Any]], entity: str | None = None) -> None:
        """Add records to the last batch of a source."""
        self.put(entity or SOURCES[source], self.last[source], rows)

    def again(self, source: str, when: datetime) -> str:
        """Record one more batch of a source."""
        self.last[source] = self.batch(source, SOURCES[source], when)
        return self.last[source]

    def withdraw(self, source: str, key: dict[str, Any]) -> None:
        """Tombstone a record, as the second complete read without it does."""
        self.change(SOURCES[source], self.again(source, at(DAY, 3)), key, at(DAY, 3), tombstoned_at=at(DAY, 3))

    def reissue(self, former: str = FORMER, code: str = FULL) -> None:
        """Give a project another code."""
        row = {"source": "platform", "former_code": former, "project_code": code, "batch_id": self.last["platform"]}
        with self.engine.begin() as connection:
            connection.execute(insert(project_alias).values(row))

    def of(
        self, subject_type: str, day: date = DAY, known: dict[str, str] | None = None, wanted: Collection[str] = ALL
    ) -> dict[str, dict[str, Fact]]:
        """Return the facts of a type of subjects."""
        with self.engine.connect() as connection:
            return self._facts(connection, day, known, wanted).of(subject_type)

    def gone(self, wanted: Collection[str] = ALL) -> dict[tuple[str, str], str]:
        """Return the subjects that are judged no more."""
        with self.engine.connect() as connection:
            return self._facts(connection, DAY, None, wanted).gone()

    @staticmethod
    def _facts(connection: Any, day: date, known: dict[str, str] | None, wanted: Collection[str]) -> FactsOfDay:
        return FactsOfDay(AsKnown(connection, known), day, BOOK.on(day), Sources(), wanted)


def values(facts: dict[str, Fact], *names: str) -> list[Any]:
    """Return the values of some facts; "absent" for those that are not known."""
    return [facts[name].value if name in facts else "absent" for name in names]
