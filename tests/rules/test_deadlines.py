"""Terms and windows on the real calendar: each side of each step, suspensions, and years that are not published."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.rules.deadlines import Term, Window, by_deadline, in_window
from include.rules.parameters import ParameterBook
from include.rules.records import Suspension
from include.rules.rule import Judgement

P = ParameterBook.load().on(date(2026, 11, 20))
D = date.fromisoformat


def term(started: str | None, done: str | None = None, *pauses: tuple[str, str | None], days: int = 15) -> Term:
    suspensions = tuple(
        Suspension(f"S{n}", "review", "correction", D(a), D(b) if b else None) for n, (a, b) in enumerate(pauses)
    )
    return Term(
        "收到可研报告", "出具评审意见", days, D(started) if started else None, D(done) if done else None, suspensions
    )


def said(judged: Judgement) -> tuple[str, str, date | None]:
    return judged.outcome.value, judged.reason, judged.holds_until


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2026-04-27", ("pass", "running", D("2026-05-14"))),
        ("2026-05-14", ("pass", "running", D("2026-05-14"))),
        ("2026-05-15", ("warn", "due_soon", D("2026-05-20"))),  # 12 of 15 days are over: 80 %
        ("2026-05-20", ("warn", "due_soon", D("2026-05-20"))),
        ("2026-05-21", ("fail", "overdue", None)),
    ],
)
def test_a_term_over_the_may_holiday(on: str, expected: tuple[str, str, date | None]) -> None:
    """05-01 to 05-05 are off, Saturday 05-09 is worked."""
    judged = by_deadline(term("2026-04-27"), P, D(on))
    assert judged.figures["due"] == "2026-05-20"
    assert said(judged) == expected


def test_the_day_on_which_it_was_done_decides() -> None:
    for done, reason in (("2026-04-27", "in_time"), ("2026-05-20", "in_time"), ("2026-05-21", "late")):
        judged = by_deadline(term("2026-04-27", done), P, D("2026-06-01"))
        assert judged.reason == reason
        assert judged.holds_until is None
        assert judged.figures["late_days"] == (1 if reason == "late" else 0)
    assert by_deadline(term("2026-04-27", "2026-05-25"), P, D("2026-06-01")).figures["late_days"] == 3


def test_two_days_before_the_end_come_first_in_a_short_term() -> None:
    short = term("2026-11-02", days=8)  # due on 11-12; 80 % is day 7, two days before is day 6
    assert by_deadline(short, P, D("2026-11-09")).reason == "running"
    assert by_deadline(short, P, D("2026-11-10")).reason == "due_soon"


def test_the_share_of_a_term_is_reckoned_in_hundredths() -> None:
    long = term("2026-03-02", days=29)  # 80 % is day 24, the first that is not below 23.2
    before, begins = (P.workdays.after(D("2026-03-02"), count).latest for count in (23, 24))
    assert [by_deadline(long, P, day).reason for day in (before, begins)] == ["running", "due_soon"]


def test_a_term_that_nobody_began_is_not_judged() -> None:
    assert said(by_deadline(term(None), P, D("2026-06-01"))) == ("not_applicable", "not_begun", None)
    assert said(by_deadline(term("2026-06-02"), P, D("2026-06-01"))) == ("not_applicable", "not_begun", D("2026-06-01"))
    assert by_deadline(term(None, "2026-05-01"), P, D("2026-06-01")).reason == "dates_disagree"
    assert by_deadline(term("2026-05-06", "2026-05-05"), P, D("2026-06-01")).reason == "dates_disagree"


def test_an_act_dated_after_the_day_judged_has_not_happened_yet() -> None:
    judged = by_deadline(term("2026-04-27", "2026-05-12"), P, D("2026-05-08"))
    assert said(judged) == ("pass", "running", D("2026-05-11"))


def test_suspended_days_are_not_counted_and_both_figures_stand() -> None:
    """From 05-11 to 05-14 three working days after the first are left out."""
    judged = by_deadline(term("2026-04-27", "2026-05-25", ("2026-05-11", "2026-05-14")), P, D("2026-06-01"))
    assert (judged.reason, judged.figures["due"]) == ("in_time", "2026-05-25")
    text = " ".join(judged.steps)
    assert "毛期限至 2026-05-20" in text
    assert "扣除中止 3 个工作日,净期限至 2026-05-25" in text


@pytest.mark.parametrize(
    "pauses",
    [
        [("2026-05-11", "2026-05-14"), ("2026-05-12", "2026-05-13")],
        [("2026-05-11", "2026-05-12"), ("2026-05-12", "2026-05-14")],
        [("2026-05-12", "2026-05-14"), ("2026-05-11", "2026-05-13")],
    ],
)
def test_suspensions_that_overlap_count_once(pauses: list[tuple[str, str | None]]) -> None:
    assert by_deadline(term("2026-04-27", None, *pauses), P, D("2026-06-01")).figures["due"] == "2026-05-25"


def test_one_that_lies_apart_counts_beside_those_that_overlap() -> None:
    """On 04-28 one day, from 05-11 to 05-14 three."""
    pauses = (("2026-04-27", "2026-04-28"), ("2026-05-11", "2026-05-13"), ("2026-05-12", "2026-05-14"))
    found = by_deadline(term("2026-04-27", None, *pauses), P, D("2026-06-01"))
    assert found.figures["due"] == "2026-05-26"
    assert "扣除中止 4 个工作日" in " ".join(found.steps), "no day twice"


def test_what_begins_in_one_that_still_runs_ends_nothing() -> None:
    pauses = (("2026-04-27", "2026-04-28"), ("2026-05-11", None), ("2026-05-12", "2026-05-14"))
    assert said(by_deadline(term("2026-04-27", None, *pauses), P, D("2026-06-01"))) == (
        "pass",
        "suspended",
        D("2026-06-23"),
    )


def test_a_suspension_counts_only_within_the_term() -> None:
    before = by_deadline(term("2026-04-27", None, ("2026-04-20", "2026-04-28")), P, D("2026-06-01"))
    assert before.figures["due"] == "2026-05-21"  # only 04-28 lies in both
    for begun in ("2026-05-20", "2026-05-22"):
        after = by_deadline(term("2026-04-27", None, (begun, "2026-05-29")), P, D("2026-06-01"))
        assert (after.reason, after.figures["due"]) == ("overdue", "2026-05-20")
    ended = by_deadline(
        term("2026-04-27", None, ("2026-04-20", "2026-04-24"), ("2026-05-11", "2026-05-14")), P, D("2026-06-01")
    )
    assert ended.figures["due"] == "2026-05-25"
    empty = by_deadline(term("2026-04-27", None, ("2026-05-11", "2026-05-11")), P, D("2026-06-01"))
    assert empty.figures["due"] == "2026-05-20"


def test_while_it_is_suspended_nothing_falls_due() -> None:
    open_end = term("2026-04-27", None, ("2026-05-18", None))
    assert said(by_deadline(open_end, P, D("2026-06-01"))) == ("pass", "suspended", D("2026-06-30"))
    assert said(by_deadline(open_end, P, D("2026-08-01"))) == ("warn", "suspended_long", None)
    assert by_deadline(open_end, P, D("2026-05-15")).holds_until == D("2026-05-17")
    ends = term("2026-04-27", None, ("2026-05-18", "2026-05-25"))
    assert said(by_deadline(ends, P, D("2026-05-22"))) == ("pass", "suspended", D("2026-05-24"))
    assert by_deadline(ends, P, D("2026-05-25")).reason == "due_soon"


def test_a_year_without_a_calendar_never_fails() -> None:
    """The 2027 notice is not loaded: from 2026-12-20 fifteen days end some time in January."""
    reasons = {}
    day = D("2026-12-20")
    while day < D("2027-04-01"):
        judged = by_deadline(term("2026-12-20"), P, day)
        assert judged.outcome.value != "fail", day
        reasons.setdefault(judged.reason, day)
        day += timedelta(days=1)
    assert list(reasons) == ["running", "due_soon", "calendar_unpublished", "probably_overdue"]
    assert reasons["calendar_unpublished"] < reasons["probably_overdue"]


@pytest.mark.parametrize("begun", ["2027-01-07", "2027-01-09"])
def test_a_suspension_that_may_have_begun_after_the_end_leaves_the_earliest_end_as_it_is(begun: str) -> None:
    """From 12-20 at most fifteen working days lie before 01-07, at most seventeen before 01-09."""
    paused = by_deadline(term("2026-12-20", None, (begun, "2027-01-12")), P, D("2027-01-31"))
    assert paused.figures["due"].startswith("2027-01-07 至 ")


def test_what_a_suspended_term_had_used_is_said_as_a_figure_or_as_from_to() -> None:
    certain = by_deadline(term("2026-11-02", None, ("2026-11-06", None)), P, D("2026-11-20"))
    assert "中止前净用 4 个工作日,恢复后续算至 15 个" in certain.steps
    uncertain = by_deadline(term("2026-12-21", None, ("2027-01-10", None)), P, D("2027-01-20"))
    assert "中止前净用 8 至 16 个工作日,恢复后续算至 15 个" in uncertain.steps


def test_what_was_done_in_such_a_year_is_in_time_late_or_not_known() -> None:
    due = P.workdays.after(D("2026-12-20"), 15)
    assert due.earliest < due.latest
    for done, reason in (
        (due.earliest, "in_time"), (due.earliest + timedelta(days=1), "calendar_unpublished"), (due.latest, "calendar_unpublished"),
        (due.latest + timedelta(days=1), "late"),
    ):  # fmt: skip
        judged = by_deadline(term("2026-12-20", done.isoformat()), P, D("2027-06-01"))
        assert judged.reason == reason, done


@given(
    st.dates(D("2025-01-02"), D("2026-11-01")), st.integers(1, 25),
    st.lists(st.tuples(st.integers(-10, 40), st.one_of(st.none(), st.integers(0, 20))), max_size=3),
    st.one_of(st.none(), st.integers(0, 60)), st.integers(0, 80),
)  # fmt: skip
def test_what_is_judged_holds_as_long_as_it_says(
    start: date, days: int, pauses: list[tuple[int, int | None]], done: int | None, on: int
) -> None:
    found = tuple(
        Suspension(
            f"S{n}", "review", "correction", start + timedelta(a), None if b is None else start + timedelta(a + b)
        )
        for n, (a, b) in enumerate(pauses)
    )
    one = Term("收到", "出具", days, start, None if done is None else start + timedelta(done), found)
    day = start + timedelta(on)
    judged = by_deadline(one, P, day)
    for ahead in range(1, 30):
        later = day + timedelta(ahead)
        if judged.holds_until and later > judged.holds_until:
            break
        assert by_deadline(one, P, later) == judged, later


def window(done: str | None, opens: str | None = "2026-07-01") -> Window:
    return Window("征集下一年度需求", D(opens) if opens else None, D("2026-07-31"), D(done) if done else None)


@pytest.mark.parametrize(
    ("on", "expected"),
    [
        ("2026-06-30", ("not_applicable", "not_open", D("2026-06-30"))),
        ("2026-07-01", ("pass", "running", D("2026-07-20"))),
        ("2026-07-20", ("pass", "running", D("2026-07-20"))),
        ("2026-07-21", ("warn", "due_soon", D("2026-07-31"))),
        ("2026-07-31", ("warn", "due_soon", D("2026-07-31"))),
        ("2026-08-01", ("fail", "overdue", None)),
    ],
)
def test_a_window_day_by_day(on: str, expected: tuple[str, str, date | None]) -> None:
    judged = in_window(window(None), P, D(on))
    assert said(judged) == expected
    assert (judged.figures["opens"], judged.figures["closes"]) == (D("2026-07-01"), D("2026-07-31"))


def test_an_act_in_before_and_after_its_window() -> None:
    for done, outcome, reason in (
        ("2026-06-30", "warn", "only_early"), ("2026-07-01", "pass", "in_time"), ("2026-07-31", "pass", "in_time"),
        ("2026-08-01", "warn", "late"),
    ):  # fmt: skip
        judged = in_window(window(done), P, D("2026-11-20"))
        assert (judged.outcome.value, judged.reason, judged.holds_until) == (outcome, reason, None)
    assert in_window(window("2025-01-01", opens=None), P, D("2026-11-20")).reason == "in_time"
    for on, expected in (
        ("2026-07-31", ("warn", "early", D("2026-07-31"))),
        ("2026-08-01", ("warn", "only_early", None)),
    ):
        assert said(in_window(window("2026-06-30"), P, D(on))) == expected


def test_an_act_dated_ahead_leaves_the_window_as_it_is_until_then() -> None:
    assert said(in_window(window("2026-07-10"), P, D("2026-07-05"))) == ("pass", "running", D("2026-07-09"))
    assert said(in_window(window("2026-08-10"), P, D("2026-08-05"))) == ("fail", "overdue", D("2026-08-09"))
