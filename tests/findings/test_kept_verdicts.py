"""What is kept is used as long as it is whole and holds, and no day longer; what is judged anew is what changed or ended."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, delete, insert, select, update

from include.findings.judging import Judged, judge
from include.ledger.database import open_ledger
from include.ledger.tables import ENTITIES, judged_subject
from include.rules.kept_verdicts import facts_hash
from include.rules.verdict import Fact
from tests.rules.evidence import DAY, at
from tests.rules.joined_ledger import SOURCES, THURSDAY, JoinedLedger, P

MONDAY = DAY + timedelta(days=3)
KEPT = judged_subject.c
IS_SUBJECT = KEPT.subject_type != "scope"

Ledger = Callable[[], JoinedLedger]


@pytest.fixture(scope="module")
def judged_on_monday(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> JoinedLedger:
    """Return a ledger that was read and judged on a Monday, to be copied."""
    file = tmp_path_factory.mktemp("joined") / "ledger.db"
    shutil.copy(migrated_sqlite, file)
    ledger = JoinedLedger(open_ledger(f"sqlite:///{file}"))
    for source in SOURCES:
        ledger.read_again(source, at(MONDAY, 2))
    assert _judged(ledger.engine, MONDAY).tally.judged > 50
    return ledger


@pytest.fixture
def ledger(judged_on_monday: JoinedLedger, tmp_path: Path) -> JoinedLedger:
    """Return a copy of it."""
    file = tmp_path / "ledger.db"
    shutil.copy(str(judged_on_monday.engine.url.database), file)
    return judged_on_monday.elsewhere(open_ledger(f"sqlite:///{file}"))


def _judged(engine: Engine, day: date, hour: int = 7, **how: Any) -> Judged:
    found = judge(engine, "regulation", day, at=at(day, hour), **how)
    assert not found.crashed, found.crashed
    return found


def _rows(engine: Engine) -> dict[tuple[str, str], dict[str, Any]]:
    with engine.connect() as connection:
        return {
            (r["subject_type"], r["subject"]): dict(r) for r in connection.execute(select(judged_subject)).mappings()
        }


def _write(engine: Engine, *statements: Any) -> None:
    with engine.begin() as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount


def _same_in_full(engine: Engine, day: date, judged: Judged) -> None:
    """Assert that a full judging says the same and writes nothing."""
    before = _rows(engine)
    full = _judged(engine, day, 9, full=True)
    assert (full.digest, full.is_new, full.settled.changes) == (judged.digest, False, [])
    assert _rows(engine) == before


# -- the hash of facts ------------------------------------------------------------------------------------------------------------

LIMITS = [DAY - timedelta(days=30), DAY - timedelta(days=7)]
FACT = Fact("value", "source", DAY, ("b1",))


def _hash(**how: Any) -> str:
    return facts_hash({"name": replace(FACT, **how)}, LIMITS)


def test_the_reach_of_evidence_counts_only_where_it_is_too_old_for_a_rule() -> None:
    lately = _hash()
    assert _hash(seen_until=None) == _hash(seen_until=LIMITS[1]) == lately
    old = _hash(seen_until=LIMITS[1] - timedelta(days=1))
    assert _hash(seen_until=LIMITS[0]) == old
    older = _hash(seen_until=LIMITS[0] - timedelta(days=1))
    assert _hash(seen_until=LIMITS[0] - timedelta(days=99)) == older
    assert len({lately, old, older}) == 3
    others = {_hash(value="other"), _hash(source="other"), _hash(evidence=("b2",)), facts_hash({"other": FACT}, LIMITS)}
    assert len({*others, lately}) == 5
    assert facts_hash({}, []) == facts_hash({}, LIMITS)
    assert facts_hash({"name": FACT}, []) == lately


# -- what is whole ----------------------------------------------------------------------------------------------------------------


def test_what_is_kept_is_used_on_the_next_day(ledger: JoinedLedger) -> None:
    again = _judged(ledger.engine, MONDAY, 8)
    assert (again.tally.judged, again.is_new) == (0, False)
    next_day = _judged(ledger.engine, MONDAY + timedelta(days=1))
    assert 0 < next_day.tally.judged < next_day.tally.verdicts / 4
    _same_in_full(ledger.engine, MONDAY + timedelta(days=1), next_day)


BOGUS = {
    "scope": "regulation",
    "subject_type": "project",
    "subject": "x",
    "facts_hash": "f",
    "rules_version": "v",
    "outcomes": "[]",
}
BREAKS: dict[str, Any] = {
    "a row is missing": delete(judged_subject).where(KEPT.subject == P[8], KEPT.subject_type == "project"),
    "a row came in": insert(judged_subject).values(BOGUS | {"said": "00", "holds_until": None}),
    "the row of the scope is missing": delete(judged_subject).where(KEPT.subject_type == "scope"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_rows_that_are_not_those_that_were_written_are_not_used(ledger: JoinedLedger, case: str) -> None:
    before = _rows(ledger.engine)
    _write(ledger.engine, BREAKS[case])
    again = _judged(ledger.engine, MONDAY, 8)
    assert again.tally.judged == again.tally.verdicts
    assert not again.is_new
    assert _rows(ledger.engine) == before


@pytest.mark.parametrize("name", ["facts_hash", "rules_version"])
@pytest.mark.parametrize("other", ["0" * 32, "f" * 32])
def test_rows_of_other_facts_or_rules_are_judged_anew(ledger: JoinedLedger, name: str, other: str) -> None:
    before = _rows(ledger.engine)
    _write(ledger.engine, update(judged_subject).values({name: other}))
    again = _judged(ledger.engine, MONDAY, 8)
    assert again.tally.judged == again.tally.verdicts
    assert _rows(ledger.engine) == before


def test_rows_of_other_scopes_are_let_alone(ledger: JoinedLedger) -> None:
    others = [
        BOGUS | {"scope": scope, "subject_type": kind, "subject": P[8], "said": "00", "holds_until": DAY}
        for scope in ("a", "z") for kind in ("scope", "project")
    ]  # fmt: skip
    _write(ledger.engine, insert(judged_subject).values(others))
    assert _judged(ledger.engine, MONDAY, 8).tally.judged == 0
    next_day = _judged(ledger.engine, MONDAY + timedelta(days=1))
    assert next_day.tally.judged < next_day.tally.verdicts / 4
    with ledger.engine.connect() as connection:
        query = select(judged_subject).where(KEPT.scope.in_(["a", "z"])).order_by(KEPT.scope, KEPT.subject_type.desc())
        assert [dict(row) for row in connection.execute(query).mappings()] == others


def test_a_row_that_somebody_changed_is_found_out_where_all_are_read(ledger: JoinedLedger) -> None:
    mine = (KEPT.subject == P[8]) & (KEPT.subject_type == "project")
    said = _rows(ledger.engine)["project", P[8]]["said"]
    _write(ledger.engine, update(judged_subject).where(mine).values(said=said[::-1]))
    day = MONDAY + timedelta(days=7)
    judged = _judged(ledger.engine, day)
    assert judged.tally.judged == judged.tally.verdicts
    _same_in_full(ledger.engine, day, judged)


# -- what holds -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [None, "0" * 32, "f" * 32])
def test_where_all_are_read_what_holds_is_spared_if_the_sum_of_all_is_right(
    ledger: JoinedLedger, said: str | None
) -> None:
    if said:
        _write(ledger.engine, update(judged_subject).where(KEPT.subject_type == "scope").values(said=said))
    day = MONDAY + timedelta(days=7)
    judged = _judged(ledger.engine, day)
    assert (judged.tally.judged < judged.tally.verdicts / 2) is (said is None)
    _same_in_full(ledger.engine, day, judged)


def test_what_no_batch_tells_of_is_found_on_the_next_monday(ledger: JoinedLedger) -> None:
    lasting = next(s for s, r in _rows(ledger.engine).items() if s[0] == "project" and r["holds_until"] is None)
    before = _rows(ledger.engine)[lasting]["facts_hash"]
    table = ENTITIES["project_dossier"][0]
    _write(ledger.engine, update(table).where(table.c.project_code == lasting[1]).values(track="unit"))
    for days, is_found in ((1, False), (6, False), (7, True)):
        _judged(ledger.engine, MONDAY + timedelta(days=days))
        assert (_rows(ledger.engine)[lasting]["facts_hash"] != before) is is_found, days


def test_a_verdict_is_judged_anew_on_the_day_after_its_last_one(ledger: JoinedLedger) -> None:
    """In the middle of a week, when only what is due is looked at."""
    notice = "rectification", "N7"
    assert _rows(ledger.engine)[notice]["holds_until"] == THURSDAY
    for day in (THURSDAY, THURSDAY + timedelta(days=1)):
        judged = _judged(ledger.engine, day)
        until = _rows(ledger.engine)[notice]["holds_until"]
        assert (until is None or until > THURSDAY) is (day > THURSDAY)
    _same_in_full(ledger.engine, day, judged)


def test_what_is_there_no_more_is_kept_no_more(ledger: JoinedLedger) -> None:
    day = MONDAY + timedelta(days=1)
    (line,) = (s for s in _rows(ledger.engine) if s[0] == "plan_entry" and ":" in s[1])
    for entity, source, key in (
        ("contract", "contracts", {"contract_no": "C7"}), ("plan_entry", "annual_plan", {"plan_year": 2026, "project_code": None}),
    ):  # fmt: skip
        ledger.read_again(source, at(day, 4))
        ledger.change(entity, ledger.last[source], key, at(day, 4), tombstoned_at=at(day, 4))
    judged = _judged(ledger.engine, day)
    assert not {("contract", "C7"), line} & set(_rows(ledger.engine))
    assert {("contract", "C5"), ("plan_entry", P[7])} <= set(_rows(ledger.engine))
    _same_in_full(ledger.engine, day, judged)


def test_a_line_of_the_plan_without_a_project_is_kept_once(ledger: JoinedLedger) -> None:
    day, line = MONDAY + timedelta(days=1), {"plan_year": 2026, "project_code": None}
    ledger.read_again("annual_plan", at(day, 4))
    ledger.change("plan_entry", ledger.last["annual_plan"], line, at(day, 4), name="无码项目")
    before = _rows(ledger.engine)
    judged = _judged(ledger.engine, day)
    after = _rows(ledger.engine)
    (mine,) = (s for s in before if s[0] == "plan_entry" and ":" in s[1])
    assert after[mine]["facts_hash"] != before[mine]["facts_hash"]
    _same_in_full(ledger.engine, day, judged)
