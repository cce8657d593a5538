"""The stand-ins of channels are strict: a caller written for these tests alone finds every door but the right one shut."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import smtplib
import ssl
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml

from include.sandbox import words
from include.sandbox.airflow_home import Home, airflow_environment
from include.sandbox.channels.demo_routing import addresses
from include.sandbox.channels.taken import Rate
from include.sandbox.faults import Fault
from include.sandbox.server import SandboxServer

MARKDOWN = {"msgtype": "markdown", "markdown": {"title": "题", "text": "文"}}


@pytest.fixture(scope="module")
def shared() -> Iterator[SandboxServer]:
    with SandboxServer(projects=20, systems=20) as server:
        yield server


@pytest.fixture
def server(shared: SandboxServer) -> SandboxServer:
    shared.clear_faults()
    shared.sandbox.channels.clear()
    return shared


def dingtalk(
    server: SandboxServer, body: Any = MARKDOWN, moment: int | None = None, secret: str = "", **query: str
) -> dict[str, Any]:
    keys = server.options.channels
    stamp = str(moment if moment is not None else int(time.time() * 1000))
    key = secret or keys.dingtalk_secret
    signature = base64.b64encode(hmac.new(key.encode(), f"{stamp}\n{key}".encode(), hashlib.sha256).digest()).decode()
    asked = {"access_token": keys.dingtalk_token, "timestamp": stamp, "sign": signature} | query
    return _post(f"{server.url}/dingtalk/robot/send", body, params=asked)


def wecom(server: SandboxServer, body: Any, **query: str) -> dict[str, Any]:
    return _post(
        f"{server.url}/wecom/cgi-bin/webhook/send", body, params={"key": server.options.channels.wecom_key} | query
    )


def feishu(
    server: SandboxServer, card: Any = None, moment: int | None = None, secret: str = "", hook: str = ""
) -> dict[str, Any]:
    keys = server.options.channels
    stamp = str(moment if moment is not None else int(time.time()))
    keyed = hmac.new(f"{stamp}\n{secret or keys.feishu_secret}".encode(), digestmod=hashlib.sha256)
    body = {"timestamp": stamp, "sign": base64.b64encode(keyed.digest()).decode(), "msg_type": "interactive"}
    card = card or {
        "header": {"title": {"tag": "plain_text", "content": "题"}},
        "elements": [{"tag": "markdown", "content": "文"}],
    }
    return _post(f"{server.url}/feishu/open-apis/bot/v2/hook/{hook or keys.feishu_hook}", body | {"card": card})


def _post(url: str, body: Any, **more: Any) -> dict[str, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    answer = requests.post(url, data, headers={"Content-Type": "application/json"}, timeout=10, **more)
    assert answer.status_code == 200, answer.status_code
    found: dict[str, Any] = answer.json()
    return found


def test_dingtalk_opens_to_the_right_key_alone(server: SandboxServer) -> None:
    hour = 3_600_000
    now = int(time.time() * 1000)
    assert dingtalk(server) == {"errcode": 0, "errmsg": "ok"}
    assert dingtalk(server, access_token="0")["errcode"] == 300001
    assert dingtalk(server, secret="SECother")["errmsg"] == "sign not match"
    assert dingtalk(server, moment=now - hour - 5000)["errmsg"] == "invalid timestamp"
    assert dingtalk(server, moment=now - hour + 60_000)["errcode"] == 0
    assert dingtalk(server, {"msgtype": "text", "text": {"content": "文"}})["errcode"] == 400105
    assert dingtalk(server, {"msgtype": "markdown", "markdown": {"title": "", "text": "文"}})["errcode"] == 40035
    assert dingtalk(server, b"[]")["errcode"] == 40035
    assert dingtalk(server, b"{")["errcode"] == 40035
    assert len(server.sandbox.channels.shelf.of("dingtalk")) == 2


def test_sizes_are_counted_in_bytes(server: SandboxServer) -> None:
    def of_dingtalk(size: int) -> bytes:
        frame = len(json.dumps({"msgtype": "markdown", "markdown": {"title": "t", "text": ""}}))
        return json.dumps({"msgtype": "markdown", "markdown": {"title": "t", "text": "x" * (size - frame)}}).encode()

    assert dingtalk(server, of_dingtalk(20_000))["errcode"] == 0
    assert dingtalk(server, of_dingtalk(20_001))["errcode"] == 460101
    for number, code in ((1365, 0), (1366, 40058)):
        body = {"msgtype": "markdown", "markdown": {"content": "长" * number}}
        assert wecom(server, body)["errcode"] == code
    card = {
        "header": {"title": {"tag": "plain_text", "content": "t"}},
        "elements": [{"tag": "markdown", "content": "x" * 20_000}],
    }
    assert feishu(server, card)["code"] == 230025


def test_wecom_opens_to_the_right_key_alone(server: SandboxServer) -> None:
    body = {"msgtype": "markdown", "markdown": {"content": "文"}}
    assert wecom(server, body)["errcode"] == 0
    assert wecom(server, body, key="0")["errcode"] == 93000
    assert wecom(server, body, other="1")["errcode"] == 93000
    assert wecom(server, {"msgtype": "markdown", "markdown": {"content": " "}})["errcode"] == 44004
    assert wecom(server, b"no json")["errcode"] == 47001


def test_feishu_opens_to_the_right_key_alone(server: SandboxServer) -> None:
    now = int(time.time())
    assert feishu(server)["code"] == 0
    assert feishu(server)["StatusCode"] == 0
    assert feishu(server, secret="other")["code"] == 19021
    assert feishu(server, moment=now - 3700)["code"] == 19021
    server.sandbox.channels.clear()  # five a second
    assert feishu(server, moment=now * 1000)["code"] == 19021, "milliseconds are DingTalk's"
    assert feishu(server, hook="0")["code"] == 19001
    assert feishu(server, {"elements": []})["code"] == 9499


def test_a_rate_is_kept_and_silence_follows() -> None:
    now = [0.0]
    rate = Rate(3, 60, silence=600, monotonic=lambda: now[0])
    assert [rate.admits() for _ in range(5)] == [True, True, True, False, False]
    now[0] = 599
    assert not rate.admits()
    now[0] = 601
    assert rate.admits()
    sliding = Rate(2, 1, monotonic=lambda: now[0])
    assert [sliding.admits(), sliding.admits(), sliding.admits()] == [True, True, False]
    now[0] += 1
    assert sliding.admits()


def test_a_webhook_wants_its_signature_over_time_and_body(server: SandboxServer) -> None:
    def sent(body: bytes = b'{"kind": "shuheng.alert.v1", "message_id": "m"}', **over: str) -> int:
        stamp = over.pop("stamp", str(int(time.time())))
        signature = hmac.new(
            server.options.channels.webhook_secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256
        ).hexdigest()
        headers = {
            "Content-Type": "application/json", "X-Shuheng-Timestamp": stamp, "Idempotency-Key": "m",
            "X-Shuheng-Signature": f"sha256={signature}",
        } | {name.replace("_", "-"): value for name, value in over.items()}  # fmt: skip
        return requests.post(f"{server.url}/webhook/alerts", body, headers=headers, timeout=5).status_code

    assert [sent(), sent()] == [202, 200]
    assert sent(X_Shuheng_Signature="sha256=" + "0" * 64) == 401
    assert sent(stamp=str(int(time.time()) - 301)) == 401
    assert sent(Idempotency_Key="other") == 400
    assert sent(b'{"kind": "shuheng.alert.v1", "message_id": "m", "title": "changed"}') == 409
    assert sent(b"[]") == 400
    assert len(server.sandbox.channels.shelf.of("webhook")) == 1


def test_mail_wants_tls_a_login_and_a_whole_mail(server: SandboxServer) -> None:
    keys, mail = server.options.channels, server.sandbox.channels.mail
    with smtplib.SMTP("127.0.0.1", mail.port, timeout=5) as smtp:
        smtp.ehlo()
        assert smtp.docmd("MAIL FROM:<a@b.cn>")[0] == 530
        smtp.starttls(context=ssl.create_default_context(cafile=mail.ca_file))
        smtp.ehlo()
        assert smtp.docmd("MAIL FROM:<a@b.cn>")[0] == 530
        with pytest.raises(smtplib.SMTPAuthenticationError):
            smtp.login(keys.mail_login, "wrong")
        smtp.login(keys.mail_login, keys.mail_password)
        with pytest.raises(smtplib.SMTPDataError, match="Message-ID"):
            smtp.sendmail("a@b.cn", "c@d.cn", b"Subject: x\r\nFrom: a@b.cn\r\nTo: c@d.cn\r\n\r\nbody")
    assert server.sandbox.channels.shelf.refused("mail") == {"554": 1}
    with pytest.raises(ssl.SSLCertVerificationError), smtplib.SMTP("127.0.0.1", mail.port, timeout=5) as smtp:
        smtp.starttls(context=ssl.create_default_context())


def test_the_desk_shows_what_was_taken_and_forgets_it(server: SandboxServer) -> None:
    dingtalk(server)
    dingtalk(server, access_token="0")
    url = f"{server.url}/control/channels"
    assert requests.get(url, timeout=5).status_code == 403
    found = requests.get(url, headers=server.control_headers, params={"channel": "dingtalk"}, timeout=5).json()
    assert [(one["channel"], one["number"], one["content"]) for one in found["taken"]] == [("dingtalk", 1, MARKDOWN)]
    assert found["refused"] == {"dingtalk": {"300001": 1}}
    assert (
        requests.get(url, headers=server.control_headers, params={"channel": "wecom"}, timeout=5).json()["taken"] == []
    )
    assert requests.delete(url, headers=server.control_headers, timeout=5).json() == {"cleared": 1}
    assert requests.get(url, headers=server.control_headers, timeout=5).json() == {
        "taken": [],
        "refused": {},
        "calls": {},
    }


def test_faults_of_channels_strike_the_message_they_are_meant_for(server: SandboxServer) -> None:
    server.fault("refused", "dingtalk", page=2)
    assert [dingtalk(server)["errcode"] for _ in range(3)] == [0, 310000, 0]
    server.fault("throttled", "wecom")
    assert wecom(server, {"msgtype": "markdown", "markdown": {"content": "文"}})["errcode"] == 45009
    assert dingtalk(server)["errcode"] == 0


@pytest.mark.parametrize(
    ("scenario", "platform"),
    [
        ("refused", "provincial"),
        ("hangs", "exchange"),
        ("wrong_total", "dingtalk"),
        ("html_200", "mail"),
        ("partial_pages", "webhook"),
    ],
)
def test_a_fault_that_a_channel_does_not_have_is_refused(scenario: str, platform: str) -> None:
    with pytest.raises(ValueError, match=f"not of {platform}"):
        Fault(scenario, platform)


def test_a_home_switches_every_channel_on_and_keeps_what_was_changed(tmp_path: Any) -> None:
    home = Home(tmp_path)
    home.prepare()
    file = tmp_path / "config" / "routing.yaml"
    routing = yaml.safe_load(file.read_text("utf-8"))
    assert routing["channels"] == {
        name: {"enabled": True} for name in ("dingtalk", "wecom", "feishu", "mail", "webhook")
    }
    assert routing["receivers"]["operator"] == {"channels": ["feishu", "webhook"]}
    assert routing["receivers"]["unit"] == {"channels": ["mail", "spool"]}
    assert set(routing["departments"]) == {*words.UNITS, words.HEALTH} == set(addresses())
    assert airflow_environment(home, 18080)["SHUHENG_CONFIG"] == str(file.parent)
    file.write_text("channels: {}\n")
    home.prepare()
    assert file.read_text() == "channels: {}\n"
