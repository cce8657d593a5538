"""Opens the channel that a card describes; the libraries each kind needs are loaded only then."""

from __future__ import annotations

from collections.abc import Callable

from include.alerts.channels.channel import Channel, ChannelCard
from include.connections import get_connection
from include.errors import ConfigurationError

KINDS = ("dingtalk", "wecom", "feishu", "mail", "webhook", "spool")


def open_channel(card: ChannelCard) -> Channel:
    """Return the channel of a card, ready to send; the caller closes it.

    Raises `ConfigurationError` where its kind is unknown or its connection is missing or cannot be used.
    """
    opener = _OPENERS.get(card.kind)
    if opener is None:
        raise ConfigurationError(f"the channel {card.id} is of the kind {card.kind!r}; known are {', '.join(KINDS)}")
    if card.kind != "spool" and not card.connection:
        raise ConfigurationError(f"the channel {card.id} names no connection; add it in routing.yaml")
    return opener(card)


def _dingtalk(card: ChannelCard) -> Channel:
    from include.alerts.channels.dingtalk import DingTalk

    return DingTalk(card, get_connection(card.connection))


def _wecom(card: ChannelCard) -> Channel:
    from include.alerts.channels.wecom import WeCom

    return WeCom(card, get_connection(card.connection))


def _feishu(card: ChannelCard) -> Channel:
    from include.alerts.channels.feishu import Feishu

    return Feishu(card, get_connection(card.connection))


def _mail(card: ChannelCard) -> Channel:
    from include.alerts.channels.mail import Mail

    return Mail(card, get_connection(card.connection))


def _webhook(card: ChannelCard) -> Channel:
    from include.alerts.channels.webhook import Webhook

    return Webhook(card, get_connection(card.connection))


def _spool(card: ChannelCard) -> Channel:
    from include.alerts.channels.spool import Spool

    return Spool(card, get_connection(card.connection) if card.connection else None)


_OPENERS: dict[str, Callable[[ChannelCard], Channel]] = {
    "dingtalk": _dingtalk, "wecom": _wecom, "feishu": _feishu, "mail": _mail, "webhook": _webhook, "spool": _spool,
}  # fmt: skip
