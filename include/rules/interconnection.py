"""The state of a system's interconnection: declared, registered and observed are three facts, never inferred from one another.

facts §9.3: CONNECTED where the exchange lists a service or table of the system (or the system as a caller) and a call or a probe
succeeded within the window; REGISTERED where it is listed and none did; CLAIMED where only the unit says so. What cannot be seen
is UNKNOWN. Days that could not be observed age nothing, so an outage of the exchange changes no state.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from include.rules.facts import Calls, Listing, Probes
from include.rules.shapes import is_covered


class State(StrEnum):
    """联通状态."""

    CONNECTED = "connected"
    REGISTERED = "registered"
    CLAIMED = "claimed"
    NONE = "none"
    UNKNOWN = "unknown"
    EXEMPT = "exempt"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one system; None where a source could not be read, that of the exemptions too."""

    declared: str | None
    listing: Listing | None
    calls: Calls | None
    probes: Probes | None
    is_exempt: bool | None = False


@dataclass(frozen=True, slots=True)
class Standing:
    """A state with its reason and the age of the last success, in observed days."""

    state: State
    reason: str
    days_since_success: int | None = None


def interconnection(e: Evidence, window_days: int, coverage_percent: int) -> Standing:
    """Return the state that the evidence proves."""
    if e.is_exempt:
        return Standing(State.EXEMPT, "exempt")
    found = _shown(e, window_days, coverage_percent)
    if e.is_exempt is None and found.state not in (State.CONNECTED, State.UNKNOWN):
        return Standing(State.UNKNOWN, "exemptions_unread", found.days_since_success)
    return found


def _shown(e: Evidence, window_days: int, coverage_percent: int) -> Standing:
    if e.listing is None:
        return Standing(State.UNKNOWN, "register_unread")
    called, probed = _age(e.calls), _age(e.probes)
    if not e.listing.services and not e.listing.is_application:
        if e.calls and e.calls.successes:
            return Standing(State.UNKNOWN, "called_but_not_listed", called)
        return (
            Standing(State.CLAIMED, "only_declared")
            if e.declared == "connected"
            else Standing(State.NONE, "not_listed")
        )
    if called is not None and called < window_days:
        is_provider = bool(e.listing.services) and bool(e.calls and e.calls.calls)
        return Standing(State.CONNECTED, "called" if is_provider else "calls_others", called)
    if probed is not None and probed < window_days:
        return Standing(State.CONNECTED, "probe_answered", probed)
    return _unproven(
        e, window_days, coverage_percent, min((a for a in (called, probed) if a is not None), default=None)
    )


def _unproven(e: Evidence, window_days: int, coverage_percent: int, age: int | None) -> Standing:
    """Listed, and no success within the window: was it looked at well enough to say so?"""
    if e.calls is None or not is_covered(e.calls.observed, window_days, coverage_percent):
        return Standing(State.UNKNOWN, "calls_unread", age)
    if age is not None:
        return Standing(State.REGISTERED, "last_success_too_old", age)
    was_tried = bool(e.calls.calls or e.calls.own_calls) or bool(e.probes and e.probes.failures)
    if was_tried:
        return Standing(State.REGISTERED, "never_succeeded")
    return Standing(State.REGISTERED, "never_called" if e.listing and e.listing.services else "application_only")


def _age(seen: Calls | Probes | None) -> int | None:
    return seen.days_since_success if seen else None
