from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from include.errors import ConfigurationError
from include.sources.rate import Limiter, Rate, make_limiter, parse_rate


class Ticker:
    def __init__(self) -> None:
        self.seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.seconds += seconds


@pytest.mark.parametrize(
    ("text", "count", "seconds"),
    [
        ("1000次/小时", 1000, 3600),
        ("36000次/小时", 36000, 3600),
        ("10/s", 10, 1),
        ("60次/分钟", 60, 60),
        ("60次/分", 60, 60),
        ("5次/秒", 5, 1),
        ("100 per minute", 100, 60),
        ("１０００次／小时", 1000, 3600),
        ("36,000 次 / 小时", 36000, 3600),
        ("1000/h", 1000, 3600),
        ("100/min", 100, 60),
        ("2000次/天", 2000, 86400),
        ("10 requests/second", 10, 1),
        ("50/10s", 50, 10),
        ("100次/5分钟", 100, 300),
        ("每分钟60次", 60, 60),
        ("每小时不超过1000次", 1000, 3600),
        ("20次每秒", 20, 1),
        ("600 calls per hour", 600, 3600),
    ],
)
def test_rates_are_read_as_platforms_write_them(text: str, count: int, seconds: float) -> None:
    assert parse_rate(text) == Rate(count, seconds)


@pytest.mark.parametrize("text", ["", "often", "0/s", "10/0s", "10", "/s", "10/fortnight", "-5/s", "10次/小时/天"])
def test_an_unreadable_rate_names_itself_and_the_accepted_forms(text: str) -> None:
    with pytest.raises(ConfigurationError, match="1000次/小时") as caught:
        parse_rate(text)
    assert repr(text) in str(caught.value)


@given(st.integers(1, 400), st.sampled_from([1, 60, 3600]))
def test_no_period_ever_sees_more_calls_than_the_rate(count: int, seconds: int) -> None:
    ticker = Ticker()
    limiter = Limiter(Rate(count, seconds), ticker.monotonic, ticker.sleep)
    made = []
    for _ in range(2 * count + 3):
        limiter.wait()
        made.append(ticker.seconds)
    for index in range(len(made) - count):
        assert made[index + count] - made[index] >= seconds * (1 - 1e-9)


def test_calls_use_most_of_the_rate_over_time() -> None:
    ticker = Ticker()
    limiter = Limiter(Rate(100, 60), ticker.monotonic, ticker.sleep)
    for _ in range(500):
        limiter.wait()
    assert ticker.seconds < 5 * 60 * 1.15


def test_a_rest_restores_the_burst_but_no_more() -> None:
    ticker = Ticker()
    limiter = Limiter(Rate(100, 60), ticker.monotonic, ticker.sleep)
    for _ in range(30):
        limiter.wait()
    ticker.seconds += 3600
    waits = [limiter.wait() for _ in range(11)]
    assert waits[:10] == [0.0] * 10
    assert waits[10] > 0


def test_a_card_without_a_rate_has_no_limiter() -> None:
    assert make_limiter(None) is None
    assert isinstance(make_limiter("10/s"), Limiter)
