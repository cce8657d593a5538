"""Mail over real SMTP: TLS, login, headers, addresses, and what each answer of the server means."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from aiosmtpd.controller import Controller

from include.alerts.channels.mail import as_mail
from include.errors import ChannelRefused, ChannelUnreachable, ConfigurationError, ShuhengError
from include.sandbox.certificates import Authority, Trust
from include.sandbox.channels.taken import Taken
from include.sandbox.server import SandboxServer
from tests.alerts.channels.conftest import Opener
from tests.alerts.messages import HOSTILE, hostile, many, message

Took = Callable[[str], list[Taken]]
UNIT = ("unit-01@units.invalid",)


def test_a_mail_arrives_as_text_and_html(opened: Opener, taken: Took) -> None:
    one = message(address=(*UNIT, "second@units.invalid", *UNIT), is_urgent=True)
    assert opened("mail").send(one).startswith("250 (2.0.0 queued")
    (found,) = taken("mail")
    mail = found.content
    assert mail["to"] == [UNIT[0], "second@units.invalid"]
    assert mail["from"] == "shuheng@bureau.invalid"
    assert mail["message_id"] == f"{one.message_id}@shuheng.bureau.invalid"
    assert mail["subject"] == "【急】数衡提示(双鸭山市教育局):新线索 1 条"
    headers = dict(mail["headers"])
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Importance"] == "high"
    assert headers["Date"].endswith("+0800")
    for part in ("text", "html"):
        assert "系统未接入市级共享交换平台" in mail[part]
        assert one.number in mail[part]


def test_what_is_shown_in_part_is_attached_whole() -> None:
    assert not list(as_mail(message(), "s@b.invalid", [*UNIT]).iter_attachments())
    long = many(60, 20)  # two sections of thirty
    mail = as_mail(long, "s@b.invalid", [*UNIT])
    (table,) = mail.iter_attachments()
    assert (table.get_filename(), table.get_content_type()) == (f"{long.number}.csv", "text/csv")
    content = table.get_content()
    assert [f"{n:032x}" in content for n in range(60)] == [True] * 60
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert "…另有 20 条" in body.get_content()
        assert "全部线索见附件" in body.get_content()


def test_a_mail_with_an_attachment_arrives_and_one_that_would_be_too_large_goes_without(
    opened: Opener, taken: Took
) -> None:
    opened("mail").send(many(60))
    opened("mail").send(many(12_000, 200))
    first, second = taken("mail")
    assert (first.content["tables"], second.content["tables"]) == (1, 0)
    assert "见附件" not in second.content["text"]


def test_without_an_address_of_its_own_it_goes_to_those_of_the_connection(opened: Opener, taken: Took) -> None:
    opened("mail", {"to": "a@bureau.invalid, b@bureau.invalid"}).send(message())
    assert taken("mail")[0].content["to"] == ["a@bureau.invalid", "b@bureau.invalid"]


def test_a_mail_sent_twice_has_the_same_id(opened: Opener, taken: Took) -> None:
    channel, one = opened("mail"), message()
    channel.send(one)
    channel.send(one)
    first, second = taken("mail")
    assert first.content["message_id"] == second.content["message_id"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_title_becomes_a_header(name: str, opened: Opener, taken: Took) -> None:
    text = f"提示\r\nBcc: thief@evil.invalid\r\n\r\n<b>{HOSTILE[name]}"
    opened("mail").send(replace(hostile(text), address=()))
    (found,) = taken("mail")
    assert found.content["to"] == ["office@bureau.invalid"]
    assert "Bcc" not in dict(found.content["headers"])
    assert len(found.content["headers"]) == len(dict(found.content["headers"]))
    assert found.content["subject"].startswith("提示 Bcc: thief@evil.invalid")


@pytest.mark.parametrize(
    "address", ["", "a b@c.cn", "a@b.cn\r\nBcc: x@y.cn", "a@b.cn,x@y.cn", "<a@b.cn>", "名@b.cn", "a@", "@b", "a@b..cn"]
)
def test_what_is_no_plain_address_gets_nothing(address: str, opened: Opener, taken: Took) -> None:
    with pytest.raises(ChannelRefused, match="not a plain mail address"):
        opened("mail").send(message(address=(*UNIT, address)))
    assert not taken("mail")


def test_nobody_to_send_to_is_said(opened: Opener) -> None:
    with pytest.raises(ChannelRefused, match="routing.yaml has no mail address of '双鸭山市教育局'"):
        opened("mail", {"to": []}).send(message())


OUTCOMES = {
    "refused": (ChannelRefused, "554", 0), "throttled": (ChannelUnreachable, "451", 0), "down": (ChannelUnreachable, "451", 0),
    "reset_taken": (ChannelUnreachable, "broke", 1),
}  # fmt: skip


@pytest.mark.parametrize("scenario", OUTCOMES)
def test_each_answer_means_what_it_says(scenario: str, sandbox: SandboxServer, opened: Opener, taken: Took) -> None:
    error, said, arrived = OUTCOMES[scenario]
    sandbox.fault(scenario, "mail")
    channel = opened("mail")
    with pytest.raises(ShuhengError, match=said) as caught:
        channel.send(message())
    assert type(caught.value) is error
    assert len(taken("mail")) == arrived
    sandbox.clear_faults()
    channel.send(message())
    assert len(taken("mail")) == arrived + 1


def test_one_address_put_off_puts_the_mail_off_for_all(opened: Opener, taken: Took) -> None:
    with pytest.raises(ChannelUnreachable, match="451"):
        opened("mail").send(message(address=(*UNIT, "later@units.invalid")))
    assert not taken("mail")


def test_one_address_refused_does_not_keep_it_from_the_others(opened: Opener, taken: Took) -> None:
    receipt = opened("mail").send(message(address=("nobody@units.invalid", *UNIT)))
    assert receipt.endswith("1 of 2 addresses were refused")
    assert taken("mail")[0].content["to"] == list(UNIT)
    with pytest.raises(ChannelRefused, match="550"):
        opened("mail").send(message(address=("nobody@units.invalid",)))


def test_a_server_that_is_silent_is_not_waited_for(sandbox: SandboxServer, opened: Opener) -> None:
    sandbox.fault("hangs", "mail")
    with pytest.raises(ChannelUnreachable, match="within the time"):
        opened("mail", {"timeout_seconds": 1}).send(message())


@pytest.mark.parametrize(
    ("over", "extra", "error", "said"),
    [
        ({"password": "wrong"}, {}, ChannelRefused, "does not let us in"),
        ({"login": "", "password": ""}, {}, ChannelRefused, "does not let us in"),
        ({}, {"ca_file": ""}, ChannelRefused, "certificate is not accepted"),
        ({}, {"networks": []}, ChannelRefused, "loopback address"),
        ({"login": "", "password": ""}, {"security": "none"}, ChannelRefused, "530"),
        ({"port": 9}, {}, ChannelUnreachable, "no connection"),
    ],
)
def test_what_is_set_up_wrong_is_said(
    over: dict[str, object], extra: dict[str, object], error: type[Exception], said: str, opened: Opener, taken: Took
) -> None:
    with pytest.raises(error, match=said):
        opened("mail", extra, **over).send(message())
    assert not taken("mail")


@pytest.mark.parametrize(
    ("over", "extra", "said"),
    [
        ({}, {"security": "maybe"}, "starttls, ssl, none"),
        ({}, {"security": "none"}, "in the clear"),
        ({}, {"from": "数衡"}, '"from"'),
        ({}, {"to": "nobody"}, '"to"'),
        ({}, {"to": 5}, '"to" must be a list'),
        ({"host": ""}, {}, "no host"),
    ],
)
def test_a_connection_that_cannot_be_used_is_named(
    over: dict[str, str], extra: dict[str, object], said: str, opened: Opener
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        opened("mail", extra, **over)


@pytest.mark.parametrize("scenario", ["", "refused", "reset_taken", "password"])
def test_no_secret_is_in_errors_or_logs(
    scenario: str,
    sandbox: SandboxServer,
    opened: Opener,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    if scenario in ("refused", "reset_taken"):
        sandbox.fault(scenario, "mail")
    channel = opened("mail", **({"password": "hidden-word"} if scenario == "password" else {}))
    shown = repr(channel)
    try:
        channel.send(message())
    except ShuhengError as error:
        shown += f"{error} {error!r}"
        assert error.__suppress_context__ or error.__context__ is None
    ours = [record for record in caplog.records if record.name != "mail.log"]  # that one is the stand-in's
    shown += "".join(f"{record.getMessage()} {record.args}" for record in ours) + "".join(capfd.readouterr())
    assert sandbox.options.channels.mail_password not in shown
    assert "hidden-word" not in shown


def test_a_server_that_is_encrypted_from_the_start(opened: Opener, tmp_path: Path) -> None:
    class Keeper:
        mails: ClassVar[list[bytes]] = []

        async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:
            self.mails.append(envelope.content)
            return "250 kept"

    authority = Authority(tmp_path / "ca")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(Keeper(), "127.0.0.1", port, ssl_context=authority.context(Trust.VALID, ["127.0.0.1"]))
    controller._trigger_server = lambda: socket.create_connection(
        ("127.0.0.1", port)
    ).close()  # its own knows no private authority
    controller.start()
    try:
        mail = opened("mail", {"security": "ssl", "ca_file": str(authority.file)}, port=port, login="", password="")
        assert mail.send(message()) == "250 (kept)"
    finally:
        controller.stop()
    assert len(Keeper.mails) == 1


def test_lines_of_a_mail_are_never_too_long() -> None:
    content = as_mail(hostile("长" * 100_000), "a@b.invalid", ["c@d.invalid"]).as_bytes()
    assert max(map(len, content.split(b"\r\n"))) <= 998
    assert content.isascii()
