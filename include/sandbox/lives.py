"""The lives of the digital projects: when each step of one was taken, and what was planted into it.

A life hangs on its anchor, the day on which the preliminary design was approved, two days before the platform's last update. Steps
on the platform are always told; what units keep themselves is told up to the start day of the city.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from include.sandbox.layout import Layout


class Plant(StrEnum):
    """What departs from a healthy life."""

    REVIEW_LATE = "review_late"
    REPLY_RUNNING = "reply_running"
    DESIGN_RUNNING = "design_running"
    DESIGN_LATE = "design_reply_late"
    SUSPENDED_CORRECTION = "suspended_correction"
    SUSPENDED_THIRD_PARTY = "suspended_third_party"
    MERGED = "merged_with_ground"
    MERGED_WITHOUT_GROUND = "merged_without_ground"
    NOT_FILED = "not_filed"
    STARTED_EARLY = "started_before_approval"
    OFF_PLAN = "off_plan_approved"
    IP_MISSING = "contract_without_ip"
    WARRANTY_SHORT = "warranty_12_months"
    TEST_MISSING = "third_party_test_missing"
    EXACTLY_A_MILLION = "amount_exactly_a_million"
    JUST_BELOW = "amount_just_below_a_million"
    SPLIT = "split_contracts"
    TRIAL_SHORT = "trial_too_short"
    PROTECTION_MISSING = "protection_missing"
    PROTECTION_EXPIRED = "protection_expired"
    CIPHER_MISSING = "cipher_missing"
    FAILED_THEN_PAID = "failed_then_paid"
    SELF_EARLY = "self_evaluation_early"
    SELF_LATE = "self_evaluation_late"
    SELF_MISSING = "self_evaluation_missing"
    EX_ANTE_MISSING = "ex_ante_evaluation_missing"
    RECTIFIED = "rectified_in_time"
    OVERDUE_PAUSED = "rectification_overdue_funds_paused"
    OVERDUE_UNPAUSED = "rectification_overdue_funds_flow"
    OWN_ROOM = "own_machine_room"
    UNAPPROVED_UNIT = "unit_built_without_approval"
    EXCLUDED = "excluded_class"
    BLANK = "blank_dossier"


TURNS: dict[int, frozenset[Plant]] = {
    1: frozenset({Plant.SELF_LATE, Plant.WARRANTY_SHORT, Plant.RECTIFIED}),
    2: frozenset({Plant.SELF_MISSING, Plant.IP_MISSING, Plant.EX_ANTE_MISSING}),
    3: frozenset({Plant.OFF_PLAN}),
    4: frozenset({Plant.FAILED_THEN_PAID}),
    5: frozenset({Plant.SELF_EARLY, Plant.EXACTLY_A_MILLION}),
    6: frozenset({Plant.PROTECTION_EXPIRED, Plant.SUSPENDED_CORRECTION}),
    7: frozenset({Plant.CIPHER_MISSING, Plant.SUSPENDED_THIRD_PARTY}),
    8: frozenset({Plant.TEST_MISSING, Plant.MERGED}),
    9: frozenset({Plant.PROTECTION_MISSING, Plant.JUST_BELOW}),
    10: frozenset({Plant.SPLIT, Plant.MERGED_WITHOUT_GROUND}),
    11: frozenset({Plant.TRIAL_SHORT, Plant.OVERDUE_PAUSED}),
    12: frozenset({Plant.EXCLUDED}),
    13: frozenset({Plant.DESIGN_LATE, Plant.OVERDUE_UNPAUSED}),
    14: frozenset({Plant.STARTED_EARLY}),
    15: frozenset({Plant.UNAPPROVED_UNIT}),
    16: frozenset({Plant.REVIEW_LATE, Plant.OWN_ROOM}),
    17: frozenset({Plant.NOT_FILED}),
    18: frozenset({Plant.BLANK}),
    19: frozenset({Plant.REPLY_RUNNING}),
}
"""By turn of twenty, in one cycle of three: the other two cycles, and turn 0, are healthy."""
UNIT_TURNS = frozenset({6, 7, 13, 15, 16, 17})
"""Turns whose projects the unit builds itself; the bureau builds all others."""
CYCLE = 3

DAYS = {
    "needed": -60, "review_requested": -45, "review_opinion": -35, "submitted": -31, "accepted": -30, "replied": -25,
    "feasibility_filed": -20, "design_submitted": -14, "designed": 0, "design_filed": 5, "awarded": 18, "award_filed": 25,
    "signed": 28, "started": 30, "advance": 35, "trial_started": 75, "progress": 90, "assessed": 100, "users_tested": 105,
    "trial_ended": 110, "accepted_works": 118, "live": 120, "final": 125, "self_review": 365, "post_review": 440,
}  # fmt: skip
"""Days of a healthy life, counted from the anchor; terms have room whatever days are holidays."""
_MOVED: dict[Plant, dict[str, int]] = {
    Plant.REVIEW_LATE: {"review_requested": -75},
    Plant.SUSPENDED_CORRECTION: {"review_requested": -65},
    Plant.DESIGN_LATE: {"design_submitted": -50},
    Plant.SUSPENDED_THIRD_PARTY: {"design_submitted": -45},
    Plant.STARTED_EARLY: {"started": -40},
    Plant.TRIAL_SHORT: {"trial_started": 98},
    Plant.FAILED_THEN_PAID: {"live": 165},
    Plant.SELF_EARLY: {"self_review": 210},
    Plant.SELF_LATE: {"self_review": 520},
}
_BEFORE_DESIGN = (
    "needed",
    "review_requested",
    "review_opinion",
    "submitted",
    "accepted",
    "replied",
    "feasibility_filed",
)
_LONGER_DESIGN, _ROOM = frozenset({Plant.DESIGN_LATE, Plant.SUSPENDED_THIRD_PARTY}), 36
_SHOWN = {
    Plant.SELF_EARLY: 210, Plant.SELF_LATE: 520, Plant.SELF_MISSING: 495, Plant.FAILED_THEN_PAID: 125, Plant.TRIAL_SHORT: 118,
    Plant.PROTECTION_MISSING: 118, Plant.PROTECTION_EXPIRED: 118, Plant.CIPHER_MISSING: 118, Plant.TEST_MISSING: 118,
    Plant.EXACTLY_A_MILLION: 118, Plant.JUST_BELOW: 118, Plant.IP_MISSING: 28, Plant.WARRANTY_SHORT: 28, Plant.SPLIT: 28,
    Plant.MERGED_WITHOUT_GROUND: 28, Plant.NOT_FILED: 5,
}  # fmt: skip
"""How many days after the anchor a plant can first be seen; those that are not named can be seen at once."""


@dataclass(frozen=True)
class Life:
    """The life of one project."""

    ordinal: int
    anchor: date
    plants: frozenset[Plant]
    is_unit_built: bool

    def day(self, step: str) -> date:
        """Return the day of a step."""
        days = DAYS[step]
        for plant in self.plants:
            days = _MOVED.get(plant, {}).get(step, days)
        if step in _BEFORE_DESIGN and self.plants & _LONGER_DESIGN:
            days -= _ROOM
        return self.anchor + timedelta(days=days)

    def has(self, *plants: Plant) -> bool:
        """Return whether one of these was planted."""
        return not self.plants.isdisjoint(plants)

    def shown(self, start: date) -> frozenset[Plant]:
        """Return what can be seen of the plants on the start day."""
        age = (start - self.anchor).days
        return frozenset(plant for plant in self.plants if age >= _SHOWN.get(plant, -999))


def live(ordinal: int, layout: Layout, updated: datetime) -> Life:
    """Return the life of the digital project of an ordinal, whose record was last updated then."""
    planted = TURNS.get(ordinal % 20, frozenset()) if ordinal // 20 % CYCLE == 0 else frozenset()
    if ordinal == layout.digital_count - 1 and not planted:
        planted = frozenset({Plant.DESIGN_RUNNING})
    return Life(ordinal, updated.date() - timedelta(days=2), planted, is_unit_built(ordinal))


def county_life(index: int, updated: datetime) -> Life:
    """Return the life of a county's digital project; it is healthy on the platform."""
    return Life(index, updated.date() - timedelta(days=2), frozenset(), True)


def is_unit_built(ordinal: int) -> bool:
    """Return whether the unit builds the project itself."""
    return ordinal % 20 in UNIT_TURNS
