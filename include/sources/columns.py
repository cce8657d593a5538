"""Map the rows of a page together, column by column: each distinct value of a column is converted and checked once.

The same as the row-by-row way (`mapping.py`) for rows in which nothing is doubtful; the others are named, and left to it. Most
columns of a register repeat a few words, and what does not repeat costs no more than it does alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import NoneType
from typing import Any

import jsonschema_rs

from include.sources.card import Card, FieldRule, canonical_schema
from include.sources.conversions import converter_of_many
from include.sources.kinds import filled_fields
from include.sources.mapping import CardMapper, RecordMapper
from include.sources.straight import fields_of, written, written_many

Row = dict[str, Any]
Values = list[Any]
Convert = Callable[[Any], Any]
OfMany = Callable[[Values], Values | None]

_LEFT = object()
"""Stands for a value that the careful way has to look at."""

_MOST_KNOWN = 500
"""Distinct values that a column keeps in mind from page to page; one with more of them hardly repeats itself."""

_BY_FIELD = frozenset(
    ("$schema", "$id", "title", "description", "type", "additionalProperties", "required", "properties")
)
"""Keywords of a schema that says nothing of several fields at once: a record is valid when each of its fields is."""

_KEPT = frozenset({str, NoneType})

_INNER = frozenset({dict, list})


@dataclass(slots=True)
class Columns:
    """Rows of one entity by column, in the order of its schema; `owners` says in which row of the page each stands."""

    entity: str
    names: tuple[str, ...]
    columns: list[Values]
    keys: Values
    owners: list[int]

    def named(self, name: str) -> Values:
        """Return one column."""
        return self.columns[self.names.index(name)]


@dataclass(slots=True)
class MappedRows:
    """The rows of a page by column, with what is nested in them."""

    main: Columns
    children: list[Columns]
    listed: list[str]
    """Of each row the entities whose list it carries, with commas."""
    left: set[int]
    """The rows that the careful way has to map; what columns hold of them means nothing."""


class CardColumns:
    """Maps pages of one card, by the rules of the mapper that maps its rows one by one.

    With `as_text` columns hold values as texts, and "" where there is none: what repeats is written once.
    """

    def __init__(self, card: Card, mapper: CardMapper, *, as_text: bool = False) -> None:
        self._constants = dict(card.constants)
        self._main = _Block(mapper.main, tuple(card.constants), as_text=as_text)
        self._nested = [(nested, _Block(one, tuple(nested.parent), as_text=as_text)) for nested, one in mapper.nested]
        self._filled = filled_fields(card.entity) or {}

    @staticmethod
    def fits(card: Card) -> bool:
        """Return whether the card's rows are plain: no lines of tables, no key that all must be given, no schema across fields."""
        is_rdf = card.document is not None and card.document.format == "rdf"
        is_odd = card.files or (is_rdf and card.nested) or any("." in nested.rows for nested in card.nested)
        has_key = {*card.constants, *(rule.name for rule in card.fields)}.issuperset(card.key)
        entities = (card.entity, *(nested.entity for nested in card.nested))
        is_by_field = all(canonical_schema(e).keys() <= _BY_FIELD and filled_fields(e) is not None for e in entities)
        return not is_odd and has_key and is_by_field

    def map(self, rows: list[Row]) -> MappedRows:
        """Map the rows of a page."""
        left: set[int] = set()
        owners = list(range(len(rows)))
        given = {name: [value] * len(rows) for name, value in self._constants.items()}
        main = self._main.map(rows, given, owners, left)
        left.update(self._ownerless(main))
        left.update(i for i, row in enumerate(rows) if row.get("_shifted") or row.get("_shacl"))
        children, carried = [], []
        for nested, block in self._nested:
            lists = [row.get(nested.rows) for row in rows]
            carried.append([nested.entity if one.__class__ is list else "" for one in lists])
            left.update(i for i, one in enumerate(lists) if one.__class__ is dict)
            left.update(i for i, many in enumerate(lists) if many.__class__ is list and set(map(type, many)) - {dict})
            owners = [i for i, many in enumerate(lists) if many.__class__ is list and i not in left for _ in many]
            inner = [one for i, many in enumerate(lists) if many.__class__ is list and i not in left for one in many]
            of_parent = {child: main.named(parent) for child, parent in nested.parent.items()}
            values = {child: [column[i] for i in owners] for child, column in of_parent.items()}
            children.append(block.map(inner, values, owners, left))
        listed = (
            [",".join(filter(None, names)) for names in zip(*carried, strict=True)] if carried else [""] * len(rows)
        )
        return MappedRows(main, children, listed, left)

    def _ownerless(self, main: Columns) -> set[int]:
        """Return the rows in which none of the fields is filled of which their kind wants one."""
        found: set[int] = set()
        for kind, names in self._filled.items():
            columns = [main.named(name) for name in names]
            if not all(columns[0]):  # nearly always the first of them is filled
                found.update(
                    i
                    for i, (of, *values) in enumerate(zip(main.named("kind"), *columns, strict=True))
                    if of == kind and not any(values)
                )
        return found


class _Block:
    """Maps rows of one block of a card: its own, or those nested in them."""

    def __init__(self, mapper: RecordMapper, given: tuple[str, ...], *, as_text: bool) -> None:
        self._entity, self._key, self._names = mapper.entity, mapper.key, mapper.columns
        specs = canonical_schema(mapper.entity)["properties"]
        plain = {name: partial(_Column, _as_it_is, spec, as_text=as_text) for name, spec in specs.items()}
        self._nothing = "" if as_text else None
        self._given = {name: plain[name]() for name in given}
        self._fields = [_Field(rule, convert, specs, as_text=as_text) for rule, convert in mapper.rules]
        self._dotted = frozenset(s for f in self._fields for s in f.rule.sources if "." in s and s != ".")
        made = self._given.keys() | {f.rule.name for f in self._fields} | {f.rule.raw for f in self._fields}
        self._absent = [name for name in self._names if name not in made]
        self._is_lacking = not all(plain[name]().may_be_blank for name in self._absent)

    def map(self, rows: list[Row], given: dict[str, Values], owners: list[int], left: set[int]) -> Columns:
        """Map rows; add the owners of those that need the careful way to `left`."""
        places = {"": _Place(rows)}
        found: dict[str, Values] = dict.fromkeys(self._absent, [self._nothing] * len(rows))
        doubtful = set(range(len(rows))) if self._is_lacking else self._with_dotted(rows)
        for name, column in self._given.items():
            found[name] = column.of(given[name], doubtful)
        for one in self._fields:
            one.map(places, found, doubtful)
        keys = self._keys([found[name] for name in self._key])
        doubtful.update(i for i, key in enumerate(keys) if key == self._nothing)
        left.update(owners[i] for i in doubtful)
        return Columns(self._entity, self._names, [found[name] for name in self._names], keys, owners)

    def _with_dotted(self, rows: list[Row]) -> set[int]:
        """Return the rows in which a path of several steps stands as one name."""
        if not self._dotted:
            return set()
        return {i for i, row in enumerate(rows) if not row.keys().isdisjoint(self._dotted)}

    def _keys(self, parts: list[Values]) -> Values:
        """Return the identity of each record; nothing where a part of it is missing."""
        nothing = self._nothing
        if len(parts) == 1:
            return [key if key == nothing or key.__class__ is str else str(key) for key in parts[0]]
        return [nothing if nothing in key else "|".join(map(str, key)) for key in zip(*parts, strict=True)]


class _Field:
    """What one rule of a card makes: a column, and with `raw` a second one of words as they were written."""

    def __init__(self, rule: FieldRule, convert: Convert, specs: dict[str, Any], *, as_text: bool) -> None:
        self.rule = rule
        self._is_word = bool(rule.raw) and rule.converter == "enum"
        many = converter_of_many(rule.converter, rule.inner)
        own = rule.map.__getitem__ if self._is_word else convert
        self._column = _Column(own, specs[rule.name], many, as_text=as_text)
        write, writes = (_as_word, None) if self._is_word else (_as_written, written_many)
        self._raw = _Column(write, specs[rule.raw], writes, as_text=as_text) if rule.raw else None

    def map(self, places: dict[str, _Place], found: dict[str, Values], doubtful: set[int]) -> None:
        """Add the field's columns to what is found; add the indexes of rows that need the careful way."""
        first, *others = self.rule.sources
        raws = _reach(first, places)
        for source in others:
            more = _reach(source, places)
            raws = [b if a is None or a == "" else a for a, b in zip(raws, more, strict=True)]
        if self._is_word and list in map(type, raws):
            raws = [raw[0] if raw.__class__ is list and len(raw) == 1 else raw for raw in raws]
        found[self.rule.name] = values = self._column.of(raws, doubtful)
        if others:  # a value that says nothing leaves the word to the next source
            doubtful.update(
                i
                for i, (value, raw) in enumerate(zip(values, raws, strict=True))
                if (value is None or value == "") and raw not in (None, "")
            )
        if self._raw and self.rule.raw:
            found[self.rule.raw] = self._raw.of(raws, doubtful)


class _Column:
    """What each raw value of a column becomes, learned as values come."""

    def __init__(self, convert: Convert, spec: dict[str, Any], of_many: OfMany | None = None, *, as_text: bool) -> None:
        self._convert, self._of_many, self._as_text = convert, of_many, as_text
        self._are_valid = jsonschema_rs.Draft202012Validator({"type": "array", "items": spec}).is_valid
        self._blank = ("" if as_text else None) if self._are_valid([None]) else _LEFT
        self._known = self._blanks()
        self._has_left = self._blank is _LEFT
        self._hardly_repeats = False

    @property
    def may_be_blank(self) -> bool:
        """Return whether a record is valid without a value here."""
        return self._blank is not _LEFT

    def of(self, raws: Values, doubtful: set[int]) -> Values:
        """Return what raw values become; add the indexes of those that the careful way has to look at."""
        if self._hardly_repeats:
            values = self._mostly_new(raws)
        else:
            try:
                values = list(map(self._known.__getitem__, raws))
            except (KeyError, TypeError):
                values = self._learn(raws)
        if self._has_left:
            doubtful.update(i for i, value in enumerate(values) if value is _LEFT)
        return values

    def _learn(self, raws: Values) -> Values:
        """Return what raw values become, and keep in mind what texts do; True and 1.0 equal 1, so nothing else is kept."""
        if set(map(type, raws)) - _KEPT:
            return self._mostly_new(raws)
        if len(self._known) > _MOST_KNOWN:
            self._known = self._blanks()
        new = list(set(raws) - self._known.keys())
        found = self._sure(new)
        if found is None:
            found = self._one_by_one(new)
        self._known.update(zip(new, found, strict=True))
        self._hardly_repeats = 2 * len(new) > len(raws) - raws.count("") - raws.count(None)
        return list(map(self._known.__getitem__, raws))

    def _mostly_new(self, raws: Values) -> Values:
        """Return what raw values become where they hardly repeat or are no texts, blanks among them; none is kept in mind."""
        said = raws if "" not in raws and None not in raws else [raw for raw in raws if raw is not None and raw != ""]
        found = self._sure(said) if said else []
        if found is None:
            found = self._one_by_one(said)
        if said is raws:
            return found
        values = iter(found)
        return [self._blank if raw is None or raw == "" else next(values) for raw in raws]

    def _blanks(self) -> dict[str | None, Any]:
        return {None: self._blank, "": self._blank}

    def _sure(self, raws: Values) -> Values | None:
        """Return what raw values become, or None where one of them is doubtful."""
        try:
            values = self._of_many(raws) if self._of_many else None
            if values is None:
                values = list(map(self._convert, raws))
            if not self._are_valid(values):
                return None
            return texts_of(values) if self._as_text else values
        except (ValueError, TypeError, KeyError):
            return None

    def _one_by_one(self, raws: Values) -> Values:
        """Return what each raw value becomes for itself, with those marked that are doubtful."""
        self._has_left = True
        values = [self._converted(raw) for raw in raws]
        good = [value for value in values if value is not _LEFT]
        if not self._are_valid(good):
            values = [value if value is not _LEFT and self._are_valid([value]) else _LEFT for value in values]
            good = [value for value in values if value is not _LEFT]
        written = iter(texts_of(good) if self._as_text else good)
        return [_LEFT if value is _LEFT else next(written) for value in values]

    def _converted(self, raw: object) -> Any:
        try:
            return self._convert(raw) if raw is not None and raw != "" else None
        except (ValueError, TypeError, KeyError):
            return _LEFT


def texts_of(values: Values) -> list[str]:
    """Return values as texts, "" where there is none."""
    kinds = set(map(type, values))
    if kinds == {str}:
        return values
    if kinds <= _KEPT:
        return [value or "" for value in values]
    return ["" if value is None else str(value) for value in values]


def _as_it_is(value: Any) -> Any:
    return value


def _as_word(raw: object) -> str:
    if raw.__class__ is not str:
        raise TypeError
    return raw  # type: ignore[return-value]


def _as_written(raw: object) -> str | None:
    """Write a value out, but for an object: that shows its fields in their order, which only the landed line fixes."""
    if raw.__class__ is dict or (raw.__class__ is list and not _INNER.isdisjoint(map(type, raw))):  # type: ignore[call-overload]
        raise TypeError
    return written(raw)


class _Place:
    """The objects at one path of some rows, with their fields by column."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows
        shapes = set(map(tuple, rows))
        # Nearly always all have the same fields; then to turn them costs a third of looking each field up.
        self._columns: dict[str, Values] | None = None
        if len(shapes) == 1:
            self._columns = dict(zip(*shapes, map(list, zip(*map(dict.values, rows), strict=True)), strict=True))

    def column(self, name: str) -> Values:
        """Return what stands in a field of each object; None where it is absent."""
        if self._columns is None:
            return [row.get(name) for row in self.rows]
        return self._columns.get(name) or [None] * len(self.rows)


def _reach(source: str, places: dict[str, _Place]) -> Values:
    """Return what stands at a source in each row; `places` keeps the objects that paths go through."""
    if source == ".":
        return list(places[""].rows)
    path, _, name = source.rpartition(".")
    return _place(path, places).column(name)


def _place(path: str, places: dict[str, _Place]) -> _Place:
    if path not in places:
        above, _, step = path.rpartition(".")
        places[path] = _Place([fields_of(inner) for inner in _place(above, places).column(step)])
    return places[path]
