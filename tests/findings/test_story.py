"""What happens to a finding, verdict after verdict; the door writes nothing where nothing happened."""

from __future__ import annotations

import time
from datetime import date, timedelta

import pytest
from sqlalchemy import Engine, func, select

from include.findings.door import settle, told_events
from include.findings.story import Event, Kind, Standing, fold, identity, next_kinds, tell
from include.ledger.tables import finding, finding_event
from include.rules.verdict import Outcome, Verdict
from tests.rules.evidence import at, rows_of

DAY = date(2026, 11, 20)
RULE = "a-rule"


def verdict(outcome: str, reason: str = "r", subject: str = "S", day: date = DAY, message: str = "") -> Verdict:
    return Verdict(
        RULE, "system", subject, "", Outcome(outcome), reason, message or f"{subject} {outcome} {reason}", (), {}, {}, "art",
        None, "v", day, None, "h",
    )  # fmt: skip


STORIES = [
    ("pass", []),
    ("unknown not_applicable pass", []),
    ("fail fail fail", ["opened"]),
    ("warn", ["opened"]),
    ("warn fail warn", ["opened", "worsened", "eased"]),
    ("fail fail/other", ["opened", "reason_changed"]),
    ("warn fail/other", ["opened", "worsened"]),
    ("fail pass pass", ["opened", "resolved"]),
    ("fail not_applicable", ["opened", "resolved"]),
    ("fail unknown unknown unknown", ["opened", "unverified"]),
    ("fail unknown fail fail", ["opened", "unverified", "verified"]),
    ("warn unknown fail", ["opened", "unverified", "verified", "worsened"]),
    ("fail unknown pass", ["opened", "unverified", "resolved"]),
    ("fail pass unknown fail", ["opened", "resolved", "reopened"]),
    ("fail pass warn unknown", ["opened", "resolved", "reopened", "unverified"]),
]


@pytest.mark.parametrize(("said", "kinds"), STORIES, ids=[s for s, _ in STORIES])
def test_verdicts_make_events(engine: Engine, said: str, kinds: list[str]) -> None:
    for number, word in enumerate(said.split()):
        outcome, _, reason = word.partition("/")
        day = DAY + timedelta(days=number)
        for _ in range(2):  # the same verdict again on the same day is no news
            with engine.begin() as connection:
                settle(connection, [verdict(outcome, reason or "r", day=day)], [RULE], day, at(day))
    with engine.connect() as connection:
        rows = rows_of(connection, finding)
        events = told_events(connection, identity(RULE, "system", "S", ""))
    assert [e.kind.value for e in events] == kinds
    assert [e.number for e in events] == list(range(1, len(kinds) + 1))
    standing = fold(events)
    if not kinds:
        assert (rows, standing) == ([], None)
        return
    assert standing is not None
    assert len(rows) == 1
    assert {n: rows[0][n] for n in standing.__slots__} == {n: getattr(standing, n) for n in standing.__slots__}
    assert standing.is_open == (said.split()[-1] not in ("pass", "not_applicable"))
    assert standing.reopened == kinds.count("reopened")
    assert (standing.unverified_since is not None) == (said.split()[-1] == "unknown")


def test_unknown_keeps_what_was_found_and_says_since_when(engine: Engine) -> None:
    for number, one in enumerate(
        [verdict("fail", "bad", message="三天前的话"), verdict("unknown", "nothing_seen"), verdict("unknown")]
    ):
        day = DAY + timedelta(days=number)
        with engine.begin() as connection:
            settled = settle(connection, [one], [RULE], day, at(day))
    with engine.connect() as connection:
        row = rows_of(connection, finding)[0]
    assert (row["state"], row["outcome"], row["reason"], row["message"]) == ("open", "fail", "bad", "三天前的话")
    assert row["unverified_since"] == DAY + timedelta(days=1)
    assert (settled.open, settled.unverified, settled.changes) == (1, 1, [])


def test_silence_resolves_nothing_and_withdrawal_does(engine: Engine) -> None:
    with engine.begin() as connection:
        settle(connection, [verdict("fail", subject=s) for s in "ABC"], [RULE], DAY, at(DAY))
        assert not settle(connection, [verdict("fail", subject="A")], [RULE], DAY, at(DAY)).changes
        settled = settle(
            connection, [verdict("fail", subject="A")], [RULE], DAY, at(DAY), {("system", "B"), ("project", "C")}
        )
        assert [(c.kind, c.subject, c.reason) for c in settled.changes] == [(Kind.RESOLVED, "B", "withdrawn_at_source")]
        assert settled.open == 2
        assert not settle(connection, [], [RULE], DAY, at(DAY), {("system", "B")}).changes


def test_the_wording_is_no_part_of_the_identity() -> None:
    one = identity("r", "system", "S", "")
    assert one == identity("r", "system", "S", "")
    assert (
        len(
            {
                one,
                identity("r", "system", "S", "2026"),
                identity("r", "project", "S", ""),
                identity("r", "systemS", "", ""),
            }
        )
        == 4
    )


def test_events_fold_alike_in_whatever_order_they_come() -> None:
    events = [
        Event(1, Kind.OPENED, DAY, "warn", "a", "1"), Event(2, Kind.RESOLVED, DAY, "pass", "b", "2"),
        Event(3, Kind.REOPENED, DAY + timedelta(days=2), "fail", "c", "3"),
    ]  # fmt: skip
    standing = Standing("open", "fail", "c", "3", DAY, DAY + timedelta(days=2), None, 1)
    assert fold(events) == fold(reversed(events)) == standing
    assert tell(standing, Event(4, Kind.UNVERIFIED, DAY, "unknown", "x", "4")).message == "3"
    assert next_kinds(standing, verdict("fail", "c")) == []


def test_fifty_thousand_unchanged_verdicts_write_nothing_and_take_a_second(engine: Engine) -> None:
    verdicts = [verdict("fail" if n % 2 else "pass", subject=f"S{n}") for n in range(50_000)]
    with engine.begin() as connection:
        assert len(settle(connection, verdicts, [RULE], DAY, at(DAY)).changes) == 25_000
    with engine.begin() as connection:
        begun = time.process_time()
        settled = settle(connection, verdicts, [RULE], DAY + timedelta(days=1), at(DAY))
        taken = time.process_time() - begun
        assert settled.changes == []
        assert connection.execute(select(func.count()).select_from(finding_event)).scalar() == 25_000
    assert taken < 2, f"{taken:.2f} s of CPU"
    print(f"unchanged: {taken:.2f} s")
