"""Dated thresholds: which value counted on a day, and where it comes from.

Before its first day a parameter has no value, which is an error; its last value stays valid, and past `review_by` it is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from include.errors import ConfigurationError
from include.rules.regulation_files import laid_over
from include.rules.workdays import Workdays
from include.sources.checked_yaml import read_checked, wrong


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a parameter: an integer in the parameter's unit, or a day; None where nobody knows which value counted."""

    name: str
    title: str
    unit: str
    value: int | date | None
    source: str
    status: str
    since: date
    review_by: date | None


class Parameters(Mapping[str, int]):
    """The values of one day; `parameters["idle_window_days"]`."""

    def __init__(
        self,
        values: Mapping[str, Value],
        workdays: Workdays | None = None,
        history: Mapping[str, tuple[Value, ...]] | None = None,
    ) -> None:
        self._values = dict(values)
        self._workdays, self._history = workdays, history or {}
        self._numbers = {name: v.value for name, v in self._values.items() if isinstance(v.value, int)}

    def __getitem__(self, name: str) -> int:
        """Return a number; `day` returns a date."""
        return self._numbers[name]

    def __iter__(self) -> Any:
        """Return the names of the numbers."""
        return iter(self._numbers)

    def __len__(self) -> int:
        """Return how many numbers there are."""
        return len(self._numbers)

    def day(self, name: str) -> date:
        """Return a parameter that is a date."""
        value = self._values[name].value
        if not isinstance(value, date):
            raise ConfigurationError(f"parameter {name} is a number, not a day")
        return value

    def at(self, name: str, day: date | None) -> int:
        """Return the number that counted on the day of an event; where there was none yet, that of the day judged."""
        values = [v.value for v in self._history.get(name, ()) if day and v.since <= day]
        return values[-1] if values and isinstance(values[-1], int) else self[name]

    def known_at(self, name: str, day: date) -> int | None:
        """Return the number that counted on the day of an event; None where nobody knows it."""
        values = [v.value for v in self._history.get(name, ()) if v.since <= day]
        return values[-1] if values and isinstance(values[-1], int) else None

    @property
    def workdays(self) -> Workdays:
        """Return the calendar of working days, for a rule whose card says that it counts them."""
        if self._workdays is None:
            raise ConfigurationError("the card does not say counts_workdays")
        return self._workdays

    def only(self, names: Iterable[str], *, counts_workdays: bool = False) -> Parameters:
        """Return some of them: what a rule did not declare it cannot look at."""
        own = {name: self._values[name] for name in names}
        history = {name: self._history[name] for name in own if name in self._history}
        return Parameters(own, self._workdays if counts_workdays else None, history)

    def everything(self) -> dict[str, int | date | None]:
        """Return the value of every parameter, days among them."""
        return {name: v.value for name, v in self._values.items()}

    def used(self, names: tuple[str, ...]) -> dict[str, Any]:
        """Return values with their sources, as verdicts carry them."""
        found = {name: self._values[name] for name in sorted(names)}
        return {
            name: {
                "value": "未载入" if v.value is None else v.value,
                "title": v.title,
                "unit": v.unit,
                "source": v.source,
                "status": v.status,
                "from": v.since,
            }
            for name, v in found.items()
        }


@dataclass(frozen=True, slots=True)
class ParameterBook:
    """All parameters with all their values, in order of their days."""

    values: Mapping[str, tuple[Value, ...]]
    workdays: Workdays = field(default_factory=Workdays.load)

    @classmethod
    def load(cls) -> ParameterBook:
        """Read `include/regulation/parameters.yaml` and what `$SHUHENG_CONFIG/parameters.yaml` lays over it."""
        values: dict[str, tuple[Value, ...]] = {}
        for file in laid_over("parameters.yaml"):
            values |= _read(file)
        return cls(values)

    def on(self, day: date) -> Parameters:
        """Return the values of a day; raise where a parameter has none yet."""
        found = {}
        for name, values in self.values.items():
            begun = [v for v in values if v.since <= day]
            if not begun:
                raise ConfigurationError(
                    f"parameter {name} ({values[0].title}) has no value on {day}: its first one begins on {values[0].since}; "
                    "nothing can be judged before it"
                )
            found[name] = begun[-1]
        return Parameters(found, self.workdays, self.values)

    def next_change(self, day: date, names: Iterable[str]) -> date | None:
        """Return the first day after a day on which one of the parameters has another value; None where none is known."""
        return min((v.since for name in names for v in self.values[name] if v.since > day), default=None)

    def overdue(self, day: date) -> list[Value]:
        """Return the values of a day that somebody should have looked at again."""
        now = (next((v for v in reversed(values) if v.since <= day), None) for values in self.values.values())
        return [v for v in now if v and v.review_by and v.review_by < day]


def _read(file: Path) -> dict[str, tuple[Value, ...]]:
    data, root = read_checked(file, "parameters.v1.json", "include/regulation/parameters.yaml")
    found = {}
    for name, spec in data["parameters"].items():
        values: list[Value] = []
        for index, entry in enumerate(spec["values"]):
            at = ["parameters", name, "values", index]
            try:
                value = _value(name, spec, entry)
            except ValueError as error:
                raise wrong(
                    file, root, at, f"{name}: {error}", 'write days as "2024-09-09" and numbers bare'
                ) from error
            if values and value.since <= values[-1].since:
                raise wrong(
                    file, root, at, f"{name}: values are not in order of their days", "put the earlier one first"
                )
            values.append(value)
        found[name] = tuple(values)
    return found


def _value(name: str, spec: dict[str, Any], entry: dict[str, Any]) -> Value:
    is_day = spec["unit"] == "day"
    if entry["value"] is not None and is_day != isinstance(entry["value"], str):
        raise ValueError(f"the value {entry['value']!r} does not fit the unit {spec['unit']}")
    value = date.fromisoformat(entry["value"]) if is_day and entry["value"] else entry["value"]
    review = date.fromisoformat(entry["review_by"]) if "review_by" in entry else None
    since = date.fromisoformat(entry["from"])
    return Value(name, spec["title"], spec["unit"], value, entry["source"], entry["status"], since, review)
