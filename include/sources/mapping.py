"""Turn raw rows into canonical records: the field map of a card, compiled once.

A row that cannot be read gets *all* its problems at once. An enumeration value without a mapping is not a problem: the field
stays absent, the raw word is kept where the card says so, and the value is counted. Does not read, write or merge anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from include.sources.card import Card, FieldRule, canonical_schema
from include.sources.checking import RecordChecker
from include.sources.conversions import UnmappedValue, converter
from include.sources.picking import pick
from include.sources.remarks import MARKS, Problem, remarks_of
from include.sources.straight import Fallback, NotStraight, make_key, write_straight, written

_MOST_SHAPES = 1000

Convert = Callable[[object], Any]
Row = dict[str, Any]


@dataclass(slots=True)
class Oddities:
    """What a mapper met and could not place, for the whole of its life: counted, reported once a source."""

    fields: Counter[str] = field(default_factory=Counter)
    values: Counter[tuple[str, str]] = field(default_factory=Counter)


class RecordMapper:
    """Maps the rows of one block of a card (its own rows, or the records nested in them) to one entity."""

    def __init__(
        self,
        entity: str,
        rules: tuple[FieldRule, ...],
        key: tuple[str, ...],
        oddities: Oddities,
        prefix: str = "",
        given: tuple[str, ...] = (),
        fallback: tuple[str, ...] = (),
    ) -> None:
        schema = canonical_schema(entity)
        self.entity, self.key, self.prefix, self.oddities = entity, key, prefix, oddities
        self.columns: tuple[str, ...] = tuple(schema["properties"])
        self.title: str = schema["title"]
        self.checker = RecordChecker(entity, {rule.name: rule.map for rule in rules if rule.map})
        self._is_valid = self.checker.is_valid
        self._fallback = fallback
        self.rules = [(rule, converter(rule.converter, rule.map, rule.inner)) for rule in rules]
        self._straight = write_straight(
            self.rules, self.columns, given, Fallback(key[0], fallback) if fallback else None
        )

    def map(self, row: Row, given: Row) -> tuple[Row, list[Problem]]:
        """Return the canonical record, every column of it, and its problems.

        `given` are values that the card or the parent implies.
        """
        try:
            record = self._straight(row, given)
        except (NotStraight, ValueError, TypeError, KeyError):
            return self._map_carefully(row, given)
        return (record, []) if self._is_valid(record) else self._map_carefully(row, given)

    def _map_carefully(self, row: Row, given: Row) -> tuple[Row, list[Problem]]:
        record: Row = dict.fromkeys(self.columns) | given
        problems: list[Problem] = []
        for rule, convert in self.rules:
            self._map_field(row, rule, convert, record, problems)
        if self._fallback and record[self.key[0]] is None:
            record[self.key[0]] = make_key([record[name] for name in self._fallback])
        if not self._is_valid(record):
            problems.extend(self.checker.problems(record, {p.field for p in problems}))
        return record, problems

    def record_key(self, record: Row) -> str | None:
        """Return the identity of a record within its source, or None where a part of it is missing."""
        if len(self.key) == 1:
            only = record.get(self.key[0])
            return only if only is None or only.__class__ is str else str(only)
        parts = [record.get(name) for name in self.key]
        return None if None in parts else "|".join(map(str, parts))

    def _map_field(self, row: Row, rule: FieldRule, convert: Convert, record: Row, problems: list[Problem]) -> None:
        odd: tuple[str, object] | None = None
        for source in rule.sources:
            value = pick(row, source)
            if value is None or value == "":
                continue
            if rule.raw and record[rule.raw] is None:
                record[rule.raw] = written(value)
            try:
                record[rule.name] = found = convert(value)
            except UnmappedValue as error:
                # Its raw value only: a kept exception holds its frames, and they hold the page.
                odd = odd or (source, error.raw)
                continue
            except ValueError:
                problems.append(self.checker.unread(rule.name, rule.converter, value))
                return
            if found is not None:
                return
        if odd:
            self._odd(*odd)

    def _odd(self, source: str, raw: object) -> None:
        self.oddities.values[self.prefix + source, str(raw)[:100]] += 1


@dataclass(slots=True)
class Mapped:
    """One raw row as canonical records: its own, and the ones nested in it by entity."""

    key: str | None
    record: Row
    problems: list[Problem]
    children: list[tuple[str, str, Row]]
    listed: str
    """Entities whose list the row really carried, with commas; only these say anything about children that are gone."""
    warnings: tuple[str, ...] = ()
    """Codes of what the reader found doubtful in the row."""


class CardMapper:
    """Maps whole raw rows of one card."""

    def __init__(self, card: Card) -> None:
        self.oddities = Oddities()
        self.main = RecordMapper(
            card.entity, card.fields, card.key, self.oddities, given=tuple(card.constants), fallback=card.fallback
        )
        self._constants = dict(card.constants)
        titles = {name: spec["title"] for name, spec in canonical_schema(card.entity)["properties"].items()}
        self._raw_titles = {source: titles[rule.name] for rule in card.fields for source in rule.sources}
        self._is_rdf = card.document is not None and card.document.format == "rdf"
        self._is_marked = bool(card.files or card.document)
        self.nested = [
            (n, RecordMapper(n.entity, n.fields, n.key, self.oddities, n.rows + ".", tuple(n.parent)))
            for n in card.nested
        ]
        self._known = {"": _first_steps(card)}
        self._shapes: dict[tuple[str, ...], tuple[str, ...]] = {}
        for path in self._known[""] & {p.split(".")[0] for p in _paths(card) if "." in p} - set(card.ignore):
            self._known[path] = {p.split(".", 1)[1].split(".")[0] for p in _paths(card) if p.startswith(path + ".")}
        self._paths = tuple(path for path in self._known if path)

    def taken_oddities(self) -> Oddities:
        """Return what could not be placed since this was asked last."""
        taken = Oddities(self.oddities.fields.copy(), self.oddities.values.copy())
        self.oddities.fields.clear()
        self.oddities.values.clear()
        return taken

    def map(self, row: Row) -> Mapped:
        """Map one row and the records nested in it; a problem in either quarantines the row as a whole."""
        self.note_fields([row])
        return self.map_noted(row)

    def map_noted(self, row: Row) -> Mapped:
        """Map one row, the fields of which have been noted."""
        record, problems = self.main.map(row, self._constants)
        doubts: tuple[str, ...] = ()
        if self._is_marked and (told := remarks_of(row, self._raw_titles)):
            problems, doubts = problems + told.problems, told.warnings
        children: list[tuple[str, str, Row]] = []
        listed = []
        for nested, mapper in self.nested:
            rows = self._listed(row, nested.rows)
            if rows is None:
                continue
            listed.append(nested.entity)
            given = {child: record.get(parent) for child, parent in nested.parent.items()}
            for index, raw in enumerate(rows):
                where, which = f"{nested.rows}[{index}]", f"第 {index + 1} 个{mapper.title}"
                if raw.__class__ is not dict:
                    fix = "按接口约定逐条提供,每条是一组字段和值"
                    problems.append(Problem(where, which, f"{which}不是一条记录", str(raw)[:200], fix))
                    continue
                child, wrong = mapper.map(raw, given)
                key = mapper.record_key(child)
                if wrong or key is None:
                    problems += [
                        replace(p, field=f"{where}.{p.field}", problem=f"{which}的{p.problem}")
                        for p in wrong
                        if p.field not in given
                    ]
                else:
                    children.append((nested.entity, key, child))
        key = self.main.record_key(record)
        if key is None and not problems:
            problems = [self.main.checker.missing(name) for name in self.main.key if record.get(name) is None]
        return Mapped(key, record, problems, children, ",".join(listed), doubts)

    def _listed(self, row: Row, path: str) -> list[Any] | None:
        """Return the list of nested records; None where the row says nothing of them.

        In RDF one of them stands without a list, and none is no statement at all.
        """
        found = pick(row, path)
        if found.__class__ is dict:
            return [found]
        if found is None and self._is_rdf:
            return []
        return found if isinstance(found, list) else None

    def note_fields(self, rows: list[Row]) -> None:
        """Count the fields of rows that the card does not name."""
        self._note_shapes("", Counter(map(tuple, rows)))
        for path in self._paths:
            found = [row.get(path) for row in rows]
            items = [one for inner in found for one in (inner if inner.__class__ is list else (inner,))]
            objects = [one for one in items if one.__class__ is dict]
            if any("key" in shape and "value" in shape for shape in set(map(tuple, objects))):
                self._note_shapes(path, Counter(map(_names, objects)))
            else:
                self._note_shapes(path, Counter(map(tuple, objects)))

    def _note_shapes(self, path: str, shapes: Counter[tuple[str, ...]]) -> None:
        for shape, count in shapes.items():
            for name in self._unknown(path, shape):
                self.oddities.fields[name] += count

    def _unknown(self, path: str, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the fields that the card does not name; rows of one source come in few shapes, so each is looked at once."""
        shape = (path, *names)
        unknown = self._shapes.get(shape)
        if unknown is None:
            known, front = self._known[path], path + "." if path else ""
            unknown = tuple(
                front + name for name in names if name not in known and name not in MARKS and name[:1] != "@"
            )
            if len(self._shapes) < _MOST_SHAPES:
                self._shapes[shape] = unknown
        return unknown


def _names(item: Row) -> tuple[str, ...]:
    """Return the fields that an object of a list names: one with `key` and `value` names a field by its key."""
    return (str(item["key"]),) if "key" in item and "value" in item else tuple(item)


def _paths(card: Card) -> set[str]:
    paths = {s for rule in card.fields for s in rule.raw_fields} | set(card.ignore) | set(card.personal)
    paths |= {gate.field for gate in card.classified}
    for rule in card.fields:
        paths |= rule.listed_fields
    for nested in card.nested:
        paths |= {nested.rows} | {f"{nested.rows}.{s}" for rule in nested.fields for s in rule.sources}
    return paths | ({card.cursor.field} if card.cursor else set())


def _first_steps(card: Card) -> set[str]:
    return {p for p in _paths(card)} | {p.split(".")[0] for p in _paths(card)}
