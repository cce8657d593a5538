"""Map the lines of one landed page into rows for staging. Pure: touches neither database nor files, so any process may do it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from itertools import compress
from typing import Any

import orjson

from include.ledger.copy_text import Rows, Values, copy_columns, copy_text, filled
from include.ledger.entry_columns import derived_columns
from include.ledger.identity import code_standing, code_standings
from include.ledger.links import files_of
from include.ledger.quality import Quality, doubts_of_items
from include.sources.card import Card
from include.sources.columns import CardColumns, MappedRows, texts_of
from include.sources.mapping import CardMapper, Mapped

PAGE_FACTOR = 1_000_000
"""seq = page × this + line: more lines than any page may have."""

_CHUNK = 100
"""Lines that are mapped at once: enough to spread the cost of a column, and still within the fast caches."""

Lines = list[tuple[int, bytes, bytes]]
"""Number within the page, hash, and content of each line that is to be mapped."""

_Parts = defaultdict[str, list[Any]]
"""By entity what chunks of lines made, one after the other: rows by column, or text."""


@dataclass(slots=True)
class MappedPage:
    """The lines of one page, ready to be staged, and those that were set aside."""

    rows: dict[str, Rows]
    bad: list[Values] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of each entity."""
    keyless: int = 0
    repeats: list[bytes] = field(default_factory=list)
    """Set by whoever sifted the page for it: the hash of each line that came before within the page."""

    def count(self, entity: str, rows: int) -> None:
        """Count rows of an entity."""
        self.counts[entity] = self.counts.get(entity, 0) + rows


@dataclass(frozen=True, slots=True)
class Sifted:
    """The lines of a page that are to be mapped, how many were known, and the hash of each that came before within the page."""

    new: Lines
    unchanged: int
    repeats: list[bytes]


def sift(
    content: bytes,
    card: Card,
    known: set[bytes],
    *,
    is_forced: bool = False,
    seen: set[bytes] | None = None,
    first: int = 0,
) -> Sifted:
    """Return the lines of a page whose hash is not known, each once; with `is_forced` known ones as well.

    `known` shrinks by what the page holds. Of a page that comes in parts `seen` are the hashes of the lines before, which grow by
    those that are here, and `first` is the number of the first line.
    """
    seen = set() if seen is None else seen
    new: Lines = []
    unchanged, repeats, key = 0, [], bytes.fromhex(card.digest)
    for number, line in enumerate(content.split(b"\n") if content else (), first):
        digest = blake2b(line, digest_size=16, key=key).digest()
        if digest in known and not is_forced:
            known.discard(digest)
            unchanged += 1
        elif digest in seen:
            repeats.append(digest)
        else:
            known.discard(digest)
            new.append((number, digest, line))
        seen.add(digest)
    return Sifted(new, unchanged, repeats)


class PageMapper:
    """Maps pages of one card; `as_text` makes PostgreSQL's COPY text of the rows at once.

    With `batch_id` rows end as a ledger table wants them, without it as a staging table does.
    """

    def __init__(self, card: Card, *, as_text: bool, batch_id: str | None = None) -> None:
        self.card_mapper = CardMapper(card)
        # What the ledger works out of entries tells a blank by None.
        is_text = as_text and card.entity != "resource"
        self._columns = CardColumns(card, self.card_mapper, as_text=is_text) if CardColumns.fits(card) else None
        self._card, self._as_text = card, as_text
        self._tail = (card.source, batch_id, batch_id) if batch_id else None
        mapped = {rule.name for rule in card.fields} | card.constants.keys()
        # In RDF an entry without items makes no statement about them.
        self._tells_items = card.document is None or card.document.format != "rdf"
        self._quality = Quality(mapped)

    def map(self, page: int, lines: Lines) -> MappedPage:
        """Map the lines of a page."""
        return self.map_parts(page, [(lines, None)])

    def map_parts(self, page: int, given: Iterable[tuple[Lines, list[dict[str, Any]] | None]]) -> MappedPage:
        """Map the lines of a page in parts; with each what stands in them, for whoever has it at hand, its fields in any order."""
        mapped_page, parts = MappedPage({}), _Parts(list)
        for lines, rows in given:
            for start in range(0, len(lines), _CHUNK):
                end = start + _CHUNK
                self._map_chunk(page, lines[start:end], rows[start:end] if rows else None, mapped_page, parts)
        for entity, found in parts.items():
            mapped_page.rows[entity] = b"".join(found) if self._as_text else filled(found)
        return mapped_page

    def _map_chunk(
        self, page: int, lines: Lines, rows: list[dict[str, Any]] | None, into: MappedPage, parts: _Parts
    ) -> None:
        """Map some lines: together where the card's rows are plain, one by one what is doubtful in them."""
        raws = rows or orjson.loads(b"[" + b",".join([line for _, _, line in lines]) + b"]")
        self.card_mapper.note_fields(raws)
        together = self._columns.map(raws) if self._columns else None
        careful: dict[str, list[Values]] = {}
        for at in sorted(together.left) if together else range(len(raws)):
            number, digest, line = lines[at]
            # What is quoted of a row shows its fields in the order in which they are landed.
            mapped = self.card_mapper.map_noted(orjson.loads(line) if rows else raws[at])
            if mapped.problems or mapped.key is None:
                into.keyless += mapped.key is None
                problems = json.dumps([asdict(p) for p in mapped.problems], ensure_ascii=False)
                into.bad.append([digest.hex(), mapped.key, page, number, problems, line.decode(), None])
            else:
                self._put(mapped, digest.hex(), page * PAGE_FACTOR + number, careful)
        for entity, columns in self._in_columns(page, lines, together).items() if together else ():
            if columns[0]:
                into.count(entity, len(columns[0]))
                parts[entity].append(self._part(columns))
        for entity, values in careful.items():
            into.count(entity, len(values))
            parts[entity].append(
                copy_text(values, len(values[0])) if self._as_text else list(zip(*values, strict=True))
            )

    def _in_columns(self, page: int, lines: Lines, together: MappedRows) -> dict[str, list[Values]]:
        """Return what was mapped together by entity, as columns in the order of the table's, without the rows that were left."""
        digests = [digest.hex() for _, digest, _ in lines]
        ends: list[Values] = []
        if not self._tail:
            places: Values = [page * PAGE_FACTOR + number for number, _, _ in lines]
            ends = [texts_of(places) if self._as_text else places, together.listed]
        main = together.main
        found = {main.entity: [main.keys, digests, *main.columns, *self._derived_columns(together), *ends]}
        for child in together.children:
            owners = child.owners
            nothing = [[""] * len(owners)] if ends else []
            own = [[of[i] for i in owners] for of in (digests, *ends[:1])]
            found[child.entity] = [child.keys, own[0], *child.columns, *own[1:], *nothing]
        if together.left:
            for mapped in (main, *together.children):
                kept = [i not in together.left for i in mapped.owners]
                found[mapped.entity] = [list(compress(column, kept)) for column in found[mapped.entity]]
        return found

    def _part(self, columns: list[Values]) -> Any:
        """Return columns with their end where all rows have the same, or the text of them."""
        if self._as_text:
            return copy_columns(columns, self._tail or ())
        return columns + [[value] * len(columns[0]) for value in self._tail or ()]

    def _derived_columns(self, together: MappedRows) -> list[Values]:
        """Return the columns that the ledger works out itself, in the order of `DERIVED`."""
        main = together.main
        if main.entity == "resource":
            return derived_columns(together, self._quality, tells_items=self._tells_items)
        if main.entity not in ("project", "plan_entry"):
            return []
        codes = main.named("project_code")
        told = [code.__class__ is str and code != "" for code in codes]
        standings = iter(code_standings(list(compress(codes, told))))
        standing = [next(standings) if is_told else (None, None) for is_told in told]
        return [list(column) for column in zip(*standing, strict=True)]

    def _put(self, mapped: Mapped, digest: str, seq: int, rows: dict[str, list[Values]]) -> None:
        entity = self._card.entity
        values: Values = [mapped.key, digest, *mapped.record.values()]
        values.extend(self._derived(entity, mapped))
        values.extend(self._tail or (seq, mapped.listed))
        rows.setdefault(entity, []).append(values)
        tail = self._tail or (seq, "")
        for child_entity, key, child in mapped.children:
            rows.setdefault(child_entity, []).append([key, digest, *child.values(), *tail])

    def _derived(self, entity: str, mapped: Mapped) -> tuple[str | int | None, ...]:
        """Return the columns that the ledger works out itself, in the order of `DERIVED`."""
        if entity in ("project", "plan_entry"):
            code = mapped.record["project_code"]
            return code_standing(code) if code else (None, None)
        if entity == "resource":
            listed = mapped.record["distributions"]
            return len(files_of(listed)) if listed else 0, self.warnings_of(mapped)
        return ()

    def warnings_of(self, mapped: Mapped) -> str | None:
        """Return the quality warnings of an entry that is taken: codes with commas, None where there are none."""
        doubts = (*mapped.warnings, *(doubts_of_items(mapped) if self._tells_items else ()))
        return self._quality.warnings_of(mapped.record, doubts)
