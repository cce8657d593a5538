"""Days judged in any order, any number of times: of every judged day the timeline says what was last said of it, once."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, delete, select

from include.ledger import portions
from include.ledger.tables import verdict as table
from include.rules import timeline
from include.rules.timeline import Stretch, placed, record
from include.rules.verdict import Outcome, Used, Verdict
from tests.depth import deep

FIRST = date(2026, 11, 1)


def _covering(stretches: list[Stretch], day: date) -> list[Stretch]:
    return [s for s in stretches if s.from_day <= day and (s.until_day is None or day < s.until_day)]


def _judge(stretches: list[Stretch], said: dict[date, str], day: date, outcome: str) -> list[Stretch]:
    following = min((d for d in said if d > day), default=None)
    around = [s for s in stretches if s.from_day <= day and (s.until_day is None or s.until_day >= day)]
    instead = placed(around, Stretch(day, following, outcome, "r", f"{outcome}{day}"))
    return stretches if instead is None else [s for s in stretches if s not in around] + instead


@pytest.mark.parametrize("seed", range(60))
def test_each_judged_day_is_covered_once_by_what_was_last_said(seed: int) -> None:
    chance = random.Random(seed)
    stretches: list[Stretch] = []
    said: dict[date, str] = {}
    for _ in range(25):
        day, outcome = FIRST + timedelta(days=chance.randrange(10)), chance.choice("abc")
        stretches = _judge(stretches, said, day, outcome)
        said[day] = outcome
        for judged, last in said.items():
            assert [s.outcome for s in _covering(stretches, judged)] == [last]
        assert len({s.from_day for s in stretches}) == len(stretches), "the day a stretch begins is part of its key"
        assert all(s.until_day is None or s.from_day < s.until_day for s in stretches)


def test_days_judged_in_order_join_into_stretches() -> None:
    stretches: list[Stretch] = []
    said: dict[date, str] = {}
    for number, outcome in enumerate("aabbba"):
        day = FIRST + timedelta(days=number)
        stretches = _judge(stretches, said, day, outcome)
        said[day] = outcome
    found = [(s.outcome, s.from_day.day, s.until_day and s.until_day.day) for s in stretches]
    assert found == [("a", 1, 3), ("b", 3, 6), ("a", 6, None)]
    assert [s.body for s in stretches] == ["a2026-11-01", "b2026-11-03", "a2026-11-06"], "as it was when it began"


def test_a_revision_that_takes_a_change_back_leaves_no_trace() -> None:
    before = [Stretch(FIRST, None, "a", "r", "first")]
    day = FIRST + timedelta(days=3)
    changed = _judge(before, {FIRST: "a"}, day, "b")
    assert [s.outcome for s in changed] == ["a", "b"]
    assert _judge(changed, {FIRST: "a", day: "b"}, day, "a") == before


SAID = Verdict(
    "r", "system", "s1", "", Outcome.PASS, "fine", "好", (), Used(), {}, "art1", None, "v1", FIRST, None
)  # fmt: skip
PAST, NEXT = FIRST - timedelta(days=3), FIRST + timedelta(days=2)


def _verdicts(**outcomes: Outcome) -> list[Verdict]:
    return [replace(SAID, subject=subject, outcome=outcome) for subject, outcome in outcomes.items()]


def _written(engine: Engine) -> list[tuple[str, str, str, int, int | None, str]]:
    names = ("rule", "scope", "subject", "from_day", "until_day", "outcome")
    with engine.connect() as connection:
        rows = connection.execute(select(*(table.c[n] for n in names)).order_by(*(table.c[n] for n in names[:4])))
        return [
            (r, c, s, a.toordinal() - FIRST.toordinal(), b and b.toordinal() - FIRST.toordinal(), o)
            for r, c, s, a, b, o in rows
        ]


def _standing(engine: Engine) -> None:
    """Write what stands since the day before: three subjects of the rule, and one each of another rule and another scope."""
    with engine.begin() as connection:
        day = FIRST - timedelta(days=1)
        first = _verdicts(s1=Outcome.PASS, s2=Outcome.PASS, s3=Outcome.FAIL)
        assert record(connection, "c", ["r"], first, day, None) == 3
        for rule, scope in (("q", "c"), ("s", "c"), ("r", "b"), ("r", "d")):
            other = replace(SAID, rule=rule, subject=f"of {scope}")
            assert record(connection, scope, [rule], [other], day, None) == 1


OTHERS = [("q", "c", "of c", -1, None, "pass"), ("r", "b", "of b", -1, None, "pass"), ("r", "d", "of d", -1, None, "pass"),
          ("s", "c", "of c", -1, None, "pass")]  # fmt: skip


@pytest.mark.parametrize("at_once", [1, 2, 500])
def test_what_changed_ends_and_begins_and_what_is_judged_no_more_ends(
    engine: Engine, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(portions, "LISTED", at_once)
    _standing(engine)
    with engine.begin() as connection:
        now = _verdicts(s1=Outcome.PASS, s2=Outcome.WARN)
        assert (
            record(connection, "c", ["r"], now, FIRST, None, only=[("system", name) for name in ("s3", "s2", "s1")])
            == 3
        )
        assert record(connection, "c", ["r"], now, FIRST, None) == 0, "said once is said"
    assert _written(engine) == sorted([
        *OTHERS, ("r", "c", "s1", -1, None, "pass"), ("r", "c", "s2", -1, 0, "pass"), ("r", "c", "s2", 0, None, "warn"),
        ("r", "c", "s3", -1, 0, "fail"),
    ])  # fmt: skip


def test_only_the_named_are_looked_at(engine: Engine) -> None:
    _standing(engine)
    with engine.begin() as connection:
        assert record(connection, "c", ["r"], [], FIRST, None, only=[("system", "s2")]) == 1
        assert record(connection, "c", ["r"], [], FIRST, None, only=[]) == 0
    assert [(s, until) for r, c, s, _, until, _ in _written(engine) if (r, c) == ("r", "c")] == [
        ("s1", None), ("s2", 0), ("s3", None)
    ]  # fmt: skip


def test_a_day_judged_late_finds_its_place_with_what_was_said_behind_it(engine: Engine) -> None:
    _standing(engine)
    with engine.begin() as connection:
        assert record(connection, "c", ["r"], _verdicts(s1=Outcome.PASS), NEXT, None) == 2, "two are judged no more"
        assert record(connection, "c", ["r"], _verdicts(s1=Outcome.FAIL, s2=Outcome.PASS), FIRST, NEXT) == 3
        bodies = dict(
            connection.execute(
                select(table.c.from_day, table.c.body).where(table.c.subject == "s1", table.c.rule == "r")
            )
            .tuples()
            .all()
        )
    assert [row[2:] for row in _written(engine) if row[:2] == ("r", "c")] == [
        ("s1", -1, 0, "pass"), ("s1", 0, 2, "fail"), ("s1", 2, None, "pass"), ("s2", -1, 2, "pass"), ("s3", -1, 2, "fail"),
    ]  # fmt: skip
    assert bodies[NEXT] == bodies[FIRST - timedelta(days=1)] != bodies[FIRST], (
        "what stands on behind it keeps its words"
    )


ODD = ("s1", 'a "quoted" one', "back\\slash", "one\x1fother", "one", "系统", "{1}")


@pytest.mark.parametrize("seed", range(deep(3, 40)))
def test_however_many_are_read_by_name_the_same_is_written(
    engine: Engine, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance, days = random.Random(seed), [FIRST + timedelta(days=n) for n in range(6)]
    order = [*days, chance.choice(days), days[-1]]
    chance.shuffle(order)
    said = [_verdicts(**{name: o for name in ODD if (o := chance.choice([*Outcome, None, None]))}) for _ in order]
    written = []
    for few in (0, 3, 5000):
        monkeypatch.setattr(timeline, "_FEW", few)
        with engine.begin() as connection:
            connection.execute(delete(table))
            for at, (day, verdicts) in enumerate(zip(order, said, strict=True)):
                following = min((other for other in order[:at] if other > day), default=None)
                record(connection, "c", ["r"], verdicts, day, following)
                assert record(connection, "c", ["r"], verdicts, day, following) == 0
        written.append(_written(engine))
    assert written[0] == written[1] == written[2]
    assert written[0]


def test_what_began_on_the_day_and_is_judged_no_more_is_taken_back(engine: Engine) -> None:
    with engine.begin() as connection:
        record(connection, "c", ["r"], _verdicts(s1=Outcome.FAIL), PAST, None)
        record(connection, "c", ["r"], _verdicts(s1=Outcome.PASS, s2=Outcome.PASS), FIRST, None)
        assert record(connection, "c", ["r"], [], FIRST, None) == 2
    assert _written(engine) == [("r", "c", "s1", -3, 0, "fail")]


def test_a_revision_of_the_day_that_takes_a_change_back_goes_on_with_what_stood_before(engine: Engine) -> None:
    _standing(engine)
    before = _written(engine)
    for outcome, rows in ((Outcome.FAIL, 2), (Outcome.PASS, 2)):
        with engine.begin() as connection:
            assert record(connection, "c", ["r"], _verdicts(s1=outcome), FIRST, None, only=[("system", "s1")]) == rows
    assert _written(engine) == before
