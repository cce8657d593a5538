"""Mask persons in rows: by name of field, and by form in any text.

Built for speed: one plan for each set of keys, one search over all texts of a column, or of a row where it stands alone, and a
close look only at the rows that were hit. Which fields hold lists or objects that the card does not name is learned from the
first rows that have them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import itemgetter
from types import NoneType
from typing import Any

from include.sources.alike import Alike, Keys, Search
from include.sources.card import Card
from include.sources.folding import may_name_nothing, names_nothing
from include.sources.personal_data import (
    MASK,
    SEPARATOR,
    looks_personal,
    mask_code,
    mask_text,
    mask_typed,
    may_be_identity,
    may_be_personal,
)

Row = dict[str, Any]

_LIST, _OBJECT = f"{SEPARATOR}[", f"{SEPARATOR}{{"
_HOLDERS = frozenset({dict, list})
_TEXTS = frozenset({str})
_WORDLESS = frozenset({NoneType, bool})
"""Kinds of values in which there is nothing to find."""
MOST_SHAPES = 2_000
"""Sets of keys that are kept in mind; a source with more of them has no shape at all."""

_TYPED = frozenset(
    {"integer", "year", "flag", "yuan", "wan_yuan", "date", "datetime", "partial_date", "project_code", "count"}
)


@dataclass(frozen=True, slots=True)
class Paths:
    """What the card says of raw fields, by dotted path, and what rows have shown of them."""

    converters: dict[str, str]
    codes: frozenset[str]
    personal: frozenset[str]
    containers: frozenset[str]
    learned: set[str] = field(default_factory=set)
    """Paths at which rows have a list or an object although the card does not say so."""

    @classmethod
    def of(cls, card: Card) -> Paths:
        """Return what a card says."""
        blocks = [("", card.fields), *((f"{n.rows}.", n.fields) for n in card.nested)]
        rules = [(prefix + source, rule) for prefix, block in blocks for rule in block for source in rule.raw_fields]
        converters: dict[str, str] = {}
        for path, rule in rules:
            if converters.get(path) not in _TYPED:
                converters[path] = rule.converter
        codes = {path for path, rule in rules if rule.converter == "uscc" or rule.name.endswith(("_code", "_id"))}
        gated = {gate.field for gate in card.classified}
        listed: set[str] = set().union(*(rule.listed_fields for rule in card.fields))
        converters |= dict.fromkeys(listed - converters.keys(), "text")
        inner = {*converters, *card.personal, *gated, *(f"{n.rows}." for n in card.nested)}
        containers = {path[: m.start()] for path in inner for m in re.finditer(r"\.", path)}
        return cls(converters, frozenset(codes), frozenset(card.personal), frozenset(containers))

    def is_masked(self, path: str, key: str) -> bool:
        """Return whether the field is masked whatever it holds."""
        if path in self.personal:
            return True
        return path not in self.converters and path not in self.containers and looks_personal(key)


@dataclass(frozen=True, slots=True)
class _Shape:
    """The plan for dictionaries with one set of keys."""

    masked: tuple[str, ...]
    inner: tuple[tuple[str, Level], ...]
    free: Callable[[Row], tuple[Any, ...]]
    free_form: str
    strict: Callable[[Row], tuple[Any, ...]]
    strict_form: str
    searches: tuple[tuple[str, Search], ...]
    """Of each field that is not masked by its name, the search over its column."""
    is_pair: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What a search by column found; rows are told by their places within the page."""

    hits: list[tuple[int, Level, Row, str]] = field(default_factory=list)
    """Fields that might have to be masked: of which row, and where within it."""
    odd: set[int] = field(default_factory=set)
    """Rows that are not built like their columns, and have to be masked alone."""


class Level:
    """All dictionaries that stand at one dotted path."""

    def __init__(self, paths: Paths, prefix: str) -> None:
        self._paths, self._prefix = paths, prefix
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._inner: dict[str, Level] = {}
        self._looks: dict[str, tuple[bool, Callable[[Any], Any], str]] = {}
        self._texts, self._is_free = Search(may_be_personal), self._masker(prefix.removesuffix(".")) is mask_text

    def mask(self, row: Row, keys: tuple[str, ...]) -> None:
        """Mask all that is personal in a row, whose keys are given, and in everything within it."""
        free: list[str] = []
        strict: list[str] = []
        self._mask_fields(row, keys, free, strict)
        text = "".join(free)
        if (
            may_be_personal(text)
            or (strict and may_be_identity("".join(strict)))
            # A list or an object where the card knows of none: its fields' names have not been looked at yet.
            or _LIST in text
            or _OBJECT in text
        ):
            self.look_closely(row)

    def mask_alike(self, rows: Alike) -> None:
        """Mask as `mask` does, with one search over each column."""
        found = _Found()
        self._search(rows, range(len(rows.rows)), found)
        for at in sorted(found.odd):  # in their order: the first of them teach how the others are built
            self.mask(rows.rows[at], rows.keys)
        for owner, level, row, key in found.hits:
            if owner not in found.odd:
                level._look_into(row, key, key)

    def _search(self, rows: Alike, owners: Sequence[int], found: _Found) -> None:
        """Mask the fields that are masked by name, and search all others; `owners` are the places of the rows on the page."""
        shape = self._shapes.get(rows.keys) or self._plan(rows.keys)
        if shape.is_pair:
            self._search_pairs(rows, owners, found, shape)
            return
        for key in shape.masked:
            _mask_column(rows, key)
        for key, search in shape.searches:
            if rows.kinds[key] <= _WORDLESS:
                continue
            for at in search.places(rows.texts(key)):
                found.hits.append((owners[at], self, rows.rows[at], key))
            if rows.kinds[key] & _HOLDERS:  # unknown to the card, so their fields' names have not been looked at yet
                found.odd.update(compress(owners, [isinstance(value, dict | list) for value in rows.columns[key]]))
        for key, level in shape.inner:
            level._search_inner(rows.columns[key], owners, found)

    def _search_pairs(self, rows: Alike, owners: Sequence[int], found: _Found, shape: _Shape) -> None:
        """Search objects that each name a field by its `key`; in whose row something is hit, that row is masked alone."""
        names = set(map(str, rows.columns["key"]))
        if any(self._paths.is_masked(f"{self._prefix}{name}", name) for name in names):
            for row in rows.rows:
                if row["value"] and self._is_masked_pair(row):
                    row["value"] = MASK
        for key, search in shape.searches:
            found.odd.update([owners[at] for at in search.places(rows.texts(key))])
            if rows.kinds[key] & _HOLDERS:
                found.odd.update(compress(owners, [isinstance(value, dict | list) for value in rows.columns[key]]))
        for key, level in shape.inner:
            level._search_inner(rows.columns[key], owners, found)

    def _search_inner(self, values: Sequence[Any], owners: Sequence[int], found: _Found) -> None:
        """Search the objects that a column holds, single or in lists."""
        kinds = set(map(type, values))
        if kinds == {list}:
            owners = [owner for owner, many in zip(owners, values, strict=True) for _ in many]
            values = [one for many in values for one in many]
            kinds = set(map(type, values))
        if kinds == {dict} and len(shapes := set(map(tuple, values))) == 1:  # nearly always
            self._search(Alike(values, *shapes), owners, found)
        else:
            self._search_mixed(values, owners, found)

    def _search_mixed(self, values: Sequence[Any], owners: Sequence[int], found: _Found) -> None:
        """Search objects and texts, single or in lists, that are not all built alike."""
        shapes: dict[Keys, tuple[list[Row], list[int]]] = {}
        texts: list[tuple[str, int]] = []
        for owner, value in zip(owners, values, strict=True):
            for one in value if type(value) is list else (value,):
                if type(one) is dict:
                    rows, of = shapes.setdefault(tuple(one), ([], []))
                    rows.append(one)
                    of.append(owner)
                elif type(one) is str and self._is_free:
                    texts.append((one, owner))
                elif one is not None:
                    found.odd.add(owner)
        for keys, (rows, of) in shapes.items():
            self._search(Alike(rows, keys), of, found)
        if texts:  # keywords and the like; in whose row one is hit, that row is masked alone
            found.odd.update([texts[at][1] for at in self._texts.places([text for text, _ in texts])])

    def _mask_fields(self, row: Row, keys: tuple[str, ...], free: list[str], strict: list[str]) -> None:
        """Mask the fields that are masked by name, and add all other values to the texts to be searched."""
        shape = self._shapes.get(keys) or self._plan(keys)
        for key in shape.masked:
            if row[key] and not names_nothing(row[key]):
                row[key] = MASK
        if shape.is_pair and row["value"] and self._is_masked_pair(row):
            row["value"] = MASK
        free.append(shape.free_form % shape.free(row))
        if shape.strict_form:
            strict.append(shape.strict_form % shape.strict(row))
        for key, level in shape.inner:
            level._add(row[key], free, strict)

    def _add(self, value: Any, free: list[str], strict: list[str]) -> None:
        if type(value) is dict:
            self._mask_fields(value, tuple(value), free, strict)
        elif type(value) is list:
            for one in value:
                if type(one) is dict:
                    self._mask_fields(one, tuple(one), free, strict)
                else:
                    self._add(one, free, strict)
        else:
            free.append(f"{SEPARATOR}{value}")

    def look_closely(self, row: Row) -> None:
        """Mask what is personal by its form, in this dictionary and everything within it."""
        is_pair = _is_pair(row)
        for key in row:
            self._look_into(row, key, str(row["key"] if is_pair and key == "value" else key))

    def _look_into(self, row: Row, key: str, name: str) -> None:
        """Mask what is personal in one field, which is known by a name."""
        value = row[key]
        is_masked, masker, path = self._looks.get(name) or self._look_at(name)
        if is_masked and value:
            row[key] = value if names_nothing(value) else MASK
        elif value.__class__ is not str:
            row[key] = self._looked_at(path, value)
        elif masker is not mask_text or may_be_personal(value):  # most texts are clean, and saying so is cheap
            row[key] = masker(value)

    def _look_at(self, name: str) -> tuple[bool, Callable[[Any], Any], str]:
        """Return how a field is looked at: whether it is masked by its name, else how its texts are, and its path."""
        if len(self._looks) >= MOST_SHAPES:
            self._looks.clear()
        path = f"{self._prefix}{name}"
        self._looks[name] = found = self._paths.is_masked(path, name), self._masker(path), path
        return found

    def _is_masked_pair(self, row: Row) -> bool:
        """Return whether an object of `key` and `value` holds, by its key, a person's name or number."""
        name = str(row["key"])
        return self._paths.is_masked(f"{self._prefix}{name}", name)

    def _learn(self, path: str) -> None:
        """Keep in mind that a list or an object stands here, so that other rows need no close look because of it."""
        learned = self._paths.learned
        if path not in learned and path not in self._paths.containers and len(learned) < MOST_SHAPES:
            learned.add(path)
            self._shapes.clear()

    def _looked_at(self, path: str, value: Any) -> Any:
        if isinstance(value, (dict, list, tuple)):
            self._learn(path)
        if isinstance(value, dict):
            self._below(path).look_closely(value)
            return value
        if isinstance(value, (list, tuple)):
            return [self._looked_at(path, v) for v in value]
        if value is None or isinstance(value, bool):
            return value
        masker = self._masker(path)
        if masker is mask_text and isinstance(value, str) and not may_be_personal(value):
            return value  # most texts of a row that was hit are clean, and saying so is cheap
        return masker(value)

    def _masker(self, path: str) -> Callable[[Any], Any]:
        if path in self._paths.codes:
            return mask_code
        return mask_typed if self._paths.converters.get(path) in _TYPED else mask_text

    def _plan(self, keys: tuple[str, ...]) -> _Shape:
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        masked = tuple(k for k in keys if self._paths.is_masked(f"{self._prefix}{k}", str(k)))
        nested = self._paths.containers | self._paths.learned
        inner = tuple(k for k in keys if f"{self._prefix}{k}" in nested and k not in masked)
        rest = [k for k in keys if k not in masked and k not in inner]
        strict = [k for k in rest if self._masker(f"{self._prefix}{k}") is not mask_text]
        free = [k for k in rest if k not in strict]
        searches = tuple((k, Search(may_be_identity if k in strict else may_be_personal)) for k in rest)
        levels = tuple((k, self._below(f"{self._prefix}{k}")) for k in inner)
        is_pair = _is_pair(keys) and "value" not in masked
        shape = _Shape(masked, levels, _getter(free), _form(free), _getter(strict), _form(strict), searches, is_pair)
        self._shapes[keys] = shape
        return shape

    def _below(self, path: str) -> Level:
        if path not in self._inner:
            if len(self._inner) >= MOST_SHAPES:
                self._inner.clear()
            self._inner[path] = Level(self._paths, f"{path}.")
        return self._inner[path]


def _mask_column(rows: Alike, key: str) -> None:
    """Mask a field of all rows, but for blanks and for what says that there is nobody."""
    column = rows.columns[key]
    if rows.kinds[key] == _TEXTS and "" not in column and not may_name_nothing(column):
        for row in rows.rows:
            row[key] = MASK
        return
    for row, value in zip(rows.rows, column, strict=True):
        if value and not names_nothing(value):
            row[key] = MASK


def _is_pair(keys: Container[str]) -> bool:
    """Return whether an object names a field by its `key`, as CKAN's extras do."""
    return "key" in keys and "value" in keys


def _getter(keys: list[str]) -> Callable[[Row], tuple[Any, ...]]:
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda row: tuple(row[key] for key in keys)


def _form(keys: list[str]) -> str:
    """Return the form that writes all values at once, each behind a separator."""
    return f"{SEPARATOR}%s" * len(keys)
