"""Tell which rows are classified (涉密, art. 39). It fails closed: what the card does not know to be open is not.

Does not mask anybody, and never keeps or quotes a row.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from include.sources.alike import Alike, Keys
from include.sources.card import Card, Gate
from include.sources.folding import scalar

Row = dict[str, Any]

_MOST_SHAPES = 2_000
_TEXTS, _OBJECTS = frozenset({str}), frozenset({dict})

_CLASSIFIED_NAME = re.compile(
    r"[涉绝](?<!非.)\s*密|机(?<!非.)\s*密(?![码钥])|秘(?<!非.)\s*密\s*(?:级|★|\*)"  # 手机密码 is no 机密
)
_CLASSIFIED_TITLE = re.compile(r"[绝机](?<!非.)\s*密(?![码钥])|秘(?<!非.)\s*密\s*(?:级|★|\*)")
"""Of a catalogue entry: 涉密 alone is often its subject, as in public lists of 涉密资质."""
_SAYING = {"name": _CLASSIFIED_NAME, "title": _CLASSIFIED_TITLE}
"""Canonical fields that hold the name of a thing, and what in it says that the thing is classified."""
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


class Secrecy:
    """What a card says of secrecy, and what every card goes without saying."""

    def __init__(self, card: Card) -> None:
        """Take the card's gates, and the fields that hold names of things."""
        self._doors = tuple(_Door.of(gate) for gate in card.classified)
        self._names = tuple(
            (tuple(source.split(".")), _SAYING[rule.name])
            for rule in card.fields
            if rule.name in _SAYING
            for source in rule.sources
        )
        self._gated = frozenset(
            step for gate in card.classified for step in (gate.field, gate.field.rpartition(".")[2])
        )
        self._secrecy: dict[tuple[str, ...], tuple[tuple[str, bool], ...]] = {}

    def is_open(self, row: Row, keys: tuple[str, ...]) -> bool:
        """Return whether a row, whose keys are given, passes."""
        for door in self._doors:
            for value in (row.get(door.steps[0]),) if len(door.steps) == 1 else _values_at(row, door.steps):
                # Most values are exactly an open one; the set is only asked for texts, which can be hashed.
                if not (type(value) is str and value in door.open) and not door.is_open(value):
                    return False
        for steps, saying in self._names:
            for value in (row.get(steps[0]),) if len(steps) == 1 else _values_at(row, steps):
                if value is not None and "密" in (text := str(value)) and saying.search(text):
                    return False
        return not (self._is_marked_within(row) or self._is_marked_classified(row, keys))

    def closed(self, rows: Alike) -> set[int]:
        """Return the places of rows that do not pass; only those are looked at one by one that their columns do not acquit."""
        doubtful: set[int] = set()
        for door in self._doors:
            doubtful.update(_behind(door, rows))
        for steps, _ in self._names:
            doubtful.update(_with_sign(rows, steps))
        for field, _ in self._fields(rows.keys):
            doubtful.update(_not_among(_HARMLESS, rows, (field,)))
        for key, kinds in rows.kinds.items():
            column = rows.columns[key]
            if list in kinds:
                doubtful.update(self._with_marks(column))
            if dict in kinds and any(map(self._fields, {tuple(value) for value in column if value.__class__ is dict})):
                doubtful.update(range(len(column)))
        return {at for at in doubtful if not self.is_open(rows.rows[at], rows.keys)}

    def _with_marks(self, column: Sequence[Any]) -> Iterable[int]:
        """Return the places of lists of keys and values in which a key speaks of secrecy and its value is not known as harmless."""
        # What `_is_listed` and `_is_keyed` say, without a call for each value of each list.
        listed = [
            (at, one)
            for at, value in enumerate(column)
            if value.__class__ is list and value and value[0].__class__ is dict and "key" in value[0]
            for one in value
            if one.__class__ is dict and "key" in one
        ]
        speaking = {name for name in {str(one["key"]) for _, one in listed} if self._fields((name,))}
        if not speaking:
            return ()
        told = [(at, one.get("value")) for at, one in listed if str(one["key"]) in speaking]
        return [at for at, value in told if value.__class__ is not str or value not in _HARMLESS]

    def _is_marked_within(self, row: Row) -> bool:
        """Return whether a list of keys and values, or an object, holds a mark that the card does not name."""
        for value in row.values():
            kind = value.__class__
            if kind is str:
                continue
            if kind is dict:
                found = value
            elif _is_listed(value):
                found = {str(v["key"]): v.get("value") for v in value if _is_keyed(v)}
            else:
                continue
            if self._is_marked_classified(found, tuple(found)):
                return True
        return False

    def _is_marked_classified(self, row: Row, keys: tuple[str, ...]) -> bool:
        for field, one_means_yes in self._fields(keys):
            value = row[field]
            if type(value) is str and value in _HARMLESS:
                continue
            text = _gate_text(value)
            if _CLASSIFIED_VALUE.fullmatch(text) or (one_means_yes and text == "1"):
                return True
        return False

    def _fields(self, keys: Keys) -> tuple[tuple[str, bool], ...]:
        """Return the fields that speak of secrecy; "1" means yes only where the card does not say what it means."""
        known = self._secrecy.get(keys)
        if known is not None:
            return known
        if len(self._secrecy) >= _MOST_SHAPES:
            self._secrecy.clear()
        found = (k for k in keys if _SECRECY_FIELD.search(k) and not _OPEN_FIELD.search(k))
        fields = tuple((k, k not in self._gated and _YES_NO_FIELD.search(k) is not None) for k in found)
        self._secrecy[keys] = fields
        return fields


def _is_listed(value: Any) -> bool:
    """Return whether a value is a list of keys and values."""
    return value.__class__ is list and bool(value) and _is_keyed(value[0])


def _is_keyed(value: Any) -> bool:
    return value.__class__ is dict and "key" in value


def _behind(door: _Door, rows: Alike) -> Iterable[int]:
    """Return the places of rows that a door does not plainly let through; those of a path through objects are all of them."""
    if door.open_if_absent and len(door.steps) == 1 and door.steps[0] not in rows.columns:
        return ()
    if len(door.steps) != 2 or ".".join(door.steps) in rows.columns or rows.kinds.get(door.steps[0]) != {list}:
        return _not_among(door.open, rows, door.steps)
    column = rows.columns[door.steps[0]]
    if door.open_if_absent and _are_let_through(door, column):
        return ()
    return [at for at, many in enumerate(column) if not _is_let_through(door, many)]


def _are_let_through(door: _Door, column: Sequence[list[Any]]) -> bool:
    """Return whether lists of keys and values say of the door's second step only what is open, if anything."""
    ones, step = list(chain.from_iterable(column)), door.steps[1]
    if not set(map(type, ones)) <= _OBJECTS or any(step in shape for shape in set(map(tuple, ones))):
        return False
    values = [one.get("value") for one in ones if one.get("key") == step]
    return set(map(type, values)) <= _TEXTS and door.open.issuperset(values)


def _is_let_through(door: _Door, many: list[Any]) -> bool:
    """Return whether a list of keys and values says of the door's second step only what is open."""
    values, step = [], door.steps[1]
    for one in many:
        if one.__class__ is not dict or step in one:
            return False
        if one.get("key") == step:
            values.append(one.get("value"))
    if not values:
        return door.open_if_absent
    return all(value.__class__ is str and value in door.open for value in values)


def _not_among(texts: frozenset[str], rows: Alike, steps: tuple[str, ...]) -> Iterable[int]:
    """Return the places of rows with anything but one of some texts at a path of one step; all of them where it has more."""
    column = rows.columns.get(steps[0])
    if column is None or len(steps) > 1:
        return range(len(rows.rows))
    if rows.kinds[steps[0]] == _TEXTS and texts.issuperset(column):
        return ()
    return [at for at, value in enumerate(column) if value.__class__ is not str or value not in texts]


def _with_sign(rows: Alike, steps: tuple[str, ...]) -> Iterable[int]:
    """Return the places of rows with 密 at a path of one step; all of them where it has more."""
    if len(steps) > 1:
        return range(len(rows.rows))
    column = rows.columns.get(steps[0], ())
    if rows.kinds.get(steps[0], set()) == _TEXTS and "密" not in "".join(column):
        return ()
    return [at for at, value in enumerate(column) if "密" in str(value)]


def _values_at(row: Row, steps: tuple[str, ...]) -> list[object]:
    """Return every value at a path, [None] where there is none: each must be open, whichever of them is mapped later."""
    whole = ".".join(steps)
    found = [row[whole]] if whole in row else []
    _reach(row, steps, 0, found)
    return found or [None]


def _reach(value: object, steps: Sequence[str], at: int, found: list[object]) -> None:
    """Add what stands at the steps from `at` on, through objects and lists; of `key` and `value` the key is a step."""
    if at == len(steps):
        found.append(value)
    elif isinstance(value, dict):
        step = steps[at]
        if value.get("key") == step and "value" in value:
            _reach(value["value"], steps, at + 1, found)
        if step in value:
            _reach(value[step], steps, at + 1, found)
    elif isinstance(value, (list, tuple)):
        for one in value:
            _reach(one, steps, at, found)


def _gate_text(value: object) -> str:
    if type(value) is str:
        return value.strip()
    try:
        return "" if value is None else scalar(value).strip()
    except ValueError:
        return str(value)
