"""Write the straight-line function that maps a well-formed row: the same as the field-by-field way, without its detours.

Nearly all rows are well-formed, and on a first load most of the time goes into mapping them. What the function cannot place
it leaves to the careful way, which finds every problem and says what it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from include.sources.card import FieldRule
from include.sources.folding import fold_text

Row = dict[str, Any]
Convert = Callable[[object], Any]


_LONGEST_WORD = 100


@dataclass(frozen=True, slots=True)
class Fallback:
    """The key of records that have none: a canonical field, and the fields that make it."""

    name: str
    fields: tuple[str, ...]


def make_key(values: list[Any]) -> str | None:
    """Return the key made of other values; None where the last of them, which tells records apart, is missing."""
    return None if values[-1] is None else "~" + "|".join("" if v is None else str(v) for v in values)


def written(value: object) -> str | None:
    """Return a value as it was written, for people, in one short line."""
    if value.__class__ is str:
        return value.strip()[:_LONGEST_WORD] or None  # type: ignore[attr-defined, no-any-return]
    try:
        return (fold_text(value) or "")[:_LONGEST_WORD] or None
    except ValueError:
        return str(value)[:_LONGEST_WORD]


class NotStraight(Exception):  # noqa: N818 - a signal between two functions, not an error
    """The row needs the careful way."""


def write_straight(
    rules: list[tuple[FieldRule, Convert]],
    columns: tuple[str, ...],
    given: tuple[str, ...],
    fallback: Fallback | None = None,
) -> Callable[[Row, Row], Row]:
    """Return a function (row, given values) → record with every column in order; it raises where it is not sure.

    Nothing of a card becomes code: field names go in as literals, converters and word lists as variables.
    """
    names: dict[str, Any] = {"NotStraight": NotStraight, "make_key": make_key, "written": written}
    lines = ["def straight(row, given):", "    get = row.get"]
    local = {column: "None" for column in columns}
    for column in given:
        local[column] = f"given[{column!r}]"
    for number, (rule, convert) in enumerate(rules):
        source = rule.sources[0]
        lines.append(f"    v = {_reach(source, number, lines)}")
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
            if rule.raw:
                local[rule.raw] = raw
                lines.append(f"    {raw} = None if v is None or v == '' else written(v)")
        if len(rule.sources) > 1:
            lines.append(f"    if {value} is None: raise NotStraight")
    if fallback:
        _make_key(fallback, local, lines)
    pairs = ", ".join(f"{column!r}: {expression}" for column, expression in local.items())
    lines.append("    return {" + pairs + "}")
    exec("\n".join(lines), names)  # noqa: S102 - see the docstring
    function: Callable[[Row, Row], Row] = names["straight"]
    return function


def _make_key(fallback: Fallback, local: dict[str, str], lines: list[str]) -> None:
    """Add what makes the key of a row that has none."""
    if local[fallback.name] == "None":
        local[fallback.name] = "k"
        lines.append("    k = None")
    made = ", ".join(local[name] for name in fallback.fields)
    lines.append(f"    if {local[fallback.name]} is None: {local[fallback.name]} = make_key([{made}])")


def _reach(source: str, number: int, lines: list[str]) -> str:
    """Return the expression that reaches the source; a dotted path goes through one dictionary or is not straight."""
    if source == ".":
        return "row"
    step, dot, name = source.partition(".")
    if not dot:
        return f"get({source!r})"
    lines += [
        f"    i{number} = get({step!r})",
        f"    if i{number}.__class__ is not dict or {source!r} in row: raise NotStraight",
    ]
    if "." in name:
        lines.append("    raise NotStraight")
    return f"i{number}.get({name!r})"
