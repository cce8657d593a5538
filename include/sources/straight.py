"""Write the straight-line function that maps a well-formed row: the same as the field-by-field way, without its detours.

Nearly all rows are well-formed, and on a first load most of the time goes into mapping them. What the function cannot place
it leaves to the careful way, which finds every problem and says what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from include.sources.card import FieldRule

Row = dict[str, Any]
Convert = Callable[[object], Any]


class NotStraight(Exception):  # noqa: N818 - a signal between two functions, not an error
    """The row needs the careful way."""


def write_straight(
    rules: list[tuple[FieldRule, Convert]], columns: tuple[str, ...], given: tuple[str, ...]
) -> Callable[[Row, Row], Row]:
    """Return a function (row, given values) → record with every column in order; it raises where it is not sure.

    Nothing of a card becomes code: field names go in as literals, converters and word lists as variables.
    """
    names: dict[str, Any] = {"NotStraight": NotStraight}
    lines = ["def straight(row, given):", "    get = row.get"]
    local = {column: "None" for column in columns}
    for column in given:
        local[column] = f"given[{column!r}]"
    for number, (rule, convert) in enumerate(rules):
        source = rule.sources[0]
        reach, name = _reach(source, number, lines)
        lines.append(f"    v = {reach}({name!r})")
        value, raw = f"f{number}", f"r{number}"
        local[rule.name] = value
        if rule.raw and rule.converter == "enum":
            names[f"t{number}"] = rule.map
            local[rule.raw] = raw
            lines += [
                f"    if v.__class__ is str and v in t{number}: {value} = t{number}[v]; {raw} = v",
                f"    elif v is None or v == '': {value} = {raw} = None",
                "    else: raise NotStraight",
            ]
        else:
            names[f"c{number}"] = convert
            lines.append(f"    {value} = None if v is None or v == '' else c{number}(v)")
        if len(rule.sources) > 1:
            lines.append(f"    if {value} is None: raise NotStraight")
    pairs = ", ".join(f"{column!r}: {expression}" for column, expression in local.items())
    lines.append("    return {" + pairs + "}")
    exec("\n".join(lines), names)  # noqa: S102 - see the docstring
    function: Callable[[Row, Row], Row] = names["straight"]
    return function


def _reach(source: str, number: int, lines: list[str]) -> tuple[str, str]:
    """Return how the source is reached and its last step; a dotted path goes through one dictionary or is not straight."""
    step, dot, name = source.partition(".")
    if not dot:
        return "get", source
    lines += [
        f"    i{number} = get({step!r})",
        f"    if i{number}.__class__ is not dict or {source!r} in row: raise NotStraight",
    ]
    if "." in name:
        lines.append("    raise NotStraight")
    return f"i{number}.get", name
