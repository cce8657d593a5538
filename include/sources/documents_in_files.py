"""Read the JSON and RDF documents of a folder, as the answers of a platform are read.

Does not know folders or pages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from include.errors import ShuhengError, SourceMalformed
from include.sources.call import Answer
from include.sources.card import Card
from include.sources.decoding import decode_json
from include.sources.document import open_document
from include.sources.envelope import MISSING, check, walk
from include.sources.raw_page import Contents

_NOWHERE = "https://shuheng.invalid/"
_DEEPEST = 64
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_REMEDY = "export the catalogue anew as JSON in UTF-8 and deliver it again"


def read_document(card: Card, data: bytes, name: str) -> Iterator[Contents]:
    """Yield the rows of a document, each with the name of its file."""
    is_rdf = card.document is not None and card.document.format == "rdf"
    document, notes = (None, ()) if is_rdf else _decode(data)
    # A file has no address: identities must not change with the folder that it lies in.
    answer = Answer(200, document, data, name if is_rdf else "", _NOWHERE)
    if not is_rdf:
        _check(card, answer)
    opened = open_document(answer, card)
    # Nothing labels a file, so there is nothing that it is mislabelled as.
    told = [f"{name}: {note.partition(' though ')[0]}" for note in (*notes, *opened.notes)]
    rows = chain.from_iterable(chain([opened.rows], opened.more or ()))
    yield Contents((row | {"_file": name} for row in rows), opened.declared_rows, tuple(told))


def _decode(data: bytes) -> tuple[Any, tuple[str, ...]]:
    if data.startswith(_WORKBOOKS):
        raise SourceMalformed(f"it is a workbook or an archive and no JSON document; {_REMEDY}")
    try:
        document, notes = decode_json(data)
    except SourceMalformed as error:
        raise SourceMalformed(f"{error}; {_REMEDY}") from None
    if _is_deep(document):
        raise SourceMalformed(f"its values are nested deeper than {_DEEPEST} levels; {_REMEDY}, with flat records")
    return document, notes


def _is_deep(document: Any) -> bool:
    """Return whether lists and objects stand in one another more often than is allowed; level by level, no recursion."""
    level = [document]
    for _ in range(_DEEPEST + 1):
        level = [inner for value in level for inner in _inside(value) if inner.__class__ in (dict, list)]
    return bool(level)


def _inside(value: Any) -> Iterable[Any]:
    if value.__class__ is dict:
        return list(value.values())
    return list(value) if value.__class__ is list else ()


def _check(card: Card, answer: Answer) -> None:
    """Refuse an answer that was saved though the call failed, and one that has nothing where the rows should be.

    A platform without rows may leave the list out; of a file it is believed that somebody put one in.
    """
    try:
        check(answer, card, str)
    except SourceMalformed:
        raise
    except ShuhengError as error:
        raise SourceMalformed(f"it is the saved answer of a call that failed: {error}; {_REMEDY}") from None
    paths = card.envelope.rows
    if all(walk(answer.document, path) is MISSING for path in paths):
        raise SourceMalformed(
            f"it has nothing at {' or '.join(map(repr, paths))}; compare envelope.rows of the card with the file"
        )
