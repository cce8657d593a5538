"""What is left unlooked at is as it was: after any days the kept hashes are those of facts worked out over the whole ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from include.findings.judging import judge
from include.ledger.tables import judged_subject
from include.rules.evaluation import CATALOGUES, KEEPING, REGULATION, Judging, knowledge, rules_of
from include.rules.excerpt import Looked
from include.rules.kept_verdicts import facts_hash
from include.rules.parameters import ParameterBook
from include.rules.rates import Rate
from include.rules.rule_book import load_rules
from include.rules.tally import Tally
from include.rules.touched import what_to_look_at
from tests.depth import deep
from tests.findings.joined_town import JoinedTown
from tests.findings.test_incremental import SOURCES, Town
from tests.rules.evidence import DAY, at

DAYS = deep(12, 25)
PROJECT = {
    "project_code": "2605-230500-04-04-000099", "name": "项目", "unit_name": "单位1", "division_code": "230500", "nature": "new",
    "managed_industry": "informatization", "code_form": "gb40058", "code_check": "ok", "applied_at": at(DAY),
}  # fmt: skip


class Spy:
    """Keeps what each judging looked at; None stands for everything."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looked: list[Looked | None] = []

        def seen(*given: Any) -> Looked | None:
            self.looked.append(what_to_look_at(*given))
            return self.looked[-1]

        monkeypatch.setattr("include.rules.evaluation.what_to_look_at", seen)


def hashes(engine: Engine, town: Town, scope: str = REGULATION) -> dict[tuple[str, str], str]:
    """Return the hash of the facts of every subject, worked out over the whole ledger."""
    book = ParameterBook.load()
    rules = rules_of(load_rules(book), scope)
    with engine.connect() as connection:
        judging = Judging(connection, scope, rules, book, town.day, knowledge(connection))
        assert judging.facts.known.whole is judging.facts.known
        return {
            (kind, subject): facts_hash(facts, judging.oldest)
            for kind in {rule.subject for rule in rules}
            for subject, facts in judging.subjects(kind)
        }


def kept(engine: Engine, scope: str = REGULATION) -> dict[tuple[str, str], str]:
    j = judged_subject.c
    with engine.connect() as connection:
        mine = (j.subject_type != "scope") & (j.scope == scope)
        rows = connection.execute(select(j.subject_type, j.subject, j.facts_hash).where(mine))
        return {(kind, subject): digest for kind, subject, digest in rows}


def test_what_is_kept_is_what_the_whole_ledger_says(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    seed = ("sqlite", "postgresql").index(
        engine.dialect.name
    )  # another town on each: what is the same on both is shown elsewhere
    town, spy = JoinedTown(engine, seed), Spy(monkeypatch)
    for _ in range(DAYS):
        town.live()
        judged = {scope: judge(engine, scope, town.day, at=at(town.day, 7)) for scope in KEEPING}
        for scope in KEEPING:
            assert not judged[scope].crashed, judged[scope].crashed
            assert kept(engine, scope) == hashes(engine, town, scope), scope
        assert judged[CATALOGUES].rates == rates(engine, town)
    excerpts = [one for one in spy.looked if one is not None]
    assert len(excerpts) > DAYS // 2, "it did look at excerpts"
    assert any(len(one.systems) < 6 for one in excerpts)
    for scope in KEEPING:
        full = judge(engine, scope, town.day, full=True, at=at(town.day, 9))
        assert (full.digest, full.is_new, full.settled.changes) == (judged[scope].digest, False, [])


def rates(engine: Engine, town: Town) -> list[Rate]:
    """Return the rates of the catalogues, worked out over the whole ledger."""
    book = ParameterBook.load()
    rules = rules_of(load_rules(book), CATALOGUES)
    with engine.connect() as connection:
        judging, tally = Judging(connection, CATALOGUES, rules, book, town.day, knowledge(connection)), Tally()
        for one in judging.run():
            tally.add(one)
        return judging.rates(tally)


def test_evidence_is_too_old_from_the_day_on_that_makes_it_so(engine: Engine) -> None:
    """In the middle of a week, when nothing is read and no verdict ends; what was never read in full was not fresh before."""
    town = Town(engine, 0)
    old = town.batch("city_approval", "project", at(DAY, 2), full=False)
    town.put("project", old, [PROJECT])
    for days in (0, 7, 8):
        town.day = DAY + timedelta(days=days)
        for entity, source in SOURCES.items() if days == 7 else ():
            town.batch(source, entity, at(town.day, 2))
        judge(engine, REGULATION, town.day, at=at(town.day, 7))
        assert kept(engine) == hashes(engine, town), days


def test_days_without_any_fact_say_what_a_full_judging_says(engine: Engine) -> None:
    """Nothing is read, so that evidence grows old in the end; on two days everybody's catalogue is read again."""
    town, spared = JoinedTown(engine, 3), 0
    for days in range(11):
        if days:
            town.day += timedelta(days=1)
        if days in (2, 3):
            town.batch("exchange_catalogue", "resource", at(town.day, 2))
        for scope in KEEPING:
            judged = judge(engine, scope, town.day, at=at(town.day, 7))
            full = judge(engine, scope, town.day, full=True, at=at(town.day, 9))
            assert (full.digest, full.is_new, full.settled.changes) == (judged.digest, False, []), (days, scope)
            assert (full.rates, full.tally.reasons) == (judged.rates, judged.tally.reasons), (days, scope)
            spared += scope == CATALOGUES and judged.tally.judged < judged.tally.verdicts / 2
    assert spared > 5
