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


def written_many(values: list[Any]) -> list[str | None] | None:
    """Return what `written` makes of each of many values, if all are texts; else None."""
    return [value.strip()[:_LONGEST_WORD] or None for value in values] if set(map(type, values)) == {str} else None


def fields_of(value: object) -> Row:
    """Return what a path finds below a value, as `pick` does: in a list by `key` and `value`, or of the first that has it."""
    if isinstance(value, dict):
        return value
    if value.__class__ is not list:
        return {}
    objects = [one for one in value if one.__class__ is dict]  # type: ignore[attr-defined]
    found: Row = {}
    for one in reversed(objects):
        found.update(one)
    found.update({one["key"]: one["value"] for one in reversed(objects) if "key" in one and "value" in one})
    return found


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
    names: dict[str, Any] = {
        "NotStraight": NotStraight, "make_key": make_key, "written": written, "fields_of": fields_of,
        "dotted": frozenset(s for rule, _ in rules for s in rule.sources if s != "." and "." in s),
    }  # fmt: skip
    lines = ["def straight(row, given):", "    get = row.get"]
    lines.append("    if not row.keys().isdisjoint(dotted): raise NotStraight")
    local = {column: "None" for column in columns}
    for column in given:
        local[column] = f"given[{column!r}]"
    inner: dict[str, str] = {}
    for number, (rule, convert) in enumerate(rules):
        first, *others = rule.sources
        lines.append(f"    v = {_reach(first, inner, lines)}")
        for source in others:
            lines.append("    if v is None or v == '':")
            lines.append(f"        v = {_reach(source, inner, lines)}")
        value, raw = f"f{number}", f"r{number}"
        local[rule.name] = value
        if rule.raw and rule.converter == "enum":
            names[f"t{number}"] = rule.map
            local[rule.raw] = raw
            lines += [
                "    if v.__class__ is list and len(v) == 1: v = v[0]",
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
        if others:  # a value that says nothing leaves the word to the next source
            lines.append(f"    if {value} is None and v is not None and v != '': raise NotStraight")
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


def _reach(source: str, inner: dict[str, str], lines: list[str]) -> str:
    """Return the expression that reaches the source; what a dotted path goes through is looked up once for all rules."""
    if source == ".":
        return "row"
    path, _, name = source.rpartition(".")
    return f"{_through(path, inner, lines)}({name!r})"


def _through(path: str, inner: dict[str, str], lines: list[str]) -> str:
    """Return the name of the function that looks fields up at a path, after lines that make it."""
    if not path:
        return "get"
    if path not in inner:
        above, _, step = path.rpartition(".")
        reached = _through(above, inner, lines)
        inner[path] = f"get{len(inner)}"
        # Before the first rule's lines: a rule's own may stand within an `if`.
        lines.insert(3 + len(inner) - 1, f"    {inner[path]} = fields_of({reached}({step!r})).get")
    return inner[path]
