"""Which channels there are, and over which of them the operator is reached: by the routing, and where it is broken by the spool.

The pipelines' own health must be told when nothing else can be: a wrong line in `routing.yaml` must not silence what tells of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.alerts.channels.channel import ChannelCard
from include.errors import ShuhengError
from include.findings.titles import ROLES

if TYPE_CHECKING:
    from include.alerts.routing import Routing

OPERATOR = "operator"
"""The receiver of what the pipelines have to say about themselves; there always is one."""

SPOOL = ChannelCard("spool", "本地文件", "spool", True)
"""The last way: a folder of our own, that needs neither connection nor network."""

Way = tuple[ChannelCard, tuple[str, ...]]
"""A channel, and the addresses to use on it where it must be told."""


@dataclass(frozen=True, slots=True)
class Switchboard:
    """The channels that are in use, by id, the operator's among them, and the routing, or what is wrong with it."""

    channels: Mapping[str, ChannelCard]
    operator: tuple[Way, ...]
    operator_title: str = ROLES[OPERATOR][0]
    problem: str = ""
    routing: Routing | None = None

    def ways_around(self, avoided: Collection[str]) -> tuple[Way, ...]:
        """Return the operator's ways without the channels that are down; the spool where none is left."""
        left = tuple(way for way in self.operator if way[0].id not in avoided)
        return left or ((self.channels.get(SPOOL.id, SPOOL), ()),)


def load_switchboard() -> Switchboard:
    """Return it as `routing.yaml` has it; where that cannot be used, the spool alone, with the reason."""
    from include.alerts.routing import load_routing

    try:
        routing = load_routing()
    except ShuhengError as error:
        return Switchboard({SPOOL.id: SPOOL}, ((SPOOL, ()),), problem=str(error))
    in_use = {SPOOL.id: SPOOL} | {card.id: card for card in routing.channels.values() if card.is_enabled}
    ways = tuple(routing.ways_to(OPERATOR))
    return Switchboard(in_use, ways, routing.receivers[OPERATOR].title, routing=routing)
