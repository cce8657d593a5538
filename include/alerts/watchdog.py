"""Look for what every pipeline must have brought by now. By results, not by processes: a DAG that is late, paused, killed or was
never started, and a scheduler that is dead, all look the same from here, and are all seen.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from include.alerts import incidents
from include.alerts.incidents import Cause, Sighting
from include.alerts.office_hours import people_work
from include.alerts.pipelines import DELIVERY, NAME, Expectation, Pipeline, Pipelines, Result
from include.clock import SHANGHAI
from include.errors import ShuhengError
from include.ledger.tables import batch, evaluation
from include.rules.workdays import Workdays
from include.sources.location import location
from include.sources.outlines import Outline

log = logging.getLogger(__name__)

WATCH = "watchdog"
"""The name under which the watch itself leaves its sign of life: what never came is missed from its first one on."""

_DAY = timedelta(days=1)
_FEWEST_TO_GATHER = 2

_VERBS = {Result.READ: "读取", Result.JUDGED: "评判", Result.SUCCEEDED: "完成", Result.PUBLISHED: "检查发布"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What is there: of each source, scope and pipeline the newest result; `began` is when the watch did."""

    read: Mapping[str, datetime]
    judged: Mapping[str, date]
    succeeded: Mapping[str, datetime]
    published: datetime | None
    began: datetime


@dataclass(frozen=True, slots=True)
class Watch:
    """What to look with: the pipelines, the enabled sources, and the calendar, None where it cannot be read."""

    pipelines: Pipelines
    sources: Sequence[Outline]
    workdays: Workdays | None = field(repr=False)

    def missing(self, seen: Seen, at: datetime) -> list[Sighting]:
        """Return what is missing at a moment, where all of a pipeline's parts are missing as one. Pure."""
        return [s for pipeline in self.pipelines.by_id.values() for s in self._of_pipeline(pipeline, seen, at)]

    def _of_pipeline(self, pipeline: Pipeline, seen: Seen, at: datetime) -> Iterator[Sighting]:
        for expected in pipeline.expects:
            parts = list(self._parts(pipeline, expected, seen))
            found = [
                Sighting(pipeline.id, Cause.MISSING, part, self._detail(expected, title, last, at))
                for part, title, last in parts
                if self._is_missing(expected, last, at, seen.began)
            ]
            if len(found) == len(parts) >= _FEWEST_TO_GATHER:
                detail = f"全部 {len(parts)} 项均未到,其一:{found[0].detail}"
                yield Sighting(pipeline.id, Cause.MISSING, f"{expected.result.value}:all", detail)
            else:
                yield from found

    def _parts(self, pipeline: Pipeline, expected: Expectation, seen: Seen) -> Iterator[tuple[str, str, Any]]:
        """Yield the parts of a result: name, what people call it, and when it last came."""
        if expected.result is Result.READ:
            for card in self.sources:
                if card.group in expected.of:
                    yield card.source, f"来源“{card.title}”", seen.read.get(card.source)
        elif expected.result is Result.JUDGED:
            for scope in expected.of:
                yield f"scope:{scope}", f"范围“{scope}”", seen.judged.get(scope)
        elif expected.result is Result.SUCCEEDED:
            yield "", f"“{pipeline.title}”", seen.succeeded.get(pipeline.id)
        else:
            yield "", "数据集", seen.published

    def _is_missing(self, expected: Expectation, last: Any, at: datetime, began: datetime) -> bool:
        if expected.within:
            return bool((last or began) < at - expected.within - self.pipelines.grace)
        due = self._due_day(expected, at)
        if last is None:
            return began.astimezone(SHANGHAI).date() < due
        return _day_of(last) < due

    def _due_day(self, expected: Expectation, at: datetime) -> date:
        """Return the newest day whose result was due before a moment."""
        assert expected.by is not None  # noqa: S101 - the schema asks for one of the two
        day = at.astimezone(SHANGHAI).date()
        while (
            not self._counts(expected, day) or datetime.combine(day, expected.by, SHANGHAI) + self.pipelines.grace > at
        ):
            day -= _DAY
        return day

    def _counts(self, expected: Expectation, day: date) -> bool:
        return not expected.on_workdays or people_work(day, self.workdays)

    def _detail(self, expected: Expectation, title: str, last: Any, at: datetime) -> str:
        came = _shown(last) if last else "从未"
        if expected.within:
            minutes = int(expected.within.total_seconds() // 60)
            return f"{title}应每 {minutes} 分钟内{_VERBS[expected.result]}一次,最近一次:{came}"
        due = self._due_day(expected, at)
        return f"{title}应于 {due} {expected.by:%H:%M} 前{_VERBS[expected.result]},最近一次:{came}"


def _day_of(last: date | datetime) -> date:
    return last.astimezone(SHANGHAI).date() if isinstance(last, datetime) else last


def _shown(last: date | datetime) -> str:
    return f"{last.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if isinstance(last, datetime) else last.isoformat()


def look(connection: Connection, published: datetime | None, at: datetime) -> Seen:
    """Return what the ledger holds of results; `published` is when the data sets were last looked at."""
    b, e = batch.c, evaluation.c
    beats = incidents.beats(connection)
    return Seen(
        {s: m for s, m in connection.execute(select(b.source, func.max(b.merged_at)).group_by(b.source))},
        {s: d for s, d in connection.execute(select(e.scope, func.max(e.day)).group_by(e.scope))},
        {pipeline: last for pipeline, (_, last) in beats.items()},
        published,
        beats[WATCH][0] if WATCH in beats else at,
    )


def watch(
    connection: Connection, using: Watch, published: datetime | None, at: datetime, problem: str = ""
) -> list[Sighting]:
    """Look at everything and write down what is missing and what has come; return what is missing.

    A pipeline of which the operator knows that it failed or is late is left alone until that is over: one cause, one message.
    `problem` says what is wrong with the routing, if anything.
    """
    missing = using.missing(look(connection, published, at), at)
    incidents.beat(connection, WATCH, at)
    explained = {
        one.pipeline for one in incidents.open_incidents(connection) if one.cause in incidents.ENDED_BY_SUCCESS
    }
    incidents.see(connection, [s for s in missing if s.pipeline not in explained], at)
    for pipeline in using.pipelines.by_id:
        still = [s.part for s in missing if s.pipeline == pipeline]
        incidents.resolve(connection, pipeline, [Cause.MISSING], at, still)
    _note_configuration(connection, {NAME: using.pipelines.problem, "routing.yaml": problem}, at)
    return missing


def _note_configuration(connection: Connection, problems: Mapping[str, str], at: datetime) -> None:
    wrong = {name: text for name, text in problems.items() if text}
    found = [Sighting(DELIVERY, Cause.CONFIGURATION, name, text) for name, text in wrong.items()]
    incidents.see(connection, found, at)
    incidents.resolve(connection, DELIVERY, [Cause.CONFIGURATION], at, list(wrong))


def last_published(datasets_url: str) -> datetime | None:
    """Return when the published data sets were last looked at, by `current.json`; None where nobody can say."""
    try:
        checked = json.loads((location(datasets_url) / "current.json").read_text("utf-8"))["checked_at"]
        moment = datetime.fromisoformat(checked)
    except (ShuhengError, OSError, ValueError, KeyError, TypeError) as error:
        log.info("no current data sets at DATASETS_URL: %s", type(error).__name__)
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)


def load_workdays() -> Workdays | None:
    """Return the calendar; None where it cannot be read, of which the rules say more."""
    try:
        return Workdays.load()
    except (ShuhengError, OSError) as error:
        log.error("the working-day calendar cannot be read, the watch goes by weekday: %s", error)
        return None
