"""What happens to a finding, verdict after verdict; the door writes nothing where nothing happened."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import Engine, event, func, select

from include.findings.door import settle, told_events
from include.findings.story import Event, Kind, Standing, fold, identity, next_kinds, tell
from include.ledger.portions import LISTED
from include.ledger.tables import finding, finding_event
from include.rules.verdict import Outcome, Subject, Used, Verdict
from tests.depth import deep
from tests.rules.evidence import at, rows_of

DAY = date(2026, 11, 20)
RULE = "a-rule"


def verdict(outcome: str, reason: str = "r", subject: str = "S", day: date = DAY, message: str = "") -> Verdict:
    return Verdict(
        RULE, "system", subject, "", Outcome(outcome), reason, message or f"{subject} {outcome} {reason}", (), Used(), {}, "art",
        None, "v", day, None,
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


def _word(word: str, subject: str, day: date) -> Verdict:
    outcome, _, reason = word.partition("/")
    return verdict(outcome, reason or "r", subject, day)


def test_verdicts_make_events(engine: Engine) -> None:
    for number in range(max(len(said.split()) for said, _ in STORIES)):
        day = DAY + timedelta(days=number)
        verdicts = [_word(said.split()[number], said, day) for said, _ in STORIES if number < len(said.split())]
        for _ in range(2):  # the same verdict again on the same day is no news
            with engine.begin() as connection:
                settle(connection, verdicts, [RULE], day, at(day))
    with engine.connect() as connection:
        rows = {row["subject"]: row for row in rows_of(connection, finding)}
        events = {said: told_events(connection, identity(RULE, "system", said, "")) for said, _ in STORIES}
    assert set(rows) == {said for said, kinds in STORIES if kinds}
    for said, kinds in STORIES:
        assert [e.kind.value for e in events[said]] == kinds, said
        assert [e.number for e in events[said]] == list(range(1, len(kinds) + 1))
        standing, last = fold(events[said]), said.split()[-1]
        if standing is None:
            assert not kinds
            continue
        assert {n: rows[said][n] for n in standing.__slots__} == {n: getattr(standing, n) for n in standing.__slots__}
        assert standing.is_open == (last not in ("pass", "not_applicable")), said
        assert standing.reopened == kinds.count("reopened")
        assert (standing.unverified_since is not None) == (last == "unknown"), said


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
            connection,
            [verdict("fail", subject="A")],
            [RULE],
            DAY,
            at(DAY),
            {("system", "B"): "withdrawn_at_source", ("project", "C"): "x"},
        )
        assert [(c.kind, c.subject, c.reason) for c in settled.changes] == [(Kind.RESOLVED, "B", "withdrawn_at_source")]
        assert settled.open == 2
        assert not settle(connection, [], [RULE], DAY, at(DAY), {("system", "B"): "withdrawn_at_source"}).changes


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


def test_unchanged_verdicts_write_nothing_and_many_are_asked_for_as_few_are(engine: Engine) -> None:
    many = deep(2 * LISTED + 2, 50_000)
    verdicts = [verdict("fail" if n % 2 else "pass", subject=f"S{n}") for n in range(many)]
    with engine.begin() as connection:
        assert len(settle(connection, verdicts, [RULE], DAY, at(DAY)).changes) == many // 2
    few, portion, every = verdicts[:2], verdicts[:LISTED], verdicts
    asked = {len(some): _asked(engine, some) for some in (few, every)}
    assert asked[2] == asked[many]
    listed = {len(some): _asked(engine, some, {one.key[1:3] for one in some}) for some in (few, portion, every)}
    assert listed[2] == listed[LISTED]
    assert len(listed[many]) - len(listed[LISTED]) == -(-many // LISTED) - 1, "a statement more for each further list"
    assert {statement.split()[0] for some in (asked, listed) for said in some.values() for statement in said} == {
        "SELECT"
    }
    with engine.connect() as connection:
        assert connection.execute(select(func.count()).select_from(finding_event)).scalar() == many // 2


def _asked(engine: Engine, verdicts: list[Verdict], only: set[Subject] | None = None) -> list[str]:
    """Return the statements by which verdicts that change nothing are settled a day later."""
    said: list[str] = []
    with engine.begin() as connection:
        event.listen(connection, "before_cursor_execute", lambda *told: said.append(told[2]))
        assert settle(connection, verdicts, [RULE], DAY + timedelta(days=1), at(DAY), only=only).changes == []
    return said
