"""What every pipeline must have brought by when: `pipelines.yaml`, with the bureau's own laid over it entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from include.errors import ConfigurationError, ShuhengError
from include.sources.checked_yaml import PlainLoader
from include.sources.own_files import LaidOver, files_of, read_laid_over, read_layer

SHIPPED = Path(__file__).parent / "pipelines.yaml"
NAME = SHIPPED.name
SCHEMA, REFERENCE = "pipelines.v1.json", f"include/alerts/{NAME}"

DELIVERY = "deliver_alerts"
"""The pipeline of the alerts themselves."""

RUNBOOK = "docs/runbooks/delivery.md"


class Result(StrEnum):
    """What is looked for: batches of sources, evaluations of scopes, a run's end, published data sets."""

    READ = "read"
    JUDGED = "judged"
    SUCCEEDED = "succeeded"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Expectation:
    """A result that must be there: of each day `by` a time, or never older than `within`; `of` are groups of cards, or scopes."""

    result: Result
    of: tuple[str, ...] = ()
    by: time | None = None
    on_workdays: bool = False
    within: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline; a run is late `late_after` its start, never where that is None."""

    id: str
    title: str
    runbook: str
    expects: tuple[Expectation, ...] = ()
    late_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Pipelines:
    """All of them; a result counts as missing `grace` after it was due. `problem` says why a bureau's own file was left out."""

    by_id: Mapping[str, Pipeline]
    grace: timedelta
    problem: str = ""

    def __getitem__(self, pipeline_id: str) -> Pipeline:
        """Return a pipeline; of one that nobody described what can be said of any."""
        return self.by_id.get(pipeline_id) or Pipeline(pipeline_id, pipeline_id, RUNBOOK)


def load_pipelines() -> Pipelines:
    """Return them, with the bureau's own laid over; raise `CardError` with file, line and fix for the first thing wrong."""
    laid = read_laid_over(SHIPPED, SCHEMA, REFERENCE)
    _check(laid)
    return _built(laid.data)


def load_watched() -> Pipelines:
    """Return them; where the bureau's own file is wrong the shipped ones, with the reason: the watch must not end by it."""
    try:
        return load_pipelines()
    except ShuhengError as error:
        shipped = _built(read_layer(SHIPPED, SCHEMA, REFERENCE).data)
        return Pipelines(shipped.by_id, shipped.grace, str(error))


def late_after(pipeline_id: str) -> timedelta | None:
    """Return when a run is late, read fast and without a check: DAG files are parsed every few seconds, and must be."""
    found: Any = None
    for file in _files():
        try:
            data = yaml.load(file.read_text("utf-8"), Loader=PlainLoader)  # noqa: S506 - a safe loader
            found = data["pipelines"].get(pipeline_id, {}).get("late_after_minutes", found)
        except (yaml.YAMLError, ValueError, KeyError, TypeError, AttributeError, OSError):
            continue  # the watchdog says what is wrong with it
    return timedelta(minutes=found) if isinstance(found, int) and found > 0 else None


def _files() -> list[Path]:
    try:
        return files_of(SHIPPED)
    except ConfigurationError:
        return [SHIPPED]


def _check(laid: LaidOver) -> None:
    """Raise `CardError` for what a schema cannot say."""
    for name, entry in laid.data["pipelines"].items():
        for number, one in enumerate(entry["expects"]):
            refuse = partial(laid.wrong, ["pipelines", name, "expects", number])
            needs_names = one["result"] in (Result.READ, Result.JUDGED)
            if needs_names and "of" not in one:
                raise refuse(f"{one['result']} of what?", "name groups of cards, or scopes of rules, in `of`")
            if not needs_names and "of" in one:
                raise refuse(f"{one['result']} is of the pipeline itself", "leave `of` out")
            if one["result"] == Result.JUDGED and "by" not in one:
                raise refuse("what is judged is a day, not a moment", "give `by` instead of `within_minutes`")


def _built(data: Mapping[str, Any]) -> Pipelines:
    grace = timedelta(minutes=data.get("grace_minutes", 0))
    return Pipelines({name: _pipeline(name, entry) for name, entry in data["pipelines"].items()}, grace)


def _pipeline(name: str, entry: Mapping[str, Any]) -> Pipeline:
    late = entry.get("late_after_minutes")
    expects = tuple(_expectation(one) for one in entry["expects"])
    return Pipeline(name, entry["title"], entry["runbook"], expects, timedelta(minutes=late) if late else None)


def _expectation(one: Mapping[str, Any]) -> Expectation:
    within = one.get("within_minutes")
    return Expectation(
        Result(one["result"]), tuple(one.get("of", ())), time.fromisoformat(one["by"]) if "by" in one else None,
        one.get("days") == "workdays", timedelta(minutes=within) if within else None,
    )  # fmt: skip
