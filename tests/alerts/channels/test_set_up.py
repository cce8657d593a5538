"""What is set up wrong is said with what to do, and no secret is ever shown."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from urllib.parse import quote

import pytest

from include.alerts.channels.channel import ChannelCard
from include.alerts.channels.open import open_channel
from include.alerts.channels.posting import quoted
from include.errors import ChannelRefused, ChannelUnreachable, ConfigurationError, ShuhengError
from include.sandbox.channels.taken import Taken
from include.sandbox.server import SandboxServer
from tests.alerts.channels.conftest import Opener
from tests.alerts.messages import message

Took = Callable[[str], list[Taken]]
HTTP = ("dingtalk", "wecom", "feishu", "webhook")


@pytest.mark.parametrize(
    ("kind", "over", "extra", "said"),
    [
        ("dingtalk", {"password": "0" * 64}, {}, "access token"),
        ("dingtalk", {}, {"secret": "SECwrong"}, "clock"),
        ("wecom", {"password": "0" * 36}, {}, "key (password) is wrong"),
        ("feishu", {"password": "0" * 36}, {}, "hook (password) is wrong"),
        ("feishu", {}, {"secret": "wrong"}, "signature holds for an hour"),
        ("webhook", {"password": "wrong"}, {}, "HTTP 401"),
        ("wecom", {}, {"path": "/no/such/path"}, "HTTP 404"),
        ("dingtalk", {}, {"networks": []}, "loopback address"),
    ],
)
def test_what_is_set_up_wrong_is_refused_with_what_to_do(
    kind: str, over: dict[str, str], extra: dict[str, object], said: str, opened: Opener, taken: Took
) -> None:
    with pytest.raises(ChannelRefused, match=re.escape(said)):
        opened(kind, extra, **over).send(message())
    assert not taken(kind)


@pytest.mark.parametrize("kind", HTTP)
def test_where_nobody_listens_is_unreachable(kind: str, opened: Opener) -> None:
    with pytest.raises(ChannelUnreachable, match="no connection"):
        opened(kind, port=9).send(message())


@pytest.mark.parametrize(
    "scenario", ["", "refused", "error_500", "reset_90", "reset_taken", "html_200", "redirect", "no_port", "404"]
)
@pytest.mark.parametrize("kind", HTTP)
def test_no_secret_is_in_errors_or_logs(
    kind: str, scenario: str, sandbox: SandboxServer, opened: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    keys = sandbox.options.channels
    secrets = [
        keys.dingtalk_token,
        keys.dingtalk_secret,
        keys.wecom_key,
        keys.feishu_hook,
        keys.feishu_secret,
        keys.webhook_secret,
    ]
    caplog.set_level(logging.DEBUG)
    if scenario not in ("", "no_port", "404"):
        sandbox.fault(scenario, kind)
    channel = opened(
        kind, {"path": "/none/"} if scenario == "404" else None, **({"port": 9} if scenario == "no_port" else {})
    )
    shown = repr(channel)
    try:
        channel.send(message())
    except ShuhengError as error:
        shown += f"{error!r} {error} {error.__cause__!r} {error.__suppress_context__}"
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None
    logged = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    assert not [secret for secret in secrets if secret in shown or secret in logged or quote(secret, safe="") in logged]


def test_a_platform_that_repeats_the_secret_is_not_quoted_with_it() -> None:
    assert quoted(b'{"errmsg": "no robot for access_token=a+b/c or a%2Bb%2Fc"}', ["a+b/c"]).count("***") == 2


@pytest.mark.parametrize(
    ("kind", "over"),
    [
        ("dingtalk", {"password": ""}), ("webhook", {"password": ""}), ("wecom", {"host": "http://user:key@127.0.0.1"}),
        ("feishu", {"host": "ftp://127.0.0.1"}), ("webhook", {"host": ""}),
    ],
)  # fmt: skip
def test_a_connection_that_cannot_be_used_is_named(kind: str, over: dict[str, str], opened: Opener) -> None:
    with pytest.raises(ConfigurationError, match=f"alert_{kind}"):
        opened(kind, **over)


@pytest.mark.parametrize("seconds", ["soon", -1, "nan", [1], 241])
@pytest.mark.parametrize("kind", ["wecom", "mail"])
def test_a_time_that_is_none_is_named(kind: str, seconds: object, opened: Opener) -> None:
    with pytest.raises(ConfigurationError, match="timeout_seconds"):
        opened(kind, {"timeout_seconds": seconds})


def test_a_card_that_leads_nowhere_is_named() -> None:
    with pytest.raises(ConfigurationError, match="known are dingtalk"):
        open_channel(ChannelCard("pigeon", "信鸽", "pigeon", True))
    with pytest.raises(ConfigurationError, match="names no connection"):
        open_channel(ChannelCard("chat", "钉钉", "dingtalk", True))
    with pytest.raises(ConfigurationError, match="'alert_none' is not defined"):
        open_channel(ChannelCard("chat", "钉钉", "dingtalk", True, "alert_none"))
