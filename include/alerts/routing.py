"""Who is told of what: topics, receivers, routes, channels and times as `routing.yaml` has them. `routing_files` reads them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from include.alerts.channels.channel import ChannelCard
from include.alerts.inhibition import Inhibition
from include.alerts.office_hours import OfficeHours
from include.alerts.switchboard import SPOOL
from include.rules.rule import Rule
from include.rules.rule_book import load_rules
from include.sources.outlines import Outline


class Labels(NamedTuple):
    """What routes look at."""

    topic: str
    rule: str
    severity: str
    outcome: str
    department: str
    subject_type: str
    scope: str


@dataclass(frozen=True, slots=True)
class Topic:
    """A named group of rules that are told together."""

    id: str
    title: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Escalation:
    """When a receiver enters: after so many working days unacknowledged, or open; None where that is no ground.

    Only for findings of some severities, all where there are none.
    """

    unacknowledged_workdays: int | None = None
    open_workdays: int | None = None
    severities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Receiver:
    """Whoever is told, by role; with `is_per_department` each department gets messages of its own."""

    id: str
    title: str
    channels: tuple[str, ...]
    is_per_department: bool = False
    escalation: Escalation | None = None
    hears_overdue: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """Where every label named has one of its values, receivers are added or dropped."""

    when: Mapping[str, frozenset[str]]
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()

    def fits(self, labels: Labels) -> bool:
        """Return whether it is for such a finding."""
        return all(getattr(labels, name) in values for name, values in self.when.items())


@dataclass(frozen=True, slots=True)
class Reminders:
    """After how many working days a finding is told again: at some, then every so many."""

    workdays: tuple[int, ...]
    then_every: int


@dataclass(frozen=True, slots=True)
class BlastGuard:
    """How many new findings of a scope may be told at once: the greater of a number and a share of its subjects, in percent."""

    least: int
    percent: int

    def allows(self, subjects: int) -> int:
        """Return how many new findings of a scope with so many subjects are told without being asked about."""
        return max(self.least, subjects * self.percent // 100)


@dataclass(frozen=True)
class Routing:
    """All of it, checked: names that are used exist, every rule is in one topic, every receiver has a channel that is enabled."""

    office_hours: OfficeHours
    reminders: Reminders
    blast_guard: BlastGuard
    topics: Mapping[str, Topic]
    receivers: Mapping[str, Receiver]
    routes: tuple[Route, ...]
    inhibitions: tuple[Inhibition, ...]
    channels: Mapping[str, ChannelCard]
    departments: Mapping[str, tuple[str, ...]]
    """Department → its mail addresses."""
    how: str
    objection: str
    cards: tuple[Outline, ...] = ()
    """Outlines of the sources' cards, as they were when it was read."""
    _known: dict[tuple[Labels, tuple[str, ...]], tuple[str, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @cached_property
    def topic_of(self) -> Mapping[str, str]:
        """Return the topic of every rule."""
        return {rule: topic.id for topic in self.topics.values() for rule in topic.rules}

    @cached_property
    def later(self) -> tuple[Receiver, ...]:
        """Return the receivers that are told when nothing happens."""
        return tuple(r for r in self.receivers.values() if r.escalation)

    def receivers_of(self, labels: Labels, told: Collection[str]) -> tuple[str, ...]:
        """Return who is told of a finding: `told` as its card has it, changed by the routes in order, in the order of receivers."""
        key = labels, tuple(told)
        if key not in self._known:
            names = set(told)
            for route in self.routes:
                if route.fits(labels):
                    names = (names | set(route.add)) - set(route.drop)
            self._known[key] = tuple(name for name in self.receivers if name in names)
        return self._known[key]

    def ways_to(self, receiver: str, department: str = "") -> list[tuple[ChannelCard, tuple[str, ...]]]:
        """Return the enabled channels of a receiver, with the addresses to use where a channel must be told.

        A department gets mail only where it has an address; the other receivers' addresses stand in the channel's connection. What
        reaches nobody so goes to the spool, for people to hand on.
        """
        return self._own_ways(receiver, department) or [(SPOOL, ())]

    def is_reached(self, receiver: str, department: str = "") -> bool:
        """Return whether a receiver has a way of its own, not only the spool that is left for want of another."""
        return bool(self._own_ways(receiver, department))

    def _own_ways(self, receiver: str, department: str) -> list[tuple[ChannelCard, tuple[str, ...]]]:
        who, found = self.receivers[receiver], []
        for card in (self.channels[name] for name in who.channels):
            address: tuple[str, ...] = ()
            if card.kind == "mail" and who.is_per_department:
                address = self.departments.get(department, ())
                if not address:
                    continue
            if card.is_enabled:
                found.append((card, address))
        return found


def load_routing(rules: Iterable[Rule] | None = None) -> Routing:
    """Return the routing over some rules, all by default; raise `CardError` with file, line and fix for the first thing wrong."""
    from include.alerts.routing_files import read_routing

    return read_routing(tuple(load_rules() if rules is None else rules))
