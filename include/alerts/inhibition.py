"""Cause before consequence: while the cause is open, what follows from it is not told anew. Pure.

A source that is down explains thousands of missing interconnections; a part of a roll-up explains the roll-up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from include.alerts.concern import EVERYONE, Concern
from include.alerts.subjects import UNREGISTERED

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inhibition:
    """One entry of `inhibitions`: empty sets of outcomes, reasons or sources take all.

    `equal` names what both sides have in common. With `is_same_receiver` only those who are told of the cause are spared.
    """

    causes: frozenset[str]
    outcomes: frozenset[str]
    reasons: frozenset[str]
    sources: frozenset[str]
    consequences: frozenset[str]
    equal: tuple[str, ...]
    is_same_receiver: bool = False

    def is_cause(self, concern: Concern) -> bool:
        """Return whether a finding is such a cause, and open."""
        return (
            concern.is_open
            and concern.rule in self.causes
            and (not self.outcomes or concern.outcome in self.outcomes)
            and (not self.reasons or concern.reason in self.reasons)
            and (not self.sources or concern.subject in self.sources)
        )


def inhibit(
    concerns: Iterable[Concern], inhibitions: Sequence[Inhibition], sources: Mapping[str, Sequence[str]]
) -> list[Concern]:
    """Return the concerns, those that follow from an open cause silent for whom they are to be.

    `sources` are the sources that the rules of a scope rest on. Whatever is open, whoever decided what about it, is a cause:
    an exempted cause still explains its consequences.
    """
    concerns = list(concerns)
    spared = [_spared(concerns, one, sources) for one in inhibitions]
    consequences = {rule for one in inhibitions for rule in one.consequences}
    return [_silenced(c, inhibitions, spared, sources) if c.rule in consequences else c for c in concerns]


def _spared(
    concerns: Sequence[Concern], one: Inhibition, sources: Mapping[str, Sequence[str]]
) -> dict[Key, frozenset[str]]:
    """Return who is spared the consequences of each cause there is."""
    found: dict[Key, frozenset[str]] = {}
    for concern in concerns:
        if one.is_cause(concern):
            who = frozenset(concern.receivers) if one.is_same_receiver else frozenset((EVERYONE,))
            for key in _keys(concern, one.equal, sources):
                found[key] = found.get(key, frozenset()) | who
    return found


def _silenced(
    concern: Concern,
    inhibitions: Sequence[Inhibition],
    spared: Sequence[Mapping[Key, frozenset[str]]],
    sources: Mapping[str, Sequence[str]],
) -> Concern:
    who: frozenset[str] = concern.silent_for
    for one, found in zip(inhibitions, spared, strict=True):
        if found and concern.rule in one.consequences:
            who = who.union(*(found.get(key, frozenset()) for key in _keys(concern, one.equal, sources)))
    return replace(concern, silent_for=who) if who != concern.silent_for else concern


def _keys(concern: Concern, equal: Sequence[str], sources: Mapping[str, Sequence[str]]) -> list[Key]:
    """Return what a finding has for the names of `equal`; more than one where its rule rests on several sources.

    None where it has no department: two that nobody knows the department of have none in common.
    """
    keys: list[Key] = [()]
    for name in equal:
        keys = [(*key, value) for key in keys for value in _values(concern, name, sources)]
    return keys


def _values(concern: Concern, name: str, sources: Mapping[str, Sequence[str]]) -> Sequence[str]:
    if name == "subject":
        return (f"{concern.subject_type}\x1f{concern.subject}",)
    if name == "department":
        return (concern.department,) if concern.department not in ("", UNREGISTERED) else ()
    return (concern.subject,) if concern.subject_type == "source" else sources.get(concern.scope, ())
