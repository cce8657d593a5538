"""Headers that no platform should send: they are left alone, or refused in our own words; none breaks a read off."""

from __future__ import annotations

import pytest

from include.errors import SourceMalformed, SourceRefused
from tests.sources.answering import AnsweringServer, FakeTime, reply
from tests.sources.test_http import fault, fetch, in_turn, redirecting


@pytest.mark.parametrize("date", ["Mon, 01 Jan 2026 00:00:00 +999999999999999", "Fri, 31 Dec 9999 23:00:00 -2300", "?"])
def test_a_clock_that_shows_no_possible_time_is_none(date: str) -> None:
    with AnsweringServer(lambda _: reply({}, Date=date)) as server:
        assert fetch(server).skew_seconds is None


@pytest.mark.parametrize(("value", "pause"), [("9" * 400, 300.0), ("Mon, 01 Jan 2026 00:00:00 +999999999999999", 1.0)])
def test_a_pause_beyond_every_measure_is_the_longest_or_our_own(value: str, pause: float) -> None:
    time_ = FakeTime()
    with AnsweringServer(in_turn(reply({}, 429, Retry_After=value), reply({"ok": 1}))) as server:
        assert fetch(server, None, time_).document == {"ok": 1}
    assert time_.slept == [pause]


@pytest.mark.parametrize("target", ["http://[x", "http://127.0.0.1:99999/", "//[x"])
@pytest.mark.parametrize("redirects", [0, 2])
def test_a_redirect_to_what_is_no_address_is_refused(target: str, redirects: int) -> None:
    with AnsweringServer(redirecting(target)) as server:
        assert isinstance(fault(server, redirects=redirects), SourceRefused if not redirects else SourceMalformed)
        assert len(server.asked) == 1


def test_a_link_that_is_no_address_does_not_stop_a_read_that_follows_none() -> None:
    with AnsweringServer(lambda _: reply({"ok": 1}, Link='<http://[x>; rel="next"')) as server:
        assert fetch(server).document == {"ok": 1}
