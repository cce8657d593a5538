"""Robots and webhook against strict stand-ins: what arrives, what each answer means, and that no secret is ever shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from include.alerts.channels import dingtalk, feishu, webhook
from include.errors import ChannelRefused, ChannelThrottled, ChannelUnreachable, ShuhengError
from include.sandbox.channels.taken import Taken
from include.sandbox.server import SandboxServer
from tests.alerts.channels.conftest import Opener
from tests.alerts.messages import message
from tests.sources.answering import AnsweringServer, reply

Took = Callable[[str], list[Taken]]
ROBOTS = ("dingtalk", "wecom", "feishu")
HTTP = (*ROBOTS, "webhook")
SECRET = "SECdemo0000000000"


def test_signatures_are_those_of_the_platforms() -> None:
    assert quote(dingtalk.sign(SECRET, 1763884800000), safe="") == "YYErYtPL3HsBMD58Vll6FSAvNgTk4i027sOsnFt4aOQ%3D"
    assert feishu.sign(SECRET, 1763884800) == "+zsMlLWWA0aqRY+gHe8OxczF5HwHyvSfB3ZZBwwHYf8="
    # printf '1763884800.{}' | openssl dgst -sha256 -hmac SECdemo0000000000
    signed = "d6fcfe84a1ccd77c586e8905e1aa72449124d9ea8b93db05658d9d8148aa5643"
    assert webhook.sign(SECRET, "1763884800", b"{}") == signed


@pytest.mark.parametrize(
    ("kind", "receipt"),
    [("dingtalk", "errcode 0"), ("wecom", "errcode 0"), ("feishu", "code 0"), ("webhook", "HTTP 202")],
)
def test_a_message_arrives(kind: str, receipt: str, opened: Opener, taken: Took) -> None:
    one = message()
    assert opened(kind).send(one) == receipt
    (found,) = taken(kind)
    text = str(found.content)
    assert one.number in text
    assert "系统未接入市级共享交换平台" in text
    assert one.title in text


@pytest.mark.parametrize("kind", HTTP)
def test_one_connection_carries_many(kind: str, opened: Opener, taken: Took) -> None:
    channel = opened(kind)
    for number in range(4):
        channel.send(message(title=f"第 {number} 封"))
    assert len(taken(kind)) == 4


OUTCOMES = {
    "error_500": (ChannelUnreachable, 0), "down": (ChannelUnreachable, 0), "error_429": (ChannelThrottled, 0),
    "html_200": (ChannelUnreachable, 0), "redirect": (ChannelRefused, 0), "refused": (ChannelRefused, 0),
    "throttled": (ChannelThrottled, 0), "reset_90": (ChannelUnreachable, 1), "truncated_json": (ChannelUnreachable, 1),
    "huge_page": (ChannelUnreachable, 1), "deep_json": (ChannelUnreachable, 1), "wrong_type": (ChannelUnreachable, 1),
    "reset_taken": (ChannelUnreachable, 1), "skewed_clock": (ChannelRefused, 0),
}  # fmt: skip
"""Fault → what the sender is told, and how many messages the other side has all the same."""


@pytest.mark.parametrize(
    ("kind", "scenario"),
    [(k, s) for k in ROBOTS for s in OUTCOMES if (k, s) != ("wecom", "skewed_clock")],  # WeCom signs nothing
)
def test_only_the_documented_success_is_one(
    kind: str, scenario: str, sandbox: SandboxServer, opened: Opener, taken: Took
) -> None:
    error, arrived = OUTCOMES[scenario]
    sandbox.fault(scenario, kind)
    channel = opened(kind)
    with pytest.raises(ShuhengError) as caught:
        channel.send(message())
    assert type(caught.value) is error, caught.value
    assert kind in str(caught.value)
    assert len(taken(kind)) == arrived
    sandbox.clear_faults()
    channel.send(message())
    assert len(taken(kind)) == arrived + 1, "the channel works again"


@pytest.mark.parametrize(
    "scenario", ["error_500", "error_429", "redirect", "refused", "throttled", "reset_taken", "skewed_clock", "down"]
)
def test_a_webhook_is_believed_by_its_status(
    scenario: str, sandbox: SandboxServer, opened: Opener, taken: Took
) -> None:
    error, arrived = OUTCOMES[scenario]
    sandbox.fault(scenario, "webhook")
    with pytest.raises(ShuhengError) as caught:
        opened("webhook").send(message())
    assert type(caught.value) is error, caught.value
    assert len(taken("webhook")) == arrived


def test_a_webhook_that_has_a_message_takes_it_once(sandbox: SandboxServer, opened: Opener, taken: Took) -> None:
    sandbox.fault("reset_taken", "webhook")
    channel, one = opened("webhook"), message()
    with pytest.raises(ChannelUnreachable):
        channel.send(one)
    assert channel.send(one) == "HTTP 200"
    assert len(taken("webhook")) == 1


@pytest.mark.parametrize(
    ("status", "document", "error"),
    [
        (400, {"code": 99991400, "msg": "request trigger frequency limit"}, ChannelThrottled),
        (400, {"code": 9499, "msg": "Bad Request"}, ChannelRefused),
        (400, {"code": 0}, ChannelRefused),
        (400, {"error": "no code"}, ChannelRefused),
        (200, {"StatusCode": 0, "StatusMessage": "success"}, None),
        (200, {"StatusCode": 19021}, ChannelRefused),
        (200, {"code": "0"}, ChannelUnreachable),
        (200, {"code": False}, ChannelUnreachable),
        (200, {"code": None, "msg": "success"}, ChannelUnreachable),
        (200, [], ChannelUnreachable),
        (200, 0, ChannelUnreachable),
        (204, "", ChannelUnreachable),
    ],
)
def test_the_code_counts_and_not_the_status_alone(
    status: int, document: Any, error: type[ShuhengError] | None, opened: Opener
) -> None:
    with AnsweringServer(lambda _: reply(document, status)) as server:
        channel = opened("feishu", port=int(server.url.rpartition(":")[2]))
        if error is None:
            assert channel.send(message()) == "code 0"
        else:
            with pytest.raises(ShuhengError) as caught:
                channel.send(message())
            assert type(caught.value) is error


@pytest.mark.parametrize(("kind", "seconds"), [("dingtalk", 600), ("wecom", 60), ("feishu", 60), ("webhook", 7)])
def test_who_asks_to_slow_down_says_for_how_long(
    kind: str, seconds: float, sandbox: SandboxServer, opened: Opener
) -> None:
    sandbox.fault("throttled", kind)
    with pytest.raises(ChannelThrottled) as caught:
        opened(kind).send(message())
    assert caught.value.retry_after == seconds


@pytest.mark.parametrize("kind", ["dingtalk", "wecom"])
def test_more_than_twenty_a_minute_are_turned_away(kind: str, opened: Opener, taken: Took) -> None:
    channel = opened(kind)
    for number in range(20):
        channel.send(message(title=str(number)))
    with pytest.raises(ChannelThrottled):
        channel.send(message(title="one too many"))
    assert len(taken(kind)) == 20


def test_more_than_five_a_second_are_turned_away(opened: Opener) -> None:
    channel = opened("feishu")
    with pytest.raises(ChannelThrottled):
        for number in range(200):
            channel.send(message(title=str(number)))


@pytest.mark.parametrize("scenario", ["hangs", "slow_drip"])
@pytest.mark.parametrize("kind", HTTP)
def test_nobody_is_waited_for_without_end(kind: str, scenario: str, sandbox: SandboxServer, opened: Opener) -> None:
    sandbox.fault(scenario, kind)
    channel = opened(kind, {"timeout_seconds": 1})
    # The stand-in withholds the rest of its answer for much longer: only a bound of our own ends with this sentence.
    with pytest.raises(ChannelUnreachable, match="no whole answer within 1 s"):
        channel.send(message())
