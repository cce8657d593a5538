"""No window that the other side can measure holds more than its limit; waits grow, end, and are the same each time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from include.alerts.pace import (
    AFTER_REFUSAL,
    JITTER,
    LEASE,
    MOST_TRIES,
    WAITS,
    Span,
    earliest,
    wait_after,
)
from include.clock import SHANGHAI
from tests.alerts.sending import MONDAY, card


def after(seconds: float) -> datetime:
    return MONDAY + timedelta(seconds=seconds)


def test_a_channel_that_nobody_used_is_free_at_once() -> None:
    assert earliest(card(per_minute=1, per_second=1), [], MONDAY) == MONDAY


def test_the_minute_begins_when_the_try_ended_not_when_it_began() -> None:
    slow = Span(after(-70), after(-10))
    assert earliest(card(per_minute=1), [slow], MONDAY) == after(50)
    assert earliest(card(per_minute=2), [slow], MONDAY) == MONDAY


def test_a_try_whose_end_nobody_knows_counts_until_its_claim_is_over() -> None:
    lost = Span(after(-200))
    assert earliest(card(per_minute=1), [lost], MONDAY) == lost.started + LEASE + timedelta(minutes=1)
    assert earliest(card(per_minute=1), [Span(after(-361))], MONDAY) == MONDAY


def test_the_second_is_kept_as_well_as_the_minute() -> None:
    two = [Span(after(-0.5), after(-0.4)), Span(after(-0.3), after(-0.2))]
    assert earliest(card(per_minute=100, per_second=2), two, MONDAY) == after(0.6)
    assert earliest(card(per_minute=100, per_second=3), two, MONDAY) == MONDAY


def test_a_folder_of_our_own_has_no_pace() -> None:
    assert earliest(card(kind="spool", per_minute=1), [Span(MONDAY, MONDAY)] * 99, MONDAY) == MONDAY


@pytest.mark.parametrize(("clock", "free"), [
    ("10:00:00", "10:00:10"), ("10:00:09", "10:00:10"), ("10:00:10", "10:00:10"), ("10:30:03", "10:30:10"),
    ("10:29:59", "10:29:59"), ("10:15:00", "10:15:00"), ("00:00:00", "00:00:10"),
])  # fmt: skip
def test_feishu_is_left_alone_when_everybody_sends(clock: str, free: str) -> None:
    day = MONDAY.date()
    at, wanted = (datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=SHANGHAI) for text in (clock, free))
    assert earliest(card(kind="feishu"), [], at) == wanted
    assert earliest(card(kind="dingtalk"), [], at) == at


def test_a_wait_for_the_pace_that_ends_in_the_quiet_seconds_is_longer() -> None:
    at = datetime(2026, 11, 23, 10, 29, 30, tzinfo=SHANGHAI)
    used = [Span(at - timedelta(seconds=28), at - timedelta(seconds=28))]
    assert earliest(card(kind="feishu", per_minute=1), used, at) == at.replace(minute=30, second=10)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 20), st.floats(0, 30), st.floats(0, 1)), min_size=1, max_size=25),
    st.integers(1, 8), st.integers(1, 3),
)  # fmt: skip
def test_no_minute_and_no_second_holds_more_than_the_limit_whoever_measures(
    steps: list[tuple[float, float, float]], per_minute: int, per_second: int
) -> None:
    """Several workers: each step waits, tries as soon as it may, takes a while, and arrives somewhere in between."""
    limits, at = card(per_minute=per_minute, per_second=per_second), MONDAY
    spans: list[tuple[datetime, datetime]] = []
    arrived: list[datetime] = []
    for pause, lasts, share in steps:
        at += timedelta(seconds=pause)
        while True:  # asked again as workers do: what is under way may have ended meanwhile
            seen = [Span(began, ended if ended <= at else None) for began, ended in spans]
            free = earliest(limits, seen, at)
            if free == at:
                break
            at += min(free - at, timedelta(seconds=5))
        spans.append((at, at + timedelta(seconds=lasts)))
        arrived.append(at + timedelta(seconds=lasts * share))
    for window, most in ((timedelta(minutes=1), per_minute), (timedelta(seconds=1), per_second)):
        for first in arrived:
            assert sum(first <= other < first + window for other in arrived) <= most


def test_the_tries_of_a_message_spread_over_the_longest_holidays_and_end() -> None:
    assert MOST_TRIES == 29
    assert timedelta(days=10) < sum(WAITS, timedelta()) < timedelta(days=11)
    assert max(WAITS) == timedelta(hours=12), "when the power is back, nothing waits for days"
    waits = [wait_after(n, "m") for n in range(1, MOST_TRIES + 1)]
    assert waits[-1] is None
    for wait, least in zip(waits, WAITS, strict=False):
        assert wait is not None
        assert least <= wait <= least * (1 + JITTER)
    assert waits == [wait_after(n, "m") for n in range(1, MOST_TRIES + 1)]


def test_what_failed_together_does_not_come_back_together() -> None:
    waits = {wait_after(4, f"message-{n}") for n in range(50)}
    assert len(waits) == 50
    assert wait_after(1, "m", is_refused=True) >= AFTER_REFUSAL  # type: ignore[operator]
