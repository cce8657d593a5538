"""What is judged anew is enough: after any days of changing facts a full judging says the same to the byte and writes nothing."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Engine, delete, func, select

from include.findings.judging import Judged
from include.ledger.tables import evaluation, finding, finding_event, judged_subject, verdict
from tests.depth import deep
from tests.findings.killed import killed_before
from tests.findings.ledger_state import judge_day
from tests.rules.evidence import DAY, Evidence, at, rows_of

PROJECTS = 12
SOURCES = {
    "project": "provincial_approval", "plan_entry": "annual_plan", "system": "system_register",
    "project_dossier": "project_dossiers",
    "suspension": "suspensions", "contract": "contracts", "payment": "payments", "acceptance": "acceptances",
    "assessment": "assessments", "performance_review": "performance_reviews", "rectification": "rectifications",
    "plan_year": "plan_years", "department_year": "department_years", "attestation": "attestations",
}  # fmt: skip
KEPT = (verdict, finding, finding_event, judged_subject)


class Town(Evidence):
    """Projects whose lives go on at random; every source is read each day, whole, unless a day leaves it out."""

    sources = SOURCES

    def __init__(self, engine: Engine, seed: int) -> None:
        super().__init__(engine)
        self.chance, self.day, self.number = random.Random(seed), DAY, 0
        self.last: dict[str, str] = {}
        with self.together():
            self.read()
            for n in range(PROJECTS):
                self._found(n)

    def read(self) -> None:
        """Read the sources of a day; now and then one of them fails, and its old reading grows older."""
        with self.together():
            for entity, source in self.sources.items():
                if source not in self.last or self.chance.random() > 0.1:
                    self.last[source] = self.batch(source, entity, at(self.day, 2))

    def _fresh(self, source: str) -> str:
        """Return a batch of today: what was read on a day that was judged is not changed any more."""
        day = f"-{self.day:%Y%m%d}T"
        if day not in self.last[source]:
            entity = next(e for e, s in self.sources.items() if s == source)
            self.last[source] = self.batch(source, entity, at(self.day, 3))
        return self.last[source]

    def _found(self, n: int) -> None:
        code, begin = f"2605-230500-04-04-{n:06d}", DAY - timedelta(days=self.chance.randrange(20, 200))
        self.put("project", self.last["provincial_approval"], [{
            "project_code": code, "name": f"项目{n}", "unit_name": f"单位{n % 3}", "division_code": "230500", "nature": "new",
            "managed_industry": "informatization", "code_form": "gb40058", "code_check": "ok", "applied_at": at(begin),
        }])  # fmt: skip
        self.put("approval_item", self.last["provincial_approval"], [{
            "item_id": f"F{n}", "project_code": code, "item_name": "可行性研究报告审批", "state": "accepted",
            "submitted_at": at(begin), "accepted_at": at(begin + timedelta(days=1)),
        }])  # fmt: skip
        self.put("plan_entry", self.last["annual_plan"], [{
            "plan_year": 2026, "project_code": code, "name": f"项目{n}", "unit_name": f"单位{n % 3}", "code_check": "ok",
        }])  # fmt: skip
        self.put("project_dossier", self.last["project_dossiers"], [{
            "project_code": code, "name": f"项目{n}", "track": "unit", "fund_scope": "city", "content_class": "information_system",
            "review_requested_on": DAY - timedelta(days=self.chance.randrange(30)),
        }])  # fmt: skip
        self.put("contract", self.last["contracts"], [{
            "contract_no": f"C{n}", "project_code": code, "name": f"合同{n}", "amount_yuan": Decimal("1000000.00"),
            "signed_on": DAY - timedelta(days=n), "procurement_kind": "services", "procurement_method": "open_tender",
        }])  # fmt: skip

    def live(self) -> None:
        """Let some days pass, and a few things happen."""
        self.day += timedelta(days=self.chance.choice((1, 1, 1, 3, 9)))
        with self.together():
            self.read()
            for _ in range(self.chance.randrange(4)):
                self.chance.choice((self._step, self._suspend, self._rectify, self._assess, self._vanish))()

    def _step(self) -> None:
        name = self.chance.choice(
            ("review_opinion_on", "construction_started_on", "trial_started_on", "is_public_service")
        )
        value: Any = True if name.startswith("is_") else self.day
        key = {"project_code": f"2605-230500-04-04-{self.chance.randrange(PROJECTS):06d}"}
        self.change("project_dossier", self._fresh("project_dossiers"), key, at(self.day), **{name: value})

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _project(self) -> str:
        return f"2605-230500-04-04-{self.chance.randrange(PROJECTS):06d}"

    def _suspend(self) -> None:
        ended = self.chance.choice((None, self.day + timedelta(days=4)))
        row = {
            "suspension_no": f"S{self._next()}",
            "project_code": self._project(),
            "clock": "review",
            "kind": "correction",
        }
        self.put("suspension", self._fresh("suspensions"), [row | {"begun_on": self.day, "ended_on": ended}])

    def _rectify(self) -> None:
        row = {
            "notice_no": f"N{self._next()}",
            "project_code": self._project(),
            "issued_by": "市审计局",
            "issued_on": self.day,
        }
        self.put("rectification", self._fresh("rectifications"), [row | {"due_on": self.day + timedelta(days=12)}])

    def _assess(self) -> None:
        row = {
            "report_no": f"R{self._next()}",
            "kind": self.chance.choice(("protection", "cipher", "risk")),
            "issued_on": self.day,
        }
        self.put(
            "assessment", self._fresh("assessments"), [row | {"project_code": self._project(), "conclusion": "conform"}]
        )

    def _vanish(self) -> None:
        key = {"contract_no": f"C{self.chance.randrange(PROJECTS)}"}
        self.change("contract", self._fresh("contracts"), key, at(self.day), tombstoned_at=at(self.day))


def judged(engine: Engine, day: date, **how: Any) -> Judged:
    found = judge_day(engine, day, "regulation", **how)
    assert not found.crashed, found.crashed
    return found


def kept(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    with engine.connect() as connection:
        return {t.name: rows_of(connection, t) for t in KEPT}


@pytest.mark.parametrize("turn", range(deep(1, 2)))
def test_a_full_judging_says_the_same_and_writes_nothing(engine: Engine, turn: int) -> None:
    town, spared = Town(engine, turn + (engine.dialect.name == "postgresql")), 0  # another town on each database
    for _ in range(12):
        town.live()
        first = judged(engine, town.day)
        before = kept(engine)
        again = judged(engine, town.day, full=True, at=at(town.day, 9))
        assert again.digest == first.digest
        assert (again.is_new, again.settled.changes) == (False, [])
        assert kept(engine) == before
        assert again.tally.judged == again.tally.verdicts == first.tally.verdicts
        assert again.tally.outcomes == first.tally.outcomes
        spared += first.tally.verdicts - first.tally.judged
    assert spared > 400  # it did leave out what held


def test_the_same_day_again_judges_nothing_and_a_day_later_only_what_fell_due(engine: Engine) -> None:
    town = Town(engine, 7)
    assert judged(engine, town.day).tally.judged > PROJECTS
    assert judged(engine, town.day, at=at(town.day, 9)).tally.judged == 0
    town.day += timedelta(days=1)
    town.read()
    later = judged(engine, town.day)
    assert later.tally.judged < later.tally.verdicts / 4


def test_without_what_is_kept_the_same_is_said(engine: Engine) -> None:
    town = Town(engine, 3)
    town.live()
    first = judged(engine, town.day)
    before = kept(engine)
    with engine.begin() as connection:
        connection.execute(delete(judged_subject))
    assert judged(engine, town.day, at=at(town.day, 9)).digest == first.digest
    assert kept(engine) == before


def test_a_past_day_is_replayed_from_nothing_that_is_kept(engine: Engine) -> None:
    town = Town(engine, 5)
    days = {}
    for _ in range(5):
        town.live()
        days[town.day] = judged(engine, town.day).digest
    before = kept(engine)
    for day, digest in days.items():
        replay = judge_day(engine, day, "regulation", replay=True, at=at(town.day, 10))
        if day != town.day and not replay.is_equal:
            pytest.fail(f"{day}: {replay.lines()[-1]}")
        assert replay.digest == digest or day == town.day
    assert kept(engine) == before


def test_killed_at_any_statement_what_is_kept_is_that_of_an_undisturbed_run(engine: Engine, ledger_url: str) -> None:
    town = Town(engine, 2)
    judged(engine, town.day)
    town.live()
    before = kept(engine)
    work = partial(judge_day, day=town.day, scope="regulation")
    for after in (0, 39, 69, 99, 109):
        assert killed_before(ledger_url, after, work), after
        assert kept(engine) == before
    assert not killed_before(ledger_url, 10**6, work)
    after_all = kept(engine)
    assert after_all != before
    again = judged(engine, town.day, full=True, at=at(town.day, 8))
    assert (again.is_new, again.settled.changes) == (False, [])
    assert kept(engine) == after_all


def test_a_rule_that_breaks_keeps_its_subjects_to_be_judged_again(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from include.findings import judging
    from include.rules.rule_book import load_rules

    town = Town(engine, 1)
    judged(engine, town.day)

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("on purpose")

    def rules(*arguments: Any, **how: Any) -> Any:
        name = "calendar-loaded"
        return tuple(
            replace(r, function=broken, digest="broken") if r.id == name else r for r in load_rules(*arguments, **how)
        )

    with monkeypatch.context() as patched:
        patched.setattr(judging, "load_rules", rules)
        found = judge_day(engine, town.day, "regulation", at=at(town.day, 8))
    assert set(found.crashed) == {"calendar-loaded"}
    with engine.connect() as connection:
        this = judged_subject.c.subject_type == "calendar"
        assert connection.execute(select(func.count()).select_from(judged_subject).where(this)).scalar() == 0
        assert connection.execute(select(func.count()).select_from(evaluation)).scalar() == 2
    healed = judged(engine, town.day, at=at(town.day, 9))
    assert healed.tally.judged == healed.tally.verdicts  # the version of the rules is another one
