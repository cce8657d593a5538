"""What the tasks of `deliver_alerts` do, as plain functions: counts go in and out, never names."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from include.clock import now
from include.errors import ConfigurationError, NotDelivered
from include.opening import ledger
from include.settings import load_settings

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from include.alerts.channels.channel import ChannelCard
    from include.alerts.switchboard import Switchboard

log = logging.getLogger(__name__)

ALERT_POOL = "alerts"
"""Bounds how many channels are worked on at once."""

DEAD_DAYS = 7
"""For how many days a dead message is an incident; after that it is listed, and nobody is reminded of it."""

GONE_AFTER = timedelta(days=1)
"""How long a message waits for a channel that is switched off before it is given up."""


def watch(at: datetime | None = None, board: Switchboard | None = None) -> dict[str, Any]:
    """Look for what should have come by now, and tell the operator what is new, goes on or is over; return counts."""
    from include.alerts import incidents, watchdog
    from include.alerts.incident_notice import tell_operator
    from include.alerts.pipelines import load_watched
    from include.alerts.switchboard import load_switchboard
    from include.alerts.unheard import note_unheard
    from include.sources.outlines import outline_cards

    at, board, settings = at or now(), board or load_switchboard(), load_settings()
    link = f"{settings.public_url}/shuheng/alerts" if settings.public_url else None
    pipelines, workdays = load_watched(), watchdog.load_workdays()
    using = watchdog.Watch(pipelines, [c for c in outline_cards() if c.is_enabled], workdays)
    published = watchdog.last_published(settings.datasets_url)
    with ledger().begin() as connection:
        missing = watchdog.watch(connection, using, published, at, board.problem)
        note_unheard(connection, board.routing, workdays, at)
        told = tell_operator(connection, board, pipelines, workdays, at, link)
        found = len(incidents.open_incidents(connection))
    log.info("watched: %d results missing, %d incidents open, %d told", len(missing), found, told)
    return {"missing": len(missing), "open": found, "told": told}


def tell() -> dict[str, Any]:
    """Watch, then decide what receivers are told of the findings; what is told stands in the outbox. Return counts."""
    from include.alerts.telling import tell as decide
    from include.ledger.snapshot import FINDINGS, snapshot

    watched, engine = watch(), ledger()
    with snapshot(engine, FINDINGS) as connection:
        told = decide(connection, now())
    return {"watched": watched, "told": told.summary()}


def channels() -> list[str]:
    """Return the channels in use: each is worked on by a task of its own."""
    from include.alerts.switchboard import load_switchboard

    return sorted(load_switchboard().channels)


def deliver(
    channel: str, board: Switchboard | None = None, receivers: Collection[str] = (), **how: Any
) -> dict[str, Any]:
    """Deliver what is due on one channel; return counts. With `receivers` only what is for them."""
    from include.alerts.delivery import deliver as work
    from include.alerts.switchboard import load_switchboard

    board = board or load_switchboard()
    if channel not in board.channels:
        raise ConfigurationError(
            f"channel {channel!r} is not in use; routing.yaml has {', '.join(sorted(board.channels))}"
        )
    done = work(
        ledger(), board.channels[channel], how.pop("open_channel", None) or _opener(), receivers=receivers, **how
    )
    log.info("%s", done)
    return done.summary()


def _opener() -> Callable[[ChannelCard], Any]:
    from include.alerts.channels.open import open_channel

    opener: Callable[[ChannelCard], Any] = open_channel
    return opener


@dataclass(frozen=True, slots=True)
class Fared:
    """How a whole pass fared: the counts of its channels, and those that let nothing through or where messages died."""

    channels: list[dict[str, Any]]
    down: list[str]
    died: dict[str, int]
    given_up: int

    def raise_for_losses(self) -> None:
        """Raise `NotDelivered` where a channel lets nothing through or messages died."""
        parts = [f"nothing gets through: {', '.join(self.down)}"] if self.down else []
        parts += [f"messages died on {name}: {n}" for name, n in self.died.items()]
        parts += [f"messages for channels that are not in use: {self.given_up}"] if self.given_up else []
        if parts:
            raise NotDelivered(f"{'; '.join(parts)}; list them with: python -m include deliver --dead")


def fared(delivered: list[dict[str, Any]], at: datetime | None = None, board: Switchboard | None = None) -> Fared:
    """Write down how the channels fare, as incidents that open and close, and that the pass came to its end."""
    from include.alerts import incidents, outbox
    from include.alerts.pipelines import DELIVERY
    from include.alerts.switchboard import load_switchboard

    at, board = at or now(), board or load_switchboard()
    with ledger().begin() as connection:
        given_up = 0 if board.problem else outbox.give_up(connection, board.channels, at - GONE_AFTER)
        down = _note_channels(connection, delivered, board, at)
        incidents.resolve(connection, DELIVERY, [incidents.Cause.MISSING], at)  # this pass is what was missed
        incidents.beat(connection, DELIVERY, at)
    died = {one["channel"]: one["died"] for one in delivered if one["died"]}
    return Fared(delivered, down, died, given_up)


def _note_channels(
    connection: Connection, delivered: list[dict[str, Any]], board: Switchboard, at: datetime
) -> list[str]:
    from include.alerts import channel_states, incidents, outbox
    from include.alerts.incidents import Cause, Sighting
    from include.alerts.pipelines import DELIVERY
    from include.alerts.switchboard import SPOOL

    states = channel_states.states(connection)
    down = {name: s.last_error or "" for name, s in states.items() if s.is_down(at) and name in board.channels}
    dead = outbox.dead_since(connection, at - timedelta(days=DEAD_DAYS))
    seen = [
        Sighting(DELIVERY, Cause.CHANNEL_DOWN, name, f"持续未能发出,最近错误:{words}") for name, words in down.items()
    ]
    seen += [
        Sighting(
            DELIVERY, Cause.DEAD_LETTER, name, f"近 {DEAD_DAYS} 天有 {n} 条消息多次尝试后未能送达,查看:deliver --dead"
        )
        for name, n in dead.items()
    ]
    remote = set(board.channels) - {SPOOL.id} or set(board.channels)
    is_cut_off = remote <= set(down)
    if is_cut_off:
        outbox.hand_over(connection, set(down) - {SPOOL.id}, at)
        words = "待发消息另存本地文件(operator 目录),急件请转交;渠道恢复后自动补发"
        seen.append(Sighting(DELIVERY, Cause.NO_CHANNEL, "", f"{'、'.join(sorted(remote))} 均不通,{words}"))
    incidents.see(connection, seen, at)
    for cause, still in ((Cause.CHANNEL_DOWN, list(down)), (Cause.DEAD_LETTER, list(dead))):
        incidents.resolve(connection, DELIVERY, [cause], at, still)
    if not is_cut_off:
        incidents.resolve(connection, DELIVERY, [Cause.NO_CHANNEL], at)
    return sorted(down)


def report(told: dict[str, Any] | None, delivered: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what a run brought; raise `NotDelivered` where nothing was decided, a channel is down, or messages died."""
    done = fared(delivered)
    done.raise_for_losses()
    if told is None:
        raise NotDelivered(
            "it was not decided who is told of what; see the tell task for the cause. What was decided was sent"
        )
    return told | {"channels": done.channels}
