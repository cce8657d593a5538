"""The timetable of working days: a run at one time of each Chinese working day, in Asia/Shanghai.

DAGs import it by this name, `from shuheng_timetables import WorkdayTimetable`, for Airflow puts the plugins folder on the path and
keeps the class of a serialised DAG by its module. Moving it breaks every DAG that is stored.
"""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from airflow.exceptions import AirflowTimetableInvalid
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import timezone
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction, Timetable

from include.clock import SHANGHAI, now
from include.errors import ShuhengError
from include.rules.workdays import Workdays

log = logging.getLogger(__name__)

DAY = timedelta(days=1)


class WorkdayTimetable(Timetable):
    """Run at a time of each working day of the State Council's calendar.

    Where no notice is loaded yet it runs on Mondays to Fridays, and says so: a run too many is better than none. Every run's data
    interval is the moment itself. The calendar is read afresh for each question, so a new year needs no restart.
    """

    def __init__(self, at: str = "08:30") -> None:
        self.at = at

    def serialize(self) -> dict[str, Any]:
        """Return what a stored DAG keeps of it."""
        return {"at": self.at}

    @classmethod
    def deserialize(cls, data: dict[str, Any]) -> Timetable:
        """Return it as it was stored."""
        return cls(data["at"])

    def validate(self) -> None:
        """Refuse a time that is none."""
        self._clock_time()

    def __eq__(self, other: object) -> bool:
        # By name: Airflow loads this file as a plugin and once more where a DAG imports it, as two classes.
        return type(other).__name__ == type(self).__name__ and getattr(other, "at", None) == self.at

    def __hash__(self) -> int:
        return hash(self.at)

    @property
    def summary(self) -> str:
        """Return what the list of DAGs shows."""
        return f"工作日 {self.at}"

    @property
    def description(self) -> str:  # type: ignore[override]
        """Return what a DAG's page shows: the time, and up to which day the calendar is known."""
        days = _calendar()
        if days is None:
            return f"周一至周五 {self.at}(北京时间;工作日历无法读取,暂不避开节假日)"
        return (
            f"每个工作日 {self.at}(北京时间),按国务院办公厅放假安排,含调休上班日;"
            f"安排已载入至 {days.covered_until},此后暂按周一至周五"
        )

    def infer_manual_data_interval(self, *, run_after: Any) -> DataInterval:
        """Return the moment of a run by hand."""
        return DataInterval.exact(run_after)

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Return the next run; without catch-up only the latest slot that was missed is made up for, as Airflow's cron does."""
        days = _calendar()
        floors = [restriction.earliest] if restriction.earliest else []
        if last_automated_data_interval:
            floors.append(last_automated_data_interval.end + timedelta(microseconds=1))
        if not restriction.catchup:
            floors.append(self._slot_before(now(), days))
        if not floors:
            return None
        slot = self._slot_from(max(floors), days)
        if restriction.latest and restriction.latest < slot:
            return None
        if days and not days.covers(slot.date()):
            log.warning("no calendar for %d: the run on %s is by weekday", slot.year, slot.date())
        return DagRunInfo.exact(timezone.coerce_datetime(slot.astimezone(UTC)))

    def _slot_from(self, moment: datetime, days: Workdays | None) -> datetime:
        """Return the first slot at or after a moment."""
        local = moment.astimezone(SHANGHAI)
        day = local.date() if local <= self._slot(local.date()) else local.date() + DAY
        while not _is_run_day(day, days):
            day += DAY
        return self._slot(day)

    def _slot_before(self, moment: datetime, days: Workdays | None) -> datetime:
        """Return the last slot at or before a moment."""
        local = moment.astimezone(SHANGHAI)
        day = local.date() if local >= self._slot(local.date()) else local.date() - DAY
        while not _is_run_day(day, days):
            day -= DAY
        return self._slot(day)

    def _slot(self, day: date) -> datetime:
        return datetime.combine(day, self._clock_time(), SHANGHAI)

    def _clock_time(self) -> time:
        try:
            return datetime.strptime(self.at, "%H:%M").replace(tzinfo=SHANGHAI).time()
        except ValueError as error:
            raise AirflowTimetableInvalid(f"WorkdayTimetable(at={self.at!r}): write the time as 08:30") from error


def _is_run_day(day: date, days: Workdays | None) -> bool:
    is_workday = days.is_workday(day) if days else None
    return day.weekday() < 5 if is_workday is None else is_workday


def _calendar() -> Workdays | None:
    """Return the calendar, or None where its files are wrong: the evaluation says so, and must run to be able to."""
    try:
        return Workdays.load()
    except (ShuhengError, OSError) as error:
        log.error("the working-day calendar cannot be read, runs go by weekday: %s", error)
        return None


class ShuhengTimetables(AirflowPlugin):
    """Makes the timetable known to Airflow."""

    name = "shuheng_timetables"
    timetables = [WorkdayTimetable]
