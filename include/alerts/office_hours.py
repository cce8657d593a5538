"""When people are told: on working days, in office hours. What waits is decided anew when they begin, so nothing is lost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time

from include.clock import SHANGHAI
from include.rules.workdays import Workdays

SATURDAY = 5


def people_work(day: date, workdays: Workdays | None) -> bool:
    """Return whether people are taken to work on a day: by the calendar, and where there is none for it, Monday to Friday.

    For telling people something, never for terms: silence for a whole year would be worse than a message on a holiday.
    """
    known = workdays.is_workday(day) if workdays else None
    return day.weekday() < SATURDAY if known is None else known


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """From `opens` on, and before `closes`, in Asia/Shanghai; with `every_day` on days off, too, where somebody is always there."""

    opens: time
    closes: time
    every_day: bool = False

    def are_open(self, moment: datetime, workdays: Workdays) -> bool:
        """Return whether people are at work at a moment; in a year without a calendar Monday to Friday count as working days."""
        here = moment.astimezone(SHANGHAI)
        return (self.every_day or people_work(here.date(), workdays)) and self.opens <= here.time() < self.closes
