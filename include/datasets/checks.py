"""Hold every row of a data set against its JSON Schema, column by column; and some rows of each block against all of it.

Type, null, enum, pattern, lengths, bounds and the uniqueness of the key are checked of every value, over whole columns at once.
What else a schema can say is checked of a sample alone: a row at a time would take longer than the publication itself.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from operator import gt, lt
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

from include.datasets.definitions import Column, Dataset
from include.datasets.snapshot_rows import TEXTS

SAMPLE = 40
"""Rows of each block that are held against the whole schema."""

MOST_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a column: whether any value is wrong, and which ones are (null where it cannot tell).

    The first is asked of every block, and lets no value of Python's become one of Arrow's: that would import pandas, which takes
    longer than publishing a small data set.
    """

    code: str
    is_broken: Callable[[Any], bool]
    which: Callable[[Any], Any]


@dataclass(slots=True)
class Problem:
    """What is wrong with a column: in how many rows (of a sample: at least), and one of them."""

    column: str
    code: str
    rows: int
    example: str

    def summary(self) -> dict[str, Any]:
        """Return it for manifests and programs."""
        return {"column": self.column, "code": self.code, "rows": self.rows, "example": self.example}


class Checker:
    """Takes the blocks of one data set in their order and keeps what is wrong with them."""

    def __init__(self, dataset: Dataset) -> None:
        self._keys = list(dataset.key)
        specs = dataset.schema["properties"]
        self._checks = [(c.name, check) for c in dataset.columns for check in _checks(c, specs[c.name])]
        self._sampled = _validator(dataset.schema)
        self._last: tuple[Any, ...] | None = None
        self._found: dict[tuple[str, str], Problem] = {}

    @property
    def problems(self) -> list[Problem]:
        """Return what is wrong so far."""
        return list(self._found.values())

    def add(self, table: pa.Table) -> None:
        """Check a block."""
        for name, check in self._checks:
            values = table.column(name)
            if check.is_broken(values):
                wrong = check.which(values)
                self.note(name, check.code, pc.sum(wrong).as_py(), str(values.filter(wrong)[0].as_py()))
        self._check_key(table)
        self._check_sample(table)

    def note(self, column: str, code: str, rows: int, example: str) -> None:
        """Keep that something is wrong."""
        found = self._found.get((column, code))
        if found:
            found.rows += rows
        elif len(self._found) < MOST_PROBLEMS:
            self._found[column, code] = Problem(column, code, rows, example[:200])

    def _check_key(self, table: pa.Table) -> None:
        """Rows come in the order of the key, so those of one key stand side by side."""
        if not self._keys or not table.num_rows:
            return
        keys = table.select(self._keys).combine_chunks()
        first = tuple(keys.column(n)[0].as_py() for n in range(keys.num_columns))
        doubles = int(first == self._last)
        example = first
        if keys.num_rows > 1:
            same: Any = None
            for n in range(keys.num_columns):
                equal = pc.equal(keys.column(n).slice(1), keys.column(n).slice(0, keys.num_rows - 1))
                same = equal if same is None else pc.and_(same, equal)
            rows = pc.indices_nonzero(same)  # null, too, is none
            if len(rows) and not doubles:
                example = tuple(keys.column(n)[rows[0].as_py()].as_py() for n in range(keys.num_columns))
            doubles += len(rows)
        if doubles:
            self.note("、".join(self._keys), "key_twice", doubles, " ".join(map(str, example)))
        self._last = tuple(keys.column(n)[keys.num_rows - 1].as_py() for n in range(keys.num_columns))

    def _check_sample(self, table: pa.Table) -> None:
        known = {column for column, _ in self._found}
        rows = range(0, table.num_rows, max(1, table.num_rows // SAMPLE))
        if not rows:
            return
        # Through a buffer: what Arrow makes of Python's own numbers would import pandas.
        places = pa.Array.from_buffers(pa.int64(), len(rows), [None, pa.py_buffer(array("q", rows))])
        for row in as_json(table.take(places)):
            for error in self._sampled.iter_errors(row):
                where = ".".join(map(str, error.instance_path))
                if where not in known:  # what a column's own check has found is told once
                    self.note(where, "schema", 1, error.message)


def as_json(table: pa.Table) -> list[dict[str, Any]]:
    """Return rows as JSON has them: days, moments and decimals as texts."""
    names, columns = table.column_names, [_json_values(values) for values in table.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _json_values(values: Any) -> list[Any]:
    if pa.types.is_timestamp(values.type):
        # Arrow's own way to Python imports pandas, and its `strftime` needs the system's time zones, which an image may lack.
        seconds = values.cast(pa.timestamp("s", values.type.tz), safe=False).cast(pa.int64()).to_pylist()
        zone = ZoneInfo(values.type.tz)
        return [None if s is None else datetime.fromtimestamp(s, zone).isoformat() for s in seconds]
    is_text_in_json = pa.types.is_date(values.type) or pa.types.is_decimal(values.type)
    return list((values.cast(pa.string()) if is_text_in_json else values).to_pylist())


def _validator(schema: Mapping[str, Any]) -> Any:
    import jsonschema_rs

    return jsonschema_rs.Draft202012Validator(dict(schema))


def _checks(column: Column, spec: Mapping[str, Any]) -> Iterator[Check]:
    """Yield the checks of a column; what its type proves is not checked."""
    if not column.is_nullable:
        yield Check("missing", lambda values: values.null_count > 0, pc.is_null)
    if "enum" in spec:
        yield _enum([value for value in spec["enum"] if value is not None])
    if column.type in TEXTS:
        yield from _text_checks(spec)
    elif column.type in ("integer", "decimal(18,2)"):
        for name, compare in (("minimum", lt), ("maximum", gt)):
            if name in spec:
                yield _bound(name, compare, Decimal(str(spec[name])))


def _text_checks(spec: Mapping[str, Any]) -> Iterator[Check]:
    if "pattern" in spec:
        yield _pattern(spec["pattern"])
    for name, code, compare in (("minLength", "too_short", lt), ("maxLength", "too_long", gt)):
        if name in spec:
            yield _bound(code, compare, Decimal(spec[name]), pc.utf8_length)


def _enum(allowed: Sequence[Any]) -> Check:
    known = {None, *allowed}

    def which(values: Any) -> Any:
        return pc.and_not(pc.is_valid(values), pc.is_in(values, pa.array(allowed).cast(values.type)))

    return Check("not_in_enum", lambda values: not known.issuperset(values.unique().to_pylist()), which)


def _bound(
    code: str,
    compare: Callable[[Any, Any], bool],
    bound: Decimal,
    measured: Callable[[Any], Any] = lambda values: values,
) -> Check:
    """Return the check that no value, or what is `measured` of it, lies beyond a bound."""
    beyond = {lt: pc.less, gt: pc.greater}[compare]

    def is_broken(values: Any) -> bool:
        ends = pc.min_max(measured(values)).as_py()
        return any(end is not None and compare(end, bound) for end in ends.values())

    def which(values: Any) -> Any:
        found = measured(values)
        return beyond(found, pa.scalar(bound if pa.types.is_decimal(found.type) else float(bound)))

    return Check(code, is_broken, which)


def _pattern(pattern: str) -> Check:
    try:
        pc.match_substring_regex(pa.nulls(1, pa.string()), pattern)
    except pa.ArrowInvalid:  # looking ahead or back is beyond RE2: Python's own, once for each value
        search = re.compile(pattern).search

        def bad(values: Any) -> list[str]:
            return [value for value in values.unique().to_pylist() if value is not None and not search(value)]

        return Check(
            "pattern",
            lambda values: bool(bad(values)),
            lambda values: pc.is_in(values, pa.array(bad(values), pa.string())),
        )

    def matches(values: Any) -> Any:
        return pc.match_substring_regex(values, pattern)

    return Check(
        "pattern", lambda values: pc.all(matches(values)).as_py() is False, lambda values: pc.invert(matches(values))
    )


def words_of(problem: Problem, dataset: Dataset) -> str:
    """Return a problem in Chinese."""
    titles = {column.name: column.title for column in dataset.columns}
    what = "、".join(titles.get(name, name) for name in problem.column.split("、")) or "整行"
    example = json.dumps(problem.example, ensure_ascii=False)
    return f"{what}({problem.column}):{CODES[problem.code]},{problem.rows} 行,如 {example}"


CODES = {
    "missing": "不应为空", "not_in_enum": "不是规定的取值", "pattern": "不符合规定的写法", "too_short": "过短", "too_long": "过长",
    "minimum": "小于下限", "maximum": "大于上限", "key_twice": "主键重复", "schema": "不符合数据集结构", "type": "类型不符",
}  # fmt: skip
