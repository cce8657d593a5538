"""Read `routing.yaml`, a bureau's own laid over the shipped one, and check what a schema cannot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any

from include.alerts.channels.channel import ChannelCard
from include.alerts.inhibition import Inhibition
from include.alerts.office_hours import OfficeHours
from include.alerts.pace import MOST_RATES
from include.alerts.routing import (
    BlastGuard,
    Escalation,
    Receiver,
    Reminders,
    Route,
    Routing,
    Topic,
)
from include.alerts.subjects import WITHOUT_DEPARTMENT
from include.alerts.switchboard import OPERATOR
from include.rules.rule import Rule
from include.sources.outlines import Outline, outline_cards
from include.sources.own_files import EVERY_DEPTH, LaidOver, Place, read_laid_over

SHIPPED = Path(__file__).parent / "routing.yaml"
REFERENCE = "schemas/config/routing.v1.json"
WITH_SOURCE = "source"


def read_routing(rules: Sequence[Rule]) -> Routing:
    """Return the routing over some rules; raise `CardError` for the first thing that is wrong."""
    files = read_laid_over(SHIPPED, "routing.v1.json", REFERENCE, EVERY_DEPTH)
    cards, by_id = tuple(outline_cards()), {rule.id: rule for rule in rules}
    _Check(files, by_id, frozenset(card.group for card in cards)).run()
    return _built(files.data, by_id, cards)


@dataclass(frozen=True, slots=True)
class _Check:
    """What a schema cannot say: that all there must be is there, and that names lead somewhere."""

    files: LaidOver
    rules: Mapping[str, Rule]
    groups: frozenset[str]

    def run(self) -> None:
        for at, problem, fix in self._problems():
            raise self.files.wrong(at, problem, fix)

    def _problems(self) -> Iterator[tuple[Place, str, str]]:
        yield from self._of_parts()
        yield from self._of_channels()
        yield from self._of_times()
        yield from self._of_topics()
        yield from self._of_receivers()
        yield from self._of_routes()
        for index, entry in enumerate(self.files.data["inhibitions"]):
            yield from self._of_inhibition(["inhibitions", index], entry)
        yield from self._of_circles()

    def _of_parts(self) -> Iterator[tuple[Place, str, str]]:
        needed = {"channels": ("title", "kind"), "receivers": ("title", "channels"), "topics": ("title", "rules")}
        for part, names in needed.items():
            for key, entry in self.files.data[part].items():
                for name in names:
                    if name not in entry:
                        yield [part, key, name], f"{part}.{key} has no {name}", f"add {name}"

    def _of_channels(self) -> Iterator[tuple[Place, str, str]]:
        """Yield channels that would be faster than their platform bears: by their own rates, or two of them on one robot."""
        users: dict[str, str] = {}
        for name, entry in self.files.data["channels"].items():
            for rate, most in zip(("per_minute", "per_second"), MOST_RATES.get(entry["kind"], ()), strict=False):
                if entry.get(rate, 0) > most:
                    yield ["channels", name, rate], f"{entry['kind']} takes {most} {rate}", f"give at most {most}"
            user = users.setdefault(entry.get("connection") or name, name) if entry.get("enabled") else name
            if user != name:
                wrong = f"the channel {user} is on the connection {entry['connection']} already, and each has a pace of its own"
                yield ["channels", name], wrong, "use that channel, or a connection to another robot"

    def _of_times(self) -> Iterator[tuple[Place, str, str]]:
        hours, days = self.files.data["office_hours"], self.files.data["reminders"]["workdays"]
        if hours["from"] >= hours["to"]:
            yield (
                ["office_hours"],
                f"office hours end at {hours['to']}, before they begin at {hours['from']}",
                "swap them",
            )
        if days != sorted(days):
            yield ["reminders", "workdays"], "the working days of reminders do not rise", "sort them"

    def _of_topics(self) -> Iterator[tuple[Place, str, str]]:
        homes: dict[str, str] = {}
        for name, topic in self.files.data["topics"].items():
            for index, rule in enumerate(topic["rules"]):
                at = ["topics", name, "rules", index]
                if rule not in self.rules:
                    yield at, f"there is no rule {rule!r}", "use the id of a rule card"
                elif homes.setdefault(rule, name) != name:
                    yield at, f"the rule {rule} is in the topic {homes[rule]} already", "keep it in one topic"
        if missing := [rule for rule in self.rules if rule not in homes]:
            yield ["topics"], f"the rule {missing[0]} is in no topic", "add it to the rules of one"

    def _of_receivers(self) -> Iterator[tuple[Place, str, str]]:
        receivers, channels = self.files.data["receivers"], self.files.data["channels"]
        for name, entry in receivers.items():
            for index, channel in enumerate(entry["channels"]):
                if channel not in channels:
                    at = ["receivers", name, "channels", index]
                    yield at, f"there is no channel {channel!r}", f"use some of {', '.join(channels)}"
            if not any(channels.get(channel, {}).get("enabled") for channel in entry["channels"]):
                at, fix = ["receivers", name, "channels"], "enable one of them, or add one that is enabled"
                yield at, f"no channel of the receiver {name} is enabled, so it would be told nothing", fix
        for rule in self.rules.values():
            for role in (*rule.told, OPERATOR):
                if role not in receivers:
                    yield ["receivers"], f"nobody is the receiver {role!r}, whom {rule.id} tells", "add it"

    def _of_routes(self) -> Iterator[tuple[Place, str, str]]:
        data = self.files.data
        known: dict[str, set[str]] = {
            "topic": set(data["topics"]), "rule": set(self.rules), "scope": {r.scope for r in self.rules.values()},
            "subject_type": {r.subject for r in self.rules.values()},
        }  # fmt: skip
        for number, route in enumerate(data["routes"]):
            named = [
                *((["when", label], v, known[label]) for label in known for v in route["when"].get(label, ())),
                *(([side], r, set(data["receivers"])) for side in ("add", "drop") for r in route.get(side, ())),
            ]
            for at, value, there in named:
                if value not in there:
                    yield ["routes", number, *at], f"there is no {at[-1]} {value!r}", f"use some of {_some(there)}"

    def _of_inhibition(self, at: Place, entry: Mapping[str, Any]) -> Iterator[tuple[Place, str, str]]:
        causes, consequences = _causes(entry, self.rules), _consequences(entry, self.files.data)
        for name in (*causes, *consequences):
            if name not in self.rules:
                yield at, f"there is no rule {name!r}", "use the id of a rule card, or a topic that there is"
                return
        if not causes or not consequences:
            yield at, "it has no cause or no consequence", "name rules, a topic, or a roll-up that has parts"
            return
        group = entry["cause"].get("group")
        if group and group not in self.groups:
            yield [*at, "cause", "group"], f"no source is of the group {group!r}", "use the group of a source card"
        kinds = [{self.rules[name].subject for name in names} for names in (causes, consequences)]
        if "department" in entry["equal"] and (without := (kinds[0] | kinds[1]) & WITHOUT_DEPARTMENT):
            words = "/".join(sorted(without))
            yield [*at, "equal"], f"no department has a {words}, so none can be equal", "leave department out"
        if "subject" in entry["equal"] and (kinds[0] != kinds[1] or len(kinds[0]) > 1):
            words = " and ".join("/".join(sorted(kind)) for kind in kinds)
            yield [*at, "equal"], f"cause and consequence judge {words}: no subject can be equal", "name rules of one"
        if (WITH_SOURCE in entry["equal"] or group) and kinds[0] != {"source"}:
            yield [*at, "equal"], "the cause judges no source, so it has none that could be equal", "leave source out"

    def _of_circles(self) -> Iterator[tuple[Place, str, str]]:
        """Yield rules that would keep each other, or themselves, from being told."""
        after: dict[str, set[str]] = {}
        for index, entry in enumerate(self.files.data["inhibitions"]):
            for cause in _causes(entry, self.rules):
                after.setdefault(cause, set()).update(_consequences(entry, self.files.data))
                if cause in _reached(after, cause):
                    yield (
                        ["inhibitions", index],
                        f"{cause} follows from itself, so nobody is told of it",
                        "cut the circle",
                    )


def _reached(after: Mapping[str, set[str]], start: str) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        for name in after.get(waiting.pop(), set()) - found:
            found.add(name)
            waiting.append(name)
    return found


def _some(names: set[str]) -> str:
    return ", ".join(sorted(names)[:12])


def _causes(entry: Mapping[str, Any], rules: Mapping[str, Rule]) -> list[str]:
    cause = entry["cause"]
    whole = rules.get(cause.get("parts_of", ""))
    return [part.id for part in whole.parts] if whole else [cause.get("rule", cause.get("parts_of"))]


def _consequences(entry: Mapping[str, Any], data: Mapping[str, Any]) -> list[str]:
    what = entry["consequence"]
    found: list[str] = what["rules"] if "rules" in what else data["topics"].get(what["topic"], {}).get("rules", [])
    return found


def _built(data: Mapping[str, Any], rules: Mapping[str, Rule], cards: tuple[Outline, ...]) -> Routing:
    opens, closes = (time.fromisoformat(data["office_hours"][name]) for name in ("from", "to"))
    hours = OfficeHours(opens, closes, data["office_hours"].get("every_day", False))
    return Routing(
        hours, Reminders(tuple(data["reminders"]["workdays"]), data["reminders"]["then_every"]),
        BlastGuard(**data["blast_guard"]),
        {name: Topic(name, topic["title"], tuple(topic["rules"])) for name, topic in data["topics"].items()},
        {name: _receiver(name, entry) for name, entry in data["receivers"].items()},
        tuple(
            Route(
                {label: frozenset(values) for label, values in route["when"].items()}, tuple(route.get("add", ())),
                tuple(route.get("drop", ())),
            )
            for route in data["routes"]
        ),
        tuple(_inhibition(entry, data, rules, cards) for entry in data["inhibitions"]),
        {name: _channel(name, entry) for name, entry in data["channels"].items()},
        {name: tuple(entry.get("mail", ())) for name, entry in data["departments"].items()}, data["how"], data["objection"],
        cards,
    )  # fmt: skip


def _receiver(name: str, entry: Mapping[str, Any]) -> Receiver:
    later = entry.get("escalation")
    escalation = later and Escalation(
        later.get("unacknowledged_workdays"), later.get("open_workdays"), frozenset(later.get("severity", ()))
    )
    return Receiver(
        name, entry["title"], tuple(entry["channels"]), entry.get("per_department", False), escalation,
        entry.get("also", {}).get("rectification_overdue", False),
    )  # fmt: skip


def _inhibition(
    entry: Mapping[str, Any], data: Mapping[str, Any], rules: Mapping[str, Rule], cards: Sequence[Outline]
) -> Inhibition:
    cause = entry["cause"]
    sources = [card.source for card in cards if card.group == cause["group"]] if "group" in cause else []
    return Inhibition(
        frozenset(_causes(entry, rules)), frozenset(cause.get("outcome", ())), frozenset(cause.get("reason", ())),
        frozenset(sources), frozenset(_consequences(entry, data)), tuple(entry["equal"]), entry.get("same_receiver", False),
    )  # fmt: skip


def _channel(name: str, entry: Mapping[str, Any]) -> ChannelCard:
    """Return a channel; what the file leaves out is as `ChannelCard` has it."""
    rates = {rate: entry[rate] for rate in ("per_minute", "per_second") if rate in entry}
    return ChannelCard(
        name, entry["title"], entry["kind"], entry.get("enabled", False), entry.get("connection", ""),
        options=entry.get("options", {}), **rates,
    )  # fmt: skip
