"""The privacy gate: no classified row passes, and no person's name or number.

A classified row is refused without a trace: it is counted and nothing of it is kept, logged or quoted. It fails
closed: what the card does not know to be open is refused. Masking is by name of field (the card's `personal`, and
unmapped fields that look personal) and by form (telephone and identity numbers in any text).

The gate works at one place of the whole way and on every record, so it is built for speed; how persons are masked: masking.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from include.errors import SourceMalformed
from include.sources.card import Card, Gate
from include.sources.folding import scalar
from include.sources.masking import MOST_SHAPES, Level, Paths, Texts
from include.sources.page import Page
from include.sources.raw_page import RawPage

Row = dict[str, Any]

_CHUNK = 64
"""Rows whose texts are searched at once: enough to spread the cost of a search, and still within the fast caches."""

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
        self._top = Level(Paths.of(card), "")

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
        texts = Texts()
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
            values = [row.get(door.steps[0])] if len(door.steps) == 1 else _values_at(row, door.steps)
            for value in values:
                # Most values are exactly an open one; the set is only asked for texts, which can be hashed.
                if not (type(value) is str and value in door.open) and not door.is_open(value):
                    return False
        for steps in self._names:
            for value in [row.get(steps[0])] if len(steps) == 1 else _values_at(row, steps):
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
        if len(self._secrecy) >= MOST_SHAPES:
            self._secrecy.clear()
        found = (k for k in keys if _SECRECY_FIELD.search(k) and not _OPEN_FIELD.search(k))
        fields = tuple((k, k not in self._gated and _YES_NO_FIELD.search(k) is not None) for k in found)
        self._secrecy[keys] = fields
        return fields


def gate(card: Card, raw_page: RawPage) -> Page:
    """Gate a single page; for many pages of one card keep a `Gatekeeper`."""
    return Gatekeeper(card).admit(raw_page)


def _values_at(row: Row, steps: tuple[str, ...]) -> list[object]:
    """Return every value at a path, [None] where there is none: each must be open, whichever of them is mapped later."""
    whole = ".".join(steps)
    found = [row[whole]] if whole in row else []
    found.extend(_reached(row, steps))
    return found or [None]


def _reached(value: object, steps: Sequence[str]) -> Iterator[object]:
    """Yield what stands at the steps, through objects and lists; an object of `key` and `value` has its key for a step."""
    if not steps:
        yield value
    elif isinstance(value, dict):
        if value.get("key") == steps[0] and "value" in value:
            yield from _reached(value["value"], steps[1:])
        if steps[0] in value:
            yield from _reached(value[steps[0]], steps[1:])
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from _reached(one, steps)


def _gate_text(value: object) -> str:
    if type(value) is str:
        return value.strip()
    try:
        return "" if value is None else scalar(value).strip()
    except ValueError:
        return str(value)
