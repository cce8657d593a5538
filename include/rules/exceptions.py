"""Named exceptions: why a rule does not bear on a subject on a day. Each has its own ground and, where it ends, its last day.

An exception that no longer holds decides nothing but is named in the steps, so that nobody wonders what became of it. Where it
is not known whether one holds, nothing that it would excuse may be reported: it names the fact that is lacking.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from include.rules.facts import Exemption
from include.rules.parameters import Parameters
from include.rules.rule import Facts
from include.rules.verdict import Outcome

STANDBY = {"disaster_recovery": "灾备", "backup": "备份", "emergency": "应急"}


@dataclass(frozen=True, slots=True)
class Excepted:
    """An exception on a day; without an outcome it only has something to say, or lacks a fact to be decided by.

    `until` is the last day on which it says the same.
    """

    outcome: Outcome | None
    reason: str
    steps: tuple[str, ...]
    until: date | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)
    lacks: str | None = None


def _undecided(lacks: str) -> Excepted:
    return Excepted(None, "undecided", (), lacks=lacks)


def standby(facts: Facts, p: Parameters, on: date) -> Excepted | None:
    """Return that disaster-recovery, backup and emergency systems are meant to stand idle (facts §9.2).

    A register names special purposes only: one that is read and says nothing means an ordinary system.
    """
    purpose = facts.purpose
    if purpose not in STANDBY:
        return None
    return Excepted(Outcome.NOT_APPLICABLE, "standby", (f"系统用途为{STANDBY[purpose]},平时空闲属正常",))


def out_of_season(facts: Facts, p: Parameters, on: date) -> Excepted | None:
    """Return that a seasonal system is judged only where the longest window of the rule lies in busy seasons (facts §9.2)."""
    if facts.purpose != "seasonal":
        return None
    days = max(p[name] for name in p if name.endswith("_window_days"))
    season = facts.business_season
    if season is None:
        return _undecided("business_season")
    if all(_in_season(season, on - timedelta(days=n)) for n in range(1, days + 1)):
        return Excepted(None, "seasonal", (f"季节性系统,过去 {days} 天均在业务季节({season})内",))
    return Excepted(
        Outcome.NOT_APPLICABLE, "seasonal", (f"季节性系统,过去 {days} 天不全在业务季节({season})内,不评判",), on
    )


def _in_season(season: str, day: date) -> bool:
    """Return whether a day lies in one of the seasons; a season may pass the turn of the year."""
    at = f"{day:%m-%d}"
    for first, _, last in (part.partition("~") for part in season.split(",")):
        if first <= at <= last if first <= last else at >= first or at <= last:
            return True
    return False


def new_system(facts: Facts, p: Parameters, on: date) -> Excepted | None:
    """Return that a system younger than the window cannot be judged by it (facts §9.2)."""
    live = facts.went_live_on
    days = p["new_system_days"]
    if live is None:
        return _undecided("went_live_on")
    if (on - live).days >= days:
        return None
    last = live + timedelta(days=days - 1)
    return Excepted(Outcome.NOT_APPLICABLE, "new_system", (f"{live} 上线,未满 {days} 天,{last} 后评判",), last)


def _recorded(kind: str) -> Callable[[Facts, Parameters, date], Excepted | None]:
    def recorded(facts: Facts, p: Parameters, on: date) -> Excepted | None:
        recorded_ones: tuple[Exemption, ...] | None = facts.exemptions
        if recorded_ones is None:
            return _undecided("exemptions")
        mine = [e for e in recorded_ones if e.kind == kind]
        valid = [e for e in mine if e.is_valid(on) and e.is_signed]
        begins = min((e.valid_from for e in mine if e.valid_from and e.valid_from > on), default=None)
        until = begins - timedelta(days=1) if begins else None
        if valid:
            best = max(valid, key=lambda e: (e.expires_on, e.exemption_id))
            return Excepted(
                Outcome.NOT_APPLICABLE, "exempt", (f"有效豁免:{_named(best)}",), min(best.expires_on, until or date.max),
                {"exemption": _named(best), "expires_on": best.expires_on},
            )  # fmt: skip
        unsigned = [e for e in mine if e.is_valid(on) and not e.is_signed]
        if unsigned:
            last = min(*(e.expires_on for e in unsigned), until or date.max)
            return Excepted(None, "exemption_unsigned", tuple(map(unsigned_step, unsigned)), last, lacks="exemptions")
        ended = sorted((e for e in mine if e.expires_on < on), key=lambda e: (e.expires_on, e.exemption_id))
        steps = (f"豁免已到期:{_named(ended[-1])}",) if ended else ()
        return Excepted(None, "exemption_ended", steps, until) if ended or until else None

    return recorded


def unsigned_step(e: Exemption) -> str:
    """Return the sentence for an exemption that does not say who granted it."""
    return f"豁免未载明批准单位,不能据以免责:{_named(e)}"


def _named(e: Exemption) -> str:
    return f"{e.exemption_id}({e.document_no or '无文号'},{e.ground},至 {e.expires_on})"


@dataclass(frozen=True, slots=True)
class Named:
    """An exception that a card may name: its title, the clause it rests on, the facts it looks at, and the function."""

    title: str
    clause: str
    facts: Mapping[str, str]
    applies: Callable[[Facts, Parameters, date], Excepted | None]


_PURPOSE, _LIVE, _EXEMPTIONS = {"purpose": "系统用途"}, {"went_live_on": "上线日期"}, {"exemptions": "豁免登记"}

EXCEPTIONS: dict[str, Named] = {
    "standby": Named("灾备、备份、应急系统", "own.exceptions", _PURPOSE, standby),
    "out_of_season": Named("季节性系统", "own.exceptions", _PURPOSE | {"business_season": "业务季节"}, out_of_season),
    "new_system": Named("新上线系统", "own.exceptions", _LIVE, new_system),
    "exempt_idle": Named("登记的闲置豁免", "art13.5", _EXEMPTIONS, _recorded("idle")),
    "exempt_cloud": Named("登记的上云豁免", "art13.2", _EXEMPTIONS, _recorded("cloud")),
}
"""The exceptions a card may name. That from interconnection is part of the state itself (`law/chapter_2.py`)."""
