"""What a channel is: a card that says where and how fast, and something that sends one message and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from include.alerts.message import Message


@dataclass(frozen=True, slots=True)
class ChannelCard:
    """One channel as `routing.yaml` has it, checked against `schemas/config/routing.v1.json`.

    `kind` is dingtalk, wecom, feishu, mail, webhook or spool. `connection` is the id of the Airflow connection with address and
    secrets; a spool needs none. At most `per_minute` messages are tried in any 60 s and `per_second` in any second, over all tasks.
    """

    id: str
    title: str
    kind: str
    is_enabled: bool
    connection: str = ""
    per_minute: int = 20
    per_second: int = 5
    options: Mapping[str, str] = field(default_factory=dict)


class Channel(Protocol):
    """Something that delivers messages; opened anew by every task, closed in the end."""

    def send(self, message: Message) -> str:
        """Deliver a message and return the receipt, as far as the other side gives one.

        Raises `ChannelRefused` where it is refused for good, `ChannelThrottled` where it is to come later, `ChannelUnreachable`
        where nobody can say whether it arrived.
        """

    def close(self) -> None:
        """Let go of what is open."""
