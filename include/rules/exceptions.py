"""Named exceptions: why a rule does not bear on a subject on a day. Each has its own ground and, where it ends, its last day.

An exception that no longer holds decides nothing but is named in the steps, so that nobody wonders what became of it.
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
    """An exception on a day; without an outcome it only has something to say."""

    outcome: Outcome | None
    reason: str
    steps: tuple[str, ...]
    until: date | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


def standby(facts: Facts, p: Parameters, on: date) -> Excepted | None:
    """Return that disaster-recovery, backup and emergency systems are meant to stand idle (facts §9.2)."""
    purpose = facts.purpose
    if purpose not in STANDBY:
        return None
    return Excepted(Outcome.NOT_APPLICABLE, "standby", (f"系统用途为{STANDBY[purpose]},平时空闲属正常",))


def out_of_season(facts: Facts, p: Parameters, on: date) -> Excepted | None:
    """Return that a seasonal system is judged only where the whole window of its rule lies in a busy season (facts §9.2)."""
    if facts.purpose != "seasonal":
        return None
    days = p["low_use_window_days"]
    season = facts.business_season
    if season is None:
        return Excepted(Outcome.NOT_APPLICABLE, "seasonal", ("季节性系统,台账未登记业务季节,不评判",))
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
    if live is None or (on - live).days >= days:
        return None
    last = live + timedelta(days=days - 1)
    return Excepted(Outcome.NOT_APPLICABLE, "new_system", (f"{live} 上线,未满 {days} 天,{last} 后评判",), last)


def _recorded(kind: str) -> Callable[[Facts, Parameters, date], Excepted | None]:
    def recorded(facts: Facts, p: Parameters, on: date) -> Excepted | None:
        mine: list[Exemption] = [e for e in facts.exemptions or () if e.kind == kind]
        valid = [e for e in mine if e.is_valid(on)]
        if valid:
            best = max(valid, key=lambda e: (e.expires_on, e.exemption_id))
            return Excepted(
                Outcome.NOT_APPLICABLE, "exempt", (f"有效豁免:{_named(best)}",), best.expires_on,
                {"exemption": _named(best), "expires_on": best.expires_on},
            )  # fmt: skip
        ended = sorted((e for e in mine if e.expires_on < on), key=lambda e: (e.expires_on, e.exemption_id))
        return Excepted(None, "exemption_ended", (f"豁免已到期:{_named(ended[-1])}",)) if ended else None

    return recorded


def _named(e: Exemption) -> str:
    return f"{e.exemption_id}({e.document_no or '无文号'},{e.ground},至 {e.expires_on})"


EXCEPTIONS: dict[str, Callable[[Facts, Parameters, date], Excepted | None]] = {
    "standby": standby,
    "out_of_season": out_of_season,
    "new_system": new_system,
    "exempt_idle": _recorded("idle"),
    "exempt_cloud": _recorded("cloud"),
}
"""The exceptions a card may name. That from interconnection is part of the state itself (`law/chapter_2.py`)."""
