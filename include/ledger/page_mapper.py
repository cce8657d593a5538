"""Map the lines of one landed page into rows for staging. Pure: touches neither database nor files, so any process may do it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

import orjson

from include.ledger.copy_text import Rows, Values, copy_text
from include.ledger.identity import code_standing
from include.ledger.links import files_of
from include.ledger.quality import Quality, doubts_of_items
from include.sources.card import Card
from include.sources.mapping import CardMapper, Mapped

PAGE_FACTOR = 1_000_000
"""seq = page × this + line: more lines than any page may have."""

Lines = list[tuple[int, bytes, bytes]]
"""Number within the page, hash, and content of each line that is to be mapped."""


@dataclass(slots=True)
class MappedPage:
    """The lines of one page, ready to be staged, and those that were set aside."""

    rows: dict[str, Rows]
    bad: list[Values] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    """Rows of each entity."""
    keyless: int = 0


class PageMapper:
    """Maps pages of one card; `as_text` makes PostgreSQL's COPY text of the rows at once.

    With `batch_id` rows end as a ledger table wants them, without it as a staging table does.
    """

    def __init__(self, card: Card, *, as_text: bool, batch_id: str | None = None) -> None:
        self.card_mapper = CardMapper(card)
        self._card, self._as_text = card, as_text
        self._tail = (card.source, batch_id, batch_id) if batch_id else None
        mapped = {rule.name for rule in card.fields} | card.constants.keys()
        # In RDF an entry without items makes no statement about them.
        self._tells_items = card.document is None or card.document.format != "rdf"
        self._quality = Quality(mapped)
        self._entities = [card.entity, *(n.entity for n in card.nested)]

    def map(self, page: int, lines: Lines) -> MappedPage:
        """Map the lines of a page."""
        rows: dict[str, list[Values]] = {entity: [] for entity in self._entities}
        mapped_page = MappedPage({})
        for number, digest, line in lines:
            mapped = self.card_mapper.map(orjson.loads(line))
            if mapped.problems or mapped.key is None:
                mapped_page.keyless += mapped.key is None
                problems = json.dumps([asdict(p) for p in mapped.problems], ensure_ascii=False)
                mapped_page.bad.append([digest.hex(), mapped.key, page, number, problems, line.decode(), None])
            else:
                self._put(mapped, digest.hex(), page * PAGE_FACTOR + number, rows)
        for entity, values in rows.items():
            if values:
                mapped_page.counts[entity] = len(values)
                mapped_page.rows[entity] = copy_text(values, len(values[0])) if self._as_text else values
        return mapped_page

    def _put(self, mapped: Mapped, digest: str, seq: int, rows: dict[str, list[Values]]) -> None:
        entity = self._card.entity
        values: Values = [mapped.key, digest, *mapped.record.values()]
        values.extend(self._derived(entity, mapped))
        values.extend(self._tail or (seq, mapped.listed))
        rows[entity].append(values)
        tail = self._tail or (seq, "")
        for child_entity, key, child in mapped.children:
            rows[child_entity].append([key, digest, *child.values(), *tail])

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
