"""The rows of kept verdicts themselves: which are due, read, moved, changed and written, beside rows of other scopes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import Connection, Engine, insert, select, update

from include.ledger.tables import judged_subject
from include.rules.excerpt import Looked
from include.rules.kept_verdicts import KeptVerdicts
from include.rules.rule_book import load_rules
from include.rules.tally import RuleVerdicts, Tally
from include.rules.verdict import Outcome, Subject, Used, Verdict

RULE = load_rules()[0]
DAY = date(2026, 11, 23)  # a Monday
FEW = ("report",)
GROUNDS, KNOWN = "grounds", {"projects": "b1"}
A, B, SYSTEM, LINE = ("project", "A"), ("project", "B"), ("system", "S"), ("plan_entry", "2026:one")
OTHERS = ("aside", "zone")
"""Scopes before and behind ours."""


def verdict(subject: Subject, holds_until: date | None = None, outcome: Outcome = Outcome.PASS) -> Verdict:
    return Verdict(
        RULE.id, *subject, "", outcome, "reason", "句子", (), Used(), {}, "art1", None, "v", DAY, holds_until
    )  # fmt: skip


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """Return a transaction on an empty ledger in which two other scopes keep other verdicts of the same subjects."""
    with engine.begin() as connection:
        same = {"facts_hash": "f", "rules_version": "v", "said": "00", "holds_until": DAY - timedelta(days=9)}
        rows = [
            {"scope": scope, "subject_type": kind, "subject": subject, "outcomes": '[["x","","fail","other"]]', **same}
            for scope in OTHERS for kind, subject in (A, B, SYSTEM, LINE)
        ]  # fmt: skip
        connection.execute(insert(judged_subject), rows)
        yield connection


def keep(
    connection: Connection,
    *verdicts: Verdict,
    day: date = DAY,
    broken: tuple[str, ...] = (),
    known: dict[str, str] = KNOWN,
) -> int:
    """Judge everything on a day with these verdicts, and keep them; return how many rows were touched."""
    kept = KeptVerdicts(connection, "ours", "v", day, FEW)
    kept.look_at_all()
    return written(kept, *verdicts, broken=broken, known=known)


def written(kept: KeptVerdicts, *verdicts: Verdict, broken: tuple[str, ...] = (), known: dict[str, str] = KNOWN) -> int:
    """Note what is judged anew, and keep it."""
    subjects = dict.fromkeys((one.subject_type, one.subject) for one in verdicts)
    anew = {subject for subject in subjects if not kept.holds(subject, facts(verdicts, subject))}
    tally = Tally()
    tally.add(RuleVerdicts(RULE, [one for one in verdicts if (one.subject_type, one.subject) in anew]))
    for one in verdicts:
        if (one.subject_type, one.subject) in anew:
            kept.note(one)
    return kept.write(tally, broken, GROUNDS, known)


def facts(verdicts: tuple[Verdict, ...], subject: Subject) -> str:
    """Return a hash that is another one where what is said is another."""
    return "".join(one.outcome.value[0] for one in verdicts if (one.subject_type, one.subject) == subject)


def rows(connection: Connection) -> dict[Subject, date | None]:
    """Return the subjects that are kept, with the last day of each."""
    table = judged_subject.c
    query = select(table.subject_type, table.subject, table.holds_until).where(table.scope == "ours")
    return {(kind, subject): until for kind, subject, until in connection.execute(query) if kind != "scope"}


def opened(connection: Connection, looked: Looked | None = None, day: date = DAY) -> KeptVerdicts:
    """Return what is kept, read whole or for those looked at."""
    kept = KeptVerdicts(connection, "ours", "v", day, FEW)
    assert kept.is_used
    kept.look_only_at(looked, ()) if looked else kept.look_at_all()
    return kept


# -- written ----------------------------------------------------------------------------------------------------------------------


def test_a_subject_is_kept_until_the_first_of_its_verdicts_ends(connection: Connection) -> None:
    days = [DAY + timedelta(days=n) for n in (5, 3, 7)]
    keep(connection, *(verdict(A, day) for day in (None, *days, None)), verdict(B))
    assert rows(connection) == {A: days[1], B: None}


def test_as_many_rows_are_touched_as_are_written(connection: Connection) -> None:
    assert keep(connection, verdict(A), verdict(B), verdict(SYSTEM)) == 4
    assert keep(connection, verdict(A), verdict(B), verdict(SYSTEM)) == 0
    assert (
        keep(connection, verdict(A, outcome=Outcome.FAIL), verdict(LINE)) == 5
    )  # two go, one comes, one is another, and the sum
    assert rows(connection).keys() == {A, LINE}


def test_a_frontier_that_moved_on_is_kept_though_nobody_is_judged_anew(connection: Connection) -> None:
    keep(connection, verdict(A))
    assert keep(connection, verdict(A), known={"projects": "b2"}) == 1
    assert opened(connection).known_before(GROUNDS) == {"projects": "b2"}


def test_how_many_entries_are_joined_is_carried_to_the_next_day(connection: Connection) -> None:
    keep(connection, verdict(A))
    for linked, touched in ((7, 1), (7, 0), (8, 1)):
        kept = opened(connection, Looked(projects={"nobody"}))
        assert kept.write(Tally(), (), GROUNDS, KNOWN, linked) == touched
        assert opened(connection).linked == linked


def test_of_a_type_that_a_rule_broke_on_nothing_is_kept(connection: Connection) -> None:
    keep(connection, verdict(A), verdict(SYSTEM))
    fails = [verdict(subject, outcome=Outcome.FAIL) for subject in (A, SYSTEM)]
    keep(connection, *fails, verdict(B), verdict(LINE), broken=("project",))
    assert rows(connection).keys() == {SYSTEM, LINE}


def test_a_new_subject_of_any_type_is_added(connection: Connection) -> None:
    keep(connection, verdict(A))
    keep(connection, verdict(A), verdict(SYSTEM), verdict(LINE), verdict(("zone", "Z")))
    assert rows(connection).keys() == {A, SYSTEM, LINE, ("zone", "Z")}


# -- read -------------------------------------------------------------------------------------------------------------------------


def test_due_is_what_has_ended_and_nothing_else(connection: Connection) -> None:
    last = {A: DAY, B: None, SYSTEM: DAY, LINE: DAY + timedelta(days=1)}
    keep(connection, *(verdict(*one) for one in last.items()))
    for days, due in ((0, set()), (1, {A, SYSTEM}), (2, {A, SYSTEM, LINE})):
        assert set(KeptVerdicts(connection, "ours", "v", DAY + timedelta(days=days)).due()) == due


def test_what_is_not_looked_at_stays(connection: Connection) -> None:
    beside = ("plan_entry", "2026:two"), ("contract", "C:one"), ("report", "R:one")
    everybody = [A, B, SYSTEM, LINE, *beside]
    keep(connection, *map(verdict, everybody))
    kept = opened(connection, Looked(projects={"A"}, lines={"one"}))
    assert (
        written(kept, verdict(A, outcome=Outcome.FAIL), verdict(LINE)) == 3
    )  # A, the report that is there no more, the sum
    assert rows(connection).keys() == set(everybody) - {("report", "R:one")}


def test_what_another_scope_keeps_of_a_subject_does_not_hold_here(connection: Connection) -> None:
    keep(connection, verdict(A))
    connection.execute(update(judged_subject).where(judged_subject.c.scope.in_(OTHERS)).values(holds_until=None))
    kept = opened(connection, Looked(systems={"S"}))
    assert not kept.holds(SYSTEM, "f"), "the hash that both other scopes keep of it"
    assert opened(connection).holds(A, "p")


# -- moved and changed ------------------------------------------------------------------------------------------------------------


def test_moved_are_those_judged_anew_and_those_gone_of_one_type(connection: Connection) -> None:
    keep(connection, *map(verdict, (A, B, SYSTEM, LINE)))
    kept = opened(connection)
    assert kept.holds(B, "p") and not kept.holds(A, "other") and not kept.holds(SYSTEM, "other")
    assert kept.moved("project") == {"A"}
    assert kept.moved("system") is None  # all of them are judged anew
    assert kept.moved("plan_entry") is None
    some = opened(connection, Looked(projects={"A"}, systems={"S"}))
    assert not some.holds(SYSTEM, "other")
    assert (some.moved("project"), some.moved("system"), some.moved("contract")) == ({"A"}, {"S"}, set())


def test_changed_are_those_whose_outcomes_are_others_than_before(connection: Connection) -> None:
    keep(connection, *map(verdict, (A, B, SYSTEM)))
    kept = opened(connection, Looked(projects={"A", "B", "C"}))
    for subject, outcome in ((A, Outcome.FAIL), (B, Outcome.PASS), (("project", "C"), Outcome.PASS)):
        assert not kept.holds(subject, "other")
        kept.note(verdict(subject, outcome=outcome))
    assert kept.changed("project") == [A, ("project", "C")]
    for outcome in (Outcome.PASS, Outcome.UNKNOWN):  # before and behind `p` in the alphabet
        again = opened(connection, Looked(projects={"A"}))
        again.holds(A, "other")
        again.note(verdict(A, outcome=outcome))
        assert again.changed("project") == ([] if outcome is Outcome.PASS else [A])
    assert opened(connection).changed("project") is None
