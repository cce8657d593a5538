"""The privacy gate: no classified row passes, and no person's name or number.

A classified row is refused without a trace: it is counted and nothing of it is kept, logged or quoted. It fails
closed: what the card does not know to be open is refused. Masking is by name of field (the card's `personal`, and
unmapped fields that look personal) and by form (telephone and identity numbers in any text).

The gate works at one place of the whole way and on every record, so it is built for speed: one plan for each set of
keys, one search over the texts of many rows, and a close look only at the rows that were hit.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from operator import itemgetter
from typing import Any

from include.errors import SourceMalformed
from include.sources.card import Card, Gate
from include.sources.folding import scalar
from include.sources.page import Page
from include.sources.personal_data import (
    MASK,
    SEPARATOR,
    free_hints,
    looks_personal,
    mask_code,
    mask_text,
    mask_typed,
    strict_hints,
)
from include.sources.raw_page import RawPage

Row = dict[str, Any]

_CONTAINER = re.compile(r"\x00[\[{]")
_MOST_SHAPES = 2_000
_CHUNK = 64
"""Rows whose texts are searched at once: enough to spread the cost of a search, and still within the fast caches."""
_TYPED = frozenset({"integer", "year", "flag", "yuan", "wan_yuan", "date", "datetime", "partial_date", "project_code", "count"})

_CLASSIFIED_NAME = re.compile(
    r"[涉绝](?<!非.)\s*密|机(?<!非.)\s*密(?![码钥])|秘(?<!非.)\s*密\s*(?:级|★|\*)"  # 手机密码 is no 机密
)
_SECRECY_FIELD = re.compile(
    r"密级|涉密|保密|秘密|secret(?!ar)|classified|confidential|^(?:mj|xmmj|smjb|sfsm)$|_(?:mj|smjb|sfsm)$",
    re.IGNORECASE,
)
_OPEN_FIELD = re.compile(r"非涉?密|解密|desecret|unclassified", re.IGNORECASE)
_YES_NO_FIELD = re.compile(r"是否|标[志识]|flag|(?:^|_)is_?|^sfsm|_sfsm", re.IGNORECASE)
_CLASSIFIED_VALUE = re.compile(
    r"(?:内部)?(?:秘密|机密|绝密|涉密)(?!.*非涉?密).*|是|true|yes|y|(?:top )?secret|confidential|classified",
    re.IGNORECASE,
)
_HARMLESS = frozenset({"0", "", "非密", "公开", "无", "否", "非涉密"})


@dataclass(frozen=True, slots=True)
class _Door:
    """One of the card's gates, with its open values as rows write them."""

    steps: tuple[str, ...]
    open: frozenset[str]
    open_if_absent: bool

    @classmethod
    def of(cls, gate: Gate) -> _Door:
        values = (text.lower() if text in ("True", "False") else text for text in gate.open)
        return cls(tuple(gate.field.split(".")), frozenset(values), gate.open_if_absent)

    def is_open(self, value: object) -> bool:
        if value is None:
            return self.open_if_absent
        if isinstance(value, (dict, list, tuple)):
            return False
        text = _gate_text(value)
        return text in self.open or (not text and self.open_if_absent)


class Gatekeeper:
    """The gate of one card; keep it for all pages of a read, because its plans are compiled as rows come."""

    def __init__(self, card: Card) -> None:
        self._doors = tuple(_Door.of(gate) for gate in card.classified)
        self._names = tuple(tuple(s.split(".")) for rule in card.fields if rule.name == "name" for s in rule.sources)
        self._gated = frozenset(gate.field for gate in card.classified)
        self._secrecy: dict[tuple[str, ...], tuple[tuple[str, bool], ...]] = {}
        self._top = _Level(_Paths.of(card), "")

    def admit(self, page: RawPage) -> Page:
        """Return the page without classified rows and with persons masked; the rows are changed in place.

        Raises:
            SourceMalformed: a record is nested so deeply that it cannot be searched.
        """
        rows: list[Row] = []
        try:
            for start in range(0, len(page.rows), _CHUNK):
                rows.extend(self._admit(page.rows[start : start + _CHUNK]))
        except RecursionError:
            raise SourceMalformed(
                f"page {page.number}: a record is nested too deeply to be searched for personal data; "
                "ask the platform for a flat record"
            ) from None
        return Page(
            page.number,
            rows,
            rows_received=len(page.rows),
            refused=len(page.rows) - len(rows),
            declared_rows=page.declared_rows,
            declared_pages=page.declared_pages,
            received_bytes=page.received_bytes,
            is_last=page.is_last,
            body_sha256=page.body_sha256,
            notes=page.notes,
            part=page.part,
        )

    def is_open(self, row: Row) -> bool:
        """Return whether a row passes the secrecy gate; nothing is masked."""
        return type(row) is dict and self._is_open(row, tuple(row))

    def _admit(self, candidates: list[Row]) -> list[Row]:
        rows: list[Row] = []
        texts = _Texts()
        for row in candidates:
            if type(row) is dict and self._is_open(row, keys := tuple(row)):
                self._top.mask_fields(row, keys, texts)
                texts.end_row()
                rows.append(row)
        for index in texts.suspects():
            self._top.look_closely(rows[index])
        return rows

    def _is_open(self, row: Row, keys: tuple[str, ...]) -> bool:
        for door in self._doors:
            value = row.get(door.steps[0]) if len(door.steps) == 1 else _at(row, door.steps)
            # Most values are exactly an open one; the set is only asked for texts, which can be hashed.
            if not (type(value) is str and value in door.open) and not door.is_open(value):
                return False
        for steps in self._names:
            value = row.get(steps[0]) if len(steps) == 1 else _at(row, steps)
            if value is not None and "密" in (text := str(value)) and _CLASSIFIED_NAME.search(text):
                return False
        fields = self._secrecy.get(keys)
        return not self._is_marked_classified(row, self._plan_secrecy(keys) if fields is None else fields)

    def _is_marked_classified(self, row: Row, fields: tuple[tuple[str, bool], ...]) -> bool:
        for field, one_means_yes in fields:
            value = row[field]
            if type(value) is str and value in _HARMLESS:
                continue
            text = _gate_text(value)
            if _CLASSIFIED_VALUE.fullmatch(text) or (one_means_yes and text == "1"):
                return True
        return False

    def _plan_secrecy(self, keys: tuple[str, ...]) -> tuple[tuple[str, bool], ...]:
        """Find the fields that speak of secrecy; "1" means yes only where the card does not say what it means."""
        if len(self._secrecy) >= _MOST_SHAPES:
            self._secrecy.clear()
        found = (k for k in keys if _SECRECY_FIELD.search(k) and not _OPEN_FIELD.search(k))
        fields = tuple((k, k not in self._gated and _YES_NO_FIELD.search(k) is not None) for k in found)
        self._secrecy[keys] = fields
        return fields


def gate(card: Card, raw_page: RawPage) -> Page:
    """Gate a single page; for many pages of one card keep a `Gatekeeper`."""
    return Gatekeeper(card).admit(raw_page)


def _at(row: Row, steps: tuple[str, ...]) -> object:
    value: object = row
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _gate_text(value: object) -> str:
    if type(value) is str:
        return value.strip()
    try:
        return "" if value is None else scalar(value).strip()
    except ValueError:
        return str(value)


class _Texts:
    """All texts of a page, for one search: free ones, and strict ones (codes, amounts, dates and the like)."""

    def __init__(self) -> None:
        self.free: list[str] = []
        self.strict: list[str] = []
        self._free_ends: list[int] = []
        self._strict_ends: list[int] = []

    def end_row(self) -> None:
        """Remember that the texts of a row end here."""
        self._free_ends.append(len(self.free))
        self._strict_ends.append(len(self.strict))

    def suspects(self) -> list[int]:
        """Return the indexes of the rows that deserve a close look."""
        found = _hit_rows(self.free, self._free_ends, free_hints)
        return sorted(found | _hit_rows(self.strict, self._strict_ends, strict_hints))


def _hit_rows(parts: list[str], row_ends: list[int], search: Callable[[str], Iterator[int]]) -> set[int]:
    page = "".join(parts) + SEPARATOR
    places = list(search(page))
    if "{" in page or "[" in page:
        # A list or an object where the card knows of none: its fields' names have not been looked at yet.
        places.extend(match.start() for match in _CONTAINER.finditer(page))
    ends = list(accumulate(map(len, parts))) if places else []
    return {bisect_right(row_ends, bisect_right(ends, place)) for place in places}


@dataclass(frozen=True, slots=True)
class _Paths:
    """What the card says of raw fields, by dotted path."""

    converters: dict[str, str]
    codes: frozenset[str]
    personal: frozenset[str]
    containers: frozenset[str]

    @classmethod
    def of(cls, card: Card) -> _Paths:
        blocks = [("", card.fields), *((f"{n.rows}.", n.fields) for n in card.nested)]
        rules = [(prefix + source, rule) for prefix, block in blocks for rule in block for source in rule.sources]
        converters: dict[str, str] = {}
        for path, rule in rules:
            if converters.get(path) not in _TYPED:
                converters[path] = rule.converter
        codes = {path for path, rule in rules if rule.converter == "uscc" or rule.name.endswith(("_code", "_id"))}
        gated = {gate.field for gate in card.classified}
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
    inner: tuple[tuple[str, _Level], ...]
    free: Callable[[Row], tuple[Any, ...]]
    free_form: str
    strict: Callable[[Row], tuple[Any, ...]]
    strict_form: str


class _Level:
    """All dictionaries that stand at one dotted path."""

    def __init__(self, paths: _Paths, prefix: str) -> None:
        self._paths, self._prefix = paths, prefix
        self._shapes: dict[tuple[str, ...], _Shape] = {}
        self._inner: dict[str, _Level] = {}

    def mask_fields(self, row: Row, keys: tuple[str, ...], texts: _Texts) -> None:
        """Mask the fields that are masked by name, and add all other values to the texts to be searched."""
        shape = self._shapes.get(keys) or self._plan(keys)
        for key in shape.masked:
            if row[key]:
                row[key] = MASK
        texts.free.append(shape.free_form % shape.free(row))
        texts.strict.append(shape.strict_form % shape.strict(row))
        for key, level in shape.inner:
            level._add(row[key], texts)

    def _add(self, value: Any, texts: _Texts) -> None:
        if type(value) is dict:
            self.mask_fields(value, tuple(value), texts)
        elif type(value) is list:
            for one in value:
                if type(one) is dict:
                    self.mask_fields(one, tuple(one), texts)
                else:
                    self._add(one, texts)
        else:
            texts.free.append(f"{SEPARATOR}{value}")

    def look_closely(self, row: Row) -> None:
        """Mask what is personal by its form, in this dictionary and everything within it."""
        for key, value in row.items():
            path = f"{self._prefix}{key}"
            if value and self._paths.is_masked(path, str(key)):
                row[key] = MASK
            else:
                row[key] = self._looked_at(path, value)

    def _looked_at(self, path: str, value: Any) -> Any:
        if isinstance(value, dict):
            self._below(path).look_closely(value)
            return value
        if isinstance(value, (list, tuple)):
            return [self._looked_at(path, v) for v in value]
        if value is None or isinstance(value, bool):
            return value
        masker = self._masker(path)
        if masker is mask_text and isinstance(value, str) and next(free_hints(value), None) is None:
            return value  # most texts of a row that was hit are clean, and saying so is cheap
        return masker(value)

    def _masker(self, path: str) -> Callable[[Any], Any]:
        if path in self._paths.codes:
            return mask_code
        return mask_typed if self._paths.converters.get(path) in _TYPED else mask_text

    def _plan(self, keys: tuple[str, ...]) -> _Shape:
        if len(self._shapes) >= _MOST_SHAPES:
            self._shapes.clear()
        masked = tuple(k for k in keys if self._paths.is_masked(f"{self._prefix}{k}", str(k)))
        inner = tuple(k for k in keys if f"{self._prefix}{k}" in self._paths.containers and k not in masked)
        rest = [k for k in keys if k not in masked and k not in inner]
        strict = [k for k in rest if self._masker(f"{self._prefix}{k}") is not mask_text]
        free = [k for k in rest if k not in strict]
        levels = tuple((k, self._below(f"{self._prefix}{k}")) for k in inner)
        shape = _Shape(masked, levels, _getter(free), _form(free), _getter(strict), _form(strict))
        self._shapes[keys] = shape
        return shape

    def _below(self, path: str) -> _Level:
        if path not in self._inner:
            if len(self._inner) >= _MOST_SHAPES:
                self._inner.clear()
            self._inner[path] = _Level(self._paths, f"{path}.")
        return self._inner[path]


def _getter(keys: list[str]) -> Callable[[Row], tuple[Any, ...]]:
    if len(keys) > 1:
        return itemgetter(*keys)
    return lambda row: tuple(row[key] for key in keys)


def _form(keys: list[str]) -> str:
    """Return the form that writes all values at once, each behind a separator."""
    return f"{SEPARATOR}%s" * len(keys)
