"""Find a value of a raw row by its path: dotted, through objects and through lists. Does not know cards or records."""

from __future__ import annotations

from typing import Any


def pick(row: dict[str, Any], path: str) -> Any:
    """Return the value at a dotted path; the whole path as one name comes first, since workbooks have dots in headings.

    "." is the row itself. A list of objects with `key` and `value` is looked up by key, as CKAN's `extras.update_cycle`; in another
    list the first object that has the step counts.
    """
    if path in row or "." not in path:
        return row.get(path)
    if path == ".":
        return row
    value: Any = row
    for step in path.split("."):
        if value.__class__ is list:
            value = _through(value, step)
        elif isinstance(value, dict):
            value = value.get(step)
        else:
            return None
    return value


def _through(values: list[Any], step: str) -> Any:
    objects = [v for v in values if isinstance(v, dict)]
    for one in objects:
        if "key" in one and "value" in one and one["key"] == step:
            return one["value"]
    return next((one[step] for one in objects if step in one), None)
