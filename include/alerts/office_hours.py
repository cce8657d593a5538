"""When people are told: on working days, in office hours. What waits is decided anew when they begin, so nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

from include.clock import SHANGHAI
from include.rules.workdays import Workdays

SATURDAY = 5


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """From `opens` on, and before `closes`, in Asia/Shanghai; with `every_day` on days off, too, where somebody is always there."""

    opens: time
    closes: time
    every_day: bool = False

    def are_open(self, moment: datetime, workdays: Workdays) -> bool:
        """Return whether people are at work at a moment; in a year without a calendar Monday to Friday count as working days."""
        here = moment.astimezone(SHANGHAI)
        is_workday = workdays.is_workday(here.date())
        if is_workday is None:  # silence for a whole year would be worse than a message on a holiday
            is_workday = here.weekday() < SATURDAY
        return (is_workday or self.every_day) and self.opens <= here.time() < self.closes
